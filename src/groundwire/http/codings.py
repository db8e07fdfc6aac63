"""Content codings: which one a client takes, what is worth coding, and the coding itself (RFC 9110 §8.4, §12.5.3).

``gzip`` and ``deflate`` are always there; ``br`` with the package ``brotli``, ``zstd`` with Python 3.14 or the package
``zstandard``. The content of requests is never decoded: a few octets would become gigabytes.
"""

import re
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any, Protocol, cast

from .ranges import parse_content_range_header
from .response import Response

MIN_BYTES = 500
"""Content smaller than this is not coded: head and content fit into one packet anyway."""

GZIP_LEVEL = 6
BROTLI_QUALITY = 4
"""PERF: at 4, brotli is as fast as gzip at 6 and 10 to 15 % smaller; its own default, 11, is 100 times slower."""
ZSTD_LEVEL = 3

MAX_ACCEPT_BYTES = 256
"""An Accept-Encoding longer than this is evaluated each time instead of being remembered."""


def optional_module(*names: str) -> Any:
    """Import and return the first module of `names` that there is, or None."""
    for name in names:
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


brotli: Any = optional_module("brotli", "brotlicffi")
zstd: Any = optional_module("compression.zstd")
zstandard: Any = optional_module("zstandard") if zstd is None else None

AVAILABLE: tuple[str, ...] = (
    *(("br",) if brotli is not None else ()),
    *(("zstd",) if zstd is not None or zstandard is not None else ()),
    "gzip",
    "deflate",
)
"""The codings that can be made here, best first: what is chosen when the client likes several equally."""

# Choosing

ELEMENT = re.compile(
    r"[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*(?:;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?[ \t]*"
)

ALIASES = {"x-gzip": "gzip"}
"""RFC 9110 §8.4.1.3: to be taken as equal."""


def parse_accept_encoding(value: str) -> dict[str, float]:
    """Return the q-value of each coding named in an Accept-Encoding field, in lower case.

    An element that is malformed is left out; of two for one coding the first counts.
    """
    weights: dict[str, float] = {}
    for element in value.split(","):
        match = ELEMENT.fullmatch(element)
        if match is not None:
            coding = match[1].lower()
            weights.setdefault(ALIASES.get(coding, coding), float(match[2] or 1))
    return weights


def choose(accept_encoding: str | None, available: Iterable[str] = AVAILABLE) -> str | None:
    """Return the coding of `available`, best first, that the client likes most; None: the content as it is.

    Content as it is has to be sent when the client takes nothing that is available, also where it refuses even that by
    ``identity;q=0``: an answer it may be able to read is better than 406 (RFC 9110 §12.5.3).

    Args:
        accept_encoding: the value of Accept-Encoding, or None without that field, when no coding is chosen.
        available: the codings there are.
    """
    if not accept_encoding:
        return None
    if len(accept_encoding) <= MAX_ACCEPT_BYTES:
        return choose_remembered(accept_encoding, tuple(available))
    return choose_by_weight(accept_encoding, available)


def choose_by_weight(accept_encoding: str, available: Iterable[str]) -> str | None:
    """Do what `choose` says, without remembering."""
    weights = parse_accept_encoding(accept_encoding)
    others = weights.get("*", 0.0)
    # Without a word about it, content as it is comes after everything the client names.
    best, best_weight = None, weights.get("identity", 0.0)
    for coding in available:
        weight = weights.get(coding, others)
        if weight > 0 and (weight > best_weight or (best is None and weight == best_weight)):
            best, best_weight = coding, weight
    return best


# Browsers send a handful of different values. PERF: 0.1 µs instead of 4.
choose_remembered = lru_cache(maxsize=128)(choose_by_weight)

# Coding


class Compressor(Protocol):
    """What a coding of an `Encoder` is made of."""

    def compress(self, data: bytes) -> bytes:
        """Take `data`, and return what is ready."""
        ...

    def flush_block(self) -> bytes:
        """Return the rest of what was taken, so that all of it can be decoded."""
        ...

    def finish(self) -> bytes:
        """Return the rest and the end."""
        ...


class ZlibCompressor:
    """``gzip`` (RFC 1952) and ``deflate`` (RFC 1950, RFC 9110 §8.4.1.2: with zlib's frame)."""

    def __init__(self, window_bits: int) -> None:
        self._compressor = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, window_bits)
        self.compress = self._compressor.compress

    def flush_block(self) -> bytes:
        """Return the rest of what was taken."""
        return self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        """Return the rest and the end."""
        return self._compressor.flush(zlib.Z_FINISH)


class BrotliCompressor:
    """``br`` (RFC 7932)."""

    def __init__(self) -> None:
        self._compressor = brotli.Compressor(quality=BROTLI_QUALITY)

    def compress(self, data: bytes) -> bytes:
        """Take `data`, and return what is ready."""
        return bytes(self._compressor.process(data))

    def flush_block(self) -> bytes:
        """Return the rest of what was taken."""
        return bytes(self._compressor.flush())

    def finish(self) -> bytes:
        """Return the rest and the end."""
        return bytes(self._compressor.finish())


