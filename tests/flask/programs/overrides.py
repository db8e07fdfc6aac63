"""The methods of the application, a blueprint and a session interface that a program may override."""

from flask import Blueprint, Flask, abort, current_app, render_template_string, session, url_for
from flask.ctx import AppContext, RequestContext
from flask.sansio.blueprints import BlueprintSetupState
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.testing import EnvironBuilder
from werkzeug.exceptions import Aborter, HTTPException
from werkzeug.routing import Map

called = []


class CountingSession(SecureCookieSession):
    def count(self):
        self["count"] = self.get("count", 0) + 1
        return self["count"]


class OwnSessions(SecureCookieSessionInterface):
    salt = "a salt of its own"
    session_class = CountingSession

    def get_cookie_name(self, app):
        return "own"

    def get_cookie_domain(self, app):
        return None

    def get_cookie_path(self, app):
        return "/"

    def get_cookie_httponly(self, app):
        return False

    def get_cookie_secure(self, app):
        return False

    def get_cookie_samesite(self, app):
        return "Lax"

    def get_cookie_partitioned(self, app):
        return False


class OwnMap(Map):
    def bind_to_environ(self, environ, server_name=None, subdomain=None):
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/moved")
        return super().bind_to_environ(environ, server_name, subdomain)


class Teapot(HTTPException):
    code = 418
    description = "short and stout"


class OwnAborter(Aborter):
    pass


class Own(Flask):
    session_interface = OwnSessions()
    url_map_class = OwnMap
    aborter_class = OwnAborter

    def make_aborter(self):
        aborter = super().make_aborter()
        aborter.mapping[799] = Teapot
        return aborter

    def create_url_adapter(self, request):
        # How often it is asked for is nobody's promise.
        if "create_url_adapter" not in called:
            called.append("create_url_adapter")
        return super().create_url_adapter(request)

    def create_jinja_environment(self):
        environment = super().create_jinja_environment()
        environment.globals["made_by"] = "create_jinja_environment"
        return environment

    def finalize_request(self, rv, from_error_handler=False):
        called.append(f"finalize_request {from_error_handler}")
        return super().finalize_request(rv, from_error_handler)

    def do_teardown_request(self, exc=None):
        called.append(f"do_teardown_request {exc!r}")
        super().do_teardown_request(exc)

    def do_teardown_appcontext(self, exc=None):
        called.append(f"do_teardown_appcontext {exc!r}")
        super().do_teardown_appcontext(exc)

    def should_ignore_error(self, error):
        return isinstance(error, KeyError)

    def trap_http_exception(self, e):
        return isinstance(e, Teapot) or super().trap_http_exception(e)

    def inject_url_defaults(self, endpoint, values):
        values.setdefault("injected", "yes")
        super().inject_url_defaults(endpoint, values)

    def handle_url_build_error(self, error, endpoint, values):
        if endpoint == "other_site":
            return f"https://elsewhere.test/{values['page']}"
        return super().handle_url_build_error(error, endpoint, values)

    def make_shell_context(self):
        return {**super().make_shell_context(), "more": True}

    def auto_find_instance_path(self):
        return "/nowhere/instance"


app = Own(__name__)
app.secret_key = "a key for the tests alone"
app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
app.logger.disabled = True
app.add_template_filter(lambda text: text[::-1], "backwards")
app.add_template_test(lambda value: value == 42, "the_answer")
app.add_template_global(lambda: "from the app", "told")


class OwnState(BlueprintSetupState):
    def add_url_rule(self, rule, endpoint=None, view_func=None, **options):
        super().add_url_rule(f"{rule}.own", endpoint, view_func, **options)


class OwnBlueprint(Blueprint):
    def make_setup_state(self, app, options, first_registration=False):
        return OwnState(self, app, options, first_registration)


blueprint = OwnBlueprint("bp", __name__)
blueprint.add_app_template_filter(str.swapcase, "swapped")
blueprint.add_app_template_test(lambda value: value == "x", "an_x")
blueprint.add_app_template_global(lambda: "from the blueprint", "told_by_blueprint")


@blueprint.app_template_global("decorated_global")
def decorated_global():
    return "decorated"


@blueprint.route("/in-blueprint")
def in_blueprint():
    return "in the blueprint"


app.register_blueprint(blueprint)


@app.shell_context_processor
def for_the_shell():
    return {"answer": 42}


@app.route("/")
def index():
    return "index"


@app.route("/count")
def count():
    return str(session.count())


@app.route("/template")
def template():
    return render_template_string(
        "{{ made_by }} {{ 'abc'|backwards }} {{ 42 is the_answer }} {{ told() }} {{ 'aB'|swapped }}"
        " {{ 'x' is an_x }} {{ told_by_blueprint() }} {{ decorated_global() }}"
    )


@app.route("/urls")
def urls():
    return [url_for("index"), url_for("other_site", page="p"), url_for("bp.in_blueprint")]


@app.route("/abort/<int:code>")
def aborting(code):
    abort(code)


@app.errorhandler(Teapot)
def teapot(error):
    return f"trapped: {error.description}", 200


@app.route("/fails")
def fails():
    raise KeyError("k")


@app.route("/options", provide_automatic_options=True)
def options():
    return "options"


@app.route("/called")
def told():
    told = [*called]
    called.clear()
    return told


@app.route("/objects")
def objects():
    builder = EnvironBuilder(app, "/built", subdomain=None, method="POST", json={"b": 1, "a": 2})
    environ = builder.get_environ()
    with app.request_context(environ) as context, app.app_context() as app_context:
        kinds = [isinstance(context, RequestContext), isinstance(app_context, AppContext)]
    return [
        *kinds,
        environ["wsgi.input"].getvalue().decode(),
        builder.json_dumps({"b": 1, "a": 2}),
        sorted(set(app.make_shell_context()) - {"__builtins__"}),
        app.instance_path,
        type(app.url_map).__name__,
        type(app.aborter).__name__,
        current_app.jinja_env.loader.get_source(app.jinja_env, "plain.txt")[0],
    ]


REQUESTS = [
    "GET /",
    "GET /called",
    "GET /moved/count",
    "GET /count",
    "GET /count",
    "GET /template",
    "GET /urls",
    "GET /abort/799",
    "GET /abort/404",
    "GET /in-blueprint.own",
    "GET /in-blueprint",
    "GET /called",
    "GET /fails",
    "GET /called",
    "OPTIONS /",
    "OPTIONS /options",
    "GET /objects",
]
