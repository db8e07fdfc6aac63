"""The names of ``werkzeug.urls``."""

from ..http.urls import iri_to_uri as iri_to_uri
from ..http.urls import uri_to_iri as uri_to_iri
