"""The rules of the house: layers, sizes and names, read from the source itself.

Imports are read wherever they stand: within functions and under ``TYPE_CHECKING`` too, because a circle hidden
in a function is a circle. The last part tries each rule on source that breaks it, so that a rule that has
stopped seeing is noticed.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = "groundwire"
SOURCE = Path(__file__).parents[1] / "src" / PACKAGE

LAYERS = {
    "protocol": 1,
    "http": 2,
    "server": 3,
    "app": 4,
    "inspector": 4,
    "adapters": 4,
    "cli": 5,
    "lessons": 5,  # what `groundwire learn` serves: pages, programs, and what runs and checks them
    "demo": 6,  # an application: it stands on everything, nothing stands on it
    "flask": 6,
    "werkzeug": 6,
}
ENTRANCES = {"", "__main__", "as_flask"}
"""Modules at the top of the package: they import any layer, and only `ORDINARY_APPLICATIONS` import them."""

ORDINARY_APPLICATIONS = {"demo", "lessons"}
"""Layers written as a user would write them: ``from groundwire import Groundwire``. Of the lessons, their programs."""

LINES_PER_MODULE = 500
LINES_PER_FUNCTION = 60

FORBIDDEN_FILE_NAMES = {"core", "common", "utils", "helpers", "base", "misc"}
"""Names that say nothing. `flask/` and `werkzeug/` carry their given names."""

NOT_BELOW_SERVER = {
    "asyncio",
    "concurrent",
    "multiprocessing",
    "select",
    "selectors",
    "signal",
    "socket",
    "ssl",
    "subprocess",
    "threading",
    "time",
    "uvloop",
}
"""What `protocol` and `http` must not import: they turn bytes into meaning, and wait for nothing."""

ABSTRACT_IN_FLASK = {
    *("app/views.py", "app/sessions.py", "app/json_provider.py", "app/json_tag.py"),
}
"""Where Flask's documentation itself says that a method raises NotImplementedError until it is overridden."""

WALL_CLOCK_IN_SERVER = {"server/access_log.py", "server/development.py", "server/server.py"}
"""Log lines, the Date field and certificates tell the time of day; every deadline is on the monotonic clock."""

IGNORES_PER_1000_LINES = 1.0
"""Of comments that silence a type checker; Trio has 252 in all, Werkzeug 184. A budget keeps each one a decision.

Not counted are those that signatures we do not choose make necessary: a dictionary of Werkzeug's overrides `dict`
in ways no spelling of the types makes sound, and ``__hash__ = None`` is Python's own way to say unhashable.
"""

GIVEN_SIGNATURE = re.compile(r"ignore\[(override|misc|override, misc)\]|__hash__ = ")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
SECRET_NAME = re.compile(
    r"(?:^|_)(token|secret|sig|signature|digest|password)s?(?:_|$)", re.IGNORECASE
)
IGNORE = re.compile(r"#\s*(type|pyright):\s*ignore")


# --- reading the source


def module_paths() -> list[Path]:
    """Every module of the package."""
    return sorted(SOURCE.rglob("*.py"))


def relative(path: Path) -> str:
    """The path within the package, as it is written in the lists above."""
    return path.relative_to(SOURCE).as_posix()


def dotted(path: Path) -> str:
    """The module's name."""
    parts = [PACKAGE, *path.relative_to(SOURCE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path), filename=str(path))


def layer_name(module: str) -> str:
    """The folder directly under the package, "" for the package itself."""
    return [*module.split("."), ""][1]


