"""`flask.templating`: Jinja's templates, rendered in an application's context."""

from jinja2 import BaseLoader as BaseLoader
from jinja2 import Environment as _BaseEnvironment
from jinja2 import Template as Template
from jinja2 import TemplateNotFound as TemplateNotFound

from ..app.template_context import default_template_ctx_processor
from ..app.template_loading import DispatchingJinjaLoader as DispatchingJinjaLoader
from ..app.templating import Environment as Environment
from ..app.templating import render_template as render_template
from ..app.templating import render_template_string as render_template_string
from ..app.templating import stream_template as stream_template
from ..app.templating import stream_template_string as stream_template_string
from .globals import current_app as current_app
from .globals import request as request
from .helpers import stream_with_context as stream_with_context
from .signals import before_render_template as before_render_template
from .signals import template_rendered as template_rendered

_default_template_ctx_processor = default_template_ctx_processor

BaseEnvironment = _BaseEnvironment
