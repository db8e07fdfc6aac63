"""TLS on real sockets: what a client sees, on both event loops, and what becomes of clients that are slow or wrong."""

import contextlib
import logging
import os
import signal
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from groundwire.adapters.wsgi import WSGIHandler
from groundwire.http.exchange import Exchange
from groundwire.http.request import Request
from groundwire.http.response import Response
from groundwire.server.certificates import Certificates, WatchedFiles
from groundwire.server.development import development_certificate
from groundwire.server.errors import StartError
from groundwire.server.server import Server
from groundwire.server.settings import ServerSettings
from groundwire.server.tls import TLS
from groundwire.server.x509 import names_in
from serving import SECONDS, Served, everything, running_server
from supervising import eventually, supervised

LOOPS = ["asyncio", "uvloop"]
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Files:
    """An authority, and the files of what it has issued."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = trustme.CA()
        self.ca = str(folder / "ca.pem")
        self.authority.cert_pem.write_to_path(self.ca)
        self.default = self.issue("default.pem", "localhost", "127.0.0.1")

    def issue(self, file: str, *names: str, authority: trustme.CA | None = None) -> str:
        """Write a certificate with its key to `file`, at once, as tools that renew do."""
        issued = (authority or self.authority).issue_cert(*names)
        path = self.folder / file
        new = path.with_suffix(".new")
        issued.private_key_and_cert_chain_pem.write_to_path(str(new))
        new.chmod(0o600)
        new.replace(path)
        return str(path)

    def client(self, **attributes: Any) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca)
        for name, value in attributes.items():
            setattr(context, name, value)
        return context


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("tls"))


@contextlib.contextmanager
def connected(
    served: Served, context: ssl.SSLContext, name: str = "localhost"
) -> Iterator[ssl.SSLSocket]:
    with (
        socket.create_connection(served, timeout=SECONDS) as plain,
        # Otherwise a connection that is cut short looks like one that has ended.
        context.wrap_socket(plain, server_hostname=name, suppress_ragged_eofs=False) as client,
    ):
        yield client


def whole(client: ssl.SSLSocket) -> bytes:
    """Read until the end that the peer has announced (close_notify); a connection cut short raises."""
    return everything(client)


def conversation(served: Served, context: ssl.SSLContext, message: bytes) -> bytes:
    """Send `message` and read until the end at the same time, which one `ssl.SSLSocket` cannot do."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with served.connect() as plain:
        shake_hands(client, incoming, outgoing, plain)
        client.write(message)
        sending = threading.Thread(target=plain.sendall, args=(outgoing.read(),))
        sending.start()
        incoming.write(everything(plain))
        sending.join()
    pieces: list[bytes] = []
    while piece := client.read(65536):
        pieces.append(piece)
    return b"".join(pieces)


def told(request: Request) -> Response:
    """Answer with what TLS tells."""
    exchange: Exchange | None = request.exchange
    assert exchange is not None
    tls = exchange.tls
    client = tls.client if tls is not None else None
    lines = [
        f"scheme={exchange.scheme} secure={request.is_secure} url={request.url}",
        f"tls={tls.version if tls else None} alpn={tls.protocol if tls else None}",
        f"name={tls.server_name if tls else None}",
        f"client={client.common_name if client else None}",
        *(f"{k}={v}" for k, v in request.environ.items() if k.startswith(("SSL_", "HTTPS"))),
    ]
    return Response("\n".join(lines))


@pytest.mark.parametrize("loop", LOOPS)
def test_a_request_is_answered_over_tls(files: Files, loop: str) -> None:
    context = files.client()
    context.set_alpn_protocols(["h2", "http/1.1"])

    with (
        running_server(told, loop=loop, cert=(files.default,)) as served,
        connected(served, context) as client,
    ):
        client.sendall(GET)
        answer = whole(client).decode()

        assert "TLSv1.3" == client.version()
        assert "http/1.1" == client.selected_alpn_protocol()
        assert served.server.url == f"https://127.0.0.1:{served.port}"
    assert answer.startswith("HTTP/1.1 200 OK\r\n")
    assert "scheme=https secure=True url=https://localhost/\n" in answer
    assert "tls=TLSv1.3 alpn=http/1.1\nname=localhost\nclient=None\n" in answer
    assert "HTTPS=on\nSSL_PROTOCOL=TLSv1.3\n" in answer
    assert "SSL_CLIENT_VERIFY=NONE\nSSL_TLS_SNI=localhost" in answer


