"""How much work a call does, counted in calls of functions: the same on every machine, however busy it is."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any


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
