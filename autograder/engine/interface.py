"""The interface of an engine, on one machine or on many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Protocol, Self

from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.engine.jobs import Remarks
from autograder.graded.results import SandboxReport
from autograder.intake import Submission
from autograder.scoring import Outcome, PlannedTest

Sandbox = Literal["full", "weak", "none"]
"""``full`` refuses a machine that cannot confine; ``none`` runs student code beside the tests."""


@dataclass(frozen=True)
class Graded:
    """A submission with an outcome for every planned test that ran."""

    submission: Submission
    outcomes: tuple[Outcome, ...]
    note: str | None
    seconds: float
    remarks: Remarks = field(default_factory=Remarks)


class Engine(Protocol):
    """Grades submissions of one assignment, once it is entered.

    A submission goes to it as the bytes of its files, not as a path, and seeds derive from a key of the
    assignment: so an engine may be elsewhere, and need not know the course's secret.
    """

    @property
    def plan(self) -> tuple[PlannedTest, ...]:
        """The tests, in order."""

    @property
    def sandbox(self) -> SandboxReport:
        """What was proved about the confinement."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of python, torch and numpy that grade."""

    def __enter__(self) -> Self:
        """Start; raises SuiteError, SandboxError or EngineError if that fails."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""

    def grade(self, submissions: Iterable[Submission]) -> Iterator[Graded]:
        """Yield each submission as it is graded, in any order; raises EngineError if it cannot go on."""


class OpenEngine(Protocol):
    """Make an engine, as the constructor of `autograder.engine.pool.Pool` does."""

    def __call__(
        self,
        assignment: Assignment,
        course: Course,
        *,
        jobs: int,
        sandbox: Sandbox,
        tasks: Iterable[str] | None = None,
    ) -> Engine:
        """Return an engine that is ready once it is entered."""
