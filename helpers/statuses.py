"""How a test ended: one vocabulary for notebook and grader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


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
    """A constraint whose task has earned less than half of its points for right values: it earns nothing."""
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
