"""`flask.config`: the configuration."""

from ..app.config import Config as Config
from ..app.config import ConfigAttribute as ConfigAttribute
