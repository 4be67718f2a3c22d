"""How long tests take: every run notes it, and a run may be given a number of seconds."""

from __future__ import annotations

import json
import math
import signal
import time
from pathlib import Path
from typing import Any, NoReturn

import pytest

KEY = "coursegrad/seconds"
"""Where pytest's cache keeps the seconds of each test but the long ones."""
OVER = "the time given by --seconds is over"
GRACE = 10
"""Seconds after which a test is interrupted that began in time."""


def seconds_of_files(root: Path) -> dict[str, float]:
    """Return what is known of each test file below a root: the seconds of its tests together."""
    file = root / ".pytest_cache" / "v" / KEY
    noted: dict[str, float] = json.loads(file.read_text()) if file.is_file() else {}
    files: dict[str, float] = {}
    for test, seconds in noted.items():
        name = test.partition("::")[0]
        files[name] = files.get(name, 0) + seconds
    return files


def add_option(parser: pytest.Parser) -> None:
    """Let a run be given a number of seconds."""
    parser.addoption("--seconds", type=float, default=math.inf, help="begin no test after so many seconds")


class Deadline:
    """Begin no test once time is up, and interrupt one that goes on for long after that."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = math.inf

    def pytest_collection_finish(self) -> None:
        """Count from here on."""
        self._end = time.monotonic() + self._seconds
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, self._interrupt)
            signal.setitimer(signal.ITIMER_REAL, self._seconds + GRACE)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Pass over a test for which there is no time, without any report of it."""
        if time.monotonic() < self._end:
            return None
        item.session.shouldstop = OVER
        return True

    def pytest_unconfigure(self) -> None:
        """Interrupt nothing that comes after the tests."""
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _interrupt(self, number: int, frame: object) -> NoReturn:
        pytest.skip(OVER)


class Seconds:
    """Note the seconds of each test, with its fixtures, in pytest's cache."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up what was measured; long tests are none of the quick loop's."""
        if "full" not in report.keywords:
            self._seconds[report.nodeid] = self._seconds.get(report.nodeid, 0) + report.duration

    def pytest_sessionfinish(self) -> None:
        """Keep it, beside what is known of other tests whose files are still there."""
        cache: Any = getattr(self._config, "cache", None)
        if cache is None:
            return
        root = self._config.rootpath
        known = {
            test: seconds
            for test, seconds in cache.get(KEY, {}).items()
            if (root / test.partition("::")[0]).is_file()
        }
        cache.set(KEY, known | {test: round(seconds, 3) for test, seconds in self._seconds.items()})


def register(config: pytest.Config) -> None:
    """Have a process of pytest keep to its time, and the one that gathers reports note them."""
    gathers = not hasattr(config, "workerinput")
    runs = not (gathers and getattr(config.option, "numprocesses", None))
    if runs and config.getoption("--seconds") < math.inf:
        config.pluginmanager.register(Deadline(config.getoption("--seconds")))
    if gathers:
        config.pluginmanager.register(Seconds(config))
