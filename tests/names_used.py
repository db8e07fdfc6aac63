"""Which of Werkzeug's names a program's source uses, read from the source itself.

As a script it writes `flask/werkzeug_names.json`, which tests read where the extensions are not installed::

    python tests/names_used.py flask-cors=path/to/its/source flask-login=…
"""

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "werkzeug"
RECORD = Path(__file__).parent / "flask" / "werkzeug_names.json"


def names_in(source: str) -> set[str]:
    """Return the dotted names below Werkzeug that a module imports, or reads from what it imported."""
    tree = ast.parse(source)
    names: set[str] = set()
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if is_below(alias.name):
                    names.add(alias.name)
                    aliases[alias.asname or PACKAGE] = alias.name if alias.asname else PACKAGE
        elif isinstance(node, ast.ImportFrom) and not node.level and is_below(node.module or ""):
            for alias in node.names:
                names.add(f"{node.module}.{alias.name}")
                aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    modules = {local: name for local, name in aliases.items() if name.rpartition(".")[2].islower()}
    for node in ast.walk(tree):
        dotted = dotted_name(node)
        if dotted is not None and dotted[0] in modules and len(dotted) > 1:
            names.add(".".join([modules[dotted[0]], *dotted[1:]]))
    return names


def is_below(module: str) -> bool:
    return module == PACKAGE or module.startswith(f"{PACKAGE}.")


def dotted_name(node: ast.AST) -> list[str] | None:
    """Return the parts of ``a.b.c``, None for another expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return [node.id, *reversed(parts)]


def sources(folder: Path) -> Iterator[str]:
    """Yield every module below `folder` that can be read."""
    for path in sorted(folder.rglob("*.py")):
        if not {"docs", "node_modules"}.intersection(path.relative_to(folder).parts):
            yield path.read_text(encoding="utf-8", errors="replace")


def names_below(folder: Path) -> list[str]:
    """Return what all modules below `folder` use, in order."""
    names: set[str] = set()
    for source in sources(folder):
        try:
            names |= names_in(source)
        except SyntaxError:
            continue  # a template of a program, or one for another Python
    return sorted(names)


def record(arguments: list[str]) -> None:
    """Write down what each ``name=folder`` uses."""
    found = {}
    for argument in arguments:
        name, _, folder = argument.partition("=")
        found[name] = names_below(Path(folder))
    RECORD.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    record(sys.argv[1:])
