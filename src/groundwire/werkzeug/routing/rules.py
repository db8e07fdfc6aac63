"""The names of ``werkzeug.routing.rules``."""

from ...app.routing import EndpointPrefix as EndpointPrefix
from ...app.routing import Rule as Rule
from ...app.routing import RuleFactory as RuleFactory
from ...app.routing import RuleTemplate as RuleTemplate
from ...app.routing import RuleTemplateFactory as RuleTemplateFactory
from ...app.routing import Subdomain as Subdomain
from ...app.routing import Submount as Submount
from ...app.routing import parse_converter_args as parse_converter_args
