"""Run a command as it would run elsewhere: as an ordinary user, as root of a container, or without a layer.

    python tests/support/levels.py LEVEL FOLDER COMMAND...

FOLDER is where the command works; an ordinary user owns it from then on. No container engine is needed: what
a container takes away is taken away here by the same means of the kernel, which are capabilities, system
calls and memory. A layer is missing where the system calls that make it fail, and does nothing where they
claim success without being made. Linux on x86-64, as root.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

ORDINARY_USER = 64321
"""Not one of those that the kit gives to workers."""

_KEPT = {"chown": 0, "dac_override": 1, "fowner": 3, "fsetid": 4, "kill": 5, "setgid": 6, "setuid": 7} | {
    "setpcap": 8,
    "net_bind_service": 10,
    "net_raw": 13,
    "sys_chroot": 18,
    "mknod": 27,
    "audit_write": 29,
    "setfcap": 31,
}
"""The capabilities that Docker leaves a container: https://docs.docker.com/engine/containers/run/."""

_REFUSED = {
    "acct": 163,
    "add_key": 248,
    "adjtimex": 159,
    "bpf": 321,
    "clock_settime": 227,
    "create_module": 174,
    "delete_module": 176,
    "finit_module": 313,
    "fsconfig": 431,
    "fsmount": 432,
    "fsopen": 430,
    "fspick": 433,
    "init_module": 175,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "io_uring_setup": 425,
    "ioperm": 173,
    "iopl": 172,
    "kcmp": 312,
    "kexec_file_load": 320,
    "kexec_load": 246,
    "keyctl": 250,
    "lookup_dcookie": 212,
    "mbind": 237,
    "mount": 165,
    "mount_setattr": 442,
    "move_mount": 429,
    "move_pages": 279,
    "open_by_handle_at": 304,
    "open_tree": 428,
    "perf_event_open": 298,
    "pivot_root": 155,
    "quotactl": 179,
    "quotactl_fd": 443,
    "reboot": 169,
    "request_key": 249,
    "setdomainname": 171,
    "sethostname": 170,
    "setns": 308,
    "settimeofday": 164,
    "swapoff": 168,
    "swapon": 167,
    "syslog": 103,
    "umount2": 166,
    "unshare": 272,
    "userfaultfd": 323,
    "vhangup": 153,
}
"""The system calls that Docker's default profile refuses to a container without further capabilities."""

_LANDLOCK = {"landlock_create_ruleset": 444, "landlock_add_rule": 445, "landlock_restrict_self": 446}
_CLONE, _CLONE3 = 56, 435
_NAMESPACES = 0x7E020000
_SET_NO_NEW_PRIVS = 38
_LIBC = ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


# Seeing one's own program


def show(places: Iterable[Path]) -> None:
    """Make folders reachable for other users, in this process and its children only.

    A folder above them that only root may enter is covered by an empty one, into which they are mounted.
    """
    found = {place.resolve() for place in places}
    blocks = sorted({block for place in found for block in _blocks(place)})
    if not blocks:
        return
    _checked(_LIBC.unshare(0x00020000))
    _checked(_LIBC.mount(None, b"/", None, 1 << 14 | 1 << 18, None))
    wanted = {place: os.open(place, os.O_PATH) for place in found}
    outermost = [block for block in blocks if not set(block.parents) & set(blocks)]
    for block in outermost:
        _checked(_LIBC.mount(b"none", os.fsencode(block), b"tmpfs", 0, b"mode=755"))
    for place, descriptor in sorted(wanted.items()):
        if set(place.parents) & set(outermost) or place in outermost:
            place.mkdir(parents=True, exist_ok=True)
            source = f"/proc/self/fd/{descriptor}".encode()
            _checked(_LIBC.mount(source, os.fsencode(place), None, 1 << 12 | 1 << 14, None))


def _blocks(place: Path) -> list[Path]:
    return [above for above in place.parents if not above.stat().st_mode & 0o001]


def _require(user: int, place: Path) -> None:
    child = os.fork()
    if child == 0:
        os.setuid(user)
        os._exit(0 if os.access(place, os.R_OK | os.X_OK) else 1)
    if os.waitpid(child, 0)[1]:
        raise PermissionError(errno.EACCES, "not to be read by others", str(place))


# Levels


def ordinary_user() -> None:
    """Become a user without any privilege."""
    os.setgroups([])
    os.setresgid(ORDINARY_USER, ORDINARY_USER, ORDINARY_USER)
    os.setresuid(ORDINARY_USER, ORDINARY_USER, ORDINARY_USER)


