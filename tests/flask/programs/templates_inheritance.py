"""Flask's templating pages: inheritance, autoescape, filters, tests, globals, the standard context."""

from flask import (
    Flask,
    g,
    get_template_attribute,
    render_template,
    render_template_string,
    session,
    stream_template,
    stream_template_string,
)
from markupsafe import Markup

app = Flask(__name__)
app.secret_key = "a key for the tests alone"
app.config["GREETING"] = "hello"


@app.context_processor
def inject_user():
    return {"user": "ann <b>"}


@app.context_processor
def utility_processor():
    def format_price(amount, currency="\u20ac"):
        return f"{amount:.2f}{currency}"

    return {"format_price": format_price}


@app.template_filter("reverse")
def reverse_filter(s):
    return s[::-1]


@app.template_filter()
def double(s):
    return s * 2


@app.template_test("prime")
def is_prime(n):
    return n > 1 and all(n % i for i in range(2, n))


@app.template_global()
def twice(n):
    return 2 * n


app.jinja_env.globals["by_hand"] = "set by hand"


@app.route("/page/<title>")
def page(title):
    return render_template("page.html", title=title, items=["<a>", Markup("<i>safe</i>"), "z"])


@app.route("/first")
def first():
    return render_template(["missing.html", "page.html"], title="second choice", items=[])


@app.route("/missing")
def missing():
    return render_template("missing.html")


@app.route("/string")
def string():
    g.colour = "red"
    session["x"] = 1
    return render_template_string(
        "{{ config.GREETING }} {{ request.path }} {{ g.colour }} {{ session.x }} {{ url_for('page', title='a b') }}"
        " {{ user }} {{ format_price(0.33) }} {{ 'abc'|reverse|double }} {{ 7 is prime }} {{ twice(4) }} {{ by_hand }}"
        " {{ {'a': '<script>'}|tojson }} {{ '<x>'|safe }} {% autoescape false %}{{ '<y>' }}{% endautoescape %}",
    )


@app.route("/text")
def text():
    return render_template("plain.txt", value="<b>")


@app.route("/attribute")
def attribute():
    hello = get_template_attribute("macros.html", "hello")
    return hello("<World>")


@app.route("/stream")
def stream():
    return stream_template("page.html", title="streamed", items=["1", "2"])


@app.route("/stream-string")
def stream_string():
    return stream_template_string("{% for n in range(3) %}{{ n }}{{ request.args.x }}{% endfor %}")


@app.route("/broken")
def broken():
    return render_template_string("{{ nothing.more }}")


REQUESTS = [
    "GET /page/A%26B",
    "GET /first",
    "GET /missing",
    "GET /string",
    "GET /text",
    "GET /attribute",
    "GET /stream",
    "GET /stream-string?x=%3C",
    "GET /broken",
]
