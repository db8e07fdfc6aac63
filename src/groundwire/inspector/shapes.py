"""What a value is, as type checkers understand it too: one that came as JSON, or octets."""

from typing import Any, TypeGuard


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether it is an object, whose names are texts as JSON has it."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Tell whether it is an array."""
    return isinstance(value, list)


def is_number(value: object) -> TypeGuard[int]:
    """Tell whether it is an integer that counts something."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_pair(value: object) -> TypeGuard[list[str]]:
    """Tell whether it is an array of two texts, a name and its value."""
    return is_list(value) and len(value) == 2 and all(isinstance(each, str) for each in value)


def is_utf8(octets: bytes) -> bool:
    """Tell whether octets are text in UTF-8."""
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True
