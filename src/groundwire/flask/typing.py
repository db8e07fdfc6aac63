"""`flask.typing`: names for what views and callbacks take and return."""
