"""What proxies say of a request, and what of it is believed."""

from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from groundwire.http.forwarded import (
    NOTHING,
    Forwarded,
    Forwarding,
    MalformedForwarding,
    Node,
    TrustedProxies,
    parse_forwarded,
    parse_node,
)

TRUSTED = TrustedProxies(["10.0.0.0/8", "2001:db8:1::/48"])
RULES = Forwarding(TRUSTED)


def lines(*texts: str) -> list[tuple[bytes, bytes]]:
    pairs = (text.encode("latin-1").partition(b": ") for text in texts)
    return [(name, value) for name, _, value in pairs]


def read(*texts: str, rules: Forwarding = RULES) -> Forwarded:
    return rules.read(lines(*texts))


def client(*texts: str, rules: Forwarding = RULES) -> str | None:
    found = read(*texts, rules=rules).client
    return found[0] if found else None


# Who is trusted.


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        (("10.0.0.5", 1), True),
        (("192.168.0.5", 1), False),
        (("2001:db8:1::5", 1, 0, 0), True),
        (("::ffff:10.0.0.5", 1, 0, 0), True),
        (("fe80::1%eth0", 1, 0, 2), False),
        (("not an address", 1), False),
        ("", False),
        ("/run/proxy", False),
    ],
)
def test_trusted_proxies_are_told_by_their_networks(peer: object, trusted: bool) -> None:
    assert TRUSTED.has_peer(peer) is trusted


