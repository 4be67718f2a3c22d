"""Turn the exception of a test into feedback that the student may read.

Public tests run in the notebook too, so their failures are shown whole. Of a hidden test the student
sees what its author wrote, shapes and the first wrong index; never a value, never text that student
code made up after it saw hidden inputs.
"""

from __future__ import annotations

import builtins
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import pytest

from autograder.engine import messages, newer
from autograder.engine.link import End, ReportedPlace, StudentError, WorkerEnded
from autograder.engine.wire.values import MAX_DEPTH
from autograder.errors import AutograderError
from autograder.graded.results import Feedback, Location
from autograder.scoring import Fault
from helpers.statuses import Status
from helpers.submission.problems import Problem
from helpers.testing import causes
from helpers.testing.failures import CheckFailure, value_in_form
from helpers.wording import sentence

Tier = Literal["public", "hidden"]

SUITE_FAILED = (
    "This check stopped with an error of its own, so it could not judge your code. "
    "Your instructor can see this and has to correct the check."
)
SLOW = "Either a loop never ends, or the work is too much: more steps or larger tensors than the task needs."
NOT_IMPORTED = "The file could not be imported, so no check ran."

_MAX_SUMMARY: Final = 600
"""Characters of a sentence to a student: some lines of the page."""
_MAX_FAULT: Final = 300
"""Characters of what a suite's own error says, for the instructor's table."""
_MOST_LENGTHS: Final = 8
"""Of a wrong shape: how many more there are could carry hidden data out, and no task asks for so many."""
_ENOUGH_OF_LIMIT: Final = 0.5
"""Share of its CPU time from which on a killed worker ran out of it: what is read may lag behind."""
_EXCEPTIONS = {
    name
    for name, item in vars(builtins).items()
    if isinstance(item, type) and issubclass(item, BaseException)
}
_REFUSED = (
    *(f"a subclass of {name}" for name in ("tuple", "list", "dict", "int", "float", "str", "torch.Tensor")),
    *("a nested tensor", "a tensor of layout", "a tensor on device", "a tensor of dtype", "a numpy dtype"),
    *(
        f"nested deeper than {MAX_DEPTH} levels",
        "that contains itself",
        "larger than the budget of one message",
    ),
)
"""What the wire says of values that it refuses, as far as it does not depend on the value."""
_NO_ATTRIBUTE = re.compile(
    r"(?:module '\w+'|(?:type object )?'(?P<owner>\w+)'(?: object)?) has no attribute '(?P<name>\w+)'"
)
_MEMORY = re.compile(r"can't allocate memory|not enough memory|out of memory", re.IGNORECASE)


@dataclass(frozen=True)
class Exit:
    """How a worker process ended, as the operating system accounted it.

    Attributes
    ----------
    signal : int
        The signal that ended it, or 0.
    code : int
        Its exit status, if no signal did.
    cpu_seconds : float
        CPU time that it used in all.
    """

    signal: int
    code: int
    cpu_seconds: float


@dataclass(frozen=True)
class Known:
    """What the grader knows of a submission without asking its code.

    Attributes
    ----------
    words : frozenset of str
        Every name in its files.
    missing : dict of str to str
        Names that its stub defines and it does not, such as ``"Linear.backward"``, to their file.
    """

    words: frozenset[str] = frozenset()
    missing: Mapping[str, str] = field(default_factory=dict)


def judge(error: BaseException, tier: Tier, known: Known = Known()) -> tuple[Status, Feedback]:
    """Return how a test ended that raised `error`, and what the student reads about it."""
    if isinstance(error, CheckFailure):
        return Status.failed, _explain_failure(error, tier)
    if isinstance(error, StudentError):
        return _judge_student_error(error, tier, known)
    if isinstance(error, WorkerEnded):
        return _judge_crash(error)
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and _MEMORY.search(str(error))):
        summary = (
            "The check ran out of memory on what your code returned; return no more than the task asks for."
        )
        return Status.memory, Feedback(summary=summary)
    if not isinstance(error, AssertionError | pytest.fail.Exception):
        return Status.suite_error, Feedback(summary=SUITE_FAILED)
    if tier == "public":
        summary = f"The check does not hold: {_first_line(error)}"
        return Status.failed, Feedback(summary=summary[:_MAX_SUMMARY])
    return Status.failed, Feedback(summary="The check does not hold.")


