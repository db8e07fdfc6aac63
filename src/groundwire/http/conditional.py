"""Conditional requests: what a request's preconditions come to (RFC 9110 §13)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from .dates import as_utc, parse_date
from .etags import ETags, generate_etag, parse_etags, unquote_etag
from .headers import Headers
from .ranges import parse_if_range_header

_ONE_SECOND = timedelta(seconds=1)


class Outcome(Enum):
    """What preconditions come to."""

    PROCEED = auto()
    """Answer as without them."""

    NOT_MODIFIED = auto()
    """Answer 304: the client has it already."""

    PRECONDITION_FAILED = auto()
    """Answer 412, and change nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """An `Outcome`, and whether Range is to be looked at (only ever when the outcome is to proceed)."""

    outcome: Outcome
    use_range: bool = False


def evaluate_preconditions(
    method: str,
    headers: Headers,
    *,
    etag: str | None = None,
    last_modified: datetime | None = None,
    exists: bool = True,
    now: datetime | None = None,
) -> Verdict:
    """Evaluate a request's preconditions against the selected representation, in the order of RFC 9110 §13.2.2.

    To be called when the answer would be 2xx without them (§13.2.1), and before anything is changed.

    Args:
        method: the request method.
        headers: the request's header section.
        etag: the representation's entity tag as it is sent, quotes and ``W/`` included.
        last_modified: when the representation changed last; counted in whole seconds, as it is sent.
        exists: whether there is a current representation.
        now: the Date of the answer. With it, a date in If-Range counts only if `last_modified` is a second older, since
            otherwise it is no strong validator (§8.8.2.2).
    """
    if method in {"CONNECT", "OPTIONS", "TRACE"}:
        # §13.2.1: they neither select nor change a representation.
        return Verdict(Outcome.PROCEED)
    retrieval = method in {"GET", "HEAD"}
    opaque, weak = unquote_etag(etag)
    modified = None if last_modified is None else as_utc(last_modified).replace(microsecond=0)

    if_match = headers.combined("If-Match")
    if_none_match = headers.combined("If-None-Match")
    # Step 1. An If-Match that cannot be read matches nothing: the client meant to be careful.
    if if_match is not None:
        tags = parse_etags(if_match)
        if not (exists and (tags.star_tag or (not weak and _listed(tags, opaque)))):
            return Verdict(Outcome.PRECONDITION_FAILED)
    # Step 2. A date that is none, more than one, or a representation without one: the field is ignored (§13.1.4).
    elif _changed_since(modified, headers.combined("If-Unmodified-Since")) is True:
        return Verdict(Outcome.PRECONDITION_FAILED)
    # Step 3, by weak comparison (§13.1.2).
    if if_none_match is not None:
        tags = parse_etags(if_none_match)
        if exists and (tags.star_tag or (opaque is not None and tags.contains_weak(opaque))):
            return Verdict(Outcome.NOT_MODIFIED if retrieval else Outcome.PRECONDITION_FAILED)
    # Step 4.
    elif retrieval and _changed_since(modified, headers.combined("If-Modified-Since")) is False:
        return Verdict(Outcome.NOT_MODIFIED)
    # Step 5. Range means something for GET only (§14.2).
    if method != "GET" or "Range" not in headers:
        return Verdict(Outcome.PROCEED)
    if_range = headers.combined("If-Range")
    use_range = if_range is None or _validates(if_range, opaque, weak, modified, now)
    return Verdict(Outcome.PROCEED, use_range)


def _listed(tags: ETags, opaque: str | None) -> bool:
    return opaque is not None and tags.is_strong(opaque)


def _changed_since(modified: datetime | None, field_value: str | None) -> bool | None:
    """Whether the representation changed after the date; None when that cannot be said."""
    date = parse_date(field_value)
    return None if modified is None or date is None else modified > date


def _validates(
    field_value: str,
    opaque: str | None,
    weak: bool | None,
    modified: datetime | None,
    now: datetime | None,
) -> bool:
    """Whether If-Range's validator is the representation's: by strong comparison, or the very date (§13.1.5)."""
    if_range = parse_if_range_header(field_value)
    if if_range.date is not None:
        if modified is None or modified != if_range.date:
            return False
        return now is None or as_utc(now) - modified >= _ONE_SECOND
    return if_range.etag is not None and not if_range.weak and not weak and if_range.etag == opaque


def is_resource_modified(
    environ: Mapping[str, Any],
    etag: str | None = None,
    data: bytes | None = None,
    last_modified: datetime | str | None = None,
    ignore_if_range: bool = True,
) -> bool:
    """Whether a WSGI request has to be answered in full, and not by 304 or 412.

    (Werkzeug: ``is_resource_modified``. Whatever the method, it is taken as a retrieval.)

    Args:
        environ: the WSGI environment.
        etag: the representation's entity tag; or
        data: what to make one from with `generate_etag`.
        last_modified: when it changed last.
        ignore_if_range: False: If-Range's validator goes before the other fields, as when a part is asked for.

    Raises:
        TypeError: both `etag` and `data` are given.
    """
    if etag is not None and data is not None:
        raise TypeError("both data and etag given")
    if data is not None:
        etag = generate_etag(data)
    if isinstance(last_modified, str):
        last_modified = parse_date(last_modified)
    headers = Headers()
    for name in ("If-Match", "If-None-Match", "If-Modified-Since", "If-Range"):
        value = environ.get(f"HTTP_{name.upper().replace('-', '_')}")
        if value is not None:
            headers.add(name, value)
    if not ignore_if_range and "Range" not in headers and environ.get("HTTP_RANGE") is not None:
        if_range = headers.get("If-Range")
        if if_range is not None:
            opaque, weak = unquote_etag(etag)
            modified = (
                None if last_modified is None else as_utc(last_modified).replace(microsecond=0)
            )
            return not _validates(if_range, opaque, weak, modified, None)
    return (
        evaluate_preconditions("GET", headers, etag=etag, last_modified=last_modified).outcome
        is Outcome.PROCEED
    )
