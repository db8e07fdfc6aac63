"""The names of ``werkzeug.datastructures.etag``."""

from ...http.etags import ETags as ETags
