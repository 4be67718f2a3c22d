"""Rename results whose students have new names, and remove results from a class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path

from autograder.errors import ConfigError
from autograder.files import private_folder, write_private
from autograder.graded.folder import GradedFolder
from autograder.graded.results import SubmissionResult
from autograder.grading import regrade
from autograder.intake import Submission

REMOVED = "removed"
"""The folder that keeps what was taken out."""


def rename(folder: GradedFolder, submissions: Sequence[Submission]) -> tuple[tuple[str, str], ...]:
    """Give results the names of this run if the same hand-ins were graded under others, with another roster.

    Overrides and scores of answers move along. Where the student has some already, those stay, and the others
    are kept in ``removed/``. Rows of students who handed in nothing go with the roster they came from, if
    nobody decided anything about them. Call it while writing is reserved.

    Returns
    -------
    tuple of (str, str)
        Each old name, and the name of this run.
    """
    students = {one.student for one in submissions}
    results, pending = folder.results(), folder.pending_results()
    renamed = []
    for old in [one for one in results.values() if one.student not in students]:
        if _is_from_roster(folder, old):
            _unlink(_files_of(folder, old.student).values())
            continue
        same = [one for one in submissions if _is_same(old, one)]
        if len(same) == 1:
            names = {"student": same[0].student, "name": same[0].name}
            if same[0].student not in results:
                folder.save(old.model_copy(update=names))
                if old.student in pending:
                    folder.hold(pending[old.student].model_copy(update=names))
            _move_points(folder, old.student, same[0].student)
            renamed.append((old.student, same[0].student))
    return tuple(renamed)


def _is_from_roster(folder: GradedFolder, result: SubmissionResult) -> bool:
    """Tell whether a result only says that somebody on a roster handed in nothing."""
    student = result.student
    return result.handed_in == "nothing" and not folder.overrides(student) and not folder.marks(student)


def _is_same(result: SubmissionResult, submission: Submission) -> bool:
    """Tell whether a result came from the entry of the class folder, and the files, of a submission."""
    if submission.absent:
        return False
    attempts = (*submission.earlier, submission)
    known = result.entries in [list(one.entries) for one in attempts]
    named = not result.entries and any(result.student == one.alias for one in attempts)
    was_waiting = result.handed_in == "undecided"
    return (known or named) and (was_waiting or regrade.same_submission(result, submission))


def _move_points(folder: GradedFolder, old: str, new: str) -> None:
    """Move the overrides and scores of a student to another name, and delete what is left of the old one."""
    sheet = folder.answer_sheet(old)
    if sheet is not None and folder.answer_sheet(new) is None:
        folder.keep_answers(sheet.model_copy(update={"student": new}))
    moves = [
        (folder.override_file(old), folder.override_file(new)),
        (folder.score_file(old), folder.score_file(new)),
    ]
    if any(before.exists() and now.exists() for before, now in moves):
        remove(folder, old)
        return
    for before, now in moves:
        if before.exists():
            private_folder(now.parent)
            write_private(now, before.read_bytes())
    folder.remove_feedback(new)
    _unlink(_files_of(folder, old).values())


def remove(folder: GradedFolder, student: str) -> Path:
    """Take everything about a student out of a graded class; return the folder that keeps it.

    Raises
    ------
    ConfigError
        There is nothing about the student.
    """
    found = _files_of(folder, student)
    if student not in folder.results():
        raise ConfigError(
            str(folder.root), f"holds no result of {student!r}", "write the name as in grades.csv"
        )
    private_folder(folder.root / REMOVED)
    names = (student if number == 1 else f"{student}-{number}" for number in count(1))
    place = next(
        folder.root / REMOVED / name for name in names if not (folder.root / REMOVED / name).exists()
    )
    private_folder(place)
    for kind, path in found.items():
        write_private(place / f"{kind}{path.suffix}", path.read_bytes())
    _unlink(found.values())
    folder.settle()
    return place


def _files_of(folder: GradedFolder, student: str) -> dict[str, Path]:
    """Return the files about a student, by what they are."""
    listed = {
        "overrides": folder.override_file(student),
        "scores": folder.score_file(student),
        "answers": folder.answer_file(student),
        "pending": folder.pending_file(student),
        "feedback": folder.feedback_file(student),
        "feedback-text": folder.feedback_file(student, "md"),
        "result": folder.result_file(student),
    }
    return {kind: path for kind, path in listed.items() if path.is_file()}


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink()
