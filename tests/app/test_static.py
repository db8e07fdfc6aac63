"""Static files: what is served and how, and what never is."""

import gzip
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import brotli
import pytest
from werkzeug.test import Client, TestResponse

from groundwire import Blueprint, Groundwire
from groundwire.app import static
from groundwire.app.static import kept_static_response, static_response
from groundwire.http.codings import compress
from groundwire.http.errors import NotFound, PreconditionFailed, RequestedRangeNotSatisfiable
from groundwire.http.files import FileParts, FileSlice, FileTruncated, SmallFileCache
from groundwire.http.headers import Headers
from groundwire.http.response import Response
from open_files import open_files

CANARY = b"CANARY-OUTSIDE-ROOT"
LARGE = bytes(range(256)) * 1024
TEXT = b"body { color: red }\n" * 200


@dataclass
class FakeRequest:
    method: str = "GET"
    headers: Headers = field(default_factory=Headers)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "static"
    (root / "sub").mkdir(parents=True)
    (root / "ok.txt").write_bytes(b"0123456789")
    (root / "index.html").write_bytes(b"<p>hello")
    (root / "style.css").write_bytes(TEXT)
    (root / "large.bin").write_bytes(LARGE)
    (root / "large.txt").write_bytes(LARGE)
    (root / "empty.txt").write_bytes(b"")
    (root / "sub" / "x.txt").write_bytes(b"deep")
    (root / ".env").write_bytes(b"SECRET=1")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_bytes(b"secret")
    (tmp_path / "canary.txt").write_bytes(CANARY)
    (tmp_path / "static_private").mkdir()
    (tmp_path / "static_private" / "canary.txt").write_bytes(CANARY)
    (root / "link_out").symlink_to("../canary.txt")
    (root / "link_in").symlink_to("ok.txt")
    os.mkfifo(root / "fifo")
    return root


@pytest.fixture(autouse=True)
def no_file_stays_open() -> Iterator[None]:
    before = open_files()
    yield
    assert before == open_files()


@pytest.fixture
def cache() -> SmallFileCache:
    return SmallFileCache()


Get = Callable[..., Response]


@pytest.fixture
def get(root: Path, cache: SmallFileCache) -> Get:
    """Answer a request for a file of the root; keyword arguments are request fields."""

    def get(filename: str, method: str = "GET", options: Any = None, **fields: str) -> Response:
        headers = Headers([(name.replace("_", "-"), value) for name, value in fields.items()])
        request = FakeRequest(method, headers)
        return static_response(root, filename, request=request, cache=cache, **(options or {}))

    return get


def data(response: Response) -> bytes:
    """Return the content as it is sent, and close the response."""
    content = b"".join(response.iter_encoded())
    response.close()
    length = response.headers.get("Content-Length")
    assert length is None or int(length) == len(content)
    return content


# What is said of a file


def test_small_file_is_answered_from_memory(get: Get, root: Path, cache: SmallFileCache) -> None:
    response = get("ok.txt")

    assert 200 == response.status_code
    assert b"0123456789" == response.content
    assert "text/plain; charset=utf-8" == response.headers["Content-Type"]
    assert "10" == response.headers["Content-Length"]
    assert "nosniff" == response.headers["X-Content-Type-Options"]
    assert "no-cache" == response.headers["Cache-Control"]
    assert "bytes" == response.headers["Accept-Ranges"]
    assert "Vary" not in response.headers
    status = (root / "ok.txt").stat()
    assert f'"{status.st_mtime_ns:x}-a"' == response.headers["ETag"]
    assert (
        int(status.st_mtime) == parsedate_to_datetime(response.headers["Last-Modified"]).timestamp()
    )
    assert 1 == len(cache)


