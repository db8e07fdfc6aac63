"""The names of ``werkzeug.datastructures.mixins``."""

from ...http.headers import ImmutableHeadersMixin as ImmutableHeadersMixin
from ...http.mappings import ImmutableDictMixin as ImmutableDictMixin
from ...http.mappings import ImmutableListMixin as ImmutableListMixin
from ...http.mappings import UpdateDictMixin as UpdateDictMixin
from ...http.multidict import ImmutableMultiDictMixin as ImmutableMultiDictMixin
