"""`flask.sessions`: what remembers a client from one request to the next."""

from itsdangerous import BadSignature as BadSignature
from itsdangerous import URLSafeTimedSerializer as URLSafeTimedSerializer

from ..app.sessions import NullSession as NullSession
from ..app.sessions import SecureCookieSession as SecureCookieSession
from ..app.sessions import SecureCookieSessionInterface as SecureCookieSessionInterface
from ..app.sessions import SessionInterface as SessionInterface
from ..app.sessions import SessionMixin as SessionMixin
from ..app.sessions import session_json_serializer as session_json_serializer
from ..werkzeug.datastructures import CallbackDict as CallbackDict
from .json.tag import TaggedJSONSerializer as TaggedJSONSerializer
