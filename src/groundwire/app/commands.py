"""Commands that know an application: `app.cli`, `blueprint.cli`, and what they hang on.

(Flask: https://flask.palletsprojects.com/en/stable/cli/ and its API reference, Command Line Interface)
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Final, TypeVar, cast

import click
from click.core import ParameterSource

from . import environment
from .current import current
from .environment import get_debug_flag, get_load_dotenv
from .locating import NoAppException, locate_app, prepare_import

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_FILES: Final = ("wsgi.py", "app.py")
"""Where an application is looked for when none was named."""


class ScriptInfo:
    """Knows the application of a command line, and loads it when it is first asked for.

    It is the `obj` of click's contexts.

    Args:
        app_import_path: a file or module, and after a colon the name of an application or factory in it.
        create_app: called for the application, in place of the path.
        set_debug_flag: whether the app's debug mode becomes what the environment says.
        load_dotenv_defaults: whether `.env` and `.flaskenv` are to be read; whoever reads them looks here.

    Attributes:
        data: for whatever a program wants to remember.
    """

    def __init__(
        self,
        app_import_path: str | None = None,
        create_app: Callable[..., Any] | None = None,
        set_debug_flag: bool = True,
        load_dotenv_defaults: bool = True,
    ) -> None:
        self.app_import_path = app_import_path
        self.create_app = create_app
        self.data: dict[Any, Any] = {}
        self.set_debug_flag = set_debug_flag
        self.load_dotenv_defaults = get_load_dotenv(load_dotenv_defaults)
        self._loaded_app: Any = None

    def load_app(self) -> Any:
        """Return the application; the same each time.

        Raises:
            NoAppException: there is none.
            Exception: what the program raised while it was imported, or its factory called.
        """
        if self._loaded_app is None:
            app = self.find_app()
            if self.set_debug_flag:
                app.debug = get_debug_flag()
            self._loaded_app = app
        return self._loaded_app

    def find_app(self) -> Any:
        """Import the program and return its application.

        Raises:
            NoAppException: there is none.
        """
        app: Any = None
        if self.create_app is not None:
            app = self.create_app()
        elif self.app_import_path:
            path, name = _split_import_path(self.app_import_path)
            app = locate_app(prepare_import(path), name)
        else:
            for path in DEFAULT_FILES:
                app = locate_app(prepare_import(path), None, raise_if_not_found=False)
                if app is not None:
                    break
        if app is None:
            raise NoAppException(
                "No application was named, and there is no 'wsgi.py' or 'app.py' in the current folder. Name one with"
                " the option '--app' or the variable 'FLASK_APP' (or 'GROUNDWIRE_APP')."
            )
        return app


def _split_import_path(text: str) -> tuple[str, str | None]:
    """Split at the first colon that is not that of a Windows drive."""
    for index, char in enumerate(text):
        if char == ":" and text[index + 1 : index + 2] not in ("\\", "/"):
            return text[:index], text[index + 1 :]
    return text, None


pass_script_info = click.make_pass_decorator(ScriptInfo, ensure=True)


def with_appcontext(f: F) -> F:
    """Have a command's function called within the context of the command line's application.

    Commands of `app.cli` and `blueprint.cli` are anyway.
    """

    @click.pass_context
    def within(context: click.Context, /, *args: Any, **kwargs: Any) -> Any:
        if current.get(None) is None:
            app = context.ensure_object(ScriptInfo).load_app()
            context.with_resource(app.app_context())
        return context.invoke(f, *args, **kwargs)

    return cast("F", update_wrapper(within, f))


class AppGroup(click.Group):
    """A group whose commands run within the application's context.

    `command` takes ``with_appcontext=False`` to leave that out; groups below it are of this class too.
    """

    def command(  # type: ignore[override]
        self, *args: Any, **kwargs: Any
    ) -> Callable[[Callable[..., Any]], click.Command]:
        """Add the decorated function as a command; arguments as `click.Group.command`'s, and `with_appcontext`."""
        wraps = kwargs.pop("with_appcontext", True)
        add = super().command

        def register(function: Callable[..., Any]) -> click.Command:
            command: click.Command = add(*args, **kwargs)(
                with_appcontext(function) if wraps else function
            )
            return command

        return register

    def group(  # type: ignore[override]
        self, *args: Any, **kwargs: Any
    ) -> Callable[[Callable[..., Any]], click.Group]:
        """Add the decorated function as a group, of the class `AppGroup` unless `cls` says another."""
        kwargs.setdefault("cls", AppGroup)
        register: Callable[[Callable[..., Any]], click.Group] = super().group(*args, **kwargs)
        return register


def _set_debug(
    context: click.Context, parameter: click.Parameter, value: bool | None
) -> bool | None:
    source = context.get_parameter_source(parameter.name or "")
    if value is None or source in (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP):
        return None  # the environment says
    # In the environment, and not in the `ScriptInfo`: an application factory may look before there is an app.
    environment.set_debug_flag(value)
    return value


debug_option = click.Option(
    ["--debug/--no-debug"],
    help="Turn debug mode on or off.",
    expose_value=False,
    callback=_set_debug,
)