class ZstdCompressor:
    """``zstd`` (RFC 8878). At this level the window stays below the 8 MiB that RFC 9659 allows on the web."""

    def __init__(self) -> None:
        if zstd is not None:
            self._compressor = zstd.ZstdCompressor(level=ZSTD_LEVEL)
            self._block, self._end = self._compressor.FLUSH_BLOCK, self._compressor.FLUSH_FRAME
        else:
            self._compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compressobj()
            self._block, self._end = (
                zstandard.COMPRESSOBJ_FLUSH_BLOCK,
                zstandard.COMPRESSOBJ_FLUSH_FINISH,
            )

    def compress(self, data: bytes) -> bytes:
        """Take `data`, and return what is ready."""
        return bytes(self._compressor.compress(data))

    def flush_block(self) -> bytes:
        """Return the rest of what was taken."""
        return bytes(self._compressor.flush(self._block))

    def finish(self) -> bytes:
        """Return the rest and the end."""
        return bytes(self._compressor.flush(self._end))


def compressor(coding: str) -> Compressor:
    """Return a new compressor for `coding`.

    Raises:
        ValueError: the coding is none of `AVAILABLE`.
    """
    if coding not in AVAILABLE:
        raise ValueError(
            f"{coding!r} is not a content coding available here: {', '.join(AVAILABLE)}"
        )
    if coding == "br":
        return BrotliCompressor()
    if coding == "zstd":
        return ZstdCompressor()
    return cast("Compressor", ZlibCompressor(31 if coding == "gzip" else 15))


def encode(coding: str, data: bytes) -> bytes:
    """Return `data` in `coding`.

    Raises:
        ValueError: the coding is none of `AVAILABLE`.
    """
    whole = compressor(coding)
    return whole.compress(data) + whole.finish()


class Encoder:
    """Codes content that comes in pieces, so that each piece can be decoded as soon as it has come.

    Raises:
        ValueError: the coding is none of `AVAILABLE`.
    """

    __slots__ = ("_compressor",)

    def __init__(self, coding: str) -> None:
        self._compressor = compressor(coding)

    def encode(self, piece: bytes) -> bytes:
        """Return `piece` coded, or nothing for nothing."""
        if not piece:
            return b""
        return self._compressor.compress(piece) + self._compressor.flush_block()

    def finish(self) -> bytes:
        """Return the end of the coded content."""
        return self._compressor.finish()


