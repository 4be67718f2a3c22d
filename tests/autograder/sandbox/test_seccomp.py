"""The filter, run by a small BPF interpreter, so that both architectures are tested on any."""

from __future__ import annotations

import errno
import struct

import pytest

from autograder.sandbox import kernel, seccomp, syscalls

PID = 4711
EPERM = seccomp.RET_ERRNO | errno.EPERM
ENOSYS = seccomp.RET_ERRNO | errno.ENOSYS
BIG = 1 << 32


class Filter:
    """The filter of one architecture, for process 4711."""

    def __init__(self, machine: str, *, read_only: bool = False) -> None:
        self.machine = machine
        self.numbers = syscalls.numbers(machine)
        self.words = seccomp.build(machine, read_only=read_only).for_process(PID)

    def call(self, name: str, *arguments: int) -> int:
        """Return the filter's verdict on a call by name."""
        return self.judge(self.numbers[name], *arguments)

    def judge(self, number: int, *arguments: int, audit: int | None = None) -> int:
        """Return the filter's verdict on a call by number."""
        audit = seccomp.AUDIT_ARCH[self.machine] if audit is None else audit
        data = struct.pack("<IIQ6Q", number, audit, 0, *(arguments + (0,) * 6)[:6])
        return run(self.words, data)


def run(program: bytes, data: bytes) -> int:
    """Interpret a classic BPF program as the kernel would; anything it would refuse raises."""
    lines = list(struct.iter_unpack("=HBBI", program))
    position, accumulator = 0, 0
    while True:
        code, on_true, on_false, k = lines[position]
        position += 1
        if code == seccomp.RETURN:
            return k
        if code == seccomp.LOAD:
            assert k % 4 == 0
            (accumulator,) = struct.unpack_from("<I", data, k)
        elif code == seccomp.AND:
            accumulator &= k
        elif code in (seccomp.EQUAL, seccomp.AT_LEAST):
            met = accumulator == k if code == seccomp.EQUAL else accumulator >= k
            position += on_true if met else on_false
        else:
            raise AssertionError(f"unknown instruction {code:#x}")


@pytest.fixture(params=syscalls.ARCHITECTURES)
def filter(request: pytest.FixtureRequest) -> Filter:
    """Return the filter of each architecture."""
    return Filter(request.param)


def test_every_free_call_passes_whatever_its_arguments(filter: Filter) -> None:
    """The allow-list allows."""
    for name in syscalls.free(filter.machine):
        assert filter.call(name, *[0xFFFFFFFFFFFFFFFF] * 6) == seccomp.RET_ALLOW, name


def test_every_other_number_is_refused(filter: Filter) -> None:
    """No call is allowed but by name; unknown numbers, calls of the future included, get EPERM."""
    ruled = syscalls.RULED.split()[::3]
    known = {filter.numbers[name] for name in (*syscalls.free(filter.machine), *ruled)}
    for number in set(range(1024)) - known:
        assert filter.judge(number) == EPERM, number


@pytest.mark.parametrize(
    "name",
    [
        *[
            "socket",
            "execve",
            "ptrace",
            "process_vm_readv",
            "io_uring_setup",
            "memfd_create",
            "userfaultfd",
            "keyctl",
            "bpf",
        ],
        *[
            "perf_event_open",
            "unshare",
            "name_to_handle_at",
            "open_by_handle_at",
            "pidfd_open",
            "shmget",
            "capset",
        ],
        *["sched_setaffinity", "seccomp", "landlock_restrict_self"],
    ],
)
def test_ways_out_are_refused(filter: Filter, name: str) -> None:
    """What the sandbox must never allow is not on the list by mistake."""
    assert filter.call(name) == EPERM


def test_another_architecture_is_killed(filter: Filter) -> None:
    """The 32-bit entries number their calls differently: no verdict on them could be right."""
    i386, arm = 0x40000003, 0x40000028
    for audit in (i386, arm, 0):
        assert filter.judge(filter.numbers["read"], audit=audit) == seccomp.RET_KILL_PROCESS


def test_x32_calls_are_killed() -> None:
    """The x32 entry shares the architecture's name on x86_64."""
    filter = Filter("x86_64")
    assert filter.judge(seccomp.X32_SYSCALL_BIT | filter.numbers["read"]) == seccomp.RET_KILL_PROCESS
    assert filter.judge(0xFFFFFFFF) == seccomp.RET_KILL_PROCESS


GLIBC_THREAD = 0x3D0F00
MUSL_THREAD = 0x7D0F00


@pytest.mark.parametrize("flags", [GLIBC_THREAD, MUSL_THREAD, 0x10000])
def test_clone_makes_threads(filter: Filter, flags: int) -> None:
    """Threads are what correct code may start."""
    assert filter.call("clone", flags) == seccomp.RET_ALLOW


@pytest.mark.parametrize(
    "flags",
    [0, 17, 0x01200011, 0x4111, *(GLIBC_THREAD | bit for bit in (17, 0x2000, 0x20000, 0x1000, 0x800000))]
    + [GLIBC_THREAD | 1 << bit for bit in range(25, 32)]
    + [GLIBC_THREAD & ~0x10000],
)
def test_clone_makes_nothing_else(filter: Filter, flags: int) -> None:
    """No processes, no namespaces, no traced or watched children."""
    assert filter.call("clone", flags) == EPERM


def test_clone3_does_not_exist(filter: Filter) -> None:
    """Only ENOSYS makes libc fall back to clone, whose flags a filter can see."""
    assert filter.call("clone3", 0, 88) == ENOSYS


