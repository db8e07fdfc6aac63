"""`flask.sansio.blueprints`: blueprints, under the names that Quart shares."""

from ...app.blueprints import Blueprint as Blueprint
from ...app.blueprints import BlueprintSetupState as BlueprintSetupState
from ...app.blueprints import Deferred
from .scaffold import Scaffold as Scaffold
from .scaffold import setupmethod as setupmethod

DeferredSetupFunction = Deferred
