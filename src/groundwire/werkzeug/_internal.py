"""`werkzeug._internal`: what extensions take from it."""

from ..app.log import log_for_werkzeug
from ..http.environ import decode_wsgi, encode_wsgi
from ..http.mappings import MISSING

_wsgi_decoding_dance = decode_wsgi
_wsgi_encoding_dance = encode_wsgi
_log = log_for_werkzeug
_missing = MISSING
