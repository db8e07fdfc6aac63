"""What a small request can make a server do is bounded: no quadratic time, no deep recursion, no pile of objects."""

import json
import random
import sys
from collections.abc import Callable

import pytest

from cost import processor_seconds
from fetching import fetch, make_app
from groundwire import Groundwire, request
from groundwire.app.routing import Map, Rule
from groundwire.http.errors import HTTPException
from wire import Wire
from wire import request as wire_request

MANY = 10_000


# Routing (RX1).


@pytest.fixture(scope="module")
def large_map() -> Map:
    rules = [
        Rule(f"/section{i}/<name>/page/<int:number>", endpoint=f"e{i}") for i in range(MANY - 4)
    ]
    rules += [
        Rule("/a/<a>/a/<b>/a/<c>/end", endpoint="three"),
        Rule("/<a>/a/<b>/a/<path:rest>/end", endpoint="rest"),
        Rule("/<path:first>/x/<path:second>/y", endpoint="two paths"),
        Rule("/<float:f>/<uuid:u>", endpoint="converted"),
    ]
    return Map(rules)


HOSTILE_PATHS = {
    "segments": "/" + "a/" * 4095,
    "slashes": "/" + "/" * 8190,
    "x": "/" + "a/x/" * 2047,
    "digits": "/" + "1" * 8190,
    "float": "/" + "1" * 4000 + "." + "1" * 4000 + "/x",
    "dashes": "/" + "-" * 8190,
    "encoded": "/" + "\xff" * 4000,
    "no end": "/section1/" + "n" * 8000 + "/page/" + "9" * 100 + "x",
    "almost": "/a/b/a/b/a/" + "c" * 8000 + "/en",
}


@pytest.mark.parametrize("path", HOSTILE_PATHS.values(), ids=HOSTILE_PATHS)
def test_ten_thousand_routes_match_any_path_quickly(large_map: Map, path: str) -> None:
    adapter = large_map.bind("a.example")

    def match() -> None:
        try:
            adapter.match(path)
        except HTTPException:
            pass

    match()
    assert processor_seconds(match) < 0.005


def test_the_cost_of_a_path_does_not_depend_on_the_number_of_routes(large_map: Map) -> None:
    few = Map([Rule(f"/section{i}/<name>/page/<int:number>", endpoint=f"e{i}") for i in range(10)])
    path = "/section7/x/page/1"

    def matching(some: Map) -> Callable[[], None]:
        adapter = some.bind("a.example")

        def match() -> None:
            for _ in range(200):
                adapter.match(path)

        return match

    assert processor_seconds(matching(large_map)) < 3 * processor_seconds(matching(few)) + 0.001


# JSON (JS1).


def json_app(profile: str = "flask") -> Groundwire:
    app = make_app()
    app.config["SECURITY_PROFILE"] = profile

    @app.route("/", methods=["POST"])
    def view() -> str:
        return type(request.get_json()).__name__

    return app


def posted(app: Groundwire, content: bytes) -> tuple[int, bytes, float]:
    message = wire_request("/", "POST", content, Content_Type="application/json")
    with Wire(app) as wire:
        took = processor_seconds(lambda: wire.send(message).until_idle(), 2)
        answer = wire.answers()[-1]
    return answer.status, answer.content, took


TOO_MUCH = {
    "arrays": b"[" * 100_000,
    "arrays, closed": b"[" * 100_000 + b"]" * 100_000,
    "objects": b'{"a":' * 50_000,
    "mixed": b'[{"a":' * 50_000,
    "digits": b"9" * 1_000_000,
    "negative digits": b"[-" + b"1" * 5000 + b"]",
    "depth 101": b"[" * 101 + b"]" * 101,
    "brackets behind a string": b'["' + b"\\\\" * 1000 + b'",' + b"[" * 5000,
}


@pytest.mark.parametrize("content", TOO_MUCH.values(), ids=TOO_MUCH)
def test_json_that_is_too_much_is_a_bad_request(content: bytes) -> None:
    status, text, took = posted(json_app(), content)

    assert 400 == status
    assert b"Recursion" not in text
    assert took < 0.25


