"""Waiting for what must happen: with an end, so that no test hangs, but one that no busy machine reaches."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 900.0
"""Seconds after which a test gives up. What is waited for takes a thousandth of that on an idle machine."""


def until(holds: Callable[[], object], what: str) -> None:
    """Wait until something holds; raises AssertionError, with `what`, if it never does."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited for {PATIENCE:.0f} seconds: {what}")
        time.sleep(0.01)
