"""Start grader hosts and zygotes: ask a fork server of that kind for one, and see how it ends.

A command keeps its fork servers until it ends, so that the second class that it grades starts at once.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import msgpack

from autograder.engine.forkserver import LENGTH, STDERR
from autograder.errors import EngineError
from autograder.sandbox import ENVIRONMENT

_HOST_ENVIRONMENT: Final = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
}
_KEPT: Final = frozenset(
    ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT", "VIRTUAL_ENV")
)
"""Variables that Python and its libraries need. No token reaches a process that tests run in."""


class Process:
    """A process that a fork server forked.

    Attributes
    ----------
    returncode : int or None
        As that of `subprocess.Popen`: None until `wait` has seen the end. Where the fork server was killed
        nobody knows the status, and the process counts as killed too.
    """

    def __init__(self, report: int) -> None:
        self._report = report
        self._pid: int | None = None
        self.returncode: int | None = None

    @property
    def pid(self) -> int:
        """Process id; waits until the process is there.

        Raises
        ------
        EngineError
            If the fork server ended before it could fork.
        """
        if self._pid is None:
            data = os.read(self._report, LENGTH.size) if self.returncode is None else b""
            if not data:
                raise EngineError("fork server", "was killed while it started", "grade again")
            (self._pid,) = LENGTH.unpack(data)
        return self._pid

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end; return the status, or None if it is still alive after `timeout` seconds."""
        if self.returncode is not None:
            return self.returncode
        with contextlib.suppress(EngineError):
            _ = self.pid
        if not select.select([self._report], [], [], timeout)[0]:
            return None
        data = os.read(self._report, LENGTH.size)  # the status as waitpid(2) gives it, or the pipe's end
        os.close(self._report)
        if data:
            self.returncode = os.waitstatus_to_exitcode(*LENGTH.unpack(data))
        else:  # the fork server was killed, so nobody sees the end any more
            self.returncode = -signal.SIGKILL
            self._kill()
        return self.returncode

    def describe_end(self) -> str:
        """Say how it ended, which it must have."""
        status = self.returncode or 0
        return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"

    def kill(self) -> None:
        """Kill it, and wait for its end."""
        if self.returncode is None:
            self._kill()
            self.wait()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, EngineError):
            os.kill(self.pid, signal.SIGKILL)


class Launcher:
    """The way to one kind of process; its fork server starts with the first. Threads may share it.

    Parameters
    ----------
    module : str
        What the fork server runs, with `python -m`.
    flags : str
        Flags of Python.
    environment : callable
        Returns the environment of the fork server and all its children.
    """

    def __init__(self, module: str, flags: str, environment: Callable[[], Mapping[str, str]]) -> None:
        self._module = module
        self._flags = flags
        self.environment = environment
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._started_in: Mapping[str, str] | None = None
        self._preload: list[str] = []
        self._left: list[subprocess.Popen[bytes]] = []
        # One thread at a time: two would start two servers, and mix their requests.
        self._lock = threading.RLock()

    def fork(self, *descriptors: int) -> Process:
        """Have a process forked, and return at once.

        Parameters
        ----------
        *descriptors : int
            Passed to the process; still the caller's to close.
        """
        report, theirs = os.pipe()
        with self._lock:
            request = msgpack.packb({"folder": _current_folder(), "preload": self._preload})
            data = LENGTH.pack(len(request)) + request
            try:
                try:
                    self._send(data, [theirs, STDERR, *descriptors])
                except OSError:  # the fork server was killed
                    self.close()
                    self._send(data, [theirs, STDERR, *descriptors])
            finally:
                os.close(theirs)
            self._preload = []
        return Process(report)

    def control(self) -> int:
        """Return the descriptor that requests go to; starts the fork server if there is none."""
        environment = self.environment()
        with self._lock:
            if self._control is None or (self._server is not None and environment != self._started_in):
                self.close()
                self._start(environment)
            assert self._control is not None
            return self._control.fileno()

    def _start(self, environment: Mapping[str, str]) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, self._flags, "-m", self._module, str(theirs.fileno())],
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._started_in = environment

    def adopt(self, descriptor: int) -> None:
        """Send requests to a fork server that somebody else started, by its descriptor."""
        self._control = socket.socket(fileno=descriptor)

    def remember(self, names: Iterable[str]) -> None:
        """Have the fork server import modules before it forks again."""
        with self._lock:
            self._preload += names

    def leave(self) -> None:
        """Ask the fork server for nothing more: it ends once nobody else is left who may."""
        with self._lock:
            if self._control is not None:
                self._control.close()
            if self._server is not None:
                self._left.append(self._server)  # it ends by itself
            self._control = self._server = None

    def close(self) -> None:
        """End the fork server. What it has forked lives on."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def _send(self, data: bytes, descriptors: list[int]) -> None:
        self.control()
        assert self._control is not None
        sent = socket.send_fds(self._control, [data], descriptors)
        self._control.sendall(data[sent:])


def _current_folder() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return "/"


def _host_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in _KEPT} | _HOST_ENVIRONMENT


# -P, so that it is the kit that is installed even where the current folder holds another one.
HOSTS: Final = Launcher("autograder.engine.host", "-P", _host_environment)
ZYGOTES: Final = Launcher("autograder.engine.zygote", "-sP", lambda: {**ENVIRONMENT, "PYTHONHASHSEED": "0"})
"""A fixed seed of hashes gives sets of texts the same order in every worker."""

for _launcher in (HOSTS, ZYGOTES):
    atexit.register(_launcher.close)
