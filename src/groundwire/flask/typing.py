"""`flask.typing`: names for what views and callbacks take and return."""

from ..app.callback_types import AfterRequestCallable as AfterRequestCallable
from ..app.callback_types import AppOrBlueprintKey as AppOrBlueprintKey
from ..app.callback_types import BeforeFirstRequestCallable as BeforeFirstRequestCallable
from ..app.callback_types import BeforeRequestCallable as BeforeRequestCallable
from ..app.callback_types import ErrorHandlerCallable as ErrorHandlerCallable
from ..app.callback_types import HeadersValue as HeadersValue
from ..app.callback_types import HeaderValue as HeaderValue
from ..app.callback_types import ResponseClass as ResponseClass
from ..app.callback_types import ResponseReturnValue as ResponseReturnValue
from ..app.callback_types import ResponseValue as ResponseValue
from ..app.callback_types import RouteCallable as RouteCallable
from ..app.callback_types import ShellContextProcessorCallable as ShellContextProcessorCallable
from ..app.callback_types import TeardownCallable as TeardownCallable
from ..app.callback_types import (
    TemplateContextProcessorCallable as TemplateContextProcessorCallable,
)
from ..app.callback_types import TemplateFilterCallable as TemplateFilterCallable
from ..app.callback_types import TemplateGlobalCallable as TemplateGlobalCallable
from ..app.callback_types import TemplateTestCallable as TemplateTestCallable
from ..app.callback_types import URLDefaultCallable as URLDefaultCallable
from ..app.callback_types import URLValuePreprocessorCallable as URLValuePreprocessorCallable
