"""What is refused while an app is set up, and what is warned of when it starts."""

import copy
import gc
import io
import pickle
import sys
import warnings
import weakref
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

from fetching import fetch, make_app
from groundwire import Blueprint, Groundwire, g, request
from groundwire.app.log import (
    create_logger,
    default_handler,
    has_level_handler,
    wsgi_errors_stream,
)
from groundwire.app.route_options import options_of
from groundwire.app.routes import caller_place, place_of
from groundwire.app.scaffold import find_instance_path, find_root_path, installed_below
from groundwire.app.start import SetupWarning
from groundwire.http.errors import NotFound

HERE = __file__


def test_two_views_for_one_endpoint_are_refused_with_both_places() -> None:
    app = make_app()

    @app.route("/one")
    def view() -> str:
        return "one"

    with pytest.raises(AssertionError) as refusal:

        @app.route("/two", endpoint="view")
        def other() -> str:
            return "two"

    message = str(refusal.value)
    assert message.startswith("The endpoint 'view' has a view function already, of ")
    assert f"{HERE}:{view.__code__.co_firstlineno}" in message
    app.add_url_rule("/three", "view", view)  # the same one may have several rules


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"rule": "hello"}, ValueError, "must start with a slash"),
        ({"methods": "GET"}, TypeError, "'methods' is a list of names"),
        ({"view_func": None, "endpoint": None}, AssertionError, "needs an 'endpoint' or a view"),
        ({"rule": "/<nothing:x>"}, LookupError, "the converter 'nothing' does not exist"),
    ],
)
def test_rule_that_cannot_be_is_refused(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    values: dict[str, Any] = {"rule": "/", "endpoint": "view", "view_func": lambda: "x", **options}

    with pytest.raises(error, match=message):
        make_app().add_url_rule(**values)


def test_methods_have_their_own_decorators() -> None:
    with pytest.raises(TypeError, match="This decorator is for GET alone"):
        make_app().get("/", methods=["POST"])


@pytest.mark.parametrize(
    ("handled", "error", "message"),
    [
        (999, ValueError, "No exception stands for the status 999"),
        (NotFound(), TypeError, "is an instance, not a class"),
        (int, ValueError, "'int' is not a subclass of Exception"),
        ("404", ValueError, "is not a subclass of Exception"),
    ],
)
def test_error_handler_for_what_is_no_error_is_refused(
    handled: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make_app().errorhandler(handled)(lambda error: "x")


def test_setting_up_after_the_first_request_is_refused() -> None:
    app = make_app()
    fetch(app)

    for name, argument in {
        "route": "/late",
        "add_url_rule": "/late",
        "before_request": print,
        "errorhandler": 404,
        "register_blueprint": Blueprint("late", __name__),
        "teardown_appcontext": print,
        "shell_context_processor": dict,
    }.items():
        with pytest.raises(
            AssertionError, match=f"The setup method '{name}' can no longer be called"
        ):
            getattr(app, name)(argument)


def test_setting_up_a_registered_blueprint_is_refused() -> None:
    app = make_app()
    part = Blueprint("part", __name__)
    app.register_blueprint(part)

    with pytest.raises(AssertionError, match="on the blueprint 'part'"):
        part.route("/late")


def test_blueprint_names_are_checked() -> None:
    app = make_app()
    part, other = Blueprint("part", __name__), Blueprint("part", __name__)
    app.register_blueprint(part)

    with pytest.raises(ValueError, match="'part' is already registered for this blueprint"):
        app.register_blueprint(part)
    with pytest.raises(ValueError, match="'part' is already registered for a different blueprint"):
        app.register_blueprint(other)
    with pytest.raises(ValueError, match="needs a name"):
        Blueprint("", __name__)
    with pytest.raises(ValueError, match=r"has no dot, unlike 'a\.b'"):
        Blueprint("a.b", __name__)
    with pytest.raises(ValueError, match=r"has no dot, unlike 'a\.b'"):
        other.add_url_rule("/", "a.b", lambda: "x")
    view = lambda: "x"  # noqa: E731
    view.__name__ = "a.b"
    with pytest.raises(ValueError, match=r"'a\.b' has a dot in its name"):
        other.add_url_rule("/", None, view)
    with pytest.raises(ValueError, match="cannot be nested in itself"):
        other.register_blueprint(other)
    app.register_blueprint(part, name="again")
    assert ["part", "again"] == list(app.blueprints)
    assert [part, part] == list(app.iter_blueprints())


def test_blueprint_records_are_played_back() -> None:
    app = make_app()
    part = Blueprint("part", __name__, url_prefix="/p", url_defaults={"a": 1}, subdomain=None)
    seen: list[Any] = []
    part.record(lambda state: seen.append((state.first_registration, state.url_prefix)))
    part.record_once(lambda state: seen.append("once"))
    part.add_url_rule("/x", view_func=lambda a: str(a), endpoint="x")
    part.add_url_rule("", view_func=lambda a: f"root {a}", endpoint="root")
    part.view_functions["late"] = lambda: "x"

    app.register_blueprint(part)
    app.register_blueprint(part, name="second", url_prefix="/s", url_defaults={"a": 2})

    assert [(True, "/p"), "once", (False, "/s")] == seen
    assert [b"1", b"root 1", b"2"] == [fetch(app, path).content for path in ("/p/x", "/p", "/s/x")]
    assert "late" in app.view_functions


def test_blueprint_hooks_for_the_whole_app() -> None:
    app = make_app()
    part = Blueprint("part", __name__)
    calls: list[str] = []
    part.before_app_request(lambda: calls.append("before"))
    part.after_app_request(lambda response: calls.append("after") or response)
    part.teardown_app_request(lambda error: calls.append("teardown"))
    part.app_url_value_preprocessor(lambda endpoint, values: calls.append("values"))
    part.app_url_defaults(lambda endpoint, values: values.setdefault("n", 5))
    part.app_context_processor(dict)
    app.register_blueprint(part)
    app.add_url_rule("/<int:n>", "view", lambda n: app.url_for("view"))

    assert b"/5" == fetch(app, "/3").content
    assert ["values", "before", "after", "teardown"] == calls
    assert dict is app.template_context_processors[None][-1]


def test_nested_blueprints_join_subdomains() -> None:
    app = make_app(subdomain_matching=True)
    app.config["SERVER_NAME"] = "example.org"
    outer = Blueprint("outer", __name__, subdomain="api")
    inner = Blueprint("inner", __name__, subdomain="v1")
    plain = Blueprint("plain", __name__)
    inner.add_url_rule("/", "x", lambda: "x")
    plain.add_url_rule("/plain", "x", lambda: "x")
    outer.register_blueprint(inner)
    outer.register_blueprint(plain)
    app.register_blueprint(outer)

    with app.app_context():
        assert "http://v1.api.example.org/" == app.url_for("outer.inner.x")
        assert "http://api.example.org/plain" == app.url_for("outer.plain.x")


# --- at the start


def started(app: Groundwire) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        app.startup()
    app.shutdown()
    assert all(issubclass(warning.category, SetupWarning) for warning in caught)
    assert all(warning.filename == HERE for warning in caught)
    return [str(warning.message) for warning in caught]


def test_two_rules_that_cannot_be_told_apart_are_warned_of() -> None:
    app = make_app()
    app.add_url_rule("/<int:a>", "one", lambda a: "one")
    app.add_url_rule("/<int:b>", "two", lambda b: "two")
    app.add_url_rule("/<c>", "three", lambda c: "three")

    (message,) = started(app)

    one, two = (options_of(next(app.url_map.iter_rules(name))).place for name in ("one", "two"))
    assert message.startswith(f"The rule '/<int:b>' of endpoint 'two' ({two}) can never match")
    assert one in message
    assert b"one" == fetch(app, "/1").content


def test_view_without_its_rules_parameter_is_warned_of() -> None:
    app = make_app()

    def view(other: int = 0) -> str:
        return "x"

    app.add_url_rule("/<int:n>", "view", view)
    app.add_url_rule("/all/<int:n>", "all", lambda **values: "x")
    app.add_url_rule("/class/<int:n>", "class", type("View", (), {"__call__": view})())
    app.add_url_rule("/none/<int:n>", "none")

    (message,) = started(app)

    assert "takes no parameter 'n', which its rule '/<int:n>'" in message
    assert f"{HERE}:{view.__code__.co_firstlineno}" in message


def test_preprocessor_may_take_a_parameter_away() -> None:
    app = make_app()
    app.url_value_preprocessor(lambda endpoint, values: values.clear())
    app.add_url_rule("/<lang>", "view", lambda: "x")

    assert [] == started(app)


# --- names and folders


def test_places_are_found() -> None:
    def plain() -> None:
        """Do nothing."""

    assert place_of(plain).startswith(f"{HERE}:")
    assert "<built-in function len>" == place_of(len)
    assert caller_place().startswith(f"{HERE}:")


def test_name_is_that_of_the_main_program(monkeypatch: pytest.MonkeyPatch) -> None:
    main = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert "__main__" == Groundwire("__main__", static_folder=None, root_path="/").name
    main.__file__ = "/somewhere/shop.py"
    app = Groundwire("__main__", static_folder=None, root_path="/")

    assert "shop" == app.name
    assert "<Groundwire 'shop'>" == repr(app)


def test_root_path_is_the_folder_of_the_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "rooted_package"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "inner" / "__init__.py").write_text("")
    (tmp_path / "rooted_namespace").mkdir()
    monkeypatch.syspath_prepend(tmp_path)

    assert str(package) == find_root_path("rooted_package")
    assert str(package / "inner") == find_root_path("rooted_package.inner")
    assert str(Path.cwd()) == find_root_path("no_such_module_at_all")
    assert str(Path.cwd()) == find_root_path("rooted_namespace")
    __import__("rooted_namespace")
    with pytest.raises(RuntimeError, match="has no folder of its own"):
        find_root_path("rooted_namespace")
    assert str(tmp_path / "instance") == find_instance_path("rooted_package")


def test_instance_path_of_an_installed_package_is_below_its_prefix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "lib" / "site-packages"
    (site / "installed_package").mkdir(parents=True)
    (site / "installed_package" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    __import__("installed_package")

    assert str(tmp_path / "var" / "installed_package-instance") == find_instance_path(
        "installed_package"
    )


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("env/lib/python3.11/site-packages", "env"),
        ("env/Lib/site-packages", "env"),
        ("env/site-packages", "env"),
        ("prefix/anywhere", "prefix"),
        ("project", None),
    ],
)
def test_installed_is_what_lies_below_a_prefix(
    folder: str, expected: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))

    found = installed_below(tmp_path / folder)

    assert (None if expected is None else tmp_path / expected) == found


