"""The names of ``werkzeug.routing.converters``."""

from ...app.routing import DEFAULT_CONVERTERS as DEFAULT_CONVERTERS
from ...app.routing import AnyConverter as AnyConverter
from ...app.routing import BaseConverter as BaseConverter
from ...app.routing import FloatConverter as FloatConverter
from ...app.routing import IntegerConverter as IntegerConverter
from ...app.routing import NumberConverter as NumberConverter
from ...app.routing import PathConverter as PathConverter
from ...app.routing import UnicodeConverter as UnicodeConverter
from ...app.routing import UUIDConverter as UUIDConverter
from ...app.routing import ValidationError as ValidationError
