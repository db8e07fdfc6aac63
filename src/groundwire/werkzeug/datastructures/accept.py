"""The names of ``werkzeug.datastructures.accept``."""

from ...http.negotiation import Accept as Accept
from ...http.negotiation import CharsetAccept as CharsetAccept
from ...http.negotiation import LanguageAccept as LanguageAccept
from ...http.negotiation import MIMEAccept as MIMEAccept
