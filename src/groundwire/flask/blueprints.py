"""`flask.blueprints`: blueprints, and what registering one leaves behind."""

from ..app.blueprints import Blueprint as Blueprint
from ..app.blueprints import BlueprintSetupState as BlueprintSetupState
from .cli import AppGroup as AppGroup
from .globals import current_app as current_app
from .helpers import send_from_directory as send_from_directory

SansioBlueprint = Blueprint
