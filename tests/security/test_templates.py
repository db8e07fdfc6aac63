"""What a template puts into a page is text, unless the program says otherwise."""

from pathlib import Path

import pytest

from fetching import fetch, make_app
from groundwire import Groundwire, render_template, render_template_string, request

HOSTILE = "<script>alert(\"1\", '2') & more</script>"
TARGET = "/{}?x=%3Cscript%3Ealert(%221%22,%20'2')%20%26%20more%3C/script%3E"


@pytest.fixture
def app(tmp_path: Path) -> Groundwire:
    folder = tmp_path / "templates"
    folder.mkdir()
    for extension in ("html", "htm", "xml", "xhtml", "svg", "txt"):
        (folder / f"page.{extension}").write_text("<p>{{ x }}</p>")
    (folder / "attribute.html").write_text("<p title=\"{{ x }}\" class='{{ x }}'>")
    (folder / "script.html").write_text("<script>const x = {{ x|tojson }};</script>")
    (folder / "included.html").write_text("{% include 'page.html' %}")
    (folder / "macro.html").write_text("{% macro m(x) %}<b>{{ x }}</b>{% endmacro %}{{ m(x) }}")
    app = make_app(root_path=str(tmp_path))

    @app.route("/<name>")
    def page(name: str) -> str:
        if name == "string":
            return render_template_string("<p>{{ x }}</p>", x=request.args["x"])
        if name == "request":
            return render_template_string("<p>{{ request.args.x }}{{ request.url }}</p>")
        return render_template(name, x=request.args["x"])

    return app


@pytest.mark.parametrize(
    "name",
    ["page.html", "page.htm", "page.xml", "page.xhtml", "page.svg", "attribute.html", "included.html", "macro.html",
     "string", "request"],
)  # fmt: skip
def test_markup_in_a_value_is_text(app: Groundwire, name: str) -> None:
    content = fetch(app, TARGET.format(name)).content

    assert b"<script" not in content
    assert b"&lt;script&gt;alert(&#34;1&#34;, &#39;2&#39;) &amp; more&lt;/script&gt;" in content


def test_plain_text_is_left_alone(app: Groundwire) -> None:
    assert f"<p>{HOSTILE}</p>".encode() == fetch(app, TARGET.format("page.txt")).content


def test_a_value_ends_no_script(app: Groundwire) -> None:
    content = fetch(app, TARGET.format("script.html")).content

    assert 1 == content.count(b"</script>")
    assert b"\\u003c/script\\u003e" in content
