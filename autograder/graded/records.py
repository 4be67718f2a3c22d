"""A student's record: the graded result, the overrides of its points, and the effect of a regrade."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import AwareDatetime, Field

from autograder.graded.answers import Answer, Mark
from autograder.graded.results import ResultModel, SubmissionResult, TaskResult


class Override(ResultModel):
    """Points that an instructor decided; they survive every regrade."""

    task: str | None = None
    """Id of the task whose points it replaces; None replaces the total."""
    points: float = Field(ge=0)
    reason: str = Field(min_length=1)
    by: str = Field(min_length=1)
    at: AwareDatetime


@dataclass(frozen=True)
class WrittenAnswer:
    """An answer, and the points that a person gave for it.

    Attributes
    ----------
    answer : Answer
        As it stands in the notebook that was handed in.
    mark : Mark or None
        The last one that was given; None if nobody has scored the answer yet.
    """

    answer: Answer
    mark: Mark | None = None

    @property
    def has_changed(self) -> bool:
        """Whether the answer was another one when it was scored."""
        return self.mark is not None and self.mark.answer != self.answer.digest

    @property
    def is_waiting(self) -> bool:
        """Whether it has to be scored before the written part has points."""
        optional = self.answer.extra and self.answer.status != "answered"
        return self.mark is None and not optional


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
    written : tuple of WrittenAnswer
        Answers to questions that people score, in the order of the assignment.
    """

    result: SubmissionResult
    overrides: tuple[Override, ...] = field(default=())
    name: str = ""
    excused: bool = False
    missing_as_zero: bool = False
    written: tuple[WrittenAnswer, ...] = ()

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
        """The score of the code: of the result, changed by the differences that overrides make."""
        totals = [override.points for override in self.overrides if override.task is None]
        if totals:
            return totals[-1]
        changed = zip(self.tasks, self.result.tasks, strict=True)
        return round(self.result.score + sum(now.points - then.points for now, then in changed), 4)

    @property
    def waiting(self) -> tuple[WrittenAnswer, ...]:
        """Answers that nobody has scored yet; none where nothing handed in counts as 0 points."""
        if self.missing_as_zero and self.result.handed_in == "nothing":
            return ()
        return tuple(one for one in self.written if one.is_waiting)

    @property
    def written_score(self) -> float | None:
        """Points of the written answers; None as long as one of them is not scored, or if there are none."""
        if not self.written or self.waiting:
            return None
        return round(sum((one.mark.points for one in self.written if one.mark is not None), 0.0), 4)

    @property
    def max_written(self) -> float:
        """What perfect answers are worth, without extra credit."""
        return round(sum((one.answer.max_points for one in self.written if not one.answer.extra), 0.0), 4)

    @property
    def total(self) -> float | None:
        """Code and written answers together; None as long as an answer is not scored."""
        if not self.written:
            return self.score
        return None if self.written_score is None else round(self.score + self.written_score, 4)

    @property
    def max_total(self) -> float:
        """What code and answers are worth together, without extra credit."""
        return round(self.result.max_score + self.max_written, 4)


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
