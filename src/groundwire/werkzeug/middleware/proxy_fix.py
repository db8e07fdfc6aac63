"""The names of ``werkzeug.middleware.proxy_fix``."""

from ...adapters.proxy_fix import ProxyFix as ProxyFix
