"""The names of ``werkzeug.datastructures.file_storage``."""

from ...http.uploads import FileStorage as FileStorage
