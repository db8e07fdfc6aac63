"""Templates, by Jinja (https://flask.palletsprojects.com/templating/).

What rendering does is written once, as steps (see `groundwire.app.execution`): context processors, receivers of
signals and templates may be asynchronous, and whoever renders awaits them in the way that is right where he is.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, ClassVar, cast

from jinja2 import BaseLoader, Template
from jinja2 import Environment as JinjaEnvironment

from ..http.properties import cached_property
from . import signals
from .awaiting import awaited, run_here
from .context import app_context
from .current import current
from .execution import Steps
from .lifecycle import sent
from .streaming import AwaitedStream, stream_with_context
from .template_context import STANDARD_GLOBALS
from .template_functions import AppTemplateFunctions
from .template_loading import DispatchingJinjaLoader
from .ways import Ways

AUTOESCAPED = (".html", ".htm", ".xml", ".xhtml", ".svg")

Templates = str | Template | list[str | Template]
"""What can be rendered: a template, its name, or several of these, of which the first that exists is taken."""

WITH_AWAIT = (
    "A template, a context processor or a receiver of a signal awaits something. In a coroutine use `await"
    " render_template_async(...)` or `await render_template_string_async(...)`, or return `stream_template(...)`."
)

App = Any
"""The `Groundwire` app, whose class is defined on top of this."""


class Environment(JinjaEnvironment):
    """A Jinja environment that finds templates by an app's loader.

    Args:
        app: the app.
        options: as Jinja's own; `loader` is by default what `app.create_global_jinja_loader` makes.
    """

    def __init__(self, app: App, **options: Any) -> None:
        if "loader" not in options:
            options["loader"] = app.create_global_jinja_loader()
        super().__init__(**options)
        self.app = app


class AppTemplates(AppTemplateFunctions):
    """The part of an app that renders templates."""

    jinja_environment: type[Any] = Environment
    """What `create_jinja_environment` makes."""

    jinja_options: ClassVar[dict[str, Any]] = {}
    """Options of the Jinja environment. It is made at its first use, and does not see later changes."""

    config: Any

    @cached_property
    def jinja_env(self) -> JinjaEnvironment:
        """The Jinja environment, made when it is first used."""
        # Two threads that are first at the same time may both make one; the first that is there is everybody's.
        made: JinjaEnvironment = vars(self).setdefault("jinja_env", self.create_jinja_environment())
        return made

    def create_jinja_environment(self) -> JinjaEnvironment:
        """Make the Jinja environment, with `jinja_options`, and what every template sees."""
        app: App = self
        options = dict(self.jinja_options)
        options.setdefault("autoescape", self.select_jinja_autoescape)
        if "auto_reload" not in options:
            reload = self.config["TEMPLATES_AUTO_RELOAD"]
            options["auto_reload"] = app.debug if reload is None else reload
        environment: JinjaEnvironment = self.jinja_environment(self, **options)
        environment.globals.update(url_for=app.url_for, config=self.config, **STANDARD_GLOBALS)
        environment.policies["json.dumps_function"] = app.json.dumps
        return environment

    def create_global_jinja_loader(self) -> BaseLoader:
        """Make the loader of the Jinja environment. To change where templates come from, set `jinja_loader`."""
        return DispatchingJinjaLoader(self)

    def select_jinja_autoescape(self, filename: str | None) -> bool:
        """Escape what may become HTML: templates of these types, and those given as a string."""
        return filename is None or filename.lower().endswith(AUTOESCAPED)

    def update_template_context(self, context: dict[str, Any]) -> None:
        """Add what the `context_processor` functions give. What `context` has already stays as it is."""
        run_here(processed(self, context), WITH_AWAIT)


# The steps


def processed(app: App, context: dict[str, Any]) -> Steps[None]:
    """Add to `context` what the `context_processor` functions of the app and of the request's blueprints give."""
    ways: Ways = app.plans.ways
    given = context.copy()
    scopes: list[str | None] = [None]
    place = current.get(None)
    if place is not None and place.request is not None:
        scopes += reversed(place.request.blueprints)
    for scope in scopes:
        for function in app.template_context_processors.get(scope, ()):
            context.update((yield from ways.called(app, "context_processor", function)))
    context.update(given)


def begun(app: App, template: Template, context: dict[str, Any]) -> Steps[None]:
    """Make a template's context whole and tell who listens that it will be rendered."""
    kind = cast("Any", type(app))
    own = kind.update_template_context is AppTemplates.update_template_context
    if own and "update_template_context" not in vars(app):
        yield from processed(app, context)
    else:
        app.update_template_context(context)
    yield from sent(app, signals.before_render_template, template=template, context=context)


