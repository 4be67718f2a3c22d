"""How a test ended: one vocabulary for notebook and grader, and which tests count."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol


class Status(StrEnum):
    """How one test ended. Everything but ``passed`` earns zero points."""

    passed = "passed"
    failed = "failed"
    """The check did not hold."""
    raised = "raised"
    """The student's code raised an exception."""
    not_implemented = "not_implemented"
    """The function is still the stub: it raised NotImplementedError."""
    timeout = "timeout"
    """The worker used up its CPU seconds or its wall-clock seconds."""
    memory = "memory"
    """The worker hit its memory ceiling."""
    crashed = "crashed"
    """The worker process ended on its own: a signal, ``os._exit``, a broken reply."""
    not_run = "not_run"
    """The submission could not be imported or is incomplete, so no test ran."""
    not_judged = "not_judged"
    """A constraint whose task is not solved: it neither earns nor costs anything beyond the task."""
    suite_error = "suite_error"
    """The test's own code raised an exception: an error of the suite, which its author has to correct."""


Tone = Literal["good", "bad", "quiet"]


@dataclass(frozen=True)
class Word:
    """How a status reads: a symbol, a word for one check, and a phrase that follows a count of checks."""

    symbol: str
    word: str
    counted: str
    tone: Tone


WORDS: Mapping[Status, Word] = {
    Status.passed: Word("✓", "Passed", "passed", "good"),
    Status.failed: Word("✗", "Failed", "failed", "bad"),
    Status.raised: Word("✗", "Raised an error", "raised an error", "bad"),
    Status.not_implemented: Word("○", "Not implemented", "not implemented", "bad"),
    Status.timeout: Word("✗", "Took too long", "took too long", "bad"),
    Status.memory: Word("✗", "Used too much memory", "used too much memory", "bad"),
    Status.crashed: Word("✗", "Crashed", "crashed", "bad"),
    Status.not_run: Word("○", "Not run", "did not run", "bad"),
    Status.not_judged: Word("–", "Not judged", "not judged", "quiet"),  # noqa: RUF001
    Status.suite_error: Word("!", "Not judged: error in the check", "not judged: suite error", "quiet"),
}
WAITS = "it counts once every other check of this task passes"
"""Why a constraint was not judged."""


class TaskTest(Protocol):
    """The facts about a test that the rule below needs."""

    @property
    def id(self) -> str:
        """Its name, unique in the suite."""

    @property
    def task(self) -> str:
        """Id of its task."""

    @property
    def kind(self) -> str:
        """What it checks: ``"value"`` or ``"constraint"``."""


def set_aside(tests: Iterable[TaskTest], passed: Collection[str]) -> frozenset[str]:
    """Return the ids of the constraints that do not count: those of tasks whose values are not right.

    A constraint such as "no loop" is kept to by a stub as well, so it alone must earn nothing.

    Parameters
    ----------
    tests : iterable of TaskTest
        Those of an assignment that are run.
    passed : collection of str
        Ids of those that passed.
    """
    known = tuple(tests)
    unsolved = {test.task for test in known if test.kind == "value" and test.id not in passed}
    return frozenset(test.id for test in known if test.kind == "constraint" and test.task in unsolved)
