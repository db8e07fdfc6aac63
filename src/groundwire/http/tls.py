"""What TLS says about a connection, and about who is at its other end (RFC 8446, RFC 5280).

The server makes these; a request has them as ``request.exchange.tls``, and an environ as the variables that Apache's
mod_ssl has for them (https://httpd.apache.org/docs/current/mod/mod_ssl.html#envvars).
"""

import hashlib
from base64 import encodebytes
from dataclasses import dataclass, field
from typing import Any, Final, cast

SHORT_NAMES: Final = {
    "commonName": "CN",
    "countryName": "C",
    "stateOrProvinceName": "ST",
    "localityName": "L",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "streetAddress": "STREET",
    "domainComponent": "DC",
    "userId": "UID",
}
"""Of the attributes in a name (RFC 4514 §3). Others keep the name that OpenSSL gives them."""

_ESCAPED: Final = str.maketrans({**{char: f"\\{char}" for char in '"+,;<>\\'}, "\0": "\\00"})


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate that a client has proved to be its own, from an authority the server accepts."""

    der: bytes = field(repr=False)
    details: dict[str, Any] = field(repr=False)
    """As `ssl.SSLSocket.getpeercert` gives them."""

    @property
    def subject(self) -> str:
        """Whom it was issued to, as RFC 4514 writes names: ``CN=Ada,O=Example,C=GB``."""
        return distinguished_name(self.details.get("subject", ()))

    @property
    def issuer(self) -> str:
        """Who issued it; see `subject`."""
        return distinguished_name(self.details.get("issuer", ()))

    @property
    def common_name(self) -> str:
        """The most specific CN of the subject; empty without one."""
        for part in reversed(self.details.get("subject", ())):
            for name, value in part:
                if name == "commonName":
                    return cast("str", value)
        return ""

    @property
    def alternative_names(self) -> tuple[tuple[str, str], ...]:
        """The subject's other names, each with its kind: ``("email", "ada@example.org")``."""
        return tuple(self.details.get("subjectAltName", ()))

    @property
    def serial_number(self) -> str:
        """What the issuer numbered it with, in hexadecimal capitals."""
        return str(self.details.get("serialNumber", ""))

    @property
    def not_before(self) -> str:
        """Since when it is valid, as OpenSSL writes times; `ssl.cert_time_to_seconds` reads them."""
        return str(self.details.get("notBefore", ""))

    @property
    def not_after(self) -> str:
        """Until when it is valid; see `not_before`."""
        return str(self.details.get("notAfter", ""))

    @property
    def fingerprint(self) -> str:
        """Its SHA-256 in hexadecimal: what to compare when it must be this very one."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def pem(self) -> str:
        """The certificate itself, as text (RFC 7468)."""
        content = encodebytes(self.der).decode("ascii").replace("\n", "")
        lines = "\n".join(content[at : at + 64] for at in range(0, len(content), 64))
        return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


@dataclass(frozen=True, slots=True)
class TLSInfo:
    """What the handshake of a connection came to."""

    version: str
    """``TLSv1.3`` or ``TLSv1.2``."""

    cipher: str
    """OpenSSL's name of the cipher suite."""

    cipher_bits: int = 0
    protocol: str | None = None
    """What both ends agreed to speak (ALPN, RFC 7301), if the client offered anything."""

    server_name: str | None = None
    """The host the client asked for (SNI, RFC 6066 §3), if it said so."""

    client: ClientCertificate | None = None
    """What the client has proved to be, if it was asked to and did."""


def tls_variables(tls: TLSInfo) -> dict[str, str]:
    """Return the variables of an environ that tell of TLS."""
    variables = {
        "HTTPS": "on",
        "SSL_PROTOCOL": tls.version,
        "SSL_CIPHER": tls.cipher,
        "SSL_CIPHER_USEKEYSIZE": str(tls.cipher_bits),
        "SSL_CLIENT_VERIFY": "NONE" if tls.client is None else "SUCCESS",
    }
    if tls.server_name is not None:
        variables["SSL_TLS_SNI"] = tls.server_name
    client = tls.client
    if client is not None:
        variables |= {
            "SSL_CLIENT_S_DN": client.subject.encode().decode("latin-1"),
            "SSL_CLIENT_S_DN_CN": client.common_name.encode().decode("latin-1"),
            "SSL_CLIENT_I_DN": client.issuer.encode().decode("latin-1"),
            "SSL_CLIENT_M_SERIAL": client.serial_number,
            "SSL_CLIENT_V_START": client.not_before,
            "SSL_CLIENT_V_END": client.not_after,
            "SSL_CLIENT_FINGERPRINT": client.fingerprint,
            "SSL_CLIENT_CERT": client.pem,
        }
    return variables


def distinguished_name(parts: Any) -> str:
    """Write a name as RFC 4514 does, the most specific part first, so that no value can pass for another part."""
    return ",".join(
        "+".join(f"{SHORT_NAMES.get(name, name)}={_escaped(value)}" for name, value in part)
        for part in reversed(parts)
    )


def _escaped(value: str) -> str:
    text = value.translate(_ESCAPED)
    if text.endswith(" "):
        text = f"{text[:-1]}\\ "
    return f"\\{text}" if text.startswith(("#", " ")) else text
