"""Files in answer to a WSGI environ, for programs that hold no app: Werkzeug's `send_file`."""

import os
from collections.abc import Mapping
from types import SimpleNamespace
from typing import IO, Any

from ..http.response import Response
from .static import MaxAge, file_response, opened, opened_below


def send_file(
    path_or_file: str | os.PathLike[str] | IO[bytes],
    environ: Mapping[str, Any],
    mimetype: str | None = None,
    as_attachment: bool = False,
    download_name: str | None = None,
    conditional: bool = True,
    etag: bool | str = True,
    last_modified: Any = None,
    max_age: MaxAge = None,
    use_x_sendfile: bool = False,
    response_class: type[Response] | None = None,
    _root_path: str | os.PathLike[str] | None = None,
) -> Response:
    """Answer the request of `environ` with a file that the program chose.

    Args:
        path_or_file: a path, or a binary stream, which is closed after it was sent. Never a path from a request.
        environ: whose preconditions and ranges are answered.
        mimetype: the media type; by default from the file's name.
        as_attachment: whether a browser offers to save it instead of showing it.
        download_name: the name it is saved under; by default the file's.
        conditional: whether preconditions and ranges of the request are answered.
        etag: the entity tag, or whether to make one; for a stream there is only one of your own.
        last_modified: when it changed last; by default what the file system says.
        max_age: how many seconds the client may keep it without asking, or a function of the path.
        use_x_sendfile: name the file in X-Sendfile and leave its content to the server in front.
        response_class: what the answer is made of.
        _root_path: the folder a relative path begins in.

    Raises:
        OSError: there is no such file.
        TypeError: there is no name to tell the media type by, or to save it under.
        ValueError: the stream is one of text.
        RequestedRangeNotSatisfiable: no range asked for lies in the file.
        PreconditionFailed: a precondition of the request does not hold.

    (Werkzeug: ``werkzeug.utils.send_file``.)
    """
    return file_response(
        opened(path_or_file, _root_path or ""),
        _context(environ, response_class, use_x_sendfile),
        mimetype=mimetype,
        as_attachment=as_attachment,
        download_name=download_name,
        conditional=conditional,
        etag=etag,
        last_modified=last_modified,
        max_age=max_age,
    )


def send_from_directory(
    directory: str | os.PathLike[str],
    path: str | os.PathLike[str],
    environ: Mapping[str, Any],
    **kwargs: Any,
) -> Response:
    """Answer the request of `environ` with a file that it named, in a folder that the program chose.

    Args:
        directory: the folder. Never from a request.
        path: the file in it, ``/`` between the names.
        environ: the environ.
        **kwargs: as `send_file` takes.

    Raises:
        NotFound: there is no such file, or it may not be served: see Flask's `send_from_directory`.
        Exception: as `send_file` does otherwise.

    (Werkzeug: ``werkzeug.utils.send_from_directory``.)
    """
    file = opened_below(directory, path, kwargs.pop("_root_path", None) or "")
    response_class = kwargs.pop("response_class", None)
    use_x_sendfile = kwargs.pop("use_x_sendfile", False)
    return file_response(file, _context(environ, response_class, use_x_sendfile), **kwargs)


def _context(
    environ: Mapping[str, Any], response_class: type[Response] | None, use_x_sendfile: bool
) -> Any:
    """Return what stands in for an app and its request where there is neither."""

    def no_max_age(path: str | None) -> None:
        return None

    app = SimpleNamespace(
        response_class=response_class or Response,
        config={"USE_X_SENDFILE": use_x_sendfile},
        get_send_file_max_age=no_max_age,
    )
    return SimpleNamespace(app=app, request=environ)
