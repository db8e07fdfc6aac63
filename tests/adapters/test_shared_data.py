"""Files beside a WSGI application."""

import os
from pathlib import Path
from typing import Any

import pytest

from groundwire.adapters.shared_data import SharedDataMiddleware
from groundwire.http.client import Client
from groundwire.http.response import Response


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "style.css").write_text("body {}")
    (tmp_path / "secret.key").write_text("x")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "data.unknowntype").write_bytes(b"\0\1")
    return tmp_path


def client_of(exports: Any, **options: Any) -> Any:
    return Client(SharedDataMiddleware(Response("the application's", 404), exports, **options))


def test_files_of_a_folder_are_served_with_what_lets_clients_keep_them(folder: Path) -> None:
    response = client_of({"/shared": str(folder)}).get("/shared/style.css")

    assert (200, b"body {}") == (response.status_code, response.get_data())
    assert "text/css; charset=utf-8" == response.content_type
    assert (True, 43200) == (response.cache_control.public, response.cache_control.max_age)
    assert response.get_etag()[0]
    assert response.expires > response.last_modified
    response.close()


def test_a_file_that_the_client_has_is_not_sent_again(folder: Path) -> None:
    client = client_of([("/shared", str(folder))])
    with client.get("/shared/style.css") as first:
        etag = first.headers["ETag"]

    with client.get("/shared/style.css", headers={"If-None-Match": etag}) as second:
        assert (304, b"") == (second.status_code, second.get_data())
    with client.get("/shared/style.css", headers={"Range": "bytes=0-3"}) as part:
        assert (206, b"body") == (part.status_code, part.get_data())


def test_keeping_can_be_switched_off(folder: Path) -> None:
    with client_of({"/s": str(folder)}, cache=False).get("/s/style.css") as response:
        assert "public" == response.headers["Cache-Control"]
        assert "ETag" not in response.headers


def test_one_file_and_files_of_a_package_are_served(folder: Path) -> None:
    exports = {"/one": str(folder / "style.css"), "/package": ("groundwire", "http")}
    client = client_of(exports)

    with client.get("/one") as one, client.get("/package/dates.py") as of_package:
        assert b"body {}" == one.get_data()
        assert b"def http_date" in of_package.get_data()


def test_a_type_that_the_name_does_not_tell_is_the_fall_back(folder: Path) -> None:
    client = client_of({"/s": str(folder)}, fallback_mimetype="application/x-own")

    with client.get("/s/inner/data.unknowntype") as response:
        assert "application/x-own" == response.content_type


@pytest.mark.parametrize(
    "path", ["/s/nothing", "/s/", "/s", "/s/../x", "/s/inner", "/sstyle.css", "/s/secret.key", "/"]
)
def test_everything_else_is_the_applications(folder: Path, path: str) -> None:
    response = client_of({"/s": str(folder)}, disallow="*.key").get(path)

    assert (404, b"the application's") == (response.status_code, response.get_data())


def test_a_subclass_says_what_is_served_and_how_it_is_tagged(folder: Path) -> None:
    class Own(SharedDataMiddleware):
        def is_allowed(self, filename: str) -> bool:
            return filename == "style.css"

        def generate_etag(self, mtime: Any, file_size: int, real_filename: str) -> str:
            return f"{file_size}-{os.path.splitext(real_filename)[1]}"

    client: Any = Client(Own(Response("x", 404), {"/s": str(folder)}))

    with client.get("/s/style.css") as response:
        assert ("7-.css", False) == response.get_etag()
    assert 404 == client.get("/s/secret.key").status_code
