"""Two answers are compared: what changed is told, and what changes every time is told apart."""

import gzip
import json
import random
import time
from typing import Any

import pytest

from groundwire.inspector.sending.content_difference import (
    COMPARED_LINES,
    MAX_LINES,
    MAX_PATHS,
    Content,
    content_difference,
)
from groundwire.inspector.sending.difference import Answer, difference
from groundwire.inspector.terminal.shown_difference import difference_lines
from groundwire.inspector.terminal.terminal import Paint


def answer(content: bytes = b"hello\n", *fields: str, status: int = 200, **more: Any) -> Answer:
    lines = [f"HTTP/1.1 {status} x", *(fields or ("Content-Type: text/plain",))]
    head = "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode()
    return Answer(head + content, **more)


def told(before: Answer, after: Answer) -> dict[str, tuple[str, bool]]:
    return {
        each["name"]: (each["kind"], each["expected"])
        for each in difference(before, after)["fields"]
    }


def text(before: Answer, after: Answer) -> str:
    return "\n".join(difference_lines(difference(before, after), Paint(colours=False)))


def json_paths(before: object, after: object) -> list[dict[str, Any]]:
    contents = [Content(json.dumps(each).encode(), "application/json") for each in (before, after)]
    found = content_difference(*contents)
    assert found is not None
    assert "json" == found["kind"]
    paths: list[dict[str, Any]] = found["paths"]
    return paths


def test_equal_answers_have_no_difference() -> None:
    found = difference(answer(), answer())

    assert {"same": True, "status": None, "fields": [], "content": None, "notes": []} == found
    assert "no difference" == text(answer(), answer())


def test_another_status_is_told() -> None:
    found = difference(answer(), answer(status=404))

    assert (False, {"before": 200, "after": 404}) == (found["same"], found["status"])


def test_no_answer_has_no_status() -> None:
    found = difference(answer(), Answer(b""))

    assert {"before": 200, "after": None} == found["status"]
    assert "The new answer is not whole." in found["notes"]
    assert "(no answer)" in text(answer(), Answer(b""))


def test_fields_are_added_removed_and_changed() -> None:
    assert {"X-A": ("changed", False), "X-B": ("removed", False), "X-C": ("added", False)} == told(
        answer(b"", "X-A: 1", "X-B: 1"), answer(b"", "x-a: 2", "X-C: 1")
    )


def test_lines_of_one_name_are_one_field() -> None:
    (field,) = difference(answer(b"", "Vary: A", "Vary: B"), answer(b"", "Vary: A"))["fields"]

    assert (["A", "B"], ["A"]) == (field["before"], field["after"])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Date: Sun, 06 Nov 1994 08:49:37 GMT", "Date: Sun, 06 Nov 1994 08:49:38 GMT"),
        ("X-Wire-Id: 1-1", "X-Wire-Id: 1-2"),
        ("X-Request-ID: a", "X-Request-ID: b"),
        ("Age: 1", "X-A: 1"),
        (
            'Link: </__wire__/requests/1-1>; rel="describedby"',
            'Link: </__wire__/requests/1-2>; rel="describedby"',
        ),
        ('Link: </a.css>, </__wire__/requests/1-1>; rel="describedby"', "Link: </a.css>"),
        ("Set-Cookie: session=a; HttpOnly; Path=/", "Set-Cookie: session=b; Path=/; HttpOnly"),
        ("Set-Cookie: a=b; Expires=x", "Set-Cookie: a=b; Expires=y"),
    ],
)
def test_what_changes_every_time_is_expected_to(before: str, after: str) -> None:
    name = before.partition(":")[0]

    assert told(answer(b"", before), answer(b"", after))[name][1]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Set-Cookie: a=b; HttpOnly", "Set-Cookie: a=b"),
        ("Set-Cookie: a=b", "Set-Cookie: c=b"),
        ("Link: </a.css>", "Link: </b.css>"),
        ("Content-Length: 5", "X-A: 1"),
        ("ETag: 1", "ETag: 2"),
    ],
)
def test_what_should_not_change_is_not(before: str, after: str) -> None:
    assert not all(each[1] for each in told(answer(b"", before), answer(b"", after)).values())


def test_what_follows_from_the_content_is_told_apart() -> None:
    assert {"ETag": ("changed", True), "Content-Length": ("changed", True)} == told(
        answer(b"a", "ETag: 1"), answer(b"bc", "ETag: 2")
    )


