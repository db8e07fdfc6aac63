"""Files below a root: what cannot be reached, and what is promised of what can."""

import errno
import os
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundwire.http import files
from groundwire.http.files import (
    FileParts,
    FileRefused,
    FileSlice,
    FileTruncated,
    OpenFile,
    SmallFileCache,
    open_below,
    open_trusted,
    split_path,
)
from open_files import open_files

CANARY = b"CANARY-OUTSIDE-ROOT"


@pytest.fixture(params=["walk", "real path"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a root with a canary beside it, served in both ways of opening."""
    if request.param == "real path":
        monkeypatch.setattr(files, "CAN_WALK", False)
    root = tmp_path / "root"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "ok.txt").write_bytes(b"ok")
    (root / "sub" / "deep" / "x.txt").write_bytes(b"deep")
    (root / ".env").write_bytes(b"SECRET=1")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_bytes(b"secret")
    (root / ".well-known").mkdir()
    (root / ".well-known" / "security.txt").write_bytes(b"contact")
    (root / "a..b").write_bytes(b"dots")
    (root / "...").write_bytes(b"dots")
    (tmp_path / "canary.txt").write_bytes(CANARY)
    (tmp_path / "root_private").mkdir()
    (tmp_path / "root_private" / "canary.txt").write_bytes(CANARY)
    return root


def content(root: Path | str, path: str, **options: bool) -> bytes:
    with open_below(root, path, **options) as file:
        return file.read_whole()


def refused(root: Path, path: str) -> str:
    before = open_files()
    with pytest.raises(FileRefused) as refusal:
        open_below(root, path)
    assert before == open_files()
    return refusal.value.reason


# Names


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("ok.txt", b"ok"),
        ("sub/deep/x.txt", b"deep"),
        ("a..b", b"dots"),
        (".well-known/security.txt", b"contact"),
    ],
)
def test_files_below_the_root_are_opened(root: Path, path: str, expected: bytes) -> None:
    assert expected == content(root, path)
    assert expected == content(str(root) + "/", path)


TRAVERSAL = [
    "../canary.txt",
    "..",
    "sub/../../canary.txt",
    "sub/../ok.txt",
    "./ok.txt",
    "sub/./deep/x.txt",
    "/etc/passwd",
    "//etc/passwd",
    "//attacker.example/share",
    "sub//deep/x.txt",
    "",
    "/",
    "ok.txt/",
    "sub/",
    "..\\canary.txt",
    "sub\\deep\\x.txt",
    "\\\\attacker.example\\share",
    "C:/boot.ini",
    "C:boot.ini",
    "c:",
    "ok.txt::$DATA",
    "ok.txt:stream",
    "ok.txt\0",
    "ok.txt\0.html",
    "ok.txt\n",
    "ok.txt\x7f",
    "../root_private/canary.txt",
    "..;/canary.txt",
    "%2e%2e/canary.txt",
    "\ufffd\ufffd/canary.txt",
    "\u2025/canary.txt",
    "\uff0e\uff0e/canary.txt",
    "..\u2215canary.txt",
    "\udcff.txt",
    "\ud800",
    "a" * 300,
    "a/" * 5000 + "a",
    "ok.txt/x",
    "nothing",
    "sub/nothing",
    "...",
]


@pytest.mark.parametrize("path", TRAVERSAL, ids=lambda path: repr(path)[:40])
def test_what_is_no_path_of_a_file_below_the_root_is_refused(root: Path, path: str) -> None:
    refused(root, path)


DEVICES = [
    "CON",
    "con",
    "NUL.txt",
    "aux .txt",
    "PRN.",
    "COM1",
    "COM0.log",
    "LPT9",
    "COM¹",
    "LPT³.txt",
    "sub/nul",
    "nul/x",
    "Aux.tar.gz",
    "CON ",
]


@pytest.mark.parametrize("path", DEVICES)
def test_devices_of_windows_are_refused_on_every_system(root: Path, path: str) -> None:
    for name in path.split("/"):
        if not (root / name).exists() and path.count("/") == 0:
            (root / name).write_bytes(CANARY)

    assert "device" in refused(root, path)


@pytest.mark.parametrize("path", [".env", ".git/config", "sub/.well-known/x", ".well-known/.env"])
def test_names_with_a_dot_first_are_refused_by_default(root: Path, path: str) -> None:
    assert "dot" in refused(root, path)


def test_names_with_a_dot_first_can_be_allowed(root: Path) -> None:
    assert b"SECRET=1" == content(root, ".env", dotfiles=True)
    with pytest.raises(FileRefused):
        content(root, "../canary.txt", dotfiles=True)


@pytest.mark.parametrize("name", ["ok.txt.", "ok.txt ", "sub /x"])
def test_names_that_windows_takes_for_others_are_refused_there(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    split_path(name)
    monkeypatch.setattr(sys, "platform", "win32")

    with pytest.raises(FileRefused, match="another"):
        split_path(name)


@given(st.text(st.sampled_from("./\\:ab \0CON1~%"), max_size=12), st.booleans())
def test_path_that_is_split_stays_below_any_folder(path: str, dotfiles: bool) -> None:
    try:
        names = split_path(path, dotfiles=dotfiles)
    except FileRefused:
        return

    assert path == "/".join(names)
    assert os.path.normpath(os.path.join("/root", *names)) == "/root/" + path


# Links


def test_link_to_a_file_inside_is_followed(root: Path) -> None:
    (root / "link").symlink_to("sub/deep/x.txt")
    (root / "absolute").symlink_to(root / "ok.txt")
    (root / "again").symlink_to("link")
    (root / "sub" / "up").symlink_to("../ok.txt")
    (root / "way round").symlink_to("../root/ok.txt")

    for name, expected in [
        ("link", b"deep"),
        ("absolute", b"ok"),
        ("again", b"deep"),
        ("sub/up", b"ok"),
        ("way round", b"ok"),
    ]:
        assert expected == content(root, name)


def test_link_to_a_folder_inside_is_followed(root: Path) -> None:
    (root / "folder").symlink_to("sub")

    assert b"deep" == content(root, "folder/deep/x.txt")
    refused(root, "folder/nothing")
    refused(root, "folder")


def test_links_can_be_refused_altogether(root: Path) -> None:
    (root / "link").symlink_to("ok.txt")
    (root / "folder").symlink_to("sub")

    assert b"ok" == content(root, "ok.txt", links=False)
    for name in ("link", "folder/deep/x.txt"):
        with pytest.raises(FileRefused, match="link"):
            open_below(root, name, links=False)


def test_root_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to("root")

    assert b"ok" == content(tmp_path / "current", "ok.txt")


@pytest.mark.parametrize(
    "target",
    [
        "../canary.txt",
        "/etc/passwd",
        "../root_private/canary.txt",
        "sub/../../canary.txt",
        "/",
        "..",
        ".",
    ],
)
def test_link_out_of_the_root_is_refused(root: Path, target: str) -> None:
    (root / "out").symlink_to(target)
    (root / "second").symlink_to("out")

    refused(root, "out")
    refused(root, "second")
    refused(root, "out/canary.txt")
    refused(root, "out/passwd")


def test_link_to_nothing_or_in_a_circle_is_refused(root: Path) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    (root / "c").symlink_to("nothing")

    for name in ("a", "b", "c", "a/x"):
        refused(root, name)


@pytest.mark.parametrize("root", ["walk"], indirect=True)
def test_link_put_there_during_the_walk_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking up where a link leads and going there, somebody makes that a link too."""
    (root / "link").symlink_to("sub/deep/x.txt")
    real = files.names_of_link

    def swap(real_root: str, names: list[str]) -> list[str]:
        found = real(real_root, names)
        (root / "sub" / "deep" / "x.txt").unlink()
        (root / "sub" / "deep" / "x.txt").symlink_to(root.parent / "canary.txt")
        return found

    monkeypatch.setattr(files, "names_of_link", swap)
    assert "link" in refused(root, "link")


@pytest.mark.parametrize("root", ["walk"], indirect=True)
def test_folder_swapped_for_a_link_never_lets_the_canary_out(root: Path) -> None:
    outside = root.parent / "root_private"
    (outside / "x.txt").write_bytes(CANARY)
    folder, spare = root / "sub" / "deep", root / "sub" / "spare"
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            os.rename(folder, spare)
            os.symlink(outside, folder)
            os.unlink(folder)
            os.rename(spare, folder)

    thread = threading.Thread(target=swap)
    thread.start()
    found = set()
    try:
        for _ in range(2000):
            try:
                found.add(content(root, "sub/deep/x.txt"))
            except FileRefused:
                pass
    finally:
        stop.set()
        thread.join()

    assert found <= {b"deep"}


def test_file_changed_between_look_and_open_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = os.open

    def swapped(path: str, flags: int, *args: object, **options: object) -> int:
        (root / "ok.txt").rename(root / "moved")  # not removed: its inode is not to be had again
        (root / "ok.txt").write_bytes(b"other")
        return real_open(path, flags)

    monkeypatch.setattr(files, "CAN_WALK", False)
    monkeypatch.setattr(os, "open", swapped)
    with pytest.raises(FileRefused, match="changed"):
        files.open_by_real_path(str(root), ["ok.txt"])


# What is no regular file


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(path.parent)
        listener.bind(path.name)


@pytest.mark.parametrize(
    "make",
    [os.mkfifo, os.mkdir, make_socket, lambda path: os.symlink("/dev/zero", path)],
    ids=["fifo", "folder", "socket", "device"],
)
def test_what_is_no_regular_file_is_refused_at_once(
    root: Path, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    make(root / "f")
    begin = time.monotonic()

    refused(root, "f")

    assert time.monotonic() - begin < 10  # who waits for it waits for ever


def test_fifo_put_in_place_of_a_file_does_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "f")
    (tmp_path / "file").write_bytes(b"")
    status = os.stat(tmp_path / "file")
    monkeypatch.setattr(os, "stat", lambda *_args, **_options: status)

    with pytest.raises(FileRefused, match="regular"):
        files.open_by_walk(str(tmp_path), ["f"])


def test_file_that_may_not_be_read_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_args: object, **_options: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    assert "Permission" in refused(root, "ok.txt")


def test_trouble_of_the_server_itself_is_not_a_missing_file(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_args: object, **_options: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "open", exhausted)
    with pytest.raises(OSError, match="Too many"):
        open_below(root, "ok.txt")


def test_root_that_is_no_folder_has_no_files(root: Path) -> None:
    refused(root / "ok.txt", "x")
    refused(root / "nothing", "x")


# Open files


def test_open_file_knows_what_it_was_when_it_was_opened(root: Path) -> None:
    with open_below(root, "ok.txt") as file:
        status = (root / "ok.txt").stat()
        assert (2, status.st_mtime_ns, status.st_ino, status.st_dev) == (
            file.size_bytes,
            file.mtime_ns,
            file.inode,
            file.device,
        )
        assert os.path.samefile(file.path, root / "ok.txt")
        assert not file.closed
        assert b"k" == file.read_at(1, 5)
    assert file.closed
    file.close()


def test_open_file_is_read_by_seeking_where_there_is_no_pread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"0123")
    monkeypatch.setattr(sys, "platform", "win32")
    with open_trusted(tmp_path / "a") as file:
        assert b"12" == file.read_at(1, 2)


def test_trusted_path_may_be_a_link_but_not_a_fifo(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123")
    (tmp_path / "link").symlink_to("a")
    os.mkfifo(tmp_path / "fifo")

    with open_trusted(tmp_path / "link") as file:
        assert b"0123" == file.read_whole()
    with pytest.raises(FileRefused):
        open_trusted(tmp_path / "fifo")
    with pytest.raises(FileRefused):
        open_trusted(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_trusted(tmp_path / "nothing")


def test_descriptor_of_what_is_no_file_is_closed(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)

    with pytest.raises(FileRefused):
        OpenFile(descriptor, "x")
    with pytest.raises(OSError):
        os.fstat(descriptor)


# Slices


@pytest.fixture
def digits(tmp_path: Path) -> Iterator[OpenFile]:
    (tmp_path / "digits").write_bytes(b"0123456789")
    with open_trusted(tmp_path / "digits") as file:
        yield file


@given(st.integers(0, 10), st.integers(0, 10), st.integers(1, 12))
def test_slice_gives_exactly_its_octets(offset: int, length: int, size: int) -> None:
    data = bytes(range(10))
    descriptor = os.memfd_create("digits")
    os.write(descriptor, data)
    length = min(length, 10 - offset)
    with FileSlice(OpenFile(descriptor, "x"), offset, length) as part:
        pieces = list(iter(lambda: part.read(size), b""))

    assert data[offset : offset + length] == b"".join(pieces)
    assert all(len(piece) <= size for piece in pieces)


def test_slice_is_the_whole_file_unless_told(digits: OpenFile) -> None:
    part = FileSlice(digits, 4)

    assert 6 == part.length == part.remaining
    assert [b"456789"] == list(part)
    assert 0 == part.remaining
    part.close()
    assert digits.closed


def test_file_that_grows_is_sent_as_long_as_it_was(tmp_path: Path, digits: OpenFile) -> None:
    part = FileSlice(digits)
    with (tmp_path / "digits").open("ab") as more:
        more.write(b"more")

    assert b"0123456789" == part.read(-1)
    assert b"" == part.read(-1)


def test_file_that_becomes_shorter_breaks_off(tmp_path: Path, digits: OpenFile) -> None:
    part = FileSlice(digits)
    assert b"01" == part.read(2)
    os.truncate(tmp_path / "digits", 5)

    assert b"234" == part.read()
    with pytest.raises(FileTruncated, match="octet 5"):
        part.read()
    with pytest.raises(FileTruncated):
        digits.read_whole()


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 10)), min_size=1, max_size=4),
)
def test_several_parts_of_a_file_have_the_length_they_say(parts: list[tuple[int, int]]) -> None:
    parts = [(start, min(start + length, 10)) for start, length in parts]
    descriptor = os.memfd_create("digits")
    os.write(descriptor, b"0123456789")
    several = FileParts(OpenFile(descriptor, "x"), parts, "text/plain")

    octets = b"".join(several)
    several.close()

    assert several.length == len(octets)
    boundary = several.content_type.partition("boundary=")[2].encode()
    assert b"multipart/byteranges" == several.content_type.partition(";")[0].encode()
    pieces = octets.split(b"\r\n--" + boundary)
    assert b"" == pieces[0]
    assert b"--\r\n" == pieces[-1]
    for (start, stop), piece in zip(parts, pieces[1:-1], strict=True):
        head, _, data = piece.partition(b"\r\n\r\n")
        assert f"Content-Range: bytes {start}-{stop - 1}/10".encode() in head
        assert b"Content-Type: text/plain" in head
        assert b"0123456789"[start:stop] == data
    assert several.file.closed


