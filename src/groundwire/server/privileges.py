"""Giving up privileges: workers run as the user an operator names, after what only root may do has been done."""

import os
from dataclasses import dataclass

from .errors import StartError


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a process is to be."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    """The supplementary groups, which root's would otherwise stay."""


def identity_of(user: str | None, group: str | None) -> Identity | None:
    """Return who is meant by names or numbers; None if nobody is, and the process stays who it is.

    Raises:
        StartError: there is no such user or group, or this process may not become it.
    """
    if user is None and group is None:
        return None
    import grp
    import pwd

    uid, gid, name = os.geteuid(), os.getegid(), None
    if user is not None:
        try:
            entry = pwd.getpwuid(int(user)) if user.isdecimal() else pwd.getpwnam(user)
            uid, gid, name = entry.pw_uid, entry.pw_gid, entry.pw_name
        except KeyError as error:
            if not user.isdecimal():
                raise StartError(
                    f"there is no user {user!r} here; make it, or name another with --user"
                ) from error
            uid = int(user)  # a container need not know a name for it
            gid = uid if group is None else gid
    if group is not None:
        try:
            gid = int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid
        except KeyError as error:
            raise StartError(
                f"there is no group {group!r} here; make it, or name another with --group"
            ) from error
    groups = tuple(os.getgrouplist(name, gid)) if name is not None else (gid,)
    if os.geteuid() != 0 and (uid, gid) != (os.geteuid(), os.getegid()):
        raise StartError(
            "only root may have workers run as another user or group; start as root, or leave --user and --group out"
        )
    return Identity(uid, gid, groups)


def become(identity: Identity | None) -> None:
    """Be somebody else from now on, without a way back.

    Raises:
        OSError: the system refuses.
        RuntimeError: there would be a way back.
    """
    if identity is None or os.geteuid() != 0:
        return
    os.setgroups(identity.groups)
    os.setgid(identity.gid)
    os.setuid(identity.uid)
    if identity.uid != 0:
        try:
            os.setuid(0)
        except PermissionError:
            return
        raise RuntimeError("privileges could not be given up: this process can be root again")
