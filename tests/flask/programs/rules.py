"""What a rule can say: converters of one's own, defaults, redirects, slashes, methods, options, building."""

from flask import Flask, request, url_for
from werkzeug.routing import (
    BaseConverter,
    BuildError,
    IntegerConverter,
    Rule,
    Submount,
    ValidationError,
)

app = Flask(__name__)


class ListConverter(BaseConverter):
    part_isolating = False

    def to_python(self, value):
        return value.split("+")

    def to_url(self, values):
        return "+".join(super(ListConverter, self).to_url(value) for value in values)


class EvenConverter(IntegerConverter):
    def to_python(self, value):
        number = super().to_python(value)
        if number % 2:
            raise ValidationError
        return number


class RegexConverter(BaseConverter):
    def __init__(self, map, regex):
        super().__init__(map)
        self.regex = regex


app.url_map.converters["list"] = ListConverter
app.url_map.converters["even"] = EvenConverter
app.url_map.converters["re"] = RegexConverter


@app.route("/list/<list:names>")
def names(names):
    return names


@app.route("/even/<even:n>")
def even(n):
    return f"even {n}"


@app.route("/re/<re('[a-c]{2}'):letters>")
def letters(letters):
    return letters


@app.route("/int/<int(min=3, max=7):n>")
def bounded(n):
    return str(n)


@app.route("/fixed/<int(fixed_digits=3):n>")
def fixed(n):
    return str(n)


@app.route("/signed/<int(signed=True):n>")
def signed(n):
    return str(n)


@app.route("/length/<string(length=2):code>")
def length(code):
    return code


@app.route("/pages/", defaults={"page": 1})
@app.route("/pages/<int:page>")
def pages(page):
    return f"page {page}"


@app.route("/old/<name>", redirect_to="/new/<name>")
def old(name):
    return "never"


@app.route("/new/<name>")
def new(name):
    return f"new {name}"


@app.route("/alias", alias=True, endpoint="canonical")
@app.route("/canonical", endpoint="canonical")
def canonical():
    return "canonical"


@app.route("/loose/", strict_slashes=False)
def loose():
    return "loose"


@app.route("/tight", strict_slashes=False)
def tight():
    return "tight"


@app.route("/a.<ext>/<path:rest>/end")
def complicated(ext, rest):
    return f"{ext} {rest}"


@app.route("/no-options", provide_automatic_options=False)
def no_options():
    return "no options"


@app.route("/own-options", methods=["GET", "OPTIONS"])
def own_options():
    return f"own {request.method}"


@app.route("/build")
def build():
    def failing(*arguments, **values):
        try:
            return url_for(*arguments, **values)
        except BuildError as error:
            return f"BuildError {error.endpoint} {sorted(error.values)}"

    return [
        url_for("names", names=["a", "b c"]),
        url_for("pages"),
        url_for("pages", page=1),
        url_for("pages", page=2, q=["x", "y"], none=None),
        url_for("complicated", ext="tar gz", rest="x/y z"),
        url_for("canonical"),
        url_for("fixed", n=7),
        url_for("new", name="\u00e9/?"),
        failing("new"),
        failing("missing", x=1),
        failing("bounded", n=1),
        url_for("build", _external=True, _scheme="", _anchor="\u00e9"),
    ]


app.add_url_rule("/later", endpoint="later")


@app.endpoint("later")
def later():
    return "later"


@app.route("/greet", methods=["get", "PoSt"])
def lower():
    return request.method


app.url_map.add(Submount("/sub", [Rule("/mounted", endpoint="later")]))


REQUESTS = [
    "GET /list/a+b+c",
    "GET /even/4",
    "GET /even/5",
    "GET /re/ab",
    "GET /re/abc",
    *(f"GET /int/{n}" for n in (2, 3, 7, 8)),
    "GET /fixed/007",
    "GET /fixed/7",
    "GET /signed/-5",
    "GET /length/de",
    "GET /length/deu",
    "GET /pages/",
    "GET /pages/1",
    "GET /pages/2",
    "GET /old/x",
    "GET /alias",
    "GET /canonical",
    "GET /loose",
    "GET /loose/",
    "GET /tight",
    "GET /tight/",
    "GET /a.txt/b/c/end",
    "GET /a.txt/end",
    "OPTIONS /no-options",
    "OPTIONS /own-options",
    "OPTIONS /pages/3",
    "GET /build",
    "GET /later",
    "GET /sub/mounted",
    "POST /greet",
    "GET /new/%00x",
    "GET /new/a%2Fb",
    "GET /new//x",
]
