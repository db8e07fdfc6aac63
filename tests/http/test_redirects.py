"""Redirects, as Werkzeug makes them."""

from typing import Any

import pytest
from werkzeug import utils as theirs

from groundwire.http.redirects import append_slash_redirect, redirect
from groundwire.http.response import Response


def parts(response: Any) -> tuple[int, str | None, str, bytes]:
    return response.status_code, response.location, response.mimetype, response.get_data()


@pytest.mark.parametrize("location", ["/x", "https://a/?b=1&c=<d>", "../y", "/{z}"])
def test_redirects_are_werkzeugs(location: str) -> None:
    assert parts(theirs.redirect(location, 303)) == parts(redirect(location, 303))


def test_a_redirect_is_of_the_class_asked_for() -> None:
    class Own(Response):
        pass

    assert isinstance(redirect("/", Response=Own), Own)
    assert type(redirect("/")) is Response


def test_a_location_that_would_end_its_line_is_refused() -> None:
    with pytest.raises(ValueError, match="Location"):
        redirect("/\r\nSet-Cookie: a=b")


@pytest.mark.parametrize(
    ("environ", "location"),
    [
        ({"PATH_INFO": "/user/42"}, "42/"),
        ({"PATH_INFO": "/a", "QUERY_STRING": "b=c"}, "a/?b=c"),
        ({"PATH_INFO": ""}, "./"),
        ({"PATH_INFO": "/x/"}, "./"),
        ({"PATH_INFO": "/a:b?"}, "a%3Ab%3F/"),
        ({"PATH_INFO": "/\xc3\xbc"}, "%C3%BC/"),
    ],
)
def test_a_slash_is_appended_by_a_relative_reference(
    environ: dict[str, str], location: str
) -> None:
    response = append_slash_redirect(environ)

    assert (308, location) == (response.status_code, response.headers["Location"])
