"""Templates, by Jinja (https://flask.palletsprojects.com/templating/)."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from jinja2 import BaseLoader, Environment, FileSystemLoader, Template, TemplateNotFound

from .context import app_context
from .current import current

AUTOESCAPED = (".html", ".htm", ".xml", ".xhtml", ".svg")


class AppLoader(BaseLoader):
    """Loads templates from the app's folder, then from those of its blueprints."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def _loaders(self) -> Iterator[FileSystemLoader]:
        owners: list[Any] = [self._app, *self._app.blueprints.values()]
        for owner in owners:
            if owner.template_folder is not None:
                yield FileSystemLoader(Path(owner.root_path, owner.template_folder))

    def get_source(self, environment: Environment, template: str) -> Any:
        """Return a template's source, file name, and whether it is still that."""
        for loader in self._loaders():
            try:
                return loader.get_source(environment, template)
            except TemplateNotFound:
                continue
        raise TemplateNotFound(template)

    def list_templates(self) -> list[str]:
        """Return the names of all templates."""
        return sorted({name for loader in self._loaders() for name in loader.list_templates()})


class AppTemplates:
    """The part of an app that renders templates."""

    jinja_environment: type[Environment] = Environment
    jinja_options: ClassVar[dict[str, Any]] = {}

    @cached_property
    def jinja_env(self) -> Environment:
        """The Jinja environment, made when it is first used."""
        return self.create_jinja_environment()

    def create_jinja_environment(self) -> Environment:
        """Make the Jinja environment, with `jinja_options`."""
        return make_environment(self, **self.jinja_options)

    def update_template_context(self, context: dict[str, Any]) -> None:
        """Add `request`, `g` and what the `context_processor` functions give; names given by the view stay."""
        given = context.copy()
        context.update(processed_context(self))
        context.update(given)


def make_environment(app: Any, **options: Any) -> Environment:
    """Make the Jinja environment of `app`: its loader, autoescaping, and what every template sees."""
    reload = app.config.get("TEMPLATES_AUTO_RELOAD")
    options.setdefault("autoescape", select_autoescape)
    options.setdefault("auto_reload", app.debug if reload is None else reload)
    options.setdefault("loader", AppLoader(app))
    environment: Environment = app.jinja_environment(**options)
    environment.globals.update(url_for=app.url_for, config=app.config)
    environment.policies["json.dumps_function"] = app.json.dumps
    return environment


def select_autoescape(filename: str | None) -> bool:
    """Escape what may become HTML: templates of these types, and those given as a string."""
    return filename is None or filename.lower().endswith(AUTOESCAPED)


def render_template(name_or_template: str | Template | list[str | Template], **context: Any) -> str:
    """Render a template, the first that exists of a list, with `context`.

    Raises:
        jinja2.TemplateNotFound: there is none of that name.
        RuntimeError: outside of an app context.
    """
    app: Any = app_context().app
    return _render(app, app.jinja_env.get_or_select_template(name_or_template), context)


def render_template_string(source: str, **context: Any) -> str:
    """Render a template given as a string; what it inserts is escaped as for HTML."""
    app: Any = app_context().app
    return _render(app, app.jinja_env.from_string(source), context)


def _render(app: Any, template: Template, context: dict[str, Any]) -> str:
    app.update_template_context(context)
    return template.render(context)


def default_context() -> dict[str, Any]:
    """Return what every template sees of the exchange: `request` and `g`."""
    context = current.get()
    if context.request is None:
        return {"g": context.g}
    return {"request": context.request, "g": context.g}


def processed_context(app: Any) -> dict[str, Any]:
    """Return what the `context_processor` functions of the app and of the request's blueprints give."""
    context = current.get()
    scopes: list[str | None] = [None]
    if context.request is not None:
        scopes += reversed(context.request.blueprints)
    found = default_context()
    for scope in scopes:
        for function in app.template_context_processors.get(scope, ()):
            found.update(app.ensure_sync(function)())
    return found