def rendered(app: App, template: Template, context: dict[str, Any]) -> Steps[str]:
    """Render a template with `context`, tell who listens, and return the text."""
    yield from begun(app, template, context)
    if template.environment.is_async:
        text: str = yield template.render_async(context)
    else:
        text = template.render(context)
    yield from sent(app, signals.template_rendered, template=template, context=context)
    return text


# Rendering whole


def _named(template_name_or_list: Templates) -> tuple[App, Template]:
    app: App = app_context().app
    return app, app.jinja_env.get_or_select_template(template_name_or_list)


def _given(source: str) -> tuple[App, Template]:
    app: App = app_context().app
    return app, app.jinja_env.from_string(source)


def render_template(template_name_or_list: Templates, **context: Any) -> str:
    """Render a template, the first that exists of a list, with `context`.

    Raises:
        jinja2.TemplateNotFound: there is none of that name.
        RuntimeError: outside of an app context; or a template that waits for something is rendered on the event loop:
            use `render_template_async` there.
    """
    app, template = _named(template_name_or_list)
    text: str = run_here(rendered(app, template, context), WITH_AWAIT)
    return text


def render_template_string(source: str, **context: Any) -> str:
    """Render a template given as a string; what it inserts is escaped as for HTML.

    Raises:
        RuntimeError: as `render_template`.
    """
    app, template = _given(source)
    text: str = run_here(rendered(app, template, context), WITH_AWAIT)
    return text


async def render_template_async(template_name_or_list: Templates, **context: Any) -> str:
    """Render a template as `render_template` does; what is to be awaited is awaited.

    For templates that wait for something, which Jinja allows with ``jinja_options = {"enable_async": True}``.

    Raises:
        jinja2.TemplateNotFound: there is none of that name.
        RuntimeError: outside of an app context.
    """
    app, template = _named(template_name_or_list)
    text: str = await awaited(rendered(app, template, context))
    return text


async def render_template_string_async(source: str, **context: Any) -> str:
    """Render a template given as a string as `render_template_string` does; what is to be awaited is awaited.

    Raises:
        RuntimeError: outside of an app context.
    """
    app, template = _given(source)
    text: str = await awaited(rendered(app, template, context))
    return text


def get_template_attribute(template_name: str, attribute: str) -> Any:
    """Return what a template defines under a name, such as a macro, to be used from Python.

    Raises:
        jinja2.TemplateNotFound: there is no such template.
        AttributeError: it defines nothing of that name.
        RuntimeError: outside of an app context; or templates are asynchronous.
    """
    app: App = app_context().app
    return getattr(app.jinja_env.get_template(template_name).module, attribute)


# Rendering piece by piece


def stream_template(template_name_or_list: Templates, **context: Any) -> Iterator[str]:
    """Render a template piece by piece: return an iterator that a view can answer with.

    `request`, `session` and `g` stay what they are until its end. Where templates are asynchronous it can be iterated
    over by ``async for`` too, and the server does.

    Raises:
        jinja2.TemplateNotFound: there is none of that name.
        RuntimeError: as `render_template`.
    """
    return _stream(*_named(template_name_or_list), context)


def stream_template_string(source: str, **context: Any) -> Iterator[str]:
    """Render a template given as a string piece by piece; see `stream_template`.

    Raises:
        RuntimeError: as `render_template`.
    """
    return _stream(*_given(source), context)


def _stream(app: App, template: Template, context: dict[str, Any]) -> Iterator[str]:
    run_here(begun(app, template, context), WITH_AWAIT)
    make: Callable[..., Any] = _pieces_async if template.environment.is_async else _pieces
    stream: Iterator[str] = make(app, template, context)
    if app_context().request is not None:
        return stream_with_context(stream)
    return AwaitedStream(cast("Any", stream)) if template.environment.is_async else stream


def _pieces(app: App, template: Template, context: dict[str, Any]) -> Iterator[str]:
    yield from template.generate(context)
    run_here(_told(app, template, context), WITH_AWAIT)


async def _pieces_async(
    app: App, template: Template, context: dict[str, Any]
) -> AsyncIterator[str]:
    async for piece in template.generate_async(context):
        yield piece
    await awaited(_told(app, template, context))


def _told(app: App, template: Template, context: dict[str, Any]) -> Steps[None]:
    yield from sent(app, signals.template_rendered, template=template, context=context)
