"""Everything in a graded class that needs a human look, grouped by cause."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from autograder.graded import standing
from autograder.graded.records import Move, Record
from autograder.graded.standing import Standing
from autograder.reports import wording
from autograder.reports.statistics import Item
from helpers import statuses
from helpers.statuses import Status
from helpers.wording import number

_WAITS = re.compile(r"^Waits for a decision: ")
_PLACE = re.compile(r"^\S+\.py, line \d+: ")


@dataclass(frozen=True)
class Group:
    """Students, or tests, that one cause concerns.

    Attributes
    ----------
    cause : str
        In words; empty where nothing tells them apart.
    members : tuple of str
        Names of students, or titles of tests.
    """

    cause: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class Look:
    """Something that a person should look at, and whom or what it concerns, the commonest cause first."""

    what: str
    why: str
    groups: tuple[Group, ...]

    @property
    def count(self) -> int:
        """How many students or tests it concerns, each of them once."""
        return len({member for group in self.groups for member in group.members})


Causes = Callable[[Record], Iterable[str]]


def looks(records: Sequence[Record], items: Sequence[Item], moves: Sequence[Move] = ()) -> list[Look]:
    """Return what needs a human look, the most urgent first; nothing that concerns nobody.

    Parameters
    ----------
    records : sequence of Record
        Of one assignment.
    items : sequence of Item
        What the results say about its tests.
    moves : sequence of Move
        What a regrade that waits to be accepted would change.
    """
    points = number
    waiting = [f"{move.student}: {points(move.before)} → {points(move.after)}" for move in moves]
    unpassed = [item.title for item in items if item.judged and item.passed == 0]
    perverse = [item.title for item in items if item.is_perverse]
    found = [
        Look(
            "Waits for your decision", "More than one file could be meant.", _by(records, _undecided_hand_ins)
        ),
        Look(
            "Written for a newer Python",
            "Grade again with that Python, for example: make grade PYTHON=python3.13.",
            _by(records, _newer_pythons),
        ),
        Look(
            "Checks without a result",
            "Grading stopped; run the same command again.",
            _by(records, _interruptions),
        ),
        Look(
            "The suite failed",
            "An error of a test, not of a student: correct it, grade again.",
            _by(records, _faults),
        ),
        Look("A regrade waits", "The old points count until you accept the new ones.", _plain(waiting)),
        Look(
            "Not fully confined",
            "Grade again on a machine with a full sandbox.",
            _by(records, _weak_sandboxes),
        ),
        Look(
            "Nothing could be checked",
            "A wrong file, or a mistake that one line would fix?",
            _by(records, _stop_reasons),
        ),
        Look("Nothing was handed in", "No points, rather than 0.", _by(records, _missing_hand_ins)),
        Look("Excused", "As the roster says.", _by(records, _excuses)),
        Look("Crashed or out of memory", "Often an endless loop, rarely an attack.", _by(records, _crashes)),
        Look("Decided by a person", "These points are overridden.", _by(records, _decisions)),
        Look("Answers changed since they were scored", "Read them again.", _by(records, _changed_answers)),
        Look(
            "Written answers not scored yet",
            "Read them: autograder answers.",
            _by(records, _unscored_answers),
        ),
        Look("Tests that nobody passed", "Is the task too hard, or the test wrong?", _plain(unpassed)),
        Look("Tests that good students fail", "Students who pass do worse elsewhere.", _plain(perverse)),
    ]
    return [look for look in found if look.groups]


def notes(records: Sequence[Record]) -> tuple[Group, ...]:
    """Return what was said about the files of submissions, such as what was guessed, and of whom."""
    return _by(records, _notes)


def _plain(members: Sequence[str]) -> tuple[Group, ...]:
    return (Group("", tuple(members)),) if members else ()


def _by(records: Sequence[Record], causes: Causes) -> tuple[Group, ...]:
    """Group students by cause, the commonest first; who has several causes stands in several groups."""
    members: dict[str, list[str]] = {}
    for record in records:
        for cause in dict.fromkeys(causes(record)):
            members.setdefault(cause, []).append(record.name or record.student)
    ordered = sorted(members.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return tuple(Group(cause, tuple(names)) for cause, names in ordered)


# Why a record needs a look: the causes, none if it does not


def _undecided_hand_ins(record: Record) -> Iterable[str]:
    if standing.standing_of(record) is Standing.undecided:
        yield _WAITS.sub("", record.result.stop_reason or "")


def _newer_pythons(record: Record) -> Iterable[str]:
    if record.result.needs_python:
        yield f"Python {record.result.needs_python}".replace("Python newer", "apparently")


def _interruptions(record: Record) -> Iterable[str]:
    if any(test.is_cut_off for test in record.result.tests):
        yield ""


def _faults(record: Record) -> Iterable[str]:
    return [test.fault for test in record.result.tests if test.fault]


def _weak_sandboxes(record: Record) -> Iterable[str]:
    level = record.result.sandbox.level
    if level != "full":
        yield f"sandbox {level}"


def _stop_reasons(record: Record) -> Iterable[str]:
    if standing.standing_of(record) is Standing.not_run and not _is_decided(record):
        yield _PLACE.sub("", wording.summarize(record.result))


def _missing_hand_ins(record: Record) -> Iterable[str]:
    if standing.standing_of(record) is Standing.absent:
        yield ""


def _excuses(record: Record) -> Iterable[str]:
    if record.excused:
        yield ""


def _crashes(record: Record) -> Iterable[str]:
    for test in record.result.tests:
        if test.status in (Status.crashed, Status.memory) and not test.is_cut_off:
            yield test.feedback.summary if test.feedback else statuses.WORDS[test.status].word


def _notes(record: Record) -> Iterable[str]:
    reason = record.result.stop_reason
    return [note for note in record.result.all_notes if note != reason]


def _decisions(record: Record) -> Iterable[str]:
    for override in record.overrides:
        yield f"by {override.by}: {override.reason}"


def _changed_answers(record: Record) -> Iterable[str]:
    return [one.answer.title for one in record.written if one.has_changed]


def _unscored_answers(record: Record) -> Iterable[str]:
    return [one.answer.title for one in record.waiting] if standing.has_points(record) else []


def _is_decided(record: Record) -> bool:
    """Tell whether a person decided the whole score, so that it no longer matters what ran."""
    return any(override.task is None for override in record.overrides)
