"""`flask.cli`: the command line."""
