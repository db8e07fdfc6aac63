"""The names of ``werkzeug.local``."""

from ..app.local import Local as Local
from ..app.local import LocalManager as LocalManager
from ..app.local import LocalProxy as LocalProxy
from ..app.local import LocalStack as LocalStack
from ..app.local import release_local as release_local
