"""Blueprints: parts of an application that are set up apart and registered on it (https://flask.palletsprojects.com/blueprints/)."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from .context import app_context
from .scaffold import setup_method
from .static import max_age_of, send_static, sends_static
from .template_functions import BlueprintTemplateFunctions

F = TypeVar("F", bound=Callable[..., Any])

Deferred = Callable[["BlueprintSetupState"], None]


OWN_NAME: Any = object()
"""The `cli_group` of a blueprint whose commands are grouped under the name it is registered by."""


class BlueprintSetupState:
    """One registration of a blueprint on an app, handed to the functions given to `Blueprint.record`."""

    def __init__(
        self, blueprint: "Blueprint", app: Any, options: dict[str, Any], first_registration: bool
    ) -> None:
        self.app = app
        self.blueprint = blueprint
        self.options = options
        self.first_registration = first_registration
        subdomain = options.get("subdomain")
        self.subdomain = blueprint.subdomain if subdomain is None else subdomain
        prefix = options.get("url_prefix")
        self.url_prefix: str | None = blueprint.url_prefix if prefix is None else prefix
        self.name: str = options.get("name", blueprint.name)
        self.name_prefix: str = options.get("name_prefix", "")
        self.url_defaults = {**blueprint.url_values_defaults, **options.get("url_defaults", {})}

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        **options: Any,
    ) -> None:
        """Register a rule on the app, below the blueprint's prefix and name."""
        if self.url_prefix is not None:
            rule = f"{self.url_prefix.rstrip('/')}/{rule.lstrip('/')}" if rule else self.url_prefix
        options.setdefault("subdomain", self.subdomain)
        if endpoint is None:
            if view_func is None:
                raise AssertionError(
                    f"The rule {rule!r} needs an 'endpoint' or a view to name it by."
                )
            endpoint = view_func.__name__
        own_defaults: dict[str, Any] = options.pop("defaults", None) or {}
        defaults = {**self.url_defaults, **own_defaults}
        self.app.add_url_rule(
            rule,
            f"{self.name_prefix}.{self.name}.{endpoint}".lstrip("."),
            view_func,
            defaults=defaults,
            **options,
        )


