"""The names of ``werkzeug.wsgi``."""

from ..http.environ import ClosingIterator as ClosingIterator
from ..http.environ import run_wsgi_app as run_wsgi_app
from ..http.environ import url_of_environ as url_of_environ
from ..http.urls import get_host as get_host
