"""Grade a class: run every submission through the engine and write its result the moment it arrives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from autograder import scoring
from autograder.course import Course, provenance
from autograder.course.assignment import Assignment
from autograder.engine.interface import Engine, OpenEngine, Sandbox
from autograder.engine.jobs import NO_REMARKS, Remarks
from autograder.engine.pool import Pool
from autograder.errors import EngineError
from autograder.graded.folder import GradedFolder
from autograder.graded.records import Move
from autograder.graded.results import Provenance, SandboxReport, SubmissionResult
from autograder.grading import preflight, regrade, relocation, views
from autograder.intake import Submission
from autograder.marking import written
from autograder.scoring import Outcome


class Progress(Protocol):
    """Follow a run: `skip` once, then one call for each result."""

    def skip(self, count: int) -> None:
        """Take note of results that are up to date already."""

    def stage(self, doing: str) -> None:
        """Take note of what is done before the next result."""

    def __call__(self, result: SubmissionResult) -> None:
        """Take note of one graded submission."""


class Silent:
    """Progress that nobody follows."""

    def skip(self, count: int) -> None:
        """Do nothing."""

    def stage(self, doing: str) -> None:
        """Do nothing."""

    def __call__(self, result: SubmissionResult) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class GradedClass:
    """What `grade_class` leaves behind.

    Attributes
    ----------
    folder : GradedFolder
        Where everything was written.
    kept : tuple of str
        Students whose result was up to date and was not made again.
    moves : tuple of Move
        What results that wait to be accepted would change.
    reweighted : int
        How many results were replaced in which tests are worth something else, but no points changed.
    older : tuple of str
        Students whose result was there before and was not part of this run.
    renamed : tuple of (str, str)
        Names under which the same hand-ins were graded before, and those that they have now.
    sandbox : SandboxReport
        How student code was confined.
    """

    folder: GradedFolder
    kept: tuple[str, ...]
    moves: tuple[Move, ...]
    reweighted: int
    older: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    sandbox: SandboxReport


def grade_class(
    course: Course,
    assignment: Assignment,
    submissions: Sequence[Submission],
    folder: GradedFolder,
    *,
    jobs: int,
    sandbox: Sandbox,
    force: bool = False,
    accept: bool = False,
    open_engine: OpenEngine = Pool,
    progress: Progress | None = None,
) -> GradedClass:
    """Bring the results in ``folder`` up to date with ``submissions``; call it while writing is reserved.

    A result is on disk before ``progress`` hears of it, so that stopping at any time loses only the
    submissions that were being graded. A result that is up to date is kept. If a submission is the same but
    its points are not, because the suite is another, the new result waits in ``pending/``. Work that was
    graded before and is not among ``submissions`` keeps its result, also if the roster knows the student.

    Parameters
    ----------
    force : bool
        Grade again what is up to date, too.
    accept : bool
        Let changed points replace the old ones at once.

    Raises
    ------
    ConfigError
        The folder cannot be written to or holds results of another assignment.
    ReleaseError
        The assignment has questions, and its notebook cannot be released.
    SuiteError
        The suite cannot be scored, or the reference does not pass it; then no result is written.
    SandboxError, EngineError
        This machine cannot confine student code, or the engine failed.
    """
    folder.require_assignment(assignment.name)
    report = progress or Silent()
    renamed = relocation.rename(folder, submissions)
    before = folder.results()
    written.collect(course, assignment, submissions, folder)
    with open_engine(assignment, course, jobs=jobs, sandbox=sandbox) as engine:
        source = provenance.collect(course, assignment, engine.versions)
        present = [one for one in submissions if not regrade.is_gone(before.get(one.student), one)]
        kept = () if force else _keep_current(course, assignment, present, folder, source, engine.sandbox)
        todo = [submission for submission in present if submission.student not in kept]
        report.skip(len(submissions) - len(todo))
        if any(submission.problem is None for submission in todo):
            preflight.require_sound(course, assignment, engine, source, stage=report.stage)
        reweighted = 0
        for submission, result in _results(assignment, todo, engine, source):
            old = before.get(result.student)
            reweighted += old is not None and _is_reweighted(old, result, submission)
            if accept or old is None or not _is_regrade(old, result, submission):
                save(course, assignment, folder, result)
            else:
                folder.hold(result)
            report(result)
        confined = engine.sandbox
    if accept:
        accept_pending(course, assignment, folder)
    moves = regrade.pending_moves(folder)
    if not moves:
        folder.settle()
    for student, result in folder.results().items():
        if not folder.has_feedback(student):
            _write_feedback(course, assignment, folder, result)
    students = {submission.student for submission in present}
    older = tuple(student for student in folder.results() if student not in students)
    return GradedClass(folder, kept, moves, reweighted, older, renamed, confined)


def grade_one(
    course: Course,
    assignment: Assignment,
    submission: Submission,
    *,
    sandbox: Sandbox,
    open_engine: OpenEngine = Pool,
) -> SubmissionResult:
    """Grade one submission and write nothing; raises as `grade_class` does."""
    with open_engine(assignment, course, jobs=1, sandbox=sandbox) as engine:
        source = provenance.collect(course, assignment, engine.versions)
        ((_, result),) = _results(assignment, [submission], engine, source)
    return result


def save(course: Course, assignment: Assignment, folder: GradedFolder, result: SubmissionResult) -> None:
    """Write a result and the feedback on it."""
    folder.save(result)
    _write_feedback(course, assignment, folder, result)


def _write_feedback(
    course: Course, assignment: Assignment, folder: GradedFolder, result: SubmissionResult
) -> None:
    views.write_feedback(course, assignment, folder, folder.record(result))


def accept_pending(course: Course, assignment: Assignment, folder: GradedFolder) -> int:
    """Let every result that waits replace the one before; return how many there were."""
    accepted = folder.pending_results().values()
    for result in accepted:
        save(course, assignment, folder, result)
    folder.settle()
    return len(accepted)


def _find_current(
    candidates: Sequence[SubmissionResult | None],
    submission: Submission,
    source: Provenance,
    sandbox: SandboxReport,
) -> SubmissionResult | None:
    """Return the first result that is up to date, if one is."""
    for result in candidates:
        if result is not None and regrade.is_current(result, submission, source, sandbox):
            return result
    return None


def _keep_current(
    course: Course,
    assignment: Assignment,
    submissions: Sequence[Submission],
    folder: GradedFolder,
    source: Provenance,
    sandbox: SandboxReport,
) -> tuple[str, ...]:
    """Return the students whose result is up to date, after what it says of their files is, too."""
    before, held = folder.results(), folder.pending_results()
    kept = []
    for submission in submissions:
        waiting = held.get(submission.student)
        known = _find_current((waiting, before.get(submission.student)), submission, source, sandbox)
        if known is not None:
            kept.append(submission.student)
            _refresh(course, assignment, folder, known, submission, is_pending=known is waiting)
    return tuple(kept)


def _refresh(
    course: Course,
    assignment: Assignment,
    folder: GradedFolder,
    result: SubmissionResult,
    submission: Submission,
    *,
    is_pending: bool,
) -> None:
    """Bring what a result says about the submission up to date, where no test need run for it."""
    problem = [submission.problem] if submission.problem is not None else []
    notes = [*submission.notes, *problem] if not submission.earlier else result.notes
    fresh = result.model_copy(
        update={
            "notes": notes,
            "name": submission.name,
            "handed_in": scoring.classify_submission(submission, waits=result.waits_for_python),
            "entries": list(submission.entries) if not submission.earlier else result.entries,
        }
    )
    if is_pending and fresh != result:
        folder.hold(fresh)
    elif not is_pending and fresh != result:
        save(course, assignment, folder, fresh)
    elif not is_pending and not folder.has_feedback(result.student):
        _write_feedback(course, assignment, folder, result)


def _is_regrade(old: SubmissionResult, new: SubmissionResult, submission: Submission) -> bool:
    """Tell whether points changed although the submission did not: then people decide."""
    same = regrade.same_submission(old, submission) and not scoring.is_unfinished(old)
    return same and regrade.compare(old, new) is not None


def _is_reweighted(old: SubmissionResult, new: SubmissionResult, submission: Submission) -> bool:
    """Tell whether only the worth of tests changed, so that the new result counts without a question."""
    return regrade.same_submission(old, submission) and regrade.is_reweighted(old, new)


def _results(
    assignment: Assignment, submissions: Sequence[Submission], engine: Engine, source: Provenance
) -> Iterator[tuple[Submission, SubmissionResult]]:
    """Score the submissions as they are done; of several attempts of a student, the one that counts."""
    scoring.share(engine.plan, assignment)
    whole = {submission.student: submission for submission in submissions}
    attempts = {student: _attempts_of(assignment, one) for student, one in whole.items()}
    found: dict[str, dict[int, SubmissionResult]] = defaultdict(dict)
    everything = [one for student in attempts for one in attempts[student]]
    for attempt, result in _score_all(assignment, everything, engine, source):
        student = attempt.student
        place = next(n for n, one in enumerate(attempts[student]) if one is attempt)
        found[student][place] = result
        if len(found[student]) == len(attempts[student]):
            yield whole[student], _choose_attempt(assignment, whole[student], found.pop(student))


def _attempts_of(assignment: Assignment, submission: Submission) -> tuple[Submission, ...]:
    """Return the submissions of a student that have to be graded, the oldest first."""
    if assignment.attempts == "best":
        return (*submission.earlier, submission)
    return (submission,)


def _choose_attempt(
    assignment: Assignment, submission: Submission, results: dict[int, SubmissionResult]
) -> SubmissionResult:
    """Return the result that counts, which says that there were others."""
    if not submission.earlier:
        return results[0]
    count = len(submission.earlier) + 1
    best = max(results, key=lambda place: (results[place].score, place))
    number = best + 1 if assignment.attempts == "best" else count
    note = f"Attempt {number} of {count} counts, the {assignment.attempts}."
    return results[best].model_copy(
        update={"attempts": submission.attempts, "notes": [note, *results[best].notes]}
    )


def _score_all(
    assignment: Assignment, submissions: Sequence[Submission], engine: Engine, source: Provenance
) -> Iterator[tuple[Submission, SubmissionResult]]:
    """Score every submission, those that cannot run first."""

    def score(
        submission: Submission,
        outcomes: Sequence[Outcome],
        note: str | None,
        seconds: float,
        remarks: Remarks = NO_REMARKS,
    ) -> tuple[Submission, SubmissionResult]:
        result = scoring.score(
            assignment,
            engine.plan,
            replace(submission, earlier=()),
            outcomes,
            sandbox=engine.sandbox,
            provenance=source,
            seconds=round(seconds, 3),
            notes=[note] if note else [],
            remarks=remarks.notes,
            needs_python=remarks.needs_python,
        )
        return submission, result

    for submission in submissions:
        if submission.problem is not None:
            outcomes = scoring.mark_not_run(engine.plan, submission.problem)
            yield score(submission, outcomes, submission.problem, 0.0)
    waiting = {id(submission): submission for submission in submissions if submission.problem is None}
    for graded in engine.grade(list(waiting.values())):
        del waiting[id(graded.submission)]
        yield score(graded.submission, graded.outcomes, graded.note, graded.seconds, graded.remarks)
    if waiting:
        found = f"the engine returned nothing for {len(waiting)} of {len(submissions)} submissions"
        raise EngineError(assignment.name, found, "run the same command again; if it recurs, report it")
