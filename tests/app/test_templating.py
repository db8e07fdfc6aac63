import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import flask
import pytest
from jinja2 import DictLoader, TemplateNotFound

from fetching import settle_inline
from groundwire import (
    Blueprint,
    Groundwire,
    current_app,
    flash,
    g,
    get_template_attribute,
    render_template,
    render_template_async,
    render_template_string,
    render_template_string_async,
    request,
    session,
    stream_template,
    stream_template_string,
)
from groundwire.app.json_provider import DefaultJSONProvider
from groundwire.app.signals import before_render_template, template_rendered
from groundwire.app.template_loading import (
    DispatchingJinjaLoader,
    explain_template_loading_attempts,
)
from groundwire.app.templating import Environment
from serving import running_server

HOSTILE = "<\"'&>"


@pytest.fixture
def app(tmp_path: Path) -> Groundwire:
    folder = tmp_path / "templates"
    folder.mkdir()
    for name in ("page.html", "page.xml", "page.txt"):
        (folder / name).write_text("{{ value }} {{ request.path }} {{ g.user }} {{ config.MARK }}")
    app = Groundwire("templates", root_path=str(tmp_path))
    app.config["MARK"] = "mark"

    @app.before_request
    def before() -> None:
        g.user = "ann"

    @app.get("/<path:name>")
    def show(name: str) -> str:
        return render_template(name, value=HOSTILE)

    @app.get("/streamed/<path:name>")
    def streamed(name: str) -> Iterator[str]:
        return stream_template(name, value=HOSTILE)

    @app.get("/string")
    def string() -> str:
        return render_template_string("{{ value }}<b>{{ url_for('string') }}</b>", value=HOSTILE)

    return app


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("page.html", "&lt;&#34;&#39;&amp;&gt;"),
        ("page.xml", "&lt;&#34;&#39;&amp;&gt;"),
        ("page.txt", HOSTILE),
    ],
)
def test_what_may_become_html_is_escaped(app: Groundwire, name: str, shown: str) -> None:
    assert f"{shown} /{name} ann mark" == app.test_client().get(f"/{name}").text


def test_a_template_given_as_a_string_is_escaped(app: Groundwire) -> None:
    assert "&lt;&#34;&#39;&amp;&gt;<b>/string</b>" == app.test_client().get("/string").text


def test_tojson_cannot_end_a_script(app: Groundwire) -> None:
    with app.test_request_context():
        shown = render_template_string("<script>x = {{ value|tojson }}</script>", value="</script>")

    assert '<script>x = "\\u003c/script\\u003e"</script>' == shown


def test_context_processors_add_names_and_the_view_s_own_win(app: Groundwire) -> None:
    @app.context_processor
    def more() -> dict[str, Any]:
        return {"a": "processor", "b": "processor", "path": request.path}

    with app.test_request_context("/x"):
        shown = render_template_string("{{ a }} {{ b }} {{ path }}", b="view")

    assert "processor view /x" == shown


def test_the_first_template_that_exists_is_taken(app: Groundwire) -> None:
    with app.test_request_context("/"):
        assert " / " in render_template(["missing.html", "page.html"])
        with pytest.raises(TemplateNotFound):
            render_template("missing.html")
    assert ["page.html", "page.txt", "page.xml"] == app.jinja_env.list_templates()


def test_outside_of_a_request_there_is_no_request(app: Groundwire) -> None:
    with pytest.raises(RuntimeError, match="application context"):
        render_template_string("x")
    with app.app_context():
        assert "no" == render_template_string("{% if request %}yes{% else %}no{% endif %}")
        with pytest.raises(RuntimeError, match="outside of request context"):
            render_template_string("{{ request.path }}")


