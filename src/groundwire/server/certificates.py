"""The server's certificates: read from files, chosen by the name a client asks for, read again when the files change.

Everything that can be wrong with a file is said in one line with the file's name, and what to do about it.
"""

import logging
import os
import ssl
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from .errors import StartError
from .file_watch import stamps
from .settings import ServerSettings
from .x509 import names_in

logger = logging.getLogger("groundwire.server")

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: forward secrecy and authenticated encryption only (RFC 9325 §4.2). Those of TLS 1.3 all have both."""

PROTOCOLS: Final = ("http/1.1",)
"""What is offered by ALPN (RFC 7301)."""

LOOK_SECONDS: Final = 2
"""How often is looked whether a file has changed."""


class NamedObject(ssl.SSLObject):
    """One end of a connection, which remembers the name that the client asked for."""

    server_name: str | None = None


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """A certificate with its key, in one file or in two."""

    cert: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """Contexts that new connections are made with, until the next ones are loaded."""

    default: ssl.SSLContext
    by_name: dict[str, ssl.SSLContext] = field(default_factory=dict[str, ssl.SSLContext])
    """By host, or by ``*.`` and what follows a host's first label."""


class Certificates:
    """The contexts of a server, kept as its files are.

    Args:
        settings: which files, and what of clients.

    Raises:
        StartError: a file cannot be read, or is not what it should be.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._given: ssl.SSLContext | None = settings.ssl_context
        self._files = () if self._given is not None else _pairs(settings)
        self._watched = WatchedFiles(files_of(settings))
        if self._given is not None:
            _check_context(self._given)
            self._loaded = Loaded(self._given)
        else:
            self._loaded = self._load()

    @property
    def context(self) -> ssl.SSLContext:
        """What a new connection begins with."""
        return self._loaded.default

    @property
    def asks_clients(self) -> bool:
        """Whether clients are asked for a certificate."""
        return self._loaded.default.verify_mode is not ssl.CERT_NONE

    def covers(self, host: str) -> bool:
        """Tell whether a certificate is for `host`, a name or an address; True where nobody can tell."""
        by_name = self._loaded.by_name
        return not by_name or _choice(by_name, host) is not None

    def look(self) -> None:
        """Read the files again if they have changed since."""
        if self._watched.have_changed():
            self.reload()

    def reload(self) -> bool:
        """Read the files again. What is wrong with them is logged, and what was loaded before goes on being used."""
        if self._given is not None:
            return False
        self._watched = WatchedFiles(files_of(self._settings))
        try:
            self._loaded = self._load()
        except StartError as error:
            logger.error("the certificates loaded before go on being used: %s", error)
            return False
        logger.info("certificates loaded anew: %s", ", ".join(f.cert for f in self._files))
        return True

    def _load(self) -> Loaded:
        _be_quiet_about_bad_names()
        contexts = [self._context(files) for files in self._files]
        by_name: dict[str, ssl.SSLContext] = {}
        for files, context in zip(self._files, contexts, strict=True):
            for name in names_in(first_certificate(files.cert)):
                by_name.setdefault(name, context)
        for context in contexts:
            context.sni_callback = self._choose
        return Loaded(contexts[0], by_name)

    def _choose(self, connection: Any, name: str | None, _context: ssl.SSLContext) -> None:
        """Have `connection` go on with the certificate for `name`. Without one it gets the default (RFC 6066 §3)."""
        if name is None:
            return
        connection.server_name = name
        context = _choice(self._loaded.by_name, name)
        if context is not None and context is not connection.context:
            connection.context = context

    def _context(self, files: CertificateFiles) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.set_alpn_protocols(list(PROTOCOLS))
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        context.sslobject_class = NamedObject
        _load_chain(context, files)
        if self._settings.client_ca is not None:
            _load_authorities(context, self._settings.client_ca)
            required = self._settings.client_cert == "required"
            context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
        return context


class WatchedFiles:
    """Files, and whether they have changed."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = tuple(paths)
        self._known = self._seen = stamps(self._paths)

    def have_changed(self) -> bool:
        """Whether they have since this was True the last time, and have not since this was asked the last time.

        A certificate and its key are not replaced in one instant, nor is a file always written in one.
        """
        found = stamps(self._paths)
        settled = found == self._seen
        self._seen = found
        if found == self._known or not settled:
            return False
        self._known = found
        return True