def test_small_file_is_read_once(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    first = get("sub/x.txt")
    monkeypatch.setattr(static, "open_below", None)

    assert data(first) == data(get("sub/x.txt")) == b"deep"


def test_large_file_is_streamed(get: Get) -> None:
    response = get("large.bin")

    assert isinstance(response.source, FileSlice)
    assert "application/octet-stream" == response.headers["Content-Type"]
    assert LARGE == data(response)


def test_empty_file_is_answered(get: Get) -> None:
    assert b"" == data(get("empty.txt"))
    assert 200 == get("empty.txt", Range="bytes=0-").status_code


def test_file_that_changes_is_read_again(get: Get, root: Path) -> None:
    first = get("ok.txt")
    (root / "ok.txt").write_bytes(b"another")
    second = get("ok.txt")

    assert b"another" == data(second)
    assert first.headers["ETag"] != second.headers["ETag"]


def test_answer_may_be_kept_without_asking(get: Get, root: Path) -> None:
    response = get("ok.txt", options={"max_age": 3600})

    assert "public, max-age=3600" == response.headers["Cache-Control"]
    expires = parsedate_to_datetime(response.headers["Expires"]).timestamp()
    assert 3590 < expires - time.time() <= 3600
    asked: list[str | None] = []
    response = get("ok.txt", options={"max_age": lambda path: asked.append(path) or 0})
    assert "no-cache, max-age=0" == response.headers["Cache-Control"]
    assert [str(root / "ok.txt")] == asked


def test_date_in_the_future_is_not_told(get: Get, root: Path) -> None:
    os.utime(root / "ok.txt", (2**32, 2**32))

    told = parsedate_to_datetime(get("ok.txt").headers["Last-Modified"]).timestamp()
    assert told <= time.time()


def test_answer_is_of_the_class_that_is_asked_for(get: Get) -> None:
    class Own(Response):
        default_mimetype = "text/x-own"

    assert type(get("ok.txt", options={"response_class": Own})) is Own


def test_names_of_several_extensions_say_the_coding(get: Get, root: Path) -> None:
    (root / "a.css.gz").write_bytes(gzip.compress(TEXT))
    response = get("a.css.gz", Accept_Encoding="br")

    assert "text/css; charset=utf-8" == response.headers["Content-Type"]
    assert "gzip" == response.headers["Content-Encoding"]
    assert TEXT == gzip.decompress(data(response))


# Conditions


def test_client_that_has_the_file_gets_304(get: Get) -> None:
    for name in ("ok.txt", "large.bin"):
        known = get(name)
        known.close()
        for fields in (
            {"If_None_Match": known.headers["ETag"]},
            {"If_None_Match": f'"x", W/{known.headers["ETag"]}'},
            {"If_None_Match": "*"},
            {"If_Modified_Since": known.headers["Last-Modified"]},
        ):
            for method in ("GET", "HEAD"):
                response = get(name, method, **fields)
                assert 304 == response.status_code
                assert b"" == response.content
                assert known.headers["ETag"] == response.headers["ETag"]


def test_client_that_has_another_gets_the_file(get: Get) -> None:
    assert 200 == get("ok.txt", If_None_Match='"x"').status_code
    assert 200 == get("ok.txt", If_Modified_Since="Sun, 06 Nov 1994 08:49:37 GMT").status_code
    assert 200 == get("ok.txt", If_Match="*").status_code


def test_condition_that_does_not_hold_is_refused(get: Get) -> None:
    for name in ("ok.txt", "large.bin"):
        for fields in (
            {"If_Match": '"x"'},
            {"If_Unmodified_Since": "Sun, 06 Nov 1994 08:49:37 GMT"},
        ):
            with pytest.raises(PreconditionFailed):
                get(name, **fields)


# Ranges


@pytest.mark.parametrize(
    ("wanted", "expected", "content_range"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=8-", b"89", "bytes 8-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=5-100", b"56789", "bytes 5-9/10"),
        ("bytes=0-1,1-3", b"0123", "bytes 0-3/10"),
    ],
)
def test_one_range_is_answered(get: Get, wanted: str, expected: bytes, content_range: str) -> None:
    response = get("ok.txt", Range=wanted)

    assert 206 == response.status_code
    assert content_range == response.headers["Content-Range"]
    assert expected == data(response)


def test_range_of_a_large_file_is_read_from_it(get: Get) -> None:
    response = get("large.bin", Range="bytes=1000-200000")

    assert isinstance(response.source, FileSlice)
    assert 199001 == response.source.length
    assert LARGE[1000:200001] == data(response)


@pytest.mark.parametrize("name", ["ok.txt", "large.bin"])
def test_several_ranges_are_answered_in_parts(get: Get, root: Path, name: str) -> None:
    content = (root / name).read_bytes()

    response = get(name, Range="bytes=0-1, 4-5, -1")

    assert 206 == response.status_code
    assert "Content-Range" not in response.headers
    media_type, _, boundary = response.headers["Content-Type"].partition("; boundary=")
    assert "multipart/byteranges" == media_type
    assert (name == "large.bin") == isinstance(response.source, FileParts)
    pieces = data(response).split(b"\r\n--" + boundary.encode())
    assert b"--\r\n" == pieces[-1]
    assert [content[0:2], content[4:6], content[-1:]] == [
        piece.partition(b"\r\n\r\n")[2] for piece in pieces[1:-1]
    ]
    assert all(f"/{len(content)}\r\n".encode() in piece for piece in pieces[1:-1])


@pytest.mark.parametrize("name", ["ok.txt", "large.bin"])
def test_range_outside_of_the_file_is_refused(get: Get, name: str) -> None:
    for wanted in ("bytes=300000-", "bytes=-0", "bytes=999999-9999999,300000-"):
        with pytest.raises(RequestedRangeNotSatisfiable) as refusal:
            get(name, Range=wanted)
        assert refusal.value.length == (10 if name == "ok.txt" else len(LARGE))


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=1-0",
        "bytes=a-b",
        "bytes=\xb2-\xb3",
        "items=0-1",
        "bytes",
        "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 34, 2)),
    ],
)
def test_range_that_is_none_or_too_many_is_ignored(get: Get, wanted: str) -> None:
    response = get("ok.txt", Range=wanted)

    assert 200 == response.status_code
    assert b"0123456789" == data(response)


