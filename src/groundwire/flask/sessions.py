"""`flask.sessions`: what remembers a client from one request to the next."""
