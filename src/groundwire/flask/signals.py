"""`flask.signals`: the signals an application sends."""

from blinker import Namespace as Namespace

from ..app.signals import appcontext_popped as appcontext_popped
from ..app.signals import appcontext_pushed as appcontext_pushed
from ..app.signals import appcontext_tearing_down as appcontext_tearing_down
from ..app.signals import before_render_template as before_render_template
from ..app.signals import got_request_exception as got_request_exception
from ..app.signals import message_flashed as message_flashed
from ..app.signals import request_finished as request_finished
from ..app.signals import request_started as request_started
from ..app.signals import request_tearing_down as request_tearing_down
from ..app.signals import signals
from ..app.signals import template_rendered as template_rendered

_signals = signals