# Small files in memory


@pytest.fixture
def cache() -> SmallFileCache:
    return SmallFileCache(max_file_bytes=10, max_bytes=25, lock=threading.Lock())


def keep(cache: SmallFileCache, folder: Path, name: str, data: bytes = b"x") -> None:
    (folder / name).write_bytes(data)
    with open_below(folder, name) as file:
        assert data == cache.read(str(folder), name, file).content


def test_small_file_is_kept_until_it_changes(cache: SmallFileCache, tmp_path: Path) -> None:
    root = str(tmp_path)
    assert cache.get(root, "a") is None
    keep(cache, tmp_path, "a", b"abc")

    small = cache.get(root, "a")
    assert small is not None
    assert b"abc" == small.content
    assert 3 == cache.size_bytes

    (tmp_path / "a").write_bytes(b"longer")
    assert cache.get(root, "a") is None
    assert 0 == cache.size_bytes
    assert 0 == len(cache)


def test_small_file_is_kept_under_its_root_and_path(cache: SmallFileCache, tmp_path: Path) -> None:
    keep(cache, tmp_path, "a")

    assert cache.get(str(tmp_path), "b") is None
    assert cache.get(str(tmp_path / "x"), "a") is None


@pytest.mark.parametrize("change", ["touched", "replaced", "removed", "linked"])
def test_small_file_that_is_another_now_is_given_up(
    cache: SmallFileCache, tmp_path: Path, change: str
) -> None:
    path = tmp_path / "a"
    keep(cache, tmp_path, "a", b"abc")
    status = path.stat()
    if change == "touched":
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    elif change == "replaced":
        path.rename(tmp_path / "old")
        path.write_bytes(b"abd")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif change == "removed":
        path.unlink()
    else:
        path.rename(tmp_path / "old")
        path.symlink_to("old")

    assert cache.get(str(tmp_path), "a") is None


