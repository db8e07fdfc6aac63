"""What the parts of a message are for, in plain language, and where each is laid down.

The page, the terminal and the programs of the tutorial all say it in these words.
"""

import re
from typing import Final, Literal, NamedTuple

from . import field_notes

Direction = Literal["request", "response"]


class Note(NamedTuple):
    """What something is for."""

    text: str
    """A phrase of plain language, without a full stop."""

    section: str = ""
    """Where it is laid down: ``RFC 9110 §7.2``, or an address; empty where nobody has."""

    @property
    def sentence(self) -> str:
        """The same as a sentence."""
        return f"{self.text[0].upper()}{self.text[1:]}."

    @property
    def url(self) -> str:
        """The address to read on at; empty where there is none."""
        return section_url(self.section)


_SECTION: Final = re.compile(r"RFC (\d+)(?: §([0-9A-Z]+(?:\.\d+)*))?")


def section_url(section: str) -> str:
    """Return the address of what a `ProtocolError.section` or a note names; empty when it names nothing.

    A step of a section (``RFC 9112 §6.3, step 5``) has the section's address.
    """
    if section.startswith("https:"):
        return section
    match = _SECTION.match(section)
    if match is None:
        return ""
    document, number = match.groups()
    url = f"https://www.rfc-editor.org/rfc/rfc{document}"
    if number is None:
        return url
    return f"{url}#{'appendix' if number[0].isalpha() else 'section'}-{number}"


def _table(text: str) -> dict[str, Note]:
    notes: dict[str, Note] = {}
    for line in text.strip().splitlines():
        name, words, *section = line.split(" | ")
        notes[name] = Note(words, *section)
    return notes


def _fields(text: str) -> dict[str, Note]:
    return {name.lower(): note for name, note in _table(text).items()}


REQUEST_FIELDS: Final = _fields(field_notes.IN_REQUESTS)
"""Notes on the fields of requests, by their names in lower case."""

RESPONSE_FIELDS: Final = _fields(field_notes.IN_RESPONSES)

CUSTOM_FIELD: Final = Note(
    "a header of this client's own: servers that do not know it ignore it", ""
)
CUSTOM_RESPONSE_FIELD: Final = Note(
    "a header of this server's own: clients that do not know it ignore it", ""
)


def field_note(name: str, direction: Direction) -> Note:
    """Return what a field is for; names are compared without regard to case."""
    if direction == "request":
        return REQUEST_FIELDS.get(name.lower(), CUSTOM_FIELD)
    return RESPONSE_FIELDS.get(name.lower(), CUSTOM_RESPONSE_FIELD)


METHODS: Final = _table("""
GET | asks to be sent what is there; changes nothing | RFC 9110 §9.3.1
HEAD | like GET, but asks for the headers of the answer only | RFC 9110 §9.3.2
POST | hands something over to be dealt with: a form, a new entry | RFC 9110 §9.3.3
PUT | asks that the content be stored here, in place of what was | RFC 9110 §9.3.4
PATCH | asks for a change of what is here; the content says which | RFC 5789 §2
DELETE | asks that what is here be removed | RFC 9110 §9.3.5
CONNECT | asks a proxy for a tunnel to another host | RFC 9110 §9.3.6
OPTIONS | asks which methods are possible here; browsers do so before they send to another site | RFC 9110 §9.3.7
TRACE | asks for the request back as it arrived, to test the way | RFC 9110 §9.3.8
PROPFIND | asks what is known of a file or folder (WebDAV) | RFC 4918 §9.1
PROPPATCH | asks that something be noted about a file or folder (WebDAV) | RFC 4918 §9.2
MKCOL | asks for a new folder (WebDAV) | RFC 4918 §9.3
COPY | asks for a copy at another address (WebDAV) | RFC 4918 §9.8
MOVE | asks that it be moved to another address (WebDAV) | RFC 4918 §9.9
LOCK | asks that nobody else change it for a while (WebDAV) | RFC 4918 §9.10
UNLOCK | gives a lock back (WebDAV) | RFC 4918 §9.11
REPORT | asks for a report on what is here (WebDAV) | RFC 3253 §3.6
""")

