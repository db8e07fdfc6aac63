import os
import pwd

import pytest

from groundwire.server.errors import StartError
from groundwire.server.privileges import identity_of

IS_ROOT = os.geteuid() == 0


def test_without_a_name_nobody_is_meant() -> None:
    assert identity_of(None, None) is None


def test_who_is_here_may_stay_who_he_is() -> None:
    me = pwd.getpwuid(os.geteuid())

    identity = identity_of(me.pw_name, str(os.getegid()))

    assert identity is not None
    assert (os.geteuid(), os.getegid()) == (identity.uid, identity.gid)


@pytest.mark.parametrize(("user", "group"), [("no such user", None), (None, "no such group")])
def test_a_name_that_is_not_there_is_told(user: str | None, group: str | None) -> None:
    with pytest.raises(StartError, match=f"there is no .* '{user or group}' here"):
        identity_of(user, group)


@pytest.mark.skipif(not IS_ROOT, reason="only root may become another")
def test_a_number_needs_no_name() -> None:
    identity = identity_of("54321", None)

    assert identity is not None
    assert (54321, 54321, (54321,)) == (identity.uid, identity.gid, identity.groups)


@pytest.mark.skipif(IS_ROOT, reason="root may become another")
def test_only_root_may_become_another() -> None:
    with pytest.raises(StartError, match="only root may have workers run as another"):
        identity_of("0", None)
