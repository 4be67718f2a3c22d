"""The result of intake for each hand-in, in a word and a sentence, before anything is graded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from autograder.intake.submission import ClassHandin, Submission


class IntakeStatus(StrEnum):
    """What became of a hand-in."""

    asked = "as asked"
    found = "found"
    partial = "in part"
    waiting = "waits"
    unreadable = "cannot be graded"
    nothing = "nothing handed in"
    excused = "excused"


@dataclass(frozen=True)
class OverviewRow:
    """One student.

    Attributes
    ----------
    student, name : str
        As in results, and for people to read.
    outcome : Outcome
        What became of the hand-in.
    files : tuple of str
        What will be graded, by the names that are asked for.
    remarks : tuple of str
        Where that was found, what was guessed, and what was left out.
    candidates : tuple of str
        What there is to choose from.
    """

    student: str
    name: str
    outcome: IntakeStatus
    files: tuple[str, ...]
    remarks: tuple[str, ...]
    candidates: tuple[str, ...] = ()


def rows(handin: ClassHandin) -> list[OverviewRow]:
    """Return a row for each student, in order of their names."""
    return [_row(one) for one in handin.submissions]


def _row(one: Submission) -> OverviewRow:
    remarks = (*([one.problem] if one.problem else []), *one.broken.values(), *one.notes)
    return OverviewRow(one.student, one.name, _outcome(one), tuple(one.files), remarks, one.undecided)


def _outcome(one: Submission) -> IntakeStatus:
    if one.undecided:
        return IntakeStatus.waiting
    if one.excused:
        return IntakeStatus.excused
    if one.problem is not None:
        return IntakeStatus.nothing if one.absent else IntakeStatus.unreadable
    if one.broken:
        return IntakeStatus.partial
    return IntakeStatus.found if one.taken else IntakeStatus.asked


def summary(found: Sequence[OverviewRow]) -> str:
    """Return the sentence that closes the list.

    Examples
    --------
    >>> summary([OverviewRow("ada", "", IntakeStatus.asked, ("knn.py",), ())])
    '1 student: 1 as asked.'
    """
    counted = Counter(row.outcome for row in found)
    parts = [f"{counted[outcome]} {outcome}" for outcome in IntakeStatus if counted[outcome]]
    return f"{len(found)} student{'' if len(found) == 1 else 's'}: {', '.join(parts)}."