UNKNOWN_METHOD: Final = Note("a method that few programs know", "RFC 9110 §9.1")


def method_note(method: str) -> Note:
    """Return what a method asks for; methods are told apart by case too (RFC 9110 §9.1)."""
    return METHODS.get(method, UNKNOWN_METHOD)


TARGETS: Final = _table("""
origin | which thing on this server: the path | RFC 9112 §3.2.1
absolute | the whole address, as clients write it to a proxy | RFC 9112 §3.2.2
authority | host and port to be connected with | RFC 9112 §3.2.3
asterisk | the server as a whole | RFC 9112 §3.2.4
""")
"""By the form of the request target."""

VERSION: Final = Note("which rules the message follows", "RFC 9112 §2.3")
QUERY: Final = Note("the part of the target behind the question mark", "RFC 3986 §3.4")
REASON: Final = Note("the status in words, for people; programs ignore it", "RFC 9112 §4")
EMPTY_LINE: Final = Note("an empty line: the headers end here", "RFC 9112 §2.1")
LENGTH: Final = Note("Content-Length says how much there is", "RFC 9112 §6.2")
CHUNKS: Final = Note("in chunks, each with its size before it, the last one empty", "RFC 9112 §7.1")
UNTIL_CLOSE: Final = Note("until the connection is closed", "RFC 9112 §6.3")

CONTENT_TYPES: Final = _table("""
application/x-www-form-urlencoded | the fields of a form: name=value, joined by & | https://url.spec.whatwg.org/#application/x-www-form-urlencoded
multipart/form-data | the fields and files of a form, each a part between two boundaries | RFC 7578
multipart/byteranges | several parts of what was asked for, between boundaries | RFC 9110 §14.6
application/json | JSON: data as text, as programs exchange it | RFC 8259
application/problem+json | JSON that says what went wrong | RFC 9457 §3
application/ld+json | JSON with links, as search engines read it | https://www.w3.org/TR/json-ld11/
application/x-ndjson | JSON, a value on each line
application/xml | XML: data as text, with tags | RFC 7303 §9.1
application/javascript | a script for the browser | RFC 9239 §6
application/pdf | pages as they would be printed | RFC 8118
application/zip | files packed together
application/gzip | something compressed | RFC 6713
application/wasm | a program for the browser, compiled
application/octet-stream | bytes of an unnamed kind | RFC 2046 §4.5.1
text/plain | plain text | RFC 2046 §4.1.3
text/html | a page of HTML | https://html.spec.whatwg.org/
text/css | a style sheet: how a page looks | https://www.w3.org/TR/css/
text/javascript | a script for the browser | RFC 9239 §6
text/csv | a table, a row on each line | RFC 4180 §3
text/markdown | text with marks for headings, lists and links | RFC 7763
text/xml | XML: data as text, with tags | RFC 7303 §9.2
text/event-stream | events, one after the other, as long as the connection lasts | https://html.spec.whatwg.org/multipage/server-sent-events.html
image/png | a picture, without loss | https://www.w3.org/TR/png-3/
image/jpeg | a photograph
image/gif | a small picture, which may move
image/webp | a picture | RFC 9649
image/avif | a picture
image/svg+xml | a drawing, as text | https://www.w3.org/TR/SVG2/
image/x-icon | the little picture in the tab
font/woff2 | a typeface | https://www.w3.org/TR/WOFF2/
audio/mpeg | sound
video/mp4 | a film
""")


def content_type_note(media_type: str) -> Note | None:
    """Return what a kind of content is, by its Content-Type with or without parameters; None if it is not known."""
    return CONTENT_TYPES.get(media_type.partition(";")[0].strip().lower())


