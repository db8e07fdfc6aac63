"""The names of ``werkzeug.routing.exceptions``."""

from ...app.routing import BuildError as BuildError
from ...app.routing import NoMatch as NoMatch
from ...app.routing import RequestAliasRedirect as RequestAliasRedirect
from ...app.routing import RequestPath as RequestPath
from ...app.routing import RequestRedirect as RequestRedirect
from ...app.routing import RoutingException as RoutingException
from ...app.routing import WebsocketMismatch as WebsocketMismatch
