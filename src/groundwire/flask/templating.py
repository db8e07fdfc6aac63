"""`flask.templating`: Jinja's templates, rendered in an application's context."""

from ..app.templating import AppLoader, default_context
from ..app.templating import render_template as render_template
from ..app.templating import render_template_string as render_template_string

DispatchingJinjaLoader = AppLoader
_default_template_ctx_processor = default_context
