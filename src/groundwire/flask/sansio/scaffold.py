"""`flask.sansio.scaffold`: what applications and blueprints have in common."""

from ...app.scaffold import Scaffold as Scaffold
from ...app.scaffold import setup_method

setupmethod = setup_method
