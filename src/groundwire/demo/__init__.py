"""The demo: a tweet service, a URL shortener and a static site, written as any Groundwire application is."""

from .application import create_app as create_app
from .schema import CannotOpen as CannotOpen
