"""What a program is told of TLS, and of the client's certificate."""

from typing import Any

import pytest

from groundwire.http.tls import ClientCertificate, TLSInfo, distinguished_name, tls_variables

DETAILS: dict[str, Any] = {
    "subject": (
        (("countryName", "GB"),),
        (("organizationName", "Räder, Söhne + Co"),),
        (("commonName", "Ada"), ("userId", "ada")),
    ),
    "issuer": ((("commonName", "An authority"),),),
    "serialNumber": "0A1B",
    "notBefore": "Jan  1 00:00:00 2026 GMT",
    "notAfter": "Jan  1 00:00:00 2027 GMT",
    "subjectAltName": (("email", "ada@example.org"),),
}


def test_a_certificate_is_described() -> None:
    certificate = ClientCertificate(b"\0" * 100, DETAILS)

    assert r"CN=Ada+UID=ada,O=Räder\, Söhne \+ Co,C=GB" == certificate.subject
    assert "CN=An authority" == certificate.issuer
    assert "Ada" == certificate.common_name
    assert (("email", "ada@example.org"),) == certificate.alternative_names
    assert 64 == len(certificate.fingerprint)
    first, *lines, last, end = certificate.pem.split("\n")
    assert ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", "") == (first, last, end)
    assert [64, 64, 8] == [len(line) for line in lines]


def test_a_certificate_without_names_has_empty_ones() -> None:
    certificate = ClientCertificate(b"", {})

    assert ("", "", "", ()) == (
        certificate.subject,
        certificate.issuer,
        certificate.common_name,
        certificate.alternative_names,
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a,CN=root", r"a\,CN=root"),
        ("#x", r"\#x"),
        (" x ", r"\ x\ "),
        (" ", r"\ "),
        ('a"b\\c', r"a\"b\\c"),
        ("a\0b", r"a\00b"),
        ("<;>", r"\<\;\>"),
    ],
)
def test_no_value_can_pass_for_another_part_of_a_name(value: str, written: str) -> None:
    assert f"CN={written}" == distinguished_name(((("commonName", value),),))


def test_variables_are_those_of_apache_and_hold_octets() -> None:
    certificate = ClientCertificate(b"\0", DETAILS)
    variables = tls_variables(
        TLSInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "http/1.1", "example.org", certificate)
    )

    assert "on" == variables["HTTPS"]
    assert "SUCCESS" == variables["SSL_CLIENT_VERIFY"]
    assert "example.org" == variables["SSL_TLS_SNI"]
    assert "256" == variables["SSL_CIPHER_USEKEYSIZE"]
    assert certificate.subject == variables["SSL_CLIENT_S_DN"].encode("latin-1").decode()
    assert "0A1B" == variables["SSL_CLIENT_M_SERIAL"]


def test_without_a_client_certificate_there_are_no_variables_of_one() -> None:
    variables = tls_variables(TLSInfo("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"))

    assert "NONE" == variables["SSL_CLIENT_VERIFY"]
    assert {"SSL_CLIENT_VERIFY"} == {name for name in variables if name.startswith("SSL_CLIENT")}
    assert "SSL_TLS_SNI" not in variables
