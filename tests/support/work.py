"""How much work a call does: counted in calls of functions, or beside other work on the same machine."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import torch

IDLE_SECONDS = 0.15
"""What `_seconds_of_training` takes on the machine on which limits of CPU time were set."""


class TooMuchWork(BaseException):
    """More functions were called than allowed; no `except Exception` hides it."""


class Calls:
    """A count of calls of functions, those written in C included."""

    def __init__(self, limit: float) -> None:
        self.count, self._limit = 0, limit

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        """Count one event of `sys.setprofile`."""
        if event in ("call", "c_call"):
            self.count += 1
            if self.count > self._limit:
                sys.setprofile(None)
                raise TooMuchWork(f"more than {self._limit:,} calls")


@contextlib.contextmanager
def counted(limit: float = float("inf")) -> Iterator[Calls]:
    """Count the calls in a block of this thread; raises TooMuchWork where they exceed `limit`."""
    calls, before = Calls(limit), sys.getprofile()
    sys.setprofile(calls)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def calls_of(function: Callable[[], object]) -> int:
    """Return how many functions a call calls."""
    with counted() as calls:
        function()
    return calls.count


def slowness() -> float:
    """Return how many times more CPU time this machine needs now than an idle one, at least 1."""
    return max(1.0, min(_seconds_of_training() for _ in range(3)) / IDLE_SECONDS)


def _seconds_of_training() -> float:
    """Return the CPU time of some steps of training, on one thread, and of some Python."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        started = time.process_time()
        x, w = torch.ones(32, 16, 32, 32), torch.ones(32, 16, 3, 3, requires_grad=True)
        for _ in range(20):
            torch.nn.functional.conv2d(x, w, padding=1).relu().sum().backward()
        sum(number * number for number in range(1_000_000))
        return time.process_time() - started
    finally:
        torch.set_num_threads(threads)
