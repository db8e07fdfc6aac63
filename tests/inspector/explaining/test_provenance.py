"""Why each field of a response is there."""

from typing import Any

import pytest

from groundwire.inspector.explaining.decisions import decisions
from groundwire.inspector.explaining.provenance import Facts, because

Note = tuple[str, dict[str, Any]]


def called(role: str = "view", name: str = "index", outcome: str = "returned a str") -> Note:
    return "called", {"role": role, "name": name, "outcome": outcome, "began": 1.0, "ended": 2.0}


def fields(by: str, *added: tuple[str, str], removed: tuple[tuple[str, str], ...] = ()) -> Note:
    return "fields", {"by": by, "added": [*added], "removed": [*removed]}


def decided(about: str, did: str, said: str = "") -> Note:
    return "decision", {"about": about, "said": said, "did": did}


def one(field: tuple[str, str], *notes: Note, facts: Facts | None = None) -> tuple[str, str]:
    [reason] = because([field], notes, facts or Facts("GET"))
    assert {"who", "why"} == set(reason)
    assert reason["why"].endswith(".")
    return reason["who"], reason["why"]


@pytest.mark.parametrize(
    ("field", "notes", "who", "why"),
    [
        (
            ("X-A", "1"),
            [called(), fields("the view", ("X-A", "1"))],
            "the application",
            "The view index set it.",
        ),
        (
            ("X-A", "1"),
            [called(), fields("after_request add_a", ("X-A", "1"))],
            "the application",
            "The after_request function add_a set it.",
        ),
        (
            ("X-A", "1"),
            [called(), fields("after_this_request add_a", ("X-A", "1"))],
            "the application",
            "The after_this_request function add_a set it.",
        ),
        (
            ("X-A", "1"),
            [fields("before_request deny", ("X-A", "1"))],
            "the application",
            "The before_request function deny set it.",
        ),
        (
            ("X-A", "1"),
            [called(), fields("error handler no_page", ("X-A", "1"))],
            "the application",
            "The error handler no_page set it.",
        ),
        (
            ("X-A", "2"),
            [
                called(),
                fields("the view", ("X-A", "1")),
                fields("after_request two", ("X-A", "2"), removed=(("X-A", "1"),)),
            ],
            "the application",
            "The after_request function two set it.",
        ),
        (
            ("X-A", "1"),
            [called()],
            "the application",
            "It came with what the application answered.",
        ),
        (("X-A", "1"), [], "the application", "The application has set it."),
        (
            ("Allow", "GET"),
            [fields("automatic OPTIONS", ("Allow", "GET"))],
            "the framework",
            "It names the methods that the path is answered for.",
        ),
        (
            ("Location", "/a/"),
            [fields("redirect", ("Location", "http://h/a/"))],
            "the framework",
            "The path has another form, and the client is sent there. The client is to go on there (308).",
        ),
        (
            ("X-Content-Type-Options", "nosniff"),
            [fields("error page", ("X-Content-Type-Options", "nosniff"))],
            "the error page",
            "No browser is to take the content for anything else.",
        ),
    ],
)
def test_who_set_a_field_is_told(
    field: tuple[str, str], notes: list[Note], who: str, why: str
) -> None:
    assert (who, why) == one(field, *notes, facts=Facts("GET", status=308))


@pytest.mark.parametrize(
    ("value", "outcome", "who", "part"),
    [
        ("text/html; charset=utf-8", "returned a str", "the framework", "the default, HTML"),
        (
            "application/json",
            "returned a dict",
            "the framework",
            "A dict was returned, which becomes JSON",
        ),
        (
            "application/json",
            "returned a list",
            "the framework",
            "A list was returned, which becomes JSON",
        ),
        ("text/x-own", "returned a generator", "the framework", "the type is its default"),
        ("image/png", "returned a Response with status 200", "the application", "It came with"),
    ],
)
def test_a_type_that_nobody_set_comes_of_what_was_returned(
    value: str, outcome: str, who: str, part: str
) -> None:
    found, why = one(("Content-Type", value), called(outcome=outcome))

    assert who == found
    assert part in why


