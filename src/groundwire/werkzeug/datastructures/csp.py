"""The names of ``werkzeug.datastructures.csp``."""

from ...http.content_security_policy import ContentSecurityPolicy as ContentSecurityPolicy
from ...http.content_security_policy import csp_property as csp_property
