"""The escapes that the probe tries in a confined child: each is a way out that some layer must close."""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import errno
import mmap
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from signal import SIGKILL
from typing import Final, Literal

from autograder.sandbox import credentials, kernel, limits
from autograder.sandbox.calls import on_calls
from autograder.sandbox.confinement import ENVIRONMENT
from autograder.sandbox.scene import Escape, Held, Scene

MARK: Final = "COURSEGRAD_PROBE"
"""An environment variable that is set before confinement and must be gone after it."""
_DESCRIPTORS_TO_TRY: Final = 256
"""More than the parent has open: descriptors are given from the lowest on."""
_MAP_NORESERVE: Final = 0x4000
"""Of mmap(2): claim addresses only. So the limit must refuse, and not a machine that is short of memory."""
_EXCESS_MB: Final = 64
"""Mebibytes beyond the limit: more than the process may have given back since the limit was set."""
_PIPE_ENDS: Final = 2
THREADS_TO_TRY: Final = 64
"""More than `probe.BUDGET` allows, with room for tasks that wait to be reaped; any machine can start them."""
_STACK_BYTES: Final = 128 << 10
"""Of a thread. With stacks of 8 MiB, the usual size, the memory limit would refuse before that of threads."""
_RELEASE_SECONDS: Final = 20
"""Threads take thousandths of one to end; where the machine is busy, waiting longer proves nothing more."""
_BYTES_TO_READ: Final = 16
"""Any number would do: that the file can be read at all is what counts."""


def all_escapes(scene: Scene) -> list[Escape]:
    """Return the escapes to try under a plan; those that might harm the child come last."""
    plan = scene.plan
    found = [*_PROCESS, *_NO_NEW_PRIVS, *_RLIMITS]
    if plan.filesystem != "none":
        found += _filesystem(scene)
    if plan.seccomp:
        found += on_calls(scene)
    if plan.dedicated_uids:
        found += [*_UID, _THREADS]
    return found


# The process itself: what it inherited.


def _inherited_descriptor(scene: Scene) -> str:
    os.fstat(scene.descriptor)
    return "it is open"


def _descriptors(scene: Scene) -> str:
    for descriptor in set(range(_DESCRIPTORS_TO_TRY)) - scene.kept:
        with contextlib.suppress(OSError):
            os.fstat(descriptor)
            return f"descriptor {descriptor} is open"
    raise Held("all closed but its own")


def _environment(scene: Scene) -> str:
    library = kernel.libc()
    library.getenv.restype = ctypes.c_char_p
    if library.getenv(MARK.encode()) is not None or dict(os.environ) != ENVIRONMENT:
        return "it holds the parent's variables"
    raise Held("it is empty but for harmless defaults")


def _outlive(scene: Scene) -> str:
    signal = ctypes.c_int()  # the answer is written here, not returned
    kernel.libc().prctl(kernel.PR_GET_PDEATHSIG, ctypes.byref(signal))
    if signal.value != SIGKILL:
        return "it would outlive its parent"
    raise Held("it is killed with its parent")


def _dumpable(scene: Scene) -> str:
    if kernel.prctl(kernel.PR_GET_DUMPABLE):
        return "it is open to other processes of its user"
    raise Held("it is closed to them")


def _session(scene: Scene) -> str:
    if os.getsid(0) != os.getpid():
        return "it shares the parent's session"
    raise Held("it has its own session")


_PROCESS: Final = [
    Escape("use an inherited descriptor", "process", _inherited_descriptor, frozenset({errno.EBADF})),
    Escape("find any other descriptor", "process", _descriptors, control="may work"),
    Escape("read the parent's environment variables", "process", _environment),
    Escape("outlive the parent", "process", _outlive),
    Escape("let other processes look inside", "process", _dumpable, control="may work"),
    Escape("reach the terminal's session", "process", _session),
]


# no_new_privs and resource limits.


def _new_privileges(scene: Scene) -> str:
    if not kernel.prctl(kernel.PR_GET_NO_NEW_PRIVS):
        return "a set-user-id program would raise its privileges"
    raise Held("no program can raise its privileges")


_NO_NEW_PRIVS: Final = [
    Escape("gain privileges by running a program", "no_new_privs", _new_privileges, control="may work"),
]


def _memory(scene: Scene) -> str:
    size = (scene.budget.memory_mb + _EXCESS_MB) * limits.MEBIBYTE
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE):
        return f"{size // limits.MEBIBYTE} MiB"


def _open_files(scene: Scene) -> str:
    copies: list[int] = []
    hear, say = os.pipe()
    try:
        for _ in range(scene.budget.open_files):
            copies.append(os.dup(hear))
    finally:
        for descriptor in (hear, say, *copies):
            os.close(descriptor)
    return f"{len(copies) + _PIPE_ENDS} descriptors"


def _raise_limit(scene: Scene) -> str:
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except ValueError as error:  # Python's word for EPERM here
        raise OSError(errno.EPERM, os.strerror(errno.EPERM)) from error
    return "memory is unlimited now"


