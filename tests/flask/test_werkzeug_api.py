"""Every public name of Werkzeug's modules is in ours, with its members and arguments, or is listed with the reason.

The table is derived from the Werkzeug that is installed: a name, method or argument that its next release adds shows
here as a gap.
"""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeVar, get_origin

import pytest
import werkzeug

OWN_SERVER = "the server is Groundwire's; its settings, TLS among them, are ServerSettings"
OF_CONSOLE = "of the console: a page that can run code is a way in, so there is none"
OWN_MATCHER = "the rules are matched by a tree of our own; maps and rules have the same methods"
OWN_PARSER = "how Werkzeug finds the ends of lines; ours finds CR LF only"
OF_RELOADER = "of Werkzeug's reloader; ours is another"

LEFT_OUT: Final = {
    "werkzeug._reloader.ReloaderLoop": OF_RELOADER,
    "werkzeug._reloader.StatReloaderLoop": OF_RELOADER,
    "werkzeug._reloader.WatchdogReloaderLoop": OF_RELOADER,
    "werkzeug._reloader.reloader_loops": OF_RELOADER,
    "werkzeug._reloader.ensure_echo_on": OF_RELOADER,
    "werkzeug.debug.console": OF_CONSOLE,
    "werkzeug.debug.repr": OF_CONSOLE,
    "werkzeug.debug.tbtools": "how Werkzeug makes its page; ours is made by app.debug_traceback",
    "werkzeug.debug.PIN_TIME": OF_CONSOLE,
    "werkzeug.debug.get_pin_and_cookie_name": OF_CONSOLE,
    "werkzeug.debug.get_machine_id": OF_CONSOLE,
    "werkzeug.debug.hash_pin": OF_CONSOLE,
    "werkzeug.debug.DebuggedApplication.check_host_trust": OF_CONSOLE,
    "werkzeug.debug.DebuggedApplication.check_pin_trust": OF_CONSOLE,
    "werkzeug.debug.DebuggedApplication.debug_application": "called by __call__ alone",
    "werkzeug.debug.DebuggedApplication.display_console": OF_CONSOLE,
    "werkzeug.debug.DebuggedApplication.execute_command": OF_CONSOLE,
    "werkzeug.debug.DebuggedApplication.get_resource": OF_CONSOLE,
    "werkzeug.debug.DebuggedApplication.log_pin_request": OF_CONSOLE,
    "werkzeug.debug.DebuggedApplication.pin": OF_CONSOLE,
    "werkzeug.debug.DebuggedApplication.pin_auth": OF_CONSOLE,
    "werkzeug.debug.DebuggedApplication.pin_cookie_name": OF_CONSOLE,
    "werkzeug.formparser.MultiPartParser.fail": "a step of its parse(), not documented",
    "werkzeug.formparser.MultiPartParser.get_part_charset": "a step of its parse(), not documented",
    "werkzeug.formparser.MultiPartParser.start_file_streaming": "a step of its parse(); give a stream_factory",
    "werkzeug.middleware.http_proxy": "for development; it reads answers with http.client, without limits",
    "werkzeug.middleware.lint": "Groundwire's server refuses what it warns of; wsgiref.validate does the same",
    "werkzeug.routing.matcher.SlashRequired": OWN_MATCHER,
    "werkzeug.routing.matcher.State": OWN_MATCHER,
    "werkzeug.routing.matcher.StateMachineMatcher": OWN_MATCHER,
    "werkzeug.routing.rules.RulePart": OWN_MATCHER,
    "werkzeug.routing.rules.Weighting": OWN_MATCHER,
    "werkzeug.sansio.request.Request": "there is one Request; its constructor takes an environ",
    "werkzeug.sansio.multipart.BLANK_LINE_RE": OWN_PARSER,
    "werkzeug.sansio.multipart.HEADER_CONTINUATION_RE": OWN_PARSER,
    "werkzeug.sansio.multipart.LINE_BREAK": OWN_PARSER,
    "werkzeug.sansio.multipart.LINE_BREAK_RE": OWN_PARSER,
    "werkzeug.sansio.multipart.SEARCH_EXTRA_LENGTH": OWN_PARSER,
    "werkzeug.serving.DechunkedInput": OWN_SERVER,
    "werkzeug.serving.ForkingWSGIServer": OWN_SERVER,
    "werkzeug.serving.LISTEN_QUEUE": OWN_SERVER,
    "werkzeug.serving.can_fork": OWN_SERVER,
    "werkzeug.serving.generate_adhoc_ssl_context": OWN_SERVER,
    "werkzeug.serving.generate_adhoc_ssl_pair": OWN_SERVER,
    "werkzeug.serving.get_interface_ip": OWN_SERVER,
    "werkzeug.serving.get_sockaddr": OWN_SERVER,
    "werkzeug.serving.is_ssl_error": OWN_SERVER,
    "werkzeug.serving.load_ssl_context": OWN_SERVER,
    "werkzeug.serving.make_ssl_devcert": OWN_SERVER,
    "werkzeug.serving.select_address_family": OWN_SERVER,
    "werkzeug.serving.BaseWSGIServer": OWN_SERVER,
    "werkzeug.serving.ThreadedWSGIServer": OWN_SERVER,
    "werkzeug.serving.WSGIRequestHandler": OWN_SERVER,
    "werkzeug.testapp": "a page about the interpreter, which tells visitors too much",
    "werkzeug.utils.cached_property": "not a `property`: what it has worked out is read without a call",
}
"""Modules, names, members and arguments (``name(argument)``) that ours has not, each with the reason.

What is listed is left out with everything below it.
"""


