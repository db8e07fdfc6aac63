"""`flask.sansio.blueprints`: blueprints, under the names that Quart shares."""

from ...app.blueprints import Blueprint as Blueprint
from ...app.blueprints import BlueprintSetupState as BlueprintSetupState
from ...app.blueprints import Deferred

DeferredSetupFunction = Deferred