def test_instance_of_a_file_that_is_run_is_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)

    assert str(tmp_path / "instance") == find_instance_path("__main__")


def test_relative_instance_path_is_refused() -> None:
    with pytest.raises(ValueError, match="must be absolute"):
        Groundwire(__name__, instance_path="instance")


def test_static_folder_has_a_url_named_like_it(tmp_path: Path) -> None:
    plain = Groundwire(__name__, root_path=str(tmp_path))
    own = Groundwire(
        __name__, static_folder=tmp_path / "assets", static_url_path="/a/", root_path="/"
    )
    none = make_app()

    assert (str(tmp_path / "static"), "/static") == (plain.static_folder, plain.static_url_path)
    assert (str(tmp_path / "assets"), "/a") == (own.static_folder, own.static_url_path)
    assert (None, None, False) == (none.static_folder, none.static_url_path, none.has_static_folder)
    with plain.test_request_context():
        assert "/static/x.css" == plain.url_for("static", filename="x.css")
    with pytest.raises(RuntimeError, match="has no 'static_folder'"):
        none.send_static_file("x")
    with pytest.raises(RuntimeError, match="has no 'static_folder'"):
        Blueprint("part", __name__).send_static_file("x")
    with pytest.raises(AssertionError, match="'static_host' and 'host_matching'"):
        Groundwire(__name__, static_host="example.org")


