"""Run the public tests of an assignment with pytest, in this process and without its output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from helpers.submission import handout
from helpers.submission.handout import HandoutError
from helpers.testing import collection
from helpers.testing.conventions import Convention, use_conventions

Ended = Callable[[str, BaseException | None], None]


def run_tests(
    file: Path,
    wanted: Collection[str],
    ended: Ended | None = None,
    conventions: Mapping[str, Convention] | None = None,
) -> dict[str, BaseException | None]:
    """Run tests of a file and return what each raised, or None where it passed.

    Parameters
    ----------
    file : Path
        The test file; it is imported anew.
    wanted : collection of str
        Ids such as ``"test_public.py::test_ties"``. After an interruption by the student, the tests that had
        not run are missing from the result.
    ended : callable, optional
        Takes id and exception of each test as it ends.
    conventions : mapping, optional
        What the assignment states; by default it is read from the file beside the tests.

    Raises
    ------
    HandoutError
        If the file cannot be loaded or lacks a test.
    """
    import pytest

    if conventions is None:
        released = handout.read(file.parent)
        conventions = released.conventions if released is not None else {}
    use_conventions(conventions)
    session = _TestLoop(wanted, ended)
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        options = ("--disable-plugin-autoload", *collection.pytest_arguments(file.parent))
        pytest.main([*options, str(file)], plugins=[session])
    finally:
        sys.dont_write_bytecode = writes_bytecode
        _forget(file)
    if session.problem:
        raise HandoutError(f"{file.name} cannot be loaded: {session.problem}")
    if session.missing:
        raise HandoutError(
            f"{file} lacks {' and '.join(sorted(session.missing))}; get it from the release again."
        )
    return session.errors


class _TestLoop:
    """The plugin that takes the place of pytest's own loop and reports."""

    def __init__(self, wanted: Collection[str], ended: Ended | None) -> None:
        self._ended = ended
        self.wanted = set(wanted)
        self.missing: set[str] = set()
        self.errors: dict[str, BaseException | None] = {}
        self.problem = ""
        self._error: BaseException | None = None

    def pytest_configure(self, config: Any) -> None:
        """Register the markers of a suite."""
        collection.configure(config, tracebacks="no")

    def pytest_collectreport(self, report: Any) -> None:
        """Remember why the file could not be collected."""
        if report.failed and not self.problem:
            lines = [line for line in report.longreprtext.splitlines() if line.strip()]
            self.problem = lines[-1].removeprefix("E").strip() if lines else "unknown error"

    def pytest_runtestloop(self, session: Any) -> bool:
        """Run the tests that are wanted, until the student interrupts."""
        items = {f"{item.path.name}::{item.name}": item for item in session.items}
        self.missing = self.wanted - items.keys()
        chosen = [item for id, item in items.items() if id in self.wanted]
        if self.problem or self.missing:
            return True
        for item, following in zip(chosen, [*chosen[1:], None], strict=True):
            self._error = None
            try:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            except KeyboardInterrupt as error:
                self.errors[f"{item.path.name}::{item.name}"] = error
                break
            self.errors[f"{item.path.name}::{item.name}"] = self._error
            if self._ended is not None:
                self._ended(f"{item.path.name}::{item.name}", self._error)
        return True

    def pytest_runtest_makereport(self, call: Any) -> None:
        """Keep the first exception of a test."""
        if call.excinfo is not None and self._error is None:
            self._error = call.excinfo.value


def _forget(file: Path) -> None:
    """Drop the test module, so that the next call imports it anew."""
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) == str(file):
            del sys.modules[name]
