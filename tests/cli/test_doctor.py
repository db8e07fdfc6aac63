"""`groundwire doctor`, with a proxy that does what a configuration can make one do."""

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner, Result

from groundwire.cli.command import groundwire
from groundwire.cli.probing import ProbeServer
from groundwire.protocol.proxy_header import SIGNATURE
from groundwire.server.addresses import ListeningSockets, open_sockets
from groundwire.server.settings import ServerSettings
from ports import free_ports, unheard_port
from serving import SECONDS

Fields = list[tuple[str, str]]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first piece of a stream may be slow on a machine that is busy with other tests."""
    monkeypatch.setattr("groundwire.cli.probing.STREAM_SECONDS", SECONDS)


@dataclass
class Proxy:
    """A proxy of few lines: a thread for each client, which hands on head and answer.

    Attributes:
        rewrite: what it makes of the fields of a request.
        version: the version it speaks with the server.
        introduction: what it begins connections with.
        buffers: whether it keeps answers back until they are whole.
        idle_seconds: when it ends an idle connection; None: never.
    """

    rewrite: Callable[[Fields], Fields] = lambda fields: fields
    version: str = "1.1"
    introduction: bytes = b""
    buffers: bool = False
    idle_seconds: float | None = None
    cut: str = ""
    tls: ssl.SSLContext | None = None
    upstream: tuple[str, int] = ("127.0.0.1", 0)
    over: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def serve(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                self.threads.append(threading.Thread(target=self.hand_on, args=(client,)))
                self.threads[-1].start()

    def hand_on(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if self.tls is not None:
                client = self.tls.wrap_socket(client, server_side=True)
            data = b""
            while b"\r\n\r\n" not in data:
                piece = client.recv(65536)
                if not piece:
                    return
                data += piece
            line, *lines = data.decode("latin-1").partition("\r\n\r\n")[0].split("\r\n")
            method, target, _ = line.split(" ")
            pairs = [tuple(each.split(": ", 1)) for each in lines]
            fields = self.rewrite([(name, value) for name, value in pairs])
            head = [f"{method} {target.removeprefix(self.cut)} HTTP/{self.version}"]
            head += [f"{name}: {value}" for name, value in fields]
            with socket.create_connection(self.upstream, timeout=SECONDS) as server:
                server.sendall(self.introduction + "\r\n".join([*head, "", ""]).encode("latin-1"))
                self.answer(client, server)

    def answer(self, client: socket.socket, server: socket.socket) -> None:
        answer = b""
        while True:
            piece = server.recv(65536)
            answer += piece
            if not self.buffers and piece:
                client.sendall(piece)
            _, _, content = answer.partition(b"\r\n\r\n")
            whole = content == b"groundwire-doctor\n" or answer.endswith(b"0\r\n\r\n")
            if not piece or whole:
                break
        if self.buffers:
            client.sendall(answer)
        client.close()
        if self.idle_seconds is None:
            self.over.wait()
        else:
            select.select([server], [], [], self.idle_seconds)


@contextlib.contextmanager
def running(proxy: Proxy) -> Iterator[str]:
    """Run a proxy, and give its URL."""
    proxy.upstream = ("127.0.0.1", *free_ports(1))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepting = threading.Thread(target=proxy.serve, args=(listening,))
        accepting.start()
        try:
            yield f"http{'s' if proxy.tls else ''}://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            proxy.over.set()
            listening.shutdown(socket.SHUT_RDWR)
            for thread in (accepting, *proxy.threads):
                thread.join(SECONDS)


def examined(proxy: Proxy, *options: str, path: str = "/", wait: bool = False) -> Result:
    with running(proxy) as url:
        listen = f"127.0.0.1:{proxy.upstream[1]}"
        arguments = ["doctor", "--proxy", f"{url}{path}", "--listen", listen, *options]
        arguments.append("--wait" if wait else "--no-wait")
        return CliRunner().invoke(groundwire, arguments)


def setting(**values: str) -> Callable[[Fields], Fields]:
    """Make a proxy write fields in place of the client's; ``None`` takes one away."""

    def rewrite(fields: Fields) -> Fields:
        names = {name.replace("_", "-").lower(): value for name, value in values.items()}
        kept = [pair for pair in fields if pair[0].lower() not in names]
        return [*kept, *((name, value) for name, value in names.items() if value)]

    return rewrite