def test_every_template_sees_the_standard_context(app: Groundwire, tmp_path: Path) -> None:
    app.secret_key = "a key that is long enough for tests"
    (tmp_path / "templates" / "macros.html").write_text(
        "{% macro who() %}{{ request.path }} {{ g.user }} {{ session.cart }} {{ config.MARK }}{% endmacro %}"
    )

    @app.get("/standard")
    def standard() -> str:
        session["cart"] = 3
        flash("hello")
        return render_template_string(
            "{% from 'macros.html' import who %}{{ who() }} {{ session.cart }} {{ get_flashed_messages() }}"
            " {{ url_for('standard') }}"
        )

    shown = app.test_client().get("/standard").text

    assert "/standard ann 3 mark 3 [&#39;hello&#39;] /standard" == shown


def test_tojson_uses_the_apps_provider(app: Groundwire) -> None:
    class Provider(DefaultJSONProvider):
        def dumps(self, obj: Any, **kwargs: Any) -> str:
            return super().dumps({"own": obj}, **kwargs)

    app.json = Provider(app)

    with app.app_context():
        assert '{"own": 1}' == render_template_string("{{ 1|tojson }}")


# --- the environment


def test_the_environment_is_made_once_when_it_is_first_used(app: Groundwire) -> None:
    app.jinja_options = {"trim_blocks": True}  # type: ignore[misc]

    made = app.jinja_env
    app.jinja_options = {"trim_blocks": False}  # type: ignore[misc]

    assert made is app.jinja_env
    assert made.trim_blocks
    assert made.app is app
    assert isinstance(made.loader, DispatchingJinjaLoader)


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("wanted", [None, False, True])
def test_templates_are_reloaded_in_debug_mode_or_as_configured(
    debug: bool, wanted: bool | None
) -> None:
    app = Groundwire("sample", static_folder=None)
    app.config["TEMPLATES_AUTO_RELOAD"] = wanted
    app.config["DEBUG"] = debug

    assert (debug if wanted is None else wanted) is app.jinja_env.auto_reload
    app.debug = not debug
    assert (not debug if wanted is None else wanted) is app.jinja_env.auto_reload


def test_a_template_that_changed_is_read_anew_only_with_auto_reload(
    app: Groundwire, tmp_path: Path
) -> None:
    page = tmp_path / "templates" / "page.html"
    with app.app_context():
        before = render_template("page.html", value=1, request={"path": ""})
        page.write_text("new")
        os.utime(page, (1, 1))
        assert before == render_template("page.html", value=1, request={"path": ""})

        app.debug = True
        assert "new" == render_template("page.html")


def test_parts_may_be_of_ones_own() -> None:
    class Own(Environment):
        pass

    class App(Groundwire):
        jinja_environment = Own
        jinja_options = {"extensions": ["jinja2.ext.do"]}

        def select_jinja_autoescape(self, filename: str | None) -> bool:
            return False

        def create_global_jinja_loader(self) -> DictLoader:
            return DictLoader({"page.html": "{% do [].append(1) %}{{ value }}"})

        def update_template_context(self, context: dict[str, Any]) -> None:
            super().update_template_context(context)
            context["value"] += " own"

    app = App("own", static_folder=None)

    with app.app_context():
        assert f"{HOSTILE} own" == render_template("page.html", value=HOSTILE)
        assert f"{HOSTILE} own" == render_template_string("{{ value }}", value=HOSTILE)
    assert isinstance(app.jinja_env, Own)


def test_a_step_replaced_on_the_app_itself_is_called(app: Groundwire) -> None:
    app.update_template_context = lambda context: context.update(value="replaced")  # type: ignore[method-assign]

    with app.app_context():
        assert "replaced" == render_template_string("{{ value }}")


def test_a_loader_of_ones_own_takes_the_folders_place(app: Groundwire) -> None:
    app.jinja_loader = DictLoader({"only.html": "{{ 1 + 1 }}"})

    with app.app_context():
        assert "2" == render_template("only.html")
        with pytest.raises(TemplateNotFound):
            render_template("page.html")
    assert ["only.html"] == app.jinja_env.list_templates()


def test_without_a_folder_there_is_no_loader() -> None:
    app = Groundwire("sample", static_folder=None, template_folder=None)

    assert app.jinja_loader is None
    assert [] == app.jinja_env.list_templates()


