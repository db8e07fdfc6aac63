"""The names of ``werkzeug.routing.map``."""

from ...app.routing import DEFAULT_CONVERTERS as DEFAULT_CONVERTERS
from ...app.routing import Map as Map
from ...app.routing import MapAdapter as MapAdapter
