"""An app's configuration (https://flask.palletsprojects.com/config/)."""

import errno
import json
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from types import ModuleType
from typing import IO, Any

from .importing import import_string
from .registry import tell_of_changes

OWN_DEFAULTS: dict[str, Any] = {
    "COMPRESS": True,
    "CSRF_PROTECTION": None,
    "CSRF_TRUSTED_ORIGINS": (),
    "ERROR_FORMAT": "html",
    "INLINE": "watch",
    "SECURITY_PROFILE": "flask",
}
"""The keys that Flask has not. An app has them also where a program sets Flask's `default_config` anew."""

DEFAULTS: dict[str, Any] = {
    **OWN_DEFAULTS,
    "DEBUG": None,
    "TESTING": False,
    "PROPAGATE_EXCEPTIONS": None,
    "SECRET_KEY": None,
    "SECRET_KEY_FALLBACKS": None,
    "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
    "USE_X_SENDFILE": False,
    "TRUSTED_HOSTS": None,
    "SERVER_NAME": None,
    "APPLICATION_ROOT": "/",
    "SESSION_COOKIE_NAME": "session",
    "SESSION_COOKIE_DOMAIN": None,
    "SESSION_COOKIE_PATH": None,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SECURE": False,
    "SESSION_COOKIE_PARTITIONED": False,
    "SESSION_COOKIE_SAMESITE": None,
    "SESSION_REFRESH_EACH_REQUEST": True,
    # Flask leaves MAX_CONTENT_LENGTH open and so every app to an upload of any size.
    "MAX_CONTENT_LENGTH": 16 * 1024 * 1024,
    "MAX_FORM_MEMORY_SIZE": 500_000,
    "MAX_FORM_PARTS": 1_000,
    "SEND_FILE_MAX_AGE_DEFAULT": None,
    "TRAP_BAD_REQUEST_ERRORS": None,
    "TRAP_HTTP_EXCEPTIONS": False,
    "EXPLAIN_TEMPLATE_LOADING": False,
    "PREFERRED_URL_SCHEME": "http",
    "TEMPLATES_AUTO_RELOAD": None,
    "MAX_COOKIE_SIZE": 4093,
    "PROVIDE_AUTOMATIC_OPTIONS": True,
}


def keep_threads() -> None:
    """Have the functions of apps that are made from now on run in threads (INLINE), unless they say otherwise.

    For programs that do not know of Groundwire: where one of theirs runs is nothing they had reason to think of.
    """
    OWN_DEFAULTS["INLINE"] = DEFAULTS["INLINE"] = "never"


class ConfigAttribute:
    """An attribute of the app that is a key of its configuration."""

    def __init__(self, name: str, get_converter: Callable[[Any], Any] | None = None) -> None:
        self.name = name
        self.get_converter = get_converter

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        value = instance.config[self.name]
        return value if self.get_converter is None else self.get_converter(value)

    def __set__(self, instance: Any, value: Any) -> None:
        instance.config[self.name] = value


class Config(dict[str, Any]):
    """A dict that can be filled from files, objects and the environment. Only upper-case keys are taken from those.

    Args:
        root_path: the folder that file names are relative to.
        defaults: what it holds at first.
    """

    def __init__(
        self, root_path: str | os.PathLike[str], defaults: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(defaults or {})
        self.root_path = root_path

    on_change: Callable[[], None] | None = None
    """Called after each change: what an app has worked out from its configuration is out of date then."""

    def __getstate__(self) -> dict[str, Any]:
        # A copy belongs to no app.
        return {name: value for name, value in vars(self).items() if name != "on_change"}

    def from_envvar(self, variable_name: str, silent: bool = False) -> bool:
        """Fill it from the Python file that an environment variable names. True when there is one.

        Raises:
            RuntimeError: the variable is not set, and not `silent`.
        """
        path = os.environ.get(variable_name)
        if not path:
            if silent:
                return False
            raise RuntimeError(
                f"The environment variable {variable_name!r} is not set, so there is no configuration file to load."
                " Set it to the path of one."
            )
        return self.from_pyfile(path, silent=silent)

    def from_prefixed_env(
        self, prefix: str = "FLASK", *, loads: Callable[[str], Any] = json.loads
    ) -> bool:
        """Fill it from the environment variables that begin with `prefix` and ``_``.

        Each value goes through `loads`; one it refuses stays a string. ``__`` within a name reaches into a dict.
        """
        prefix = f"{prefix}_"
        for name in sorted(os.environ):
            if not name.startswith(prefix):
                continue
            value: Any = os.environ[name]
            key = name.removeprefix(prefix)
            try:
                value = loads(value)
            except Exception:  # noqa: BLE001
                pass  # whatever `loads` raises: what it cannot read is a string
            if "__" not in key:
                self[key] = value
                continue
            target: Any = self
            *parents, last = key.split("__")
            for parent in parents:
                target = target.setdefault(parent, {})
            target[last] = value
        return True

    def from_pyfile(self, filename: str | os.PathLike[str], silent: bool = False) -> bool:
        """Fill it from a Python file, which is run. True when there is one.

        Raises:
            OSError: it cannot be read; when `silent`, a missing one is no error.
        """
        path = os.path.join(self.root_path, filename)
        module = ModuleType("config")
        module.__file__ = path
        try:
            with open(path, "rb") as file:
                exec(compile(file.read(), path, "exec"), module.__dict__)
        except OSError as error:
            if silent and error.errno in (errno.ENOENT, errno.EISDIR, errno.ENOTDIR):
                return False
            error.strerror = f"Unable to load configuration file ({error.strerror})"
            raise
        self.from_object(module)
        return True

    def from_object(self, obj: object | str) -> None:
        """Fill it from the upper-case attributes of an object, or of what an import name names."""
        if isinstance(obj, str):
            obj = import_string(obj)
        for key in dir(obj):
            if key.isupper():
                self[key] = getattr(obj, key)

    def from_file(
        self,
        filename: str | os.PathLike[str],
        load: Callable[[IO[Any]], Mapping[str, Any]],
        silent: bool = False,
        text: bool = True,
    ) -> bool:
        """Fill it from a file that `load` reads, such as `tomllib.load` with ``text=False``. True when there is one.

        Raises:
            OSError: it cannot be read; when `silent`, a missing one is no error.
        """
        path = os.path.join(self.root_path, filename)
        try:
            with open(path, "r" if text else "rb") as file:
                values = load(file)
        except OSError as error:
            if silent and error.errno in (errno.ENOENT, errno.EISDIR):
                return False
            error.strerror = f"Unable to load configuration file ({error.strerror})"
            raise
        return self.from_mapping(values)

    def from_mapping(
        self,
        mapping: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
        **kwargs: Any,
    ) -> bool:
        """Fill it from a mapping, or (key, value) pairs, and keyword arguments; only upper-case keys are taken."""
        given: dict[str, Any] = dict(mapping or ())
        for key, value in {**given, **kwargs}.items():
            if key.isupper():
                self[key] = value
        return True

    def get_namespace(
        self, namespace: str, lowercase: bool = True, trim_namespace: bool = True
    ) -> dict[str, Any]:
        """Return the items whose key begins with `namespace`, by what follows it."""
        found: dict[str, Any] = {}
        for key, value in self.items():
            if key.startswith(namespace):
                name = key[len(namespace) :] if trim_namespace else key
                found[name.lower() if lowercase else name] = value
        return found

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {super().__repr__()}>"


tell_of_changes(
    Config,
    *("__setitem__", "__delitem__", "__ior__", "update", "setdefault", "pop", "popitem", "clear"),
)
