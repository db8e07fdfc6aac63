"""A certificate for development, made on this machine for this machine.

The authority that signs it is made with it and its key is thrown away at once: who trusts the authority trusts this one
certificate, and nobody can sign another.
"""

import contextlib
import os
import socket
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from .certificates import first_certificate
from .errors import StartError
from .settings import ServerSettings
from .x509 import names_in

VALID_DAYS: Final = 90
RENEWED_DAYS: Final = 7
"""With fewer days left, a new one is made."""

_CERTIFICATE: Final = "server.pem"
_AUTHORITY: Final = "ca.pem"


def with_development_certificate(settings: ServerSettings) -> tuple[ServerSettings, str]:
    """Return settings that name the files of a development certificate, and the file of its authority.

    Raises:
        StartError: trustme is missing, or the files cannot be written.
    """
    if settings.cert or settings.ssl_context is not None:
        raise StartError("--tls-dev makes a certificate; leave it out where there is one (--cert)")
    certificate, authority = development_certificate(settings.host)
    return replace(settings, tls_dev=False, cert=(certificate,), key=()), authority


def trust_hint(authority: str) -> str:
    """Say how to reach a server with a development certificate."""
    return f"HTTPS for development, with a certificate of its own: curl --cacert {authority}"


def development_certificate(*hosts: str, folder: Path | None = None) -> tuple[str, str]:
    """Return the paths of a certificate with its key, and of the authority to trust.

    What was made before is used again while it lasts, so that the authority has to be trusted only once.

    Args:
        hosts: names and addresses besides localhost's and this machine's own.
        folder: where the files are kept; by default a folder of this user's.

    Raises:
        StartError: see `with_development_certificate`.
    """
    names = _names(hosts)
    try:
        folder = folder or _own_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        certificate, authority = folder / _CERTIFICATE, folder / _AUTHORITY
        if not (authority.exists() and _is_good(certificate, names)):
            _make(certificate, authority, names)
    except OSError as error:
        raise StartError(
            f"cannot keep a development certificate in {str(folder)!r}: {error.strerror or error}"
        ) from error
    return str(certificate), str(authority)


def _names(hosts: tuple[str, ...]) -> list[str]:
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname(), *hosts]
    unfit = {"", "*", "0.0.0.0", "::"}
    return list(dict.fromkeys(name.lower() for name in names if name not in unfit))


def _own_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    if base:
        return Path(base) / "groundwire" / "tls-dev"
    with contextlib.suppress(RuntimeError):
        return Path.home() / ".cache" / "groundwire" / "tls-dev"
    return Path(tempfile.gettempdir()) / f"groundwire-tls-dev-{os.getpid()}"


def _is_good(certificate: Path, names: list[str]) -> bool:
    """Whether the file is there, is this user's, is for all of `names`, and will last for a while."""
    try:
        found = certificate.stat()
        of_certificate = names_in(first_certificate(str(certificate)))
    except (OSError, StartError):
        return False
    made = datetime.fromtimestamp(found.st_mtime, UTC)
    lasts = datetime.now(UTC) < made + timedelta(days=VALID_DAYS - RENEWED_DAYS)
    is_own = os.name != "posix" or found.st_uid == os.geteuid()
    return is_own and lasts and set(names) <= set(of_certificate)


def _make(certificate: Path, authority: Path, names: list[str]) -> None:
    try:
        import trustme
    except ImportError as error:
        raise StartError(
            "--tls-dev makes a certificate with the package trustme, which is not installed;"
            ' pip install "groundwire[tls-dev]"'
        ) from error
    until = datetime.now(UTC) + timedelta(days=VALID_DAYS)
    maker = trustme.CA(organization_name="Groundwire development", organization_unit_name="")
    issued = maker.issue_cert(*names, common_name=names[0], not_after=until)
    # The authority first: where both are there, they belong together.
    _write(authority, maker.cert_pem.bytes())
    _write(certificate, issued.private_key_and_cert_chain_pem.bytes())


def _write(path: Path, content: bytes) -> None:
    """Write a file that only this user can read, so that nobody ever sees half of it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    with open(descriptor, "wb") as file:
        file.write(content)
    os.replace(name, path)
