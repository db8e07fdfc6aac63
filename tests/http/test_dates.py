"""Dates and ages in fields."""

from datetime import UTC, date, datetime, timedelta, timezone
from time import gmtime

import pytest
import werkzeug.http as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwire.http import dates
from groundwire.http.dates import as_utc, dump_age, http_date, parse_age, parse_date

MOMENT = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Expires=Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "sun, 6 nov 1994 08:49:37 gmt",
        "06 Nov 1994 08:49:37 GMT",
        "Sun 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 10:49:37 +0200",
        "Sun, 06 Nov 1994 06:49:37 -0200",
        " Sun, 06 Nov 1994 08:49:37 GMT\t",
    ],
)
def test_every_form_of_a_date_is_read(value: str) -> None:
    assert parse_date(value) == MOMENT


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "x",
        "0",
        "Sun, 06 Nov 1994",
        "Sun, 06 Nof 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Fri, 31 Dec 9999 23:59:60 GMT",
        "Sun, ٠٦ Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 +9999",
        "Sun, 06 Nov 1994 08:49:37 GMT" + " " * 1000,
        "\xa0Sun, 06 Nov 1994 08:49:37 GMT",
    ],
)
def test_anything_else_is_no_date(value: str | None) -> None:
    assert parse_date(value) is None


def test_leap_second_is_the_next_one() -> None:
    assert parse_date("Sat, 31 Dec 2016 23:59:60 GMT") == datetime(2017, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("two_digits", "this_year", "expected"),
    [(94, 2026, 1994), (26, 2026, 2026), (76, 2026, 2076), (77, 2026, 1977), (0, 1999, 2000)],
)
def test_year_of_two_digits_is_at_most_fifty_years_ahead(
    two_digits: int, this_year: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Clock":
            return cls(this_year, 6, 1, tzinfo=UTC)

    monkeypatch.setattr(dates, "datetime", Clock)

    parsed = parse_date(f"Sunday, 06-Nov-{two_digits:02d} 08:49:37 GMT")

    assert parsed is not None
    assert parsed.year == expected


@pytest.mark.parametrize(
    "moment",
    [
        MOMENT,
        MOMENT.replace(tzinfo=None),
        MOMENT.astimezone(timezone(timedelta(hours=-5))),
        784111777,
        784111777.9,
        gmtime(784111777),
    ],
)
def test_a_moment_is_written_in_gmt(moment: object) -> None:
    assert http_date(moment) == "Sun, 06 Nov 1994 08:49:37 GMT"  # type: ignore[arg-type]


def test_dates_before_1970_and_without_a_time_are_written() -> None:
    assert http_date(-0.5) == "Wed, 31 Dec 1969 23:59:59 GMT"
    assert http_date(date(2020, 1, 2)) == "Thu, 02 Jan 2020 00:00:00 GMT"


def test_without_a_moment_it_is_now() -> None:
    now = parse_date(http_date())

    assert now is not None
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))
@settings(max_examples=150, deadline=None)
def test_dates_read_back(moment: datetime) -> None:
    written = http_date(moment)

    assert written == oracle.http_date(moment)
    assert parse_date(written) == moment.replace(microsecond=0)
    assert parse_date(moment.strftime("%a %b %d %H:%M:%S ") + f"{moment.year:04d}") == parse_date(
        written
    )


@given(
    st.tuples(
        st.sampled_from(["Sun, ", "Sunday, ", ""]),
        st.sampled_from(["06", "6", "31"]),
        st.sampled_from([" Nov ", "-Nov-", " feb ", " Xyz "]),
        st.sampled_from(["1994", "94", "68", "2024"]),
        st.sampled_from([" 08:49:37", " 8:49:37", " 08:49", " 25:00:00"]),
        st.sampled_from([" GMT", "", " +0130", " UTC"]),
    )
)
@settings(max_examples=200, deadline=None)
def test_dates_are_read_as_werkzeug_does(parts: tuple[str, ...]) -> None:
    value = "".join(parts)

    # Werkzeug reads dashes only where a zone follows.
    assert parse_date(value) == oracle.parse_date(value.replace("-", " ", 2))


def test_naive_moments_are_taken_as_utc() -> None:
    assert as_utc(datetime(2020, 1, 1)) == datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("value", "seconds"), [("5", 5), (" 7 ", 7), ("0", 0)])
def test_ages_are_read(value: str, seconds: int) -> None:
    assert parse_age(value) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value", [None, "", "-5", "+5", "1.5", "x", "٣", "1_0", "9" * 15, "9" * 99]
)
def test_what_is_no_age_is_none(value: str | None) -> None:
    assert parse_age(value) is None


def test_ages_are_written() -> None:
    assert dump_age(timedelta(days=1)) == "86400"
    assert dump_age(5) == "5"
    assert dump_age(None) is None
    with pytest.raises(ValueError, match="negative"):
        dump_age(-1)