def appending(fields: Fields) -> Fields:
    """Do as nginx does with $proxy_add_x_forwarded_for and no more."""
    said = [value for name, value in fields if name == "X-Forwarded-For"]
    kept = [pair for pair in fields if pair[0] != "X-Forwarded-For"]
    return [*kept, ("X-Forwarded-For", ", ".join([*said, "198.51.100.7"]))]


EVERYTHING = setting(
    x_forwarded_for="198.51.100.7",
    x_forwarded_proto="http",
    x_forwarded_host="",
    x_forwarded_port="",
    x_forwarded_prefix="",
    forwarded="",
)


def test_proxy_that_is_trusted_and_says_all_is_well() -> None:
    result = examined(Proxy(EVERYTHING), "--trusted-proxies", "127.0.0.1")
    assert "remote_addr 198.51.100.7   scheme http   host 127.0.0.1:" in result.output
    assert result.output.endswith("All is well.\n")
    assert result.exit_code == 0


def test_untrusted_proxy_is_named_with_the_setting_that_trusts_it() -> None:
    result = examined(Proxy(EVERYTHING))
    assert result.exit_code == 1
    assert "The proxy connects from 127.0.0.1, and not all on the way are among" in result.output
    assert "Settings that fit this proxy as it is\n  --trusted-proxies 127.0.0.1\n" in result.output
    now, then = result.output.split("Seen then")
    assert "Seen now\n  remote_addr 127.0.0.1 " in now
    assert "\n  remote_addr 198.51.100.7 " in then


def test_fields_that_the_proxy_hands_on_from_clients_are_not_to_be_believed() -> None:
    result = examined(Proxy(appending))
    assert (
        "--trusted-proxies 127.0.0.1 --forwarded-headers x-forwarded --forwarded-fields for\n"
        in result.output
    )
    assert 'proxy_set_header X-Forwarded-Host "";' in result.output
    assert "remote_addr 198.51.100.7 " in result.output.split("Seen then")[1]


def test_fields_that_clients_forge_are_told_of_where_they_are_believed() -> None:
    result = examined(
        Proxy(setting(x_forwarded_for="198.51.100.7", forwarded="")),
        *("--trusted-proxies", "127.0.0.1"),
    )
    assert (
        "Anybody can choose the scheme, the host, the port and the prefix of the path: the proxy hands"
        " X-Forwarded-Proto, X-Forwarded-Host, X-Forwarded-Port and X-Forwarded-Prefix on"
    ) in result.output
    assert "--forwarded-fields for\n" in result.output


@pytest.mark.parametrize("field", ["X-Forwarded-For", "Forwarded"])
def test_doctor_that_is_trusted_itself_judges_for_those_who_are_not(field: str) -> None:
    def rewrite(fields: Fields) -> Fields:
        said = {
            "X-Forwarded-For": "203.0.113.66, 127.0.0.1",
            "Forwarded": f'for="203.0.113.66", for="127.0.0.1:9";proto=http;host="{dict(fields)["Host"]}"',
        }
        kept = [pair for pair in fields if "orwarded" not in pair[0]]
        return [*kept, (field, said[field])]

    result = examined(Proxy(rewrite), "--trusted-proxies", "127.0.0.1")
    assert result.exit_code == 0, result.output


def test_proxies_before_the_last_one_are_found() -> None:
    def two(fields: Fields) -> Fields:
        said = "203.0.113.66, 198.51.100.7, 192.0.2.9"
        return setting(x_forwarded_for=said)(EVERYTHING(fields))

    result = examined(Proxy(two))
    assert "--trusted-proxies 127.0.0.1,192.0.2.9\n" in result.output
    assert "remote_addr 198.51.100.7 " in result.output.split("Seen then")[1]


def test_families_that_contradict_each_other_are_told_of() -> None:
    rewrite = setting(x_forwarded_for="198.51.100.7", x_forwarded_proto="http")
    result = examined(Proxy(rewrite), "--trusted-proxies", "127.0.0.1")
    assert "requests of clients that send such fields themselves are refused. 400:" in result.output
    assert "--forwarded-headers x-forwarded" in result.output