def test_a_macro_can_be_called_from_python(app: Groundwire, tmp_path: Path) -> None:
    (tmp_path / "templates" / "_macro.html").write_text(
        "{% macro hello(name) %}Hello {{ name }}!{% endmacro %}"
    )

    with app.app_context():
        hello = get_template_attribute("_macro.html", "hello")
        assert "Hello &lt;!" == hello("<")
        with pytest.raises(AttributeError):
            get_template_attribute("_macro.html", "missing")


# --- folders


@pytest.fixture
def parted(tmp_path: Path) -> Groundwire:
    """An app with two blueprints that share names of templates."""
    for folder, names in {
        "templates": ["page.html"],
        "one": ["page.html", "one.html", "shared.html"],
        "two": ["two.html", "shared.html"],
    }.items():
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_text(folder)
    app = Groundwire("parted", root_path=str(tmp_path), static_folder=None)
    for name in ("one", "two"):
        blueprint = Blueprint(name, "parted", template_folder=name, root_path=str(tmp_path))

        @blueprint.get(f"/{name}/<path:template>")
        def show(template: str) -> str:
            return render_template(template)

        app.register_blueprint(blueprint)
    return app


@pytest.mark.parametrize(
    ("template", "folder"),
    [("page.html", "templates"), ("one.html", "one"), ("two.html", "two"), ("shared.html", "one")],
)
def test_the_apps_folder_comes_first_then_the_blueprints_in_their_order(
    parted: Groundwire, template: str, folder: str
) -> None:
    for path in (f"/one/{template}", f"/two/{template}"):
        assert folder == parted.test_client().get(path).text
    assert ["one.html", "page.html", "shared.html", "two.html"] == parted.jinja_env.list_templates()


