"""The pytest settings for every run of a suite: markers for authors, and disabled parts of pytest."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

MARKERS = (
    "task(id, weight=1): the task of the assignment that this test belongs to, and its share of it",
    "constraint: counts once half of the points for right values in its task are earned",
    "limits(cpu_seconds=None, memory_mb=None): what this test may use when it is graded",
)
_PLUGINS_OFF = (
    *("cacheprovider", "terminal", "faulthandler", "logging", "warnings", "doctest", "junitxml", "pastebin"),
    *("unraisableexception", "threadexception"),
)
_ARGUMENTS = (
    *(f"-pno:{name}" for name in _PLUGINS_OFF),
    *("--noconftest", "--import-mode=importlib", "--capture=no", "--strict-markers"),
    *("-c", os.devnull, "-o", "addopts="),
)


def pytest_arguments(folder: Path) -> list[str]:
    """Return the options under which only the tests of a folder run, and nothing that lies around them.

    Neither plugins nor ini files nor a conftest take part.
    """
    bounds = (f"--rootdir={folder}", f"--confcutdir={folder}")  # else pytest lists the folders above as well
    return [*_ARGUMENTS, *bounds]


def configure(config: Any, tracebacks: str) -> None:
    """Register the marks of a suite and choose a style of tracebacks; call it in `pytest_configure`."""
    config.option.tbstyle = tracebacks  # an option of the terminal plugin, which is off
    register_markers(config)


def register_markers(config: Any) -> None:
    """Tell pytest the marks of a suite."""
    for line in MARKERS:
        config.addinivalue_line("markers", line)