def test_forwarded_alone_will_do() -> None:
    def rewrite(fields: Fields) -> Fields:
        kept = [pair for pair in fields if not pair[0].startswith("X-Forwarded")]
        return setting(forwarded="for=198.51.100.7;proto=http;host=" + dict(fields)["Host"])(kept)

    result = examined(Proxy(rewrite), "--trusted-proxies", "127.0.0.1")
    assert "remote_addr 198.51.100.7" in result.output
    assert result.exit_code == 0, result.output


def test_host_that_is_not_handed_on_is_told_of() -> None:
    rewrite = lambda fields: setting(host="app:8000")(EVERYTHING(fields))  # noqa: E731
    result = examined(Proxy(rewrite), "--trusted-proxies", "127.0.0.1")
    assert "the application sees app:8000: Host is not handed on." in result.output
    assert "proxy_set_header Host $http_host;" in result.output


def test_scheme_that_is_wrong_is_told_of() -> None:
    rewrite = lambda fields: setting(x_forwarded_proto="https")(EVERYTHING(fields))  # noqa: E731
    result = examined(Proxy(rewrite), "--trusted-proxies", "127.0.0.1")
    assert "Clients use http, and the application sees https" in result.output


def test_silent_proxy_is_told_what_to_say() -> None:
    result = examined(
        Proxy(lambda fields: [pair for pair in EVERYTHING(fields) if "orwarded" not in pair[0]])
    )
    assert "The proxy says nothing about clients" in result.output
    assert "option forwardfor" in result.output


def test_path_that_is_cut_off_is_told_of() -> None:
    result = examined(
        Proxy(EVERYTHING, cut="/shop"), "--trusted-proxies", "127.0.0.1", path="/shop/cart"
    )
    assert "The proxy cuts /shop off the path and does not say so" in result.output
    assert "proxy_set_header X-Forwarded-Prefix /shop;" in result.output


def test_old_version_is_told_of() -> None:
    result = examined(Proxy(EVERYTHING, version="1.0"), "--trusted-proxies", "127.0.0.1")
    assert "The proxy speaks HTTP/1.0" in result.output


@pytest.mark.slow
def test_answers_that_are_kept_back_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundwire.cli.probing.STREAM_SECONDS", 0.2)
    result = examined(Proxy(EVERYTHING, buffers=True), "--trusted-proxies", "127.0.0.1")
    assert "keeps streamed answers back" in result.output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("idle_seconds", "keepalive", "told"), [(None, "1", True), (0.2, "20", False)]
)
def test_who_ends_an_idle_connection_first_is_seen(
    idle_seconds: float | None, keepalive: str, told: bool
) -> None:
    result = examined(
        Proxy(EVERYTHING, idle_seconds=idle_seconds),
        *("--trusted-proxies", "127.0.0.1", "--keepalive", keepalive),
        wait=True,
    )
    assert ("--keepalive 75" in result.output) is told
    assert result.exit_code == told


@pytest.mark.parametrize(
    "introduction",
    [
        b"PROXY TCP4 198.51.100.9 127.0.0.1 4711 80\r\n",
        SIGNATURE + b"\x21\x11\x00\x0c" + bytes((198, 51, 100, 9, 127, 0, 0, 1, 1, 1, 2, 2)),
    ],
)
def test_proxy_protocol_is_recognised(introduction: bytes) -> None:
    proxy = Proxy(introduction=introduction)
    result = examined(proxy)
    assert "PROXY protocol: 198.51.100.9:" in result.output
    assert "As it is, requests are refused. 400: a header of the PROXY protocol" in result.output
    assert "--trusted-proxies 127.0.0.1 --proxy-protocol required\n" in result.output
    assert "remote_addr 198.51.100.9 " in result.output.split("Seen then")[1]
    right = examined(
        Proxy(introduction=introduction),
        *("--trusted-proxies", "127.0.0.1", "--proxy-protocol", "required"),
    )
    assert right.exit_code == 0, right.output