@pytest.mark.parametrize("name", ["kill", "tgkill"])
def test_signals_go_to_itself_only(filter: Filter, name: str) -> None:
    """Aborting is fine; groups, everybody and neighbors are not."""
    assert filter.call(name, PID, 6, 6) == seccomp.RET_ALLOW
    for target in (0, 1, PID - 1, PID + 1, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF, 0x100000000 - PID):
        assert filter.call(name, target, 6, 6) == EPERM


def test_limits_may_be_read_on_itself_only(filter: Filter) -> None:
    """A new limit is any pointer that is not null, in either half."""
    for pid in (0, PID):
        assert filter.call("prlimit64", pid, 7, 0, 0xDEAD) == seccomp.RET_ALLOW
    for pid, new in ((PID + 1, 0), (0, 1), (0, BIG), (0, 0xDEAD << 32), (PID, 0xBEEF)):
        assert filter.call("prlimit64", pid, 7, new, 0) == EPERM


def test_prctl_cannot_undo_confinement(filter: Filter) -> None:
    """Naming threads is harmless; dumpable, death signal, capabilities, seccomp are not."""
    for option in (kernel.PR_SET_NAME, kernel.PR_GET_NAME, kernel.PR_SET_VMA, kernel.PR_GET_DUMPABLE):
        assert filter.call("prctl", option) == seccomp.RET_ALLOW
    forbidden = {
        kernel.PR_SET_PDEATHSIG,
        kernel.PR_SET_DUMPABLE,
        kernel.PR_SET_KEEPCAPS,
        kernel.PR_SET_NO_NEW_PRIVS,
        kernel.PR_CAPBSET_DROP,
        kernel.PR_CAP_AMBIENT,
        22,  # PR_SET_SECCOMP
        28,  # PR_SET_SECUREBITS
        36,  # PR_SET_CHILD_SUBREAPER
        0x59616D61,  # PR_SET_PTRACER
    }
    for option in forbidden:
        assert filter.call("prctl", option, 1) == EPERM
    allowed = [option for option in range(256) if filter.call("prctl", option) == seccomp.RET_ALLOW]
    assert set(allowed) == set(seccomp.PRCTL_HARMLESS) - {kernel.PR_SET_VMA}


def test_clocks_of_other_processes_are_refused(filter: Filter) -> None:
    """The kernel's own clocks can be read; a negative number means a process."""
    for name in ("clock_gettime", "clock_getres"):
        assert all(filter.call(name, clock) == seccomp.RET_ALLOW for clock in range(12))
        assert filter.call(name, (~1234 << 3 | 2) & 0xFFFFFFFF) != seccomp.RET_ALLOW


def test_fcntl_cannot_send_signals_or_hold_leases(filter: Filter) -> None:
    """Duplicates and flags only: no owner, signal, lock, lease, notification, pipe size or seal."""
    allowed = [command for command in range(2048) if filter.call("fcntl", 0, command) == seccomp.RET_ALLOW]
    assert allowed == [0, 1, 2, 3, 4, 1030]


def test_ioctl_is_harmless(filter: Filter) -> None:
    """Pushing terminal input (TIOCSTI) is the way out everybody tries first."""
    tiocsti, tioclinux, fioasync = 0x5412, 0x541C, 0x5452
    for command in (tiocsti, tioclinux, fioasync):
        assert filter.call("ioctl", 1, command) == EPERM
    for command in seccomp.IOCTL_HARMLESS:
        assert filter.call("ioctl", 1, command) == seccomp.RET_ALLOW
        assert filter.call("ioctl", 1, command | BIG) == seccomp.RET_ALLOW  # the kernel looks at the low word


@pytest.mark.parametrize("machine", syscalls.ARCHITECTURES)
@pytest.mark.parametrize(
    ("flags", "verdict"),
    [
        (0, seccomp.RET_ALLOW),
        (0o2000000, seccomp.RET_ALLOW),  # close on exec
        (1, EPERM),
        (2, EPERM),
        (0o100, EPERM),  # create
        (0o1000, EPERM),  # truncate
        (0o20000000, EPERM),  # a file without a name
    ],
)
def test_read_only_filter_opens_nothing_for_writing(machine: str, flags: int, verdict: int) -> None:
    """Where no layer hides files, at least none can be written."""
    filter = Filter(machine, read_only=True)
    assert filter.call("openat", 0, 0, flags) == verdict
    if machine == "x86_64":
        assert filter.call("open", 0, flags) == verdict
    assert Filter(machine).call("openat", 0, 0, flags) == seccomp.RET_ALLOW


def test_only_the_process_number_differs(filter: Filter) -> None:
    """A prepared program serves every worker."""
    program = seccomp.build(filter.machine)
    other = program.for_process(12)
    assert len(other) == len(filter.words) == 8 * len(program.instructions)
    assert program.for_process(PID) == filter.words


def test_tables_hold_the_same_names_but_for_the_oldest() -> None:
    """A call missing from one architecture by oversight would make a grade depend on the machine."""
    x86, arm = (set(syscalls.numbers(machine)) for machine in syscalls.ARCHITECTURES)
    assert arm <= x86
    assert x86 - arm == {
        *[
            "open",
            "stat",
            "lstat",
            "access",
            "readlink",
            "getdents",
            "pipe",
            "dup2",
            "poll",
            "select",
            "epoll_create",
            "epoll_wait",
        ],
        *["pause", "alarm", "time", "getpgrp", "arch_prctl"],
    }


@pytest.mark.parametrize("machine", syscalls.ARCHITECTURES)
def test_no_number_stands_twice(machine: str) -> None:
    """Two names with one number would be a slip of the pen."""
    numbers = syscalls.numbers(machine)
    assert len(set(numbers.values())) == len(numbers)
