"""`werkzeug._internal`: what extensions take from it."""

from ..http.environ import decode_wsgi, encode_wsgi
from ..http.mappings import MISSING

_wsgi_decoding_dance = decode_wsgi
_wsgi_encoding_dance = encode_wsgi
_missing = MISSING