def test_of_what_is_known_decoded_the_coding_is_not_compared() -> None:
    coded = answer(gzip.compress(b"hello\n"), "Content-Type: text/plain", "Content-Encoding: gzip")

    assert {
        "Content-Encoding": ("added", True),
        "Content-Length": ("changed", True),
    } == told(answer(decoded=True), coded)
    assert difference(answer(decoded=True), coded)["same"]
    assert not difference(answer(), coded)["same"]


def test_what_was_masked_is_not_compared() -> None:
    before = answer(b"", "X-Token: ****", "X-A: 1")
    start = b"HTTP/1.1 200 x\r\nX-Token: "
    before = Answer(
        start + b"****\r\nContent-Length: 0\r\n\r\n", masked=[(len(start), len(start) + 4)]
    )

    found = difference(before, answer(b"", "X-Token: another"))

    assert found["same"]
    assert "masked" in found["fields"][0]["why"]


def test_the_length_of_what_was_masked_is_no_difference() -> None:
    kind = "Content-Type: application/json"
    old, new = b'{"password": "****", "a": 1}', b'{"password": "******", "a": 1}'
    before = answer(old, kind)
    after = answer(new, kind)
    spans = [(before.head_end + 14, before.head_end + 18)]

    found = difference(
        answer(old, kind, masked=spans),
        answer(new, kind, masked=[(after.head_end + 14, after.head_end + 20)]),
    )

    assert None is found["content"]
    assert ["What was masked in the contents is not compared."] == found["notes"]


def test_json_is_compared_by_path() -> None:
    assert [
        {"path": "$.items[1].price", "kind": "changed", "before": 2, "after": 3},
        {"path": "$.items[2]", "kind": "removed", "before": None},
        {"path": '$["a b"]', "kind": "removed", "before": 1},
        {"path": "$.new", "kind": "added", "after": {"x": []}},
    ] == json_paths(
        {"items": [{"price": 1}, {"price": 2}, None], "a b": 1},
        {"items": [{"price": 1}, {"price": 3}], "new": {"x": []}},
    )


@pytest.mark.parametrize(("before", "after"), [(1, True), (1, 1.0), ("1", 1), ([], {})])
def test_json_values_of_another_type_differ(before: object, after: object) -> None:
    assert [
        {"path": "$", "kind": "changed", "before": before, "after": after},
    ] == json_paths(before, after)


def test_long_values_are_cut_and_many_are_left_out() -> None:
    (path,) = json_paths("a" * 5000, ["b" * 5000])
    assert path["before"].endswith("… (5,000 characters)")
    assert len(path["after"]) < 1100

    found = content_difference(
        Content(json.dumps([0] * 500).encode(), "application/json"),
        Content(json.dumps([1] * 500).encode(), "application/problem+json"),
    )
    assert found is not None
    assert (MAX_PATHS, True) == (len(found["paths"]), found["more"])


@pytest.mark.parametrize("broken", [b'{"a": ', b"[" * 5000 + b"]" * 5000, b"9" * 5000])
def test_what_is_no_json_is_compared_as_text(broken: bytes) -> None:
    found = content_difference(
        Content(broken, "application/json"), Content(b"{}", "application/json")
    )

    assert found is not None
    assert "text" == found["kind"]


def test_json_that_says_the_same_in_another_way_differs_as_text() -> None:
    found = content_difference(
        Content(b'{"a":1}', "application/json"), Content(b'{"a": 1}', "application/json")
    )

    assert found is not None
    assert ("text", ["-" + '{"a":1}  (no line end)', "+" + '{"a": 1}  (no line end)']) == (
        found["kind"],
        found["lines"][1:],
    )


def test_text_is_compared_by_lines() -> None:
    before = "".join(f"{n}\n" for n in range(100))
    after = before.replace("50\n", "fifty\n")

    found = content_difference(
        Content(before.encode(), "text/plain"), Content(after.encode(), "text/plain")
    )

    assert found is not None
    assert [
        *("@@ -48,7 +48,7 @@", " 47", " 48", " 49", "-50", "+fifty", " 51", " 52", " 53"),
    ] == found["lines"]


def test_line_ends_are_seen() -> None:
    found = content_difference(Content(b"a\r\nb\n", "text/plain"), Content(b"a\nb\n", "text/plain"))

    assert found is not None
    assert ["-a\\r", "+a"] == found["lines"][1:3]


