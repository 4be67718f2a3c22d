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

from autograder.sandbox import kernel

CREATE_RULESET: Final = 444  # the same numbers on every architecture
ADD_RULE: Final = 445
RESTRICT_SELF: Final = 446

WRITE_FILE: Final = 1 << 1
READ_FILE: Final = 1 << 2
READ_DIR: Final = 1 << 3
TRUNCATE: Final = 1 << 14
_VERSION_QUERY: Final = 1
_BENEATH_PATH: Final = 1
_LOG_NOTHING: Final = 1


def abi() -> int:
    """Return the kernel's Landlock version, 0 where there is none."""
    if not kernel.LINUX:
        return 0
    try:
        return kernel.syscall(CREATE_RULESET, None, 0, _VERSION_QUERY)
    except OSError:
        return 0


def handled(version: int) -> tuple[int, int, int]:
    """Return all rights a Landlock version can deny, as bit masks: file system, TCP, scopes.

    Version 1 knows 13 file-system rights; 2 adds moving between folders, 3 truncation, 4 TCP bind and
    connect, 5 device ioctl, 6 the scopes (abstract unix sockets and signals to outside processes).
    """
    rights = {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)
    return (1 << rights) - 1, 3 if version >= 4 else 0, 3 if version >= 6 else 0


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
    file_system, tcp, scopes = handled(version)
    size = 8 if version < 4 else 16 if version < 6 else 24
    attributes = struct.pack("=QQQ", file_system, tcp, scopes)[:size]
    rules = kernel.syscall(CREATE_RULESET, attributes, size, 0)
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
            rights &= ~READ_DIR
        kernel.syscall(ADD_RULE, rules, _BENEATH_PATH, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)


def enter(rules: int) -> None:
    """Put this process under a ruleset, for good; ``no_new_privs`` must be set.

    Raises
    ------
    OSError
        The kernel refused.
    """
    # From version 7 on, refusals would be written to the machine's audit log: student code could flood it.
    kernel.syscall(RESTRICT_SELF, rules, _LOG_NOTHING if abi() >= 7 else 0)
