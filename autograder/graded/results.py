"""The result of grading one submission: the model that every report and exporter is a view of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from helpers.statuses import Status

CUT_OFF = "The check ended without a result, so it earns no points."
"""What the student reads about a test whose outcome never arrived."""


class ResultModel(BaseModel):
    """Base of all parts of a result: immutable, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Location(ResultModel):
    """A line in the student's own file."""

    file: str
    line: int
    function: str


class Feedback(ResultModel):
    """What the student may read about one test. Holds no hidden value and no test source."""

    summary: str
    """One sentence: what went wrong."""
    likely_cause: str | None = None
    expected: str | None = None
    """Expected shape and dtype; the value too in public tests."""
    actual: str | None = None
    first_wrong: str | None = None
    """Index of the first wrong entry, such as ``[3, 0]``, and how many are wrong."""
    location: Location | None = None
    slip: bool = False
    """Whether one mistake explains the answer, or the answer is nearly right (`helpers.credit`)."""
    unfinished: bool = False
    """Whether an exception is a sign of work that is not done, and not of a mistake."""


class TestResult(ResultModel):
    """One test of the suite on one submission."""

    __test__ = False  # not a test class for pytest

    id: str
    """Stable name, unique in the suite: ``test_hidden.py::test_ties``."""
    title: str
    """What the test checks, in the author's words."""
    task: str
    tier: Literal["public", "hidden"]
    kind: Literal["value", "constraint"]
    status: Status
    points: float
    max_points: float
    feedback: Feedback | None = None
    """None when the test passed."""
    detail: str = ""
    """For the instructor only: the full failure, hidden values included."""
    output: str = ""
    """For the instructor only: what the student's code printed, capped."""
    cpu_seconds: float = 0.0
    """CPU time of the worker, as the operating system accounted it."""
    reached: dict[str, float] = Field(default_factory=dict)
    """Numbers that the test holds against a threshold, such as accuracies in percent, by its name."""

    @property
    def is_cut_off(self) -> bool:
        """Whether grading stopped before the test had an outcome."""
        return self.status is Status.crashed and self.feedback == Feedback(summary=CUT_OFF)

    @property
    def fault(self) -> str | None:
        """Where the suite failed and how, if it did: ``"test_hidden.py:57: KeyError: 'W1'"``."""
        if self.status is not Status.suite_error:
            return None
        return self.detail.partition("\n")[0] or "the suite failed"


class TaskResult(ResultModel):
    """The tests of one task, summed up."""

    id: str
    title: str
    points: float
    max_points: float
    extra: bool = False
    """Whether the points come on top of `max_score`."""


class SandboxReport(ResultModel):
    """How student code was confined while this result came about."""

    level: Literal["full", "weak", "none"]
    layers: dict[str, str]
    """Layer name to what was proved about it: ``{"seccomp": "proved: allow-list of 93 system calls"}``."""


class Provenance(ResultModel):
    """Versions and settings that a regrade must share to give the same result."""

    kit: str
    suite: str
    """SHA-256 over the suite, the reference and the assignment file."""
    python: str
    torch: str
    numpy: str
    machine: str
    """CPU type: floating point may differ between types."""
    secret: str
    """First 12 hex digits of the SHA-256 of the course secret; identifies it, does not reveal it."""
    limits: dict[str, float]
    packages: list[str] = Field(default_factory=list)
    """What student code could import."""
    imports: dict[str, str | dict[str, str]] = Field(default_factory=dict)
    """What stood for modules of other kits, as `course.toml` says."""


class SubmissionResult(ResultModel):
    """Everything known about one graded submission."""

    schema_version: Literal[1] = 1
    assignment: str
    student: str
    name: str = ""
    """Name for people to read, where the submission tells one."""
    handed_in: Literal["work", "nothing", "undecided"] = "work"
    """What there was to grade: work, nothing at all, or work that waits for a decision of the instructor."""
    score: float
    max_score: float
    """What everything but extra credit is worth; `score` may be more."""
    notes: list[str] = Field(default_factory=list)
    """Plain sentences about the submission as a whole: ignored files, why nothing ran."""
    remarks: list[str] = Field(default_factory=list)
    """Sentences that grading found: modules that cannot be imported, what only notebooks have."""
    needs_python: str = ""
    """The newer Python that a file is written for, such as ``"3.13"``; ``"newer"`` where that is a guess."""
    tasks: list[TaskResult]
    tests: list[TestResult]
    sandbox: SandboxReport
    provenance: Provenance
    files: dict[str, str]
    """Name of each graded file to the SHA-256 of the bytes that were graded."""
    attempts: list[str] = Field(default_factory=list)
    """Where one of several submissions was chosen: a SHA-256 for each, in the order of handing in."""
    entries: list[str] = Field(default_factory=list)
    """Names in the class folder of what was graded: whose it is, whatever a roster calls the student."""
    seconds: float = 0.0
    """Wall seconds that grading took. Only this and `cpu_seconds` differ between identical regrades."""

    @property
    def waits_for_python(self) -> bool:
        """Whether nothing ran because a file is written for a newer Python."""
        return bool(self.needs_python) and all(test.status is Status.not_run for test in self.tests)

    @property
    def stop_reason(self) -> str | None:
        """The reason why no test ran, or None if tests ran."""
        if not self.tests or any(test.status is not Status.not_run for test in self.tests):
            return None
        feedback = self.tests[0].feedback
        return feedback.summary if feedback else "The submission could not be run."

    @property
    def all_notes(self) -> list[str]:
        """Everything that there is to say about the submission as a whole."""
        return [*self.notes, *self.remarks]


def collect_faults(results: Iterable[SubmissionResult]) -> dict[str, list[str]]:
    """Return where the suite failed on submissions, and of which students these are."""
    found: dict[str, list[str]] = {}
    for result in results:
        for fault in dict.fromkeys(test.fault for test in result.tests if test.fault):
            found.setdefault(fault, []).append(result.student)
    return found


def write_exact(points: float) -> str:
    """Write points with up to four decimals, as they were rounded.

    Examples
    --------
    >>> write_exact(10.0), write_exact(1.4286)
    ('10', '1.4286')
    """
    return f"{points:.4f}".rstrip("0").rstrip(".")