def is_left_out(name: str) -> bool:
    return any(is_within(name, listed) for listed in LEFT_OUT)


def is_within(name: str, listed: str) -> bool:
    return name == listed or name.startswith((f"{listed}.", f"{listed}("))


MODULES: Final = sorted(
    ["werkzeug", *(found.name for found in pkgutil.walk_packages(werkzeug.__path__, "werkzeug."))]
)


def public_names(module: str) -> list[str]:
    """Return what a module of Werkzeug defines, or, where it is a package for it, what it hands on."""
    found = importlib.import_module(module)
    names: list[str] = []
    for node in ast.parse(Path(str(found.__file__)).read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.append(name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names.append(name)
            case ast.ImportFrom(level=1) if (
                hasattr(found, "__path__") and module != "werkzeug.debug"
            ):
                names += [alias.asname or alias.name for alias in node.names]
            case _:
                pass
    return [
        name
        for name in names
        if not name.startswith("_")
        and hasattr(found, name)  # else deleted again
        and not isinstance(getattr(found, name), ModuleType | TypeVar)
        and get_origin(getattr(found, name)) is None
    ]


def lookup(name: str) -> Any:
    """Return what ``module:name.member`` is."""
    module, _, rest = name.partition(":")
    value: Any = importlib.import_module(module)
    for part in rest.split("."):
        value = getattr(value, part)
    return value


def gaps() -> list[str]:
    """Return the modules, names, members and arguments of Werkzeug's that ours lacks."""
    missing: list[str] = []
    for module in MODULES:
        try:
            importlib.import_module(f"groundwire.{module}")
        except ModuleNotFoundError:
            missing.append(module)
            continue
        for name in public_names(module):
            theirs = lookup(f"{module}:{name}")
            try:
                ours = lookup(f"groundwire.{module}:{name}")
            except AttributeError:
                missing.append(f"{module}.{name}")
                continue
            if getattr(theirs, "__module__", None) == module:
                missing.extend(gaps_within(f"{module}.{name}", theirs, ours))
    return missing


def gaps_within(name: str, theirs: Any, ours: Any) -> list[str]:
    if not inspect.isclass(theirs):
        return missing_arguments(name, theirs, ours) if inspect.isroutine(theirs) else []
    missing = missing_arguments(name, theirs, ours) if not issubclass(theirs, Enum) else []
    for member in sorted(dir(theirs)):
        if member.startswith("_") and member not in {"__call__", "__init__"}:
            continue
        if not hasattr(ours, member) and f"self.{member} =" not in inspect.getsource(ours):
            missing.append(f"{name}.{member}")
            continue
        method = getattr(theirs, member)
        if inspect.isroutine(method) and is_werkzeugs(method):
            missing.extend(missing_arguments(f"{name}.{member}", method, getattr(ours, member)))
    return missing


def is_werkzeugs(method: Any) -> bool:
    return str(getattr(method, "__module__", "")).startswith("werkzeug")


def missing_arguments(name: str, theirs: Any, ours: Any) -> list[str]:
    """Return the arguments that ours does not take, in their place or by their name."""
    wanted, given = parameters_of(theirs), parameters_of(ours)
    kinds = {parameter.kind for parameter in given}
    names = [parameter.name for parameter in given]
    missing: list[str] = []
    for place, parameter in enumerate(wanted):
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            found = parameter.kind in kinds
        elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            found = place < len(given) or inspect.Parameter.VAR_POSITIONAL in kinds
        else:
            found = parameter.name in names or inspect.Parameter.VAR_KEYWORD in kinds
        if not found:
            missing.append(f"{name}({parameter.name})")
    return missing


def parameters_of(value: Any) -> list[inspect.Parameter]:
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):  # a class of the interpreter's own
        return []
    return [given for given in signature.parameters.values() if given.name not in {"self", "cls"}]


GAPS: Final = gaps()


def test_every_gap_is_listed_with_its_reason() -> None:
    assert [] == [gap for gap in GAPS if not is_left_out(gap)]


@pytest.mark.parametrize("listed", LEFT_OUT)
def test_what_is_listed_is_a_gap(listed: str) -> None:
    assert [gap for gap in GAPS if is_within(gap, listed)]


@pytest.mark.parametrize("module", MODULES)
def test_names_are_the_frameworks_own(module: str) -> None:
    if is_left_out(module):
        return
    for name in public_names(module):
        if is_left_out(f"{module}.{name}"):
            continue
        ours = lookup(f"groundwire.{module}:{name}")
        home = str(getattr(ours, "__module__", ""))
        if inspect.isclass(ours) or inspect.isroutine(ours):
            assert not home.startswith(("groundwire.werkzeug", "werkzeug", "flask")), name


@pytest.mark.slow
def test_importing_the_package_gives_its_modules_too() -> None:
    """A program that says ``import werkzeug`` may go on with ``werkzeug.exceptions.NotFound``."""
    script = "import types, {} as p; print(*[n for n in vars(p) if isinstance(vars(p)[n], types.ModuleType)])"

    theirs, ours = (
        set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
        for code in (script.format("werkzeug"), script.format("groundwire.werkzeug"))
    )

    assert theirs <= ours
