"""Preconditions, in the order of RFC 9110 §13.2.2."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import werkzeug.http as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwire.http.conditional import (
    Outcome,
    Verdict,
    evaluate_preconditions,
    is_resource_modified,
)
from groundwire.http.dates import http_date
from groundwire.http.headers import Headers

CHANGED = datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
SAME, BEFORE, AFTER = (
    http_date(CHANGED),
    http_date(CHANGED - timedelta(seconds=1)),
    http_date(CHANGED + timedelta(seconds=1)),
)
PROCEED, NOT_MODIFIED, FAILED = Outcome.PROCEED, Outcome.NOT_MODIFIED, Outcome.PRECONDITION_FAILED


def outcome(
    fields: dict[str, Any], method: str = "GET", etag: str | None = '"a"', **arguments: Any
) -> Outcome:
    arguments.setdefault("last_modified", CHANGED)
    return evaluate_preconditions(method, Headers(fields), etag=etag, **arguments).outcome


def uses_range(fields: dict[str, Any], method: str = "GET", **arguments: Any) -> bool:
    arguments.setdefault("last_modified", CHANGED)
    arguments.setdefault("etag", '"a"')
    headers = Headers({"Range": "bytes=0-1", **fields})
    return evaluate_preconditions(method, headers, **arguments).use_range


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_without_preconditions_the_request_proceeds(method: str) -> None:
    assert evaluate_preconditions(method, Headers()) == Verdict(PROCEED)


@pytest.mark.parametrize(
    ("value", "etag", "expected"),
    [
        ('"a"', '"a"', PROCEED),
        ('"b", "a"', '"a"', PROCEED),
        ('"b"', '"a"', FAILED),
        ("*", '"a"', PROCEED),
        ("*", None, PROCEED),
        ('"a"', None, FAILED),
        ('W/"a"', '"a"', FAILED),
        ('"a"', 'W/"a"', FAILED),
        ('W/"a"', 'W/"a"', FAILED),
        ('"a', '"a"', FAILED),
        ("", '"a"', FAILED),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_if_match_compares_strongly(
    method: str, value: str, etag: str | None, expected: Outcome
) -> None:
    assert outcome({"If-Match": value}, method, etag) is expected


def test_if_match_fails_where_there_is_nothing() -> None:
    assert outcome({"If-Match": "*"}, "PUT", None, exists=False) is FAILED
    assert outcome({"If-Match": '"a"'}, "PUT", exists=False) is FAILED


@pytest.mark.parametrize(
    ("value", "expected"),
    [(SAME, PROCEED), (AFTER, PROCEED), (BEFORE, FAILED), ("nonsense", PROCEED)],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_if_unmodified_since(method: str, value: str, expected: Outcome) -> None:
    assert outcome({"If-Unmodified-Since": value}, method) is expected
    assert outcome({"If-Unmodified-Since": value}, method, last_modified=None) is PROCEED


def test_if_match_goes_before_if_unmodified_since() -> None:
    assert outcome({"If-Match": '"a"', "If-Unmodified-Since": BEFORE}, "PUT") is PROCEED


@pytest.mark.parametrize(
    ("value", "etag", "matches"),
    [
        ('"a"', '"a"', True),
        ('W/"a"', '"a"', True),
        ('"a"', 'W/"a"', True),
        ('"b", W/"a"', '"a"', True),
        ('"b"', '"a"', False),
        ("*", '"a"', True),
        ("*", None, True),
        ('"a"', None, False),
        ('"a', '"a"', False),
    ],
)
def test_if_none_match_compares_weakly(value: str, etag: str | None, matches: bool) -> None:
    fields = {"If-None-Match": value}

    assert outcome(fields, "GET", etag) is (NOT_MODIFIED if matches else PROCEED)
    assert outcome(fields, "HEAD", etag) is (NOT_MODIFIED if matches else PROCEED)
    assert outcome(fields, "PUT", etag) is (FAILED if matches else PROCEED)


def test_if_none_match_star_lets_something_be_made() -> None:
    assert outcome({"If-None-Match": "*"}, "PUT", None, exists=False) is PROCEED


@pytest.mark.parametrize(
    ("value", "expected"),
    [(SAME, NOT_MODIFIED), (AFTER, NOT_MODIFIED), (BEFORE, PROCEED), ("nonsense", PROCEED)],
)
def test_if_modified_since(value: str, expected: Outcome) -> None:
    assert outcome({"If-Modified-Since": value}) is expected
    assert outcome({"If-Modified-Since": value}, "HEAD") is expected
    assert outcome({"If-Modified-Since": value}, "POST") is PROCEED
    assert outcome({"If-Modified-Since": value}, last_modified=None) is PROCEED


def test_if_none_match_goes_before_if_modified_since() -> None:
    assert outcome({"If-None-Match": '"b"', "If-Modified-Since": AFTER}) is PROCEED


def test_if_match_is_followed_by_if_none_match() -> None:
    assert outcome({"If-Match": '"a"', "If-None-Match": '"a"'}) is NOT_MODIFIED
    assert outcome({"If-Match": '"b"', "If-None-Match": '"a"'}) is FAILED
    assert outcome({"If-Unmodified-Since": SAME, "If-Modified-Since": SAME}) is NOT_MODIFIED


def test_two_dates_are_none() -> None:
    headers = Headers([("If-Modified-Since", SAME), ("If-Modified-Since", SAME)])

    assert evaluate_preconditions("GET", headers, last_modified=CHANGED).outcome is PROCEED


def test_lists_may_be_spread_over_lines() -> None:
    headers = Headers([("If-None-Match", '"b"'), ("If-None-Match", '"a"')])

    assert evaluate_preconditions("GET", headers, etag='"a"').outcome is NOT_MODIFIED


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "CONNECT"])
def test_methods_without_a_representation_have_no_preconditions(method: str) -> None:
    assert outcome({"If-Match": '"b"', "If-None-Match": "*"}, method) is PROCEED


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"If-Range": '"a"'}, True),
        ({"If-Range": '"b"'}, False),
        ({"If-Range": 'W/"a"'}, False),
        ({"If-Range": SAME}, True),
        ({"If-Range": BEFORE}, False),
        ({"If-Range": AFTER}, False),
        ({"If-Range": ""}, False),
        ({"If-Match": '"b"'}, False),
        ({"If-None-Match": '"a"'}, False),
        ({"If-Match": '"a"', "If-Range": '"a"'}, True),
    ],
)
def test_range_counts_only_while_its_validator_holds(
    fields: dict[str, str], expected: bool
) -> None:
    assert uses_range(fields) is expected


def test_range_of_a_weak_or_missing_validator() -> None:
    assert not uses_range({"If-Range": '"a"'}, etag='W/"a"')
    assert not uses_range({"If-Range": '"a"'}, etag=None)
    assert not uses_range({"If-Range": SAME}, last_modified=None)


def test_date_in_if_range_counts_once_it_is_a_strong_validator() -> None:
    fields = {"If-Range": SAME}

    assert uses_range(fields, now=CHANGED + timedelta(seconds=2))
    assert not uses_range(fields, now=CHANGED)


def test_range_means_something_for_get_only() -> None:
    assert not uses_range({}, "HEAD")
    assert not uses_range({}, "PUT")
    assert not evaluate_preconditions("GET", Headers()).use_range


ETAGS = st.sampled_from([None, '"a"', 'W/"a"', '"b"', "*", '"b", "a"', 'W/"b"'])
DATES = st.sampled_from([None, SAME, BEFORE, AFTER])


@given(
    st.fixed_dictionaries(
        {"HTTP_IF_NONE_MATCH": ETAGS, "HTTP_IF_MODIFIED_SINCE": DATES, "HTTP_IF_MATCH": ETAGS}
    ),
    st.sampled_from([None, "a", '"a"', 'W/"a"']),
    st.sampled_from([None, CHANGED, SAME]),
)
@settings(max_examples=200, deadline=None)
def test_is_resource_modified_follows_the_evaluation(
    conditions: dict[str, str | None], etag: str | None, last_modified: Any
) -> None:
    environ = {"REQUEST_METHOD": "GET"} | {k: v for k, v in conditions.items() if v is not None}
    ours = is_resource_modified(environ, etag, last_modified=last_modified)

    # Werkzeug compares If-Match's tags as If-None-Match's, and star with no tag to nothing.
    if conditions["HTTP_IF_MATCH"] is None and (
        etag is not None or conditions["HTTP_IF_NONE_MATCH"] is None
    ):
        assert ours == oracle.is_resource_modified(environ, etag, last_modified=last_modified)


def test_is_resource_modified_knows_data_methods_and_if_range() -> None:
    etag = oracle.generate_etag(b"x")
    environ = {"REQUEST_METHOD": "GET", "HTTP_IF_NONE_MATCH": f'"{etag}"'}

    assert not is_resource_modified(environ, data=b"x")
    assert is_resource_modified(environ, data=b"y")
    assert is_resource_modified({"REQUEST_METHOD": "POST"}, "a")
    assert not is_resource_modified({**environ, "REQUEST_METHOD": "POST"}, data=b"x")
    with pytest.raises(TypeError):
        is_resource_modified(environ, "a", b"x")
    ranged = {"REQUEST_METHOD": "GET", "HTTP_RANGE": "bytes=0-1", "HTTP_IF_RANGE": '"a"'}
    assert not is_resource_modified(ranged, "a", ignore_if_range=False)
    assert is_resource_modified(ranged, "b", ignore_if_range=False)
    assert is_resource_modified(ranged, "a")
    del ranged["HTTP_IF_RANGE"]
    assert is_resource_modified(ranged, "a", ignore_if_range=False)
    dated = {**ranged, "HTTP_IF_RANGE": SAME}
    assert not is_resource_modified(dated, last_modified=CHANGED, ignore_if_range=False)