def test_the_search_is_explained_in_the_log(
    parted: Groundwire, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    parted.config["EXPLAIN_TEMPLATE_LOADING"] = True
    parted.logger.setLevel(logging.INFO)
    client = parted.test_client()

    with caplog.at_level(logging.INFO):
        client.get("/one/one.html")
        client.get("/two/shared.html")
        client.get("/two/missing.html")
    found, shared, missing, *_ = [record.getMessage() for record in caplog.records]

    assert "Locating template 'one.html':" == found.split("\n")[0]
    assert "    1: trying loader of application 'parted'" in found
    assert "       class: jinja2.loaders.FileSystemLoader" in found
    assert f"         - {tmp_path / 'templates'}" in found
    assert "       encoding: 'utf-8'" in found
    assert "       -> no match" in found
    assert "    2: trying loader of blueprint 'one' (parted)" in found
    assert f"       -> found ({str(tmp_path / 'one' / 'one.html')!r})" in found
    assert "Warning" not in found
    assert "Warning: multiple loaders returned a match for the template." in shared
    assert "looked up from an endpoint that belongs to the blueprint 'two'" in shared
    assert "Error: the template could not be found." in missing
    assert "See https://flask.palletsprojects.com/blueprints/#templates" in missing


def test_any_loader_and_owner_can_be_explained(
    app: Groundwire, caplog: pytest.LogCaptureFixture
) -> None:
    class Loader(DictLoader):
        def __init__(self) -> None:
            super().__init__({})
            self.level = 3
            self.names = ["a", "b"]
            self.mixed = [1, "b"]
            self._hidden = "hidden"

    app.logger.setLevel(logging.INFO)
    with caplog.at_level(logging.INFO):
        explain_template_loading_attempts(
            app, "x", [(Loader(), "somebody", ("source", None, None))]
        )

    text = caplog.messages[0]
    assert "1: trying loader of 'somebody'" in text
    assert "level: 3" in text
    assert "names:\n         - a\n         - b" in text
    assert "mixed" not in text
    assert "hidden" not in text
    assert "-> found ('<string>')" in text


# --- filters, tests, globals


def add_functions(app: Groundwire, scaffold: Any, prefix: str) -> None:
    """Add each kind in every way there is: decorated with and without a name, and directly."""
    for kind in ("filter", "test", "global"):
        decorate = getattr(scaffold, f"{prefix}template_{kind}")
        add = getattr(scaffold, f"add_{prefix}template_{kind}")

        def own(value: Any = None) -> bool:
            return True

        def bare(value: Any = None) -> bool:
            return True

        assert own is decorate()(own)
        assert own is decorate("named")(own)
        assert own is decorate(name="keyword")(own)
        assert bare is decorate(bare)
        add(own, "added")
        add(own, name="added_keyword")
        add(bare)


NAMES = ["own", "named", "keyword", "bare", "added", "added_keyword"]
USES = "".join(f"{{{{ 1|{name} }}}}{{{{ 1 is {name} }}}}{{{{ {name}() }}}}" for name in NAMES)


def test_functions_can_be_added_to_templates(app: Groundwire) -> None:
    add_functions(app, app, "")

    with app.app_context():
        assert "True" * 18 == render_template_string(USES)


def test_functions_can_be_added_by_a_blueprint(app: Groundwire) -> None:
    blueprint = Blueprint("one", __name__)
    add_functions(app, blueprint, "app_")
    assert "own" not in app.jinja_env.filters

    app.register_blueprint(blueprint)
    with app.app_context():
        assert "True" * 18 == render_template_string(USES)


def test_it_can_be_too_late_to_add_one(app: Groundwire) -> None:
    blueprint = Blueprint("one", __name__)
    app.register_blueprint(blueprint)
    app.test_client().get("/string")

    with pytest.raises(AssertionError, match="'add_template_filter'"):
        app.add_template_filter(str)
    with pytest.raises(AssertionError, match="'app_template_test'"):
        blueprint.app_template_test("x")


# --- context processors and signals


def test_processors_of_a_blueprint_are_for_its_own_views(app: Groundwire) -> None:
    parent = Blueprint("parent", __name__, url_prefix="/parent")
    child = Blueprint("child", __name__, url_prefix="/child")
    template = "{{ app }} {{ parent }} {{ child }}"

    for scaffold, name in ((app, "app"), (parent, "parent"), (child, "child")):
        scaffold.context_processor(lambda name=name: {name: name, "app": name, name[0]: 1})
        scaffold.add_url_rule(f"/{name}-view", name, lambda: render_template_string(template))

    @child.app_context_processor
    def everywhere() -> dict[str, Any]:
        return {"everywhere": True}

    parent.register_blueprint(child)
    app.register_blueprint(parent)
    client = app.test_client()

    assert "app  " == client.get("/app-view").text
    assert "parent parent " == client.get("/parent/parent-view").text
    assert "child parent child" == client.get("/parent/child/child-view").text
    with app.app_context():
        assert "True" == render_template_string("{{ everywhere }}")


def test_signals_tell_of_rendering(app: Groundwire) -> None:
    told: list[Any] = []

    def before(sender: Any, template: Any, context: dict[str, Any], **_: Any) -> None:
        told.append(("before", sender, template.name, context["value"]))
        context["value"] = "changed"

    async def after(sender: Any, template: Any, context: dict[str, Any], **_: Any) -> None:
        told.append(("after", sender, template.name, context["value"]))

    with before_render_template.connected_to(before, app), template_rendered.connected_to(after):
        answers = [
            app.test_client().get("/page.html").text.split()[0],
            app.test_client().get("/streamed/page.txt").text.split()[0],
        ]

    assert ["changed", "changed"] == answers
    assert [
        ("before", app, "page.html", HOSTILE),
        ("after", app, "page.html", "changed"),
        ("before", app, "page.txt", HOSTILE),
        ("after", app, "page.txt", "changed"),
    ] == told


# --- piece by piece


@pytest.mark.parametrize("wire", [False, True], ids=["environ", "wire"])
def test_a_template_can_be_streamed(app: Groundwire, wire: bool) -> None:
    answer = app.test_client(wire=wire).get("/streamed/page.html")

    assert "&lt;&#34;&#39;&amp;&gt; /streamed/page.html ann mark" == answer.text


def test_a_stream_is_made_as_it_is_read(app: Groundwire) -> None:
    seen: list[int] = []

    def numbers() -> Iterator[int]:
        for n in range(3):
            seen.append(n)
            yield n

    with app.app_context():
        stream = stream_template_string(
            "{% for n in numbers %}{{ n }}{% endfor %}", numbers=numbers()
        )

    assert [] == seen
    assert "0" == next(stream)
    assert [0, 1] >= seen
    assert "12" == "".join(stream)
    with pytest.raises(RuntimeError, match="application context"):
        stream_template("page.html")


# --- asynchronous


class AsyncApp(Groundwire):
    jinja_options = {"enable_async": True}


async def soon(value: str) -> str:
    await asyncio.sleep(0.001)
    return f"soon {value}"


async def now(value: str) -> str:
    return f"now {value}"


async def letters() -> AsyncIterator[str]:
    for letter in "abc":
        await asyncio.sleep(0)
        yield letter


@pytest.fixture
def async_app() -> Groundwire:
    app = AsyncApp("async_app", static_folder=None)
    app.logger.disabled = True
    app.add_template_global(soon)
    app.add_template_global(now)
    app.add_template_global(letters)
    page = "{{ SAY('x') }}{% for letter in letters() %}{{ letter }}{% endfor %} {{ request.path }}"
    app.jinja_loader = DictLoader(
        {"soon.html": page.replace("SAY", "soon"), "now.html": "{{ now('x') }} {{ request.path }}"}
    )

    @app.get("/plain")
    def plain() -> str:
        return render_template("soon.html")

    @app.get("/plain-string")
    def plain_string() -> str:
        return render_template_string("{{ soon('x') }}")

    @app.get("/now")
    async def at_once() -> str:
        return render_template("now.html") + render_template_string("{{ now('y') }}")

    @app.get("/refused")
    async def refused() -> str:
        return render_template("soon.html")

    @app.get("/awaited")
    async def waited() -> str:
        string = await render_template_string_async("{{ soon('y') }}")
        return await render_template_async("soon.html") + string

    @app.get("/stream")
    def stream() -> Any:
        return stream_template("soon.html")

    @app.get("/async-stream")
    async def async_stream() -> Any:
        return stream_template("soon.html")

    return app


SOON = "soon xabc "


@pytest.mark.parametrize("way", ["environ", "wire", "server"])
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/plain", f"{SOON}/plain"),
        ("/plain-string", "soon x"),
        ("/now", "now x /nownow y"),
        ("/awaited", f"{SOON}/awaitedsoon y"),
        ("/stream", f"{SOON}/stream"),
        ("/async-stream", f"{SOON}/async-stream"),
    ],
)
def test_templates_may_await_wherever_they_are_rendered(
    async_app: Groundwire, way: str, path: str, text: str
) -> None:
    if way == "server":
        with running_server(async_app) as served, urlopen(served.url + path) as answer:
            assert text == answer.read().decode()
    else:
        for _ in range(2):
            assert text == async_app.test_client(wire=way == "wire").get(path).text