FINE = {
    "depth 100": b"[" * 100 + b"]" * 100,
    "brackets in a string": json.dumps("[{" * 10_000).encode(),
    "4,300 digits": b"9" * 4300,
    "large float": b"[1e400, -1e400, 1e-400]",
    "lone surrogate": rb'["\ud800"]',
    "10 MiB of text": b'"' + b"x" * (10 << 20) + b'"',
    "many keys": json.dumps({str(i): i for i in range(MANY)}).encode(),
    "escaped quotes": b'"' + b'\\"' * 100_000 + b'"',
}


@pytest.mark.parametrize("content", FINE.values(), ids=FINE)
def test_json_that_is_much_is_read(content: bytes) -> None:
    status, _, took = posted(json_app(), content)

    assert 200 == status
    assert took < 0.5


@pytest.mark.parametrize(
    "number", [b"NaN", b"Infinity", b"-Infinity", b"[NaN]", b'{"a": Infinity}']
)
def test_what_is_no_number_is_refused_by_the_strict_profile(number: bytes) -> None:
    assert 400 == posted(json_app("strict"), number)[0]
    assert 200 == posted(json_app("flask"), number)[0]


def test_of_keys_given_twice_the_last_counts() -> None:
    app = make_app()
    app.add_url_rule("/", view_func=lambda: request.get_json(), methods=["POST"])

    answer = fetch(app, "/", "POST", content=b'{"a":1,"a":2}', Content_Type="application/json")

    assert {"a": 2} == json.loads(answer.content)


# Keys of an attacker's choice (HF1).


def form_app() -> Groundwire:
    app = make_app()

    @app.route("/", methods=["GET", "POST"])
    def view() -> str:
        return str(len(request.form) + len(request.args) + len(request.cookies))

    return app


def test_strings_are_hashed_with_a_secret() -> None:
    assert sys.hash_info.algorithm.startswith("siphash")
    assert sys.flags.hash_randomization


def colliding_keys(count: int) -> list[str]:
    """Strings whose integers collide in a table of any size, as far as integers are hashed by their value."""
    return [str((1 << 61) - 1 + i * ((1 << 61) - 1)) for i in range(count)]


@pytest.mark.parametrize("kind", ["form", "query", "cookies", "json"])
def test_keys_that_would_collide_cost_no_more(kind: str) -> None:
    keys = colliding_keys(900)
    pairs = "&".join(f"{key}=1" for key in keys)
    app = form_app()
    with Wire(app) as wire:
        match kind:
            case "form":
                message = wire_request(
                    "/", "POST", pairs.encode(), Content_Type="application/x-www-form-urlencoded"
                )
            case "query":
                message = wire_request("/?" + pairs[:8000])
            case "cookies":
                message = wire_request("/", Cookie="; ".join(f"{key}=1" for key in keys)[:15_000])
            case _:
                app = json_app()
                message = wire_request(
                    "/",
                    "POST",
                    json.dumps(dict.fromkeys(keys, 1)).encode(),
                    Content_Type="application/json",
                )
        assert processor_seconds(lambda: wire.send(message).until_idle()) < 0.1
        assert wire.answers()[-1].status in (200, 405)


@pytest.mark.parametrize(("count", "status"), [(1000, 200), (1001, 413), (100_000, 413)])
def test_fields_of_a_form_are_counted(count: int, status: int) -> None:
    content = "&".join(f"k{i}=" for i in range(count)).encode()

    answer = fetch(
        form_app(), "/", "POST", content=content, Content_Type="application/x-www-form-urlencoded"
    )

    assert status == answer.status


