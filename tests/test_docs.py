"""The documentation tells the truth: its Python runs, its links lead somewhere, its figures are the source's."""

import dataclasses
import doctest
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundwire.server.settings_table import Setting, settings_table

ROOT = Path(__file__).parents[1]
FOLDERS = (
    ROOT,
    *(ROOT / name for name in ("benchmarks", "deploy", "examples")),
    *(ROOT / "docs").glob("**/"),
)
PAGES = sorted(page for folder in FOLDERS for page in folder.glob("*.md"))
BLOCK = re.compile(r"^```(python|pycon)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
MODULE = "page"
OURS_ALONE = {
    "docs/guides/find-what-hangs.md",
    "docs/guides/inspect-the-wire.md",
    "docs/guides/answer-errors.md",  # problem documents
    "docs/guides/choose-where-a-function-runs.md",
    "docs/guides/serve-files.md",  # equal, but Flask leaves the file open when the client reads no content
    "docs/guides/lead-back-after-a-login.md",  # `safe_next`
    "docs/guides/render-templates.md",  # templates that await, in coroutines
    "docs/guides/stream-content.md",  # asynchronous generators
    "docs/guides/test-on-the-wire.md",
    "docs/guides/watch-a-server.md",  # `request.id`
}
"""Pages with something on them that Flask does not do. The others run on both, word for word."""

UNITS = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "s": 1, "": 1}


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[tuple[int, str, str]]:
    """Yield (line, language, text) of each block that can be run."""
    text = page.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        yield text.count("\n", 0, match.start(2)), match[1], match[2]


def run_page(page: Path, framework: str = "groundwire") -> None:
    """Run the blocks of `page`; what follows ``>>>`` must print what the page says.

    Python blocks add up to one program. At a prompt after new code the program starts anew, with all the code so
    far, as it does for a reader who has added to the file.
    """
    program: list[tuple[int, str]] = []
    namespace: dict[str, object] | None = None
    for line, language, text in blocks(page):
        if framework == "flask":
            for name in ("flask", "werkzeug"):
                text = text.replace(f"from groundwire.{name}", f"from {name}")
            text = text.replace("from groundwire", "from flask").replace("Groundwire", "Flask")
        if language == "python":
            program.append((line, text))
            namespace = None
        else:
            if namespace is None:
                namespace = run_program(page, program)
            run_prompts(page, line, text, namespace)
    if namespace is None:
        run_program(page, program)


def run_program(page: Path, program: list[tuple[int, str]]) -> dict[str, object]:
    """Run `program` as a module that the framework can find by its name; its globals."""
    module = types.ModuleType(MODULE)
    module.__file__ = str(ROOT / "docs" / f"{MODULE}.py")
    sys.modules[MODULE] = module
    for line, text in program:
        # The empty lines are for the line numbers in a traceback.
        exec(compile("\n" * line + text, str(page), "exec"), module.__dict__)
    return module.__dict__


def run_prompts(page: Path, line: int, text: str, namespace: dict[str, object]) -> None:
    """Run what stands after ``>>>`` in `text`, and compare what it prints."""
    test = doctest.DocTestParser().get_doctest(text, namespace, named(page), str(page), line)
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=said.append, clear_globs=False)
    namespace.update(test.globs)
    assert not said, "".join(said)


@pytest.fixture(autouse=True)
def forget_page() -> Iterator[None]:
    """Take the last page's module from `sys.modules` again."""
    yield
    sys.modules.pop(MODULE, None)


@pytest.mark.parametrize("page", [page for page in PAGES if list(blocks(page))], ids=named)
def test_python_on_a_page_runs(page: Path) -> None:
    run_page(page)


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if list(blocks(page)) and named(page) not in OURS_ALONE],
    ids=named,
)
def test_python_on_a_page_means_the_same_to_flask(page: Path) -> None:
    run_page(page, framework="flask")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_to_files(page: Path) -> None:
    dead = [
        link
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]

    assert dead == []


def test_the_readme_has_at_most_150_lines() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_the_files_of_the_stations_exist() -> None:
    page = ROOT / "docs" / "explanation" / "one-request.md"
    text = page.read_text(encoding="utf-8")
    named_files = re.findall(r"`((?:protocol|http|server|app)/[\w/]+(?:\.py|/))`", text)

    missing = [name for name in named_files if not (ROOT / "src" / "groundwire" / name).exists()]

    assert len(named_files) >= 13
    assert missing == []


def documented_limits() -> dict[str, float]:
    """The rows of the tables in limits.md that begin with the name of a setting, and their defaults."""
    text = (ROOT / "docs" / "reference" / "limits.md").read_text(encoding="utf-8")
    text = text.partition("## Processes and the rest")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([\d,.]+) ?(\w*) \|", text, re.MULTILINE)
    return {name: float(number.replace(",", "")) * UNITS[unit] for name, number, unit in rows}


def test_every_limit_is_documented_with_its_default() -> None:
    from groundwire.http.forms import FormLimits
    from groundwire.protocol.limits import MessageLimits
    from groundwire.server.settings import ServerSettings

    source = {
        field.name: float(field.default)
        for settings in (MessageLimits, FormLimits, ServerSettings)
        for field in dataclasses.fields(settings)
        if isinstance(field.default, int | float)
        and not isinstance(field.default, bool)
        and field.name != "port"
    }

    assert documented_limits() == source


def shown_default(setting: Setting) -> str:
    """The default of a setting as the table of those that are no limits has it."""
    default = setting.shown_default
    if setting.kind == "switch":
        return {True: "yes", False: "no", None: ""}[setting.default]
    if default and not re.fullmatch(r"[\d.]+", default):
        return f"`{default}`"
    return f"{default} s" if default and setting.unit == "seconds" else default


def test_every_setting_is_documented_with_its_flag_and_whether_it_has_a_key() -> None:
    text = (ROOT / "docs" / "reference" / "limits.md").read_text(encoding="utf-8")
    limits, _, rest = text.partition("## Processes and the rest")
    row = r"^\| `(\w+)` \| ([^|]*) \| `--([\w-]+)`(, no key)? \|"
    flags = {name: (flag, not no_key) for name, _, flag, no_key in re.findall(row, text, re.M)}
    defaults = {name: default.strip() for name, default, *_ in re.findall(row, rest, re.M)}

    table = settings_table()
    assert flags == {name: (s.flags[0], s.key is not None) for name, s in table.items()}
    assert defaults == {name: shown_default(table[name]) for name in defaults}
    assert limits.count("`--") >= 30


def test_every_key_of_the_configuration_is_documented_with_its_default() -> None:
    from groundwire.app.config import DEFAULTS

    text = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z_]+)` \| `(.+?)` \|", text, re.MULTILINE)

    assert dict(rows) == {key: repr(value) for key, value in DEFAULTS.items()}


def test_make_targets_on_a_page_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^(\w+):", makefile, re.MULTILINE))
    mentioned = {
        target
        for page in PAGES
        for target in re.findall(
            r"^\$ make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE
        )
    }

    assert {"run", "test", "lint"} <= mentioned <= targets