def test_the_type_of_an_answer_by_an_error_handler_comes_of_what_that_returned() -> None:
    notes = [
        called(outcome="raised ValueError"),
        called("error_handler", "no_value", "returned a dict"),
        called("after_request", "add", "returned a Response with status 400"),
    ]

    assert ("the framework", "A dict was returned, which becomes JSON.") == one(
        ("Content-Type", "application/json"), *notes
    )


def test_what_is_told_of_the_server_is_no_error() -> None:
    facts = Facts("OPTIONS", status=200)
    sent = [("Content-Type", "text/html"), ("Allow", "GET")]

    told = because(sent, [fields("error page", *sent)], facts)

    assert ["the framework", "the framework"] == [each["who"] for each in told]
    assert not any("error" in each["why"] for each in told)


def test_the_type_of_an_error_page_was_negotiated_or_is_the_usual() -> None:
    page = fields("error page", ("Content-Type", "application/problem+json"))
    did = decided("Accept", "the error is told as application/problem+json")

    assert (
        "content negotiation",
        "By Accept, the error is told as application/problem+json.",
    ) == one(("Content-Type", "application/problem+json"), page, did)
    assert "the error page" == one(("Content-Type", "application/problem+json"), page)[0]


def test_several_parts_have_a_type_of_their_own() -> None:
    assert "range request" == one(("Content-Type", "multipart/byteranges; boundary=x"))[0]


def test_what_content_coding_did_is_told() -> None:
    notes = [
        called(),
        fields("the view", ("ETag", '"a"'), ("Accept-Ranges", "bytes")),
        fields(
            "content coding",
            ("Content-Encoding", "br"),
            ("ETag", 'W/"a"'),
            ("Vary", "Accept-Encoding"),
            removed=(("ETag", '"a"'), ("Accept-Ranges", "bytes")),
        ),
        decided("Accept-Encoding", "br: 5,000 octets became 13", "gzip, br"),
    ]
    sent = [("ETag", 'W/"a"'), ("Vary", "Accept-Encoding"), ("Content-Encoding", "br")]

    etag, vary, coding = because(sent, notes, Facts("GET"))

    assert {
        "who": "content negotiation",
        "why": "The client takes br (Accept-Encoding): 5,000 octets became 13.",
    } == coding
    assert ("content negotiation", True) == (etag["who"], etag["why"].startswith("Made weak"))
    assert "content negotiation" == vary["who"]
    assert "the content may be coded otherwise" in vary["why"]


def test_a_coding_of_the_programs_own_is_the_programs() -> None:
    assert "the application" == one(("Content-Encoding", "gzip"), called())[0]


def test_what_the_session_did_is_told() -> None:
    notes = [called(), fields("the session", ("Vary", "Cookie"), ("Set-Cookie", "session=abc"))]

    vary, own, session = because(
        [("Vary", "Cookie"), ("Set-Cookie", "theme=dark"), ("Set-Cookie", "session=***")],
        [fields("the view", ("Set-Cookie", "theme=dark")), *notes],
        Facts("GET"),
    )

    assert "the session" == vary["who"]
    assert "the session was looked at" in vary["why"]
    assert "the application" == own["who"]
    assert "the session" == session["who"]


def test_a_vary_of_several_names_tells_of_each() -> None:
    who, why = one(("Vary", "Cookie, Accept-Encoding, Accept"), called())

    assert "the session" == who
    assert why.startswith("For caches: the answer depends on the cookies")
    assert "the content may be coded otherwise" in why
    assert "another form is sent" in why


