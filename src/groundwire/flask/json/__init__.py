"""`flask.json`: JSON by the current application's provider."""

from ...app.json import dump as dump
from ...app.json import dumps as dumps
from ...app.json import jsonify as jsonify
from ...app.json import load as load
from ...app.json import loads as loads
from ..globals import current_app as current_app
