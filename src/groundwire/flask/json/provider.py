"""`flask.json.provider`: who writes and reads an application's JSON."""

from ...app.json_provider import DefaultJSONProvider as DefaultJSONProvider
from ...app.json_provider import JSONProvider as JSONProvider
from ...app.json_provider import default
from ...werkzeug.http import http_date as http_date

_default = default