@pytest.mark.parametrize(
    ("field", "facts", "who", "part"),
    [
        (("Date", "x"), Facts("GET"), "the server", "when the answer was made"),
        (("Server", "groundwire"), Facts("GET"), "the server", "which software"),
        (("Content-Length", "3"), Facts("GET"), "the server", "its length is known"),
        (("Content-Length", "3"), Facts("HEAD"), "the server", "GET would have"),
        (("Content-Length", "0"), Facts("GET", status=205), "the server", "205 has no content"),
        (("Transfer-Encoding", "chunked"), Facts("GET"), "the server", "its length is not known"),
        (
            ("Connection", "keep-alive"),
            Facts("GET", "HTTP/1.0"),
            "the server",
            "HTTP/1.0 client asked",
        ),
        (("Connection", "close"), Facts("GET", "HTTP/1.0"), "the server", "So it is with HTTP/1.0"),
        (
            ("Connection", "close"),
            Facts("GET", fields=(("Connection", "Close"),)),
            "the server",
            "The client asked for it",
        ),
        (("Connection", "close"), Facts("GET"), "the server", "cannot go on"),
        (("Connection", "close"), Facts("", refused=True), "the server", "After a refusal"),
        (("X-Request-ID", "abc"), Facts("GET"), "the server", "The server called"),
        (
            ("X-Request-ID", "abc"),
            Facts("GET", fields=(("x-request-id", "abc"),)),
            "the server",
            "The client called",
        ),
        (("X-Wire-Id", "1-1"), Facts("GET"), "the inspector", "under this name"),
        (
            ("Link", '</__wire__/requests/1-1>; rel="describedby"'),
            Facts("GET"),
            "the inspector",
            "all about this exchange",
        ),
        (
            ("Link", '</__wire__/requests/1-1>; rel="describedby"'),
            Facts("", refused=True),
            "the inspector",
            "all about this exchange",
        ),
        (("Link", "</style.css>; rel=preload"), Facts("GET"), "the application", "has set it"),
        (("Content-Type", "text/plain"), Facts("", refused=True), "the server", "was refused"),
        (
            ("Content-Range", "bytes 0-1/9"),
            Facts("GET", status=206),
            "range request",
            "the one that was sent",
        ),
        (
            ("Content-Range", "bytes */9"),
            Facts("GET", status=416),
            "range request",
            "how many there are",
        ),
        (("Accept-Ranges", "bytes"), Facts("GET"), "range request", "Parts of it"),
        (("ETag", '"a"'), Facts("GET", status=304), "conditional request", "which version"),
        (("ETag", '"a"'), Facts("GET"), "the application", "If-None-Match"),
        (("Last-Modified", "x"), Facts("GET"), "the application", "If-Modified-Since"),
        (("Allow", "GET"), Facts("POST", status=405), "the error page", "405 has to name"),
        (("Location", "/new"), Facts("POST", status=201), "the application", "the new resource"),
    ],
)
def test_what_was_not_noted_is_told_by_its_name(
    field: tuple[str, str], facts: Facts, who: str, part: str
) -> None:
    found, why = one(field, facts=facts)

    assert who == found
    assert part in why


def test_a_field_of_the_servers_that_a_program_set_is_the_programs() -> None:
    assert (
        "the application"
        == one(("Server", "mine"), called(), fields("the view", ("Server", "mine")))[0]
    )


def test_each_field_has_its_reason_in_order() -> None:
    sent = [("Content-Type", "text/html"), ("Server", "groundwire"), ("Date", "x"), ("X-B", "1")]

    reasons = because(sent, [called()], Facts("GET"))

    assert ["the framework", "the server", "the server", "the application"] == [
        reason["who"] for reason in reasons
    ]


@pytest.mark.parametrize(
    ("by", "who"),
    [
        ("the session", "the session"),
        ("content coding", "content negotiation"),
        ("error page", "the error page"),
        ("redirect", "the framework"),
        ("automatic OPTIONS", "the framework"),
        ("process_response", "the application"),
    ],
)
def test_each_stage_is_known(by: str, who: str) -> None:
    assert who == one(("X-A", "1"), called(), fields(by, ("X-A", "1")))[0]


