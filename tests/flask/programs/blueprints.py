"""Flask's page "Modular Applications with Blueprints"."""

from flask import Blueprint, Flask, abort, render_template, url_for
from jinja2 import TemplateNotFound

app = Flask(__name__)

simple_page = Blueprint("simple_page", __name__, template_folder="templates")


@simple_page.route("/", defaults={"page": "index"})
@simple_page.route("/<page>")
def show(page):
    try:
        return render_template(f"{page}.html", title=page, items=[])
    except TemplateNotFound:
        abort(404)


admin = Blueprint(
    "admin",
    __name__,
    static_folder="static",
    static_url_path="/files",
    template_folder="admin_templates",
)


@admin.route("/urls")
def urls():
    return [
        url_for("admin.urls"),
        url_for(".urls"),
        url_for("simple_page.show", page="x"),
        url_for("admin.static", filename="style.css"),
        url_for(".static", filename="style.css"),
        url_for("parent.child.leaf", name="n"),
    ]


@admin.route("/template")
def template():
    return render_template("admin.html")


@admin.app_template_filter("shout")
def shout(text):
    return text.upper() + "!"


@admin.app_context_processor
def for_all():
    return {"from_admin": "context of all"}


@admin.context_processor
def for_admin():
    return {"only_admin": "context of admin"}


parent = Blueprint("parent", __name__, url_prefix="/parent")
child = Blueprint("child", __name__, url_prefix="/child")


@child.route("/leaf/<name>")
def leaf(name):
    return f"leaf {name} {url_for('.leaf', name=name)}"


@child.errorhandler(404)
def child_404(error):
    return "404 of child", 404


@parent.errorhandler(404)
def parent_404(error):
    return "404 of parent", 404


@child.route("/abort")
def child_abort():
    abort(404)


@parent.route("/abort")
def parent_abort():
    abort(404)


parent.register_blueprint(child)
app.register_blueprint(simple_page)
app.register_blueprint(simple_page, url_prefix="/pages", name="pages")
app.register_blueprint(admin, url_prefix="/admin")
app.register_blueprint(parent)

lang = Blueprint("lang", __name__, url_prefix="/<lang_code>/")


@lang.url_defaults
def add_language_code(endpoint, values):
    values.setdefault("lang_code", "en")


@lang.url_value_preprocessor
def pull_lang_code(endpoint, values):
    from flask import g

    g.lang_code = values.pop("lang_code")


@lang.route("/about/us")
def about():
    from flask import g

    return f"{g.lang_code} {url_for('.about')} {url_for('.about', lang_code='fr')}"


app.register_blueprint(lang)

REQUESTS = [
    "GET /page",
    "GET /nothing-here",
    "GET /pages/page",
    "GET /pages/",
    "GET /admin/urls",
    "GET /admin/template",
    "GET /admin/files/style.css",
    "GET /admin/files/none.css",
    "GET /parent/child/leaf/x",
    "GET /parent/child/abort",
    "GET /parent/abort",
    "GET /parent/child/missing",
    "GET /de/about/us",
]