STATUSES: Final = _table("""
100 | go on and send the content | RFC 9110 §15.2.1
101 | from here on the other protocol is spoken | RFC 9110 §15.2.2
102 | the work goes on; this only says so | RFC 2518 §10.1
103 | the answer takes a while; these links can be fetched already | RFC 8297 §2
104 | so much of the upload has come, and can be continued
200 | it worked, and here it is | RFC 9110 §15.3.1
201 | it was made; Location says where it is | RFC 9110 §15.3.2
202 | it was taken, and will be done later | RFC 9110 §15.3.3
203 | it worked, but somebody on the way has changed the answer | RFC 9110 §15.3.4
204 | it worked, and there is nothing to send | RFC 9110 §15.3.5
205 | it worked; the form can be cleared | RFC 9110 §15.3.6
206 | here is the part that was asked for | RFC 9110 §15.3.7
207 | several things were done, each with a status of its own | RFC 4918 §11.1
208 | this has been listed already | RFC 5842 §7.1
226 | here is what has changed since the copy that the client has | RFC 3229 §10.4.1
300 | there is more than one version; the client may choose | RFC 9110 §15.4.1
301 | it has moved for good; the new address is in Location | RFC 9110 §15.4.2
302 | for now it is at another address, which is in Location | RFC 9110 §15.4.3
303 | what comes next is at another address, to be asked for with GET | RFC 9110 §15.4.4
304 | the copy that the client has is still good, so nothing is sent | RFC 9110 §15.4.5
305 | it was to be fetched by a proxy; no longer used | RFC 9110 §15.4.6
306 | no longer used | RFC 9110 §15.4.7
307 | for now it is at another address; ask there just the same | RFC 9110 §15.4.8
308 | it has moved for good; ask there just the same | RFC 9110 §15.4.9
400 | the request is wrong; sending it again will not help | RFC 9110 §15.5.1
401 | who is asking? proof is missing, or it is wrong | RFC 9110 §15.5.2
402 | it has to be paid for first | RFC 9110 §15.5.3
403 | who asks may not have it | RFC 9110 §15.5.4
404 | there is nothing at this address | RFC 9110 §15.5.5
405 | the address is right, but not with this method; Allow lists those that are | RFC 9110 §15.5.6
406 | it is not to be had in any form the client can use | RFC 9110 §15.5.7
407 | a proxy on the way wants to know who is asking | RFC 9110 §15.5.8
408 | the request did not come in time | RFC 9110 §15.5.9
409 | what is there is in the way of what was asked | RFC 9110 §15.5.10
410 | it was here, and is gone for good | RFC 9110 §15.5.11
411 | Content-Length is missing | RFC 9110 §15.5.12
412 | what is there is not the version the client meant | RFC 9110 §15.5.13
413 | the content is larger than is taken here | RFC 9110 §15.5.14
414 | the address is longer than is taken here | RFC 9110 §15.5.15
415 | this kind of content is not taken here | RFC 9110 §15.5.16
416 | there is no such part of it | RFC 9110 §15.5.17
417 | what the client expects is not done here | RFC 9110 §15.5.18
418 | a joke of 1998: it is a teapot and makes no coffee | RFC 2324 §2.3.2
421 | the request came to a server that does not speak for this site | RFC 9110 §15.5.20
422 | the content can be read, but what it says makes no sense here | RFC 9110 §15.5.21
423 | somebody has locked it | RFC 4918 §11.3
424 | it was not done because something before it failed | RFC 4918 §11.4
425 | it may be somebody else's copy of a request; to be sent again when TLS is set up | RFC 8470 §5.2
426 | only in another protocol, which Upgrade names | RFC 9110 §15.5.22
428 | say which version is meant, so that nobody's work is lost | RFC 6585 §3
429 | too many requests; Retry-After says when to come again | RFC 6585 §4
431 | the headers are longer, or more, than is taken here | RFC 6585 §5
451 | somebody has forbidden it by law | RFC 7725 §3
500 | the program failed; its log says how | RFC 9110 §15.6.1
501 | the server cannot do this at all | RFC 9110 §15.6.2
502 | the server behind this one gave an answer of no use | RFC 9110 §15.6.3
503 | not at the moment: too much to do, or being repaired | RFC 9110 §15.6.4
504 | the server behind this one did not answer in time | RFC 9110 §15.6.5
505 | this version of HTTP is not spoken here | RFC 9110 §15.6.6
506 | the server is set up so that its choice of versions leads in a circle | RFC 2295 §8.1
507 | there is no room to store it | RFC 4918 §11.5
508 | the folders lead in a circle | RFC 5842 §7.2
510 | an extension that the server needs is missing | RFC 2774 §7
511 | log in to the network first, as in hotels | RFC 6585 §6
""")

