"""Objects and modules by their names, as configuration gives them."""

import pkgutil
import sys
from collections.abc import Iterator
from typing import Any


def import_string(import_name: str, silent: bool = False) -> Any:
    """Import what `import_name` says: ``package.module``, ``package.module:attribute`` or ``package.module.attribute``.

    Args:
        import_name: the name.
        silent: answer None where there is no such thing.

    Raises:
        ImportStringError: there is no such module or attribute, unless `silent`.

    (Werkzeug: ``werkzeug.utils.import_string``.)
    """
    dotted = import_name.replace(":", ".")
    try:
        return _import(dotted)
    except ImportError as error:
        if silent:
            return None
        raise ImportStringError(dotted, error).with_traceback(error.__traceback__) from None


def _import(dotted: str) -> Any:
    module_name, dot, attribute = dotted.rpartition(".")
    try:
        __import__(dotted)
    except ImportError as error:
        # Only that there is no such module means that it may be an attribute. A module that fails within says why.
        missing = getattr(error, "name", None) or ""
        if not dot or not f"{dotted}.".startswith(f"{missing}."):
            raise
    else:
        return sys.modules[dotted]
    module = __import__(module_name, fromlist=[attribute])
    try:
        return getattr(module, attribute)
    except AttributeError as error:
        raise ImportError(f"{error}.") from None


class ImportStringError(ImportError):
    """What `import_string` was given cannot be imported.

    Attributes:
        import_name: what it was given, with dots only.
        exception: what the import raised.

    (Werkzeug: ``werkzeug.utils.ImportStringError``.)
    """

    import_name: str
    exception: BaseException

    def __init__(self, import_name: str, exception: BaseException) -> None:
        super().__init__(_explanation(import_name, exception))
        self.import_name = import_name
        self.exception = exception

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self.import_name!r}, {self.exception!r})>"


def _explanation(import_name: str, exception: BaseException) -> str:
    """Say how far the import got."""
    steps: list[str] = []
    parts = import_name.split(".")
    for count in range(1, len(parts) + 1):
        name = ".".join(parts[:count])
        found = import_string(name, silent=True)
        if found is None:
            steps.append(f"- {name!r} not found.")
            break
        steps.append(f"- {name!r} found in {getattr(found, '__file__', None)!r}.")
    return (
        f"import_string() failed for {import_name!r}: {type(exception).__name__}: {exception}\n"
        + "\n".join(steps)
        + "\nIs a name misspelt, a folder not on sys.path, or another module of the same name found first?"
    )


def find_modules(
    import_path: str, include_packages: bool = False, recursive: bool = False
) -> Iterator[str]:
    """Yield the names of the modules in a package.

    Args:
        import_path: the package's name. It is imported.
        include_packages: whether packages in it are named too.
        recursive: whether modules of packages in it are; those are imported then.

    Raises:
        ImportStringError: there is no such module.
        ValueError: it is not a package.

    (Werkzeug: ``werkzeug.utils.find_modules``.)
    """
    package = import_string(import_path)
    path = getattr(package, "__path__", None)
    if path is None:
        raise ValueError(f"{import_path!r} is not a package")
    for module in pkgutil.iter_modules(path, f"{package.__name__}."):
        if include_packages or not module.ispkg:
            yield module.name
        if recursive and module.ispkg:
            yield from find_modules(module.name, include_packages, recursive=True)
