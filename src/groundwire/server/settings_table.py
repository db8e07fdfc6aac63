"""Every setting as a row: its flag, its variable, its key of the configuration, its kind, and what it does.

A row is made of a field of `ServerSettings`, `MessageLimits` or `ProcessSettings`: the name ends in the unit, the type
says what values there are, and the docstring is the help. To add a setting is to add a field; what stands here
besides are names that read better than the field's own, and the order in which settings are shown.

What is said in several places holds in this order: flag, variable, configuration, default.
"""

import ast
import dataclasses
import functools
import inspect
import itertools
import re
import textwrap
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from ..protocol.limits import MessageLimits
from .errors import StartError
from .process_settings import ProcessSettings
from .settings import ServerSettings

Kind = Literal["whole", "number", "switch", "choice", "text", "texts"]

PREFIX: Final = "GROUNDWIRE_"
FLASK_PREFIX: Final = "FLASK_"

NUMBERS_END: Final = 1 << 62

UNITS: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "Where to listen": ("host", "port", "unix", "unix_mode", "fd", "backlog"),
    "Processes": (
        *("workers", "graceful_seconds", "max_requests", "max_rss_bytes", "start_seconds"),
        *("heartbeat_seconds", "user", "group", "pid", "control", "admin"),
    ),
    "Development": ("reload", "reload_include", "reload_exclude", "reload_seconds"),
    "Log": ("access_log", "access_log_format", "request_id", "metrics"),
    "Inspector": ("wire", "wire_token", "wire_secrets", "wire_bytes"),
    "TLS": (
        *("cert", "key", "tls_dev", "client_ca", "client_cert", "redirect_http", "hsts_seconds"),
        "tls_handshake_seconds",
    ),
    "Proxies": (),
    "Time": (
        *("keepalive_seconds", "head_seconds", "request_timeout_seconds", "first_byte_seconds"),
        *("content_gap_seconds", "content_grace_seconds", "content_rate_bytes"),
        *("send_stall_seconds", "send_grace_seconds", "send_rate_bytes"),
        *("keepalive_requests", "watchdog"),
    ),
    "What one worker holds": (
        *("max_connections", "max_connections_per_address", "max_upgraded", "threads"),
        *("thread_queue", "content_memory_bytes", "worker_memory_bytes", "worker_spool_bytes"),
    ),
    "One message": (),
}
"""Under which heading, and in which order, settings are shown. Others follow by their first word, or by their class."""

OF_FIRST_WORD: Final = {
    **dict.fromkeys(("tls", "cert", "certs", "key", "client", "hsts", "redirect"), "TLS"),
    **dict.fromkeys(("proxy", "proxies", "trusted", "forwarded"), "Proxies"),
    **dict.fromkeys(("request", "access", "log"), "Log"),
    "reload": "Development",
}
OF_CLASS: Final[Mapping[type, str]] = {
    ServerSettings: "What one worker holds",
    ProcessSettings: "Processes",
    MessageLimits: "One message",
}

FLAGS: Final[Mapping[str, tuple[str, ...]]] = {
    "port": ("port", "p"),
    "head_seconds": ("head-timeout",),
    "tls_handshake_seconds": ("tls-handshake-timeout",),
    "first_byte_seconds": ("first-byte-timeout",),
    "content_gap_seconds": ("content-timeout",),
    "send_stall_seconds": ("send-timeout",),
    "graceful_seconds": ("graceful-timeout", "graceful"),
    "start_seconds": ("start-timeout",),
    "heartbeat_seconds": ("heartbeat-timeout",),
    "reload_seconds": ("reload-interval",),
    "wire_bytes": ("wire-bytes",),
    **{
        f"{name}{unit}": (f"max-{name.replace('_', '-')}",)
        for name, unit in (
            *(("target", "_bytes"), ("method", "_bytes"), ("empty_lines", "")),
            *(("field_section", "_bytes"), ("field_line", "_bytes"), ("field_lines", "")),
            *(("chunk_line", "_bytes"), ("chunk_overhead", "_bytes")),
        )
    },
}
"""Where a flag is not the field's name without its unit. The first is the one that is shown."""

AT_LEAST: Final[Mapping[str, int]] = dict.fromkeys(
    (
        *("backlog", "first_byte_seconds", "head_seconds", "content_gap_seconds"),
        "tls_handshake_seconds",
        *("keepalive_seconds", "keepalive_requests", "send_stall_seconds", "max_connections"),
        *("max_connections_per_address", "threads", "target_bytes", "method_bytes"),
        *("field_section_bytes", "field_line_bytes", "field_lines", "chunk_line_bytes"),
    ),
    1,
)
"""Otherwise 0."""

