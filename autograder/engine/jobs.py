"""Messages between the command line and the grader host: plans, jobs and outcomes as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from autograder.engine.wire.frames import Budget
from autograder.graded.results import Feedback
from autograder.scoring import Fault, Outcome, PlannedTest
from helpers.statuses import Status

JOB_BUDGET: Final = Budget(header_bytes=256 << 20, buffer_bytes=0, buffers=0)
"""Both ends are ours, so the budget only keeps a mistake from using up the memory."""
_SECONDS_DIGITS: Final = 4
"""Of CPU seconds: clocks count hundreds of microseconds or less, and results stay short."""


@dataclass(frozen=True)
class Remarks:
    """What grading a submission found out about its files.

    Attributes
    ----------
    notes : tuple of str
        Sentences for the student's page and the report.
    needs_python : str
        The newer Python that a file is written for, such as ``"3.13"``, or ``"newer"`` where that can only be
        guessed; empty if there is none.
    """

    notes: tuple[str, ...] = ()
    needs_python: str = ""


NO_REMARKS = Remarks()


def dump_test(test: PlannedTest) -> dict[str, Any]:
    """Return a planned test as plain data."""
    return vars(test) | {"weight": [test.weight.numerator, test.weight.denominator]}


def load_test(plain: dict[str, Any]) -> PlannedTest:
    """Make a planned test again from plain data."""
    return PlannedTest(**plain | {"weight": Fraction(*plain["weight"])})


def round_seconds(seconds: float) -> float:
    """Round the CPU seconds of a test, for its outcome."""
    return round(seconds, _SECONDS_DIGITS)


def dump_outcome(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as plain data."""
    feedback = outcome.feedback.model_dump() if outcome.feedback else None
    fault = vars(outcome.fault) if outcome.fault else None
    return vars(outcome) | {"status": outcome.status.value, "feedback": feedback, "fault": fault}


def load_outcome(plain: dict[str, Any]) -> Outcome:
    """Make an outcome again from plain data."""
    feedback = Feedback.model_validate(plain["feedback"]) if plain["feedback"] else None
    fault = Fault(**plain["fault"]) if plain["fault"] else None
    return Outcome(**plain | {"status": Status(plain["status"]), "feedback": feedback, "fault": fault})
