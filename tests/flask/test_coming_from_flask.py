"""The guide "Coming from Flask" tells of everything that the tests know to differ."""

import ast
import re
from pathlib import Path
from typing import Any, Final

import flask
import pytest

from groundwire.app.config import DEFAULTS, OWN_DEFAULTS
from groundwire.app.serving import PASSED_OVER

HERE: Final = Path(__file__).parent
TEXT: Final = (HERE.parents[1] / "docs" / "guides" / "coming-from-flask.md").read_text("utf-8")

EXPECTED: Final = sorted((HERE / "upstream" / "expected").glob("*.txt"))

CHANGED_DEFAULTS: Final = {
    key: default
    for key, default in DEFAULTS.items()
    if key in OWN_DEFAULTS or default != flask.Flask.default_config[key]
}

ROWS: Final = {
    ("files", 10): "`If-Unmodified-Since` that does not hold",
    ("limits", 3): "`MAX_FORM_MEMORY_SIZE`",
    ("overrides", 15): "`provide_automatic_options=True`",
    ("uploads", 12): "multipart without a boundary, cut off",
    ("request_attributes", 5): "cookies: octets beyond ASCII",
    ("request_attributes", 6): "cookies: `;` within quotes",
    ("response_attributes", 7): "parameters outside ASCII",
    ("response_attributes", 8): "parameters outside ASCII",
    ("queries", 34): "urlencoded octets that are no UTF-8",
    ("multipart", 37): "multipart without a boundary, cut off, with a part without name",
    ("multipart", 38): "multipart without a boundary, cut off, with a part without name",
    ("multipart", 39): "a line that begins with the boundary",
    ("multipart", 40): "multipart without a boundary",
    ("multipart", 41): "multipart without a boundary, cut off",
    ("multipart", 42): "line ends in it",
    ("multipart", 43): "`\\` in a filename",
    ("return_values", 96): "205 with content",
    ("return_values", 97): "a charset in `mimetype`",
    ("conditions", 36): "malformed and unknown ranges",
    ("conditions", 37): "malformed and unknown ranges",
    ("conditions", 38): "a suffix longer than the file",
    ("conditions", 39): "several ranges",
    ("conditions", 40): "HEAD with `Range`",
    ("conditions", 41): "`If-Match: *`",
    ("conditions", 42): "the content of a 412",
    ("conditions", 43): "`If-Unmodified-Since` that does not hold",
    ("static_names", 26): "static files and `send_from_directory`: names that begin with a dot",
    ("static_names", 27): "static files and `send_from_directory`: names that begin with a dot",
    ("static_names", 28): "other spellings of a name",
    ("static_names", 29): "other spellings of a name",
    ("static_names", 30): "other spellings of a name",
}
"""The row that tells of each pair which is meant to differ."""


def table_in(test: str, name: str) -> dict[Any, Any]:
    """Return the keys of a dictionary in another test module, each with its value's source."""
    for node in ast.parse((HERE / test).read_text("utf-8")).body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=found)], value=ast.Dict() as table)
                | ast.AnnAssign(target=ast.Name(id=found), value=ast.Dict() as table)
            ) if found == name:
                keys = [ast.literal_eval(key) for key in table.keys if key is not None]
                return dict(zip(keys, map(ast.unparse, table.values), strict=True))
    raise LookupError(name)


LEFT_OUT: Final = table_in("test_werkzeug_api.py", "LEFT_OUT")


def first_cells() -> list[str]:
    return re.findall(r"^\| (.+?) \|", TEXT, re.MULTILINE)


def left_out_in_the_page() -> set[str]:
    """The names in the table of what is left out, in full."""
    section = TEXT.partition("### Left out")[2].partition("###")[0]
    names: set[str] = set()
    for module, what in re.findall(r"^\| `(werkzeug[\w.]*)` \| (.+?) \|", section, re.MULTILINE):
        found = re.findall(r"`([\w.]+)`", what)
        names.update([module], (f"{module}.{name}" for name in found))
    return names


@pytest.mark.parametrize("pair", table_in("test_pairs.py", "DELIBERATE"))
def test_there_is_a_row_for_each_pair_that_is_meant_to_differ(pair: tuple[str, int]) -> None:
    assert [cell for cell in first_cells() if cell.startswith(ROWS[pair])]


@pytest.mark.parametrize("name", LEFT_OUT)
def test_each_name_of_werkzeug_that_is_left_out_is_listed(name: str) -> None:
    assert name in left_out_in_the_page()


def test_what_is_listed_is_left_out() -> None:
    listed = left_out_in_the_page()
    names = {name for name in listed if not any(other.startswith(f"{name}.") for other in listed)}
    deprecated = {
        f"werkzeug.datastructures.{name}"
        for name in ("OrderedMultiDict", "ImmutableOrderedMultiDict")
    }

    assert set() == names - set(LEFT_OUT) - deprecated


@pytest.mark.parametrize("key", CHANGED_DEFAULTS)
def test_each_default_that_is_not_flasks_is_told(key: str) -> None:
    row = re.search(rf"^\| `{key}` \| .+? \| `(.+?)`", TEXT, re.MULTILINE)

    assert row is not None
    assert repr(CHANGED_DEFAULTS[key]) == row[1]


@pytest.mark.parametrize("option", sorted(PASSED_OVER))
def test_each_option_of_werkzeugs_server_that_means_nothing_is_told(option: str) -> None:
    assert f"`{option}`" in TEXT


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda path: path.stem)
def test_the_figures_count_each_test_that_is_expected_to_differ(expected: Path) -> None:
    labels = {"flask": "Flask itself", "flask-on-the-wire": "Flask itself, on the wire"}
    label = labels.get(expected.stem, expected.stem)
    row = re.search(rf"^\| {label} \| ([\d,]+) \| ([\d,]+) \| (.+) \|$", TEXT, re.MULTILINE)
    lines = expected.read_text("utf-8").splitlines()
    differing = [line for line in lines if line.strip() and not line.startswith("#")]

    assert row is not None
    assert len(differing) == int(row[1]) - int(row[2])
