"""The exceptions that are answers, compared with Werkzeug's where a Flask program could tell the difference."""

import copy
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import werkzeug.exceptions as oracle
from markupsafe import Markup

from groundwire.http import errors
from groundwire.http.mappings import MissingKey

ERRORS = sorted(errors.default_exceptions.items())


class FakeResponse:
    """Remembers what an error asked to be answered."""

    def __init__(
        self, content: str | bytes, status: int | None, fields: list[tuple[str, str]]
    ) -> None:
        self.content = content
        self.status = status
        self.fields = fields

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        start_response(f"{self.status}", self.fields)
        return [str(self.content).encode()]


@pytest.fixture
def response_class(monkeypatch: pytest.MonkeyPatch) -> type[FakeResponse]:
    monkeypatch.setattr(errors.ResponseMaker, "make", FakeResponse)
    return FakeResponse


# --- the tree


def test_the_statuses_are_those_of_werkzeug() -> None:
    assert sorted(oracle.default_exceptions) == [code for code, _ in ERRORS]


@pytest.mark.parametrize(("code", "error"), ERRORS)
def test_class_name_heading_description_and_page_are_those_of_werkzeug(
    code: int, error: type[errors.HTTPException]
) -> None:
    theirs = oracle.default_exceptions[code]()
    ours = error()

    assert type(theirs).__name__ == error.__name__
    assert theirs.name == ours.name
    assert theirs.description == ours.description
    assert theirs.get_body() == ours.get_body()
    assert str(theirs) == str(ours)
    assert repr(theirs) == repr(ours)


@pytest.mark.parametrize(
    "name", ["BadRequestKeyError", "ClientDisconnected", "SecurityError", "BadHost"]
)
def test_kinds_of_bad_request_are_answered_400(name: str) -> None:
    error = getattr(errors, name)()

    assert isinstance(error, errors.BadRequest)
    assert getattr(oracle, name)().get_body() == error.get_body()


def test_an_error_of_no_status_says_so() -> None:
    ours, theirs = errors.HTTPException("why"), oracle.HTTPException("why")

    assert (theirs.name, str(theirs), repr(theirs)) == (ours.name, str(ours), repr(ours))
    assert theirs.get_body() == ours.get_body()


def test_a_status_of_ones_own_can_be_raised() -> None:
    class PaymentRequired(errors.HTTPException):
        code = 402
        description = "Pay first."

    class Odd(errors.HTTPException):
        code = 499

    assert "402 Payment Required: Pay first." == str(PaymentRequired())
    assert "499 Unknown Error: None" == str(Odd())
    assert "<p></p>" == Odd().get_description()


def test_an_error_can_be_copied() -> None:
    error = copy.copy(errors.NotFound("gone fishing"))

    assert "gone fishing" == error.description


# --- the page


def test_a_description_is_escaped_and_keeps_its_line_breaks() -> None:
    error = errors.NotFound("<script>alert(1)</script>\n\"'&")

    assert (
        "<p>&lt;script&gt;alert(1)&lt;/script&gt;<br>&#34;&#39;&amp;</p>" == error.get_description()
    )
    assert "<script>" not in error.get_body()


def test_a_description_that_is_markup_is_left_alone() -> None:
    assert "<p><b>bold</b></p>" == errors.NotFound(Markup("<b>bold</b>")).get_description()


def test_an_empty_description_replaces_the_standard_one() -> None:
    assert "<p></p>" == errors.NotFound("").get_description()


def test_a_description_that_is_no_string_is_shown_as_one() -> None:
    assert "<p>{&#39;a&#39;: 1}</p>" == errors.BadRequest({"a": 1}).get_description()  # type: ignore[arg-type]


def test_the_page_must_not_be_taken_for_another_type() -> None:
    assert "nosniff" == errors.NotFound().get_response().headers["X-Content-Type-Options"]


# --- field lines of single errors


def fields(error: errors.HTTPException) -> list[tuple[str, str]]:
    return error.get_headers()[1:]


def test_405_names_the_methods_that_are_allowed() -> None:
    assert [("Allow", "GET, HEAD")] == fields(errors.MethodNotAllowed(["GET", "HEAD"]))
    assert [] == fields(errors.MethodNotAllowed())
    assert [] == fields(errors.MethodNotAllowed(valid_methods=[]))
    assert ["GET"] == errors.MethodNotAllowed(valid_methods=["GET"]).valid_methods


def test_401_carries_each_challenge() -> None:
    assert [] == fields(errors.Unauthorized())
    assert [("WWW-Authenticate", "Basic")] == fields(errors.Unauthorized(www_authenticate="Basic"))
    assert [("WWW-Authenticate", "Basic"), ("WWW-Authenticate", "Digest")] == fields(
        errors.Unauthorized(www_authenticate=["Basic", "Digest"])
    )
    assert ("Basic",) == errors.Unauthorized(www_authenticate="Basic").www_authenticate


def test_416_says_how_long_the_representation_is() -> None:
    assert [] == fields(errors.RequestedRangeNotSatisfiable())
    assert [("Content-Range", "bytes */0")] == fields(errors.RequestedRangeNotSatisfiable(0))
    assert [("Content-Range", "rows */9")] == fields(errors.RequestedRangeNotSatisfiable(9, "rows"))


