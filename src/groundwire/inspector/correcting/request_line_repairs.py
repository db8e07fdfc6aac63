"""Repairs of a request line (RFC 9112 §3)."""

import re
from typing import Final

from ...protocol.errors import ProtocolError
from ...protocol.http1.elements import Element
from ...protocol.http1.explain import Explanation
from ...protocol.http1.grammar import ABSOLUTE_TARGET, TOKEN
from ...protocol.http1.target import authority_fault
from .repairs import LINE_END, Repair, element_of, line_around, replace, with_line_ends

_CR: Final = 0x0D
_LF: Final = 0x0A
_WHITE: Final = b"\t\x0b\x0c\x1c\x1d\x1e\x1f \x85\xa0"
_SPACES: Final = re.compile(b"[" + _WHITE + rb"\r]+")
_LAST_WORD: Final = re.compile(rb"(.*?)[\t ]+(HTTP/\S*)[\t ]*", re.IGNORECASE)
_VERSION_LIKE: Final = re.compile(rb"\W*h\s?t\s?t\s?p.*|[0-9.]+|", re.IGNORECASE | re.DOTALL)
_OTHER_PROTOCOL: Final = re.compile(rb"(?!HTTP)[A-Z]{3,}/[0-9.]+", re.IGNORECASE)
_NOT_IN_TARGET: Final = re.compile(rb"[^!-\"$-~]")
_WORD: Final = re.compile(rb"[^ \r\n]*")
_VERSION: Final = re.compile(rb"HTTP/1\.[01]")
_FIELD_LINE: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[ \t]")
_OTHER_SCHEME: Final = re.compile(rb"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def repair_request_line(
    data: bytes, explanation: Explanation, fault: ProtocolError
) -> Repair | None:
    """Repair the request line at the byte that was refused; None: there is nothing like one."""
    if fault.section == "RFC 9113 §3.4":
        return None
    method = element_of(explanation, "method")
    target = element_of(explanation, "target")
    if method is None:
        return _before_the_method(data, fault)
    if fault.offset <= method.end:
        return _at_the_method(data, method, fault)
    target_end = target.end if target is not None else fault.offset
    if fault.offset <= target_end:
        if element_of(explanation, "version") is not None and target is not None:
            return _form_of_target(data, method, target, fault)
        return _at_the_target(data, method.end + 1, fault)
    return _at_the_version(data, method, target_end, fault)


def _before_the_method(data: bytes, fault: ProtocolError) -> Repair | None:
    if "TLS" in fault.message:
        return None
    offset = fault.offset
    stripped = data.removeprefix(b"\xef\xbb\xbf").lstrip(_WHITE + b"\r\n")
    if stripped != data and stripped:
        if data.startswith(b"\xef\xbb\xbf"):
            return Repair(stripped, "The byte order mark before the request line is gone.")
        return Repair(
            stripped, "What stood before the request line is gone: empty lines or spaces."
        )
    if TOKEN.match(data, offset + 1) is not None and data[offset : offset + 1] not in b"\x80\0":
        return Repair(
            replace(data, offset, offset + 1, b""),
            "The character before the method is gone.",
        )
    return None


def _at_the_method(data: bytes, method: Element, fault: ProtocolError) -> Repair | None:
    offset = fault.offset
    octet = data[offset]
    start, end = line_around(data, method.start)
    line = data[start:end]
    if octet == _LF or data.startswith(b"\r\n", offset):
        if (
            not data[method.start : method.end].isupper()
            or not data[method.start : offset].isalpha()
        ):
            return None
        ended = replace(data, offset, offset, b" / HTTP/1.1")
        return Repair(ended, "The request line has a target and a version now.")
    white = _SPACES.match(data, offset)
    if white is not None:
        spaced = replace(data, offset, white.end(), b" ")
        return Repair(spaced, "One space stands between method and target now.")
    if _FIELD_LINE.match(line) is not None:
        return Repair(
            replace(data, start, start, b"GET / HTTP/1.1\r\n"),
            "A request line stands before the first header now.",
        )
    if octet == ord("/"):
        return Repair(
            replace(data, offset, offset, b" "), "A space stands between method and target now."
        )
    if b"HTTP/" not in line:
        return None
    return Repair(
        replace(data, offset, offset + 1, b""),
        "The method is one word of letters now; a character that has no place in it is gone.",
    )


def _at_the_target(data: bytes, start: int, fault: ProtocolError) -> Repair | None:
    offset = fault.offset
    octet = data[offset]
    broken = LINE_END.match(data, offset)
    if broken is not None and data.startswith(b"HTTP/", broken.end()):
        return Repair(
            replace(data, offset, broken.end(), b" "), "The request line is one line now."
        )
    if octet == _LF or data.startswith(b"\r\n", offset):
        return _without_version(data, start, offset)
    white = _SPACES.match(data, offset)
    if white is not None and (offset == start or data.startswith(b"HTTP/", white.end())):
        if offset == start:
            return Repair(
                replace(data, offset, white.end(), b""),
                "One space stands between method and target now.",
            )
        return Repair(
            replace(data, offset, white.end(), b" "),
            "One space stands between target and version now.",
        )
    if octet == ord("#"):
        fragment = _WORD.match(data, offset)
        return Repair(
            replace(data, offset, fragment.end() if fragment is not None else offset + 1, b""),
            "The fragment is gone: what stands behind # is for the browser alone.",
        )
    _, line_end = line_around(data, offset)
    last = data.rfind(b" HTTP/", start, line_end)
    end = last if last > offset else line_end
    return Repair(
        replace(data, start, end, _encoded(data[start:end])),
        "What must not stand in a target as it is has been percent-encoded.",
    )