def imported_names(
    tree: ast.Module, module: str, is_package: bool
) -> Iterator[tuple[int, str, str]]:
    """Yield (line, module named, name taken from it or "") for every import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, ""
        elif isinstance(node, ast.ImportFrom):
            target = node.module or ""
            if node.level:
                up = node.level - 1 if is_package else node.level
                package = module.split(".")[: len(module.split(".")) - up]
                target = ".".join([*package, *([target] if target else [])])
            for alias in node.names:
                yield node.lineno, target, alias.name


def own_imports(
    tree: ast.Module, module: str, is_package: bool, modules: set[str]
) -> Iterator[tuple[int, str]]:
    """Yield (line, module of the package) for each import of our own; a name that is a module is that module."""
    for line, target, name in imported_names(tree, module, is_package):
        if target == PACKAGE or target.startswith(PACKAGE + "."):
            whole = f"{target}.{name}"
            yield line, whole if whole in modules else target


@cache
def own_modules() -> frozenset[str]:
    return frozenset(map(dotted, module_paths()))


@cache
def graph() -> dict[str, dict[str, int]]:
    """For each module: the modules of ours it imports, and at which line."""
    return {
        dotted(path): {
            target: line
            for line, target in own_imports(
                tree_of(path), dotted(path), path.name == "__init__.py", set(own_modules())
            )
        }
        for path in module_paths()
    }


# --- the rules, each as a function from source to what breaks it


def upward(module: str, target: str) -> bool:
    """Whether `module` importing `target` goes against the layers."""
    here, there = layer_name(module), layer_name(target)
    if here in ENTRANCES:
        return False
    if there in ENTRANCES:
        return here not in ORDINARY_APPLICATIONS
    return LAYERS[there] > LAYERS[here]


def find_cycle(edges: dict[str, dict[str, int]]) -> list[str] | None:
    """One cycle of imports, as the list of its modules, or None."""
    finished: set[str] = set()

    def visit(module: str, trail: list[str]) -> list[str] | None:
        if module in trail:
            return [*trail[trail.index(module) :], module]
        if module in finished:
            return None
        for target in edges.get(module, {}):
            found = visit(target, [*trail, module])
            if found:
                return found
        finished.add(module)
        return None

    for module in edges:
        found = visit(module, [])
        if found:
            return found
    return None


def docstring_lines(tree: ast.AST) -> set[int]:
    """Lines of strings that stand as statements: docstrings, and those below an attribute."""
    return {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


@cache
def code_lines(text: str) -> frozenset[int]:
    """Lines that hold code: not blank, not a comment, not a docstring."""
    passive = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in passive:
            lines.update(range(token.start[0], token.end[0] + 1))
    return frozenset(lines - docstring_lines(ast.parse(text)))


def long_functions(text: str) -> list[tuple[str, int]]:
    """Functions of more than `LINES_PER_FUNCTION` lines of code, with their count."""
    lines = code_lines(text)
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = len(lines & set(range(node.lineno, (node.end_lineno or node.lineno) + 1)))
            if size > LINES_PER_FUNCTION:
                found.append((node.name, size))
    return found


def last_name(node: ast.expr) -> str:
    """The word a reader sees last: of `self.session_token`, `session_token`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return ""


def secrets_compared_by_equality(tree: ast.Module) -> list[int]:
    """Lines where a secret is compared by `==`, whose time tells how much was right: use hmac.compare_digest.

    A comparison with a literal holds no secret.
    """
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        equal = any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops)
        literal = any(isinstance(side, ast.Constant) for side in sides)
        if equal and not literal and any(SECRET_NAME.search(last_name(side)) for side in sides):
            found.append(node.lineno)
    return found


def raises_not_implemented(tree: ast.Module) -> list[int]:
    """Lines that raise NotImplementedError: work left for later."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
        and last_name(node.exc.func if isinstance(node.exc, ast.Call) else node.exc or ast.Name(""))
        == "NotImplementedError"
    ]


def wall_clock_calls(tree: ast.Module) -> list[int]:
    """Lines that ask for the time of day."""
    calls = {
        "time.time",
        "time.time_ns",
        "datetime.now",
        "datetime.utcnow",
        "datetime.datetime.now",
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in calls
    ]


@cache
def comments(text: str) -> list[tuple[int, str]]:
    """The comments and their lines."""
    return [
        (token.start[0], token.string)
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    ]


# --- the source keeps them


def test_every_folder_has_a_layer() -> None:
    unknown = {layer_name(module) for module in own_modules()} - LAYERS.keys() - ENTRANCES

    assert not unknown, f"give {sorted(unknown)} a place in LAYERS"


def test_imports_point_down() -> None:
    wrong = [
        f"{module}:{line} imports {target}"
        for module, targets in graph().items()
        for target, line in targets.items()
        if upward(module, target)
    ]

    assert wrong == []


def test_imports_make_no_cycle() -> None:
    cycle = find_cycle(graph())

    assert cycle is None, " -> ".join(cycle or [])


def test_protocol_and_http_wait_for_nothing() -> None:
    wrong = [
        f"{relative(path)}:{line} imports {target}"
        for path in module_paths()
        if layer_name(dotted(path)) in {"protocol", "http"}
        for line, target, _ in imported_names(
            tree_of(path), dotted(path), path.name == "__init__.py"
        )
        if target.split(".")[0] in NOT_BELOW_SERVER
    ]

    assert wrong == []


def test_modules_hold_at_most_500_lines_of_code() -> None:
    long = {
        relative(path): size
        for path in module_paths()
        if (size := len(code_lines(text_of(path)))) > LINES_PER_MODULE
    }

    assert long == {}


def test_functions_hold_at_most_60_lines_of_code() -> None:
    long = {
        f"{relative(path)}: {name}": size
        for path in module_paths()
        for name, size in long_functions(text_of(path))
    }

    assert long == {}


def test_file_names_say_what_is_inside() -> None:
    wrong = [
        relative(path)
        for path in SOURCE.rglob("*")
        if path.stem in FORBIDDEN_FILE_NAMES
        and (path.suffix == ".py" or path.is_dir())
        and path.relative_to(SOURCE).parts[0] not in {"flask", "werkzeug"}
    ]

    assert wrong == []


def test_nothing_is_left_for_later() -> None:
    wrong = [
        f"{relative(path)}:{line} {comment}"
        for path in module_paths()
        for line, comment in comments(text_of(path))
        if UNFINISHED.search(comment)
    ] + [
        f"{relative(path)}:{line} raises NotImplementedError"
        for path in module_paths()
        if relative(path) not in ABSTRACT_IN_FLASK
        for line in raises_not_implemented(tree_of(path))
    ]

    assert wrong == []


def test_deadlines_are_on_the_monotonic_clock() -> None:
    wrong = [
        f"{relative(path)}:{line}"
        for path in module_paths()
        if layer_name(dotted(path)) == "server" and relative(path) not in WALL_CLOCK_IN_SERVER
        for line in wall_clock_calls(tree_of(path))
    ]

    assert wrong == []


def test_secrets_are_compared_in_constant_time() -> None:
    wrong = [
        f"{relative(path)}:{line}"
        for path in module_paths()
        if layer_name(dotted(path))
        != "protocol"  # its tokens are the grammar's; it knows no secrets
        for line in secrets_compared_by_equality(tree_of(path))
    ]

    assert wrong == []


def test_type_checkers_are_seldom_silenced() -> None:
    found = [
        f"{relative(path)}:{line}"
        for path in module_paths()
        for line, comment in comments(text_of(path))
        if IGNORE.search(comment)
        and not GIVEN_SIGNATURE.search(text_of(path).splitlines()[line - 1])
    ]
    lines = sum(text_of(path).count("\n") for path in module_paths())

    assert len(found) <= max(10, IGNORES_PER_1000_LINES * lines / 1000), found


# --- the rules see what they are there to see


@pytest.mark.parametrize(
    ("module", "target", "wrong"),
    [
        ("groundwire.http.request", "groundwire.protocol.head", False),
        ("groundwire.http.request", "groundwire.http.response", False),
        ("groundwire.protocol.head", "groundwire.http.request", True),
        ("groundwire.server.server", "groundwire.app.app", True),
        ("groundwire.app.app", "groundwire.server.server", False),
        ("groundwire.cli.main", "groundwire.demo.app", True),
        ("groundwire.app.app", "groundwire", True),
        ("groundwire.demo.app", "groundwire", False),
        ("groundwire", "groundwire.app.app", False),
    ],
)
def test_an_import_goes_up_when_its_layer_is_higher(module: str, target: str, wrong: bool) -> None:
    assert upward(module, target) == wrong


def test_imports_are_seen_in_functions_and_under_type_checking() -> None:
    source = """
