"""`flask.debughelpers`: what is explained in debug mode."""
