"""How the public checks ended, in the words that students read."""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Literal

from helpers.credit import WAITS, Judged, assign_credit
from helpers.notebook import reload
from helpers.statuses import WORDS, Status, Word
from helpers.submission.handout import Handout, PublicTest
from helpers.testing import causes
from helpers.testing.failures import CheckFailure, value_in_form
from helpers.wording import sentence


class Interruption(StrEnum):
    """How a check ended that a student or its own length stopped, which only happens in notebooks."""

    stopped = "stopped"


Ending = Status | Interruption
_STOPPED = Word("■", "Stopped", "stopped", "bad")
_MAX_LINES = 12


def word_of(ending: Ending) -> Word:
    """Return how an ending reads."""
    return _STOPPED if isinstance(ending, Interruption) else WORDS[ending]


def read_ending(text: str) -> Ending:
    """Return the ending that another process names."""
    return Interruption(text) if text in Interruption.__members__ else Status(text)


@dataclass(frozen=True)
class Failure:
    """The report on a check that did not pass.

    Attributes
    ----------
    problem : str
        What is wrong, in a sentence; empty where the status says it.
    first_wrong, expected, yours, likely_cause : str or None
        As in `CheckFailure`, the values at the first wrong entry included.
    place : str or None
        ``"knn.py, line 57, in predict_labels"``.
    code : str or None
        That line.
    slip : bool
        Whether one mistake explains the answer, or the answer is nearly right.
    unfinished : bool
        Whether an exception is a sign of work that is not done.
    """

    problem: str
    first_wrong: str | None = None
    expected: str | None = None
    yours: str | None = None
    likely_cause: str | None = None
    place: str | None = None
    code: str | None = None
    slip: bool = False
    unfinished: bool = False

    def facts(self) -> list[tuple[str, str]]:
        """Return the names and texts of what is known beside the problem."""
        named = {
            "First wrong": self.first_wrong,
            "Expected": self.expected,
            "Yours": self.yours,
            "In your file": self.place,
            "That line": self.code,
            "Likely cause": self.likely_cause,
        }
        return [(name, text) for name, text in named.items() if text]


@dataclass(frozen=True)
class PublicOutcome:
    """How one public check ended.

    Attributes
    ----------
    test : PublicTest
        The check.
    status : Ending
        How it ended.
    failure : Failure or None
        None where nothing is to be said.
    points : float
        What it earns; see `give_credit`.
    """

    test: PublicTest
    status: Ending
    failure: Failure | None = None
    points: float = 0.0


@dataclass(frozen=True)
class Report:
    """What one call of the checks found.

    Attributes
    ----------
    handout : Handout
        The assignment.
    outcomes : tuple of PublicOutcome
        Of every check that was asked for.
    checked : str
        Which version of which files ran.
    notes : tuple of str
        Sentences that the student should read before the table.
    problem : Failure or None
        Why nothing ran.
    seconds : float
        Time that the checks took.
    """

    handout: Handout
    outcomes: tuple[PublicOutcome, ...]
    checked: str = ""
    notes: tuple[str, ...] = ()
    problem: Failure | None = None
    seconds: float = 0.0

    @property
    def passed(self) -> int:
        """How many checks passed."""
        return sum(outcome.status is Status.passed for outcome in self.outcomes)

    @property
    def points(self) -> float:
        """What the checks earned."""
        return sum(outcome.points for outcome in self.outcomes)

    @property
    def max_points(self) -> float:
        """What these checks are worth."""
        return sum(outcome.test.points for outcome in self.outcomes)


