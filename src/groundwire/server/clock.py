"""The time of day as messages and logs write it, each text made once a second."""

import time
from typing import Final

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)


def date_field(seconds: float) -> bytes:
    """Return a Unix time as the Date field writes it, in IMF-fixdate (RFC 9110 §5.6.7, §6.6.1)."""
    t = time.gmtime(seconds)
    # Not strftime: its names of days and months follow the locale.
    text = (
        f"{_DAYS[t.tm_wday]}, {t.tm_mday:02} {_MONTHS[t.tm_mon - 1]} {t.tm_year:04} "
        f"{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} GMT"
    )
    return text.encode("ascii")


def common_log_stamp(seconds: float) -> str:
    """Return a Unix time as the Common Log Format writes it: local time, with its distance from UTC."""
    t = time.localtime(seconds)
    sign = "-" if t.tm_gmtoff < 0 else "+"
    hours, minutes = divmod(abs(t.tm_gmtoff) // 60, 60)
    return (
        f"{t.tm_mday:02}/{_MONTHS[t.tm_mon - 1]}/{t.tm_year:04}:"
        f"{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} {sign}{hours:02}{minutes:02}"
    )


def utc_stamp(seconds: float) -> str:
    """Return a Unix time in RFC 3339's form, in UTC."""
    t = time.gmtime(seconds)
    return (
        f"{t.tm_year:04}-{t.tm_mon:02}-{t.tm_mday:02}T{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02}Z"
    )
