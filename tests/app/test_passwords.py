"""Hashes of passwords go both ways between us and Werkzeug."""

import re

import pytest
from werkzeug import security as theirs

from groundwire.app.passwords import check_password_hash, gen_salt, generate_password_hash

METHODS = ["scrypt:1024:8:1", "pbkdf2:sha256:100", "pbkdf2:sha512:100"]


@pytest.mark.parametrize("method", METHODS)
def test_hashes_are_read_on_both_sides(method: str) -> None:
    ours = generate_password_hash("sésame", method)

    assert re.fullmatch(rf"{method}\$[A-Za-z0-9]{{16}}\$[0-9a-f]+", ours)
    assert theirs.check_password_hash(ours, "sésame")
    assert not theirs.check_password_hash(ours, "sesame")
    assert check_password_hash(theirs.generate_password_hash("sésame", method), "sésame")
    assert not check_password_hash(theirs.generate_password_hash("sésame", method), "sesame")


def test_the_usual_method_is_scrypt_with_werkzeugs_cost() -> None:
    made = generate_password_hash("x")

    assert made.startswith("scrypt:32768:8:1$")
    assert check_password_hash(made, "x")


def test_pbkdf2_has_werkzeugs_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[object, ...]] = []
    monkeypatch.setattr("hashlib.pbkdf2_hmac", lambda *a: calls.append(a) or b"\1")

    assert generate_password_hash("x", "pbkdf2").startswith("pbkdf2:sha256:1000000$")
    assert generate_password_hash("x", "pbkdf2:sha1").endswith("$01")
    assert [("sha256", 10**6), ("sha1", 10**6)] == [(call[0], call[3]) for call in calls]


def test_no_two_hashes_are_alike() -> None:
    assert generate_password_hash("x", METHODS[0]) != generate_password_hash("x", METHODS[0])


@pytest.mark.parametrize("salt_length", [1, 40])
def test_the_salt_is_as_long_as_asked_for(salt_length: int) -> None:
    salt = generate_password_hash("x", METHODS[0], salt_length).split("$")[1]

    assert salt_length == len(salt)


@pytest.mark.parametrize("text", ["", "scrypt", "scrypt:1024:8:1$salt", "plain text"])
def test_what_is_no_hash_matches_no_password(text: str) -> None:
    assert not check_password_hash(text, "x")


def test_a_hash_with_letters_beyond_ascii_matches_no_password() -> None:
    assert not check_password_hash("scrypt:1024:8:1$salt$é", "x")


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("md5", "Invalid hash method"),
        ("scrypt:1", "'scrypt' takes 3 arguments"),
        ("scrypt:1:2:x", "'scrypt' takes 3 arguments"),
        ("pbkdf2:sha256:1:2", "'pbkdf2' takes 2 arguments"),
        ("pbkdf2:nosuch:1", "nosuch"),
    ],
)
def test_unknown_methods_are_refused(method: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        generate_password_hash("x", method)
    with pytest.raises(ValueError, match=message):
        check_password_hash(f"{method}$salt$00", "x")


def test_salt_is_of_letters_and_digits_and_not_empty() -> None:
    assert re.fullmatch("[A-Za-z0-9]{12}", gen_salt(12))
    with pytest.raises(ValueError, match="Salt length must be at least 1"):
        gen_salt(0)
