"""Confine a freshly forked worker, for good.

The zygote calls `prepare` once: it builds the filter and the Landlock ruleset, which takes milliseconds. Each
worker calls `confine`, which only puts them into force and takes about a millisecond.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import stat
import sys
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from autograder.errors import SandboxError
from autograder.sandbox import credentials, kernel, landlock, limits, seccomp, syscalls
from autograder.sandbox.limits import Limits
from autograder.sandbox.plan import WRITABLE_DEVICES, SandboxPlan

ENVIRONMENT: Final = {
    "HOME": "/nonexistent",
    "LANG": "C.UTF-8",
    "LOGNAME": "student",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "MPLCONFIGDIR": "/tmp",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": "/usr/bin:/bin",
    "TORCHINDUCTOR_CACHE_DIR": "/tmp",
}
"""All that a worker's environment holds.

Matplotlib and torch will not even import without a folder for their caches, one that exists and whose mode
says writable. They get one that they then fail to write to, and live with that.
"""

STANDARD_STREAMS: Final = frozenset((0, 1, 2))
"""Descriptors of standard input, output and error, which every process expects to have."""
_LAST_DESCRIPTOR: Final = (1 << 31) - 1  # they are C ints
_FIRST_TO_KILL: Final = "1000"
"""The highest oom_score_adj: proc_pid_oom_score_adj(5)."""


@dataclass(frozen=True)
class Prepared:
    """What the zygote makes ready for its workers; the descriptors are the zygote's and stay open."""

    plan: SandboxPlan
    zygote: int
    """The process whose death ends the workers."""
    filter: seccomp.Program | None
    ruleset: int | None
    """Descriptor of the Landlock ruleset."""
    empty_root: int | None
    """Descriptor of the empty folder that becomes a worker's root."""
    null: int
    """Descriptor of ``/dev/null``."""
    bounding: tuple[int, ...]
    others: int | None
    """Tasks to expect under the workers' uid, None where there is no limit to set."""

    @property
    def descriptors(self) -> tuple[int, ...]:
        """All descriptors held here."""
        return tuple(fd for fd in (self.ruleset, self.empty_root, self.null) if fd is not None)

    def close(self) -> None:
        """Close the descriptors; no worker can be confined with this any more."""
        for descriptor in self.descriptors:
            os.close(descriptor)


def prepare(plan: SandboxPlan) -> Prepared:
    """Build, in the process that will fork the workers, all that does not depend on the worker.

    Call it from the thread that forks, after the last import: memory limits count from what is mapped.

    Raises
    ------
    SandboxError
        The kernel refused; the plan was made on another machine, or for another user.
    """
    if plan.linux != kernel.LINUX or plan.root != (kernel.LINUX and os.geteuid() == 0):
        raise SandboxError("sandbox", "the plan was made for another machine or user", "choose a plan again")
    machine = syscalls.architecture()
    try:
        return Prepared(
            plan=plan,
            zygote=os.getpid(),
            filter=_build_filter(plan, machine) if plan.seccomp and machine else None,
            ruleset=_build_ruleset(plan) if plan.filesystem == "landlock" else None,
            empty_root=_empty_folder() if plan.filesystem == "chroot" else None,
            null=os.open(os.devnull, os.O_RDWR),
            bounding=credentials.bounding_set() if plan.root else (),
            others=_others(plan),
        )
    except OSError as error:
        raise SandboxError("sandbox", f"cannot be prepared: {error}", "run `autograder probe`") from error


def _build_filter(plan: SandboxPlan, machine: str) -> seccomp.Program:
    program = seccomp.build(machine, read_only=plan.filesystem == "none")
    program.for_process(0)  # assembled now, so that workers inherit it
    return program


def _build_ruleset(plan: SandboxPlan) -> int:
    return landlock.ruleset(plan.readable, writable_devices=WRITABLE_DEVICES)


def _empty_folder() -> int:
    """Return a descriptor of a folder that is gone already: nothing can be made in it, by anyone."""
    path = Path(tempfile.mkdtemp(prefix="coursegrad-"))
    try:
        path.chmod(0o755)  # the worker's own user must be able to enter it
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    finally:
        path.rmdir()


