"""The credentials of a worker, as in credentials(7): its own user if the grader is root; no capabilities.

One uid per worker slot keeps the workers apart from the grader's files, from each other and from every other
user of the machine. Uids are leased with a lock file, so that two graders on a machine never share one.

One capability may stay. Where the interpreter or the packages lie beneath a folder that only its owner can
enter (pyenv beneath ``/root``, say), the new user could not import anything any more. Then, and only together
with Landlock, a worker keeps exactly CAP_DAC_READ_SEARCH: file modes no longer decide what it can read,
Landlock alone does, and that is narrower than any mode. Without Landlock the capability would open every
file on the machine, so it is never kept there.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import itertools
import os
import stat
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from autograder.errors import SandboxError
from autograder.sandbox import kernel, syscalls

with contextlib.suppress(ImportError):  # Windows: the package must still import there
    import fcntl
    import grp
    import pwd

UIDS: Final = range(65100, 65501)
"""Above UID_MAX of login.defs(5), below 65534, which is `nobody`; one that has a name is never leased."""
LEASES: Final = Path("/run/coursegrad")
CAP_DAC_READ_SEARCH: Final = 2  # a number of <linux/capability.h>; capabilities(7) explains it
_CAPABILITIES: Final = range(64)
"""All there can be: a set is 64 bits. Kernels of today know 41."""
_LINUX_CAPABILITY_VERSION_3: Final = 0x20080522  # the only one with 64 bits: capget(2)
_OURSELVES: Final = 0
_HEADER: Final = struct.pack("=Ii", _LINUX_CAPABILITY_VERSION_3, _OURSELVES)
"""``struct __user_cap_header_struct``: version, and the process that is meant."""
_SETS: Final = struct.Struct("=6I")
"""Two of ``struct __user_cap_data_struct``: effective, permitted, inheritable; low words, then high words."""
_SETS_HELD: Final = 3
_WORD_BITS: Final = 32
_LOW_WORD: Final = (1 << _WORD_BITS) - 1

_S_IFMT: Final = 0o170000  # of inode(7); Python has the mask as a function only
_KIND_AND_OTHERS: Final = _S_IFMT | stat.S_IRWXG | stat.S_IRWXO
"""The bits of a mode that tell the kind of file, and what anybody but its owner may do."""
_ENTRIES_TO_JUDGE: Final = 2000
"""Of a folder: more than a folder of packages holds, and to look at them takes hundredths of a second."""


class Lease:
    """A uid that is ours until `close`, or until this process and its children are gone."""

    def __init__(self, uid: int, lock: int) -> None:
        self.uid = uid
        self._lock = lock

    def close(self) -> None:
        """Give the uid back; closing twice does no harm."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        """Return the lease, to be closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the uid back."""
        self.close()


def lease_uid(folder: Path = LEASES) -> Lease:
    """Lease a uid that belongs to nobody and that no process uses.

    Parameters
    ----------
    folder : Path
        Where the lock files lie; made on first use, and closed to everybody else.

    Raises
    ------
    SandboxError
        The folder is not ours alone, or all uids are taken.
    """
    _own_folder(folder)
    # Containers on one machine cannot see each other's locks, so each begins at another place.
    start = zlib.crc32(f"{os.uname().nodename} {os.getpid()}".encode())
    for uid in (UIDS[(start + n) % len(UIDS)] for n in range(len(UIDS))):
        if _has_name(uid):
            continue
        lock = os.open(folder / f"{uid}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            # Children share a lock of flock(2), unlike one of fcntl(2), which is a process's own.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            continue
        if tasks_of(uid):
            os.close(lock)
            continue
        return Lease(uid, lock)
    raise SandboxError(str(folder), f"all uids from {UIDS[0]} to {UIDS[-1]} are taken", "stop other graders")


def _own_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise SandboxError(str(folder), f"cannot be made: {error.strerror}", "make it as root") from error
    if found.st_uid != os.geteuid() or found.st_mode & _KIND_AND_OTHERS != stat.S_IFDIR:
        raise SandboxError(str(folder), "does not belong to root alone", f"remove it: rm -r {folder}")


def _has_name(uid: int) -> bool:
    """Tell whether a uid, or the gid of the same number, has a name."""
    for look_up in (pwd.getpwuid, grp.getgrgid):
        try:
            look_up(uid)
        except KeyError:
            continue
        return True
    return False


def tasks_of(uid: int) -> int:
    """Return how many tasks (threads) run under a uid."""
    count = 0
    for entry in os.scandir("/proc"):
        try:
            if entry.name.isdigit() and entry.stat().st_uid == uid:
                # Threads are what the limit counts; each has an entry there: proc_pid_task(5).
                count += len(os.listdir(f"/proc/{entry.name}/task"))  # noqa: PTH208 - thousands of them
        except OSError:  # it ended while we looked
            continue
    return count


def bounding_set() -> tuple[int, ...]:
    """Return the capabilities that this process could still gain by running a program."""
    held = []
    for capability in _CAPABILITIES:
        try:
            if kernel.prctl(kernel.PR_CAPBSET_READ, capability):
                held.append(capability)
        except OSError:  # the kernel knows no more of them
            break
    return tuple(held)


def become_user(uid: int, *, keep_search: bool, bounding: Iterable[int]) -> None:
    """Turn from root into a user of its own, for good.

    Parameters
    ----------
    uid : int
        The new uid, and gid; no supplementary groups remain.
    keep_search : bool
        Keep CAP_DAC_READ_SEARCH, see the module's docstring.
    bounding : iterable of int
        The capabilities to take out of the bounding set: all that `bounding_set` returned.

    Raises
    ------
    OSError
        The kernel refused.
    """
    _empty_bounding_set(bounding)
    if keep_search:  # else the change of user clears all capabilities; this keeps the permitted ones
        kernel.prctl(kernel.PR_SET_KEEPCAPS, 1)
    os.setgroups([])  # groups first: without root's capabilities they could not be changed any more
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    _hold((CAP_DAC_READ_SEARCH,) if keep_search else ())
    kernel.prctl(kernel.PR_SET_KEEPCAPS, 0)


def drop_capabilities(bounding: Iterable[int]) -> None:
    """Give up all capabilities without a change of user, for good.

    Raises
    ------
    OSError
        The kernel refused.
    """
    _empty_bounding_set(bounding)
    _hold(())


def _empty_bounding_set(bounding: Iterable[int]) -> None:
    try:
        kernel.prctl(kernel.PR_CAP_AMBIENT, kernel.PR_CAP_AMBIENT_CLEAR_ALL)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a kernel without ambient capabilities has none to clear
            raise
    for capability in bounding:
        kernel.prctl(kernel.PR_CAPBSET_DROP, capability)


def _hold(capabilities: Iterable[int]) -> None:
    """Make these the effective and permitted capabilities, and none inheritable."""
    mask = sum(1 << capability for capability in capabilities)
    low, high = mask & _LOW_WORD, mask >> _WORD_BITS
    kernel.syscall(syscalls.number("capset"), _HEADER, _SETS.pack(low, low, 0, high, high, 0))


def held_capabilities() -> tuple[int, int, int]:
    """Return this process's effective, permitted and inheritable capabilities as bit masks."""
    data = ctypes.create_string_buffer(_SETS.size)
    kernel.syscall(syscalls.number("capget"), _HEADER, data)
    words = _SETS.unpack(data.raw)
    pairs = zip(words[:_SETS_HELD], words[_SETS_HELD:], strict=True)
    effective, permitted, inheritable = (low | high << _WORD_BITS for low, high in pairs)
    return effective, permitted, inheritable


def can_enter(paths: Iterable[str]) -> bool:
    """Tell whether this process can list every folder, and read every file, among some paths.

    Folders are judged with their entries. Missing paths do not matter.
    """
    for path in map(Path, paths):
        try:
            if path.is_dir():
                entries = [path, *itertools.islice(path.iterdir(), _ENTRIES_TO_JUDGE)]
                if not all(_open_to_us(entry) for entry in entries):
                    return False
            elif path.exists() and not os.access(path, os.R_OK):
                return False
        except PermissionError:
            return False
    return True


def _open_to_us(path: Path) -> bool:
    needed = os.R_OK | os.X_OK if path.is_dir() else os.R_OK
    return os.access(path, needed) or not path.exists()