def test_large_file_is_read_but_not_kept(cache: SmallFileCache, tmp_path: Path) -> None:
    keep(cache, tmp_path, "a", b"x" * 11)

    assert cache.get(str(tmp_path), "a") is None


def test_empty_file_is_kept(cache: SmallFileCache, tmp_path: Path) -> None:
    keep(cache, tmp_path, "a", b"")

    small = cache.get(str(tmp_path), "a")
    assert small is not None
    assert b"" == small.content


def test_files_not_used_for_longest_are_given_up_first(
    cache: SmallFileCache, tmp_path: Path
) -> None:
    for name in "abc":
        keep(cache, tmp_path, name, b"x" * 8)
    cache.get(str(tmp_path), "a")
    keep(cache, tmp_path, "d", b"x" * 8)

    assert [True, False, True, True] == [
        cache.get(str(tmp_path), name) is not None for name in "abcd"
    ]
    assert 24 == cache.size_bytes


def test_file_kept_again_counts_once(cache: SmallFileCache, tmp_path: Path) -> None:
    keep(cache, tmp_path, "a", b"12345")
    keep(cache, tmp_path, "a", b"123")

    assert 3 == cache.size_bytes


def test_coded_content_is_kept_as_long_as_the_file_is_the_same(
    cache: SmallFileCache, tmp_path: Path
) -> None:
    keep(cache, tmp_path, "a", b"abc")
    small = cache.get(str(tmp_path), "a")
    assert small is not None
    cache.keep_coded(str(tmp_path), "a", "gzip", small, b"coded")

    coded = cache.get(str(tmp_path), "a", "gzip")
    assert coded is not None
    assert (b"coded", 3) == (coded.content, coded.size_bytes)
    assert 8 == cache.size_bytes
    assert cache.get(str(tmp_path), "a", "br") is None

    (tmp_path / "a").write_bytes(b"changed")
    assert cache.get(str(tmp_path), "a", "gzip") is None
    assert cache.get(str(tmp_path), "a") is None
    assert 0 == cache.size_bytes


