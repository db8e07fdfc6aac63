"""`werkzeug.middleware`: WSGI applications around WSGI applications."""