def test_a_vary_of_the_programs_own_is_the_programs() -> None:
    own = fields("the view", ("Vary", "Accept-Language"))
    other = fields("the view", ("Vary", "X-Tenant"))

    assert "the application" == one(("Vary", "Accept-Language"), called(), own)[0]
    assert ("the application", "The view index set it.") == one(
        ("Vary", "X-Tenant"), called(), other
    )


# Decisions

ETAG = ("ETag", '"a"')
MODIFIED = ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")
SAME = "Sun, 06 Nov 1994 08:49:37 GMT"
BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"
PARTS = ("Accept-Ranges", "bytes")


@pytest.mark.parametrize(
    ("asked", "status", "answered", "did"),
    [
        (
            {"If-None-Match": '"a"'},
            304,
            [ETAG],
            "304: the ETag is the same, so nothing is sent again",
        ),
        ({"If-None-Match": '"b"'}, 200, [ETAG], "the ETag is another one, so all of it is sent"),
        ({"If-None-Match": '"b"'}, 200, [], "passed over: the answer has no ETag to compare with"),
        (
            {"If-None-Match": 'W/"a"'},
            200,
            [ETAG],
            "passed over: the ETag is the same, and the application did not look (make_conditional)",
        ),
        ({"If-None-Match": "*"}, 412, [], "412: it exists already, so nothing was changed"),
        (
            {"If-None-Match": '"a"'},
            404,
            [],
            "passed over: conditions are those of a success, and this is 404",
        ),
        (
            {"If-Modified-Since": SAME},
            304,
            [MODIFIED],
            "304: it was not modified since, so nothing is sent again",
        ),
        (
            {"If-Modified-Since": BEFORE},
            200,
            [MODIFIED],
            "it was modified since, so all of it is sent",
        ),
        ({"If-Modified-Since": "soon"}, 200, [MODIFIED], "passed over: that is no date"),
        (
            {"If-Modified-Since": SAME},
            200,
            [],
            "passed over: the answer has no Last-Modified to compare with",
        ),
        (
            {"If-Modified-Since": SAME},
            200,
            [MODIFIED],
            "passed over: it was not modified since, and the application did not look (make_conditional)",
        ),
        (
            {"If-Modified-Since": SAME},
            500,
            [],
            "passed over: conditions are those of a success, and this is 500",
        ),
        ({"If-Match": '"a"'}, 412, [], "412: it is not that version any more, so nothing was done"),
        ({"If-Match": '"a"'}, 200, [ETAG], "it is that version, so the request was carried out"),
        ({"If-Match": '"b"'}, 200, [ETAG], "passed over: the application did not look"),
        (
            {"If-Unmodified-Since": BEFORE},
            412,
            [],
            "412: it was modified since, so nothing was done",
        ),
        (
            {"If-Unmodified-Since": SAME},
            200,
            [MODIFIED],
            "it was not modified since, so the request was carried out",
        ),
        (
            {"If-Unmodified-Since": BEFORE},
            200,
            [MODIFIED],
            "passed over: it was modified since, and the application did not look",
        ),
        ({"If-Unmodified-Since": "soon"}, 200, [MODIFIED], "passed over: that is no date"),
        (
            {"If-Unmodified-Since": SAME},
            200,
            [],
            "passed over: the answer has no Last-Modified to compare with",
        ),
        ({"Range": "bytes=0-1"}, 206, [("Content-Range", "bytes 0-1/9")], "206: bytes 0-1/9"),
        ({"Range": "bytes=0-1,3-4"}, 206, [], "206: several parts, each with its Content-Range"),
        (
            {"Range": "bytes=99-"},
            416,
            [("Content-Range", "bytes */9")],
            "416: nothing of it exists (bytes */9)",
        ),
        ({"Range": "bytes=99-"}, 416, [], "416: nothing of it exists"),
        ({"Range": "bytes=0-1"}, 304, [], "passed over: the client has all of it"),
        (
            {"Range": "bytes=0-1"},
            200,
            [],
            "passed over: there are no parts of this (no Accept-Ranges)",
        ),
        ({"Range": "bytes=0-1"}, 200, [PARTS], "passed over: all of it is sent"),
        (
            {"Range": "bytes=0-1"},
            404,
            [],
            "passed over: conditions are those of a success, and this is 404",
        ),
        (
            {"Accept-Encoding": "gzip"},
            200,
            [],
            "not coded: 20 octets, and up to 500 are not worth it",
        ),
        ({"Accept-Encoding": "gzip"}, 204, [], "not coded: 204 has no content"),
        (
            {"Accept-Encoding": "gzip"},
            200,
            [("Content-Encoding", "gzip")],
            "gzip: the application has coded it",
        ),
    ],
)
def test_what_a_field_of_the_request_did_is_told(
    asked: dict[str, str], status: int, answered: list[tuple[str, str]], did: str
) -> None:
    facts = Facts("GET", fields=tuple(asked.items()), status=status, size=20)

    [(name, said)] = asked.items()
    assert [{"about": name, "said": said, "did": did}] == decisions(answered, [], facts)