def test_range_is_answered_only_of_the_file_the_client_has(get: Get) -> None:
    etag = get("ok.txt").headers["ETag"]

    assert 206 == get("ok.txt", Range="bytes=0-1", If_Range=etag).status_code
    assert 200 == get("ok.txt", Range="bytes=0-1", If_Range=f"W/{etag}").status_code
    assert 200 == get("ok.txt", Range="bytes=0-1", If_Range='"x"').status_code
    assert 200 == get("ok.txt", "HEAD", Range="bytes=0-1").status_code


# Codings


@pytest.fixture
def coded(root: Path) -> Path:
    """Put coded neighbours beside the style sheet."""
    (root / "style.css.br").write_bytes(brotli.compress(TEXT))
    (root / "style.css.gz").write_bytes(gzip.compress(TEXT))
    return root


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("br, gzip", "br"),
        ("gzip", "gzip"),
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("zstd", None),
        ("identity", None),
        ("br;q=0", None),
        ("*", "br"),
    ],
)
def test_coded_neighbour_is_sent_to_who_takes_it(
    get: Get, coded: Path, accepted: str, coding: str | None
) -> None:
    response = get("style.css", Accept_Encoding=accepted)

    assert coding == response.headers.get("Content-Encoding")
    assert "Accept-Encoding" == response.headers["Vary"]
    assert "text/css; charset=utf-8" == response.headers["Content-Type"]
    extension = {"br": ".br", "gzip": ".gz", None: ""}[coding]
    assert (coded / f"style.css{extension}").read_bytes() == data(response)


def test_each_representation_has_a_tag_of_its_own(get: Get, coded: Path) -> None:
    tags = {get("style.css", Accept_Encoding=each).headers["ETag"] for each in ("br", "gzip", "x")}

    assert 3 == len(tags)
    assert not any(tag.startswith("W/") for tag in tags)


def test_client_that_has_the_coded_file_gets_304(get: Get, coded: Path) -> None:
    known = get("style.css", Accept_Encoding="br")

    response = get("style.css", Accept_Encoding="br", If_None_Match=known.headers["ETag"])

    assert 304 == response.status_code
    assert "Accept-Encoding" == response.headers["Vary"]
    assert (
        200
        == get("style.css", Accept_Encoding="gzip", If_None_Match=known.headers["ETag"]).status_code
    )


def test_ranges_are_those_of_the_file_itself(get: Get, coded: Path) -> None:
    response = get("style.css", Accept_Encoding="br", Range="bytes=0-3")

    assert 206 == response.status_code
    assert "Content-Encoding" not in response.headers
    assert "Accept-Encoding" == response.headers["Vary"]
    assert TEXT[:4] == data(response)
    whole = get("style.css", Accept_Encoding="br")
    assert "Accept-Ranges" not in whole.headers


