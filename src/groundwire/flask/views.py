"""`flask.views`: views that are classes."""
