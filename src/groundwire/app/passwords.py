"""Hashes of passwords, in the one format that Flask programs keep in their databases: ``method$salt$hash``."""

import hashlib
import hmac
import secrets
import string
from typing import Final

SALT_CHARS: Final = string.ascii_letters + string.digits
DEFAULT_PBKDF2_ITERATIONS: Final = 1_000_000
DEFAULT_SCRYPT: Final = (2**15, 8, 1)


def gen_salt(length: int) -> str:
    """Return `length` letters and digits that nobody can guess.

    Raises:
        ValueError: `length` is not positive.
    """
    if length <= 0:
        raise ValueError(f"Salt length must be at least 1, not {length}.")
    return "".join(secrets.choice(SALT_CHARS) for _ in range(length))


def generate_password_hash(password: str, method: str = "scrypt", salt_length: int = 16) -> str:
    """Return what to keep of a password: enough to recognise it, too little to find it.

    It takes some 50 ms and 32 MiB of memory, which is what makes guessing costly.

    Args:
        password: the password.
        method: ``scrypt``, ``scrypt:n:r:p``, ``pbkdf2``, ``pbkdf2:hash`` or ``pbkdf2:hash:iterations``.
        salt_length: how many characters of chance go with it.

    Raises:
        ValueError: there is no such method, or it does not take these arguments.

    (Werkzeug: ``werkzeug.security.generate_password_hash``.)
    """
    salt = gen_salt(salt_length)
    digest, full_method = _hash_password(method, salt, password)
    return f"{full_method}${salt}${digest}"


def check_password_hash(pwhash: str, password: str) -> bool:
    """Return whether `pwhash` was made from `password`; False as well for what is not such a hash at all.

    Raises:
        ValueError: it has the form of one, by a method that is not known.

    (Werkzeug: ``werkzeug.security.check_password_hash``.)
    """
    method, dollar, rest = pwhash.partition("$")
    salt, second_dollar, digest = rest.partition("$")
    if not dollar or not second_dollar:
        return False
    return hmac.compare_digest(_hash_password(method, salt, password)[0].encode(), digest.encode())


def _hash_password(method: str, salt: str, password: str) -> tuple[str, str]:
    """Return the hash in hexadecimal, and `method` with all its arguments."""
    name, *arguments = method.split(":")
    if name == "scrypt":
        return _scrypt(arguments, salt.encode(), password.encode())
    if name == "pbkdf2":
        return _pbkdf2(arguments, salt.encode(), password.encode())
    raise ValueError(f"Invalid hash method {name!r}: there are scrypt and pbkdf2.")


def _scrypt(arguments: list[str], salt: bytes, password: bytes) -> tuple[str, str]:
    if arguments and len(arguments) != 3:
        raise ValueError(f"'scrypt' takes 3 arguments, n, r and p, not {len(arguments)}.")
    try:
        n, r, p = map(int, arguments) if arguments else DEFAULT_SCRYPT
    except ValueError:
        raise ValueError(f"'scrypt' takes 3 arguments, all numbers, not {arguments}.") from None
    # RFC 7914 §2 asks for 128·n·r octets; OpenSSL counts a few more that depend on p.
    memory = 132 * n * r * p
    digest = hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=memory)
    return digest.hex(), f"scrypt:{n}:{r}:{p}"


def _pbkdf2(arguments: list[str], salt: bytes, password: bytes) -> tuple[str, str]:
    if len(arguments) > 2:
        raise ValueError(
            f"'pbkdf2' takes 2 arguments, the hash and the iterations, not {len(arguments)}."
        )
    hash_name = arguments[0] if arguments else "sha256"
    if hash_name not in hashlib.algorithms_available:
        raise ValueError(f"'pbkdf2' needs a hash that hashlib has, which {hash_name!r} is not.")
    iterations = int(arguments[1]) if len(arguments) == 2 else DEFAULT_PBKDF2_ITERATIONS
    digest = hashlib.pbkdf2_hmac(hash_name, password, salt, iterations)
    return digest.hex(), f"pbkdf2:{hash_name}:{iterations}"
