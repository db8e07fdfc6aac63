"""Which releases' API this is: what programs are told that ask for a version."""

from typing import Final

API_VERSIONS: Final = {"flask": "3.1.3", "werkzeug": "3.1.9"}