def test_large_neighbour_is_streamed_and_the_file_closed(get: Get, root: Path) -> None:
    coded = os.urandom(100_000)
    (root / "large.txt.gz").write_bytes(coded)

    response = get("large.txt", Accept_Encoding="gzip")

    assert isinstance(response.source, FileSlice)
    assert coded == data(response)


def test_neighbour_older_than_its_file_is_stale(get: Get, coded: Path) -> None:
    then = (coded / "style.css").stat().st_mtime - 60
    os.utime(coded / "style.css.br", (then, then))

    assert "gzip" == get("style.css", Accept_Encoding="br, gzip").headers["Content-Encoding"]


def test_neighbour_that_is_a_link_or_no_file_is_not_sent(
    get: Get, root: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.gz"
    secret.write_bytes(CANARY)
    for make in (
        lambda path: path.symlink_to(secret),
        lambda path: path.symlink_to("ok.txt"),
        lambda path: path.mkdir(),
        os.mkfifo,
    ):
        path = root / "style.css.gz"
        make(path)
        response = get("style.css", Accept_Encoding="gzip")
        assert "Content-Encoding" not in response.headers
        assert TEXT == data(response)
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def test_what_is_not_compressible_has_no_neighbours(get: Get, root: Path) -> None:
    (root / "a.png").write_bytes(b"x" * 1000)
    (root / "a.png.gz").write_bytes(b"y")

    response = get("a.png", Accept_Encoding="gzip", options={"compress": True})

    assert b"x" * 1000 == data(response)
    assert "Vary" not in response.headers


def test_small_file_is_coded_once(
    get: Get, cache: SmallFileCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = get("style.css", Accept_Encoding="gzip", options={"compress": True})
    monkeypatch.setattr(static, "encode", None)
    second = get("style.css", Accept_Encoding="gzip", options={"compress": True})

    for response in (first, second):
        assert "gzip" == response.headers["Content-Encoding"]
        assert "Accept-Encoding" == response.headers["Vary"]
        assert response.headers["ETag"].startswith('W/"')
        assert TEXT == gzip.decompress(data(response))
    assert 2 == len(cache)


def test_small_file_is_not_coded_for_who_does_not_take_it(get: Get) -> None:
    for fields in ({}, {"Accept_Encoding": "x"}, {"Accept_Encoding": "gzip", "Range": "bytes=0-"}):
        response = get("style.css", options={"compress": True}, **fields)
        assert "Content-Encoding" not in response.headers
        assert "Accept-Encoding" == response.headers["Vary"]
        assert TEXT == data(response)


def test_very_small_file_is_not_coded(get: Get) -> None:
    response = get("index.html", Accept_Encoding="gzip", options={"compress": True})

    assert "Vary" not in response.headers
    assert b"<p>hello" == data(response)


def test_file_that_coding_makes_larger_stays_as_it_is(
    get: Get, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = os.urandom(2000)
    (root / "noise.txt").write_bytes(noise)
    for _ in range(2):
        response = get("noise.txt", Accept_Encoding="gzip", options={"compress": True})
        assert noise == data(response)
        assert "Content-Encoding" not in response.headers
        monkeypatch.setattr(static, "encode", None)


def test_coded_file_that_changes_is_coded_again(get: Get, root: Path) -> None:
    get("style.css", Accept_Encoding="gzip", options={"compress": True})
    (root / "style.css").write_bytes(TEXT[::-1])

    response = get("style.css", Accept_Encoding="gzip", options={"compress": True})

    assert TEXT[::-1] == gzip.decompress(data(response))


# From memory


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("ok.txt", {}),
        ("ok.txt", {"Range": "bytes=0-1"}),
        ("ok.txt", {"If-None-Match": "*"}),
        ("style.css", {"Accept-Encoding": "br"}),
        ("style.css", {}),
        ("plain.css", {"Accept-Encoding": "gzip"}),
    ],
)
def test_what_is_kept_is_answered_without_waiting(
    coded: Path,
    cache: SmallFileCache,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    fields: dict[str, str],
) -> None:
    (coded / "plain.css").write_bytes(TEXT)
    options: dict[str, Any] = {"request": FakeRequest(headers=Headers(fields)), "cache": cache}
    assert kept_static_response(coded, name, compress=True, **options) is None
    wanted = static_response(coded, name, compress=True, **options)

    monkeypatch.setattr(os, "open", None)
    monkeypatch.setattr(static, "encode", None)
    response = kept_static_response(coded, name, compress=True, **options)

    assert response is not None
    assert wanted.status_code == response.status_code
    assert wanted.content == response.content
    assert [line for line in wanted.headers if line[0] != "Date"] == [
        line for line in response.headers if line[0] != "Date"
    ]


def test_file_that_is_kept_but_not_in_the_coding_has_to_be_waited_for(
    root: Path, cache: SmallFileCache
) -> None:
    plain = FakeRequest()
    static_response(root, "style.css", request=plain, cache=cache)
    request = FakeRequest(headers=Headers({"Accept-Encoding": "gzip"}))

    assert (
        kept_static_response(root, "style.css", request=request, compress=True, cache=cache) is None
    )
    assert kept_static_response(root, "style.css", request=plain, compress=True, cache=cache)


@pytest.mark.parametrize("name", ["nothing", "large.bin", "../canary.txt", ".env", "fifo"])
def test_what_is_not_kept_has_to_be_waited_for(
    get: Get, root: Path, cache: SmallFileCache, name: str
) -> None:
    if name == "large.bin":
        get(name).close()

    assert kept_static_response(root, name, request=FakeRequest(), cache=cache) is None


def test_neighbour_is_no_link_even_if_it_was_asked_for_itself(get: Get, root: Path) -> None:
    (root / "other").write_bytes(gzip.compress(b"other"))
    (root / "style.css.gz").symlink_to("other")
    assert 200 == get("style.css.gz").status_code

    response = get("style.css", Accept_Encoding="gzip")

    assert "Content-Encoding" not in response.headers
    assert TEXT == data(response)


# What is never served

REFUSED = [
    "../canary.txt",
    "sub/../../canary.txt",
    "..\\canary.txt",
    "../static_private/canary.txt",
    "/etc/passwd",
    "//etc/passwd",
    "C:/x",
    "ok.txt\0",
    "ok.txt\0.html",
    "ok.txt:stream",
    "link_out",
    "fifo",
    "sub",
    "sub/",
    "",
    ".env",
    ".git/config",
    "NUL.txt",
    "aux .txt",
    "COM¹",
    "con",
    "nothing",
    "ok.txt/x",
    "\udcff",
]


@pytest.mark.parametrize("name", REFUSED, ids=repr)
def test_what_may_not_be_served_is_not_found(get: Get, name: str) -> None:
    begin = time.monotonic()

    with pytest.raises(NotFound):
        get(name)

    assert time.monotonic() - begin < 10  # who waits for it waits for ever


def test_name_with_a_dot_first_may_be_allowed_and_is_not_by_what_is_kept(get: Get) -> None:
    assert b"SECRET=1" == data(get(".env", options={"dotfiles": True}))
    with pytest.raises(NotFound):
        get(".env")


def test_link_inside_is_followed(get: Get) -> None:
    assert b"0123456789" == data(get("link_in"))


def test_link_that_comes_to_lead_outside_is_refused(get: Get, root: Path) -> None:
    get("link_in")
    (root / "link_in").unlink()
    (root / "link_in").symlink_to("../canary.txt")
    (root / "ok.txt").unlink()

    with pytest.raises(NotFound):
        get("link_in")


def test_file_cut_short_while_it_is_sent_breaks_off(get: Get, root: Path) -> None:
    response = get("large.bin")
    pieces = response.iter_encoded()
    sent = len(next(pieces))
    os.truncate(root / "large.bin", sent + 10)

    with pytest.raises(FileTruncated):
        for piece in pieces:
            sent += len(piece)
    assert sent < len(LARGE)
    response.close()


def test_file_cut_short_while_it_is_read_is_not_found(
    get: Get, cache: SmallFileCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_args: object) -> None:
        raise FileTruncated("x")

    monkeypatch.setattr(cache, "read", cut)
    with pytest.raises(NotFound):
        get("ok.txt")


def test_trouble_while_choosing_leaves_nothing_open(
    get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static.StaticFolder, "neighbours_of", None)
    for name in ("large.txt", "style.css"):
        with pytest.raises(TypeError):
            get(name)


# In an app


@pytest.fixture
def client(root: Path) -> Client:
    app = Groundwire("static_files", root_path=str(root.parent))
    blueprint = Blueprint(
        "part", "part", root_path=str(root), static_folder="sub", static_url_path="/part"
    )
    app.register_blueprint(blueprint)
    return Client(app)


def answer(client: Client, path: str, **options: Any) -> tuple[TestResponse, bytes]:
    response = client.open(path, **options)
    content = response.get_data()
    response.close()
    return response, content


def test_static_folder_of_app_and_blueprint_are_served(client: Client) -> None:
    assert b"0123456789" == answer(client, "/static/ok.txt")[1]
    assert b"deep" == answer(client, "/part/x.txt")[1]
    response, content = answer(client, "/static/large.bin")
    assert LARGE == content
    assert str(len(LARGE)) == response.headers["Content-Length"]
    assert "nosniff" == response.headers["X-Content-Type-Options"]


def test_head_says_what_get_says(client: Client) -> None:
    for path in ("/static/ok.txt", "/static/large.bin", "/static/style.css"):
        wanted, _ = answer(client, path)
        response, content = answer(client, path, method="HEAD")
        assert b"" == content
        drop = {"Date"}
        assert {k: v for k, v in wanted.headers if k not in drop} == {
            k: v for k, v in response.headers if k not in drop
        }


@pytest.mark.parametrize(
    "path",
    [
        "/static/..%2fcanary.txt",
        "/static/%2e%2e%2fcanary.txt",
        "/static/..\\canary.txt",
        "/static/sub/../../canary.txt",
        "/static/sub/%2e%2e/%2e%2e/canary.txt",
        "/static/..;/canary.txt",
        "/static/%c0%ae%c0%ae/canary.txt",
        "/static/ok.txt%00.html",
        "/static/../static_private/canary.txt",
        "/static/link_out",
        "/static/%5c%5cattacker.example%5cshare",
        "/static/NUL.txt",
        "/static/%2e./canary.txt",
        "/static/%252e%252e/canary.txt",
        "/static/.env",
        "/static/fifo",
        "/static/sub/",
        "/static/",
    ],
)
def test_no_request_gets_anything_from_outside(client: Client, path: str) -> None:
    response, content = answer(client, path)

    assert response.status_code in (400, 403, 404)
    assert b"CANARY" not in content
    assert b"SECRET" not in content


def test_max_age_that_fails_leaves_nothing_open(get: Get) -> None:
    def fail(path: str | None) -> int:
        raise LookupError(path)

    for name in ("ok.txt", "large.bin"):
        with pytest.raises(LookupError):
            get(name, options={"max_age": fail})


def test_class_that_answers_conditions_its_own_way_is_asked(get: Get) -> None:
    class Own(Response):
        def make_conditional(self, *_args: Any, **_options: Any) -> "Own":
            self.status_code = 299
            return self

    assert 299 == get("ok.txt", options={"response_class": Own}).status_code


def test_max_age_is_the_apps(root: Path) -> None:
    app = Groundwire("static_files", root_path=str(root.parent))
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 60

    assert "max-age=60" in answer(Client(app), "/static/ok.txt")[0].headers["Cache-Control"]


def test_small_files_are_coded_where_the_app_codes(root: Path) -> None:
    app = Groundwire("static_files", root_path=str(root.parent))
    for wanted, coding in ((True, "gzip"), (False, None)):
        app.config["COMPRESS"] = wanted
        response, content = answer(
            Client(app), "/static/style.css", headers={"Accept-Encoding": "gzip"}
        )
        assert coding == response.headers.get("Content-Encoding")
        assert TEXT == (gzip.decompress(content) if coding else content)


def test_large_file_is_coded_on_its_way(get: Get) -> None:
    response = get("large.txt")
    compress(response, "gzip")

    assert "gzip" == response.headers["Content-Encoding"]
    assert "Content-Length" not in response.headers
    assert response.headers["ETag"].startswith('W/"')
    assert LARGE == gzip.decompress(data(response))
