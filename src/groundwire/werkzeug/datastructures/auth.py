"""The names of ``werkzeug.datastructures.auth``."""

from ...http.authorization import Authorization as Authorization
from ...http.authorization import WWWAuthenticate as WWWAuthenticate