STATUS_CLASSES: Final = {
    1: Note("an interim answer; the final one follows", "RFC 9110 §15.2"),
    2: Note("it worked", "RFC 9110 §15.3"),
    3: Note("there is one more step, for the client to take", "RFC 9110 §15.4"),
    4: Note("the request cannot be done as it is", "RFC 9110 §15.5"),
    5: Note("the server failed at what may be a good request", "RFC 9110 §15.6"),
}


def status_note(status: int) -> Note:
    """Return what a status code says; of an unknown one what its class says (RFC 9110 §15)."""
    known = STATUSES.get(str(status))
    if known is not None:
        return known
    return STATUS_CLASSES.get(status // 100, Note("no status code of HTTP", "RFC 9110 §15"))


RULES: Final = _table("""
RFC 6585 §5 | A server sets bounds to how long and how many headers may be, since they are kept in memory.
RFC 7239 §4 | Forwarded is a list of name=value pairs, as a proxy writes them.
RFC 9110 §5.3 | A header that is no list may stand in a message once; of two, each reader might take another.
RFC 9110 §5.5 | A header's value is text on one line: letters, signs, spaces and tabs, no control characters.
RFC 9110 §6.5.1 | Behind the content only headers may stand that do not change how the message is read.
RFC 9110 §15.6.6 | The server speaks HTTP/1.1 and HTTP/1.0.
RFC 9112 §2.2 | Every line of a head ends in CR LF; who takes less may see other lines than the next reader.
RFC 9112 §2.3 | A version is written HTTP/1.1: capital letters, two digits, a dot.
RFC 9112 §3 | A request line is method, space, target, space, version: one space each, and nothing else.
RFC 9112 §3.1 | A method is one word of letters, digits and a few signs.
RFC 9112 §3.2 | Host says once which site is meant; a target has no spaces and no raw characters beyond ASCII.
RFC 9112 §3.2.1 | A target begins with a slash, and goes on with path and query.
RFC 9112 §3.2.2 | A whole address as target begins with http:// or https:// and a host.
RFC 9112 §3.2.3 | CONNECT, and only CONNECT, has a host and a port as its target.
RFC 9112 §3.2.4 | The target * stands for the whole server; only OPTIONS may ask for it.
RFC 9112 §4 | A status line is version, space, three digits, space, a phrase that may be empty.
RFC 9112 §5.1 | A header's name stands at the start of its line, and its colon right behind it.
RFC 9112 §5.2 | A header is one line; to go on in the next one was given up, as readers took it in different ways.
RFC 9112 §6.1 | Transfer-Encoding of a request is chunked, and nothing else, in HTTP/1.1.
RFC 9112 §6.3 | What says how long the content is must say it once, and clearly: all depends on where it ends.
RFC 9112 §7.1 | A chunk is its size in hexadecimal digits, CR LF, as many bytes, CR LF.
RFC 9112 §7.1.1 | Behind a chunk's size may stand ;name or ;name=value, without spaces.
RFC 9112 §8 | A message that ends too early is no message.
RFC 9113 §3.4 | HTTP/2 begins with a line of its own, which only its servers understand.
""")
"""What the rules ask for that a request can break, by section."""


def rule_note(section: str) -> str:
    """Return what the rule that a `ProtocolError.section` names asks for; empty for one that is not listed."""
    note = RULES.get(section.partition(",")[0])
    return note.text if note is not None else ""
