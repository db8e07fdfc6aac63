"""Content-Security-Policy."""

import werkzeug.datastructures as oracle_structures
import werkzeug.http as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwire.http.content_security_policy import (
    ContentSecurityPolicy,
    csp_property,
    parse_csp_header,
)


def test_policy_is_read() -> None:
    policy = parse_csp_header(
        "default-src 'self' x.com;; SCRIPT-src  'none'; sandbox; default-src y"
    )

    assert policy.default_src == "'self' x.com"
    assert policy.script_src == "'none'"
    assert policy.sandbox == ""
    assert policy.img_src is None
    assert policy.provided
    assert policy.to_header() == "default-src 'self' x.com; script-src 'none'; sandbox"
    assert not parse_csp_header(None).provided


def test_each_change_is_told() -> None:
    seen: list[str] = []
    policy = parse_csp_header("img-src x", lambda changed: seen.append(str(changed)))

    policy.font_src = "y"
    policy.img_src = None
    del policy.font_src
    policy.base_uri = None

    assert seen == ["img-src x; font-src y", "font-src y", ""]
    assert repr(ContentSecurityPolicy({"a": "b"})) == "<ContentSecurityPolicy a='b'>"
    assert isinstance(ContentSecurityPolicy.img_src.__doc__, str)
    assert "img-src" in ContentSecurityPolicy.img_src.__doc__


@given(st.lists(st.sampled_from(["a b", "c 'd' e", "", " img-src x ", "f-g\th"]), max_size=5))
@settings(max_examples=50, deadline=None)
def test_policy_is_read_as_werkzeug_does(pieces: list[str]) -> None:
    value = "; ".join(dict.fromkeys(pieces))

    if "\t" not in value:
        assert dict(parse_csp_header(value)) == dict(oracle.parse_csp_header(value))


def test_every_public_name_of_werkzeugs_class_is_there() -> None:
    theirs = oracle_structures.ContentSecurityPolicy
    assert {each for each in dir(theirs) if not each.startswith("_")} <= set(
        dir(ContentSecurityPolicy)
    )


def test_a_subclass_may_know_more_directives() -> None:
    class Newer(ContentSecurityPolicy):
        trusted_types = csp_property("trusted-types")
        own = csp_property("x-own")

    policy = Newer()
    policy.trusted_types = "default"
    policy.own = "1"

    assert "trusted-types default; x-own 1" == policy.to_header()
    del policy.own
    assert policy.own is None
