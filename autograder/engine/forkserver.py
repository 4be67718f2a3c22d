"""The fork server: a process that has imported the modules its children need, and forks them on request.

Importing PyTorch takes a second, forking a process that has it takes a few milliseconds. `launcher` is the
other end. There are two kinds, and no process is ever forked from one of the other kind: the servers of
grader hosts, and those of zygotes, which hold nothing that a worker must not see. The standard library's
`multiprocessing` has one fork server per process, not two, and tells children what to do by pickles.

A request is a msgpack map after its length, with descriptors: where to report the child's pid and how it
ended, its standard error, and the child's own.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import itertools
import os
import select
import signal
import socket
import struct
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any, Final

import msgpack

LENGTH: Final = struct.Struct("<I")
"""Before each request, and the form of both numbers of a report."""
STDERR: Final = 2
MOST_DESCRIPTORS: Final = 4
"""Of a request: the report, the standard error, and a host's two sockets. A zygote has one."""
_WAKE_BYTES: Final = 1 << 12
"""Python writes one for each signal; what is not read now wakes the server once more, and does no harm."""
_BEYOND: Final = 1 << 10
"""How far beyond its own descriptors those of the server may lie that a child closes."""

Child = Callable[[list[int]], None]
"""What a child does with its descriptors; it ends with that."""


class ForkServer:
    """Serve the requests that arrive at a stream socket until the other ends are closed.

    Parameters
    ----------
    control : socket.socket
        Where requests arrive.
    child : callable
        What each child does.
    """

    def __init__(self, control: socket.socket, child: Child) -> None:
        self._control = control
        self._child = child
        self._reports: dict[int, int] = {}
        """Pid of each child to where its end is reported."""

    def run(self) -> None:
        """Serve; returns when nobody can ask for anything any more."""
        # A signal does not end `select`, which Python starts again (PEP 475); a byte to a socket does. Python
        # writes one only where a handler is set, so there is one that does nothing.
        wake, woken = socket.socketpair()
        for end in (wake, woken):
            end.setblocking(False)
        signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            ready = select.select([self._control, wake], [], [])[0]
            if wake in ready:
                with contextlib.suppress(BlockingIOError):
                    wake.recv(_WAKE_BYTES)
                self._reap()
            if self._control in ready:
                request, descriptors = self._receive()
                if request is None:
                    return
                self._fork(request, descriptors)

    def _fork(self, request: dict[str, Any], descriptors: list[int]) -> None:
        import_quietly(request["preload"])
        report, errors, *own = descriptors
        pid = os.fork()
        if not pid:
            self._become_child(request["folder"], errors, own)
        os.write(report, LENGTH.pack(pid))
        self._reports[pid] = report
        for descriptor in (errors, *own):
            os.close(descriptor)

    def _become_child(self, folder: str, errors: int, own: list[int]) -> None:
        """Cut what belongs to the server, then do what a child does."""
        status = 1
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(errors, STDERR)
            for before, after in itertools.pairwise((STDERR, *sorted(own), max(own) + _BEYOND)):
                os.closerange(before + 1, after)
            with contextlib.suppress(OSError):  # removed meanwhile: then it stays where the server is
                os.chdir(folder)
            self._child(own)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)

    def _reap(self) -> None:
        """Report how children ended; a report that nobody awaits is lost."""
        while self._reports:
            # One signal may stand for several ends. -1 is any child; the answer 0 means that none has ended.
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            report = self._reports.pop(pid)
            with contextlib.suppress(BrokenPipeError):
                os.write(report, LENGTH.pack(status))
            os.close(report)

    def _receive(self) -> tuple[dict[str, Any] | None, list[int]]:
        # The descriptors travel beside the first byte (SCM_RIGHTS of unix(7)), so they come with the length.
        data, descriptors, _, _ = socket.recv_fds(self._control, LENGTH.size, MOST_DESCRIPTORS)
        if len(data) < LENGTH.size:
            return None, []
        (length,) = LENGTH.unpack(data)
        packed = bytearray()
        while len(packed) < length:
            more = self._control.recv(length - len(packed))
            if not more:
                return None, []
            packed += more
        return msgpack.unpackb(packed), list(descriptors)


def import_quietly(names: list[str]) -> None:
    """Import modules that are there, and keep the garbage collector from looking at them ever after."""
    missing = [name for name in names if name not in sys.modules]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in missing:
            with contextlib.suppress(Exception):  # whoever wants it after all hears what is wrong with it
                importlib.import_module(name)
    if missing:
        gc.collect()
        gc.freeze()


def serve(child: Child) -> None:
    """Be a fork server at the socket whose number is the first argument, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    with contextlib.suppress(ConnectionResetError):
        ForkServer(socket.socket(fileno=int(sys.argv[1])), child).run()
    os._exit(0)