def test_a_plain_render_on_the_loop_never_waits(async_app: Groundwire) -> None:
    async_app.testing = True

    with pytest.raises(RuntimeError, match="await render_template_async"):
        async_app.test_client().get("/refused")


def test_rendering_runs_on_the_servers_loop_beside_other_requests(async_app: Groundwire) -> None:
    loops: list[Any] = []

    async def note() -> str:
        loops.append(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return ""

    async_app.add_template_global(note)

    @async_app.get("/note")
    def note_plain() -> str:
        return render_template_string("{{ note() }}")

    @async_app.get("/note-async")
    async def note_async() -> str:
        loops.append(asyncio.get_running_loop())
        return await render_template_string_async("{{ note() }}")

    @async_app.get("/note-stream")
    def note_stream() -> Any:
        return stream_template_string("{{ note() }}")

    with running_server(async_app) as served:
        for path in ("/note", "/note-async", "/note-stream"):
            with urlopen(served.url + path):
                pass

    assert 4 == len(loops)
    assert 1 == len(set(loops))


def test_context_processors_may_be_coroutine_functions(app: Groundwire) -> None:
    @app.context_processor
    async def more() -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"more": request.path}

    @app.get("/awaited")
    async def waited() -> str:
        return await render_template_string_async("{{ more }}")

    @app.get("/plain")
    def plain() -> str:
        return render_template_string("{{ more }}")

    @app.get("/context")
    def context() -> dict[str, Any]:
        made: dict[str, Any] = {"more": 1, "own": 2}
        current_app.update_template_context(made)
        return {"more": made["more"], "own": made["own"], "g": "g" in made}

    client = app.test_client()

    assert "/awaited" == client.get("/awaited").text
    assert "/plain" == client.get("/plain").text
    assert {"more": 1, "own": 2, "g": True} == client.get("/context").json


