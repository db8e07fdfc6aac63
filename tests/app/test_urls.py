"""URLs outside of a request, redirects, and what `url_for` refuses."""

from typing import Any

import pytest

import groundwire
from fetching import fetch, make_app
from groundwire import Response, abort, make_response, redirect, url_for
from groundwire.app.routing import BuildError
from groundwire.http.errors import Aborter, NotFound


def make_item_app() -> Any:
    app = make_app()
    app.add_url_rule("/item/<int:n>", "item", lambda n: str(n))
    return app


def test_url_outside_of_a_request_is_external() -> None:
    app = make_item_app()
    app.config["SERVER_NAME"] = "example.org"
    app.config["APPLICATION_ROOT"] = "/shop"
    app.config["PREFERRED_URL_SCHEME"] = "https"

    assert "https://example.org/shop/item/1" == app.url_for("item", n=1)
    with app.app_context():
        assert "https://example.org/shop/item/1" == url_for("item", n=1)
        assert "/shop/item/1" == url_for("item", n=1, _external=False)
        assert "https://example.org/shop/item/1#x%20y" == url_for("item", n=1, _anchor="x y")


def test_url_outside_of_a_request_needs_a_server_name() -> None:
    app = make_item_app()

    with pytest.raises(RuntimeError, match="says for which host"):
        app.url_for("item", n=1)
    with app.app_context(), pytest.raises(RuntimeError, match="says for which host"):
        url_for("item", n=1)
    with pytest.raises(RuntimeError, match=r"^Working outside of application context"):
        url_for("item", n=1)


def test_url_in_an_app_context_within_a_request_is_relative_to_the_request() -> None:
    app = make_item_app()

    with app.test_request_context(base_url="https://other.example"), app.app_context():
        assert "/item/1" == url_for("item", n=1)
        assert "https://other.example/item/1" == url_for("item", n=1, _external=True)


def test_endpoint_with_a_dot_outside_of_a_blueprint_is_the_apps() -> None:
    app = make_item_app()

    with app.test_request_context():
        assert "/item/1" == url_for(".item", n=1)


def test_build_error_handlers_are_asked_in_turn() -> None:
    app = make_item_app()
    asked: list[str] = []

    def first(error: Any, endpoint: str, values: Any) -> None:
        asked.append("first")

    def second(error: Any, endpoint: str, values: Any) -> None:
        asked.append("second")
        raise BuildError("another", {}, None)

    app.url_build_error_handlers += [first, second]
    with app.test_request_context(), pytest.raises(BuildError, match="another"):
        url_for("missing")
    assert ["first", "second"] == asked


def test_url_with_host_matching_over_the_wire() -> None:
    app = make_app(host_matching=True)
    app.config["SERVER_NAME"] = "ignored.example"
    app.add_url_rule(
        "/", "view", lambda name: f"{name} {url_for('view', name='x')}", host="<name>.com"
    )

    assert b"example //x.com/" in fetch(app).content.replace(b"http:", b"")


@pytest.mark.parametrize(
    ("server_name", "status"),
    [("example.com", 200), ("com", 404), ("other.org", 404)],
)
def test_configured_host_gives_the_subdomain(server_name: str, status: int) -> None:
    app = make_app(subdomain_matching=True)
    app.config["SERVER_NAME"] = server_name
    app.add_url_rule("/", "view", lambda: "x")

    with (
        pytest.warns(UserWarning, match="doesn't match")
        if server_name == "other.org"
        else _nothing()
    ):
        assert status == fetch(app).status


class _nothing:  # noqa: N801
    def __enter__(self) -> None:
        """Expect no warning."""

    def __exit__(self, *error: object) -> None:
        """Expect no warning."""


# --- short words


def test_redirect_outside_of_an_app_and_with_a_class() -> None:
    class Own(Response):
        """Of the program."""

    assert ("/x", 302) == (redirect("/x").headers["Location"], redirect("/x").status_code)
    assert isinstance(redirect("/x", 301, Own), Own)
    app = make_app()
    app.response_class = Own
    with app.app_context():
        assert isinstance(redirect("/x"), Own)
        assert isinstance(make_response(), Own)


@pytest.mark.parametrize("location", ["/a\r\nX-Inj: 1", "/a\nb", "/a\x00b"])
def test_redirect_cannot_split_the_response(location: str) -> None:
    with pytest.raises(ValueError, match="Location"):
        redirect(location)


def test_redirect_escapes_its_page() -> None:
    assert b'href="/&lt;svg onload=1&gt;"' in redirect("/<svg onload=1>").data


def test_abort_uses_the_apps_aborter() -> None:
    class Gone(NotFound):
        """Of the program."""

    class OwnAborter(Aborter):
        def __init__(self) -> None:
            super().__init__(extra={404: Gone})

    class App(groundwire.Groundwire):
        aborter_class = OwnAborter

    with App(__name__, static_folder=None).app_context(), pytest.raises(Gone):
        abort(404)
    with pytest.raises(NotFound) as raised:
        abort(404)
    assert type(raised.value) is NotFound


def test_a_host_that_cannot_be_one_is_refused_through_wsgi() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: "x")

    for host, expected in (("\x8a", 400), ("x", 200), ("", 200)):
        with app.test_request_context("/", environ_overrides={"HTTP_HOST": host}):
            assert expected == app.full_dispatch_request().status_code
