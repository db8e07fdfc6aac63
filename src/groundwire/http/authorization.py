"""Authentication: what a server demands and a client shows (RFC 9110 §11)."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, Self

from .field_values import OWS, dump_header, fold_case, parse_dict_header, quote_header_value
from .mappings import CallbackDict

# Quoted whatever they hold. RFC 9110 §11.5 for realm, RFC 7616 §3.3 for Digest's.
_ALWAYS_QUOTED = frozenset({"realm", "domain", "nonce", "opaque", "qop"})


def _split_credentials(value: str | None) -> tuple[str, str] | None:
    """Return (scheme in lower case, the rest), None without a scheme."""
    scheme, _, rest = (value or "").strip(OWS).partition(" ")
    return (fold_case(scheme), rest.strip(OWS)) if scheme else None


def _has_parameters(rest: str) -> bool:
    """Whether it is ``name=value`` pairs rather than a token68, which may have ``=`` at its end only."""
    return "=" in rest.rstrip("=")


class Authorization:
    """The credentials of a request, or of a proxy's (RFC 9110 §11.6.2; Werkzeug: ``Authorization``).

    Parameters can be read as attributes and items too, None where there is none: ``auth.username``. Its `repr` names no
    secret; `str` gives the field value.

    Attributes:
        type: the scheme in lower case, such as ``basic``, ``digest`` or ``bearer``.
        parameters: the parameters; for ``basic`` they are ``username`` and ``password``.
        token: the token of a scheme that has one instead of parameters, such as ``bearer``.
    """

    def __init__(
        self,
        auth_type: str,
        data: dict[str, str | None] | None = None,
        token: str | None = None,
    ) -> None:
        self.type = auth_type
        self.parameters: dict[str, str | None] = {} if data is None else data
        self.token = token

    @classmethod
    def from_header(cls, value: str | None) -> Self | None:
        """Read a field value; None when there is none, or Basic credentials that are no UTF-8 in Base64 (RFC 7617)."""
        split = _split_credentials(value)
        if split is None:
            return None
        scheme, rest = split
        if scheme == "basic":
            try:
                decoded = base64.b64decode(rest, validate=True).decode()
            except (binascii.Error, ValueError):
                return None
            username, _, password = decoded.partition(":")
            return cls(scheme, {"username": username, "password": password})
        if _has_parameters(rest):
            return cls(scheme, parse_dict_header(rest))
        return cls(scheme, None, rest)

    def to_header(self) -> str:
        """Return the field value."""
        if self.type == "basic":
            pair = (
                f"{self.parameters.get('username') or ''}:{self.parameters.get('password') or ''}"
            )
            return f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"
        if self.token is not None:
            return f"{self.type.title()} {self.token}"
        return f"{self.type.title()} {dump_header(self.parameters)}"

    def get(self, key: str, default: str | None = None) -> str | None:
        """Return a parameter, `default` where there is none."""
        return self.parameters.get(key, default)

    def __getattr__(self, name: str) -> str | None:
        # `copy` and `pickle` ask before there are any parameters.
        if name.startswith("__") or name == "parameters":
            raise AttributeError(name)
        return self.parameters.get(name)

    def __getitem__(self, name: str) -> str | None:
        return self.parameters.get(name)

    def __contains__(self, key: object) -> bool:
        return key in self.parameters

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Authorization):
            return NotImplemented
        return (self.type, self.token, self.parameters) == (
            other.type,
            other.token,
            other.parameters,
        )

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.type}>"


class WWWAuthenticate:
    """A challenge to a client that lacks credentials (RFC 9110 §11.6.1; Werkzeug: ``WWWAuthenticate``).

    Parameters can be read, set and deleted as attributes and items: ``challenge.realm = "staff"``.
    """

    _type: str
    _parameters: CallbackDict[str, str | None]
    _token: str | None
    _on_update: Callable[[Any], object] | None

    def __init__(
        self,
        auth_type: str,
        values: Mapping[str, str | None] | None = None,
        token: str | None = None,
    ) -> None:
        # Through object: __setattr__ is for parameters.
        set_own = super().__setattr__
        set_own("_on_update", None)
        set_own("_type", fold_case(auth_type))
        set_own("_token", token)
        set_own("_parameters", CallbackDict(values or {}, lambda _: self._updated()))

    @classmethod
    def from_header(cls, value: str | None) -> Self | None:
        """Read a field value of one challenge; None when there is none."""
        split = _split_credentials(value)
        if split is None:
            return None
        scheme, rest = split
        if _has_parameters(rest):
            return cls(scheme, parse_dict_header(rest))
        return cls(scheme, None, rest)

    def on_update(self, callback: Callable[[Any], object] | None) -> None:
        """Have ``callback(challenge)`` called after each change."""
        super().__setattr__("_on_update", callback)

    def _updated(self) -> None:
        if self._on_update is not None:
            self._on_update(self)

    @property
    def type(self) -> str:
        """The scheme in lower case, such as ``basic``, ``digest`` or ``bearer``."""
        return self._type

    @type.setter
    def type(self, value: str) -> None:
        super().__setattr__("_type", fold_case(value))
        self._updated()

    @property
    def parameters(self) -> CallbackDict[str, str | None]:
        """The parameters; of these and `token` a scheme has only one."""
        return self._parameters

    @parameters.setter
    def parameters(self, value: Mapping[str, str | None]) -> None:
        super().__setattr__("_parameters", CallbackDict(value, lambda _: self._updated()))
        self._updated()

    @property
    def token(self) -> str | None:
        """The token of a scheme that has one instead of parameters."""
        return self._token

    @token.setter
    def token(self, value: str | None) -> None:
        super().__setattr__("_token", value)
        self._updated()

    def to_header(self) -> str:
        """Return the field value."""
        scheme = self.type.title()
        if self.token is not None:
            return f"{scheme} {self.token}"
        parts = [
            name
            if value is None
            else f"{name}={quote_header_value(value, allow_token=name not in _ALWAYS_QUOTED)}"
            for name, value in self.parameters.items()
        ]
        return f"{scheme} {', '.join(parts)}" if parts else scheme

    def get(self, key: str, default: str | None = None) -> str | None:
        """Return a parameter, `default` where there is none."""
        return self.parameters.get(key, default)

    def __getitem__(self, key: str) -> str | None:
        return self.parameters.get(key)

    def __setitem__(self, key: str, value: str | None) -> None:
        if value is None:
            self.parameters.pop(key, None)
        else:
            self.parameters[key] = value

    def __delitem__(self, key: str) -> None:
        self.parameters.pop(key, None)

    def __contains__(self, key: object) -> bool:
        return key in self.parameters

    def __getattr__(self, name: str) -> str | None:
        # `copy` and `pickle` ask before there are any parameters.
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in {"type", "parameters", "token"}:
            super().__setattr__(name, value)
        else:
            self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WWWAuthenticate):
            return NotImplemented
        return (self.type, self.token, self.parameters) == (
            other.type,
            other.token,
            other.parameters,
        )

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"
