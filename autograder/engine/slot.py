"""The grader's hold on one zygote: start it, have workers forked, see how they ended."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import msgpack

from autograder.engine.launcher import ZYGOTES
from autograder.engine.link import Link, ProxyTable
from autograder.engine.verdict import Exit
from autograder.engine.zygote import CONTROL_BYTES
from autograder.errors import EngineError
from autograder.sandbox import SandboxPlan

_START_SECONDS: Final = 120
"""What a zygote may take for an answer. The first is the slowest: some plans have it import all packages."""
_MAX_STARTS: Final = 4
"""Where zygotes are killed as often as this before they are ready, the machine has no memory for one."""
_CLOSE_SECONDS: Final = 5
"""Its socket is closed, so a zygote has nothing left to do but kill its workers."""
_CPUCLOCK_SCHED: Final = 2
"""User and system time together; a name of the kernel's <linux/posix-timers.h>."""
_CPUCLOCK_BITS: Final = 3
"""How many bits of a clock's id, the lowest, hold its kind."""
_SPARE: Final = "free some memory, or grade fewer submissions at a time with --jobs"


class ZygoteGone(EngineError):
    """A zygote ended although nobody asked it to: killed from outside, as a rule."""


@dataclass
class WorkerHandle:
    """A worker process and the connection to it. Its pid arrives only when somebody asks for it."""

    link: Link
    cpu_limit: int
    pid: int | None = None

    def cpu_seconds(self) -> float:
        """Return the CPU time used so far, read from outside; 0.0 where the platform cannot tell."""
        if self.pid is None:
            return 0.0
        try:
            return time.clock_gettime(_process_clock(self.pid))
        except OSError:
            return 0.0


class Slot:
    """One zygote, with at most one submission at a time.

    Parameters
    ----------
    plan : SandboxPlan
        The confinement of its workers.
    packages : collection of str
        Import names of the packages that student code may use.
    is_only : bool
        Whether memory counts more than the time that a fork takes.
    """

    def __init__(self, plan: SandboxPlan, packages: Collection[str] = (), *, is_only: bool = False) -> None:
        self._plan = plan
        self._packages = packages
        self._is_only = is_only
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = ZYGOTES.fork(theirs.fileno())
        self._control = ours
        self._control.settimeout(_START_SECONDS)
        self._awaited: deque[WorkerHandle] = deque()
        self._living: list[WorkerHandle] = []
        with contextlib.suppress(ZygoteGone):  # whoever waits until it is ready hears of that
            wanted = {"plan": plan.to_plain(), "packages": list(packages), "is_only": is_only}
            self._send({"op": "prepare", **wanted})

    def ready(self) -> None:
        """Wait until the zygote is ready.

        Raises
        ------
        EngineError
            If it cannot get ready.
        """
        reply = self._receive()
        if "error" in reply:
            raise EngineError("zygote", reply["error"], "run `autograder probe`")

    @property
    def pid(self) -> int:
        """Process id of the zygote."""
        return self._process.pid

    def spawn(
        self,
        references: ProxyTable,
        *,
        cpu_seconds: int,
        memory_mb: int,
        output_bytes: int,
        wall_seconds: float,
    ) -> WorkerHandle:
        """Ask for a worker and return at once; it is forked while the caller goes on."""
        near, far = socket.socketpair()
        output, worker_output = os.pipe()
        request = {"op": "spawn", "cpu_seconds": cpu_seconds, "memory_mb": memory_mb}
        with far:
            self._send(request, [far.fileno(), worker_output])
        os.close(worker_output)
        deadline = time.monotonic() + wall_seconds
        link = Link(near, output, references, deadline=deadline, output_limit=output_bytes)
        worker = WorkerHandle(link, cpu_seconds)
        self._awaited.append(worker)
        self._living.append(worker)
        return worker

    def preload(self, names: Collection[str]) -> bool:
        """Have the zygote import modules, unless it has; return whether workers from now on differ.

        Raises
        ------
        EngineError
            If the zygote is gone.
        """
        if not names:
            return False
        self._send({"op": "preload", "names": list(names)})
        while self._awaited:
            self.identify(self._awaited[0])
        return self._receive()["new"] is True

    def identify(self, worker: WorkerHandle) -> None:
        """Wait until a worker's pid is known."""
        while worker.pid is None:
            self._awaited.popleft().pid = self._receive()["pid"]

    def end(self, worker: WorkerHandle, *, look: bool) -> tuple[str, Exit | None]:
        """End a worker; return what it printed and, if `look`, how it had ended by itself."""
        self.identify(worker)
        self._living.remove(worker)
        if look:
            self._send({"op": "wait", "pid": worker.pid})
            while self._awaited:
                self.identify(self._awaited[0])
            reply = self._receive()
            return worker.link.close(), Exit(reply["signal"], reply["code"], reply["cpu_seconds"])
        self._send({"op": "reap", "pid": worker.pid})
        return worker.link.close(), None

    def end_all(self) -> None:
        """End every worker that is still there."""
        for worker in list(self._living):
            self.end(worker, look=False)

    def again(self) -> Slot:
        """Return another slot like this one, with a zygote of its own."""
        return Slot(self._plan, self._packages, is_only=self._is_only)

    def close(self) -> None:
        """End the zygote and all its workers."""
        self._control.close()
        if self._process.wait(timeout=_CLOSE_SECONDS) is None:
            self._process.kill()

    def _send(self, request: dict[str, Any], descriptors: list[int] | None = None) -> None:
        try:
            socket.send_fds(self._control, [msgpack.packb(request)], descriptors or [])
        except OSError:
            raise self._end_error() from None

    def _receive(self) -> dict[str, Any]:
        try:
            data = self._control.recv(CONTROL_BYTES)
        except TimeoutError:
            raise EngineError("zygote", f"did not answer within {_START_SECONDS} seconds", _SPARE) from None
        except OSError:
            raise self._end_error() from None
        if not data:
            raise self._end_error()
        reply: dict[str, Any] = msgpack.unpackb(data)
        return reply

    def _end_error(self) -> ZygoteGone:
        """Return the exception that says how the zygote ended."""
        self.close()
        return ZygoteGone("zygote", self._process.describe_end(), "grade again; finished results are kept")


def ready(slot: Slot) -> Slot:
    """Wait until a slot is ready; one whose zygote is killed meanwhile is replaced.

    Returns
    -------
    Slot
        The slot, or the one that replaces it.

    Raises
    ------
    EngineError
        The zygote cannot get ready, or was killed several times in a row.
    """
    for started in range(1, _MAX_STARTS + 1):
        try:
            slot.ready()
            return slot
        except ZygoteGone as error:
            slot.close()
            if started == _MAX_STARTS:
                found = f"{error.found} while it started, {started} times in a row"
                raise EngineError("zygote", found, _SPARE) from None
            print(f"A zygote {error.found} while it started; another one is started.", file=sys.stderr)
            slot = slot.again()
    raise AssertionError


def _process_clock(pid: int) -> int:
    """Return the clock id of another process's CPU time, as `clock_getcpuclockid(3)` does.

    The kernel reads such an id as the pid with all bits turned over, then the bits for the kind of clock.
    """
    return (~pid << _CPUCLOCK_BITS) | _CPUCLOCK_SCHED