def test_resources_are_opened_for_reading_only(tmp_path: Path) -> None:
    (tmp_path / "schema.sql").write_text("é", encoding="utf-8")
    app = Groundwire(__name__, static_folder=None, root_path=str(tmp_path))

    with app.open_resource("schema.sql") as file:
        assert "é".encode() == file.read()
    with app.open_resource("schema.sql", "r", "utf-8") as file:
        assert "é" == file.read()
    with pytest.raises(ValueError, match="is opened for reading"):
        app.open_resource("schema.sql", "w")


def test_attributes_can_be_set_and_deleted() -> None:
    app = make_app()

    app.own = 1  # type: ignore[attr-defined]
    del app.own  # type: ignore[attr-defined]

    assert not hasattr(app, "own")


# --- the logger


def test_logger_writes_to_the_error_stream_of_the_request(
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = Groundwire("logged_app", static_folder=None, root_path="/")
    app.logger.propagate = False
    if default_handler not in app.logger.handlers:
        app.logger.addHandler(default_handler)

    app.logger.error("outside")
    with app.test_request_context():
        app.logger.error("inside")

    written = capsys.readouterr().err
    assert "ERROR in test_setup: outside" in written
    assert "ERROR in test_setup: inside" in written


def test_logger_shows_everything_in_debug_mode() -> None:
    app = Groundwire("debugged_app", static_folder=None, root_path="/")
    app.debug = True

    assert 10 == app.logger.level
    assert has_level_handler(app.logger)
    app.logger.setLevel(30)
    assert 30 == create_logger(app).level


def test_logger_without_a_handler_gets_one() -> None:
    app = Groundwire("quiet_app", static_folder=None, root_path="/")
    logger = app.logger
    logger.handlers.clear()
    logger.propagate = False

    assert not has_level_handler(logger)
    assert [default_handler] == create_logger(app).handlers


def test_an_app_that_nobody_needs_is_gone_at_once() -> None:
    app = Groundwire(__name__, root_path="/")
    app.register_blueprint(Blueprint("b", __name__))
    watched = weakref.ref(app)

    gc.disable()
    try:
        del app
        assert watched() is None
    finally:
        gc.enable()


def test_a_copied_configuration_belongs_to_no_app() -> None:
    app = make_app()

    for made in (copy.deepcopy(app.config), pickle.loads(pickle.dumps(app.config))):
        assert (app.config, None) == (made, made.on_change)
        made["DEBUG"] = True
    assert not app.debug


def test_an_unimportable_name_is_rooted_in_the_working_folder() -> None:
    assert str(Path.cwd()) == find_root_path("no_such_package.inner")
    assert str(Path.cwd()) == find_root_path(".")


def test_shell_context_has_the_app_and_what_processors_add() -> None:
    app = make_app()
    app.shell_context_processor(lambda: {"answer": 42})

    with app.app_context():
        g.x = 1
        names = app.make_shell_context()
        assert (app, 1, 42) == (names["app"], names["g"].x, names["answer"])


def test_a_program_may_find_its_instance_folder_itself() -> None:
    class App(Groundwire):
        def auto_find_instance_path(self) -> str:
            return "/own"

    assert "/own" == App(__name__, static_folder=None).instance_path


def test_a_blueprint_says_how_long_its_files_are_kept(tmp_path: Path) -> None:
    class Fresh(Blueprint):
        def get_send_file_max_age(self, filename: str | None) -> int | None:
            return 7

    (tmp_path / "a.txt").write_text("a")
    app = make_app()
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 60
    for kind in (Fresh, Blueprint):
        name = kind.__name__.lower()
        app.register_blueprint(
            kind(name, __name__, root_path=str(tmp_path), static_folder=".", static_url_path="/s"),
            url_prefix=f"/{name}",
        )

    for name, expected in (("fresh", "max-age=7"), ("blueprint", "max-age=60")):
        for _ in range(2):  # the second from memory
            assert expected in fetch(app, f"/{name}/s/a.txt").headers["Cache-Control"]


def test_a_nested_blueprint_keeps_its_own_prefix_where_none_is_given() -> None:
    app, outer, inner = (
        make_app(),
        Blueprint("outer", __name__, url_prefix="/outer"),
        Blueprint("inner", __name__, url_prefix="/inner", subdomain="sub"),
    )
    inner.add_url_rule("/x", "x", lambda: "x")
    outer.register_blueprint(inner, url_prefix=None, subdomain=None)
    app.register_blueprint(outer)

    (rule,) = app.url_map.iter_rules()
    assert ("/outer/inner/x", "sub", "outer.inner.x") == (rule.rule, rule.subdomain, rule.endpoint)


def test_functions_for_the_whole_app_come_before_the_blueprint_is_registered() -> None:
    app, part = make_app(), Blueprint("part", __name__)
    app.register_blueprint(part)

    for register in (
        *(part.before_app_request, part.after_app_request, part.teardown_app_request),
        *(part.app_context_processor, part.app_url_defaults, part.app_url_value_preprocessor),
        *(part.record, part.record_once, part.app_errorhandler),
    ):
        with pytest.raises(AssertionError, match="can no longer be called on the blueprint 'part'"):
            register(print)


def test_an_error_may_be_kept_from_the_teardown_functions() -> None:
    class App(Groundwire):
        def should_ignore_error(self, error: BaseException | None) -> bool:
            return isinstance(error, KeyError)

    app = App(__name__, static_folder=None)
    app.logger.disabled = True
    app.add_url_rule("/<name>", "view", lambda name: {"a": 1}[name] / 0)
    seen: list[type[BaseException]] = []
    app.teardown_request(lambda error: seen.append(type(error)))

    for client in (app.test_client(), app.test_client(wire=True)):
        for name in ("a", "b"):
            assert 500 == client.get(f"/{name}").status_code

    assert [ZeroDivisionError, type(None)] * 2 == seen


def test_what_was_patched_over_wsgi_errors_is_where_the_log_goes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = make_app()

    with app.test_request_context("/"):
        request.environ["wsgi.errors"] = io.StringIO()
        print("within", file=wsgi_errors_stream)
        assert "within\n" == request.environ["wsgi.errors"].getvalue()
    print("outside", file=wsgi_errors_stream)
    assert "outside\n" == capsys.readouterr().err


def test_a_subclass_may_set_attributes_before_its_base_and_leave_keys_out() -> None:
    class App(Groundwire):
        default_config: ClassVar[Any] = {
            key: value for key, value in Groundwire.default_config.items() if key != "COMPRESS"
        }

        def __init__(self) -> None:
            self.before = "set"
            super().__init__(__name__, static_folder=None)
            del self.before

    app = App()
    app.add_url_rule("/", "view", lambda: "x")

    assert not hasattr(app, "before")
    assert app.config["COMPRESS"]
    assert 200 == fetch(app, "/").status
