"""The names of ``werkzeug.routing.matcher``."""

from ...app.routing import RouteTable
from ...app.routing.matcher import State as State

StateMachineMatcher = RouteTable
