"""Run a task in a forked child, which may change itself irreversibly, and get its report."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

_WALL_SECONDS: Final = 60.0
"""What a child does takes thousandths of one, or three of CPU time; on a busy machine that can last."""
_PIPE_BYTES: Final = 1 << 16
"""What a pipe holds by default, pipe(7): more cannot be read at a time."""


@dataclass(frozen=True)
class Ended:
    """What a child said, and how it ended."""

    lines: tuple[str, ...]
    status: int
    """The exit status, or the negative number of the signal that killed it."""


class Home:
    """The child's way to tell its parent something."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def say(self, line: str) -> None:
        """Send one line."""
        os.write(self.descriptor, line.encode() + b"\n")


def ask(task: Callable[[Home], None], *, seconds: float = _WALL_SECONDS) -> Ended:
    """Run a task in a forked child.

    Parameters
    ----------
    task : callable
        Called in the child. An exception that leaves it is sent home as the last line, and the child ends
        with status 1.
    seconds : float
        Wall seconds after which the child is killed.

    Raises
    ------
    OSError
        No child could be forked.
    """
    hear, say = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hear)
        _run(task, Home(say))
    os.close(say)
    try:
        text = _read(hear, seconds)
    finally:
        os.close(hear)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return Ended(tuple(text.decode(errors="replace").splitlines()), status)


def _run(task: Callable[[Home], None], home: Home) -> NoReturn:
    """Run a task and end this process, whatever happens."""
    status = 1
    try:
        task(home)
        status = 0
    except BaseException:
        kind, error, trace = sys.exc_info()
        last = traceback.extract_tb(trace)[-1]
        with contextlib.suppress(BaseException):
            home.say(f"{kind.__name__ if kind else ''} at {last.name}, line {last.lineno}: {error}")
    finally:
        os._exit(status)


def _read(hear: int, seconds: float) -> bytes:
    """Read until all writers are gone or the time is up."""
    deadline = time.monotonic() + seconds
    chunks = []
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([hear], [], [], left)[0]:
            break
        chunk = os.read(hear, _PIPE_BYTES)
        if not chunk:
            break
        chunks.append(chunk)
    return b"".join(chunks)