def test_long_texts_are_compared_in_bounded_time() -> None:
    chance = random.Random(1)
    before, after = (
        "".join(f"{chance.randrange(50)}\n" for _ in range(3 * COMPARED_LINES)) for _ in range(2)
    )

    began = time.process_time()
    found = content_difference(Content(before.encode()), Content(after.encode()))
    seconds = time.process_time() - began

    assert found is not None
    assert (MAX_LINES, True) == (len(found["lines"]), found["more"])
    assert seconds < 0.5


def test_other_content_is_compared_by_its_first_octet_that_differs() -> None:
    before = b"\x89PNG" + bytes(1000) + b"a"

    found = content_difference(
        Content(before, "image/png"), Content(before[:1002] + b"b", "image/png")
    )

    assert found is not None
    assert ("binary", 1002, "00 00 61", "62") == (
        found["kind"],
        found["offset"],
        found["before_hex"],
        found["after_hex"],
    )


@pytest.mark.parametrize(
    ("octets", "kind"),
    [(b"\xff", "text/plain"), (b"a\0", ""), (b"a", "text/plain; charset=none"), (b"a", "image/x")],
)
def test_what_cannot_be_read_is_no_text(octets: bytes, kind: str) -> None:
    found = content_difference(Content(octets, kind), Content(b"b", kind))

    assert found is not None
    assert "binary" == found["kind"]


def test_a_coding_is_taken_off() -> None:
    def coded(content: bytes) -> Content:
        return Content(gzip.compress(content), "text/plain", "gzip")

    found = content_difference(coded(b"a\n"), coded(b"b\n"))

    assert found is not None
    assert ["-a", "+b"] == found["lines"][1:]
    assert None is content_difference(coded(b"a\n"), Content(b"a\n", "text/plain"))
    bomb = content_difference(coded(bytes(10_000_000)), coded(b"a"))
    assert bomb is not None
    broken = content_difference(Content(b"abc", "text/plain", "gzip"), coded(b"a"))
    assert broken is not None


def test_what_was_not_kept_is_not_compared() -> None:
    before = Answer(
        b"HTTP/1.1 200 x\r\nContent-Length: 9\r\nContent-Type: text/plain\r\n\r\nabc", octets=70
    )

    found = difference(before, answer(b"abcdefghi"))

    assert found["same"]
    assert [
        "Not all of the recorded answer was kept.",
        "Of the contents the first 3 octets are compared.",
    ] == found["notes"]


def test_a_malformed_answer_is_told() -> None:
    found = difference(answer(), Answer(b"SSH-2.0\r\n\r\n"))

    assert "The new answer is malformed" in found["notes"][0]


def test_trailers_are_compared() -> None:
    def trailed(value: str) -> Answer:
        return Answer(
            b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-T: %b\r\n\r\n"
            % value.encode()
        )

    (field,) = difference(trailed("a"), trailed("b"))["fields"]

    assert (True, "X-T", False) == (field["trailer"], field["name"], field["expected"])
    assert "trailer X-T\n  - a\n  + b" == text(trailed("a"), trailed("b"))


def test_the_text_form_tells_everything() -> None:
    kind = "Content-Type: application/json"
    before = answer(b'{"a": 1, "b": 2}', kind, "X-A: 1", "Date: x")
    after = answer(b'{"a": "\x1b[2J"}'.replace(b"\x1b", b"\\u001b"), kind, "X-A: 2\t", "Date: y")

    assert [
        "field X-A",
        "  - 1",
        "  + 2",
        "content (16 octets, then 18)",
        "  $.a",
        "  - 1",
        '  + "\\u001b[2J"',
        "  $.b",
        "  - 2",
        "as expected, there is a difference in Date, Content-Length",
    ] == text(before, after).split("\n")


def test_the_text_form_of_octets_shows_where() -> None:
    kind = "Content-Type: image/png"

    shown = text(answer(b"\0\1", kind), answer(b"\0", kind))

    assert "  from octet 1 on (the first is 0)\n  - 01\n  + (end)" in shown


def test_nothing_steers_the_terminal() -> None:
    shown = text(answer(b"a\n"), answer(b"\x1b]0;x\x07\n"))

    assert "\x1b" not in shown
    assert "  +\\x1b]0;x\\x07" in shown


def test_colours_mark_what_came_and_went() -> None:
    lines = list(difference_lines(difference(answer(), answer(status=404)), Paint(colours=True)))

    assert ["status", "\x1b[31m  - 200\x1b[0m", "\x1b[32m  + 404\x1b[0m"] == lines