class Blueprint(BlueprintTemplateFunctions):
    """A part of an application.

    Args:
        name: goes before the names of its endpoints.
        import_name: name of the module it is defined in, usually ``__name__``.
        static_folder: folder of static files, relative to the root path.
        static_url_path: where they are served, below `url_prefix`.
        template_folder: folder of templates, relative to the root path.
        url_prefix: goes before its rules.
        subdomain: of its rules.
        url_defaults: values that its views get beside the rule's parameters.
        root_path: folder of the module, if it cannot be found by `import_name`.
        cli_group: name its commands are grouped under; by default its own, None for no group.

    Raises:
        ValueError: `name` is empty or has a dot.
    """

    _got_registered_once = False

    def __init__(
        self,
        name: str,
        import_name: str,
        static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None,
        template_folder: str | os.PathLike[str] | None = None,
        url_prefix: str | None = None,
        subdomain: str | None = None,
        url_defaults: dict[str, Any] | None = None,
        root_path: str | None = None,
        cli_group: str | None = OWN_NAME,
    ) -> None:
        super().__init__(import_name, static_folder, static_url_path, template_folder, root_path)
        if not name:
            raise ValueError("A blueprint needs a name: it goes before the names of its endpoints.")
        if "." in name:
            raise ValueError(
                f"The name of a blueprint has no dot, unlike {name!r}: dots stand between nested blueprints."
            )
        self.name = name
        self.url_prefix = url_prefix
        self.subdomain = subdomain
        self.deferred_functions: list[Deferred] = []
        self.url_values_defaults = dict(url_defaults or {})
        self.cli_group = cli_group
        self._blueprints: list[tuple[Blueprint, dict[str, Any]]] = []

    def _check_setup_finished(self, name: str) -> None:
        """Raise AssertionError when it was registered already."""
        if self._got_registered_once:
            raise AssertionError(
                f"The setup method {name!r} can no longer be called on the blueprint {self.name!r}: it has been"
                " registered, and the app would not learn of it. Do it before `register_blueprint`."
            )

    @setup_method
    def record(self, func: Deferred) -> None:
        """Have `func` called with the `BlueprintSetupState` of each registration."""
        self.deferred_functions.append(func)

    @setup_method
    def record_once(self, func: Deferred) -> None:
        """Have `func` called with the `BlueprintSetupState` of the first registration on each app."""

        @wraps(func)
        def once(state: BlueprintSetupState) -> None:
            if state.first_registration:
                func(state)

        self.record(once)

    def make_setup_state(
        self, app: Any, options: dict[str, Any], first_registration: bool = False
    ) -> BlueprintSetupState:
        """Make the state of one registration; override it to use a class of your own."""
        return BlueprintSetupState(self, app, options, first_registration)

    @setup_method
    def register_blueprint(self, blueprint: "Blueprint", **options: Any) -> None:
        """Nest a blueprint in this one.

        Raises:
            ValueError: it is this one.
        """
        if blueprint is self:
            raise ValueError(f"The blueprint {self.name!r} cannot be nested in itself.")
        self._blueprints.append((blueprint, options))

    @setup_method
    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Register a rule and its view on each app this is registered on; see `Groundwire.add_url_rule`.

        Raises:
            ValueError: the endpoint, or the name of the view, has a dot.
        """
        if endpoint and "." in endpoint:
            raise ValueError(f"An endpoint of a blueprint has no dot, unlike {endpoint!r}.")
        if view_func and "." in getattr(view_func, "__name__", ""):
            raise ValueError(
                f"The view {view_func.__name__!r} has a dot in its name. Give an 'endpoint' without one."
            )
        self.record(
            lambda state: state.add_url_rule(
                rule,
                endpoint,
                view_func,
                provide_automatic_options=provide_automatic_options,
                **options,
            )
        )

    def register(self, app: Any, options: dict[str, Any]) -> None:
        """Add all this has set up to an app, and then what is nested in it.

        Args:
            app: the app.
            options: `url_prefix`, `subdomain` and `url_defaults` in place of its own, and a `name`.

        Raises:
            ValueError: a blueprint is registered under that name already.
        """
        prefix: str = options.get("name_prefix", "")
        name = f"{prefix}.{options.get('name', self.name)}".lstrip(".")
        if name in app.blueprints:
            same = "this" if app.blueprints[name] is self else "a different"
            raise ValueError(
                f"The name {name!r} is already registered for {same} blueprint. Register this one under another, by"
                " 'name='."
            )
        first_of_blueprint = not any(other is self for other in app.blueprints.values())
        app.blueprints[name] = self
        self._got_registered_once = True
        state = self.make_setup_state(app, options, first_of_blueprint)
        if self.has_static_folder:
            state.add_url_rule(
                f"{self.static_url_path}/<path:filename>",
                view_func=self.send_static_file,
                endpoint="static",
            )
        self._merge_blueprint_funcs(app, name)
        for deferred in self.deferred_functions:
            deferred(state)
        self._merge_commands(app, options.get("cli_group", self.cli_group), name)
        for blueprint, own_options in self._blueprints:
            nested = {**own_options, "name_prefix": name}
            prefix_of_nested = own_options.get("url_prefix")
            if prefix_of_nested is None:
                prefix_of_nested = blueprint.url_prefix
            nested["url_prefix"] = _joined(state.url_prefix, prefix_of_nested)
            subdomain = own_options.get("subdomain")
            if subdomain is None:
                subdomain = blueprint.subdomain
            if state.subdomain is not None:
                subdomain = f"{subdomain}.{state.subdomain}" if subdomain else state.subdomain
            if subdomain is not None:
                nested["subdomain"] = subdomain
            blueprint.register(app, nested)

    def _merge_commands(self, app: Any, group: str | None, name: str) -> None:
        if "cli" not in vars(self) or not self.cli.commands:
            return
        if group is None:
            app.cli.commands.update(self.cli.commands)
        else:
            self.cli.name = name if group is OWN_NAME else group
            app.cli.add_command(self.cli)

    def _merge_blueprint_funcs(self, app: Any, name: str) -> None:
        def own(scope: str | None) -> str:
            return name if scope is None else f"{name}.{scope}"

        for attribute in (
            *("before_request_funcs", "after_request_funcs", "teardown_request_funcs"),
            *("url_default_functions", "url_value_preprocessors", "template_context_processors"),
        ):
            functions: dict[str | None, list[Any]] = getattr(app, attribute)
            for scope, added in getattr(self, attribute).items():
                functions.setdefault(own(scope), []).extend(added)
        for scope, by_code in self.error_handler_spec.items():
            for code, handlers in by_code.items():
                app.error_handler_spec[own(scope)][code].update(handlers)
        for endpoint, function in self.view_functions.items():
            app.view_functions[endpoint] = function

    @sends_static
    def send_static_file(self, filename: str) -> Any:
        """Answer with a file of the blueprint's static folder."""
        folder = self.static_folder
        if folder is None:
            raise RuntimeError(
                f"The blueprint {self.name!r} has no 'static_folder' to serve files from."
            )
        return send_static(folder, filename, max_age=self.get_send_file_max_age(filename))

    @sends_static
    def get_send_file_max_age(self, filename: str | None) -> int | None:
        """Return how many seconds a client may keep a file without asking; see the app's method of that name."""
        app: Any = app_context().app
        return max_age_of(app.config["SEND_FILE_MAX_AGE_DEFAULT"])

    # For the whole app

    @setup_method
    def before_app_request(self, f: F) -> F:
        """As `before_request`, for each request of the app."""
        return self._for_app("before_request_funcs", f)

    @setup_method
    def after_app_request(self, f: F) -> F:
        """As `after_request`, for each request of the app."""
        return self._for_app("after_request_funcs", f)

    @setup_method
    def teardown_app_request(self, f: F) -> F:
        """As `teardown_request`, for each request of the app."""
        return self._for_app("teardown_request_funcs", f)

    @setup_method
    def app_context_processor(self, f: F) -> F:
        """As `context_processor`, for each template of the app."""
        return self._for_app("template_context_processors", f)

    @setup_method
    def app_url_value_preprocessor(self, f: F) -> F:
        """As `url_value_preprocessor`, for each request of the app."""
        return self._for_app("url_value_preprocessors", f)

    @setup_method
    def app_url_defaults(self, f: F) -> F:
        """As `url_defaults`, for each URL of the app."""
        return self._for_app("url_default_functions", f)

    def _for_app(self, attribute: str, function: F) -> F:
        def record(state: BlueprintSetupState) -> None:
            getattr(state.app, attribute).setdefault(None, []).append(function)

        self.record_once(record)
        return function

    @setup_method
    def app_errorhandler(self, code: type[Exception] | int) -> Callable[[F], F]:
        """As `errorhandler`, for each request of the app."""

        def register(function: F) -> F:
            self.record_once(lambda state: state.app.register_error_handler(code, function))
            return function

        return register


def _joined(outer: str | None, inner: str | None) -> str | None:
    if outer is None or inner is None:
        return outer if inner is None else inner
    return f"{outer.rstrip('/')}/{inner.lstrip('/')}"
