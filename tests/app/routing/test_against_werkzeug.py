"""The same rules and requests, here and in Werkzeug: the verdicts, values, redirects and built URLs are equal."""

import os
import re
from collections.abc import Callable
from typing import Any

import werkzeug.exceptions
import werkzeug.routing as oracle
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from groundwire.app import routing
from groundwire.http import errors

WORDS = ["a", "b", "ab", "user", "x y", "é", "a.b"]
CONVERTERS = [
    "<{}>",
    "<{}>",
    "<int:{}>",
    "<int:{}>",
    "<path:{}>",
    "<string(length=2):{}>",
    "<string(minlength=2, maxlength=3):{}>",
    "<int(min=3):{}>",
    "<int(fixed_digits=2):{}>",
    "<int(signed=True, max=5):{}>",
    "<float:{}>",
    "<any(a, b, 'x y'):{}>",
    "<uuid:{}>",
    "<even:{}>",
    "<loose:{}>",
]
EXAMPLES = int(os.environ.get("EXAMPLES", "60"))
"""Of each property; more of them with ``EXAMPLES=3000 pytest tests/app/routing``."""

compared = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

UUID = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
TEXTS = [*WORDS, "1", "3", "10", "007", "-4", "1.5", "-2.5", "٣", UUID, "", "A", "a\nb", "\\", "%"]
METHODS = ["GET", "POST", "PUT", "HEAD", "OPTIONS"]
SEPARATORS = ["", "", "", "-", ".", "v"]


def converters_of(library: Any) -> dict[str, Any]:
    """Converters of an application's own, made for one of the two libraries."""

    class Even(library.BaseConverter):  # type: ignore[name-defined,misc]
        regex = r"\d+"
        weight = 40

        def to_python(self, value: str) -> int:
            if int(value) % 2:
                raise library.ValidationError
            return int(value)

        def to_url(self, value: Any) -> str:
            if int(value) % 2:
                raise library.ValidationError
            return str(value)

    class Loose(library.BaseConverter):  # type: ignore[name-defined,misc]
        regex = "[a-z]+/?[a-z]*"
        weight = 150

    return {"even": Even, "loose": Loose}


@st.composite
def segments(draw: Any, number: int) -> str:
    kind = draw(st.integers(0, 9))
    if kind < 4:
        return str(draw(st.sampled_from(WORDS)))
    text = draw(st.sampled_from(CONVERTERS)).format(f"v{number}")
    if kind == 9:
        text += draw(st.sampled_from(SEPARATORS))
        text += draw(st.sampled_from(CONVERTERS)).format(f"w{number}")
    separator = draw(st.sampled_from(SEPARATORS))
    return f"{separator}{text}" if kind < 7 else f"{text}{separator}"


@st.composite
def rule_strings(draw: Any) -> str:
    count = draw(st.integers(0, 4))
    parts = [draw(segments(number)) for number in range(count)]
    slash = draw(st.sampled_from(["/", "/", "/", "//"])) if count > 1 else "/"
    return "/" + slash.join(parts) + ("/" if parts and draw(st.booleans()) else "")


@st.composite
def rule_arguments(draw: Any, plain: bool) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "string": draw(rule_strings()),
        "endpoint": draw(st.sampled_from(["one", "two", "three"])),
        "methods": draw(
            st.none() | st.lists(st.sampled_from(METHODS), min_size=1, max_size=2, unique=True)
        ),
        "strict_slashes": draw(st.sampled_from([None, None, True, False])),
        "merge_slashes": draw(st.sampled_from([None, None, True, False])),
    }
    if not plain:
        names = re.findall(r"<(?:[^>]*:)?(\w+)>", arguments["string"])
        arguments |= {
            "build_only": draw(st.sampled_from([False] * 5 + [True])),
            "subdomain": draw(st.sampled_from([None, None, "", "api", "<v9>"])),
            "host": draw(st.sampled_from([None, "example.org", "<v9>.example.org"])),
            "defaults": draw(st.sampled_from([None, None, {"v0": "a"}, {"v1": 3}, {"q": 1}])),
            "alias": draw(st.sampled_from([False] * 9 + [True])),
        }
        if draw(st.integers(0, 9)) == 0:
            arguments["redirect_to"] = draw(
                st.sampled_from(["/z", "z/y", *[f"z/<{name}>" for name in names]])
            )
        if draw(st.integers(0, 9)) == 0:
            arguments |= {"websocket": True, "methods": None}
    return arguments