AT_MOST: Final[Mapping[str, int]] = {"port": 65535}

WORDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "workers": {"auto": 0},
    "wire": {
        **dict.fromkeys(("1", "yes", "true"), "on"),
        **dict.fromkeys(("0", "no", "false"), "off"),
    },
}
"""Words that may stand for a value."""

ALONE: Final[Mapping[str, str]] = {"wire": "on"}
"""What a flag means that comes without a value, which may then only follow an equals sign."""

PLACEHOLDERS: Final[Mapping[str, str]] = {
    "host": "HOST",
    **dict.fromkeys(("unix", "control", "pid", "access_log"), "PATH"),
    **dict.fromkeys(("reload_include", "reload_exclude"), "PATTERN"),
    "access_log_format": "FORMAT",
    "admin": "HOST:PORT",
    "trusted_proxies": "CIDR,…",
    "forwarded_fields": "NAME,…",
    **dict.fromkeys(("cert", "key", "client_ca"), "FILE"),
    "redirect_http": "[HOST:]PORT",
    "user": "USER",
    "group": "GROUP",
    "workers": "N|auto",
    "wire": "console|off",
}

BEFORE_THE_PROGRAM: Final = frozenset(
    {
        *("host", "port", "unix", "unix_mode", "backlog", "access_log", "graceful_seconds"),
        *("cert", "key", "client_ca", "client_cert", "tls_dev", "redirect_http", "hsts_seconds"),
    }
)
"""Fields of `ServerSettings` that hold before the program is imported, so that its configuration comes too late."""


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        name: the field's name.
        owner: the class it is a field of.
        default: its default.
        kind: what values there are: a whole number, any number, true or false, one of `choices`, a text, or several.
        group: the heading it is shown under.
        flags: its names on the command line, without dashes, the one that is shown first.
        choices: what a choice is between.
    """

    name: str
    owner: type
    default: Any
    kind: Kind
    group: str
    flags: tuple[str, ...]
    choices: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """``seconds``, ``bytes`` or nothing."""
        last = self.name.rpartition("_")[2]
        return last if last in ("seconds", "bytes") and self.kind in ("whole", "number") else ""

    @property
    def variable(self) -> str:
        """The environment variable that is documented for it."""
        return PREFIX + _capitals(self.flags[0])

    @property
    def variables(self) -> tuple[str, ...]:
        """All environment variables that may hold it, the one that wins first."""
        names = [_capitals(flag) for flag in self.flags if len(flag) > 1]
        return tuple(PREFIX + name for name in (*names, *(f"RUN_{name}" for name in names)))

    @property
    def key(self) -> str | None:
        """The key of an application's configuration; None where that would come too late."""
        if self.owner is ProcessSettings or self.name in BEFORE_THE_PROGRAM:
            return None
        return self.variable

    @property
    def placeholder(self) -> str:
        """What stands for a value in help."""
        if self.name in PLACEHOLDERS:
            return PLACEHOLDERS[self.name]
        if self.kind == "choice":
            return "|".join(self.choices)
        if self.kind in ("text", "texts"):
            return "TEXT"
        return self.unit.upper() or "N"

    @property
    def alone(self) -> str | None:
        """What its flag means without a value; None where that cannot be."""
        return ALONE.get(self.name)

    @property
    def description(self) -> str:
        """The field's docstring."""
        return _docstrings(self.owner).get(self.name, "")

    @property
    def shown_default(self) -> str:
        """The default as a person would write it; empty if there is none."""
        if self.default is None or self.default == ():
            return ""
        if self.kind == "switch":
            return "on" if self.default else "off"
        if self.kind == "texts":
            return ",".join(self.default)
        for word, value in WORDS.get(self.name, {}).items():
            if value == self.default:
                return word
        if self.unit == "bytes":
            return shown_bytes(self.default)
        return f"{self.default:g}" if isinstance(self.default, float) else str(self.default)

    def parse(self, text: str) -> Any:
        """Return the value that `text` stands for.

        Raises:
            ValueError: none; the message says what would be one.
        """
        text = text.strip()
        if text in WORDS.get(self.name, {}):
            return WORDS[self.name][text]
        if self.kind in ("whole", "number"):
            return self._number(text)
        if self.kind == "switch":
            return _truth(text)
        if self.kind == "texts":
            # A file's name may have spaces.
            separator = "," if self.placeholder in ("FILE", "PATTERN") else r"[,\s]+"
            return tuple(part.strip() for part in re.split(separator, text) if part.strip())
        return self._checked(text)

    def accept(self, value: Any) -> Any:
        """Return the value of a program's configuration, which may be a text that stands for one.

        Raises:
            ValueError: it cannot be the value of this setting.
        """
        if isinstance(value, str):
            return self.parse(value)
        if value is None:
            if self.default is None:
                return None
            raise ValueError("None cannot be")
        if isinstance(value, bool) and (self.kind == "switch" or self.name in ALONE):
            return value if self.kind == "switch" else self.parse("yes" if value else "no")
        if self.kind == "texts" and isinstance(value, list | tuple):
            return tuple(str(part) for part in typing.cast("Iterable[Any]", value))
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if self.kind == "number" and is_number:
            return self._within(float(value))
        if self.kind == "whole" and is_number and value == int(value):
            return self._within(int(value))
        raise ValueError(f"{value!r} is not {self._what()}")

    def _number(self, text: str) -> Any:
        try:
            if self.unit == "bytes" and self.kind == "whole":
                return self._within(_bytes(text))
            return self._within(int(text) if self.kind == "whole" else float(text))
        except _Beyond as error:
            raise ValueError(str(error)) from error
        except ValueError as error:
            raise ValueError(f"{text!r} is not {self._what()}") from error

    def _within(self, value: Any) -> Any:
        least = AT_LEAST.get(self.name, 0)
        most = AT_MOST.get(self.name, NUMBERS_END)
        if not least <= value <= most:  # nor is `nan` any number
            bounds = f"from {least} to {most}" if most < NUMBERS_END else f"{least} or more"
            raise _Beyond(f"{value} is not {bounds}")
        return value

    def _checked(self, text: str) -> str:
        if self.choices and text not in self.choices:
            raise ValueError(f"{text!r} is not {self._what()}")
        return text

    def _what(self) -> str:
        if self.kind == "switch":
            return "yes or no"
        if self.kind == "choice":
            return f"one of {', '.join(self.choices)}"
        if self.kind in ("text", "texts"):
            return "a text" if self.kind == "text" else "a list of texts"
        number = "a whole number" if self.kind == "whole" else "a number"
        unit = " of bytes, such as 65536, 64K or 1M" if self.unit == "bytes" else ""
        return number + (f" of {self.unit}" if self.unit == "seconds" else unit)


