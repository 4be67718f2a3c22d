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
BPF_LD: Final = 0x00
BPF_ALU: Final = 0x04
BPF_JMP: Final = 0x05
BPF_RET: Final = 0x06
BPF_W: Final = 0x00
BPF_ABS: Final = 0x20
BPF_K: Final = 0x00
BPF_AND: Final = 0x50
BPF_JEQ: Final = 0x10
BPF_JGE: Final = 0x30
LOAD: Final = BPF_LD | BPF_W | BPF_ABS  # load the 32 bits at offset k
AND: Final = BPF_ALU | BPF_AND | BPF_K  # keep the bits of k
EQUAL: Final = BPF_JMP | BPF_JEQ | BPF_K  # does it equal k?
AT_LEAST: Final = BPF_JMP | BPF_JGE | BPF_K  # is it at least k, both unsigned?
RETURN: Final = BPF_RET | BPF_K  # end with the verdict k

_SOCK_FILTER: Final = struct.Struct("=HBBI")
"""``struct sock_filter``: code, jt and jf, k. The two in the middle are how far to jump on yes and on no."""
_K_OFFSET: Final = 4
"""Where k begins in it."""

# What a filter sees of a call, ``struct seccomp_data`` of seccomp(2): 32 bits each for the call's number and
# the architecture, 64 bits for where the call came from, and six arguments of 64 bits. Instructions load 32
# bits, so an argument takes two; on these architectures, both little-endian, its low word comes first.
_NR_OFFSET: Final = 0
_ARCH_OFFSET: Final = 4
_ARGS_OFFSET: Final = 16
_WORD_BYTES: Final = 4
_ARGUMENT_BYTES: Final = 2 * _WORD_BYTES
_ALL_BITS: Final = (1 << 8 * _WORD_BYTES) - 1

# Verdicts of seccomp(2), without their prefix SECCOMP_. That for errors carries the errno in its low 16 bits.
RET_ALLOW: Final = 0x7FFF0000
RET_KILL_PROCESS: Final = 0x80000000
RET_ERRNO: Final = 0x00050000

AUDIT_ARCH: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64 of <linux/audit.h>."""
X32_SYSCALL_BIT: Final = 0x40000000
"""x32 calls say they are x86_64, and are told apart by this bit of the number alone."""

CLONE_FOR_THREADS: Final = (
    kernel.CLONE_VM
    | kernel.CLONE_FS
    | kernel.CLONE_FILES
    | kernel.CLONE_SIGHAND
    | kernel.CLONE_THREAD
    | kernel.CLONE_SYSVSEM
    | kernel.CLONE_SETTLS
    | kernel.CLONE_PARENT_SETTID
    | kernel.CLONE_CHILD_CLEARTID
    | kernel.CLONE_DETACHED
)
"""What glibc and musl pass to clone(2) to make a thread."""

OPEN_TO_WRITE: Final = kernel.O_ACCMODE | kernel.O_CREAT | kernel.O_TRUNC | kernel.O_TMPFILE_BIT
"""Flags of open(2) that need write access; their numbers are equal on both architectures."""
_FLAGS_POSITION: Final = {"open": 1, "openat": 2}
"""Which argument the flags are: ``open(path, flags, ...)``, ``openat(folder, path, flags, ...)``."""

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
    kernel.F_DUPFD,
    kernel.F_GETFD,
    kernel.F_SETFD,
    kernel.F_GETFL,
    kernel.F_SETFL,
    kernel.F_DUPFD_CLOEXEC,
)
"""Commands of fcntl(2) that copy a descriptor or see to its flags.