if TYPE_CHECKING:
    from ..app import app
def late():
    from . import request
    from ..server.server import Server
    import groundwire.cli
"""
    modules = {
        "groundwire.app.app",
        "groundwire.http.request",
        "groundwire.server.server",
        "groundwire.cli",
    }

    found = own_imports(ast.parse(source), "groundwire.http.response", False, modules)

    assert modules == {target for _, target in found}


def test_a_package_imports_relative_to_itself() -> None:
    found = own_imports(ast.parse("from .grammar import TOKEN"), "groundwire.protocol", True, set())

    assert [(1, "groundwire.protocol.grammar")] == list(found)


def test_a_cycle_is_named_from_where_it_closes() -> None:
    edges = {"a": {"b": 1}, "b": {"c": 1}, "c": {"b": 1}}

    assert ["b", "c", "b"] == find_cycle(edges)


def test_code_lines_leave_out_docstrings_comments_and_blanks() -> None:
    source = '''"""Module."""

# A comment.
A = 1  # this counts
"""What A is."""
TEXT = """two
lines"""
'''

    assert {4, 6, 7} == code_lines(source)


def test_a_function_of_61_lines_is_long() -> None:
    source = "def long():\n" + '    """Doc."""\n' + "    x = 1\n" * 60

    assert [("long", 61)] == long_functions(source)


@pytest.mark.parametrize(
    "source", ["if token == given: ...", "self.csrf_token != form['token']", "a.password == b"]
)
def test_equality_of_secrets_is_seen(source: str) -> None:
    assert [1] == secrets_compared_by_equality(ast.parse(source))


@pytest.mark.parametrize(
    "source", ["token == b'chunked'", "design == other", "compare_digest(token, given)"]
)
def test_equality_without_secrets_is_free(source: str) -> None:
    assert secrets_compared_by_equality(ast.parse(source)) == []


def test_not_implemented_error_is_seen_raised_as_class_and_as_object() -> None:
    source = (
        "raise NotImplementedError\nraise NotImplementedError('later')\nraise ValueError\nraise"
    )

    assert [1, 2] == raises_not_implemented(ast.parse(source))


def test_wall_clock_calls_are_seen() -> None:
    assert [1, 2] == wall_clock_calls(ast.parse("time.time()\ndatetime.now(UTC)\ntime.monotonic()"))
