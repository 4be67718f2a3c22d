"""The pytest plugin that collects a suite once, plans its points, and runs its tests one by one."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import re
import sys
from collections.abc import Callable, Collection
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import pytest

from autograder.course import thresholds
from autograder.course.assignment import Assignment
from autograder.engine import package, verdict
from autograder.engine.details import describe_failure
from autograder.engine.proxy import Proxy
from autograder.errors import SuiteError
from autograder.scoring import Outcome, PlannedTest, share
from helpers.statuses import Status
from helpers.testing import collection
from helpers.testing.conventions import use_conventions

_PLACE = re.compile(r"^(?:E +File \")?(\S.*?\.py)(?::|\", line )(\d+)", re.MULTILINE)
"""File and line, in a traceback in pytest's short style or in what a SyntaxError says."""


class SuiteRun:
    """One pytest session over a suite: collects it, then hands the items to `serve`.

    Parameters
    ----------
    assignment : Assignment
        Whose suite to collect.
    serve : callable
        `serve(run)` is called once, after the collection, in place of pytest's own loop over the tests.
    tasks : collection of str, optional
        Keep the tests of these tasks alone; by default all.

    Attributes
    ----------
    items : list of pytest.Item
        The tests, in the order of the plan.
    plan : tuple of PlannedTest
        The same, as the rest of the kit knows them.
    reached : dict of str to float
        Numbers that the last test held against thresholds, by the threshold's name.
    """

    def __init__(
        self,
        assignment: Assignment,
        serve: Callable[[SuiteRun], None],
        tasks: Collection[str] | None = None,
    ) -> None:
        self.assignment = assignment
        self._tasks = tasks
        self.items: list[pytest.Item] = []
        self.plan: tuple[PlannedTest, ...] = ()
        self.reached: dict[str, float] = {}
        self._serve = serve
        self._package = contextlib.ExitStack()
        self._problems: list[str] = []
        self._served = False
        self._error: BaseException | None = None
        self._report: pytest.TestReport | None = None

    def run(self) -> None:
        """Collect the suite and serve.

        Raises
        ------
        SuiteError
            If the suite does not collect, or does not fit its assignment.
        """
        sys.dont_write_bytecode = True
        use_conventions(self.assignment.conventions)
        folder = self.assignment.suite
        files = [str(folder / name) for name in self.assignment.tiers]
        with self._package:
            self._package.enter_context(package.importable(folder))
            code = pytest.main([*collection.pytest_arguments(folder), *files], plugins=[self])
        if self._error is not None:
            raise self._error
        if not self._served:
            found = self._problems[0] if self._problems else f"pytest ended with {code!r}"
            remedy = f"correct it, and try `autograder check {self._reference()}`"
            raise SuiteError(str(folder), found, remedy)

    def _reference(self) -> Path:
        return self.assignment.folder / f"{self.assignment.modules[0]}.py"

    def run_item(self, index: int) -> tuple[BaseException | None, str]:
        """Run one test and return what it raised, or None, and where, for the instructor.

        What it held against thresholds is in `reached` from then on.
        """
        self._error, self._report = None, None
        item = self.items[index]
        following = self.items[index + 1] if index + 1 < len(self.items) else None
        thresholds.take_reached()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        self.reached = thresholds.take_reached()
        error, self._error = self._error, None
        if error is not None:
            return error, describe_failure(error)
        return None, self._report.longreprtext if self._report is not None else ""

    def blame(self, outcome: Outcome, error: BaseException) -> Outcome:
        """Return an outcome that names the line of the suite at fault, where its status blames the suite."""
        if outcome.status is not Status.suite_error:
            return outcome
        fault = verdict.describe_fault(error, self._line_of(outcome.id, error))
        return replace(outcome, fault=fault, detail=f"{fault}\n\n{outcome.detail}")

    def _line_of(self, test: str, error: BaseException) -> str:
        """Return the innermost line of the suite that an exception passed, or else the line of the test."""
        folder, trace, found = self.assignment.suite.resolve(), error.__traceback__, ""
        while trace is not None:
            path = Path(trace.tb_frame.f_code.co_filename)
            if path.parent == self.assignment.suite or path.resolve().parent == folder:
                found = f"{path.name}:{trace.tb_lineno}"
            trace = trace.tb_next
        index = next(number for number, planned in enumerate(self.plan) if planned.id == test)
        item = self.items[index]
        return found or f"{item.path.name}:{(item.reportinfo()[1] or 0) + 1}"

    # Hooks of pytest

    @pytest.hookimpl
    def pytest_configure(self, config: pytest.Config) -> None:
        """Register the markers of a suite, and keep reports of what does not collect short."""
        collection.configure(config, tracebacks="short")

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(self, name: str, obj: object) -> list[Any] | None:
        """Collect no proxy: `from knn import test_something` names a student's function, not a test."""
        return [] if isinstance(obj, Proxy) else None

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember why a file could not be collected."""
        if report.failed:
            text = report.longreprtext.strip()
            where = self._place(text, Path(report.nodeid).name)
            self._problems.append(f"{where}: {text.splitlines()[-1].removeprefix('E').strip()}")

    def _place(self, text: str, name: str) -> str:
        """Say where a test file failed as it was imported: in a shared module, or in itself."""
        for path, line in reversed(_PLACE.findall(text)):
            found = Path(path).resolve()
            if found.parent == self.assignment.suite.resolve() and found.stem in self.assignment.shared:
                return f"{found.name}, line {line}"
        own = re.search(rf"{re.escape(name)}(?::|\", line )(\d+)", text)
        return f"{name}, line {own[1]}" if own else name

    @pytest.hookimpl
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Plan and serve, in place of running every test once."""
        self._package.close()  # before any student code runs
        session.config.option.tbstyle = "no"  # of tests; `describe_failure` takes its place
        if not self._problems and not self._served:
            # Public ones first: what they say is shown whole, so no hidden input may have been seen yet.
            self.items = sorted(session.items, key=lambda item: self._tier(item) == "hidden")
            try:
                self.plan = tuple(plan_test(item, self.assignment) for item in self.items)
                share(self.plan, self.assignment)
                self._choose()
                self._served = True
                self._serve(self)
            except Exception as error:
                self._error = error
        return True

    def _choose(self) -> None:
        """Drop the tests of tasks that were not asked for."""
        if self._tasks is not None:
            chosen = [test.task in self._tasks for test in self.plan]
            self.items = list(itertools.compress(self.items, chosen))
            self.plan = tuple(itertools.compress(self.plan, chosen))

    def _tier(self, item: pytest.Item) -> str:
        return self.assignment.tiers[item.path.name]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Keep the first exception of a test; pytest's own report is made after this."""
        if call.excinfo is not None and self._error is None:
            self._error = call.excinfo.value

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the report of the phase that failed first."""
        if not report.passed and self._report is None:
            self._report = report


def plan_test(item: pytest.Item, assignment: Assignment) -> PlannedTest:
    """Return what is known of a collected test before any student code runs.

    Raises
    ------
    SuiteError
        If it has no task, no docstring, or a marker with unknown arguments.
    """
    where = f"{assignment.suite.name}/{item.path.name}::{item.name}"
    task, weight = _task(item, where)
    title = (inspect.getdoc(getattr(item, "obj", None)) or "").partition("\n")[0].strip()
    if not title:
        raise SuiteError(where, "no docstring", "its first line is what students read about the check")
    tier = assignment.tiers[item.path.name]
    limits = _limits(item, where, assignment)
    kind: Literal["value", "constraint"] = "constraint" if item.get_closest_marker("constraint") else "value"
    return PlannedTest(
        id=f"{item.path.name}::{item.name}",
        title=title,
        task=task,
        tier=tier,  # type: ignore[arg-type]
        kind=kind,
        weight=weight,
        cpu_seconds=limits["cpu_seconds"],
        memory_mb=limits["memory_mb"],
    )


def _task(item: pytest.Item, where: str) -> tuple[str, Fraction]:
    def read(id: str, weight: float = 1) -> tuple[str, Fraction]:
        return id, Fraction(str(weight))

    marker = item.get_closest_marker("task")
    if marker is None:
        raise SuiteError(where, "no task", 'mark it with @pytest.mark.task("a task of assignment.toml")')
    try:
        return read(*marker.args, **marker.kwargs)
    except (TypeError, ValueError) as error:
        raise SuiteError(where, f"a malformed task marker: {error}", "expected task(id, weight=1)") from None


def _limits(item: pytest.Item, where: str, assignment: Assignment) -> dict[str, int]:
    limits = {"cpu_seconds": assignment.limits.cpu_seconds, "memory_mb": assignment.limits.memory_mb}
    marker = item.get_closest_marker("limits")
    if marker is None:
        return limits
    integers = all(type(value) is int for value in marker.kwargs.values())
    if marker.args or not integers or not set(marker.kwargs) <= set(limits):
        expected = "expected limits(cpu_seconds=..., memory_mb=...), integers"
        raise SuiteError(where, "a malformed limits marker", expected)
    return limits | dict(marker.kwargs)
