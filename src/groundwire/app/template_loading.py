"""Where templates come from: the app's folder, then those of its blueprints, in the order they were registered.

(https://flask.palletsprojects.com/blueprints/#templates)
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

from jinja2 import BaseLoader, TemplateNotFound
from jinja2 import Environment as JinjaEnvironment

from .blueprints import Blueprint
from .current import current

Source = tuple[str, str | None, Callable[[], bool] | None]
"""A template's text, its file, and what tells whether that is still so."""


class Attempt(NamedTuple):
    """One loader that was asked for a template."""

    loader: BaseLoader
    owner: Any
    """The app or the blueprint it belongs to."""

    found: Source | None


class DispatchingJinjaLoader(BaseLoader):
    """Asks the loader of the app, then those of its blueprints; the first that has a template gives it.

    Args:
        app: the `Groundwire` app.

    (Flask: ``flask.templating.DispatchingJinjaLoader``.)
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    def loaders(self) -> Iterator[tuple[Any, BaseLoader]]:
        """Iterate over those who have a loader, and it."""
        for owner in (self.app, *self.app.iter_blueprints()):
            loader = owner.jinja_loader
            if loader is not None:
                yield owner, loader

    def get_source(self, environment: JinjaEnvironment, template: str) -> Source:
        """Return a template's source; with EXPLAIN_TEMPLATE_LOADING, log where it was looked for.

        Raises:
            TemplateNotFound: no loader has it.
        """
        if self.app.config["EXPLAIN_TEMPLATE_LOADING"]:
            attempts = [
                Attempt(loader, owner, _ask(loader, environment, template))
                for owner, loader in self.loaders()
            ]
            explain_template_loading_attempts(self.app, template, attempts)
            sources: Iterator[Source | None] = (attempt.found for attempt in attempts)
        else:
            sources = (_ask(loader, environment, template) for _, loader in self.loaders())
        for source in sources:
            if source is not None:
                return source
        raise TemplateNotFound(template)

    def list_templates(self) -> list[str]:
        """Return the names of all templates.

        Raises:
            TypeError: one of the loaders cannot tell its own.
        """
        return sorted({name for _, loader in self.loaders() for name in loader.list_templates()})


def _ask(loader: BaseLoader, environment: JinjaEnvironment, template: str) -> Source | None:
    try:
        return loader.get_source(environment, template)
    except TemplateNotFound:
        return None


def explain_template_loading_attempts(app: Any, template: str, attempts: list[Any]) -> None:
    """Log which loaders were asked for a template, what each knew, and what is odd about that.

    Args:
        app: the app, to whose logger it goes.
        template: the name.
        attempts: (loader, owner, found) for each, as `Attempt`.

    (Flask: ``flask.debughelpers.explain_template_loading_attempts``.)
    """
    lines = [f"Locating template {template!r}:"]
    for number, (loader, owner, found) in enumerate(attempts, 1):
        lines.append(f"{number:5}: trying loader of {_owner_in_words(app, owner)}")
        lines += [f"       {line}" for line in _loader_in_words(loader)]
        outcome = "no match" if found is None else f"found ({found[1] or '<string>'!r})"
        lines.append(f"       -> {outcome}")
    matches = sum(found is not None for _, _, found in attempts)
    if matches == 0:
        lines.append("Error: the template could not be found.")
    elif matches > 1:
        lines.append("Warning: multiple loaders returned a match for the template.")
    context = current.get(None)
    request = None if context is None else context.request
    if matches != 1 and request is not None and request.blueprint is not None:
        lines += [
            f"  The template was looked up from an endpoint that belongs to the blueprint {request.blueprint!r}.",
            "  Is it in this blueprint's 'template_folder', and does no loader before it have another of that name?",
            "  See https://flask.palletsprojects.com/blueprints/#templates",
        ]
    app.logger.info("\n".join(lines))


def _owner_in_words(app: Any, owner: Any) -> str:
    if owner is app:
        return f"application {owner.import_name!r}"
    if isinstance(owner, Blueprint):
        return f"blueprint {owner.name!r} ({owner.import_name})"
    return repr(owner)


def _loader_in_words(loader: BaseLoader) -> Iterator[str]:
    """Describe a loader by its class and its public attributes that are plain."""
    yield f"class: {type(loader).__module__}.{type(loader).__name__}"
    for name, value in sorted(vars(loader).items()):
        if name.startswith("_"):
            continue
        if isinstance(value, (str, int, float)):
            yield f"{name}: {value!r}"
        elif isinstance(value, (list, tuple)):
            items = cast("list[Any]", value)
            if all(isinstance(item, str) for item in items):
                yield f"{name}:"
                yield from (f"  - {item}" for item in items)