def _limits_set(scene: Scene) -> str:
    import resource

    for kind, value in limits.fixed_limits(scene.budget).items():
        soft, hard = resource.getrlimit(kind)
        apart = limits.GRACE_SECONDS if kind == resource.RLIMIT_CPU else 0
        if soft + apart != hard or not 0 <= hard <= value:
            return f"limit {kind} is {soft}, at most {hard}"
    raise Held("all in force, soft and hard")


def _threads(scene: Scene) -> str:
    gate = threading.Lock()
    gate.acquire()
    before = _thread._count()
    threading.stack_size(_STACK_BYTES)
    started = 0
    try:
        for _ in range(THREADS_TO_TRY):
            _thread.start_new_thread(gate.__enter__, ())
            started += 1
    except RuntimeError as error:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from error
    finally:
        _release(gate, before)
    return f"{started} threads"


def _release(gate: threading.Lock, before: int) -> None:
    """Let waiting threads pass one by one, and wait until they are gone."""
    deadline = time.monotonic() + _RELEASE_SECONDS
    while _thread._count() > before and time.monotonic() < deadline:
        with contextlib.suppress(RuntimeError):
            gate.release()
        time.sleep(0)


_RLIMITS: Final = [
    Escape("allocate more memory than allowed", "rlimits", _memory, frozenset({errno.ENOMEM})),
    Escape("open more descriptors than allowed", "rlimits", _open_files, frozenset({errno.EMFILE})),
    Escape("find a limit that is not set", "rlimits", _limits_set),
    Escape("raise a limit again", "rlimits", _raise_limit, control="may work"),
]
_THREADS: Final = Escape(
    "start more threads than allowed", "rlimits", _threads, frozenset({errno.EAGAIN}), "may work"
)


# Files.


def _reads(path: Callable[[Scene], str | Path]) -> Callable[[Scene], str]:
    def run(scene: Scene) -> str:
        with open(path(scene), "rb", buffering=0) as file:  # noqa: PTH123 - takes descriptors' flags as they are
            return f"{len(file.read(_BYTES_TO_READ))} bytes"

    return run


def _list_root(scene: Scene) -> str:
    names = os.listdir("/")  # noqa: PTH208 - the plainest way
    if not names:
        raise Held("an empty folder")
    return f"{len(names)} names"


def _writes(path: Callable[[Scene], str | Path]) -> Callable[[Scene], str]:
    def run(scene: Scene) -> str:
        place = path(scene)
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        os.unlink(place)  # noqa: PTH108
        return "a file was made"

    return run


def _change_library(scene: Scene) -> str:
    os.close(os.open(os.__file__, os.O_RDWR))
    return "it can be changed"


def _parent_memory(scene: Scene) -> str:
    os.close(os.open(f"/proc/{scene.parent}/mem", os.O_RDONLY))
    return "it can be read"


def _opens(path: Path) -> Callable[[Scene], str]:
    def run(scene: Scene) -> str:
        os.close(os.open(path, os.O_RDONLY))
        return "it can be read"

    return run


def _filesystem(scene: Scene) -> list[Escape]:
    refusals = frozenset({errno.EACCES} if scene.plan.filesystem == "landlock" else {errno.ENOENT})

    def escape(
        name: str,
        run: Callable[[Scene], str],
        control: Literal["must work", "may work", "skip"] = "must work",
    ) -> Escape:
        return Escape(name, "filesystem", run, refusals, control)

    return [
        escape("read /etc/passwd", _reads(lambda _: "/etc/passwd")),
        escape("read a file outside", _reads(lambda scene: scene.outside)),
        escape("list the root folder", _list_root),
        escape("make a file beside the working folder", _writes(lambda scene: scene.beside), "may work"),
        escape("make a file where it could", _writes(lambda s: f"{s.outside}-{os.getpid()}")),
        escape("change the standard library", _change_library, "may work"),
        escape("read the parent's command line in /proc", _reads(lambda s: f"/proc/{s.parent}/cmdline")),
        escape("open the parent's memory in /proc", _parent_memory, "may work"),
        *(escape(f"read {path}", _opens(path)) for path in scene.hidden),
    ]


# The user.


def _root_again(scene: Scene) -> str:
    os.setresuid(0, 0, 0)
    return "it is root"


def _other_identity(scene: Scene) -> str:
    found = {*os.getresuid(), *os.getresgid()}
    if found != {scene.uid} or os.getgroups():
        return f"it is {sorted(found)}, groups {os.getgroups()}"
    raise Held("it is its own user, in no group")


def _capabilities(scene: Scene) -> str:
    mask = 1 << credentials.CAP_DAC_READ_SEARCH if scene.plan.keep_search else 0
    held, bounding = credentials.held_capabilities(), credentials.bounding_set()
    if held != (mask, mask, 0) or bounding:
        return f"it holds {held[0]:#x}, bounding {bounding}"
    raise Held("none but to read what Landlock shows" if mask else "none at all")


_UID: Final = [
    Escape("become root again", "uid", _root_again),
    Escape("keep a user or group of the grader", "uid", _other_identity),
    Escape("keep a capability", "uid", _capabilities),
]
