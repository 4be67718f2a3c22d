"""Grading again: which results are up to date, and what would change."""

from __future__ import annotations

from collections.abc import Mapping

from autograder.graded.folder import GradedFolder
from autograder.graded.records import Move, MovedTest
from autograder.graded.results import Provenance, SandboxReport, SubmissionResult
from autograder.intake import Submission
from autograder.scoring import is_unfinished


def is_current(
    result: SubmissionResult, submission: Submission, provenance: Provenance, sandbox: SandboxReport
) -> bool:
    """Tell whether grading ``submission`` again could give nothing but ``result``.

    That is so if the files are the same, byte for byte, and so is everything that a regrade must share:
    kit, suite, secret, versions, machine, limits, and the level of the sandbox. A result that came about
    only in part is never current.
    """
    return (
        same_submission(result, submission)
        and result.provenance == provenance
        and result.sandbox.level == sandbox.level
        and not is_unfinished(result)
    )


def is_gone(result: SubmissionResult | None, submission: Submission) -> bool:
    """Tell whether work of an absent student was graded before: it is no longer in the class folder."""
    return submission.absent and result is not None and bool(result.files or result.attempts)


def same_submission(result: SubmissionResult, submission: Submission) -> bool:
    """Tell whether ``result`` came from the very files that ``submission`` holds."""
    if submission.earlier:
        return result.attempts == submission.attempts
    same_problem = submission.problem is None or submission.problem in result.notes
    return not result.attempts and result.files == submission.hashes and same_problem


def compare(before: SubmissionResult, after: SubmissionResult) -> Move | None:
    """Return how the points of two results of one student differ, or None if they do not.

    Points are the score, those of each task, and what the whole is worth. Points that only moved between the
    tests of a task change nothing for the student.
    """
    if _points(before) == _points(after):
        return None
    old, new = _tests(before), _tests(after)
    tests = tuple(
        MovedTest(id, title, old.get((id, title)), new.get((id, title)))
        for id, title in dict.fromkeys([*old, *new])
        if old.get((id, title)) != new.get((id, title))
    )
    return Move(before.student, before.score, after.score, tests)


def pending_moves(folder: GradedFolder) -> tuple[Move, ...]:
    """Return what the results that wait to be accepted would change, in order of students."""
    results = folder.results()
    moves = []
    for student, result in folder.pending_results().items():
        change = compare(results[student], result) if student in results else None
        if change is not None:
            moves.append(change)
    return tuple(moves)


def is_reweighted(before: SubmissionResult, after: SubmissionResult) -> bool:
    """Tell whether tests are worth something else, although no points of the student changed."""
    return compare(before, after) is None and _worth(before) != _worth(after)


def _points(result: SubmissionResult) -> tuple[float, float, dict[str, float]]:
    return result.score, result.max_score, {task.id: task.points for task in result.tasks if task.points}


def _worth(result: SubmissionResult) -> Mapping[str, float]:
    return {test.id: test.max_points for test in result.tests}


def _tests(result: SubmissionResult) -> Mapping[tuple[str, str], float]:
    return {(test.id, test.title): test.points for test in result.tests}