class CodedSource:
    """An iterable source of a response, coded on the way. Closes what it iterates over."""

    def __init__(self, source: Iterable[bytes | str], coding: str) -> None:
        self._source = source
        self._encoder = Encoder(coding)
        self._pieces = self._code()

    def _code(self) -> Iterator[bytes]:
        for piece in self._source:
            coded = self._encoder.encode(piece.encode() if isinstance(piece, str) else piece)
            if coded:
                yield coded
        yield self._encoder.finish()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Close the source, where it can be closed."""
        close = getattr(self._source, "close", None)
        if close is not None:
            close()


class CodedAsyncSource:
    """An asynchronous source of a response, coded on the way. Closes what it iterates over."""

    def __init__(self, source: AsyncIterable[bytes | str], coding: str) -> None:
        self._source = source
        self._encoder = Encoder(coding)
        self._pieces = self._code()

    async def _code(self) -> AsyncIterator[bytes]:
        async for piece in self._source:
            coded = self._encoder.encode(piece.encode() if isinstance(piece, str) else piece)
            if coded:
                yield coded
        yield self._encoder.finish()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._pieces)

    async def aclose(self) -> None:
        """Close the source, where it can be closed."""
        close = getattr(self._source, "aclose", None)
        if close is not None:
            await close()


# Deciding

COMPRESSIBLE = frozenset(
    {
        "application/ecmascript",
        "application/javascript",
        "application/json",
        "application/json5",
        "application/ndjson",
        "application/rtf",
        "application/sql",
        "application/toml",
        "application/vnd.apple.mpegurl",
        "application/vnd.ms-fontobject",
        "application/wasm",
        "application/x-javascript",
        "application/x-mpegurl",
        "application/x-ndjson",
        "application/x-sh",
        "application/x-sql",
        "application/x-yaml",
        "application/xml",
        "application/xml-dtd",
        "application/yaml",
        "font/otf",
        "font/ttf",
        "font/sfnt",
        "image/bmp",
        "image/vnd.microsoft.icon",
        "image/x-icon",
        "model/obj",
    }
)
"""Media types beyond ``text/*`` and those that end in ``+json``, ``+xml`` or ``+yaml``. Formats that compress
themselves (images, video, archives, WOFF) are not here."""


def is_compressible(content_type: str) -> bool:
    """Whether content of this Content-Type gets smaller by a coding.

    ``text/event-stream`` is left alone: its pieces are small, and have to arrive one by one.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith("text/"):
        return media_type != "text/event-stream"
    return media_type in COMPRESSIBLE or media_type.endswith(("+json", "+xml", "+yaml"))


def is_eligible(
    status: int,
    content_type: str | None,
    size_bytes: int | None,
    *,
    content_encoding: str | None = None,
    content_range: str | None = None,
    cache_control: str | None = None,
) -> bool:
    """Whether a response may be coded, if the client takes a coding.

    Args:
        status: its status code: none without content, and no part of a representation (206).
        content_type: its Content-Type.
        size_bytes: octets of content; None where they are not known, when it may.
        content_encoding: its Content-Encoding: what is coded already is not coded again.
        content_range: its Content-Range.
        cache_control: its Cache-Control; ``no-transform`` forbids it (RFC 9111 §5.2.2.6).
    """
    return (
        content_type is not None
        and status >= 200
        and status not in (204, 205, 206, 304)
        and content_encoding is None
        and content_range is None
        and (size_bytes is None or size_bytes > MIN_BYTES)
        and (cache_control is None or "no-transform" not in cache_control.lower())
        and is_compressible(content_type)
    )


def weaken(etag: str) -> str:
    """Return the weak form of an entity tag: coded content means the same in other octets (RFC 9110 §8.8.1)."""
    return etag if etag.startswith("W/") else "W/" + etag


def add_vary(value: str | None, name: str = "Accept-Encoding") -> str:
    """Return a Vary field's value that names `name`."""
    if not value:
        return name
    names = {each.strip().lower() for each in value.split(",")}
    return value if name.lower() in names or "*" in names else f"{value}, {name}"


PARTS = "multipart/byteranges"
TEXT = "text/plain"

DIGESTS = ("Content-MD5", "Content-Digest", "Repr-Digest", "Digest")
"""Fields that name the very octets of the content, and would be wrong for others (RFC 9530)."""


def compress(response: Response, accept_encoding: str | None, method: str = "GET") -> None:
    """Code the content of `response` when that makes it smaller and the client takes it.

    Every response that could have been coded says so by ``Vary``, coded or not. A coded one gets Content-Encoding and a
    weak ETag, and loses Accept-Ranges: ranges would count the octets of what was not coded. Streamed content is coded
    piece by piece.

    Args:
        response: a final response, changed in place.
        accept_encoding: the value of the request's Accept-Encoding, or None.
        method: the request's method. The head for HEAD is made as for GET (RFC 9110 §9.3.2).
    """
    content = response.content
    if response.status_code == 206:
        mark_part(response)
        return
    if content is not None and len(content) <= MIN_BYTES and response.status_code != 304:
        return
    # RFC 9110 §9.3.6: a successful answer to CONNECT has no content.
    # A class that overrides how it is sent might still change the content.
    if method == "CONNECT" or not response.is_plain:
        return
    if content is None and response.is_sequence:
        response.set_data(response.get_data())
        content = response.content
    if not may_be_coded(response):
        return
    headers = response.headers
    headers["Vary"] = add_vary(headers.combined("Vary"))
    coding = choose(accept_encoding)
    if coding is None:
        return
    if response.status_code != 304:
        if content is not None:
            coded = encode(coding, content)
            if len(coded) >= len(content):
                return
            response.set_data(coded)
        else:
            source: Any = response.source
            is_async = hasattr(source, "__aiter__")
            response.source = (CodedAsyncSource if is_async else CodedSource)(source, coding)
            headers.remove("Content-Length")
        headers["Content-Encoding"] = coding
        headers.remove("Accept-Ranges")
    etag = headers.get("ETag")
    if etag is not None:
        headers["ETag"] = weaken(etag)


def mark_part(response: Response) -> None:
    """Give a part of a representation the Vary that the whole would have (RFC 9110 §15.3.7)."""
    headers = response.headers
    part = parse_content_range_header(headers.get("Content-Range"))
    content_type = headers.get("Content-Type")
    if part is None and content_type is not None and content_type.startswith(PARTS):
        content_type = TEXT  # what the whole is, its parts say
    whole_could_be_coded = is_eligible(
        200,
        content_type,
        None if part is None else part.length,
        content_encoding=headers.get("Content-Encoding"),
        cache_control=headers.combined("Cache-Control"),
    )
    if whole_could_be_coded and not any(name in headers for name in DIGESTS):
        headers["Vary"] = add_vary(headers.combined("Vary"))


def may_be_coded(response: Response) -> bool:
    """Whether `compress` would code `response` for a client that takes a coding.

    For 304 this is whether it would have coded what 304 stands for, whose Vary and ETag it bears (RFC 9110 §15.4.5).
    """
    status = 200 if response.status_code == 304 else response.status_code
    content = response.content
    size_bytes = None if content is None or response.status_code == 304 else len(content)
    if response.plain_type is not None:
        return is_eligible(status, response.plain_type, size_bytes)
    headers = response.headers
    if size_bytes is None:
        size_bytes = response.content_length or None
    return is_eligible(
        status,
        headers.get("Content-Type"),
        size_bytes,
        content_encoding=headers.get("Content-Encoding"),
        content_range=headers.get("Content-Range"),
        cache_control=headers.combined("Cache-Control"),
    ) and not any(name in headers for name in DIGESTS)
