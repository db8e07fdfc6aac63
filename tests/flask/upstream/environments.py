"""Makes what the suites run in: two virtual environments, and the unpacked source distributions. Both are kept.

Flask's environment is an ordinary one. Groundwire's has the same packages; then the code of Flask and Werkzeug is
removed from it (their metadata stays, by which extensions look up versions), and a `.pth` file makes both names
Groundwire's in every process that starts there. So whatever passes there passes without a line of theirs.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
PROJECT: Final = HERE.parents[2]
SDISTS: Final = PROJECT / "build" / "test-flask" / "sdists"
BUILD: Final = (
    PROJECT / "build" / "test-flask" / f"{sys.version_info.major}.{sys.version_info.minor}"
)
"""One for each version of Python that this is run with, so that two may run at once."""
REQUIREMENTS: Final = HERE / "requirements.txt"

FLASK: Final = "flask"
GROUNDWIRE: Final = "groundwire"
SIDES: Final = (FLASK, GROUNDWIRE)


def python_of(side: str) -> Path:
    """Return the interpreter of the environment called `side`."""
    return BUILD / f"venv-{side}" / "bin" / "python"


def prepare_environment(side: str) -> None:
    """Make the environment called `side`, unless it is there and made of the same requirements."""
    folder = BUILD / f"venv-{side}"
    stamp = folder / "made-of"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"Installing {side}'s environment into {folder.relative_to(PROJECT)} (once)", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    run(sys.executable, "-m", "venv", str(folder))
    pip(side, "install", "--requirement", str(REQUIREMENTS))
    if side == GROUNDWIRE:
        pip(side, "install", "--editable", str(PROJECT))
        put_in_place_of_flask(folder)
    stamp.write_text(wanted)


def put_in_place_of_flask(folder: Path) -> None:
    """Remove Flask's and Werkzeug's code, and have every process of this environment alias their names."""
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in ("flask", "werkzeug"):
        shutil.rmtree(packages / name)
    (packages / "groundwire_as_flask.pth").write_text("import groundwire.as_flask\n")


def version_of(distribution: str) -> str:
    """Return the version that the requirements pin a project to."""
    for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines():
        name, pin, version = line.partition("==")
        if pin and name.partition("[")[0] == distribution:
            return version
    raise LookupError(f"{REQUIREMENTS.name} pins no version of {distribution}")


def download(distribution: str) -> None:
    """Have a project's source distribution in the build folder, unpacked."""
    kept = folder_of(distribution)
    if kept.exists():
        return
    print(f"Downloading {kept.name}", flush=True)
    arriving = kept.with_name(kept.name + ".part")
    shutil.rmtree(arriving, ignore_errors=True)
    options = ["--no-deps", "--no-binary", distribution, "--dest", str(arriving)]
    pip(FLASK, "download", *options, f"{distribution}=={version_of(distribution)}")
    (archive,) = arriving.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(arriving, filter="data")
    (folder,) = (path for path in arriving.iterdir() if path.is_dir())
    folder.rename(kept)
    shutil.rmtree(arriving)


def folder_of(distribution: str) -> Path:
    """Return where a project's source distribution is unpacked."""
    return SDISTS / f"{distribution}-{version_of(distribution)}"


def fresh_copy(distribution: str, side: str) -> Path:
    """Copy a project's source distribution for one run: tests write beside themselves."""
    copy = BUILD / "work" / side / distribution
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder_of(distribution), copy, symlinks=True)
    return copy


def pip(side: str, *arguments: str) -> None:
    run(str(python_of(side)), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)


def run(*command: str) -> None:
    """Run a command, and stop with what it said when it fails."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{ended.stdout}{ended.stderr}")