def test_peers_on_unix_sockets_are_trusted_where_unix_is_named() -> None:
    trusted = TrustedProxies(["unix"])
    assert trusted
    assert trusted.has_peer("")
    assert not trusted.has_peer(("127.0.0.1", 1))
    assert not TrustedProxies([])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("proxy.example", "10.0.0.5, 10.0.0.0/8"),
        ("*", "no address"),
        ("", "no address"),
        ("10.0.0.5/8", "write 10.0.0.0/8"),
    ],
)
def test_mistaken_network_is_told_of(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        TrustedProxies([text])


# X-Forwarded-For: the rightmost address that is none of the proxies'.


@pytest.mark.parametrize(
    ("values", "address"),
    [
        (["1.1.1.1, 2.2.2.2"], "2.2.2.2"),
        (["1.1.1.1, 2.2.2.2, 10.0.0.1"], "2.2.2.2"),
        (["1.1.1.1", "2.2.2.2", "10.0.0.1,10.9.9.9"], "2.2.2.2"),
        (["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ([",, 2.2.2.2 , ,"], "2.2.2.2"),
        (["2.2.2.2:4711"], "2.2.2.2"),
        (["2001:DB8::1"], "2001:db8::1"),
        (["[2001:db8::1]"], "2001:db8::1"),
        (["[2001:db8::1]:4711"], "2001:db8::1"),
        (['"[2001:db8::1]:4711"'], "2001:db8::1"),
        (["::ffff:2.2.2.2"], "2.2.2.2"),
        (["1.1.1.1, 2001:db8:1::7"], "1.1.1.1"),
        (["<script>, 2.2.2.2"], "2.2.2.2"),
        (["6.6.6.6, unknown"], None),
        (["6.6.6.6, unknown, 10.0.0.4"], "10.0.0.4"),
        ([""], None),
    ],
)
def test_rightmost_untrusted_address_is_the_clients(values: list[str], address: str | None) -> None:
    assert client(*(f"X-Forwarded-For: {value}" for value in values)) == address


def test_route_is_what_is_believed_of_the_way_the_request_came() -> None:
    found = read("x-forwarded-for: 6.6.6.6, 2.2.2.2:99, 10.0.0.1")
    assert found.client == ("2.2.2.2", 99)
    assert found.route == ("2.2.2.2", "10.0.0.1")


@pytest.mark.parametrize(
    "text",
    [
        "X-Forwarded-For: 1.1.1.1, <script>",
        "X-Forwarded-For: 999.1.1.1",
        "X-Forwarded-For: 1.1.1",
        "X-Forwarded-For: client.example",
        "X-Forwarded-For: 1.1.1.1:99999",
        "X-Forwarded-For: fe80::1%lo",
        "X-Forwarded-Proto: gopher",
        "X-Forwarded-Host: a b",
        "X-Forwarded-Host: user@host",
        "X-Forwarded-Host: h\xf6st",
        "X-Forwarded-Port: http",
        "X-Forwarded-Port: 0",
        "X-Forwarded-Port: 65536",
        "X-Forwarded-Prefix: relative",
        "X-Forwarded-Prefix: //evil.example",
        "X-Forwarded-Prefix: /%2fevil.example",
        "X-Forwarded-Prefix: /\\evil.example",
        "X-Forwarded-Prefix: /a/../b",
        "X-Forwarded-Prefix: /a?b",
        "Forwarded: for",
        "Forwarded: for=",
        'Forwarded: for="2.2.2.2',
        'Forwarded: for="2.2.2.2"x',
        "Forwarded: for=2.2.2.2;for=3.3.3.3",
        "Forwarded: for = 2.2.2.2",
        "Forwarded: for=2001:db8::1",
        "Forwarded: for=2.2.2.2;proto=gopher",
        'Forwarded: for=2.2.2.2;host="a b"',
        "Forwarded: for=2.2.2.2 proto=http",
    ],
)
def test_malformed_field_of_a_trusted_proxy_is_an_error(text: str) -> None:
    with pytest.raises(MalformedForwarding):
        read(text)


@pytest.mark.parametrize("values", [["http", "https"], ["https, http"], ["http", "http, https"]])
def test_scheme_that_is_said_in_two_ways_is_an_error(values: list[str]) -> None:
    with pytest.raises(MalformedForwarding, match="X-Forwarded-Proto has several values"):
        read(*(f"X-Forwarded-Proto: {value}" for value in values))


@pytest.mark.parametrize(
    ("value", "scheme"),
    [("HTTPS, https", "https"), ("wss", "https"), ("ws", "http"), ("http", "http"), ("", None)],
)
def test_scheme_is_the_one_that_is_said(value: str, scheme: str | None) -> None:
    assert read(f"X-Forwarded-Proto: {value}").scheme == scheme


def test_host_is_that_of_the_proxy_which_saw_the_client() -> None:
    for_one = "X-Forwarded-For: 6.6.6.6, 2.2.2.2"
    for_two = "X-Forwarded-For: 2.2.2.2, 10.0.0.1"
    hosts = "X-Forwarded-Host: first.example, second.example"
    assert read(for_one, hosts).host == "second.example"
    assert read(for_two, hosts).host == "first.example"
    assert read(for_two, "X-Forwarded-Host: only.example:81").host == "only.example:81"


@pytest.mark.parametrize(
    ("fields", "asked", "authority"),
    [
        ([], "inner:8000", "inner:8000"),
        (["X-Forwarded-Host: outer"], "inner:8000", "outer"),
        (["X-Forwarded-Host: outer:81", "X-Forwarded-Port: 82"], "inner", "outer:81"),
        (["X-Forwarded-Host: outer", "X-Forwarded-Port: 82"], "inner", "outer:82"),
        (["X-Forwarded-Port: 82"], "inner", "inner:82"),
        (["X-Forwarded-Port: 82"], "[::1]", "[::1]:82"),
        (["X-Forwarded-Port: 82"], "inner:8000", "inner:8000"),
        (["X-Forwarded-Port: 80", "X-Forwarded-Proto: https"], "inner", "inner"),
        (["X-Forwarded-Port: 443"], "inner", "inner"),
        (["X-Forwarded-Port: 82"], "", ""),
    ],
)
def test_port_counts_where_the_host_has_none(fields: list[str], asked: str, authority: str) -> None:
    assert read(*fields).authority(asked) == authority


@pytest.mark.parametrize(
    ("value", "root_path"),
    [("/app", "/app"), ("/app/", "/app"), ("/", ""), ("/a%20b/c", "/a b/c"), ("/x, /y", "/y")],
)
def test_prefix_is_where_the_application_is_mounted(value: str, root_path: str) -> None:
    values = value.split(", ")
    assert read(*(f"X-Forwarded-Prefix: {each}" for each in values)).root_path == root_path


def test_what_is_not_to_be_believed_is_not_read() -> None:
    rules = Forwarding(TRUSTED, fields=frozenset({"for", "proto"}))
    said = read(
        "X-Forwarded-For: 2.2.2.2",
        "X-Forwarded-Host: <evil>",
        "X-Forwarded-Prefix: //evil",
        rules=rules,
    )
    assert said == Forwarded(("2.2.2.2", 0), route=("2.2.2.2",))
    by_standard = read("Forwarded: for=2.2.2.2;proto=https;host=evil", rules=rules)
    assert by_standard == Forwarded(("2.2.2.2", 0), "https", route=("2.2.2.2",))
    assert read("Forwarded: for=2.2.2.2", rules=Forwarding(TRUSTED, fields=frozenset())) == NOTHING


def test_other_fields_say_nothing() -> None:
    assert read("X-Real-IP: 6.6.6.6", "X_Forwarded_For: 6.6.6.6", "X-Forwarded-Ssl: on") is NOTHING


# Forwarded (RFC 7239).


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        ("", []),
        (", ,", []),
        (";;", []),
        (
            'for="_gazonk", For="[2001:db8:cafe::17]:4711"',
            [{"for": "_gazonk"}, {"for": "[2001:db8:cafe::17]:4711"}],
        ),
        (
            "for=192.0.2.60;proto=http;by=203.0.113.43",
            [{"for": "192.0.2.60", "proto": "http", "by": "203.0.113.43"}],
        ),
        (
            "for=1.1.1.1 ; proto=http ,for=2.2.2.2;",
            [{"for": "1.1.1.1", "proto": "http"}, {"for": "2.2.2.2"}],
        ),
        (r'x="a\"b,;\\c"', [{"x": r"a\b,;\c".replace("a\\b", 'a"b')}]),
        ("for=[::1]:80;host=a:81", [{"for": "[::1]:80", "host": "a:81"}]),
    ],
)
def test_forwarded_is_read_as_its_grammar_has_it(
    value: str, elements: list[dict[str, str]]
) -> None:
    assert parse_forwarded(value) == elements


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("192.0.2.1", Node(IPv4Address("192.0.2.1"))),
        ("192.0.2.1:80", Node(IPv4Address("192.0.2.1"), 80)),
        ("192.0.2.1:_port", Node(IPv4Address("192.0.2.1"))),
        ("[::1]:80", Node(ip_address("::1"), 80)),
        ("unknown", Node(None)),
        ("Unknown:80", Node(None, 80)),
        ("_hidden.name-1:_x", Node(None)),
    ],
)
def test_node_may_be_an_address_unknown_or_hidden(text: str, node: Node) -> None:
    assert parse_node(text) == node