@pytest.mark.parametrize(
    ("asked", "status", "answered", "did"),
    [
        (
            [("If-None-Match", '"a"'), ("If-Modified-Since", SAME)],
            304,
            [],
            "passed over: If-None-Match goes before it, being more exact",
        ),
        (
            [("If-Match", '"a"'), ("If-Unmodified-Since", SAME)],
            200,
            [ETAG],
            "passed over: If-Match goes before it, being more exact",
        ),
        (
            [("If-Range", '"a"'), ("Range", "bytes=0-1")],
            200,
            [PARTS],
            "passed over: it is another version now (If-Range), so all of it is sent",
        ),
    ],
)
def test_a_field_that_another_goes_before_is_passed_over(
    asked: list[tuple[str, str]], status: int, answered: list[tuple[str, str]], did: str
) -> None:
    found = decisions(answered, [], Facts("GET", fields=tuple(asked), status=status))

    assert did == found[-1]["did"]


@pytest.mark.parametrize(
    ("asked", "status", "did"),
    [
        ([("Range", "bytes=0-1")], 206, "it is the same version, so a part is enough"),
        ([("Range", "bytes=0-1")], 200, "it is another version now, so all of it is sent"),
        ([("Range", "bytes=0-1")], 404, "passed over: no part is sent anyway"),
        ([], 200, "passed over: there is no Range"),
    ],
)
def test_if_range_is_told_beside_range(asked: list[tuple[str, str]], status: int, did: str) -> None:
    facts = Facts("GET", fields=(("If-Range", '"a"'), *asked), status=status)

    assert did == decisions([PARTS], [], facts)[0]["did"]


def test_methods_that_do_not_retrieve_have_neither_dates_nor_ranges() -> None:
    facts = Facts("POST", fields=(("If-Modified-Since", SAME), ("Range", "bytes=0-1")))

    assert [
        "passed over: it is for GET and HEAD only",
        "passed over: it is for GET only",
    ] == [decision["did"] for decision in decisions([], [], facts)]


def test_what_was_noted_goes_before_what_is_seen() -> None:
    note = decided("Accept-Encoding", "not coded: COMPRESS is off", "gzip")
    facts = Facts("GET", fields=(("Accept-Encoding", "gzip"),), size=9)

    assert [note[1]] == decisions([], [note], facts)


def test_a_refused_request_had_nothing_weighed() -> None:
    facts = Facts("GET", fields=(("Range", "bytes=0-1"),), status=400, refused=True)

    assert [] == decisions([], [], facts)


def test_a_large_answer_of_an_application_that_notes_nothing_is_its_own() -> None:
    facts = Facts("GET", fields=(("Accept-Encoding", "gzip"),), size=5000)

    assert "not coded: the application sends it as it is" == decisions([], [], facts)[0]["did"]


def test_fields_that_cannot_be_read_are_passed_over() -> None:
    facts = Facts("GET", fields=(("a b", "x"), ("Range", "bytes=0-1")), status=206)

    assert 1 == len(decisions([("ETag", "a\x00")], [], facts))
