"""Flask's page "Templates": what an app and its blueprints add to them, and in which order."""

from flask import (
    Blueprint,
    Flask,
    before_render_template,
    flash,
    g,
    get_template_attribute,
    render_template,
    render_template_string,
    request,
    session,
    stream_template_string,
    template_rendered,
)
from jinja2 import DictLoader, TemplateNotFound

app = Flask(__name__)
app.secret_key = "a key for the tests alone"
app.logger.disabled = True
app.jinja_options = {"trim_blocks": True}
app.jinja_loader = DictLoader(
    {
        "own.html": "own {{ name }}",
        "shared.html": "the app's {{ name }}",
        "own.txt": "plain {{ name }}",
        "own.svg": "<svg>{{ name }}</svg>",
        "_macros.html": "{% macro greet(who) %}Hello {{ who }} at {{ request.path }}{% endmacro %}",
        "imports.html": "{% from '_macros.html' import greet %}{{ greet('Ann') }}",
        "with_context.html": "{% from '_macros.html' import greet with context %}{{ greet(name) }}",
        "broken.html": "{% if %}",
        "includes.html": "{% include ['none.html', 'own.html'] %} {% include 'none' ignore missing %}",
        "extends.html": "{% extends base %}{% block body %}<{{ super() }}>{% endblock %}",
        "base.html": "{% block body %}base{% endblock %}",
    }
)
told = []


@app.template_filter()
def reverse(text):
    return text[::-1]


@app.template_filter("shout")
def loudly(text):
    return text.upper()


@app.template_test()
def palindrome(text):
    return text == text[::-1]


@app.template_global()
def twice(value):
    return value * 2


app.add_template_filter(len, "length_of")
app.add_template_test(str.isdigit, "numeric_text")
app.add_template_global(max, "largest")


@app.context_processor
def of_app():
    return {"site": "app", "name": "processor", "path": request.path}


@app.context_processor
def more_of_app():
    return {"more": "more", "site": "app again"}


part = Blueprint("part", __name__, url_prefix="/part")
part.jinja_loader = DictLoader(
    {"shared.html": "the blueprint's {{ name }}", "part.html": "part {{ site }} {{ inner }}"}
)
inner = Blueprint("inner", __name__, url_prefix="/inner")


@part.context_processor
def of_part():
    return {"site": "part"}


@inner.context_processor
def of_inner():
    return {"inner": "inner"}


@part.app_context_processor
def of_all():
    return {"everywhere": "everywhere"}


@part.app_template_filter("dotted")
def dotted(text):
    return ".".join(text)


@part.app_template_test()
def short(text):
    return len(text) < 3


@part.app_template_global()
def answer():
    return 42


@part.get("/")
@inner.get("/")
def show():
    return render_template("part.html")


@part.get("/shared")
def shared():
    return render_template("shared.html")


part.register_blueprint(inner)
app.register_blueprint(part)


@app.get("/render/<path:name>")
def render(name):
    g.user = "ann"
    return render_template(name.split(","), name=request.args.get("name", "<&>"), base="base.html")


@app.post("/string")
def string():
    g.user = "ann"
    session["cart"] = [1, 2]
    flash("kept", "note")
    return render_template_string(request.form["source"], value="<'\">")


@app.post("/stream")
def stream():
    g.user = "ann"
    return stream_template_string(request.form["source"], value="<'\">")


@app.get("/macro")
def macro():
    try:
        get_template_attribute("_macros.html", "missing")
    except AttributeError:
        return str(get_template_attribute("_macros.html", "greet")("<Bob>"))


@app.get("/names")
def names():
    return sorted(app.jinja_env.list_templates())


@app.get("/update")
def update():
    context = {"name": "given"}
    app.update_template_context(context)
    return {key: value if isinstance(value, str) else "" for key, value in context.items()}


@app.get("/signals")
def signals():
    def before(sender, template, context, **extra):
        told.append(["before", sender is app, template.name, context["name"]])
        context["name"] = "changed"

    def after(sender, template, context, **extra):
        told.append(["after", sender is app, template.name, sorted(extra)])

    told.clear()
    with before_render_template.connected_to(before), template_rendered.connected_to(after):
        return [render_template("own.html", name="given"), *told]


@app.errorhandler(TemplateNotFound)
def not_found(error):
    return f"no {error}", 404


def source(text):
    return {"data": {"source": text}}


FUNCTIONS = (
    "{{ 'abc'|reverse }} {{ 'abc'|shout }} {{ 'abc'|dotted }} {{ 'abc'|length_of }} {{ twice(2) }}"
    " {{ largest(1, 3) }} {{ answer() }} {{ 'abc' is palindrome }} {{ '12' is numeric_text }}"
    " {{ 'abc' is short }}"
)
CONTEXT = (
    "{{ site }} {{ more }} {{ everywhere }} {{ path }} {{ g.user }} {{ session.cart }}"
    " {{ config.DEBUG }} {{ request.method }} {{ url_for('part.show', q='a b') }} {{ value }}"
    " {{ url_for('.macro', _external=true) }} {{ missing }}"
)

REQUESTS = [
    ("POST /string", source(FUNCTIONS)),
    ("POST /stream", source(FUNCTIONS)),
    ("POST /string", source(CONTEXT)),
    ("POST /stream", source(CONTEXT)),
    ("POST /string", source("{{ get_flashed_messages(with_categories=true) }}")),
    ("POST /string", source("{{ get_flashed_messages(category_filter=['other']) }}")),
    ("POST /string", source("{{ {'b': value, 'a': [1, none]}|tojson }}")),
    ("POST /string", source("<a title='{{ value }}'>{{ value|safe }}{{ value|e }}</a>")),
    ("POST /string", source("{% autoescape false %}{{ value }}{% endautoescape %}")),
    ("POST /string", source("{% for x in [1] %}\n{{ x }}\n{% endfor %}\n")),
    ("POST /string", source("{{ missing.attribute }}")),
    ("POST /string", source("{{ 1 / 0 }}")),
    ("POST /string", source("{% bad %}")),
    "GET /render/own.html",
    "GET /render/own.txt",
    "GET /render/own.svg",
    "GET /render/none.html,own.txt",
    "GET /render/none.html",
    "GET /render/none.html,other.html",
    "GET /render/broken.html",
    "GET /render/imports.html",
    "GET /render/with_context.html",
    "GET /render/includes.html",
    "GET /render/extends.html",
    "GET /render/shared.html",
    "GET /part/shared",
    "GET /part/",
    "GET /part/inner/",
    "GET /macro",
    "GET /names",
    "GET /update",
    "GET /signals",
]