def test_element_of_the_proxy_that_saw_the_client_counts() -> None:
    said = read(
        "Forwarded: for=6.6.6.6;proto=http;host=evil.example",
        'Forwarded: for="2.2.2.2:4711";proto=https;host="shop.example:444", for=10.0.0.1;proto=http;host=inner',
    )
    assert said == Forwarded(
        ("2.2.2.2", 4711), "https", "shop.example:444", route=("2.2.2.2", "10.0.0.1")
    )


@pytest.mark.parametrize("hidden", ["for=_hidden", "for=unknown", "by=10.0.0.1"])
def test_behind_a_hidden_address_nothing_is_believed(hidden: str) -> None:
    said = read(f"Forwarded: for=6.6.6.6;proto=http, {hidden};proto=https, for=10.0.0.1")
    assert said == Forwarded(("10.0.0.1", 0), "https", route=("10.0.0.1",))


# Both families.


def test_both_families_that_say_the_same_are_taken() -> None:
    said = read(
        "Forwarded: for=2.2.2.2;proto=https;host=a",
        "X-Forwarded-For: 2.2.2.2",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: a",
        "X-Forwarded-Port: 444",
    )
    assert said == Forwarded(("2.2.2.2", 0), "https", "a", 444, route=("2.2.2.2",))


