"""The zygote: a process that has imported torch but no suite, and forks a confined worker on request.

`python -sP -m autograder.engine.zygote` is the fork server of zygotes. It has a minimal environment, so that
neither the environment nor the initial stack of any worker holds a token. Each zygote has a SOCK_SEQPACKET
socket to its grader; closing it ends the zygote and all its workers.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import sys
import time
import traceback
from typing import Any, Final

import msgpack

CONTROL_BYTES: Final = 1 << 18
"""Room for the longest message, a plan with all that workers may read; a longer packet would be cut."""
_DESCRIPTORS: Final = 2
"""Of a request: a worker's connection and its output."""
_STDOUT: Final = 1
_STDERR: Final = 2
_LOOK_SECONDS: Final = 0.002
"""How long to wait before looking again whether a worker has ended: about what the end of one takes."""
_END_SECONDS: Final = 0.5
"""For a worker whose connection is closed to end by itself, so that its own status is seen and not a kill."""


class Zygote:
    """Serve spawn and reap requests of one grader slot."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._dying: set[int] = set()
        self._living: set[int] = set()

    def run(self) -> None:
        """Prepare once, then serve until the grader closes the control socket."""
        request, _ = self._receive()
        if request is None:
            return
        try:
            self._prepare(request)
        except Exception as error:
            self._send({"error": str(error)})
            return
        while True:
            if self._dying:
                self._reap_dying()
            if self._dying and not select.select([self._control], [], [], _LOOK_SECONDS)[0]:
                continue
            request, descriptors = self._receive()
            if request is None:
                return
            self._serve(request, descriptors)

    def _serve(self, request: dict[str, Any], descriptors: list[int]) -> None:
        if request["op"] == "spawn":
            pid = self._spawn(request, descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            self._living.add(pid)
            self._send({"pid": pid})
        elif request["op"] == "reap":
            self._kill(request["pid"])
        elif request["op"] == "preload":
            self._send({"new": self._preload(request["names"])})
        elif request["op"] == "wait":
            self._send(self._wait(request["pid"]))

    def _prepare(self, request: dict[str, Any]) -> None:
        """Import what workers need, and make the confinement ready."""
        from autograder import sandbox
        from autograder.engine import preload

        plan = sandbox.SandboxPlan.from_plain(request["plan"])
        self._gathers = not request["is_only"]
        if plan.filesystem == "chroot":
            preload.preload_all(() if request["is_only"] else request["packages"])
            settle(gather=self._gathers)
        sandbox.share_arenas()
        self._lease = sandbox.lease_uid() if plan.dedicated_uids else None
        self._prepared = sandbox.prepare(plan)
        self._send({"ready": True})

    def _preload(self, names: list[str]) -> bool:
        """Import what the submission at hand needs, so that its workers need not, one by one."""
        from autograder.engine import preload

        new = preload.preload_more(names)
        if new:
            settle(gather=self._gathers)
        return new

    def _spawn(self, request: dict[str, Any], descriptors: list[int]) -> int:
        connection, output = descriptors
        pid = os.fork()
        if pid:
            return pid
        try:
            self._become_worker(request, connection, output)
        except BaseException:
            traceback.print_exc()
        os._exit(os.EX_SOFTWARE)

    def _become_worker(self, request: dict[str, Any], connection: int, output: int) -> None:
        from autograder import sandbox
        from autograder.engine import worker

        for stream in (_STDOUT, _STDERR):
            os.dup2(output, stream)
        limits = sandbox.Limits(cpu_seconds=request["cpu_seconds"], memory_mb=request["memory_mb"])
        uid = self._lease.uid if self._lease else None
        sandbox.confine(self._prepared, limits, uid, {_STDOUT, _STDERR, connection})
        sys.argv = ["worker"]
        gc.enable()
        worker.main(connection)

    def _kill(self, pid: int) -> None:
        if pid in self._living:
            os.kill(pid, signal.SIGKILL)
            self._living.discard(pid)
            self._dying.add(pid)

    def _reap_dying(self) -> None:
        for pid in list(self._dying):
            if os.waitpid(pid, os.WNOHANG)[0]:
                self._dying.discard(pid)

    def _wait(self, pid: int) -> dict[str, Any]:
        """Give a worker a moment to end by itself, then kill it; return how it ended."""
        if pid not in self._living:
            return {"signal": 0, "code": 0, "cpu_seconds": 0.0}
        deadline = time.monotonic() + _END_SECONDS
        found, status, usage = os.wait4(pid, os.WNOHANG)
        while not found and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
            found, status, usage = os.wait4(pid, os.WNOHANG)
        if not found:
            os.kill(pid, signal.SIGKILL)
            _, status, usage = os.wait4(pid, 0)
        self._living.discard(pid)
        code = os.waitstatus_to_exitcode(status)
        seconds = usage.ru_utime + usage.ru_stime
        return {"signal": max(0, -code), "code": max(0, code), "cpu_seconds": seconds}

    def _receive(self) -> tuple[dict[str, Any] | None, list[int]]:
        data, descriptors, _, _ = socket.recv_fds(self._control, CONTROL_BYTES, _DESCRIPTORS)
        return (msgpack.unpackb(data) if data else None), list(descriptors)

    def _send(self, reply: dict[str, Any]) -> None:
        self._control.send(msgpack.packb(reply))


def settle(*, gather: bool = True) -> None:
    """Make forks cheap after imports.

    The fork server does it for all zygotes: they share its large pages, where pages of their own would take
    140 MB each.

    Parameters
    ----------
    gather : bool
        Whether to use large pages, which take more memory and make forks faster.
    """
    from autograder.engine import pages

    gc.collect()
    gc.freeze()
    if gather:
        pages.gather()


def child(descriptors: list[int]) -> None:
    """Be a zygote at a control socket."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        Zygote(socket.socket(fileno=descriptors[0])).run()


def main() -> None:
    """Be the fork server of zygotes."""
    from autograder.engine import forkserver, preload

    preload.preload_common()
    settle()
    forkserver.serve(child)


if __name__ == "__main__":
    main()