def describe_fault(error: BaseException, place: str) -> Fault:
    """Return what the author of a suite reads about an exception that is neither a check's nor a student's.

    Parameters
    ----------
    place : str
        File and line in the suite.
    """
    if isinstance(error, AutograderError):
        return Fault(place, f"{error.where} {error.found}", error.remedy)
    if isinstance(error, pytest.FixtureLookupError):
        return Fault(place, f"there is no fixture {error.argname!r}")
    said = " ".join(str(error).split())
    name = type(error).__name__
    return Fault(place, (f"{name}: {said}" if said else name)[:_MAX_FAULT])


class ImportFailed(Exception):
    """A submission cannot be imported, so no test runs; its `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.sentence)
        self.problem = problem


def explain_import(problem: Problem, needs_python: str = "") -> Feedback:
    """Return what a student reads where a submission could not be imported, so that no test ran.

    Parameters
    ----------
    needs_python : str
        The newer Python that the file is written for, if it is.
    """
    where = f"{problem.place}, line {problem.line}: " if problem.line else ""
    if needs_python:
        return Feedback(
            summary=f"Waits for a decision: {where}{problem.error.rstrip('.')}. "
            f"{newer.describe(needs_python)}; your instructor has been told."
        )
    return Feedback(summary=f"{where}{problem.error.rstrip('.')}. {NOT_IMPORTED}", likely_cause=problem.cause)


def explain_stub(problem: Problem) -> Feedback:
    """Return what a student reads of a test that met the stub of a module that could not be imported."""
    return Feedback(summary=problem.sentence, likely_cause=problem.cause)


def explain_end(error: WorkerEnded, exit: Exit | None, cpu_limit: int) -> str:
    """Return one sentence on why a worker is gone, from what the operating system says of it."""
    if error.end is End.timeout:
        return f"Your code did not finish within the time limit. {SLOW}"
    if exit is None or error.end is not End.crashed:
        return "Your code broke the connection to the grader, so the check stopped."
    if _ran_out_of_time(exit, cpu_limit):
        return f"Your code used up its {cpu_limit} seconds of CPU time. {SLOW}"
    if exit.signal:
        return f"Your code ended the Python process with signal {exit.signal}{_explain_signal(exit.signal)}."
    return f"Your code ended the Python process (exit status {exit.code}) instead of returning."


def judge_end(error: WorkerEnded, exit: Exit | None, cpu_limit: int) -> Status:
    """Return whether a worker that is gone ran out of time or crashed."""
    out_of_time = error.end is End.timeout or (exit is not None and _ran_out_of_time(exit, cpu_limit))
    return Status.timeout if out_of_time else Status.crashed


def was_killed(exit: Exit | None, cpu_limit: int) -> bool:
    """Tell whether a worker was killed by something else than its limit on CPU time."""
    return exit is not None and exit.signal == signal.SIGKILL and not _ran_out_of_time(exit, cpu_limit)


def _explain_signal(number: int) -> str:
    """Say in brackets what a signal means, in the words of the operating system, if it knows it."""
    words = signal.strsignal(number) if number in signal.valid_signals() else None
    return f" ({words.lower()})" if words else ""


def _ran_out_of_time(exit: Exit, cpu_limit: int) -> bool:
    """Tell whether the kernel ended a worker for its CPU time.

    It sends SIGXCPU, and SIGKILL a second later to code that ignores that.
    """
    return exit.signal == signal.SIGXCPU or (
        exit.signal == signal.SIGKILL and exit.cpu_seconds >= cpu_limit * _ENOUGH_OF_LIMIT
    )


def _judge_crash(error: WorkerEnded) -> tuple[Status, Feedback]:
    return Status.crashed, Feedback(summary=str(error))


def _explain_failure(error: CheckFailure, tier: Tier) -> Feedback:
    expected, actual = error.expected, error.actual
    if tier == "public":
        expected = value_in_form(error.expected_value, expected)
        actual = value_in_form(error.actual_value, actual)
    elif actual is not None and error.actual_dims is not None:
        actual = _mask_lengths(actual, error.actual_dims, error.expected_dims or ())
    return Feedback(
        summary=sentence(f"{error.what}: {error.problem}.")[:_MAX_SUMMARY],
        likely_cause=error.likely_cause,
        expected=expected,
        actual=actual,
        first_wrong=error.first_wrong if tier == "public" else _place_only(error.first_wrong),
        location=_location(cause.place) if isinstance(cause := error.__cause__, StudentError) else None,
        slip=error.slip,
    )


def _place_only(first_wrong: str | None) -> str | None:
    """Leave out how many entries are wrong: a number that student code could choose."""
    return first_wrong.partition(";")[0] if first_wrong else None


def _mask_lengths(text: str, actual: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """Replace lengths that say more than "not what was expected": a shape could carry hidden data out."""
    plain = {0, 1, *expected}
    shown = ", ".join(str(length) if length in plain else "?" for length in actual[:_MOST_LENGTHS])
    comma = "," if len(actual) == 1 else ""
    return text.replace(str(tuple(actual)), f"({shown}{comma})")


def _judge_student_error(error: StudentError, tier: Tier, known: Known) -> tuple[Status, Feedback]:
    location = _location(error.place)
    gone = _missing_name(error, known)
    if gone is not None:
        return Status.failed, gone
    if error.refused:
        said = error.message if tier == "public" else _kind_of_refusal(error.message)
        said = f" ({said})" if said else ""
        summary = f"Your code returned what checks cannot accept{said}; return plain tensors and numbers."
        return Status.failed, Feedback(summary=summary[:_MAX_SUMMARY], location=location)
    if "MemoryError" in error.bases or _MEMORY.search(error.message):
        summary = "Your code ran out of memory; look for a tensor that is much larger than its result."
        return Status.memory, Feedback(summary=summary, location=location)
    if error.type_name == "NotImplementedError":
        return Status.not_implemented, Feedback(summary="Not implemented yet.", location=location)
    cause = causes.likely_cause(error.message)
    if tier == "hidden":
        name = error.type_name if error.type_name in _EXCEPTIONS else "a custom exception"
        message = messages.shown_message(error.type_name, error.message, known.words)
        summary = f"Your code raised {name}{f': {message}' if message else '.'}"
    else:
        message = f": {error.message}" if error.message else ""
        summary = f"Your code raised {error.type_name}{message}"
    unfinished = causes.is_unfinished(error.message)
    summary = summary[:_MAX_SUMMARY]
    return Status.raised, Feedback(
        summary=summary, likely_cause=cause, location=location, unfinished=unfinished
    )


def _missing_name(error: StudentError, known: Known) -> Feedback | None:
    """Return what to say where a test asked for a name of the stub that the submission lacks."""
    found = _NO_ATTRIBUTE.fullmatch(error.message) if error.type_name == "AttributeError" else None
    if found is None or error.place is not None:
        return None
    name = f"{found['owner']}.{found['name']}" if found["owner"] else found["name"]
    file = known.missing.get(name)
    if file is None:
        return None
    return Feedback(summary=f"There is no {name} in {file}.", likely_cause=causes.RENAMED)


def _kind_of_refusal(message: str) -> str:
    """Return what of a refusal may be read of a hidden test: one of a few fixed texts, or nothing."""
    return next((kind for kind in _REFUSED if kind in message), "")


def _location(place: ReportedPlace | None) -> Location | None:
    return Location(file=place.file, line=place.line, function=place.function) if place else None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or ["an assertion failed"])[0]
