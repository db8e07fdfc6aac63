import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from groundwire import Groundwire
from groundwire.app.locating import NoAppException
from groundwire.cli.target import Application, load_application
from serving import running_server

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write a module into an empty current folder; what is imported is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delenv("GROUNDWIRE_APP", raising=False)
    before = set(sys.modules)

    def write_module(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("from groundwire import Groundwire\n" + textwrap.dedent(text))
        return path

    yield write_module
    for name in set(sys.modules) - before:
        if not name.startswith("groundwire"):
            del sys.modules[name]


def refusal(target: str | None) -> NoAppException:
    with pytest.raises(NoAppException) as caught:
        load_application(target)
    assert "\n" not in str(caught.value)
    return caught.value


def named(application: Application) -> str:
    assert isinstance(application.value, Groundwire)
    return application.name


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("hello.py", "hello:app"),
        ("./hello.py", "hello:app"),
        ("hello", "hello:app"),
        ("hello:other", "hello:other"),
        ("hello.py:other", "hello:other"),
        ("hello:Box.inner", "hello:Box.inner"),
        ("hello:make()", "hello:make()"),
        ("hello:make('x', debug=True)", "hello:make('x', debug=True)"),
    ],
)
def test_what_may_be_typed(write: Write, target: str, name: str) -> None:
    write(
        "hello.py",
        """
        app = Groundwire(__name__)
        other = Groundwire(__name__)

        class Box:
            inner = Groundwire(__name__)

        def make(name="x", debug=False):
            return Groundwire(name)
        """,
    )

    assert name == named(load_application(target))


def test_an_absolute_path_is_a_file_too(write: Write) -> None:
    path = write("sub/hello.py", "app = Groundwire(__name__)")

    assert "hello:app" == named(load_application(str(path)))


def test_a_file_in_a_package_is_imported_as_its_module(write: Write) -> None:
    write("site/__init__.py", "")
    write("shop/__init__.py", "")
    write("shop/pages/__init__.py", "")
    write("shop/pages/views.py", "from . import __name__ as parent\napp = Groundwire(parent)")

    assert "shop.pages.views:app" == named(load_application("shop/pages/views.py"))


def test_a_package_may_be_named_by_its_folder(write: Write) -> None:
    write("shop/__init__.py", "app = Groundwire(__name__)")

    assert "shop:app" == named(load_application("shop/"))


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("application = Groundwire(__name__)", "application"),
        ("app = 1\napplication = Groundwire(__name__)", "application"),
        ("api = Groundwire(__name__)\nsame = api", "api"),
        ("def create_app(debug=False): return Groundwire(__name__)", "create_app()"),
        ("def make_app(): return Groundwire(__name__)", "make_app()"),
        ("app = Groundwire('a')\napi = Groundwire('b')", "app"),
    ],
)
def test_an_application_is_found_without_its_name(write: Write, source: str, name: str) -> None:
    write("found.py", source)

    assert f"found:{name}" == named(load_application("found.py"))