def _others(plan: SandboxPlan) -> int | None:
    if not plan.linux or (plan.root and not plan.dedicated_uids):
        return None
    return 0 if plan.dedicated_uids else credentials.tasks_of(os.geteuid())


def confine(prepared: Prepared, budget: Limits, uid: int | None, keep_fds: Collection[int]) -> None:
    """Confine this process, for good; call it in the child right after the fork.

    Parameters
    ----------
    prepared : Prepared
        From the parent.
    budget : Limits
        What the worker may use up.
    uid : int or None
        The user to become, from `credentials.lease_uid`; None where the plan has no dedicated uids.
    keep_fds : collection of int
        Descriptors to keep: pipes and sockets, or ``/dev/null``. All others are closed; of the standard
        streams, those not named here become ``/dev/null``.

    Raises
    ------
    SandboxError
        A step failed, or a descriptor is of another kind. The process is then half confined: the caller
        must end it, and run nothing else in it.
    """
    if (uid is None) == prepared.plan.dedicated_uids:
        raise SandboxError(
            "sandbox", f"uid {uid} does not fit the plan", "lease one exactly where it has uids"
        )
    try:
        _detach(prepared, keep_fds)
        if kernel.LINUX:
            _restrict(prepared, budget, uid)
    except OSError as error:
        raise SandboxError("sandbox", f"confining failed: {error}", "run `autograder probe`") from error


def _detach(prepared: Prepared, keep_fds: Collection[int]) -> None:
    """Cut what a child inherits: session, terminal signals, environment, descriptors."""
    os.setsid()  # without a controlling terminal there is none to type into, and no Ctrl-C from it
    sys.dont_write_bytecode = True
    tempfile.tempdir = "/tmp"  # torch asks for it as it imports; looking for a writable one would fail
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    for descriptor in keep_fds:
        _check_kind(descriptor, prepared.null)
    for stream in STANDARD_STREAMS - set(keep_fds):
        os.dup2(prepared.null, stream)
    _close_others({*STANDARD_STREAMS, *keep_fds, *prepared.descriptors})


def _check_kind(descriptor: int, null: int) -> None:
    """Refuse a descriptor through which the worker could reach a file, a folder or a terminal."""
    found = os.fstat(descriptor)
    pipe_like = stat.S_ISFIFO(found.st_mode) or stat.S_ISSOCK(found.st_mode)
    if not pipe_like and not (stat.S_ISCHR(found.st_mode) and found.st_rdev == os.fstat(null).st_rdev):
        raise SandboxError(
            f"descriptor {descriptor}",
            "is neither a pipe nor a socket",
            "give the worker pipes and sockets only",
        )


def _close_others(keep: Collection[int]) -> None:
    edges = [-1, *sorted(keep), _LAST_DESCRIPTOR]
    for before, after in itertools.pairwise(edges):
        if after - before <= 1:
            continue
        try:
            kernel.syscall(syscalls.number("close_range"), before + 1, after - 1, 0)
        except (OSError, AttributeError):  # Linux before 5.9, or no Linux
            os.closerange(before + 1, min(after, os.sysconf("SC_OPEN_MAX")))


def _restrict(prepared: Prepared, budget: Limits, uid: int | None) -> None:
    """Put the layers into force: each step leaves just enough for the next one."""
    plan = prepared.plan
    with contextlib.suppress(OSError):  # when memory runs out, workers go first
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_KILL)
    # Without privileges, Landlock and seccomp demand it: nobody may confine a set-user-id program.
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    limits.apply(budget, others=prepared.others)
    if prepared.empty_root is not None:
        os.fchdir(prepared.empty_root)  # chroot(2) moves the root only; a folder outside would be a way back
        os.chroot(".")
    else:
        os.chdir("/")
    if uid is not None:
        credentials.become_user(uid, keep_search=plan.keep_search, bounding=prepared.bounding)
    else:
        credentials.drop_capabilities(prepared.bounding)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)  # no core dump, and no ptrace or /proc/PID/mem for this user
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)  # after the change of user, which clears it
    if os.getppid() != prepared.zygote:  # it died before that, so the signal will never come
        os._exit(1)
    if prepared.ruleset is not None:
        landlock.enter(prepared.ruleset)
    prepared.close()
    if prepared.filter is not None:
        seccomp.install(prepared.filter.for_process(os.getpid()))