@pytest.mark.parametrize("loop", LOOPS)
def test_large_content_comes_and_goes_whole(files: Files, loop: str) -> None:
    sent = os.urandom(3_000_000)

    def echo(request: Request) -> Response:
        return Response(request.get_data())

    with (
        running_server(echo, loop=loop, cert=(files.default,)) as served,
        connected(served, files.client()) as client,
    ):
        head = f"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(sent)}\r\n\r\n"
        client.sendall(head.encode() + sent)
        answer = whole(client)

    assert sent == answer.partition(b"\r\n\r\n")[2]


def test_a_stream_is_sent_in_pieces_and_waits_for_its_reader(files: Files) -> None:
    made = 0

    def pieces() -> Iterator[bytes]:
        nonlocal made
        for _ in range(200):
            made += 1
            yield b"x" * 65536

    with (
        running_server(lambda _request: Response(pieces()), cert=(files.default,)) as served,
        connected(served, files.client()) as client,
    ):
        client.sendall(GET)
        client.recv(1)
        eventually(lambda: made > 1)
        stood = -1
        while stood != made:  # the server fills what buffers there are, and then waits
            stood = made
            time.sleep(0.1)
        assert made < 200
        rest = whole(client)

    assert 200 == made
    assert rest.endswith(b"\r\n0\r\n\r\n")