def test_proxy_protocol_that_does_not_come_is_told_of() -> None:
    result = examined(
        Proxy(EVERYTHING), "--trusted-proxies", "127.0.0.1", "--proxy-protocol", "required"
    )
    assert "no header of the PROXY protocol comes first" in result.output
    assert "--proxy-protocol off" in result.output


# When nothing arrives.


def test_proxy_that_forwards_elsewhere_is_told_of() -> None:
    def lost(fields: Fields) -> Fields:
        return [pair for pair in fields if pair[0] != "groundwire-doctor"]

    with running(Proxy(lost)) as url:
        (port,) = free_ports(1)
        result = CliRunner().invoke(
            groundwire, ["doctor", "--proxy", url, "--listen", f"127.0.0.1:{port}"]
        )
    assert "Nothing arrived here." in result.output
    assert result.exit_code == 1


def test_proxy_that_does_not_listen_is_told_of() -> None:
    with unheard_port() as port:
        result = CliRunner().invoke(
            groundwire, ["doctor", "--proxy", f"http://127.0.0.1:{port}", "--listen", "127.0.0.1:0"]
        )
    assert "nobody listens there" in result.output
    assert result.exit_code == 1


def test_proxy_that_never_answers_is_told_of() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        result = CliRunner().invoke(
            groundwire, ["doctor", "--proxy", url, "--listen", "127.0.0.1:0", "--timeout", "0.2"]
        )
    assert "no answer came in 0.2 s" in result.output


@pytest.mark.slow
def test_certificate_that_is_not_good_is_told_of_and_may_be_passed_over(tmp_path: Path) -> None:
    certificate = tmp_path / "cert.pem"
    issued = trustme.CA().issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(str(certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    rewrite = lambda fields: setting(x_forwarded_proto="https")(EVERYTHING(fields))  # noqa: E731
    trusted = ("--trusted-proxies", "127.0.0.1")
    bad = examined(Proxy(rewrite, tls=context), *trusted)
    assert "its certificate is not good" in bad.output
    assert bad.exit_code == 1
    passed_over = examined(Proxy(rewrite, tls=context), *trusted, "--insecure")
    assert "scheme https" in passed_over.output
    assert passed_over.exit_code == 0, passed_over.output


def test_others_that_come_meanwhile_are_told_to_come_again() -> None:
    with listening_sockets() as listening:
        server = ProbeServer(listening)
        server.start()
        try:
            stranger = exchanged(listening, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            noise = exchanged(listening, b"\x16\x03\x01 ClientHello\r\n\r\n")
        finally:
            server.close()
    assert stranger.startswith(b"HTTP/1.1 503 ")
    assert server.strangers == 1
    assert noise.startswith(b"HTTP/1.1 400 ")
    assert server.refused[0].startswith("from 127.0.0.1:")


@contextlib.contextmanager
def listening_sockets() -> Iterator[ListeningSockets]:
    listening = open_sockets(ServerSettings(host="127.0.0.1", port=0))
    try:
        yield listening
    finally:
        listening.close()


def exchanged(listening: ListeningSockets, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", listening.port or 0), timeout=SECONDS) as client:
        client.sendall(data)
        return client.recv(65536)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--proxy", "shop.example"], "is no URL"),
        (["--proxy", "http://127.0.0.1:1", "--listen", "8000"], "is not HOST:PORT"),
        (["--proxy", "http://127.0.0.1:1", "--trusted-proxies", "proxy"], "is no address"),
    ],
)
def test_mistaken_options_are_told_of(options: list[str], told: str) -> None:
    result = CliRunner().invoke(groundwire, ["doctor", *options])
    assert told in result.output
    assert result.exit_code == 2


def test_port_that_the_application_still_has_is_told_of() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        result = CliRunner().invoke(
            groundwire, ["doctor", "--proxy", "http://127.0.0.1:1", "--listen", listen]
        )
    assert "is in use" in result.output
    assert result.exit_code == 2


def test_settings_may_be_in_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDWIRE_TRUSTED_PROXIES", "127.0.0.1")
    result = examined(Proxy(EVERYTHING))
    assert result.exit_code == 0, result.output
