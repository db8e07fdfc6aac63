"""Tells, for each test of Flask's own suite, what it stands on: public API, Werkzeug's names as well, or internals.

The rule, read off the test's source and never decided by hand. A test touches what its function names: imported
names and their attributes, the fixtures among its arguments, the functions and classes of its module that it uses,
and theirs in turn. Then

* internals: it touches an attribute that begins with one underscore, other than of what comes from elsewhere (pytest,
  say) and other than `_get_current_object`, which Flask's documentation tells users to call; or a name in one of
  Flask's modules that stands nowhere in Flask's documentation;
* Werkzeug's names: otherwise, when it touches something imported from `werkzeug`;
* public API only: otherwise.

"Stands in Flask's documentation" means that the name is a word of a page in `docs/` (the change log is not among
them), that its module is documented as a whole (``automodule``), or that it is in the module `flask` itself.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PUBLIC: Final = "public API only"
WERKZEUG: Final = "Werkzeug's names too"
INTERNALS: Final = "internals"
GROUPS: Final = (PUBLIC, WERKZEUG, INTERNALS)

TOLD_TO_USERS: Final = frozenset({"_get_current_object"})
DOTTED: Final = re.compile(r"(flask|werkzeug)(\.\w+)+")

FROM_PYTEST: Final = frozenset({"monkeypatch"})
OURS_TO_BE: Final = ("flask", "werkzeug")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Groups:
    """The groups of the tests in an unpacked source distribution of Flask."""

    def __init__(self, root: Path) -> None:
        pages = [page for page in (root / "docs").rglob("*.rst") if page.stem != "changes"]
        text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
        self.documented = set(re.findall(r"\w+", text))
        self.documented_whole = set(re.findall(r"automodule:: ([\w.]+)", text))
        self.modules = {
            ".".join(path.relative_to(root / "src").with_suffix("").parts).removesuffix(".__init__")
            for path in (root / "src").rglob("*.py")
        }
        self.root = root
        self.shared = Source(root / "tests" / "conftest.py")
        self.sources: dict[str, Source] = {}

    def of(self, nodeid: str) -> str:
        """Return which group a test is in, by pytest's identification of it."""
        path, _, name = nodeid.partition("::")
        if path not in self.sources:
            self.sources[path] = Source(self.root / path)
        source = self.sources[path]
        touched = source.touched_by(re.sub(r"\[.*", "", name).split("::"), self.shared)
        if any(self.is_internal(name) for name in touched):
            return INTERNALS
        return WERKZEUG if any(name.startswith("werkzeug") for name in touched) else PUBLIC

    def is_internal(self, touched: str) -> bool:
        """Tell whether a dotted name is something users are not told of."""
        parts = touched.split(".")
        if any(
            part.startswith("_") and not part.startswith("__") and part not in TOLD_TO_USERS
            for part in parts[1:]
        ):
            return True
        module = parts[0]
        for part in parts[1:]:
            if f"{module}.{part}" not in self.modules:
                return (
                    module not in {"flask", *self.documented_whole}
                    and part not in self.documented
                    and parts[0] == "flask"
                )
            module = f"{module}.{part}"
        return False


class Source:
    """One test module: what it imports, and what it defines."""

    def __init__(self, path: Path) -> None:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        self.imported = dict(imports_of(tree))
        self.defined: dict[str, Definition | ast.Assign] = {}
        for node in tree.body:
            if isinstance(node, Definition):
                self.defined[node.name] = node
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self.defined[target.id] = node

    def touched_by(self, names: list[str], shared: "Source") -> set[str]:
        """Return the dotted names that the test at `names` (class, function) touches, its fixtures' among them."""
        node: ast.AST = self.defined[names[0]]
        for name in names[1:]:
            inside = [n for n in ast.iter_child_nodes(node) if isinstance(n, Definition)]
            node = next(n for n in inside if n.name == name)
        touched: set[str] = set()
        waiting: list[tuple[ast.AST, Source]] = [(node, self)]
        seen: set[ast.AST] = set()
        while waiting:
            node, source = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            imported = source.imported | dict(imports_of(node))
            for name in names_in(node):
                first, _, rest = name.partition(".")
                if first in source.defined:
                    waiting.append((source.defined[first], source))
                elif first in shared.defined and source is not shared:
                    waiting.append((shared.defined[first], shared))
                if first in imported:
                    first = imported[first]
                    if not first.startswith(OURS_TO_BE):
                        continue
                elif first in FROM_PYTEST:
                    continue
                touched.add(f"{first}.{rest}" if rest else first)
        return touched


def imports_of(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (name here, dotted name) for each import in `tree`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                yield alias.asname or first, alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def names_in(node: ast.AST) -> Iterator[str]:
    """Yield each name used in `node`, with the attributes taken of it; arguments, as fixtures are; dotted texts."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.arg | ast.Name):
            yield inner.arg if isinstance(inner, ast.arg) else inner.id
        elif isinstance(inner, ast.Attribute):
            parts = [inner.attr]
            value = inner.value
            while isinstance(value, ast.Attribute):
                parts.append(value.attr)
                value = value.value
            yield ".".join(reversed([*parts, value.id if isinstance(value, ast.Name) else "()"]))
        elif isinstance(inner, ast.Constant) and DOTTED.fullmatch(str(inner.value)):
            yield str(inner.value)
