"""Whose the paths below the static folder's URL are, when a rule for everything is there too."""

from pathlib import Path

import pytest

from fetching import fetch
from groundwire import Groundwire


@pytest.fixture
def app(tmp_path: Path) -> Groundwire:
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "ok.txt").write_text("ok")
    app = Groundwire("sample", root_path=str(tmp_path), static_folder="static")

    @app.route("/<path:path>", methods=["GET", "POST"])
    def everything(path: str) -> str:
        return f"everything {path}"

    return app


def test_a_file_is_answered_by_the_static_rule(app: Groundwire) -> None:
    assert b"ok" == fetch(app, "/static/ok.txt").content


@pytest.mark.parametrize(
    "path", ["/static/", "/static//", "/static//etc/passwd", "/static/%2fetc/passwd", "//static//x"]
)
def test_a_rule_for_everything_does_not_take_what_names_no_file(app: Groundwire, path: str) -> None:
    assert 404 == fetch(app, path).status


def test_other_methods_are_the_other_rules(app: Groundwire) -> None:
    assert b"everything static/ok.txt" == fetch(app, "/static/ok.txt", "POST").content


def test_a_rule_below_the_folder_keeps_its_paths(app: Groundwire) -> None:
    app.add_url_rule("/static/", view_func=lambda: "listing", endpoint="listing")

    assert b"listing" == fetch(app, "/static/").content


def test_beside_the_folder_nothing_changes(app: Groundwire) -> None:
    assert b"everything static" == fetch(app, "/static").content
    assert b"everything statics//x" == fetch(app, "/statics//x").content


def test_slashes_are_merged_where_no_rule_takes_them(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    app = Groundwire("sample", root_path=str(tmp_path), static_folder="static")

    answer = fetch(app, "/static//x")

    assert 308 == answer.status
    assert answer.headers["Location"].endswith("/static/x")


def test_a_folder_at_the_root_leaves_the_root_to_the_program(tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    app = Groundwire("sample", root_path=str(tmp_path), static_folder="public", static_url_path="")
    app.add_url_rule("/", view_func=lambda: "home", endpoint="home")

    assert b"home" == fetch(app, "/").content
    assert 404 == fetch(app, "/a").status
