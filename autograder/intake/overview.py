"""What intake made of each hand-in, in a word and a sentence, before anything is graded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from autograder.intake.submission import Handin, Submission


class Outcome(StrEnum):
    """What became of a hand-in."""

    asked = "as asked"
    found = "found"
    partial = "in part"
    waiting = "waits"
    unreadable = "cannot be graded"
    nothing = "nothing handed in"
    excused = "excused"


@dataclass(frozen=True)
class Row:
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
    outcome: Outcome
    files: tuple[str, ...]
    remarks: tuple[str, ...]
    candidates: tuple[str, ...] = ()


def rows(handin: Handin) -> list[Row]:
    """Return a row for each student, in order of their names."""
    return [_row(one) for one in handin.submissions]


def _row(one: Submission) -> Row:
    remarks = (*([one.problem] if one.problem else []), *one.broken.values(), *one.notes)
    return Row(one.student, one.name, _outcome(one), tuple(one.files), remarks, one.undecided)


def _outcome(one: Submission) -> Outcome:
    if one.undecided:
        return Outcome.waiting
    if one.excused:
        return Outcome.excused
    if one.problem is not None:
        return Outcome.nothing if one.absent else Outcome.unreadable
    if one.broken:
        return Outcome.partial
    return Outcome.found if one.taken else Outcome.asked


def summary(found: Sequence[Row]) -> str:
    """Return the sentence that closes the list.

    Examples
    --------
    >>> summary([Row("ada", "", Outcome.asked, ("knn.py",), ())])
    '1 student: 1 as asked.'
    """
    counted = Counter(row.outcome for row in found)
    parts = [f"{counted[outcome]} {outcome}" for outcome in Outcome if counted[outcome]]
    return f"{len(found)} student{'' if len(found) == 1 else 's'}: {', '.join(parts)}."