def test_a_stream_outside_of_a_request_can_be_read_in_both_ways(async_app: Groundwire) -> None:
    async def read() -> str:
        with async_app.app_context():
            stream: Any = stream_template_string("{{ soon('x') }}{{ now('y') }}")
        return "".join([piece async for piece in stream])

    assert "soon xnow y" == asyncio.run(read())
    with async_app.app_context():
        stream = stream_template_string("{{ soon('x') }}{{ now('y') }}")
        assert "soon x" == next(stream)
        stream.close()  # type: ignore[attr-defined]
        assert "soon xnow y" == "".join(stream_template_string("{{ soon('x') }}{{ now('y') }}"))


def test_a_view_that_renders_runs_on_the_loop_when_it_is_known_not_to_wait() -> None:
    bare = Groundwire("bare", static_folder=None)
    bare.jinja_loader = DictLoader({"page.html": "{{ request.path }} {{ value }}"})
    bare.context_processor(lambda: {"more": 1})
    bare.add_url_rule("/", "view", lambda: render_template("page.html", value=1))

    settle_inline(bare)

    assert "inline" == bare.plans.executions["view"].mode


# --- as Flask


@pytest.mark.parametrize(
    "source",
    [
        "{{ value }} {{ value|safe }} {{ value|tojson }}",
        "{% autoescape false %}{{ value }}{% endautoescape %}",
        "{{ url_for('view', q=value, _external=True) }} {{ url_for('view', _anchor='a') }}",
        "{{ config.DEBUG }} {{ config['TESTING'] }} {{ g.get('x', 1) }} {{ 'x' in g }}",
        "{{ request.method }} {{ request.args.name }} {{ request.headers['Host'] }}",
        "{{ session.get('x') }} {{ get_flashed_messages() }}",
        "{{ {'b': 1, 'a': [true, none, 'é<']}|tojson }} {{ [1]|tojson(indent=2) }}",
        "{% set x = namespace(n=1) %}{{ x.n }}{% macro m() %}<b>{% endmacro %}{{ m() }}",
    ],
)
def test_flask_renders_the_same(source: str) -> None:
    def shown(framework: Any, render: Any) -> str:
        made = framework("same", static_folder=None)
        made.secret_key = "a key that is long enough for tests"
        made.add_url_rule("/", "view", lambda: render(source, value=HOSTILE))
        text: str = made.test_client().get("/?name=a").text
        return text

    assert shown(flask.Flask, flask.render_template_string) == shown(
        Groundwire, render_template_string
    )


@pytest.mark.parametrize(
    "name",
    ["a.html", "a.htm", "a.xml", "a.xhtml", "a.svg", "a.txt", "a.js", "a.html.txt", "a", None],
)
def test_flask_escapes_the_same(name: str | None) -> None:
    ours = Groundwire("same", static_folder=None).select_jinja_autoescape(name)

    assert flask.Flask("same", static_folder=None).select_jinja_autoescape(name) is ours


def test_upper_case_endings_are_escaped_too() -> None:
    """Flask leaves ``PAGE.HTML`` as it is; a file system that ignores case would serve it for page.html."""
    assert Groundwire("same", static_folder=None).select_jinja_autoescape("PAGE.HTML")
