"""In which form an error is answered, and what each form holds."""

import json

import pytest

from groundwire.http.error_formats import (
    error_content,
    error_fields,
    negotiate_error_format,
    plain_body,
    problem_body,
)
from groundwire.http.errors import NO_SNIFFING, HTTPException, MethodNotAllowed, NotFound

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "  ",
        "*/*",
        "text/*",
        "text/html",
        BROWSER,
        "application/json;q=0.5, text/html",
        "application/json, text/html",
        "application/json;q=0, */*",
        "application/json;q=0.5, */*",
        "application/json;q=0.5, text/*",
        "application/json;q=nonsense",
        "application/json;q=7",
        "application/*",
        "image/png",
        ",,,;q=1",
        "text/plain",
    ],
)
def test_the_page_is_the_rule(accept: str | None) -> None:
    assert "html" == negotiate_error_format(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/problem+json",
        "application/json; charset=utf-8",
        "application/json, text/html;q=0.9",
        "text/html;q=0.1, application/problem+json;q=0.2",
        "application/json, text/plain, */*",
        "application/json;q=0.5",
        "application/json, */*;q=0.5",
        "application/json, text/html;q=0",
        "application/json ; Q=0.9, text/*;q=0.3",
    ],
)
@pytest.mark.parametrize("mode", ["html", "negotiate"])
def test_problem_details_are_for_who_ranks_json_above_html(accept: str, mode: str) -> None:
    assert "problem" == negotiate_error_format(accept, mode)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "accept", [None, "*/*", "text/plain", "text/plain, text/html;q=0.5", "image/png"]
)
def test_negotiate_adds_plain_text_for_terminals(accept: str | None) -> None:
    assert "plain" == negotiate_error_format(accept, "negotiate")


@pytest.mark.parametrize("accept", [BROWSER, "text/html", "text/html, text/plain;q=0.5"])
def test_negotiate_still_shows_browsers_the_page(accept: str) -> None:
    assert "html" == negotiate_error_format(accept, "negotiate")


def test_an_accept_field_of_any_length_is_looked_at_only_so_far() -> None:
    assert "html" == negotiate_error_format("a/b," * 64 + "application/json")


def test_problem_details_hold_status_title_and_detail() -> None:
    details = json.loads(problem_body(NotFound('<b> "x"')))

    assert {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": '<b> "x"',
    } == details


def test_problem_details_leave_out_what_is_not_known() -> None:
    assert {"type": "about:blank", "title": "Unknown Error"} == json.loads(
        problem_body(HTTPException())
    )


def test_plain_text_holds_status_and_description() -> None:
    assert b"404 Not Found\nNo such tweet.\n" == plain_body(NotFound("No such tweet."))
    assert b"Unknown Error\n" == plain_body(HTTPException())


def test_the_field_lines_go_with_the_form() -> None:
    error = MethodNotAllowed(["GET"])

    assert [
        ("Content-Type", "application/problem+json"),
        ("Allow", "GET"),
        ("X-Content-Type-Options", "nosniff"),
        ("Vary", "Accept"),
    ] == error_fields(error, "problem")
    assert [*error.get_headers(), NO_SNIFFING, ("Vary", "Accept")] == error_fields(error, "html")
    assert ("Content-Type", "text/plain; charset=utf-8") == error_fields(error, "plain")[0]


def test_an_error_that_varies_already_varies_by_accept_too() -> None:
    class Teapot(HTTPException):
        code = 418

        def get_headers(self, *args: object, **kwargs: object) -> list[tuple[str, str]]:
            return [("vary", "Cookie"), ("X-Tea", "green")]

    expected = [("X-Tea", "green"), NO_SNIFFING, ("Vary", "Cookie, Accept")]

    assert expected == error_fields(Teapot(), "html")


def test_the_content_is_of_the_form() -> None:
    error = NotFound()

    assert error.get_body().encode() == error_content(error, "html")
    assert problem_body(error) == error_content(error, "problem")
    assert plain_body(error) == error_content(error, "plain")
