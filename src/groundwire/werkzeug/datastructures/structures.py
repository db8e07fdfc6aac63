"""The names of ``werkzeug.datastructures.structures``."""

from ...http.field_values import HeaderSet as HeaderSet
from ...http.mappings import CallbackDict as CallbackDict
from ...http.mappings import ImmutableDict as ImmutableDict
from ...http.mappings import ImmutableList as ImmutableList
from ...http.mappings import ImmutableTypeConversionDict as ImmutableTypeConversionDict
from ...http.mappings import TypeConversionDict as TypeConversionDict
from ...http.multidict import CombinedMultiDict as CombinedMultiDict
from ...http.multidict import ImmutableMultiDict as ImmutableMultiDict
from ...http.multidict import MultiDict as MultiDict
from ...http.multidict import iterate_pairs

iter_multi_items = iterate_pairs
