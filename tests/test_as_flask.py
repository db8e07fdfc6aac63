"""`import groundwire.as_flask`, each time in a process of its own: it changes what `import flask` means."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"

pytestmark = pytest.mark.slow


def run(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    (folder / "program.py").write_text(textwrap.dedent(program))
    path = os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "program.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_flask_and_werkzeug_are_groundwires_under_every_name(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import importlib, importlib.metadata, importlib.util, sys
        import groundwire.as_flask

        assert sys.modules["flask"].__name__ == "groundwire.flask"
        assert sys.modules["flask.cli"].__name__ == "groundwire.flask.cli"

        import flask, flask.views, werkzeug.datastructures.headers
        import groundwire, groundwire.flask.views, groundwire.app.serving

        assert flask.Flask is groundwire.Groundwire
        assert flask.views is groundwire.flask.views is importlib.import_module("flask.views")
        assert flask.views.__spec__.name == "groundwire.flask.views"
        assert werkzeug.datastructures.headers is groundwire.werkzeug.datastructures.headers

        from werkzeug import exceptions, serving
        from flask import *
        assert issubclass(exceptions.NotFound, groundwire.werkzeug.exceptions.HTTPException)
        assert serving is groundwire.app.serving
        assert importlib.util.find_spec("flask.globals").name == "groundwire.flask.globals"
        assert importlib.metadata.version("Flask") == flask.__version__
        assert importlib.metadata.version("werkzeug").startswith("3.1.")
        assert "flask" not in {d.name for d in importlib.metadata.distributions(path=[])}
        """,
    )

    assert (0, "") == (done.returncode, done.stdout), done.stderr


def test_what_is_missing_raises_and_says_who_lacks_it(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import groundwire.as_flask

        for line in ("import flask.nothing", "from flask import nothing", "from werkzeug.local import nothing",
                     "from flask.nothing import x", "import flask.views.nothing"):
            try:
                exec(line)
            except ImportError as error:
                print(f"{line}: {error}")
        assert not hasattr(groundwire.flask, "nothing")
        """,
    )

    lines = done.stdout.splitlines()
    assert 5 == len(lines), done.stderr
    stands_in = "and it stands in for 'flask' here (groundwire.as_flask)"
    assert (
        f"import flask.nothing: Groundwire has no module 'flask.nothing', {stands_in}" == lines[0]
    )
    assert (
        f"from flask import nothing: cannot import name 'nothing' from 'flask': Groundwire has none, {stands_in}"
        == lines[1]
    )
    assert "from 'groundwire.werkzeug.local'" in lines[2]
    assert "Groundwire has no module 'flask.nothing'" in lines[3]
    assert "'flask.views' is not a package" in lines[4]


@pytest.mark.parametrize(
    "imports",
    [
        "import flask",
        "from flask import request",
        "from flask import jsonify",
        "import flask.views",
    ],
)
def test_a_real_one_imported_before_is_refused_by_its_importers_name(
    tmp_path: Path, imports: str
) -> None:
    (tmp_path / "extension.py").write_text(f"import logging\n{imports}\n")
    done = run(
        tmp_path,
        """
        import extension
        import groundwire.as_flask
        """,
    )

    assert 1 == done.returncode
    error = done.stderr.splitlines()[-1]
    assert error.startswith("ImportError: the real flask (")
    assert f"is already imported by extension ({tmp_path / 'extension.py'})" in error
    assert error.endswith("or start the program with: groundwire run --as-flask TARGET")


def test_a_real_one_that_nothing_holds_any_more_is_refused_too(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        def use():
            import werkzeug.http

        use()
        import groundwire.as_flask
        """,
    )

    assert "ImportError: the real werkzeug (" in done.stderr
    assert "already imported (by what, is not to be seen)" in done.stderr


def test_metadata_of_an_alias_is_a_name_and_a_version() -> None:
    from groundwire.app.api_versions import API_VERSIONS

    done = subprocess.run(
        [
            sys.executable,
            "-c",
            """
import groundwire.as_flask as a, importlib.metadata as m
d = m.distribution('flask')
print(d.name, d.version, d.read_text('RECORD'), d.locate_file('x').name, a.is_installed())
a.install()
""",
        ],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )

    assert f"flask {API_VERSIONS['flask']} None x True" == done.stdout.strip()


def test_flasks_command_line_runs_as_a_module(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import groundwire.as_flask, runpy, sys

        sys.argv = ["flask", "--version"]
        runpy.run_module("flask", run_name="__main__", alter_sys=True)
        """,
    )

    assert 0 == done.returncode, done.stderr
    assert "Flask 3.1.3" in done.stdout


def test_functions_of_programs_written_for_flask_run_in_threads(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import groundwire.as_flask
        from flask import Flask

        class Own(Flask):
            default_config = {key: value for key, value in Flask.default_config.items() if key != "INLINE"}

        assert "never" == Flask("a").config["INLINE"] == Own("b").config["INLINE"]
        """,
    )

    assert 0 == done.returncode, done.stderr