def files_of(settings: ServerSettings) -> list[str]:
    """Return the paths of all that certificates are made of."""
    if settings.ssl_context is not None:
        return []
    authorities = () if settings.client_ca is None else (settings.client_ca,)
    return [*settings.cert, *settings.key, *authorities]


def _be_quiet_about_bad_names() -> None:
    """Have a client that asks for a name which is none fail its handshake without a word.

    SECURITY: `ssl` decodes the name before it calls `sni_callback`, and tells `sys.unraisablehook` when it cannot:
    anybody could fill the log with that.
    """
    previous = sys.unraisablehook
    if getattr(previous, "is_quiet_about_names", False):
        return

    def hook(unraisable: Any) -> None:
        bad_name = isinstance(unraisable.exc_value, UnicodeDecodeError)
        if not (bad_name and isinstance(unraisable.object, bytes)):
            previous(unraisable)

    hook.is_quiet_about_names = True  # type: ignore[attr-defined]
    sys.unraisablehook = hook


def _pairs(settings: ServerSettings) -> tuple[CertificateFiles, ...]:
    certs, keys = settings.cert, settings.key
    if keys and len(keys) != len(certs):
        raise StartError(
            f"there are {len(certs)} certificates and {len(keys)} keys; say --key once for each --cert,"
            " in the same order, or not at all where the keys are in the certificates' files"
        )
    return tuple(
        CertificateFiles(cert, key)
        for cert, key in zip(certs, keys or (None,) * len(certs), strict=True)
    )


def _check_context(context: Any) -> None:
    try:
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
    except (AttributeError, ValueError, ssl.SSLError) as error:
        raise StartError(
            f"ssl_context={context!r} cannot be: it is no ssl.SSLContext of a server (ssl.PROTOCOL_TLS_SERVER)"
        ) from error


def _load_chain(context: ssl.SSLContext, files: CertificateFiles) -> None:
    key = files.key or files.cert
    for path in (files.cert, key):
        _check_readable(path)
    try:
        # OpenSSL would ask for a password on the terminal.
        context.load_cert_chain(files.cert, key, password=_refuse_password)
    except ssl.SSLError as error:
        raise StartError(_why_not(error, files.cert, key)) from error
    except _Encrypted as error:
        raise StartError(
            f"the key in {key!r} is encrypted; write it without a password (openssl pkey -in {key} -out …),"
            " readable by nobody else"
        ) from error
    if os.name == "posix" and os.stat(key).st_mode & 0o004:
        logger.warning("the key in %r can be read by every user; chmod 600 it", key)


def _load_authorities(context: ssl.SSLContext, path: str) -> None:
    _check_readable(path)
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise StartError(f"{path!r} holds no certificate of an authority (PEM)") from error


def _check_readable(path: str) -> None:
    try:
        with open(path, "rb"):
            pass
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StartError(f"cannot read {path!r}: {reason}") from error


class _Encrypted(Exception):
    """A key needs a password."""


def _refuse_password() -> str:
    raise _Encrypted


def _why_not(error: ssl.SSLError, cert: str, key: str) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the key in {key!r} is not that of the certificate in {cert!r}"
    if error.reason == "EE_KEY_TOO_SMALL":
        return f"the key in {key!r} is too short to be safe; make one of 2,048 bits RSA, or P-256"
    try:
        first_certificate(cert)
    except StartError as refusal:
        return str(refusal)
    reason = (error.reason or str(error)).lower().replace("_", " ")
    if cert == key:
        return f"no key can be read from {key!r} ({reason}); say --key FILE where it is in another file"
    return f"no key can be read from {key!r} ({reason})"


def first_certificate(path: str) -> bytes:
    """Return a file's first certificate, as DER.

    Raises:
        StartError: there is none.
    """
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    try:
        with open(path, encoding="latin-1") as file:
            _before, begun, rest = file.read().partition(begin)
        content, ended, _after = rest.partition(end)
        if not (begun and ended):
            raise ValueError
        return ssl.PEM_cert_to_DER_cert(f"{begin}{content}{end}\n")
    except OSError as error:
        raise StartError(f"cannot read {path!r}: {error.strerror}") from error
    except ValueError as error:
        raise StartError(f"{path!r} holds no certificate in PEM form") from error


def _choice(by_name: dict[str, ssl.SSLContext], host: str) -> ssl.SSLContext | None:
    host = host.lower().removesuffix(".")
    context = by_name.get(host)
    if context is None:
        # RFC 6125 §6.4.3: the asterisk stands for one whole label.
        context = by_name.get(f"*.{host.partition('.')[2]}")
    return context
