"""`flask.blueprints`: blueprints, and what registering one leaves behind."""

from ..app.blueprints import Blueprint as Blueprint
from ..app.blueprints import BlueprintSetupState as BlueprintSetupState
