"""Media types of files, by their names (RFC 9110 §8.3.1)."""

import mimetypes
import os

MIME_TYPES: dict[str, str] = {
    ".avif": "image/avif",
    ".css": "text/css",
    ".csv": "text/csv",
    ".eot": "application/vnd.ms-fontobject",
    ".flac": "audio/flac",
    ".gif": "image/gif",
    ".glb": "model/gltf-binary",
    ".gltf": "model/gltf+json",
    ".htm": "text/html",
    ".html": "text/html",
    ".ico": "image/vnd.microsoft.icon",
    ".ics": "text/calendar",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".jsonld": "application/ld+json",
    ".m4a": "audio/mp4",
    ".map": "application/json",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".opus": "audio/ogg",
    ".otf": "font/otf",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain",
    ".vtt": "text/vtt",
    ".wasm": "application/wasm",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xhtml": "application/xhtml+xml",
    ".xml": "text/xml",
    ".zip": "application/zip",
}
"""Media types by extension that do not depend on the system, as `mimetypes` does, which is asked for all others. It can
be changed."""

OCTETS = "application/octet-stream"


def guess_type(name: str) -> tuple[str | None, str | None]:
    """Return the media type and the content coding that a file's name stands for, each None if it says nothing."""
    root, extension = os.path.splitext(name.lower())
    known = MIME_TYPES.get(extension)
    if known is not None:
        return known, None
    guessed, coding = mimetypes.guess_type(name)
    if coding is not None:
        guessed = MIME_TYPES.get(os.path.splitext(root)[1], guessed)
    return guessed, coding
