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

# The instructions used here, of classic BPF: a machine with one register, the accumulator. Each code is a
# class, an operation and a mode in one number, as in <linux/bpf_common.h>; `k` is the instruction's constant.
LD: Final = 0x00 | 0x00 | 0x20  # BPF_LD | BPF_W | BPF_ABS: load the 32 bits at offset k
AND: Final = 0x04 | 0x50 | 0x00  # BPF_ALU | BPF_AND | BPF_K: keep the bits of k
JEQ: Final = 0x05 | 0x10 | 0x00  # BPF_JMP | BPF_JEQ | BPF_K: does it equal k?
JGE: Final = 0x05 | 0x30 | 0x00  # BPF_JMP | BPF_JGE | BPF_K: is it at least k, both unsigned?
RET: Final = 0x06 | 0x00  # BPF_RET | BPF_K: end with the verdict k

_INSTRUCTION: Final = struct.Struct("=HBBI")
"""``struct sock_filter``: code, distances of the jump where the answer is yes and where it is no, k."""
_K_OFFSET: Final = 4
"""Where k begins in it."""

# What a filter sees of a call, ``struct seccomp_data`` of seccomp(2): 32 bits each for the call's number and
# the architecture, 64 bits for where the call came from, and six arguments of 64 bits. Instructions load 32
# bits, so an argument takes two; on these architectures, both little-endian, its low word comes first.
_NUMBER: Final = 0
_ARCHITECTURE: Final = 4
_ARGUMENTS: Final = 16
_WORD: Final = 4
_ARGUMENT: Final = 2 * _WORD

# Verdicts, as in seccomp(2). Those for errors carry the errno in their low 16 bits.
ALLOW: Final = 0x7FFF0000  # SECCOMP_RET_ALLOW
KILL: Final = 0x80000000  # SECCOMP_RET_KILL_PROCESS
ERROR: Final = 0x00050000  # SECCOMP_RET_ERRNO

AUDIT: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64 of <linux/audit.h>."""
X32: Final = 0x40000000
"""__X32_SYSCALL_BIT: x32 calls say they are x86_64, and are told apart by this bit of the number alone."""

CLONE_THREAD: Final = 0x00010000
CLONE_FOR_THREADS: Final = (
    0x00000100  # CLONE_VM
    | 0x00000200  # CLONE_FS
    | 0x00000400  # CLONE_FILES
    | 0x00000800  # CLONE_SIGHAND
    | CLONE_THREAD
    | 0x00040000  # CLONE_SYSVSEM
    | 0x00080000  # CLONE_SETTLS
    | 0x00100000  # CLONE_PARENT_SETTID
    | 0x00200000  # CLONE_CHILD_CLEARTID
    | 0x00400000  # CLONE_DETACHED: musl passes it, Linux ignores it
)
"""What glibc and musl pass to clone(2) to make a thread."""

OPEN_TO_WRITE: Final = (
    0o3  # O_ACCMODE: O_WRONLY or O_RDWR
    | 0o100  # O_CREAT
    | 0o1000  # O_TRUNC
    | 0o20000000  # the bit of O_TMPFILE that is not O_DIRECTORY
)
"""Flags of open(2) that need write access; their numbers are equal on both architectures."""

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
FCNTL_HARMLESS: Final = (
    0,  # F_DUPFD
    1,  # F_GETFD
    2,  # F_SETFD
    3,  # F_GETFL
    4,  # F_SETFL
    1030,  # F_DUPFD_CLOEXEC
)
"""Commands of fcntl(2) that copy a descriptor or see to its flags.

Others hold leases and locks, or have the kernel signal an owner (F_SETOWN), which `kill` must not do either.
"""
IOCTL_HARMLESS: Final = (
    0x5401,  # TCGETS, by which Python's isatty asks whether a file is a terminal
    0x802C542A,  # TCGETS2, the same in newer C libraries
    0x541B,  # FIONREAD: how many bytes can be read?
    0x5421,  # FIONBIO: do not wait
    0x5451,  # FIOCLEX: close on exec
    0x5450,  # FIONCLEX
)
"""Requests of ioctl(2). TIOCSTI, which types into the terminal of the person who grades, is none of them."""

_SET_MODE_FILTER: Final = 1  # SECCOMP_SET_MODE_FILTER
_TSYNC: Final = 1  # SECCOMP_FILTER_FLAG_TSYNC: all threads, those too that torch has started
KERNEL_CLOCKS: Final = 12
"""Clocks from CLOCK_REALTIME (0) to CLOCK_TAI (11). Negative ids are clocks of processes: clock_getres(2)."""


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
            struct.pack_into("=I", words, _INSTRUCTION.size * position + _K_OFFSET, pid)
        return bytes(words)

    @functools.cached_property
    def _words(self) -> bytes:
        return b"".join(_INSTRUCTION.pack(i.code, i.on_true, i.on_false, i.k) for i in self.instructions)

    @functools.cached_property
    def _pid_positions(self) -> tuple[int, ...]:
        return tuple(n for n, instruction in enumerate(self.instructions) if instruction.own_pid)


def _low(argument: int) -> Instruction:
    """Load the low word of an argument (0 to 5)."""
    return Instruction(LD, _ARGUMENTS + _ARGUMENT * argument)


def _high(argument: int) -> Instruction:
    return Instruction(LD, _ARGUMENTS + _ARGUMENT * argument + _WORD)


def _needs(value: int, *, own_pid: bool = False) -> Instruction:
    return Instruction(JEQ, value, 0, "deny", own_pid)


def _suffices(value: int, *, own_pid: bool = False) -> Instruction:
    return Instruction(JEQ, value, "allow", 0, own_pid)


def _block(body: Iterable[Instruction]) -> list[Instruction]:
    """Close a block with its two ends, ``deny`` reached by falling through, and resolve jumps to them.

    Jumps lead forward only, and count from the instruction after them: 0 is the next one. A distance is one
    byte, which is why each block has ends of its own instead of one pair for the whole program.
    """
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
        Instruction(LD, _ARCHITECTURE),
        Instruction(JEQ, AUDIT[machine], on_true=1),  # skips the end
        Instruction(RET, KILL),
        Instruction(LD, _NUMBER),
    ]
    if machine == "x86_64":
        program += [Instruction(JGE, X32, on_false=1), Instruction(RET, KILL)]
    for name, rule in rules.items():
        # A rule loads its argument over the number, and always ends with a verdict.
        program += [Instruction(JEQ, numbers[name], on_false=len(rule)), *rule]
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
    # ``struct sock_fprog``: how many instructions, and where they are.
    header = struct.pack("@HP", len(program) // _INSTRUCTION.size, ctypes.addressof(lines))
    # With TSYNC the kernel may return the id of a thread that it cannot bring along, and installs nothing.
    stray = kernel.syscall(syscalls.number("seccomp"), _SET_MODE_FILTER, _TSYNC, header)
    if stray:
        raise OSError(errno.EBUSY, f"thread {stray} cannot be brought under the filter")
