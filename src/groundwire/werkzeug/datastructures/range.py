"""The names of ``werkzeug.datastructures.range``."""

from ...http.ranges import ContentRange as ContentRange
from ...http.ranges import IfRange as IfRange
from ...http.ranges import Range as Range
