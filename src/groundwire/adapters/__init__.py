"""Layer 5: other people's WSGI and ASGI applications behind our server, as `Handler`s at the waist."""