FIELDS = {
    "accept": ("Accept", "text/html;q=0.5," * 800),
    "accept, quoted": ("Accept", 'a/b;c="' + "\\" * 10_000),
    "accept-language": ("Accept_Language", "en-" * 4000),
    "accept-encoding": ("Accept_Encoding", "gzip;q=1," * 1500),
    "if-none-match": ("If_None_Match", '"a",' * 3000 + '"'),
    "if-none-match, open": ("If_None_Match", '"' + "W/" * 7000),
    "range": ("Range", "bytes=" + "0-0," * 3000),
    "range, dashes": ("Range", "bytes=" + "-" * 12_000),
    "cache-control": ("Cache_Control", 'a="b",' * 2000),
    "content-type": ("Content_Type", "multipart/form-data" + '; a="' * 2500),
    "content-type, spaces": ("Content_Type", "text/html" + " ;" * 6000),
    "authorization": ("Authorization", "Digest " + 'a="b",' * 2000 + '"'),
    "authorization, basic": ("Authorization", "Basic " + "=" * 12_000),
    "cookie": ("Cookie", 'a="\\' * 4000),
    "if-modified-since": ("If_Modified_Since", "Sun, " * 3000),
    "host list": ("Forwarded", "for=" * 4000),
}


@pytest.mark.parametrize(("name", "value"), FIELDS.values(), ids=FIELDS)
def test_any_field_is_read_in_linear_time(name: str, value: str) -> None:
    app = make_app()

    @app.route("/", methods=["GET", "POST"])
    def view() -> str:
        return repr(
            (
                request.accept_mimetypes.best_match(["text/html", "application/json"]),
                request.accept_languages.best_match(["en", "de"]),
                request.accept_encodings.best,
                request.if_none_match,
                request.if_modified_since,
                request.range,
                request.cache_control,
                request.content_type,
                request.mimetype_params,
                request.authorization,
                request.cookies,
                request.form,
            )
        )[:10]

    with Wire(app) as wire:
        message = wire_request("/", "POST", b"x", **{name: value})
        took = processor_seconds(lambda: wire.send(message).until_idle())
        assert all(answer.status < 500 for answer in wire.answers(*["POST"] * 5))

    # A tenth of that on an ordinary machine; what is quadratic takes a second there.
    assert took < 0.25


@pytest.mark.slow
def test_random_fields_fail_nothing() -> None:
    """Bits of syntax in every field that is read: whatever comes of it, it is no error of the server's."""
    random_bits = random.Random(20261120)
    bits = [
        '"',
        "\\",
        ";",
        "=",
        ",",
        " ",
        "q=",
        "0.5",
        "*",
        "/",
        "-",
        "bytes=",
        "W/",
        "a",
        "\xff",
        "\t",
        "%",
        "\x85",
    ]
    app = make_app()

    @app.route("/", methods=["GET", "POST"])
    def view() -> str:
        for name in FIELD_PROPERTIES:
            repr(getattr(request, name))
        return "read"

    names = sorted({name for name, _ in FIELDS.values()} - {"Host"})
    with Wire(app) as wire:
        for _ in range(400):
            fields = {
                name: "".join(random_bits.choices(bits, k=random_bits.randrange(30))).strip(" \t")
                for name in random_bits.sample(names, 4)
            }
            message = (
                f"POST /?{''.join(random_bits.choices('a=&%+;', k=20))} HTTP/1.1\r\nHost: a\r\n"
            )
            message += "".join(
                f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items()
            )
            wire.send(f"{message}Content-Length: 3\r\n\r\na=b".encode("latin-1")).until_idle()
        statuses = {answer.status for answer in wire.answers(*["POST"] * 400)}

    assert statuses <= {200, 400, 413}


FIELD_PROPERTIES = [
    "accept_mimetypes",
    "accept_languages",
    "accept_encodings",
    "accept_charsets",
    "if_match",
    "if_none_match",
    "if_modified_since",
    "if_unmodified_since",
    "if_range",
    "range",
    "cache_control",
    "content_type",
    "mimetype",
    "mimetype_params",
    "authorization",
    "cookies",
    "form",
    "files",
    "args",
    "values",
    "user_agent",
    "referrer",
    "origin",
    "date",
    "max_forwards",
    "content_length",
    "content_encoding",
    "access_route",
    "host",
    "url",
    "pragma",
    "is_json",
    "full_path",
]
