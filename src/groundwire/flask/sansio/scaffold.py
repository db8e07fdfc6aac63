"""`flask.sansio.scaffold`: what applications and blueprints have in common."""

from jinja2 import BaseLoader as BaseLoader
from jinja2 import FileSystemLoader as FileSystemLoader

from ...app.scaffold import Scaffold as Scaffold
from ...app.scaffold import find_package as find_package
from ...app.scaffold import setup_method
from ...werkzeug.exceptions import HTTPException as HTTPException
from ...werkzeug.exceptions import default_exceptions as default_exceptions
from ...werkzeug.utils import cached_property as cached_property
from ..helpers import get_root_path as get_root_path

setupmethod = setup_method