Others hold leases and locks, or have the kernel signal an owner (F_SETOWN), which `kill` must not do either.
"""
IOCTL_HARMLESS: Final = (
    kernel.TCGETS,
    kernel.TCGETS2,
    kernel.FIONREAD,
    kernel.FIONBIO,
    kernel.FIOCLEX,
    kernel.FIONCLEX,
)
"""Requests of ioctl(2). TIOCSTI, which types into the terminal of the person who grades, is none of them."""

_SET_MODE_FILTER: Final = 1  # the operation SECCOMP_SET_MODE_FILTER of seccomp(2)
_FILTER_FLAG_TSYNC: Final = 1  # SECCOMP_FILTER_FLAG_TSYNC: all threads, those too that torch has started
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
            struct.pack_into("=I", words, _SOCK_FILTER.size * position + _K_OFFSET, pid)
        return bytes(words)

    @functools.cached_property
    def _words(self) -> bytes:
        return b"".join(_SOCK_FILTER.pack(i.code, i.on_true, i.on_false, i.k) for i in self.instructions)

    @functools.cached_property
    def _pid_positions(self) -> tuple[int, ...]:
        return tuple(n for n, instruction in enumerate(self.instructions) if instruction.own_pid)


def _low(argument: int) -> Instruction:
    """Load the low word of an argument (0 to 5)."""
    return Instruction(LOAD, _ARGS_OFFSET + _ARGUMENT_BYTES * argument)


def _high(argument: int) -> Instruction:
    return Instruction(LOAD, _ARGS_OFFSET + _ARGUMENT_BYTES * argument + _WORD_BYTES)


def _needs(value: int, *, own_pid: bool = False) -> Instruction:
    return Instruction(EQUAL, value, 0, "deny", own_pid)


def _suffices(value: int, *, own_pid: bool = False) -> Instruction:
    return Instruction(EQUAL, value, "allow", 0, own_pid)


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
    return [*resolved, Instruction(RETURN, RET_ERRNO | errno.EPERM), Instruction(RETURN, RET_ALLOW)]


def _one_of(argument: int, values: Iterable[int]) -> list[Instruction]:
    return _block([_low(argument), *(_suffices(value) for value in values)])


def _rules(*, read_only: bool) -> dict[str, list[Instruction]]:
    """Return the block for each call that is judged by its arguments."""
    own = _needs(0, own_pid=True)
    to_itself = _block([_low(0), own._replace(on_true="allow")])
    rules = {
        # clone(flags, ...): a thread, and nothing that a thread has no need of.
        "clone": _block(
            [
                _low(0),
                Instruction(AND, _ALL_BITS & ~CLONE_FOR_THREADS),
                _needs(0),
                _low(0),
                Instruction(AND, kernel.CLONE_THREAD),
                _suffices(kernel.CLONE_THREAD),
            ]
        ),
        # Its flags lie in memory, where no filter can look; told that it does not exist, libc uses clone.
        "clone3": [Instruction(RETURN, RET_ERRNO | errno.ENOSYS)],
        # kill(pid, signal), tgkill(pid, thread, signal)
        "kill": to_itself,
        "tgkill": to_itself,
        # prlimit64(pid, resource, new, old): without a new limit, of itself, which the pid 0 means too.
        "prlimit64": _block(
            [_low(2), _needs(0), _high(2), _needs(0), _low(0), _suffices(0), _suffices(0, own_pid=True)]
        ),
        # prctl(option, ...), fcntl(descriptor, command, ...), ioctl(descriptor, request, ...)
        "prctl": _one_of(0, PRCTL_HARMLESS),
        "fcntl": _one_of(1, FCNTL_HARMLESS),
        "ioctl": _one_of(1, IOCTL_HARMLESS),
        # clock_gettime(clock, ...) and the same of clock_getres: other numbers are clocks of other processes.
        # How long the grader computes is nobody's business.
        "clock_gettime": _one_of(0, range(KERNEL_CLOCKS)),
        "clock_getres": _one_of(0, range(KERNEL_CLOCKS)),
    }
    if read_only:
        for name, position in _FLAGS_POSITION.items():
            rules[name] = _block([_low(position), Instruction(AND, OPEN_TO_WRITE), _suffices(0)])
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
        Instruction(LOAD, _ARCH_OFFSET),
        Instruction(EQUAL, AUDIT_ARCH[machine], on_true=1),  # skips the end
        Instruction(RETURN, RET_KILL_PROCESS),
        Instruction(LOAD, _NR_OFFSET),
    ]
    if machine == "x86_64":
        program += [Instruction(AT_LEAST, X32_SYSCALL_BIT, on_false=1), Instruction(RETURN, RET_KILL_PROCESS)]
    for name, rule in rules.items():
        # A rule loads its argument over the number, and always ends with a verdict.
        program += [Instruction(EQUAL, numbers[name], on_false=len(rule)), *rule]
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
    header = struct.pack("@HP", len(program) // _SOCK_FILTER.size, ctypes.addressof(lines))
    # With TSYNC the kernel may return the id of a thread that it cannot bring along, and installs nothing.
    stray = kernel.syscall(syscalls.number("seccomp"), _SET_MODE_FILTER, _FILTER_FLAG_TSYNC, header)
    if stray:
        raise OSError(errno.EBUSY, f"thread {stray} cannot be brought under the filter")
