"""The names of ``werkzeug.datastructures.csp``."""

from ...http.content_security_policy import ContentSecurityPolicy as ContentSecurityPolicy
