"""Seccomp: a classic BPF program that allows a list of system calls and refuses all others.

The program is built once; only the process's own number has to be filled in before it is installed. Refused
calls fail with EPERM, which Python turns into an ordinary ``PermissionError``; calls made through another
architecture's entry (32-bit, x32) kill the process, because their numbers mean something else.
See https://docs.kernel.org/userspace-api/seccomp_filter.html.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from autograder.sandbox import kernel, syscalls

LD: Final = 0x20
AND: Final = 0x54
JEQ: Final = 0x15
JGE: Final = 0x35
RET: Final = 0x06

ALLOW: Final = 0x7FFF0000
KILL: Final = 0x80000000
ERROR: Final = 0x00050000

AUDIT: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32: Final = 0x40000000

CLONE_THREAD: Final = 0x00010000
CLONE_FOR_THREADS: Final = 0x003D0F00 | 0x00400000
"""What glibc and musl pass to make a thread: VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, TLS, TID; DETACHED."""

OPEN_TO_WRITE: Final = 0o3 | 0o100 | 0o1000 | 0o20000000
"""O_WRONLY, O_RDWR, O_CREAT, O_TRUNC and O_TMPFILE; equal on both architectures."""

PRCTL_HARMLESS: Final = (
    kernel.PR_GET_PDEATHSIG,
    kernel.PR_GET_DUMPABLE,
    kernel.PR_SET_NAME,
    kernel.PR_GET_NAME,
    kernel.PR_GET_SECCOMP,
    kernel.PR_CAPBSET_READ,
    kernel.PR_SET_TIMERSLACK,
    kernel.PR_GET_TIMERSLACK,
    kernel.PR_GET_NO_NEW_PRIVS,
    kernel.PR_SVE_GET_VL,
    kernel.PR_SET_VMA,
)
FCNTL_HARMLESS: Final = (0, 1, 2, 3, 4, 1030)
"""F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC: no owners, leases, locks or seals."""
IOCTL_HARMLESS: Final = (0x5401, 0x802C542A, 0x541B, 0x5421, 0x5451, 0x5450)
"""TCGETS, TCGETS2, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX."""

_SET_MODE_FILTER: Final = 1
_TSYNC: Final = 1
KERNEL_CLOCKS: Final = 12


class Instruction(NamedTuple):
    """One BPF instruction; a jump may name the ``allow`` or ``deny`` at the end of its block."""

    code: int
    k: int
    on_true: int | str = 0
    on_false: int | str = 0
    own_pid: bool = False
    """Whether `k` is to be replaced by the number of the process that installs the program."""


@dataclass(frozen=True)
class Program:
    """A filter for one architecture, ready but for the process number."""

    instructions: tuple[Instruction, ...]

    def for_process(self, pid: int) -> bytes:
        """Return the program as the kernel reads it (8 bytes per instruction), for one process."""
        words = bytearray(self._words)
        for position in self._pid_positions:
            struct.pack_into("=I", words, 8 * position + 4, pid)
        return bytes(words)

    @functools.cached_property
    def _words(self) -> bytes:
        return b"".join(struct.pack("=HBBI", i.code, i.on_true, i.on_false, i.k) for i in self.instructions)

    @functools.cached_property
    def _pid_positions(self) -> tuple[int, ...]:
        return tuple(n for n, instruction in enumerate(self.instructions) if instruction.own_pid)


def _low(argument: int) -> Instruction:
    """Load the low word of an argument (0 to 5)."""
    return Instruction(LD, 16 + 8 * argument)


def _high(argument: int) -> Instruction:
    return Instruction(LD, 20 + 8 * argument)


def _needs(value: int, *, own_pid: bool = False) -> Instruction:
    return Instruction(JEQ, value, 0, "deny", own_pid)


def _suffices(value: int, *, own_pid: bool = False) -> Instruction:
    return Instruction(JEQ, value, "allow", 0, own_pid)


def _block(body: Iterable[Instruction]) -> list[Instruction]:
    """Close a block with its two ends, ``deny`` reached by falling through, and resolve jumps to them."""
    lines = list(body)
    ends = {"deny": len(lines), "allow": len(lines) + 1}

    def distance(target: int | str, position: int) -> int:
        return target if isinstance(target, int) else ends[target] - position - 1

    resolved = [
        line._replace(on_true=distance(line.on_true, n), on_false=distance(line.on_false, n))
        for n, line in enumerate(lines)
    ]
    return [*resolved, Instruction(RET, ERROR | errno.EPERM), Instruction(RET, ALLOW)]


def _one_of(argument: int, values: Iterable[int]) -> list[Instruction]:
    return _block([_low(argument), *(_suffices(value) for value in values)])


def _rules(*, read_only: bool) -> dict[str, list[Instruction]]:
    """Return the block for each call that is judged by its arguments."""
    own = _needs(0, own_pid=True)
    to_itself = _block([_low(0), own._replace(on_true="allow")])
    rules = {
        "clone": _block(
            [
                _low(0),
                Instruction(AND, 0xFFFFFFFF & ~CLONE_FOR_THREADS),
                _needs(0),
                _low(0),
                Instruction(AND, CLONE_THREAD),
                _suffices(CLONE_THREAD),
            ]
        ),
        # Its flags lie in memory, where no filter can look; told that it does not exist, libc uses clone.
        "clone3": [Instruction(RET, ERROR | errno.ENOSYS)],
        "kill": to_itself,
        "tgkill": to_itself,
        "prlimit64": _block(
            [_low(2), _needs(0), _high(2), _needs(0), _low(0), _suffices(0), _suffices(0, own_pid=True)]
        ),
        "prctl": _one_of(0, PRCTL_HARMLESS),
        "fcntl": _one_of(1, FCNTL_HARMLESS),
        "ioctl": _one_of(1, IOCTL_HARMLESS),
        # Other numbers are clocks of other processes: how long the grader computes is nobody's business.
        "clock_gettime": _one_of(0, range(KERNEL_CLOCKS)),
        "clock_getres": _one_of(0, range(KERNEL_CLOCKS)),
    }
    if read_only:
        for name, flags in (("open", 1), ("openat", 2)):
            rules[name] = _block([_low(flags), Instruction(AND, OPEN_TO_WRITE), _suffices(0)])
    return rules


def build(machine: str, *, read_only: bool = False) -> Program:
    """Build the filter of an architecture.

    Parameters
    ----------
    machine : str
        ``x86_64`` or ``aarch64``.
    read_only : bool
        Refuse every opening for writing too, ``/dev/null`` included: for where Landlock does not see to it.
    """
    numbers = syscalls.numbers(machine)
    rules = {name: rule for name, rule in _rules(read_only=read_only).items() if name in numbers}
    program = [
        Instruction(LD, 4),
        Instruction(JEQ, AUDIT[machine], 1, 0),
        Instruction(RET, KILL),
        Instruction(LD, 0),
    ]
    if machine == "x86_64":
        program += [Instruction(JGE, X32, 0, 1), Instruction(RET, KILL)]
    for name, rule in rules.items():
        program += [Instruction(JEQ, numbers[name], 0, len(rule)), *rule]
    program += _block(_suffices(numbers[name]) for name in syscalls.free(machine) if name not in rules)
    return Program(tuple(program))


def install(program: bytes) -> None:
    """Put all threads of this process under a filter, for good; ``no_new_privs`` must be set.

    Raises
    ------
    OSError
        The kernel refused, or a thread could not be brought under the filter.
    """
    lines = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(lines))
    stray = kernel.syscall(syscalls.number("seccomp"), _SET_MODE_FILTER, _TSYNC, header)
    if stray:
        raise OSError(errno.EBUSY, f"thread {stray} cannot be brought under the filter")
