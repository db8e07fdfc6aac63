"""The names of ``werkzeug.datastructures.headers``."""

from ...http.environ import EnvironHeaders as EnvironHeaders
from ...http.headers import Headers as Headers