def judge(test: PublicTest, error: BaseException | None, files: Sequence[Path]) -> PublicOutcome:
    """Return how a check ended that raised `error`; `files` are the student's."""
    if error is None:
        return PublicOutcome(test, Status.passed, points=test.points)
    if isinstance(error, CheckFailure):
        return PublicOutcome(test, Status.failed, _check_failure(error, files))
    place = reload.locate_error(error, files)
    if isinstance(error, KeyboardInterrupt):
        problem = "You stopped it while it ran; if it would not finish, look for a loop that never ends."
        return PublicOutcome(test, Interruption.stopped, _failure_at(problem, place))
    if place is None:
        return PublicOutcome(test, Status.failed, _explain_error(error, _explain_missing_name(error, files)))
    if isinstance(error, NotImplementedError):
        return PublicOutcome(test, Status.not_implemented, Failure("", place=_place_text(place)))
    failure = _failure_at(f"Your code raised {reload.describe_error(error)}", place)
    cause, unfinished = causes.likely_cause(str(error)), causes.is_unfinished(str(error))
    return PublicOutcome(test, Status.raised, replace(failure, likely_cause=cause, unfinished=unfinished))


def give_credit(found: Handout, outcomes: Sequence[PublicOutcome]) -> tuple[PublicOutcome, ...]:
    """Return the outcomes with what each earns, and with rules set aside as `credit` says."""
    worth = {task.id: Fraction(task.points) for task in found.tasks}
    credits = assign_credit((_judge(one) for one in outcomes), worth)
    waiting = Failure(f"{WAITS.capitalize()}.")
    return tuple(
        replace(one, points=float(credits[one.test.id].points))
        if credits[one.test.id].counts
        else PublicOutcome(one.test, Status.not_judged, waiting)
        for one in outcomes
    )


def _judge(outcome: PublicOutcome) -> Judged:
    test, failure = outcome.test, outcome.failure
    slip = failure.likely_cause or "" if failure is not None and failure.slip else None
    done = outcome.status is Status.raised and failure is not None and not failure.unfinished
    raised = failure.place if done and failure is not None else None
    kind: Literal["value", "constraint"] = "value" if test.kind == "value" else "constraint"
    passed = outcome.status is Status.passed
    return Judged(test.id, test.task, kind, Fraction(test.points), passed, slip, raised)


def explain_import(error: BaseException, file: Path) -> Failure:
    """Return why nothing ran: a file of the student's cannot be imported."""
    return _failure_at(
        f"{file.name} cannot be imported: {reload.describe_error(error)}", reload.locate_error(error, [file])
    )


def _check_failure(error: CheckFailure, files: Sequence[Path]) -> Failure:
    """Return the report of a check, with the line of an exception that it reports on."""
    place = None if error.__cause__ is None else reload.locate_error(error.__cause__, files)
    return replace(
        _failure_at(sentence(f"{error.what}: {error.problem}."), place),
        slip=error.slip,
        first_wrong=error.first_wrong,
        expected=value_in_form(error.expected_value, error.expected),
        yours=value_in_form(error.actual_value, error.actual),
        likely_cause=error.likely_cause,
    )


def _explain_missing_name(error: BaseException, files: Sequence[Path]) -> str | None:
    """Return that a file lacks a name, if that is why a check could not go on."""
    if not isinstance(error, AttributeError) or not error.name:
        return None
    owner = error.obj
    for file in files:
        if isinstance(owner, ModuleType) and owner.__name__ == file.stem:
            return f"There is no {error.name} in {file.name}."
        if isinstance(owner, type) and owner.__module__ == file.stem:
            return f"There is no {owner.__name__}.{error.name} in {file.name}."
    return None


def _explain_error(error: BaseException, gone: str | None) -> Failure:
    """Return what is told of an exception that was raised in the check itself."""
    lines = str(error).splitlines()[:_MAX_LINES]
    if gone is not None:
        return Failure(gone, likely_cause=causes.RENAMED)
    if isinstance(error, AssertionError):
        return Failure("The check does not hold: " + ("\n".join(lines) or "an assertion failed."))
    return Failure(f"The check failed on what your code returned: {reload.describe_error(error)}")


def _failure_at(problem: str, place: tuple[str, int, str] | None) -> Failure:
    if place is None:
        return Failure(problem)
    code = linecache.getline(place[0], place[1]).strip()[:200]
    return Failure(problem, place=_place_text(place), code=code or None)


def _place_text(place: tuple[str, int, str]) -> str:
    file, line, function = place
    inside = f", in {function}" if function else ""
    return f"{Path(file).name}, line {line}{inside}"
