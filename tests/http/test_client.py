"""The client of WSGI applications does what Werkzeug's does."""

import io
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import werkzeug.test
import werkzeug.wrappers
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwire.http.client import Client, ClientRedirectError, Cookie, TestResponse
from groundwire.http.environ_builder import EnvironBuilder
from groundwire.http.request import Request
from groundwire.http.response import Response

THEIRS = SimpleNamespace(
    Client=werkzeug.test.Client,
    Builder=werkzeug.test.EnvironBuilder,
    Request=werkzeug.wrappers.Request,
    Response=werkzeug.wrappers.Response,
    Redirects=werkzeug.test.ClientRedirectError,
)
OURS = SimpleNamespace(
    Client=Client,
    Builder=EnvironBuilder,
    Request=Request,
    Response=Response,
    Redirects=ClientRedirectError,
)


@pytest.fixture(params=[THEIRS, OURS], ids=["werkzeug", "groundwire"])
def names(request: pytest.FixtureRequest) -> Any:
    """Where the names come from: what is promised here is what Werkzeug does."""
    return request.param


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer with the request, or with the redirect that its query asks for."""
    query = environ["QUERY_STRING"]
    content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    fields = [("Content-Type", "text/plain")]
    fields += [
        ("Set-Cookie", value.replace("+", " ")) for value in query.split("&") if ";" in value
    ]
    if environ["PATH_INFO"].startswith("/to/"):
        status, _, location = environ["PATH_INFO"].removeprefix("/to/").partition("/")
        start_response(
            f"{status} Look", [*fields, ("Location", f"{location}{'?' * bool(query)}{query}")]
        )
        return [b"go on"]
    start_response("200 OK", fields)
    names = ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "HTTP_HOST", "HTTP_COOKIE", "HTTP_X_A")
    shown = [f"{environ.get(name)}" for name in (*names, "CONTENT_TYPE", "wsgi.url_scheme")]
    return [" ".join(shown).encode(), b" ", content]


@pytest.mark.parametrize(
    "method", ["get", "post", "put", "patch", "delete", "head", "options", "trace"]
)
def test_each_method_has_a_name(names: Any, method: str) -> None:
    response = getattr(names.Client(echo), method)("/a", headers={"X-A": "1"})

    assert f"{method.upper()}  /a localhost None 1 None http " == response.text


@pytest.mark.parametrize("given", ["builder", "environ", "request"])
def test_a_request_may_be_made_before(names: Any, given: str) -> None:
    builder = names.Builder("/a?b=1", "https://example.org/root", method="PUT", data={"c": "d"})
    made = {
        "builder": lambda: builder,
        "environ": builder.get_environ,
        "request": builder.get_request,
    }[given]()

    response = names.Client(echo).open(made)

    form = "application/x-www-form-urlencoded"
    assert f"PUT /root /a example.org None None {form} https c=d" == response.text


@pytest.mark.parametrize("status", [301, 302, 303, 305, 307, 308])
@pytest.mark.parametrize("method", ["POST", "HEAD"])
def test_a_redirect_keeps_what_its_status_says(names: Any, status: int, method: str) -> None:
    response = names.Client(echo).open(
        f"/to/{status}//end",
        method=method,
        data={"a": "1"},
        headers={"X-A": "1"},
        follow_redirects=True,
    )

    kept = method if status in (307, 308) or method == "HEAD" else "GET"
    assert response.text.startswith(f"{kept}  /end localhost None 1")
    assert [("go on", status)] == [(each.text, each.status_code) for each in response.history]
    assert "/end" == response.request.path


def test_redirects_know_those_before_them(names: Any) -> None:
    response = names.Client(echo).get("/to/302//to/301//to/303//end", follow_redirects=True)

    assert [302, 301, 303] == [each.status_code for each in response.history]
    assert [0, 1, 2] == [len(each.history) for each in response.history]
    assert response.history[0] is response.history[2].history[0]


def test_a_circle_of_redirects_is_left(names: Any) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("302 Found", [("Location", "/")])
        return []

    with pytest.raises(names.Redirects):
        names.Client(app).get("/", follow_redirects=True)


@pytest.mark.parametrize("location", ["http://example.org/x", "//example.org/x"])
def test_redirects_stay_within_the_application(names: Any, location: str) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("302 Found", [("Location", location)])
        return []

    with pytest.raises(RuntimeError, match="external redirects"):
        names.Client(app).get("/", follow_redirects=True)
    with pytest.raises(RuntimeError, match="subdomain redirects is not enabled"):
        names.Client(app).get("/", base_url="http://org/", follow_redirects=True)


def test_a_redirect_may_change_the_scheme_and_leave_the_mount_point(names: Any) -> None:
    client = names.Client(echo)

    response = client.get(
        "/to/302/https://localhost/other", base_url="http://localhost/root", follow_redirects=True
    )

    assert "GET  /other localhost None None None https " == response.text


def test_what_ends_a_redirect_s_content_runs_before_the_next_request(names: Any) -> None:
    order: list[str] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        order.append(f"begin {environ['PATH_INFO']}")
        first = environ["PATH_INFO"] == "/"
        start_response("302 Found" if first else "200 OK", [("Location", "/end")])
        try:
            yield b"a"
            yield b"b"
        finally:
            order.append(f"end {environ['PATH_INFO']}")

    response = names.Client(app).get("/", follow_redirects=True)

    assert ["begin /", "end /", "begin /end"] == order
    assert "ab" == response.text


def test_closing_a_response_closes_the_content_of_the_request(names: Any) -> None:
    stream = io.BytesIO(b"x")

    names.Client(echo).post("/", input_stream=stream, follow_redirects=True).close()

    assert stream.closed


# Cookies


COOKIES = st.lists(
    st.builds(
        "{}={};{}".format,
        st.sampled_from(["a", "b"]),
        st.sampled_from(["1", '"q"', ""]),
        st.lists(
            st.sampled_from(
                [
                    *("Path=/", "Path=/dir", "path=/dir/", "Path", "Domain=example.org"),
                    *("domain=www.example.org", "Domain", "Max-Age=0", "Max-Age=9", "Secure"),
                    "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                    "Expires=Thu, 01 Jan 2970 00:00:00 GMT",
                ]
            ),
            max_size=3,
        ).map(";".join),
    ),
    max_size=4,
)
URLS = st.tuples(
    st.sampled_from(
        ["localhost", "example.org", "www.example.org", "notexample.org", "example.org:81"]
    ),
    st.sampled_from(["/", "/dir", "/dir/", "/dir/page", "/directory"]),
)


@settings(max_examples=300)
@given(st.lists(st.tuples(URLS, COOKIES), min_size=1, max_size=4), URLS)
def test_the_same_cookies_are_sent(
    steps: list[tuple[tuple[str, str], list[str]]], last: tuple[str, str]
) -> None:
    answers = []
    for names in (THEIRS, OURS):
        set_now: list[str] = []
        sent: list[str | None] = []

        def app(
            environ: Any, start_response: Any, sent: Any = sent, set_now: Any = set_now
        ) -> list[bytes]:
            sent.append(environ.get("HTTP_COOKIE"))
            start_response("200 OK", [("Set-Cookie", value) for value in set_now])
            return []

        client = names.Client(app)
        for (host, path), cookies in [*steps, (last, [])]:
            set_now[:] = cookies
            client.get(path, base_url=f"http://{host}")
        answers.append(sent)

    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    "header",
    [
        "a=1; Path=/x; Secure; HttpOnly; SameSite=Lax; Max-Age=5",
        'a="\\303\\251"',
        "Ã¤=Ã¤",
        "a",
        "=b",
        " a = b ; path = /p ",
    ],
)
def test_a_cookie_is_read_as_by_werkzeug(header: str) -> None:
    try:
        expected = vars(werkzeug.test.Cookie._from_response_header("localhost", "/d/p", header))
    except StopIteration:
        return  # one without a name; ours is empty

    assert expected == vars(Cookie.parse(header, "localhost", "/d/p"))


def test_cookies_are_set_and_deleted_by_their_decoded_names(names: Any) -> None:
    client = names.Client(echo)

    client.set_cookie("a", "é", domain="example.org", origin_only=False, path="/p")
    assert client.get_cookie("a") is None
    cookie = client.get_cookie("a", "example.org", "/p")
    assert ("é", False) == (cookie.decoded_value, cookie.origin_only)
    assert f"a={cookie.value}" in client.get("/p/q", "http://www.example.org").text
    client.delete_cookie("a", domain="example.org", path="/p")
    client.delete_cookie("a", domain="example.org", path="/p")
    assert client.get_cookie("a", "example.org", "/p") is None


def test_a_client_may_keep_no_cookies(names: Any) -> None:
    client = names.Client(echo, use_cookies=False)

    client.get("/?a=1;")
    assert " None " in client.get("/").text
    for call in (client.get_cookie, client.set_cookie, client.delete_cookie):
        with pytest.raises(
            TypeError, match=r"Cookies are disabled. Create a client with 'use_cookies=True'."
        ):
            call("a")


# Responses


def test_responses_are_also_of_the_class_that_is_wanted() -> None:
    class Mine(Response):
        pass

    class Exactly(TestResponse):
        pass

    for wanted, expected in ((None, TestResponse), (Response, TestResponse), (Exactly, Exactly)):
        assert expected is type(Client(echo, wanted).get("/"))
    response = Client(echo, Mine).get("/")
    assert isinstance(response, Mine)
    assert isinstance(response, TestResponse)
    assert type(response) is type(Client(echo, Mine).get("/"))


def test_a_response_says_nothing_that_the_application_did_not() -> None:
    def bare(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"x"]

    assert [] == list(Client(bare).get("/").headers)


def test_a_client_shows_its_application() -> None:
    assert f"<Client {echo!r}>" == repr(Client(echo))
