"""The names of ``werkzeug.datastructures.file_storage``."""

from ...http.uploads import FileMultiDict as FileMultiDict
from ...http.uploads import FileStorage as FileStorage