def _without_version(data: bytes, start: int, offset: int) -> Repair | None:
    """The line ends behind its second word: HTTP/0.9, or another protocol."""
    method = data[:start].split()[-1] if data[:start].split() else b""
    if _VERSION.fullmatch(data, start, offset) is not None:
        return Repair(replace(data, start, start, b"/ "), "The request line has a target now: /.")
    if offset > start and not data.startswith((b"/", b"*", b"http"), start):
        return None
    words = b"/ HTTP/1.1" if offset == start else b" HTTP/1.1"
    if method in (b"HELP", b"QUIT", b"EHLO", b"HELO"):
        return None
    return Repair(
        replace(data, offset, offset, words), "The version HTTP/1.1 ends the request line now."
    )


def _at_the_version(
    data: bytes, method: Element, target_end: int, fault: ProtocolError
) -> Repair | None:
    start = target_end + 1
    _, end = line_around(data, start)
    rest = data[start:end]
    if data[fault.offset : fault.offset + 1] == b"\n" and rest in (b"HTTP/1.1", b"HTTP/1.0"):
        return with_line_ends(data)
    if rest.lstrip(_WHITE) in (b"HTTP/1.1", b"HTTP/1.0"):
        return Repair(
            replace(data, start, end, rest.lstrip(_WHITE)),
            "One space stands between target and version now.",
        )
    if "not followed by a line feed" in fault.message:
        offset = fault.offset
        fixed = replace(data, offset, offset + 1, b"") if data[offset] == _CR else None
        return Repair(
            fixed or replace(data, offset, offset, b"\n"), "The request line ends in CR LF now."
        )
    longer = _LAST_WORD.fullmatch(rest)
    if longer is not None and not rest.upper().startswith(b"HTTP/"):
        target = data[method.end + 1 : start] + longer[1]
        return Repair(
            replace(data, method.end + 1, end, _encoded(target) + b" " + longer[2]),
            "The spaces in the target have been percent-encoded.",
        )
    if _OTHER_PROTOCOL.match(rest) is not None:
        return None
    if _VERSION_LIKE.fullmatch(rest) is None:
        if data.startswith(b"PROXY ", method.start):
            return None
        target = data[method.end + 1 : end]
        return Repair(
            replace(data, method.end + 1, end, _encoded(target) + b" HTTP/1.1"),
            "The spaces in the target have been percent-encoded, and the version is there.",
        )
    return Repair(replace(data, start, end, b"HTTP/1.1"), "The version is HTTP/1.1 now.")


def _form_of_target(
    data: bytes, method: Element, target: Element, fault: ProtocolError
) -> Repair | None:
    """The target is written well, but has not the form that its method needs."""
    name = data[method.start : method.end]
    text = data[target.start : target.end]
    if name == b"PRI":
        return None
    if name == b"CONNECT":
        authority = _authority_in(text) or _authority_in(_host_of(data))
        if not authority:
            return None
        if authority_fault(authority) is None and b":" not in authority.rpartition(b"]")[2]:
            authority += b":443"
        changed = replace(data, target.start, target.end, authority.rstrip(b":"))
        return Repair(changed, "The target of CONNECT is a host and a port now.")
    if fault.section == "RFC 9112 §3.2.2":
        absolute = ABSOLUTE_TARGET.fullmatch(text)
        if absolute is None:
            return None
        _, path, query = absolute.groups(b"")
        origin = (path or b"/") + (b"?" + query if absolute[3] is not None else b"")
        return Repair(
            replace(data, target.start, target.end, origin),
            "The target is the path alone now: its host was none.",
        )
    if text == b"*":
        return Repair(
            replace(data, target.start, target.end, b"/"),
            "The target is / now: only OPTIONS may ask for *.",
        )
    scheme = _OTHER_SCHEME.match(text)
    if scheme is not None:
        return Repair(
            replace(data, target.start, target.start + scheme.end(), b"http://"),
            "The target begins with http:// now.",
        )
    return Repair(
        replace(data, target.start, target.start, b"/"), "The target begins with a slash now."
    )


def _authority_in(text: bytes) -> bytes:
    """Return the host and port in something like an address; empty when there is none."""
    authority = re.sub(rb"^[a-z]+://", b"", text, flags=re.IGNORECASE)
    authority = re.split(rb"[/?]", authority)[0].rpartition(b"@")[2].rstrip(b":")
    return authority if authority_fault(authority) is None else b""


def _host_of(data: bytes) -> bytes:
    match = re.search(rb"\r\nHost:[ \t]*(\S+)", data, re.IGNORECASE)
    return match[1] if match is not None else b""


def _encoded(target: bytes) -> bytes:
    return _NOT_IN_TARGET.sub(lambda match: b"%%%02X" % match[0][0], target.strip(b" "))
