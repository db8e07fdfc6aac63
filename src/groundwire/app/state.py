"""What an application holds: its configuration, its rules, its functions, and how it is called."""

import logging
import os
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar

from ..http.errors import Aborter, HTTPException
from .config import DEFAULTS, OWN_DEFAULTS, Config, ConfigAttribute
from .context import AppGlobals
from .environment import get_debug_flag
from .json_provider import DefaultJSONProvider, JSONProvider
from .log import create_logger
from .plans import PlanTable
from .registry import TrackedDict, TrackedList, tracked
from .routing import Map, Rule
from .scaffold import Scaffold, find_instance_path
from .sessions import SecureCookieSessionInterface, SessionInterface
from .wrappers import Request, Response

MADE_INTO_PLANS = frozenset(
    {
        *("view_functions", "error_handler_spec", "before_request_funcs", "after_request_funcs"),
        *(
            "teardown_request_funcs",
            "url_value_preprocessors",
            "teardown_appcontext_funcs",
            "blueprints",
        ),
    }
)
"""Attributes whose every change counts for the next request, also when a program sets a dict or list of its own."""


def _seconds(value: Any) -> timedelta:
    return value if isinstance(value, timedelta) else timedelta(seconds=value)


class AppState(Scaffold):
    """Base of `Groundwire`: what is set up once and read by every exchange. Arguments as `Groundwire`'s."""

    request_class: type[Any] = Request
    response_class: type[Response] = Response
    aborter_class = Aborter
    app_ctx_globals_class: type[Any] = AppGlobals
    config_class: type[Config] = Config
    url_rule_class: type[Rule] = Rule
    url_map_class: type[Map] = Map
    json_provider_class: type[JSONProvider] = DefaultJSONProvider
    session_interface: SessionInterface = SecureCookieSessionInterface()
    default_config: ClassVar[Any] = DEFAULTS

    testing = ConfigAttribute("TESTING")
    secret_key = ConfigAttribute("SECRET_KEY")
    permanent_session_lifetime = ConfigAttribute("PERMANENT_SESSION_LIFETIME", _seconds)

    steps_of_class: ClassVar[dict[str, Any]] = {}
    """The steps of an exchange as Groundwire defines them; see `groundwire.app.steps`."""

    def __init__(
        self,
        import_name: str,
        static_url_path: str | None = None,
        static_folder: str | os.PathLike[str] | None = "static",
        static_host: str | None = None,
        host_matching: bool = False,
        subdomain_matching: bool = False,
        template_folder: str | os.PathLike[str] | None = "templates",
        instance_path: str | None = None,
        instance_relative_config: bool = False,
        root_path: str | None = None,
    ) -> None:
        self.plans = PlanTable()
        self._got_first_request = False
        super().__init__(import_name, static_folder, static_url_path, template_folder, root_path)
        if instance_path is None:
            instance_path = self.auto_find_instance_path()
        elif not os.path.isabs(instance_path):
            raise ValueError(
                f"The 'instance_path' must be absolute, not {instance_path!r}: a relative one would depend on the"
                " folder the program is started in."
            )
        self.instance_path = instance_path
        self.config = self.make_config(instance_relative_config)
        self.aborter = self.make_aborter()
        self.json: Any = self.json_provider_class(self)
        self.extensions: dict[str, Any] = {}
        self.subdomain_matching = subdomain_matching
        self.url_build_error_handlers: list[Callable[..., Any]] = []
        changed = self.setup_changed
        self.teardown_appcontext_funcs: list[Callable[..., Any]] = TrackedList(changed)
        self.shell_context_processors: list[Callable[..., Any]] = []
        self.blueprints: dict[str, Any] = TrackedDict(changed)
        self.url_map = self.url_map_class(host_matching=host_matching)
        self.static_host = static_host
        self.add_static_rule()

    def add_static_rule(self) -> None:
        """Register the rule of static files, where there are any. Called when everything else is there."""

    # Names

    @cached_property
    def name(self) -> str:  # type: ignore[override]
        """The import name, or the name of the file that is run."""
        path: str | None = getattr(sys.modules["__main__"], "__file__", None)
        if self.import_name != "__main__" or path is None:
            return self.import_name
        return os.path.splitext(os.path.basename(path))[0]

    @cached_property
    def logger(self) -> logging.Logger:
        """The logger called like the app. In debug mode it shows all there is, unless a level was set."""
        return create_logger(self)

    @property
    def debug(self) -> bool:
        """Whether debug mode is on."""
        return bool(self.config["DEBUG"])

    @debug.setter
    def debug(self, value: bool) -> None:
        self.config["DEBUG"] = value
        made = vars(self).get("jinja_env")
        if made is not None and self.config["TEMPLATES_AUTO_RELOAD"] is None:
            made.auto_reload = value

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    # Making

    def make_config(self, instance_relative: bool = False) -> Config:
        """Make the configuration, whose files are relative to the root path or the instance path."""
        root_path = self.instance_path if instance_relative else self.root_path
        defaults = {**OWN_DEFAULTS, **self.default_config}
        defaults["DEBUG"] = get_debug_flag()
        return self.config_class(root_path, defaults)

    def auto_find_instance_path(self) -> str:
        """Return the instance path of an app that was given none."""
        return find_instance_path(self.import_name)

    def make_aborter(self) -> Aborter:
        """Make what `abort` raises with."""
        return self.aborter_class()

    def open_instance_resource(
        self, resource: str, mode: str = "rb", encoding: str | None = "utf-8"
    ) -> Any:
        """Open a file relative to `instance_path`, for reading or writing."""
        path = os.path.join(self.instance_path, resource)
        return open(path, mode, encoding=None if "b" in mode else encoding)

    # Change

    @property
    def setup_changed(self) -> Callable[[], None]:
        """What makes the app forget its endpoint plans: something they were made from has changed.

        It does not hold the app, so that an app which nobody needs is gone at once, as Flask's is.
        """
        return self.plans.forget

    def __setattr__(self, name: str, value: Any) -> None:
        if name in MADE_INTO_PLANS:
            value = tracked(value, self.setup_changed)
        elif name == "url_map":
            value.on_change.append(self.setup_changed)
        elif name == "config" and isinstance(value, Config):
            value.on_change = self.setup_changed
        object.__setattr__(self, name, value)
        plans = self.__dict__.get("plans")
        if plans is not None:  # a subclass may set attributes before its base is initialized
            plans.forget()

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        self.plans.forget()

    def note_first_request(self) -> None:
        """Remember that a request was handled, so that it is too late for set-up."""
        if not self._got_first_request:
            object.__setattr__(self, "_got_first_request", True)  # which changes no plan

    def _check_setup_finished(self, name: str) -> None:
        """Raise AssertionError when requests were handled already."""
        if self._got_first_request:
            raise AssertionError(
                f"The setup method {name!r} can no longer be called on the application {self.name!r}: it has handled"
                " its first request, and what is set up now would count for some requests and not for others. Do it"
                " where the app is made, before it is run."
            )

    # Error handlers

    def _find_error_handler(
        self, error: Exception, blueprints: Iterable[str]
    ) -> Callable[..., Any] | None:
        """Return the handler for `error`.

        By code before by class alone, of a blueprint before the app's, and of classes the nearest.
        """
        code = error.code if isinstance(error, HTTPException) else None
        scopes: tuple[str | None, ...] = (*blueprints, None)
        spec = self.error_handler_spec
        for wanted in (code, None) if code is not None else (None,):
            for scope in scopes:
                handlers = by_code.get(wanted) if (by_code := spec.get(scope)) else None
                if not handlers:
                    continue
                for kind in type(error).__mro__:
                    if kind in handlers:
                        return handlers[kind]
        return None
