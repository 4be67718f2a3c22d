"""Landlock: take the file system, and TCP, away from a process, with no privilege needed.

A ruleset is built once, by the zygote; each worker only has to enter it. Everything that the running kernel
knows how to deny is denied, then reading is allowed beneath a few paths. Executing is allowed nowhere:
loading a shared library needs reading only. What Landlock does not hide is that a file of a guessed name
exists, how large it is and when it changed. See https://docs.kernel.org/userspace-api/landlock.html.
"""

from __future__ import annotations

import contextlib
import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from autograder.sandbox import kernel, syscalls

# Rights, flags and types of <linux/landlock.h>, without their prefixes LANDLOCK_ACCESS_FS_ and LANDLOCK_.
WRITE_FILE: Final = 1 << 1
READ_FILE: Final = 1 << 2
READ_DIR: Final = 1 << 3
TRUNCATE: Final = 1 << 14
CREATE_RULESET_VERSION: Final = 1 << 0  # make nothing, return the version
RULE_PATH_BENEATH: Final = 1
RESTRICT_SELF_LOG_SAME_EXEC_OFF: Final = 1 << 0
ACCESS_NET_BIND_TCP: Final = 1 << 0
ACCESS_NET_CONNECT_TCP: Final = 1 << 1
SCOPE_ABSTRACT_UNIX_SOCKET: Final = 1 << 0
SCOPE_SIGNAL: Final = 1 << 1
_TCP: Final = ACCESS_NET_BIND_TCP | ACCESS_NET_CONNECT_TCP
_SCOPES: Final = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL

_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many rights of the file system a version knows: the lowest bits."""
_NEWEST_RIGHTS: Final = 16
"""The same from version 5 on."""

# Versions that brought the masks of TCP and of scopes, and a say in what is logged.
_TCP_SINCE: Final = 4
_SCOPES_SINCE: Final = 6
_LOGS_SINCE: Final = 7

_MASK: Final = struct.Struct("=Q")
"""``struct landlock_ruleset_attr`` has one of these for file-system rights, and one of each later kind."""
_RULE: Final = struct.Struct("=Qi")
"""``struct landlock_path_beneath_attr``, packed: rights, and a descriptor of the place."""


def abi() -> int:
    """Return the kernel's Landlock version, 0 where there is none."""
    if not kernel.LINUX:
        return 0
    try:
        return kernel.syscall(syscalls.number("landlock_create_ruleset"), None, 0, CREATE_RULESET_VERSION)
    except OSError:
        return 0


def deniable_rights(version: int) -> tuple[int, int, int]:
    """Return all rights a Landlock version can deny, as bit masks: file system, TCP, scopes.

    Version 1 knows 13 file-system rights; 2 adds moving between folders, 3 truncation, 4 TCP bind and
    connect, 5 device ioctl, 6 the scopes (abstract unix sockets and signals to outside processes).
    """
    file_system = (1 << _RIGHTS.get(version, _NEWEST_RIGHTS)) - 1
    return file_system, _TCP if version >= _TCP_SINCE else 0, _SCOPES if version >= _SCOPES_SINCE else 0


def ruleset(readable: Iterable[str], *, writable_devices: Iterable[str] = ()) -> int:
    """Build a ruleset that denies everything but reading beneath some paths.

    Parameters
    ----------
    readable : iterable of str
        Files and folders; one that does not exist, or is out of this user's reach, is skipped.
    writable_devices : iterable of str
        Character devices that may be written as well, such as ``/dev/null``. Anything else is skipped.

    Returns
    -------
    int
        A descriptor for `enter`, closed on exec.

    Raises
    ------
    OSError
        The kernel has no Landlock, or refused a rule.
    """
    version = abi()
    file_system, tcp, scopes = deniable_rights(version)
    # An older kernel refuses a structure that is longer than the one it knows.
    known = 1 + (version >= _TCP_SINCE) + (version >= _SCOPES_SINCE)
    attributes = b"".join(map(_MASK.pack, (file_system, tcp, scopes)[:known]))
    rules = kernel.syscall(syscalls.number("landlock_create_ruleset"), attributes, len(attributes), 0)
    try:
        for path in readable:
            _allow(rules, path, READ_FILE | READ_DIR)
        for path in writable_devices:
            with contextlib.suppress(FileNotFoundError):
                if stat.S_ISCHR(Path(path).stat().st_mode):
                    _allow(rules, path, (READ_FILE | WRITE_FILE | TRUNCATE) & file_system)
    except OSError:
        os.close(rules)
        raise
    return rules


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return  # what this user cannot even name, a worker cannot read either
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= ~READ_DIR  # a rule for a file may not name rights of folders
        rule = _RULE.pack(rights, place)
        kernel.syscall(syscalls.number("landlock_add_rule"), rules, RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(place)


def enter(rules: int) -> None:
    """Put this process under a ruleset, for good; ``no_new_privs`` must be set.

    Raises
    ------
    OSError
        The kernel refused.
    """
    # From this version on, refusals would be written to the machine's audit log: student code could flood it.
    flags = RESTRICT_SELF_LOG_SAME_EXEC_OFF if abi() >= _LOGS_SINCE else 0
    kernel.syscall(syscalls.number("landlock_restrict_self"), rules, flags)