def test_file_that_became_shorter_is_not_kept(cache: SmallFileCache, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    with open_below(tmp_path, "a") as file:
        os.truncate(tmp_path / "a", 2)
        with pytest.raises(FileTruncated):
            cache.read(str(tmp_path), "a", file)
    assert 0 == len(cache)


def test_cache_needs_no_lock_where_no_threads_share_it(tmp_path: Path) -> None:
    keep(SmallFileCache(), tmp_path, "a")


def test_threads_share_the_cache_and_its_bound_holds(tmp_path: Path) -> None:
    cache = SmallFileCache(max_bytes=100, lock=threading.Lock())
    for number in range(20):
        (tmp_path / str(number)).write_bytes(b"x" * number)
    failures: list[Exception] = []

    def work() -> None:
        try:
            for turn in range(200):
                name = str(turn % 20)
                if cache.get(str(tmp_path), name) is None:
                    with open_below(tmp_path, name) as file:
                        cache.read(str(tmp_path), name, file)
        except Exception as failure:  # noqa: BLE001 - shown by the test
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [] == failures
    kept = [cache.get(str(tmp_path), str(number)) for number in range(20)]
    assert cache.size_bytes == sum(small.size_bytes for small in kept if small) <= 100


def test_mode_of_files_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "a").chmod(stat.S_IRUSR)

    assert b"x" == content(tmp_path, "a")
