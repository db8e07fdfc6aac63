"""The names of ``werkzeug.exceptions``."""

from ..http.errors import Aborter as Aborter
from ..http.errors import BadGateway as BadGateway
from ..http.errors import BadHost as BadHost
from ..http.errors import BadRequest as BadRequest
from ..http.errors import BadRequestKeyError as BadRequestKeyError
from ..http.errors import ClientDisconnected as ClientDisconnected
from ..http.errors import Conflict as Conflict
from ..http.errors import ExpectationFailed as ExpectationFailed
from ..http.errors import FailedDependency as FailedDependency
from ..http.errors import Forbidden as Forbidden
from ..http.errors import GatewayTimeout as GatewayTimeout
from ..http.errors import Gone as Gone
from ..http.errors import HTTPException as HTTPException
from ..http.errors import HTTPVersionNotSupported as HTTPVersionNotSupported
from ..http.errors import ImATeapot as ImATeapot
from ..http.errors import InternalServerError as InternalServerError
from ..http.errors import LengthRequired as LengthRequired
from ..http.errors import Locked as Locked
from ..http.errors import MethodNotAllowed as MethodNotAllowed
from ..http.errors import MisdirectedRequest as MisdirectedRequest
from ..http.errors import NotAcceptable as NotAcceptable
from ..http.errors import NotFound as NotFound
from ..http.errors import NotImplemented as NotImplemented  # noqa: A004
from ..http.errors import PreconditionFailed as PreconditionFailed
from ..http.errors import PreconditionRequired as PreconditionRequired
from ..http.errors import RequestedRangeNotSatisfiable as RequestedRangeNotSatisfiable
from ..http.errors import RequestEntityTooLarge as RequestEntityTooLarge
from ..http.errors import RequestHeaderFieldsTooLarge as RequestHeaderFieldsTooLarge
from ..http.errors import RequestTimeout as RequestTimeout
from ..http.errors import RequestURITooLarge as RequestURITooLarge
from ..http.errors import RetryLater
from ..http.errors import SecurityError as SecurityError
from ..http.errors import ServiceUnavailable as ServiceUnavailable
from ..http.errors import TooManyRequests as TooManyRequests
from ..http.errors import Unauthorized as Unauthorized
from ..http.errors import UnavailableForLegalReasons as UnavailableForLegalReasons
from ..http.errors import UnprocessableEntity as UnprocessableEntity
from ..http.errors import UnsupportedMediaType as UnsupportedMediaType
from ..http.errors import abort as abort
from ..http.errors import default_exceptions as default_exceptions

_RetryAfter = RetryLater
