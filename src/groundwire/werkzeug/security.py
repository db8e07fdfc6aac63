"""The names of ``werkzeug.security``."""

from ..app.passwords import DEFAULT_PBKDF2_ITERATIONS as DEFAULT_PBKDF2_ITERATIONS
from ..app.passwords import SALT_CHARS as SALT_CHARS
from ..app.passwords import check_password_hash as check_password_hash
from ..app.passwords import gen_salt as gen_salt
from ..app.passwords import generate_password_hash as generate_password_hash
from ..http.safe_join import safe_join as safe_join