@pytest.mark.parametrize("error", [errors.TooManyRequests, errors.ServiceUnavailable])
@pytest.mark.parametrize(
    ("retry_after", "value"),
    [
        (5, "5"),
        (0, "0"),
        (datetime(2020, 1, 1), "Wed, 01 Jan 2020 00:00:00 GMT"),
        (datetime(2020, 1, 1, tzinfo=UTC), "Wed, 01 Jan 2020 00:00:00 GMT"),
        (
            datetime(2020, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
            "Wed, 01 Jan 2020 00:00:00 GMT",
        ),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    error: type[errors.RetryLater], retry_after: int | datetime, value: str
) -> None:
    assert [("Retry-After", value)] == fields(error(retry_after=retry_after))
    assert [] == fields(error())


def test_500_remembers_what_was_raised() -> None:
    failure = ValueError("x")

    assert failure is errors.InternalServerError(original_exception=failure).original_exception
    assert errors.InternalServerError().original_exception is None


# --- the missing key


def test_a_missing_key_is_a_bad_request_and_a_key_error() -> None:
    error = errors.BadRequestKeyError("name")

    assert isinstance(error, KeyError)
    assert ("name",) == error.args
    assert errors.BadRequest.description == error.description
    assert () == errors.BadRequestKeyError().args


def test_a_missing_key_is_named_only_when_asked() -> None:
    ours, theirs = errors.BadRequestKeyError("a<b"), oracle.BadRequestKeyError("a<b")
    ours.show_exception = theirs.show_exception = True

    assert theirs.description == ours.description
    assert theirs.get_body() == ours.get_body()
    assert str(theirs) == str(ours)


def test_a_missing_key_can_have_its_own_description() -> None:
    assert "Say who." == errors.BadRequestKeyError("name", "Say who.").description


def test_request_data_raise_it_for_a_key_they_lack() -> None:
    assert MissingKey.error is errors.BadRequestKeyError


def test_wrap_makes_an_error_that_is_also_another_exception() -> None:
    wrapped = errors.BadRequest.wrap(ValueError)

    with pytest.raises(ValueError) as caught:
        raise wrapped("what", "Do not.")

    assert "BadRequestValueError" == wrapped.__name__
    assert "Other" == errors.BadRequest.wrap(ValueError, "Other").__name__
    assert ("what",) == caught.value.args
    assert "Do not." == caught.value.description  # type: ignore[attr-defined]
    assert () == wrapped().args


# --- answering


def test_the_response_is_the_page_with_status_and_field_lines(
    response_class: type[FakeResponse],
) -> None:
    error = errors.MethodNotAllowed(["GET"])

    response = error.get_response()

    assert isinstance(response, response_class)
    assert (error.get_body(), 405, [*error.get_headers(), errors.NO_SNIFFING]) == (
        response.content,
        response.status,
        response.fields,
    )


def test_a_given_response_answers_instead_of_the_page() -> None:
    response = object()

    assert response is errors.NotFound(response=response).get_response()


def test_a_request_is_taken_for_its_environ(response_class: type[FakeResponse]) -> None:
    class Request:
        environ = {"REQUEST_METHOD": "GET"}

    class Echo(errors.NotFound):
        def get_body(self, environ: Any = None, scope: Any = None) -> str:
            return repr(environ)

    assert "{'REQUEST_METHOD': 'GET'}" == Echo().get_response(Request()).content
    assert "{'a': 1}" == Echo().get_response({"a": 1}).content


def test_an_error_is_a_wsgi_application(response_class: type[FakeResponse]) -> None:
    started: list[Any] = []

    content = b"".join(errors.NotFound()({}, lambda *arguments: started.append(arguments)))

    assert [("404", [*errors.NotFound().get_headers(), errors.NO_SNIFFING])] == started
    assert errors.NotFound().get_body().encode() == content


def test_without_a_response_class_it_says_what_to_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors.ResponseMaker, "make", None)

    with pytest.raises(RuntimeError, match="import groundwire"):
        errors.NotFound().get_response()


def test_the_response_class_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors.ResponseMaker, "make", None)

    errors.use_response_class(FakeResponse)

    assert isinstance(errors.NotFound().get_response(), FakeResponse)


def test_a_request_makes_no_environ_for_an_error_that_asks_nothing_of_it(
    response_class: type[FakeResponse],
) -> None:
    class Request:
        @property
        def environ(self) -> Any:
            raise AssertionError("made")

    assert 404 == errors.NotFound().get_response(Request()).status


# --- abort


def test_abort_raises_the_class_of_the_status() -> None:
    with pytest.raises(errors.NotFound) as caught:
        errors.abort(404, "nothing here")

    assert "nothing here" == caught.value.description


def test_abort_hands_arguments_on() -> None:
    with pytest.raises(errors.MethodNotAllowed) as caught:
        errors.abort(405, valid_methods=["GET"])

    assert ["GET"] == caught.value.valid_methods


def test_abort_answers_with_a_response(response_class: type[FakeResponse]) -> None:
    response = response_class("", 200, [])

    with pytest.raises(errors.HTTPException) as caught:
        errors.abort(response)

    assert response is caught.value.get_response()


@pytest.mark.parametrize("code", [200, 999, 308])
def test_abort_with_a_status_that_is_no_error_is_refused(code: int) -> None:
    with pytest.raises(LookupError, match=f"no exception for {code}"):
        errors.abort(code)


def test_an_aborter_can_know_more_and_other_classes() -> None:
    class Teapot(errors.HTTPException):
        code = 418

    with pytest.raises(Teapot):
        errors.Aborter(extra={418: Teapot})(418)
    with pytest.raises(errors.NotFound):
        errors.Aborter(extra={418: Teapot})(404)
    with pytest.raises(LookupError):
        errors.Aborter(mapping={418: Teapot})(404)
    assert errors.ImATeapot is errors.default_exceptions[418]