@st.composite
def paths(draw: Any, rules: list[dict[str, Any]]) -> str:
    if rules and draw(st.integers(0, 3)):
        # A path that one of the rules was made for, or nearly.
        string = draw(st.sampled_from(rules))["string"]
        path = re.sub(r"<[^>]*>", lambda _: draw(st.sampled_from(TEXTS)), string)
    else:
        path = "/" + "/".join(draw(st.lists(st.sampled_from(TEXTS), max_size=4)))
    change = draw(st.integers(0, 7))
    if change == 0:
        path += "/"
    elif change == 1:
        path = path.rstrip("/")
    elif change == 2:
        path = path.replace("/", "//", draw(st.integers(1, 3)))
    elif change == 3:
        path = f"{path}/{draw(st.sampled_from(TEXTS))}"
    return path


def make_map(library: Any, rules: list[dict[str, Any]], options: dict[str, Any]) -> Any:
    made = library.Map(converters=converters_of(library), **options)
    for arguments in rules:
        keywords = {name: value for name, value in arguments.items() if name != "string"}
        made.add(library.Rule(arguments["string"], **keywords))
    return made


def outcome(call: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """What came of `call`, in words that both libraries' exceptions have."""
    try:
        result = call(*arguments, **keywords)
    except (errors.MethodNotAllowed, werkzeug.exceptions.MethodNotAllowed) as error:
        return "MethodNotAllowed", sorted(error.valid_methods or ())
    except (routing.RequestRedirect, oracle.RequestRedirect) as redirect:
        return "RequestRedirect", redirect.new_url, redirect.code
    except (errors.HTTPException, werkzeug.exceptions.HTTPException) as error:
        return type(error).__name__
    except (routing.BuildError, oracle.BuildError) as error:
        return "BuildError", str(error)
    except (ValueError, TypeError, AssertionError, RuntimeError, KeyError) as error:
        return type(error).__name__
    if isinstance(result, tuple):
        rule, values = result
        return str(rule), rule.endpoint, dict(values), [type(value) for value in values.values()]
    return result


def same_matches(
    rules: list[dict[str, Any]],
    options: dict[str, Any],
    binding: dict[str, Any],
    requests: list[tuple[str, str, bool | None]],
) -> None:
    theirs = outcome(make_map, oracle, rules, options)
    ours = outcome(make_map, routing, rules, options)
    if isinstance(theirs, str):  # a default that its converter refuses
        assert theirs == ours
        return
    for method, path, websocket in requests:
        arguments = {"return_rule": True, "websocket": websocket}
        expected = outcome(theirs.bind(**binding).match, path, method, **arguments)
        adapter = ours.bind(**binding)
        assert expected == outcome(adapter.match, path, method, **arguments)
        assert theirs.bind(**binding).test(path, method) == adapter.test(path, method)
        assert sorted(theirs.bind(**binding).allowed_methods(path)) == sorted(
            adapter.allowed_methods(path)
        )
        if method in ours.table.literal.get(path, {}):
            adapter = theirs.bind("h", subdomain=options.get("default_subdomain"))
            found = outcome(adapter.match, path, method, return_rule=True)
            rule = ours.table.literal[path][method]
            assert found == (str(rule), rule.endpoint, {}, [])


def request_strategy(rules: list[dict[str, Any]]) -> Any:
    return st.lists(
        st.tuples(
            st.sampled_from(METHODS), paths(rules), st.sampled_from([None, None, None, True])
        ),
        min_size=1,
        max_size=8,
    )


@compared
@given(data=st.data())
def test_ordinary_rules_match_as_in_werkzeug(data: st.DataObject) -> None:
    rules = data.draw(st.lists(rule_arguments(plain=True), min_size=1, max_size=10))
    options = {
        "strict_slashes": data.draw(st.booleans()),
        "merge_slashes": data.draw(st.booleans()),
    }
    same_matches(
        rules,
        options,
        {"server_name": "example.org", "query_args": "q=1&r=%20"},
        data.draw(request_strategy(rules)),
    )


@compared
@given(data=st.data())
def test_all_options_of_rules_match_as_in_werkzeug(data: st.DataObject) -> None:
    rules = data.draw(st.lists(rule_arguments(plain=False), min_size=1, max_size=10))
    host_matching = data.draw(st.booleans())
    options = {
        "host_matching": host_matching,
        "redirect_defaults": data.draw(st.booleans()),
        "default_subdomain": data.draw(st.sampled_from(["", "", "api"])),
    }
    binding: dict[str, Any] = {
        "server_name": data.draw(st.sampled_from(["example.org", "b.example.org", "other:8000"])),
        "script_name": data.draw(st.sampled_from([None, "/", "/mount", "/mount/"])),
        "url_scheme": data.draw(st.sampled_from(["http", "https", "ws", "wss", ""])),
        "query_args": data.draw(st.sampled_from([None, "q=1", {"k": "v w"}])),
    }
    if not host_matching:
        binding["subdomain"] = data.draw(st.sampled_from([None, "", "api", "x"]))
    same_matches(rules, options, binding, data.draw(request_strategy(rules)))


VALUES = st.dictionaries(
    st.sampled_from(["v0", "v1", "v2", "w0", "w1", "v9", "q", "zz"]),
    st.sampled_from([*TEXTS, 1, 3, 12, -4, 1.5, None, ["a", "b"], "/x", "a/b", "ü/&?#=+"]),
    max_size=6,
)


@compared
@given(data=st.data())
def test_urls_are_built_as_in_werkzeug(data: st.DataObject) -> None:
    rules = data.draw(st.lists(rule_arguments(plain=False), min_size=1, max_size=6))
    options = {
        "host_matching": data.draw(st.booleans()),
        "sort_parameters": data.draw(st.booleans()),
    }
    binding = {
        "server_name": data.draw(st.sampled_from(["example.org", "b.example.org"])),
        "script_name": data.draw(st.sampled_from([None, "/", "/mount", "/mount/"])),
        "url_scheme": data.draw(st.sampled_from(["http", "https", "ws", "wss", ""])),
        "default_method": data.draw(st.sampled_from(METHODS)),
    }
    keywords = {
        "method": data.draw(st.sampled_from([None, None, *METHODS])),
        "force_external": data.draw(st.booleans()),
        "append_unknown": data.draw(st.booleans()),
        "url_scheme": data.draw(st.sampled_from([None, None, "", "https", "http", "wss"])),
    }
    endpoint = data.draw(st.sampled_from(["one", "two", "three", "won"]))
    values = data.draw(VALUES)
    made = outcome(make_map, oracle, rules, options)
    if isinstance(made, str):  # a default that its converter refuses
        assert made == outcome(make_map, routing, rules, options)
        return
    theirs = made.bind(**binding)
    ours = make_map(routing, rules, options).bind(**binding)

    expected = outcome(theirs.build, endpoint, values, **keywords)

    assert expected == outcome(ours.build, endpoint, values, **keywords)


@compared
@given(
    texts=st.lists(st.sampled_from(["", "-", "--", "a", ".", "-a"]), min_size=2, max_size=5),
    segment=st.text("-a.b", max_size=12),
)
@example(texts=["", "-", ""], segment="-a-")
@example(texts=["", "", ""], segment="a")
def test_texts_between_separators_are_those_of_a_greedy_regex(
    texts: list[str], segment: str
) -> None:
    string = "/" + "".join(f"{text}<v{i}>" for i, text in enumerate(texts[:-1])) + texts[-1]
    rule = {"string": string, "endpoint": "one"}

    same_matches([rule], {}, {"server_name": "h"}, [("GET", f"/{segment}", None)])