class _Beyond(ValueError):
    """A number that is too small or too large."""


@functools.cache
def settings_table() -> Mapping[str, Setting]:
    """Return all settings by name, in the order in which they are shown."""
    found = [
        setting
        for owner in (ServerSettings, MessageLimits, ProcessSettings)
        for setting in _of_class(owner)
    ]
    headings = list(GROUPS)

    def place(setting: Setting) -> tuple[int, int]:
        names = GROUPS[setting.group]
        last = len(names)
        return headings.index(setting.group), (
            names.index(setting.name) if setting.name in names else last
        )

    return {setting.name: setting for setting in sorted(found, key=place)}


def find(name: str) -> Setting | None:
    """Return the setting with this name or flag, dashes or underscores alike."""
    wanted = name.strip().removeprefix("--").replace("_", "-")
    for setting in settings_table().values():
        if wanted == setting.name.replace("_", "-") or wanted in setting.flags:
            return setting
    return None


def from_variables(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that environment variables hold, by name.

    Raises:
        StartError: a variable holds what cannot be.
    """
    given: dict[str, Any] = {}
    for setting in settings_table().values():
        found = variable_in(environ, setting)
        if found is not None:
            given[setting.name] = _parsed(setting, *found)
    return given


def variable_in(environ: Mapping[str, str], setting: Setting) -> tuple[str, str] | None:
    """Return the name and text of the variable that holds a setting; None if there is none, or an empty one."""
    for name in setting.variables:
        text = environ.get(name)
        if not text:
            continue
        # Kubernetes sets GROUNDWIRE_PORT=tcp://… beside a service named groundwire.
        if setting.name == "port" and "://" in text:
            continue
        # `FLASK_THREADS` is a key of a program's own configuration, though it is shared under our prefix too.
        is_copy = environ.get(FLASK_PREFIX + name.removeprefix(PREFIX)) == text
        if is_copy and not name.startswith(PREFIX + "RUN_"):
            continue
        return name, text
    return None


def _parsed(setting: Setting, source: str, text: str) -> Any:
    try:
        return setting.parse(text)
    except ValueError as error:
        raise StartError(f"the variable {source}={text}: {error}") from error


def from_configuration(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that an application's configuration holds, by name.

    Raises:
        StartError: a key holds what cannot be, or is the name of a setting that is not the application's to choose.
    """
    given: dict[str, Any] = {}
    for setting in settings_table().values():
        if setting.variable not in config:
            continue
        value = config[setting.variable]
        if setting.key is None:
            raise StartError(
                f"app.config[{setting.variable!r}] comes too late, because this holds before the program is"
                f" imported; say --{setting.flags[0]}, or set the variable of that name"
            )
        try:
            given[setting.name] = setting.accept(value)
        except ValueError as error:
            raise StartError(f"app.config[{setting.key!r}]: {error}") from error
    return given


def server_settings(
    given: Mapping[str, Any], config: Mapping[str, Any] | None = None
) -> ServerSettings:
    """Make a server's settings.

    Args:
        given: settings by name; those of processes are passed over.
        config: an application's configuration, for what is not given.

    Raises:
        StartError: see `from_configuration`.
    """
    values = {**(from_configuration(config) if config else {}), **given}
    table = settings_table()
    limits = {
        name: value
        for name, value in values.items()
        if name in table and table[name].owner is MessageLimits
    }
    chosen = {
        field.name: values[field.name]
        for field in dataclasses.fields(ServerSettings)
        if field.name in values
    }
    if limits:
        chosen["message_limits"] = dataclasses.replace(
            chosen.get("message_limits", MessageLimits()), **limits
        )
    return ServerSettings(**chosen)


def process_settings(given: Mapping[str, Any]) -> ProcessSettings:
    """Make the supervisor's settings of those given by name; others are passed over."""
    names = {field.name for field in dataclasses.fields(ProcessSettings)}
    return ProcessSettings(**{name: value for name, value in given.items() if name in names})


def configuration_of(application: Any) -> Mapping[str, Any] | None:
    """Return the configuration of an application of Groundwire's; None for any other."""
    config = getattr(application, "config", None)
    if hasattr(application, "handle") and isinstance(config, Mapping):
        return typing.cast("Mapping[str, Any]", config)
    return None


def shown_bytes(number: int) -> str:
    """Return a number of bytes as a person would write it: 64K, 1M."""
    for unit in ("g", "m", "k"):
        if number and number % UNITS[unit] == 0:
            return f"{number // UNITS[unit]}{unit.upper()}"
    return str(number)


def _of_class(owner: type) -> list[Setting]:
    hints = typing.get_type_hints(owner)
    found: list[Setting] = []
    for field in dataclasses.fields(owner):
        kind, choices = _kind(hints[field.name])
        if kind is None:
            continue
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        found.append(
            Setting(
                name=field.name,
                owner=owner,
                default=default,
                kind=kind,
                group=_group(field.name, owner),
                flags=FLAGS.get(field.name) or (_flag(field.name),),
                choices=choices,
            )
        )
    return found


def _kind(hint: Any) -> tuple[Kind | None, tuple[str, ...]]:
    """Return what values a field of this type has; None if they cannot be written in a line."""
    if isinstance(hint, types.UnionType):
        parts = [part for part in typing.get_args(hint) if part is not types.NoneType]
        return _kind(parts[0]) if len(parts) == 1 else (None, ())
    if typing.get_origin(hint) is Literal:
        return "choice", tuple(map(str, typing.get_args(hint)))
    if typing.get_origin(hint) is tuple and typing.get_args(hint) == (str, ...):
        return "texts", ()
    kinds: dict[Any, Kind] = {bool: "switch", int: "whole", float: "number", str: "text"}
    return kinds.get(hint), ()


def _group(name: str, owner: type) -> str:
    for group, names in GROUPS.items():
        if name in names:
            return group
    return OF_FIRST_WORD.get(name.partition("_")[0], OF_CLASS[owner])


def _flag(name: str) -> str:
    return re.sub("_(seconds|bytes)$", "", name).replace("_", "-")


def _capitals(flag: str) -> str:
    return flag.replace("-", "_").upper()


def _truth(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError(f"{text!r} is not yes or no")


def _bytes(text: str) -> int:
    match = re.fullmatch(r"(\d+)\s*([kmg]?)(?:i?b)?", text.lower())
    if match is None:
        raise ValueError(text)
    return int(match[1]) * UNITS[match[2]]


@functools.cache
def _docstrings(owner: type) -> dict[str, str]:
    """Return the docstrings of a class's fields, which Python forgets: they are read from its source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(owner)))
    except (OSError, SyntaxError):  # it came without its source
        return {}
    body = typing.cast("ast.ClassDef", tree.body[0]).body
    found: dict[str, str] = {}
    for statement, following in itertools.pairwise(body):
        if isinstance(statement, ast.AnnAssign) and isinstance(following, ast.Expr):
            text: Any = getattr(following.value, "value", None)
            name = typing.cast("ast.Name", statement.target).id
            if isinstance(text, str):
                found[name] = " ".join(text.split())
    return found
