from pathlib import Path
from typing import Any

import pytest
from jinja2 import TemplateNotFound

from groundwire import Groundwire, g, render_template, render_template_string, request

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
        assert "" == render_template_string("{{ request }}")
