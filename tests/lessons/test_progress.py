import os
from pathlib import Path

import pytest

from groundwire.lessons.progress import FILE_NAME, done_in, note_done


def test_what_is_done_is_noted_beside_the_programs(tmp_path: Path) -> None:
    assert frozenset() == done_in(tmp_path)

    for number in (8, 2, 8):
        note_done(tmp_path, number)

    assert {2, 8} == done_in(tmp_path)
    assert [FILE_NAME] == os.listdir(tmp_path)
    assert '{"done": [2, 8]}\n' == (tmp_path / FILE_NAME).read_text()


@pytest.mark.parametrize(
    "text", ["", "[]", '{"done": 3}', '{"done": ["x"]}', "\0", '{"done": null}']
)
def test_a_file_that_says_nothing_is_overwritten(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)

    assert frozenset() == done_in(tmp_path)
    note_done(tmp_path, 1)
    assert {1} == done_in(tmp_path)


def test_nothing_is_noted_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    note_done(tmp_path / "gone", 1)

    assert frozenset() == done_in(tmp_path / "gone")
