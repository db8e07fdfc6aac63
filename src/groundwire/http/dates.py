"""Dates in fields (RFC 9110 §5.6.7) and ages in seconds (RFC 9111 §1.2.2)."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NUMBERS = {name.lower(): number for number, name in enumerate(MONTHS, 1)}

_TIME = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?"
# IMF-fixdate and the obsolete RFC 850 form, which differ by the dashes and the year. The name of the day tells nothing,
# so that before a comma any word may stand, as for Werkzeug: ``Expires=Sun, 06 Nov 1994 …``.
_DAY_FIRST = re.compile(
    rf"(?:[a-z=]{{3,24}},[ ]*|[a-z]{{3,9}}[ ]+)?"
    rf"(?P<day>[0-9]{{1,2}})[ -](?P<month>[a-z]{{3}})[ -](?P<year>[0-9]{{4}}|[0-9]{{2}})"
    rf"[ ]+{_TIME}(?:[ ]+(?P<zone>gmt|utc?|z|[+-][0-9]{{4}}))?",
    re.ASCII | re.IGNORECASE,
)
# The obsolete form of C's asctime(): "Sun Nov  6 08:49:37 1994".
_MONTH_FIRST = re.compile(
    rf"[a-z]{{3}}[ ]+(?P<month>[a-z]{{3}})[ ]+(?P<day>[0-9]{{1,2}})[ ]+{_TIME}[ ]+(?P<year>[0-9]{{4}})(?P<zone>)",
    re.ASCII | re.IGNORECASE,
)
_LONGEST_DATE = 64
_SECONDS = re.compile("[0-9]{1,15}", re.ASCII)


def parse_date(value: str | None) -> datetime | None:
    """Read a date in any of the three forms of RFC 9110 §5.6.7; None when it is none of them.

    Beyond the three it takes one or two digits of day, a numeric zone, and no zone at all (then UTC), since clients
    send such. A year of two digits is the one at most 50 years ahead. The result has a time zone.
    """
    if not value or len(value) > _LONGEST_DATE:
        return None
    text = value.strip(" \t")
    match = _DAY_FIRST.fullmatch(text) or _MONTH_FIRST.fullmatch(text)
    if match is None:
        return None
    month = _MONTH_NUMBERS.get(match["month"].lower())
    if month is None:
        return None
    year = int(match["year"])
    if len(match["year"]) == 2:
        year = _nearest_year(year, datetime.now(UTC).year)
    second = int(match["second"] or 0)
    leap = second == 60  # RFC 9110 §5.6.7 allows it, datetime does not.
    try:
        moment = datetime(
            year,
            month,
            int(match["day"]),
            int(match["hour"]),
            int(match["minute"]),
            59 if leap else second,
            tzinfo=_zone(match["zone"]),
        )
        return moment + timedelta(seconds=1) if leap else moment
    except (ValueError, OverflowError):
        return None


def _nearest_year(two_digits: int, this_year: int) -> int:
    """Return the year with these last digits that is at most 50 years after `this_year` (RFC 9110 §5.6.7)."""
    year = this_year - this_year % 100 + 100 + two_digits
    while year > this_year + 50:
        year -= 100
    return year


def _zone(text: str | None) -> timezone:
    if not text or text[0] not in "+-":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))
    return timezone(offset if text[0] == "+" else -offset)


def http_date(timestamp: "datetime | date | float | tuple[Any, ...] | None" = None) -> str:
    """Write a date as IMF-fixdate (RFC 9110 §5.6.7), such as ``Sun, 06 Nov 1994 08:49:37 GMT``.

    Args:
        timestamp: seconds since 1970, a date (its first second), a datetime (UTC if it has no zone), or a
            `time.struct_time` in UTC. Without one: now.
    """
    if timestamp is None:
        moment = datetime.now(UTC)
    elif isinstance(timestamp, datetime):
        moment = as_utc(timestamp)
    elif isinstance(timestamp, date):
        moment = datetime(timestamp.year, timestamp.month, timestamp.day, tzinfo=UTC)
    elif isinstance(timestamp, tuple):
        year, month, day, hour, minute, second = timestamp[:6]
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    else:
        # Not fromtimestamp(), which Windows refuses before 1970; whole seconds, towards the past.
        moment = _EPOCH + timedelta(seconds=int(timestamp // 1))
    # strftime() would write the names in the language of the process.
    return (
        f"{WEEKDAYS[moment.weekday()]}, {moment.day:02d} {MONTHS[moment.month - 1]} {moment.year:04d} "
        f"{moment.hour:02d}:{moment.minute:02d}:{moment.second:02d} GMT"
    )


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def as_utc(moment: datetime) -> datetime:
    """Return `moment` in UTC; without a zone it is taken to be in UTC already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_age(value: str | None = None) -> timedelta | None:
    """Read a number of seconds (RFC 9111 §1.2.2); None when it is none, or too large to represent."""
    if not value:
        return None
    text = value.strip(" \t")
    if _SECONDS.fullmatch(text) is None:
        return None
    try:
        return timedelta(seconds=int(text))
    except OverflowError:
        return None


def dump_age(age: timedelta | int | None = None) -> str | None:
    """Write a number of seconds; None gives None.

    Raises:
        ValueError: it is negative.
    """
    if age is None:
        return None
    seconds = int(age.total_seconds()) if isinstance(age, timedelta) else int(age)
    if seconds < 0:
        raise ValueError(f"an age cannot be negative: {seconds}")
    return str(seconds)
