"""Uploaded files: Werkzeug's words, and the names that clients give."""

import os
import stat
from io import BytesIO
from pathlib import Path

import pytest
import werkzeug.datastructures
import werkzeug.utils
from hypothesis import given
from hypothesis import strategies as st

from groundwire.http.headers import Headers
from groundwire.http.uploads import FileStorage, is_device_name, leads_outside, secure_filename

HOSTILE_NAMES = [
    "../../../etc/passwd",
    "/etc/passwd",
    "..\\..\\windows\\system.ini",
    "C:\\boot.ini",
    "C:boot.ini",
    "\\\\host\\share",
    "a/../../b",
    "..",
]


# secure_filename


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("My cool movie.mov", "My_cool_movie.mov"),
        ("../../../etc/passwd", "etc_passwd"),
        ("i contain cool ümläuts.txt", "i_contain_cool_umlauts.txt"),
        ("__filename__", "filename"),
        ("foo$&^*)bar", "foobar"),
        (".htaccess", "htaccess"),
        ("..", ""),
        ("日本", ""),
        ("a\x00b\r\n.txt", "ab_.txt"),
        ("CON", "_CON"),
        ("nul.tar.gz", "_nul.tar.gz"),
        ("com1 .txt", "com1_.txt"),
        ("LPT¹", "_LPT1"),
        ("console.log", "console.log"),
    ],
)
def test_secure_filename_leaves_a_name_for_one_folder(name: str, expected: str) -> None:
    assert expected == secure_filename(name)


@given(st.text())
def test_secure_filename_is_werkzeugs_but_for_devices(name: str) -> None:
    ours = secure_filename(name)

    assert werkzeug.utils.secure_filename(name) == (
        ours[1:] if ours.startswith("_") and is_device_name(ours[1:]) else ours
    )


@given(st.text())
def test_secure_filename_never_leads_outside(name: str) -> None:
    secure = secure_filename(name)

    assert not leads_outside(secure) or secure == ""
    assert secure not in (".", "..")
    assert not is_device_name(secure)
    assert secure == secure_filename(secure) or secure.startswith("_")


@pytest.mark.parametrize(
    "name", ["CON", "con.txt", "Aux.tar.gz", "NUL ", "COM0", "lpt³.x", "PRN.", "CONIN$"]
)
def test_devices_of_windows_are_known_on_every_system(name: str) -> None:
    assert is_device_name(name)


@pytest.mark.parametrize("name", ["CONS", "xCON", "COM10", "COM", "LPTA", "con_", "", "a.con"])
def test_names_that_only_look_like_devices_are_files(name: str) -> None:
    assert not is_device_name(name)


# FileStorage


def test_file_has_werkzeugs_attributes() -> None:
    file = FileStorage(
        BytesIO(b"content"), "a.txt", "field", "text/Plain; charset=utf-8", content_length=7
    )

    assert "a.txt" == file.filename
    assert "field" == file.name
    assert "text/Plain; charset=utf-8" == file.content_type
    assert "text/plain" == file.mimetype
    assert {"charset": "utf-8"} == file.mimetype_params
    assert 7 == file.content_length
    assert b"content" == file.read()
    assert "<FileStorage: 'a.txt' ('text/Plain; charset=utf-8')>" == repr(file)


def test_file_without_anything_is_empty_and_false() -> None:
    file = FileStorage()

    assert not file
    assert file.filename is None
    assert file.content_type is None
    assert "" == file.mimetype
    assert {} == file.mimetype_params
    assert 0 == file.content_length
    assert b"" == file.read()


def test_browser_without_a_chosen_file_sends_a_false_one() -> None:
    assert not FileStorage(filename="")
    assert FileStorage(filename="a")


@pytest.mark.parametrize("value", ["", "-1", "1_000", "²", "9" * 30, "x"])
def test_content_length_that_is_no_number_is_0(value: str) -> None:
    assert 0 == FileStorage(headers=Headers([("Content-Length", value)])).content_length


def test_name_comes_from_the_stream_where_it_has_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"")
    with path.open("rb") as stream:
        assert str(path) == FileStorage(stream).filename
        assert "b" == FileStorage(stream, "b").filename
    with open(os.open(path, os.O_RDONLY), "rb") as stream:
        assert FileStorage(stream).filename is None


@pytest.mark.parametrize(
    ("name", "expected"), [("<stdin>", None), (b"x", "x"), (Path("p"), "p"), (3, None)]
)
def test_names_that_python_made_up_are_no_names(name: object, expected: str | None) -> None:
    stream = BytesIO()
    stream.name = name  # type: ignore[attr-defined]

    assert expected == FileStorage(stream).filename
    if not isinstance(name, int):
        assert werkzeug.datastructures.FileStorage(stream).filename == expected


def test_file_is_its_stream() -> None:
    file = FileStorage(BytesIO(b"a\nb\n"))

    assert [b"a\n", b"b\n"] == list(file)
    file.seek(0)
    assert b"a\n" == file.readline()
    with pytest.raises(AttributeError):
        file.nothing  # noqa: B018
    with pytest.raises(AttributeError):
        FileStorage.__new__(FileStorage).read  # noqa: B018


def test_file_that_cannot_be_closed_is_closed_silently() -> None:
    class Stream(BytesIO):
        def close(self) -> None:
            if not self.closed:
                super().close()
                raise OSError("disk gone")

    file = FileStorage(Stream())
    file.close()

    assert file.stream.closed


# save


@pytest.mark.parametrize("as_text", [True, False])
def test_save_writes_a_file_for_nobody_else(tmp_path: Path, as_text: bool) -> None:
    target = tmp_path / "a"

    FileStorage(BytesIO(b"content"), "a").save(str(target) if as_text else target)

    assert b"content" == target.read_bytes()
    assert 0o600 == stat.S_IMODE(target.stat().st_mode)


def test_save_overwrites_and_keeps_the_mode(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"longer than before")
    target.chmod(0o644)

    FileStorage(BytesIO(b"content")).save(target)

    assert b"content" == target.read_bytes()
    assert 0o644 == stat.S_IMODE(target.stat().st_mode)


def test_save_begins_where_the_stream_stands_and_leaves_the_target_open() -> None:
    target = BytesIO()
    file = FileStorage(BytesIO(b"content"))
    file.read(3)

    file.save(target, buffer_size=1)

    assert b"tent" == target.getvalue()


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_save_under_a_clients_name_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()

    with pytest.raises(ValueError, match="secure_filename"):
        FileStorage(BytesIO(b"x"), name).save(os.path.join(folder, name))
    with pytest.raises(ValueError, match="secure_filename"):
        FileStorage(BytesIO(b"x"), name).save(f"{folder}/{name}")
    assert [folder] == list(tmp_path.iterdir())
    assert [] == list(folder.iterdir())


def test_save_under_a_harmless_clients_name_is_as_in_flask(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    FileStorage(BytesIO(b"x"), "sub/a..b").save(tmp_path / "sub/a..b")

    assert b"x" == (tmp_path / "sub" / "a..b").read_bytes()


def test_save_to_a_path_with_nul_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="NUL"):
        FileStorage(BytesIO(b"x")).save(f"{tmp_path}/a\0.txt")