@pytest.mark.parametrize("loop", LOOPS)
def test_pipelined_requests_are_answered_in_order(files: Files, loop: str) -> None:
    def echo(request: Request) -> Response:
        return Response(request.path)

    many = b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % n for n in range(3000))
    with running_server(echo, loop=loop, cert=(files.default,)) as served:
        answer = conversation(served, files.client(), many + GET)

    paths = [part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 200 OK\r\n")[1:]]
    assert [*(b"/%d" % n for n in range(3000)), b"/"] == paths


def test_a_client_that_ends_its_side_is_still_answered(files: Files) -> None:
    with (
        running_server(told, cert=(files.default,)) as served,
        socket.create_connection(served, timeout=SECONDS) as plain,
    ):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = files.client().wrap_bio(incoming, outgoing, server_hostname="localhost")
        shake_hands(client, incoming, outgoing, plain)
        client.write(GET)
        with contextlib.suppress(ssl.SSLWantReadError):
            client.unwrap()  # close_notify
        plain.sendall(outgoing.read())
        plain.shutdown(socket.SHUT_WR)
        received = everything(plain)

    # OpenSSL reads no more once it has said good-bye itself; the size of the record tells that there is an answer.
    assert len(received) > 300


def shake_hands(
    client: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, plain: socket.socket
) -> None:
    while True:
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            plain.sendall(outgoing.read())
            incoming.write(plain.recv(65536))
        else:
            plain.sendall(outgoing.read())
            return


@pytest.mark.parametrize("loop", LOOPS)
def test_a_refusal_can_be_read_though_much_is_unread(files: Files, loop: str) -> None:
    with (
        running_server(told, loop=loop, cert=(files.default,)) as served,
        connected(served, files.client()) as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n" + b"x" * 100_000)
        answer = whole(client)

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"Rule: RFC" in answer


# Who is let in.


def test_old_versions_and_weak_ciphers_are_refused(files: Files) -> None:
    weak = files.client(maximum_version=ssl.TLSVersion.TLSv1_2)
    weak.set_ciphers("AES128-SHA:AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA:@SECLEVEL=0")
    good = files.client(maximum_version=ssl.TLSVersion.TLSv1_2)

    with running_server(told, cert=(files.default,)) as served:
        with pytest.raises(ssl.SSLError), connected(served, weak):
            pass
        with connected(served, good) as client:
            assert "TLSv1.2" == client.version()
            name, _version, _bits = client.cipher() or ("", "", 0)
            assert name.startswith("ECDHE-")
            assert client.compression() is None


def test_a_certificate_is_chosen_by_the_name_asked_for(files: Files) -> None:
    one = files.issue("one.pem", "one.example")
    two = files.issue("two.pem", "two.example", "*.two.example")

    with running_server(told, cert=(files.default, one, two)) as served:
        for name in ("localhost", "one.example", "ONE.example", "two.example", "www.two.example"):
            with connected(served, files.client(), name) as client:
                client.sendall(GET)
                assert f"\nname={name}\n".lower() in whole(client).decode().lower()
        with pytest.raises(ssl.SSLCertVerificationError), connected(served, files.client(), "x.y"):
            pass


def test_a_client_shows_its_certificate(files: Files) -> None:
    issued = files.authority.issue_cert("ada@example.org", common_name='Ada, "A"')
    context = files.client()
    issued.configure_cert(context)

    with running_server(told, cert=(files.default,), client_ca=files.ca) as served:
        with connected(served, context) as client:
            client.sendall(GET)
            answer = whole(client).decode()
        with (
            pytest.raises((ssl.SSLError, ConnectionError)),
            connected(served, files.client()) as client,
        ):
            client.sendall(GET)
            client.recv(1)

    assert 'client=Ada, "A"\n' in answer
    assert "SSL_CLIENT_VERIFY=SUCCESS\n" in answer
    assert r"SSL_CLIENT_S_DN=CN=Ada\, \"A\",OU=" in answer
    assert "SSL_CLIENT_I_DN=" in answer
    assert "SSL_CLIENT_CERT=-----BEGIN CERTIFICATE-----\n" in answer
    shown = answer[answer.index("-----BEGIN") :].partition("-----END CERTIFICATE-----")[0]
    pem = f"{shown}-----END CERTIFICATE-----\n"
    assert issued.cert_chain_pems[0].bytes() == pem.encode()


def test_a_certificate_of_another_authority_is_refused_and_an_optional_one_may_be_missing(
    files: Files,
) -> None:
    stranger = files.client()
    trustme.CA().issue_cert("eve@example.org").configure_cert(stranger)

    with running_server(
        told, cert=(files.default,), client_ca=files.ca, client_cert="optional"
    ) as served:
        with connected(served, files.client()) as client:
            client.sendall(GET)
            assert b"SSL_CLIENT_VERIFY=NONE" in whole(client)
        with pytest.raises((ssl.SSLError, ConnectionError)), connected(served, stranger) as client:
            client.sendall(GET)
            client.recv(1)


# What goes wrong.


@pytest.mark.parametrize("loop", LOOPS)
def test_plain_http_is_told_to_say_https(files: Files, loop: str) -> None:
    with running_server(told, loop=loop, cert=(files.default,)) as served:
        answer = served.exchange(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + b"x" * 70_000)

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"Say https:// in place of http://" in answer


BAD_HELLOS = [
    b"\x16\x03\x01\x00\x05hello",
    b"\x16\x03\x01\xff\xff" + b"\0" * 400,
    b"\x80\x2e\x01\x00\x02",
    b"\0",
    b"SSH-2.0-x\r\n",
    b"\x16",
    b"",
]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("hello", BAD_HELLOS)
def test_what_is_no_handshake_ends_without_a_traceback(
    files: Files, loop: str, hello: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with running_server(told, loop=loop, cert=(files.default,)) as served:
        with served.connect() as client:
            client.sendall(hello)
            client.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionError):
                everything(client)
        eventually(lambda: not served.server.connections)

    lines = [record for record in caplog.records if record.name.startswith("groundwire")]
    assert [record for record in caplog.records if record.exc_info] == []
    assert [line.levelname for line in lines if line.levelno > logging.INFO] == []
    assert ["no TLS with" in line.getMessage() for line in lines] == [True]


def test_bad_handshakes_are_logged_once_in_a_while(
    files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with running_server(told, cert=(files.default,)) as served:
        for _ in range(30):
            with contextlib.suppress(ConnectionError):
                served.exchange(BAD_HELLOS[0])

    assert 1 == len([r for r in caplog.records if "no TLS with" in r.getMessage()])


def test_a_name_that_is_none_is_refused_in_silence(
    files: Files, capfd: pytest.CaptureFixture[str]
) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = files.client().wrap_bio(incoming, outgoing, server_hostname="wwwwwwww.example")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    hello = outgoing.read().replace(b"wwwwwwww", b"\xff\xfe\xe9\x80\xff\xff\xff\xff")

    with running_server(told, cert=(files.default,)) as served:
        answer = served.exchange(hello)

    assert b"\x15" == answer[:1]  # an alert
    assert capfd.readouterr().err == ""


def test_a_connection_that_is_reset_midway_leaves_nothing(files: Files) -> None:
    with running_server(told, cert=(files.default,)) as served:
        for octets in (1, 5, 200):
            plain = served.connect()
            plain.sendall(b"\x16\x03\x01\x02\x00" + bytes(octets))
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            plain.close()
        with connected(served, files.client()) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        eventually(lambda: not served.server.connections)


# Time.


@pytest.mark.slow
@pytest.mark.parametrize("loop", LOOPS)
def test_a_handshake_that_does_not_end_is_cut_in_time(files: Files, loop: str) -> None:
    hello = b"\x16\x03\x01\x02\x00\x01"

    with running_server(told, loop=loop, cert=(files.default,), tls_handshake_seconds=1) as served:
        began = time.monotonic()
        with contextlib.ExitStack() as stack:
            stalled = [stack.enter_context(served.connect()) for _ in range(50)]
            for number, client in enumerate(stalled):
                if number % 2:
                    client.sendall(hello)
            with connected(served, files.client()) as client:  # others are served meanwhile
                client.sendall(GET)
                assert b"200 OK" in whole(client)
            for client in stalled:
                with contextlib.suppress(ConnectionError):
                    assert everything(client) == b""

    assert time.monotonic() - began < 8  # and not 10, which is its figure in production


@pytest.mark.slow
def test_an_idle_connection_is_closed_with_a_word(files: Files) -> None:
    with (
        running_server(told, cert=(files.default,), keepalive_seconds=1) as served,
        connected(served, files.client()) as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(65536)

        assert client.recv(1) == b""  # close_notify: without it this raises


@pytest.mark.slow
@pytest.mark.parametrize("loop", LOOPS)
def test_a_reader_that_takes_nothing_is_reset(files: Files, loop: str) -> None:
    big = Response(b"x" * 20_000_000)

    with (
        running_server(
            lambda _request: big, loop=loop, cert=(files.default,), send_stall_seconds=1
        ) as served,
        connected(served, files.client()) as client,
    ):
        client.sendall(GET)
        eventually(lambda: served.server.counters.resets == 1)
        with pytest.raises((ConnectionError, ssl.SSLError)):
            whole(client)


@pytest.mark.slow
@pytest.mark.parametrize("loop", LOOPS)
def test_a_stop_answers_who_has_connected(
    files: Files, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Their second is soon over where ten handshakes are made beside other tests.
    monkeypatch.setattr("groundwire.server.connection.STOP_IDLE_SECONDS", SECONDS)
    with (
        running_server(told, loop=loop, cert=(files.default,), graceful_seconds=60) as served,
        contextlib.ExitStack() as stack,
    ):
        clients = [stack.enter_context(connected(served, files.client())) for _ in range(5)]
        greeted = [stack.enter_context(served.connect()) for _ in range(5)]
        served.server.request_stop()
        eventually(lambda: served.server.stopping)
        for plain in greeted:
            client = files.client().wrap_socket(
                plain, server_hostname="localhost", suppress_ragged_eofs=False
            )
            clients.append(stack.enter_context(client))
        for client in clients:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = whole(client)
            assert b"200 OK" in answer
            assert b"Connection: close" in answer


# The files.


def issuer_seen_by(served: Served, context: ssl.SSLContext) -> Any:
    with connected(served, context) as client:
        return (client.getpeercert() or {})["serialNumber"]


def test_new_files_are_used_without_closing_a_connection(files: Files) -> None:
    cert = files.issue("renewed.pem", "localhost")

    with (
        running_server(told, cert=(cert,)) as served,
        connected(served, files.client()) as before,
    ):
        first = issuer_seen_by(served, files.client())
        files.issue("renewed.pem", "localhost")
        tls = served.server.tls
        assert tls is not None
        tls.certificates.look()
        tls.certificates.look()
        second = issuer_seen_by(served, files.client())
        before.sendall(GET)

        assert b"200 OK" in whole(before)
    assert first != second


@pytest.mark.slow
def test_the_sweep_sees_that_files_have_changed(files: Files) -> None:
    cert = files.issue("swept.pem", "localhost")

    with running_server(told, cert=(cert,)) as served:
        first = issuer_seen_by(served, files.client())
        files.issue("swept.pem", "localhost")
        eventually(lambda: issuer_seen_by(served, files.client()) != first)


def test_the_keys_of_tickets_are_renewed(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundwire.server.tls.NEW_KEYS_SECONDS", 3)
    tls = TLS.of(ServerSettings(cert=(files.default,)))
    first = tls.certificates.context

    contexts = []
    for _ in range(3):
        tls.sweep()
        contexts.append(tls.certificates.context)

    assert [True, True, False] == [context is first for context in contexts]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is one process without fork()")
def test_a_reload_of_workers_reads_the_files_and_ends_no_connection(
    files: Files, tmp_path: Path
) -> None:
    cert = files.issue("reloaded.pem", "localhost")
    context = files.client()
    options = ("--cert", cert, "--redirect-http", "127.0.0.1:0", "--workers", "2")

    with supervised(tmp_path, *options) as server:
        assert "https://localhost:" in server.line_with(" serves ")
        address = Served(("localhost", server.port))
        with connected(address, context) as before:
            first = issuer_seen_by(address, context)
            files.issue("reloaded.pem", "localhost")
            server.signal(signal.SIGHUP)
            server.line_with("reloaded: the new version serves")

            assert first != issuer_seen_by(address, context)
            before.sendall(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
            assert whole(before).endswith(b"\r\n\r\none")


def test_a_broken_file_is_not_used(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    cert = files.issue("broken.pem", "localhost")
    certificates = Certificates(ServerSettings(cert=(cert,)))
    context = certificates.context
    Path(cert).write_text("-----BEGIN CERTIFICATE-----\nrubbish\n")

    assert certificates.reload() is False
    assert context is certificates.context
    [record] = caplog.records
    assert "the certificates loaded before go on being used" in record.getMessage()
    assert cert in record.getMessage()


def test_files_count_as_changed_when_they_have_settled(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("a")
    watched = WatchedFiles([str(file)])

    assert not watched.have_changed()
    file.write_text("bb")
    assert not watched.have_changed()  # somebody may be writing it still
    assert watched.have_changed()
    assert not watched.have_changed()
    file.unlink()
    assert not watched.have_changed()
    assert watched.have_changed()


def test_what_is_wrong_with_a_file_is_said(files: Files, tmp_path: Path) -> None:
    key = files.issue("other.pem", "other.example")
    empty = tmp_path / "empty.pem"
    empty.touch()
    only_cert = tmp_path / "cert.pem"
    text = Path(files.default).read_text()
    only_cert.write_text(text[text.index("-----BEGIN CERT") :])

    def refusal(**settings: Any) -> str:
        with pytest.raises(StartError) as caught:
            Certificates(ServerSettings(**settings))
        return str(caught.value)

    assert "cannot read 'none.pem': No such file" in refusal(cert=("none.pem",))
    assert "holds no certificate in PEM form" in refusal(cert=(str(empty),))
    assert "is not that of the certificate" in refusal(cert=(files.default,), key=(key,))
    assert "say --key FILE" in refusal(cert=(str(only_cert),))
    assert "there are 1 certificates and 2 keys" in refusal(cert=(files.default,), key=(key, key))
    assert "no certificate of an authority" in refusal(cert=(files.default,), client_ca=str(empty))


def test_a_key_that_needs_a_password_is_refused_without_asking(
    files: Files, tmp_path: Path
) -> None:
    from cryptography.hazmat.primitives import serialization

    text = Path(files.default).read_bytes()
    key = serialization.load_pem_private_key(text, None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )

    with pytest.raises(StartError, match="is encrypted"):
        Certificates(ServerSettings(cert=(files.default,), key=(str(locked),)))


def test_a_key_that_everybody_can_read_is_told_of(
    files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    cert = files.issue("open.pem", "localhost")
    Path(cert).chmod(0o644)

    Certificates(ServerSettings(cert=(cert,)))

    assert ["can be read by every user" in r.getMessage() for r in caplog.records] == [True]


def test_names_are_read_from_a_certificate(files: Files) -> None:
    issued = files.authority.issue_cert("a.example", "*.B.example", "192.0.2.7", "2001:db8::1")
    der = ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())

    assert ("a.example", "*.b.example", "192.0.2.7", "2001:db8::1") == names_in(der)
    for end in range(0, len(der), 7):
        assert names_in(der[:end]) == ()


# A certificate of one's own.


def test_a_development_certificate_is_made_and_used_again(tmp_path: Path) -> None:
    cert, ca = development_certificate(folder=tmp_path)
    context = ssl.create_default_context(cafile=ca)

    with running_server(told, cert=(cert,)) as served:
        for name in ("localhost", "127.0.0.1", socket.gethostname()):
            with connected(served, context, name) as client:
                client.sendall(GET)
                assert b"200 OK" in whole(client)
    assert 0o600 == os.stat(cert).st_mode & 0o777
    before = Path(cert).read_bytes()
    assert (cert, ca) == development_certificate(folder=tmp_path)
    assert before == Path(cert).read_bytes()
    development_certificate("dev.example", folder=tmp_path)
    assert before != Path(cert).read_bytes()


def test_without_trustme_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "trustme", None)

    with pytest.raises(StartError, match=r'pip install "groundwire\[tls-dev\]"'):
        development_certificate(folder=tmp_path)


def test_a_context_that_a_program_has_made_is_used(files: Files) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.default)

    with (
        running_server(told, ssl_context=context) as served,
        connected(served, files.client()) as client,
    ):
        client.sendall(GET)
        assert b"scheme=https" in whole(client)


# From http to https.


@contextlib.contextmanager
def redirecting(files: Files, **settings: Any) -> Iterator[tuple[Served, Any]]:
    with running_server(
        told, cert=(files.default,), redirect_http="127.0.0.1:0", **settings
    ) as served:
        yield served, ("127.0.0.1", served.server.redirecting_port)


def answer_at(address: Any, message: bytes) -> str:
    with socket.create_connection(address, timeout=SECONDS) as client:
        client.sendall(message)
        client.shutdown(socket.SHUT_WR)
        return everything(client).decode()


def test_plain_requests_are_led_to_https(files: Files) -> None:
    with redirecting(files, hsts_seconds=300) as (served, address):
        answer = answer_at(
            address, b"POST //a?b=c HTTP/1.1\r\nHost: localhost:80\r\nContent-Length: 9\r\n\r\n123"
        )

        assert answer.startswith("HTTP/1.1 308 Permanent Redirect\r\n")
        assert f"\r\nLocation: https://localhost:{served.port}//a?b=c\r\n" in answer
        assert "Strict-Transport-Security" not in answer


def test_a_unix_socket_can_be_protected_too(files: Files, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with (
        redirecting(files, unix=path) as (_served, address),
        socket.socket(socket.AF_UNIX) as plain,
    ):
        plain.settimeout(SECONDS)
        plain.connect(path)
        with files.client().wrap_socket(plain, server_hostname="localhost") as client:
            client.sendall(GET)
            assert b"scheme=https" in whole(client)
        answer = answer_at(address, b"GET /x HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert "\r\nLocation: https://localhost/x\r\n" in answer


@pytest.mark.parametrize(
    ("line", "host", "status"),
    [
        ("GET / HTTP/1.1", "evil.example", 421),
        ("GET / HTTP/1.1", "localhost.evil.example", 421),
        ("GET http://127.0.0.1/x?y HTTP/1.1", "evil.example", 308),
        ("GET http://evil.example/ HTTP/1.1", "localhost", 421),
        ("OPTIONS * HTTP/1.1", "localhost", 400),
        ("CONNECT localhost:443 HTTP/1.1", "localhost:443", 400),
        ("GET / HTTP/1.1", "local host", 400),
        ("GET / HTTP/1.1", "localhost/../evil", 400),
        ("GET / HTTP/1.1", "[::1]", 421),
    ],
)
def test_nobody_is_led_to_a_host_that_is_not_ours(
    files: Files, line: str, host: str, status: int
) -> None:
    with redirecting(files) as (_served, address):
        answer = answer_at(address, f"{line}\r\nHost: {host}\r\n\r\n".encode())

    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert "evil" not in answer


def test_hsts_is_said_once_and_an_applications_own_counts(files: Files) -> None:
    def answer(request: Request) -> Response:
        fields = {"Strict-Transport-Security": "max-age=1"} if request.path == "/own" else {}
        return Response("x", headers=fields)

    with running_server(answer, cert=(files.default,), hsts_seconds=31536000) as served:
        for path, value in (("/", "max-age=31536000"), ("/own", "max-age=1")):
            with connected(served, files.client()) as client:
                client.sendall(GET.replace(b"/ ", path.encode() + b" ", 1))
                received = whole(client).decode()
            assert 1 == received.count("Strict-Transport-Security")
            assert f"\r\nStrict-Transport-Security: {value}\r\n" in received


@pytest.mark.parametrize(
    "settings", [{"redirect_http": "0"}, {"key": ("x",)}, {"client_ca": "x"}, {"hsts_seconds": 1}]
)
def test_what_is_for_https_is_refused_without_a_certificate(settings: dict[str, Any]) -> None:
    with pytest.raises(StartError, match="needs --cert or --tls-dev"):
        Server(told, ServerSettings(port=0, **settings)).open()


def test_a_redirecting_address_that_is_none_is_refused(files: Files) -> None:
    server = Server(told, ServerSettings(port=0, cert=(files.default,), redirect_http="http"))
    with pytest.raises(StartError, match="neither PORT nor HOST:PORT"):
        server.open()


# Other protocols.

UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer in capital letters, until the client has nothing more to say or has said `end`."""
    taken = environ["werkzeug.socket"]
    taken.sendall(SWITCHING)
    while data := taken.recv(65536):
        taken.sendall(data.upper())
        if data.endswith(b"end"):
            break
    return []


def nothing_is_left(served: Served) -> bool:
    server = served.server
    return not server.connections and not server.upgraded and not server.pool.pending


@pytest.mark.parametrize("loop", LOOPS)
def test_a_program_takes_a_protected_connection(files: Files, loop: str) -> None:
    with running_server(WSGIHandler(echo), loop=loop, cert=(files.default,)) as served:
        with connected(served, files.client()) as client:
            client.sendall(UPGRADE)
            assert SWITCHING == client.recv(65536)
            client.sendall(b"hello")
            assert b"HELLO" == client.recv(65536)
        eventually(lambda: nothing_is_left(served))


@pytest.mark.slow
@pytest.mark.parametrize("loop", LOOPS)
def test_much_goes_both_ways_at_once(files: Files, loop: str) -> None:
    message = b"much" * 1_000_000 + b"end"

    with running_server(WSGIHandler(echo), loop=loop, cert=(files.default,)) as served:
        received = conversation(served, files.client(), UPGRADE + message)
        eventually(lambda: nothing_is_left(served))

    assert SWITCHING + message.upper() == received


@pytest.mark.slow
@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_takes_nothing_of_another_protocol_is_given_up(
    files: Files, loop: str
) -> None:
    ended: list[BaseException] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        taken = environ["werkzeug.socket"]
        try:
            while True:
                taken.sendall(b"x" * 65536)
        except OSError as error:
            ended.append(error)
        return []

    with (
        running_server(
            WSGIHandler(application), loop=loop, cert=(files.default,), send_stall_seconds=1
        ) as served,
        connected(served, files.client()) as client,
    ):
        client.sendall(UPGRADE)
        eventually(lambda: bool(ended) and nothing_is_left(served))


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_resets_ends_the_program(files: Files, loop: str) -> None:
    with running_server(WSGIHandler(echo), loop=loop, cert=(files.default,)) as served:
        with connected(served, files.client()) as client:
            client.sendall(UPGRADE)
            client.recv(65536)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        eventually(lambda: nothing_is_left(served))


@pytest.mark.parametrize("loop", LOOPS)
def test_a_stop_ends_a_program(files: Files, loop: str) -> None:
    with (
        running_server(WSGIHandler(echo), loop=loop, cert=(files.default,)) as served,
        connected(served, files.client()) as client,
    ):
        client.sendall(UPGRADE)
        client.recv(65536)
        served.stop()
        assert nothing_is_left(served)
