"""Resource limits of a worker: CPU time, memory, threads, descriptors; and no file may grow."""

from __future__ import annotations

import contextlib
import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from autograder.sandbox import kernel

with contextlib.suppress(ImportError):  # Windows: the package must still import there
    import resource

MEBIBYTE: Final = 1 << 20
GRACE_SECONDS: Final = 1
"""CPU seconds from SIGXCPU, which tells this end of a worker from others, to SIGKILL; the least there is."""
_LOCKED_BYTES: Final = 64 << 10
"""Memory that may be kept from being swapped out, mlock(2): for many years the kernel's own default."""
_SPARE_TASKS: Final = 2
"""A slot's next worker waits while this one runs, and the last one may not be reaped yet."""
_CROWD: Final = 2048
"""Room for what else an ordinary user starts meanwhile: the limit counts all tasks of a user together."""
_M_ARENA_MAX: Final = -8  # a parameter of mallopt(3), as in <malloc.h>


@dataclass(frozen=True)
class Limits:
    """What one worker may use up."""

    cpu_seconds: int = 10
    """CPU seconds of all its threads together, from the fork on; then SIGXCPU, and a second later SIGKILL."""
    memory_mb: int = 512
    """Mebibytes of address space beyond what the process has mapped already when it is confined."""
    threads: int = 32
    """Threads at a time. Exact under a dedicated uid only; an ordinary user's other programs count too."""
    open_files: int = 64
    """Descriptors at a time."""


def mapped_bytes() -> int:
    """Return the bytes of address space this process has mapped (VmSize)."""
    # proc_pid_statm(5): numbers of pages, the first of which is the size of the address space.
    pages = int(Path("/proc/self/statm").read_bytes().split(maxsplit=1)[0])
    return pages * resource.getpagesize()


def share_arenas() -> None:
    """Keep glibc from reserving 64 MiB of address space for every new thread.

    The address space is what the memory limit counts, so that a few threads would eat it up. Called once in
    the zygote, before it forks.
    """
    mallopt = getattr(kernel.libc(), "mallopt", None)
    if mallopt is not None:
        mallopt(ctypes.c_int(_M_ARENA_MAX), ctypes.c_int(1))  # one arena for all threads


def fixed_limits(limits: Limits) -> dict[int, int]:
    """Return the hard limits that depend neither on what is mapped nor on who else runs, by their kind."""
    return {
        resource.RLIMIT_CPU: limits.cpu_seconds + GRACE_SECONDS,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: _LOCKED_BYTES,
        resource.RLIMIT_MSGQUEUE: 0,
    }


def apply(limits: Limits, *, others: int | None) -> None:
    """Set the limits on this process, for good: soft and hard alike, but for the CPU time's two steps.

    Parameters
    ----------
    limits : Limits
        What to allow.
    others : int or None
        Tasks that run under the worker's uid anyhow: 0 for a dedicated uid. None leaves their number
        unlimited, as it is for root whatever one asks.

    Raises
    ------
    OSError
        The kernel refused.
    """
    values = fixed_limits(limits)
    values[resource.RLIMIT_AS] = mapped_bytes() + limits.memory_mb * MEBIBYTE
    if others is not None:
        crowd = _CROWD if others else _SPARE_TASKS
        values[resource.RLIMIT_NPROC] = others + limits.threads + crowd
    for kind, value in values.items():
        ceiling = resource.getrlimit(kind)[1]
        if ceiling != resource.RLIM_INFINITY:
            value = min(value, ceiling)
        # At the soft limit of CPU time the kernel sends SIGXCPU, at the hard one it kills.
        soft = value - GRACE_SECONDS if kind == resource.RLIMIT_CPU and value > GRACE_SECONDS else value
        resource.setrlimit(kind, (soft, value))