def container() -> None:
    """Stay root, as far as a container is: few capabilities, and no system call that manages the machine."""
    _filter(_DOCKER)
    _drop_capabilities()


def old_container() -> None:
    """Be in a container whose profile does not know Landlock yet."""
    _filter([*_DOCKER, *_NO_LANDLOCK])
    _drop_capabilities()


LEVELS: dict[str, Callable[[], None]] = {
    "ordinary-user": ordinary_user,
    "container": container,
    "old-container": old_container,
}


def _drop_capabilities() -> None:
    for number in range(64):
        if number not in _KEPT.values() and _LIBC.prctl(24, number, 0, 0, 0) < 0:
            break  # the kernel knows no more
    kept = sum(1 << number for number in _KEPT.values())
    header = struct.pack("=Ii", 0x20080522, 0)
    words = struct.pack("=6I", kept, kept, 0, 0, 0, 0)
    _checked(_LIBC.capset(header, words))


class CallRule(NamedTuple):
    """A system call that is answered with an error; with the error 0 it does nothing, and says it did."""

    call: int
    error: int = errno.EPERM
    argument: int | None = None
    """Judge by this argument; otherwise the call is answered so whatever its arguments."""
    bits: int = 0xFFFFFFFF
    """Any of these bits in it, or"""
    equal: int | None = None
    """this value."""


_DOCKER = [
    *(CallRule(number) for number in _REFUSED.values()),
    CallRule(_CLONE3, errno.ENOSYS),
    CallRule(_CLONE, argument=0, bits=_NAMESPACES),
]
_NO_LANDLOCK = [CallRule(number) for number in _LANDLOCK.values()]

_MISSING = {
    "filesystem": [
        *(CallRule(number, errno.ENOSYS) for number in _LANDLOCK.values()),
        CallRule(161),
    ],  # and chroot
    "seccomp": [CallRule(317, errno.ENOSYS)],
    "uid": [CallRule(117)],  # setresuid
}
_IDLE = {
    "process": [CallRule(436, 0)],  # close_range
    "no_new_privs": [CallRule(157, 0, argument=0, equal=_SET_NO_NEW_PRIVS)],
    "rlimits": [CallRule(302, 0, argument=2), CallRule(160, 0)],  # prlimit64 with a new value, setrlimit
    "filesystem": [CallRule(_LANDLOCK["landlock_restrict_self"], 0)],
    "seccomp": [CallRule(317, 0)],
    "uid": [CallRule(117, 0)],
}
WITHOUT = {f"missing-{layer}": rules for layer, rules in _MISSING.items()} | {
    f"idle-{layer}": rules for layer, rules in _IDLE.items()
}
"""Machines on which one layer cannot be had, or does nothing."""


def _filter(rules: Iterable[CallRule]) -> None:
    """Install a filter: answer these calls, allow everything else."""
    load, if_any, if_equal, end = 0x20, 0x45, 0x15, 0x06
    allow, error = 0x7FFF0000, 0x00050000
    steps = []
    for rule in rules:
        answer = (end, 0, 0, error | rule.error)
        body = [answer]
        if rule.argument is not None:
            fits = (if_any, rule.bits) if rule.equal is None else (if_equal, rule.equal)
            body = [(load, 0, 0, 16 + 8 * rule.argument), (fits[0], 0, 1, fits[1]), answer]
        steps += [(load, 0, 0, 0), (if_equal, 0, len(body), rule.call), *body]
    steps.append((end, 0, 0, allow))
    program = b"".join(struct.pack("=HBBI", *step) for step in steps)
    words = ctypes.create_string_buffer(program)
    whole = struct.pack("=HxxxxxxQ", len(steps), ctypes.addressof(words))
    _checked(_LIBC.prctl(22, 2, whole, 0, 0))


def main() -> None:
    """Enter a level, then become the command."""
    level, folder, *command = sys.argv[1:]
    if platform.machine() != "x86_64":
        raise SystemExit("the numbers of system calls here are those of x86-64")
    checkout = Path(__file__).resolve().parents[2]
    user = ORDINARY_USER if level == "ordinary-user" else 65100
    if level == "ordinary-user":
        os.environ["HOME"] = folder
        for path in (Path(folder), *Path(folder).rglob("*")):
            os.chown(path, ORDINARY_USER, ORDINARY_USER, follow_symlinks=False)
    programs = [Path(sys.base_prefix), Path(sys.prefix), checkout]
    show([*programs, Path(folder)])
    for program in programs:
        _require(user, program)
    if level in WITHOUT:
        _filter(WITHOUT[level])
    else:
        LEVELS[level]()
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