def test_without_a_target_it_is_what_the_variable_names(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("chosen.py", "app = Groundwire(__name__)")
    monkeypatch.setenv("GROUNDWIRE_APP", "chosen")

    assert "chosen:app" == named(load_application(None))


def test_without_a_target_or_variable_it_is_app_py(write: Write) -> None:
    write("app.py", "app = Groundwire(__name__)")

    assert "app:app" == named(load_application(None))


def test_with_nothing_to_be_found_it_says_what_to_type(write: Write) -> None:
    assert "no application was named, and there is no wsgi.py, app.py or hello.py" in str(
        refusal(None)
    )


def test_a_wsgi_application_runs_as_it_is(write: Write) -> None:
    write("legacy.py", "def app(environ, start_response): ...")

    assert "WSGIHandler" == type(load_application("legacy.py").handler).__name__


def test_an_asgi_application_runs_as_it_is(write: Write) -> None:
    write(
        "modern.py",
        """
        class Application:
            async def __call__(self, scope, receive, send): ...

        app = Application()
        async def other(scope, receive, send): ...
        """,
    )

    assert "ASGIHandler" == type(load_application("modern.py").handler).__name__
    assert "ASGIHandler" == type(load_application("modern:other").handler).__name__


def test_proxies_that_a_module_imports_are_not_asked(write: Write) -> None:
    write(
        "busy.py",
        """
        from groundwire import current_app, g, request
        api = Groundwire(__name__)
        """,
    )

    assert "busy:api" == named(load_application("busy.py"))


def test_a_folder_beside_a_module_of_the_same_name_does_no_harm(
    write: Write, tmp_path: Path
) -> None:
    write("hello.py", "app = Groundwire(__name__)")
    (tmp_path / "hello").mkdir()

    assert "hello:app" == named(load_application("hello.py"))
    assert "hello:app" == named(load_application("hello"))


def test_the_current_folder_may_be_a_package(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("shop/__init__.py", "app = Groundwire(__name__)")
    monkeypatch.chdir(tmp_path / "shop")

    assert "shop:app" == named(load_application("."))


# Refusals.


def test_a_file_with_the_name_of_a_loaded_module(write: Write) -> None:
    write("json.py", "app = Groundwire(__name__)")

    assert "'json.py' has the name of another module" in str(refusal("json.py"))


def test_a_file_that_is_not_there(write: Write, tmp_path: Path) -> None:
    assert f"there is no file 'none.py' in {tmp_path.resolve()}" in str(refusal("none.py"))


def test_a_module_that_is_not_there(write: Write, tmp_path: Path) -> None:
    assert f"there is no module 'none' to be imported from {tmp_path}" in str(refusal("none"))


def test_a_folder_that_is_no_package(write: Write, tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()

    assert "'pages/' is a folder without __init__.py" in str(refusal("pages/"))


def test_a_file_name_that_is_no_name_in_python(write: Write) -> None:
    write("my-app.py", "")

    assert "'my-app' is not a name in Python" in str(refusal("my-app.py"))


@pytest.mark.parametrize("target", [":app", "hello:"])
def test_half_a_target(write: Write, target: str) -> None:
    assert f"{target!r} names no application" in str(refusal(target))


def test_an_error_in_the_program_is_shown_with_its_own_lines(write: Write) -> None:
    write("broken.py", "def f():\n    return 1 / 0\nf()\n")

    error = refusal("broken.py")

    assert "broken.py cannot be imported: ZeroDivisionError: division by zero" == str(error)
    assert [
        "  broken.py, line 4, in <module>",
        "    f()",
        "  broken.py, line 3, in f",
        "    return 1 / 0",
    ] == error.details.splitlines()


def test_an_import_that_fails_within_the_program_is_its_error(write: Write) -> None:
    write("broken.py", "import no_such_module\n")

    error = refusal("broken.py")

    assert "ModuleNotFoundError: No module named 'no_such_module'" in str(error)
    assert "broken.py, line 2" in error.details


def test_a_syntax_error_is_shown_with_its_line(write: Write) -> None:
    write("broken.py", "def f(:\n")

    error = refusal("broken.py")

    assert "broken.py cannot be imported: SyntaxError: " in str(error)
    assert "(broken.py, line 2)" in str(error)
    assert "def f(:" in error.details


def test_a_program_that_ends_the_process_is_told_of(write: Write) -> None:
    write("ending.py", "raise SystemExit(3)")

    assert "ending.py cannot be imported: it ended the process with status 3" == str(
        refusal("ending.py")
    )


def test_a_module_without_an_application(write: Write) -> None:
    write("empty.py", "App = Groundwire")

    assert (
        "empty.py has no application: there is no app, application, other instance of Groundwire, "
        "create_app() or make_app() in it; name it as empty.py:NAME" == str(refusal("empty.py"))
    )


def test_several_applications(write: Write) -> None:
    write("many.py", "api = Groundwire('a')\nweb = Groundwire('b')")

    assert "many.py has 2 applications (api, web); choose one: many.py:api" == str(
        refusal("many.py")
    )


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("some.py:absent", "some.py has no 'absent'; it has api: write some.py:api"),
        ("some.py:number", "some.py:number is of type int, and not an application"),
        ("some.py:Groundwire", "some.py:Groundwire is the class Groundwire, and not"),
        ("some.py:make", "some.py:make is a function, and not an application"),
        ("some.py:make()", "some.py:make() cannot be called so: missing a required argument"),
        ("some.py:make(name)", "the arguments in 'make(name)' have to be plain values"),
        ("some.py:number()", "some.py:number is of type int, and cannot be called"),
        ("some.py:1 + 1", "'1 + 1' is neither a name nor a call"),
        ("some.py:a b", "'a b' is neither a name nor a call"),
        ("some.py:make(1)", "some.py:make(1) is of type int, and not an application"),
        ("some.py:failing()", "some.py:failing() failed: KeyError: 'x'"),
    ],
)
def test_what_is_named_is_no_application(write: Write, target: str, words: str) -> None:
    write(
        "some.py",
        """
        api = Groundwire("a")
        number = 1
        def make(name): return name
        def failing(): raise KeyError("x")
        """,
    )

    assert words in str(refusal(target))


def test_a_factory_without_arguments_may_be_named_without_its_parentheses(write: Write) -> None:
    write("made.py", "def make(name='a'): return Groundwire(name)")

    application = load_application("made.py:make")

    assert "made:make()" == application.name
    assert "a" == application.value.import_name


def test_nothing_but_names_and_literals_is_evaluated(write: Write) -> None:
    write("some.py", "api = Groundwire('a')")

    refusal("some.py:__import__('os').mkdir('made')")
    refusal("some.py:api(__import__('os').mkdir('made'))")

    assert not os.path.exists("made")


@pytest.mark.parametrize("define", ["def", "async def"])
def test_a_function_of_a_request_is_an_application(write: Write, define: str) -> None:
    write(
        "plain.py",
        f"""
        from groundwire import Response

        {define} app(request):
            return Response(request.path)
        """,
    )

    with running_server(load_application("plain.py").handler) as served:
        answer = served.exchange(b"GET /here HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

    assert answer.endswith(b"\r\n\r\n/here")