@pytest.mark.parametrize(
    "standard",
    [
        "for=6.6.6.6",
        "for=2.2.2.2;proto=https",
        "for=2.2.2.2;host=evil",
        "proto=http",
        "for=unknown",
    ],
)
def test_families_that_contradict_each_other_are_an_error_unless_one_is_chosen(
    standard: str,
) -> None:
    fields = [f"Forwarded: {standard}", "X-Forwarded-For: 2.2.2.2"]
    with pytest.raises(MalformedForwarding, match="forwarded-headers"):
        read(*fields)
    assert client(*fields, rules=Forwarding(TRUSTED, "x-forwarded")) == "2.2.2.2"
    chosen = read(*fields, rules=Forwarding(TRUSTED, "forwarded"))
    assert chosen == read(fields[0])


def test_family_that_is_not_chosen_is_not_even_read() -> None:
    assert read("X-Forwarded-For: <", rules=Forwarding(TRUSTED, "forwarded")) == NOTHING
    assert read("Forwarded: <", rules=Forwarding(TRUSTED, "x-forwarded")) == NOTHING


def test_prefix_belongs_to_both_families() -> None:
    fields = ["Forwarded: for=2.2.2.2", "X-Forwarded-Prefix: /app"]
    assert read(*fields).root_path == "/app"
    assert read(*fields, rules=Forwarding(TRUSTED, "forwarded")).root_path == "/app"


# Whatever comes.

NODES = st.one_of(
    st.ip_addresses().map(str),
    st.sampled_from(["unknown", "_x", "10.0.0.1", "10.2.3.4:80", "[2001:db8:1::1]", ""]),
)
TEXTS = st.text(alphabet=st.characters(max_codepoint=255, exclude_characters="\r\n\0"))


@given(st.lists(NODES), NODES)
def test_nothing_left_of_an_untrusted_address_changes_who_the_client_is(
    hearsay: list[str], last: str
) -> None:
    address = ip_address("198.51.100.7")
    assert client(f"X-Forwarded-For: {', '.join([*hearsay, str(address)])}") == str(address)


@given(st.lists(st.tuples(st.sampled_from(["for", "proto", "by", "x"]), TEXTS), max_size=4))
def test_forwarded_comes_back_from_quoted_strings(pairs: list[tuple[str, str]]) -> None:
    element = {
        name: "".join(c for c in text if c == "\t" or " " <= c != "\x7f") for name, text in pairs
    }
    escaped = {
        name: text.replace("\\", "\\\\").replace('"', '\\"') for name, text in element.items()
    }
    written = ";".join(f'{name}="{text}"' for name, text in escaped.items())
    assert parse_forwarded(f"{written}, {written}") == ([element, element] if element else [])


@given(
    st.sampled_from(["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Prefix"]),
    st.one_of(TEXTS, st.text(alphabet='for=";,.:[]1_ \\/')),
)
@example("Forwarded", 'for="' + "\\" * 200)
def test_whatever_is_sent_is_read_or_refused(name: str, value: str) -> None:
    try:
        said = RULES.read([(name.encode(), value.encode("latin-1"))])
    except MalformedForwarding:
        return
    assert said.client is None or ip_address(said.client[0])
    assert not said.root_path.startswith("//")
    assert not said.root_path.endswith("/")


def test_requests_by_many_clients_do_not_fill_the_memory() -> None:
    rules = Forwarding(TRUSTED)
    for number in range(3000):
        rules.read([(b"X-Forwarded-For", str(IPv4Address(number + 2**30)).encode())])
    assert len(rules._known) <= 1024
