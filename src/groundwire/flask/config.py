"""`flask.config`: the configuration."""

from ..app.config import Config as Config
from ..app.config import ConfigAttribute as ConfigAttribute
from ..werkzeug.utils import import_string as import_string
