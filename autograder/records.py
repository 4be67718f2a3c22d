"""A student's record: the graded result, what people decided about it, and how a regrade would move it."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import AwareDatetime, Field

from autograder.results import Model, SubmissionResult, TaskResult


class Override(Model):
    """An instructor's decision about points; it survives every regrade."""

    task: str | None = None
    """Id of the task whose points it replaces; None replaces the total."""
    points: float = Field(ge=0)
    reason: str = Field(min_length=1)
    by: str = Field(min_length=1)
    at: AwareDatetime


@dataclass(frozen=True)
class Record:
    """What reports show about one student.

    Attributes
    ----------
    result : SubmissionResult
        As it was graded.
    overrides : tuple of Override
        In the order in which they were made; of those about the same thing the last one counts.
    name : str
        Name for people to read; empty if nobody told it.
    excused : bool
        Whether the roster says that the student need not hand in.
    missing_as_zero : bool
        Whether nothing handed in counts as 0 points; otherwise the student has none.
    """

    result: SubmissionResult
    overrides: tuple[Override, ...] = field(default=())
    name: str = ""
    excused: bool = False
    missing_as_zero: bool = False

    @property
    def student(self) -> str:
        """Identify the student; a file name."""
        return self.result.student

    @property
    def tasks(self) -> tuple[TaskResult, ...]:
        """Tasks with the points that count."""
        decided = {override.task: override.points for override in self.overrides}
        return tuple(
            task.model_copy(update={"points": decided.get(task.id, task.points)})
            for task in self.result.tasks
        )

    @property
    def score(self) -> float:
        """The score that counts: of the result, changed by the differences that overrides make."""
        totals = [override.points for override in self.overrides if override.task is None]
        if totals:
            return totals[-1]
        changed = zip(self.tasks, self.result.tasks, strict=True)
        return round(self.result.score + sum(now.points - then.points for now, then in changed), 4)


@dataclass(frozen=True)
class MovedTest:
    """A test whose points differ between two results; None where one of them does not have it."""

    id: str
    title: str
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Move:
    """What a regrade changes for one student whose submission is the same."""

    student: str
    before: float
    after: float
    tests: tuple[MovedTest, ...]
