"""How an app turns values into JSON and back (https://flask.palletsprojects.com/api/#flask.json.provider.JSONProvider)."""

import dataclasses
import decimal
import json
import uuid
from collections.abc import Callable
from datetime import date
from typing import IO, Any, ClassVar, cast
from weakref import proxy, ref

from ..http.dates import http_date


class JSONProvider:
    """Base of what is set as `app.json`. A subclass defines `dumps` and `loads`.

    Args:
        app: the app it belongs to.
    """

    _app: Any
    """The app, by a weak reference."""

    def __init__(self, app: Any) -> None:
        self._app = proxy(app)
        self._app_itself = ref(app)  # PERF: a proxy costs 0.1 µs an attribute

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Return `obj` as JSON text."""
        raise NotImplementedError(f"{type(self).__name__} has to define 'dumps'.")

    def dump(self, obj: Any, fp: IO[str], **kwargs: Any) -> None:
        """Write `obj` to a text file as JSON."""
        fp.write(self.dumps(obj, **kwargs))

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return the value that JSON text says."""
        raise NotImplementedError(f"{type(self).__name__} has to define 'loads'.")

    def load(self, fp: IO[Any], **kwargs: Any) -> Any:
        """Return the value that a file's JSON says."""
        return self.loads(fp.read(), **kwargs)

    def response(self, *args: Any, **kwargs: Any) -> Any:
        """Make a response of JSON: of the one argument, of several as a list, or of the keyword arguments.

        Raises:
            TypeError: there are arguments of both kinds.
        """
        text = self.dumps(self._prepare_response_obj(args, kwargs))
        return self._app.response_class(text, mimetype="application/json")

    def _prepare_response_obj(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what a response's JSON says. The name is Flask's, because programs' own providers call it."""
        if args and kwargs:
            raise TypeError(
                "app.json.response() takes either args or kwargs, not both: one value, several as a list, or keyword"
                " arguments as an object."
            )
        if not args and not kwargs:
            return None
        if len(args) == 1:
            return args[0]
        return args or kwargs


def default(o: Any) -> Any:
    """Turn into a JSON value what JSON does not know: dates, UUIDs, decimals, dataclasses, and what has `__html__`.

    Raises:
        TypeError: it is none of these.
    """
    if isinstance(o, date):
        return http_date(o)
    if isinstance(o, (decimal.Decimal, uuid.UUID)):
        return str(o)
    if dataclasses.is_dataclass(o):
        return dataclasses.asdict(cast("Any", o))
    if hasattr(o, "__html__"):
        return str(o.__html__())
    raise TypeError(f"Object of type {type(o).__name__} is not JSON serializable")


class DefaultJSONProvider(JSONProvider):
    """JSON by the standard library, in the very bytes that Flask sends: sorted keys, ASCII only, HTTP dates."""

    default: ClassVar[Callable[[Any], Any]] = staticmethod(default)
    """Turns what JSON does not know into what it does."""

    ensure_ascii = True
    sort_keys = True
    compact: bool | None = None
    """Whether responses are without white space and indentation; None: they are outside of debug mode."""

    mimetype = "application/json"

    _encode: Callable[[Any], str] | None = None
    _encoder_of: tuple[Any, ...] = ()

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Return `obj` as JSON text. Keyword arguments as `json.dumps`'."""
        kwargs.setdefault("default", self.default)
        kwargs.setdefault("ensure_ascii", self.ensure_ascii)
        kwargs.setdefault("sort_keys", self.sort_keys)
        return json.dumps(obj, **kwargs)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return the value that JSON text says. Keyword arguments as `json.loads`'."""
        if not kwargs and isinstance(s, (str, bytes)):
            # PERF: the scanner itself, 0.4 µs a small object, where `json.loads` takes 1.9 µs. What does not go
            # smoothly begins anew there, which knows the other encodings and says what is wrong.
            try:
                text = (s if isinstance(s, str) else s.decode()).strip(WHITE_SPACE)
                value, end = scan(text, 0)
                if end == len(text):
                    return value
            except (StopIteration, ValueError):
                pass
        return json.loads(s, **kwargs)

    def response(self, *args: Any, **kwargs: Any) -> Any:
        """Make a response of JSON, indented in debug mode.

        Raises:
            TypeError: there are arguments of both kinds.
        """
        value = (
            args[0] if len(args) == 1 and not kwargs else self._prepare_response_obj(args, kwargs)
        )
        app = self._app_itself()
        assert app is not None, "a provider does not outlive its app"
        compact = self.compact
        if app.config["DEBUG"] if compact is None else not compact:
            text = self.dumps(value, indent=2)
        elif type(self).dumps is not DefaultJSONProvider.dumps or "dumps" in self.__dict__:
            text = self.dumps(value, separators=(",", ":"))
        else:
            made_of: tuple[Any, bool, bool] = (
                self.default,
                self.ensure_ascii,
                self.sort_keys,
            )
            if self._encode is None or self._encoder_of != made_of:
                self._encode = compact_encoder(*made_of)
                self._encoder_of = made_of
            text = self._encode(value)
        return app.response_class.of_typed_text(f"{text}\n", self.mimetype)


scan: Any = cast("Any", json.JSONDecoder()).scan_once
"""Returns the value that begins at a position of a text, and where it ends."""

WHITE_SPACE = " \t\n\r"


def compact_encoder(
    default: Callable[[Any], Any], ensure_ascii: bool, sort_keys: bool
) -> Callable[[Any], str]:
    """Return what turns a value into JSON text without white space, in the very bytes of `json.dumps`.

    PERF: 1.1 µs a small object; `json.dumps` takes 4 µs, most of it for the two encoders that it makes at each call.
    """
    encoder = json.JSONEncoder(
        default=default, ensure_ascii=ensure_ascii, sort_keys=sort_keys, separators=(",", ":")
    )
    c: Any = json.encoder
    if c.c_make_encoder is None:  # not CPython
        return encoder.encode
    write_string = c.encode_basestring_ascii if ensure_ascii else c.encode_basestring
    # Without the dict by which circles are noticed, which threads would share; those end in RecursionError instead.
    pieces = c.c_make_encoder(None, default, write_string, None, ":", ",", sort_keys, False, True)

    def encode(value: Any) -> str:
        try:
            return "".join(pieces(value, 0))
        except RecursionError:
            return encoder.encode(value)  # says so if it is a circle

    return encode
