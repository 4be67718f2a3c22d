"""Grade a class: run every submission through the engine and write its result the moment it arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from autograder import provenance, scoring
from autograder.assignment import Assignment
from autograder.course import Course
from autograder.engine.pool import Pool
from autograder.errors import EngineError
from autograder.intake import Submission
from autograder.reports import feedback, gradebook
from autograder.results import Provenance, SandboxReport, SubmissionResult
from autograder.scoring import Outcome
from autograder.storage import GradedFolder, write_private

Sandbox = Literal["full", "weak", "none"]


class OpenPool(Protocol):
    """Start an engine, as the constructor of `Pool` does."""

    def __call__(self, assignment: Assignment, course: Course, *, jobs: int, sandbox: Sandbox) -> Pool:
        """Return a pool that is ready once it is entered."""


@dataclass(frozen=True)
class GradedClass:
    """What `grade_class` leaves behind.

    Attributes
    ----------
    folder : GradedFolder
        Where everything was written.
    results : tuple of SubmissionResult
        All results in the folder, in order of the students' names.
    older : tuple of str
        Students whose result was there before and was not part of this run.
    sandbox : SandboxReport
        How student code was confined.
    """

    folder: GradedFolder
    results: tuple[SubmissionResult, ...]
    older: tuple[str, ...]
    sandbox: SandboxReport


def grade_class(
    course: Course,
    assignment: Assignment,
    submissions: Sequence[Submission],
    output: Path,
    *,
    jobs: int,
    sandbox: Sandbox,
    open_pool: OpenPool = Pool,
    progress: Callable[[SubmissionResult], None] = lambda result: None,
) -> GradedClass:
    """Grade ``submissions`` and write results, feedback pages and the gradebook to ``output``.

    A result is on disk before ``progress`` is called with it, so stopping at any time loses only the
    submissions that were being graded. A submission with a problem gets a result without running.

    Raises
    ------
    ConfigError
        ``output`` cannot be written to or holds results of another assignment.
    SuiteError, SandboxError, EngineError
        The suite cannot be scored, this machine cannot confine student code, or the engine failed.
    """
    folder = GradedFolder(output)
    folder.require_assignment(assignment.name)
    folder.prepare()
    with open_pool(assignment, course, jobs=jobs, sandbox=sandbox) as pool:
        for result in _results(course, assignment, submissions, pool):
            folder.save(result)
            _write_feedback(course, assignment, folder, result)
            progress(result)
        report = pool.sandbox
    results = folder.results()
    write_private(folder.gradebook, gradebook.render(results))
    present = {submission.student for submission in submissions}
    older = tuple(result.student for result in results if result.student not in present)
    return GradedClass(folder, tuple(results), older, report)


def grade_one(
    course: Course,
    assignment: Assignment,
    submission: Submission,
    *,
    sandbox: Sandbox,
    open_pool: OpenPool = Pool,
) -> SubmissionResult:
    """Grade one submission and write nothing; raises as `grade_class` does."""
    with open_pool(assignment, course, jobs=1, sandbox=sandbox) as pool:
        (result,) = _results(course, assignment, [submission], pool)
    return result


def rewrite_reports(course: Course, assignment: Assignment, folder: GradedFolder) -> list[SubmissionResult]:
    """Write the gradebook and the feedback pages again from the results in ``folder``."""
    results = folder.results()
    folder.prepare()
    for result in results:
        _write_feedback(course, assignment, folder, result)
    write_private(folder.gradebook, gradebook.render(results))
    return results


def _results(
    course: Course, assignment: Assignment, submissions: Sequence[Submission], pool: Pool
) -> Iterator[SubmissionResult]:
    """Score the submissions as they are done, those that cannot run first."""
    scoring.share(pool.plan, assignment)
    source = provenance.collect(course, assignment, pool.versions)
    for submission in submissions:
        if submission.problem is not None:
            outcomes = scoring.not_run(pool.plan, submission.problem)
            yield _score(assignment, pool, source, submission, outcomes, note=submission.problem)
    runnable = [submission for submission in submissions if submission.problem is None]
    waiting = {submission.student for submission in runnable}
    for graded in pool.grade(runnable):
        waiting.discard(graded.submission.student)
        yield _score(
            assignment, pool, source, graded.submission, graded.outcomes, graded.note, graded.seconds
        )
    if waiting:
        found = f"the engine returned nothing for {len(waiting)} of {len(submissions)} submissions"
        raise EngineError(assignment.name, found, "run the same command again; if it recurs, report it")


def _score(
    assignment: Assignment,
    pool: Pool,
    source: Provenance,
    submission: Submission,
    outcomes: Sequence[Outcome],
    note: str | None = None,
    seconds: float = 0.0,
) -> SubmissionResult:
    return scoring.score(
        assignment,
        pool.plan,
        submission,
        outcomes,
        sandbox=pool.sandbox,
        provenance=source,
        seconds=round(seconds, 3),
        notes=[note] if note else [],
    )


def _write_feedback(
    course: Course, assignment: Assignment, folder: GradedFolder, result: SubmissionResult
) -> None:
    page = feedback.render(result, title=assignment.title, course=course.name)
    write_private(folder.feedback_file(result.student), page)
