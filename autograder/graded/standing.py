"""A student's standing: with points, or without them and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from autograder.graded.records import Record


class Standing(StrEnum):
    """What the gradebook says about a student, in its column ``status``."""

    graded = "graded"
    not_run = "not run"
    """Something was handed in, and no check ran."""
    excused = "excused"
    absent = "nothing handed in"
    undecided = "needs a decision"
    unfinished = "not finished"
    """Some checks have no outcome yet: grading stopped, or the suite failed."""


COUNTED = {
    Standing.excused: "excused",
    Standing.absent: "without a submission",
    Standing.undecided: "waiting for your decision",
    Standing.unfinished: "not graded to the end",
}
"""Phrases that follow a number of students."""
_WITHOUT_POINTS = (Standing.excused, Standing.absent, Standing.undecided)


def standing_of(record: Record) -> Standing:
    """Say where a student stands; a score that a person decided counts for everybody who is not excused.

    An override of a single task is enough where nothing was handed in: there is nothing else to wait for.
    """
    if record.excused:
        return Standing.excused
    if record.result.handed_in == "nothing" and not record.overrides and not record.missing_as_zero:
        return Standing.absent
    if any(override.task is None for override in record.overrides):
        return Standing.graded
    if record.result.handed_in == "undecided":
        return Standing.undecided
    if any(test.is_cut_off or test.fault for test in record.result.tests):
        return Standing.unfinished
    return Standing.graded if record.result.stop_reason is None else Standing.not_run


def has_points(record: Record) -> bool:
    """Tell whether a student has points; otherwise 0 would say something that nobody decided."""
    return standing_of(record) not in _WITHOUT_POINTS


def count_standings(standings: Iterable[Standing]) -> str:
    """Say how many students stand without final points.

    Examples
    --------
    >>> count_standings([Standing.absent, Standing.excused, Standing.absent, Standing.graded])
    '1 excused, 2 without a submission'
    """
    found = Counter(standings)
    return ", ".join(f"{found[one]} {phrase}" for one, phrase in COUNTED.items() if found[one])


def waits_for_scores(record: Record) -> bool:
    """Tell whether a person has to score an answer before the student's points are all there."""
    return bool(record.waiting) and has_points(record)


def written_progress(records: Iterable[Record]) -> str:
    """Say how many written answers are scored, of students who have points; empty if there are no questions.

    An example of what it says: ``"Written answers: 3 of 26 scored, 2 left empty."``
    """
    counted = [record for record in records if has_points(record)]
    written = sum(len(record.written) for record in counted)
    if not written:
        return ""
    waiting = [one for record in counted for one in record.waiting]
    empty = sum(one.answer.status != "answered" for one in waiting)
    scored = f"Written answers: {written - len(waiting)} of {written} scored"
    return f"{scored}, {empty} left empty." if empty else f"{scored}."
