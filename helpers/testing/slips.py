"""One slip that ends in exceptions costs no more than another: functions are asked once more, without it.

A suite says how it asks again: of one answer (`ask_again`), or of all that a check looks at
(`check_but_for`). In `helpers.testing.asking` are ways that all suites share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from helpers.testing.failures import CheckFailure
from helpers.testing.tolerances import coarse

_MAX_MESSAGE = 200


@dataclass
class _Noted:
    """What was noted in a block: the first exception that a second call did not raise, and its cause."""

    error: Exception | None = None
    what: str = ""
    problem: str = ""
    cause: str = ""


_noted: ContextVar[_Noted | None] = ContextVar("noted", default=None)


def ask_again(
    first: Callable[[], Any], *again: Callable[[], Any], what: str = "", problem: str = "", says: str = ""
) -> Any:
    """Return what a call gives; if it raises, what the next gives that asks the same in another way.

    Parameters
    ----------
    first, *again : callable
        The calls, without parameters. What the others return is in the form of what `first` should.
    what, problem, says : str, optional
        What the student reads if only another call is answered: which call it was, what it ended in, and the
        cause. Checks of rules, for which it does not matter how a function is called, say nothing.

    Raises
    ------
    Exception
        What the first call raised, if all of them raise.

    Examples
    --------
    >>> ask_again(lambda: [][0], lambda: 3, what="the call", problem="an exception", says="no entry")
    3
    """
    try:
        return first()
    except Exception as error:
        raised = error
    for call in again:
        with suppress(Exception):
            answer = call()
            note_error(raised, what, problem, says)
            return answer
    raise raised


@contextmanager
def one_slip() -> Iterator[None]:
    """Tell a function that is right but for one thing that ends in exceptions from one that is wrong.

    If a function had to be asked once more in this block, the block fails. If all that it checks holds, the
    failure is a slip (`helpers.credit`), whose cause is what was different. A failure that shows another slip
    is passed on. If more is wrong, the exception of the function is raised, as if it had not been asked
    again: nothing is gained by it. Answers from float32 need only the accuracy of float32.

    Raises
    ------
    CheckFailure
        If the function was right, but not as it was asked first.

    Examples
    --------
    >>> import torch
    >>> from helpers.testing import checks
    >>> from helpers.testing.asking import ask
    >>> with one_slip():
    ...     found = ask(lambda x: x @ torch.ones(len(x)), torch.ones(3, dtype=torch.float64))
    ...     checks.close(found, torch.tensor(3.0, dtype=torch.float64), what="the sum")
    Traceback (most recent call last):
        ...
    helpers.testing.failures.CheckFailure: the call in float64: an exception; in float32 all of this is right
      found: RuntimeError: dot : expected both vectors to have same dtype, but found Double and Float
      likely cause: float32 and float64 are mixed; make new tensors with dtype=x.dtype
    """
    noted, wrong = _Noted(), False
    outside, fine = _noted.set(noted), coarse.set(False)
    try:
        yield
    except AssertionError as failure:
        if noted.error is None or isinstance(noted.error, CheckFailure) or getattr(failure, "slip", False):
            raise
        wrong = True
    finally:
        coarse.reset(fine)
        _noted.reset(outside)
    if isinstance(noted.error, CheckFailure):
        raise noted.error
    if noted.error is not None:
        if wrong:
            raise noted.error
        found = _describe(noted.error)
        raise CheckFailure(
            noted.what, noted.problem, actual_value=found, likely_cause=noted.cause, slip=True
        ) from noted.error


@dataclass(frozen=True)
class Slip:
    """One thing that may be all that is wrong with a function, and a check that leaves it out.

    Attributes
    ----------
    cause : str
        What is wrong then, in words for students.
    again : callable
        Checks the same of the function, so that this one thing makes no difference.
    sign : str, optional
        What an exception of the student's code must say that comes of it; may be empty. By default the slip
        is looked for after wrong values, too.
    """

    cause: str
    again: Callable[[], object]
    sign: str | None = None


def check_but_for(check: Callable[[], object], *slips: Slip, what: str) -> None:
    """Run a check; if it fails, or the student's code raises, find out whether one slip is all that is wrong.

    The check of each slip is run in turn. If one holds, the failure is a slip with this cause. If one fails
    by another slip, and the first failure showed none, that one is reported.

    Parameters
    ----------
    check : callable
        Checks the student's function.
    *slips : Slip
        What may be all that is wrong.
    what : str
        What was called, for the report of an exception.

    Raises
    ------
    CheckFailure
        If the check fails, or raises but for a slip.
    Exception
        What the check raised, if more is wrong.

    Examples
    --------
    >>> def without_padding():
    ...     assert True
    >>> check_but_for(lambda: [][1], Slip("one place too many", without_padding), what="the call")
    Traceback (most recent call last):
        ...
    helpers.testing.failures.CheckFailure: the call: an exception; but for one slip all of this is right
      found: IndexError: list index out of range
      likely cause: one place too many
    """
    try:
        check()
        return
    except Exception as error:
        first = error
    failed = isinstance(first, CheckFailure)
    other: CheckFailure | None = None
    for slip in slips:
        if slip.sign is not None and (failed or slip.sign not in message_of(first)):
            continue
        try:
            slip.again()
        except CheckFailure as failure:
            other = other or (failure if failure.slip else None)
        except Exception:
            continue  # it is the first one that is reported
        else:
            raise _but_for(slip, first, what) from (None if failed else first)
    if other is not None and not getattr(first, "slip", False):
        raise other from (None if failed else first)
    raise first


def _but_for(slip: Slip, first: Exception, what: str) -> CheckFailure:
    """Return the report of a slip: that of the first failure, but for its cause."""
    if isinstance(first, CheckFailure):
        told = {name: value for name, value in vars(first).items() if name not in ("what", "problem")}
        return CheckFailure(first.what, first.problem, **{**told, "likely_cause": slip.cause, "slip": True})
    problem = "an exception; but for one slip all of this is right"
    return CheckFailure(what, problem, actual_value=_describe(first), likely_cause=slip.cause, slip=True)


def note(slip: CheckFailure) -> None:
    """Have the block of `one_slip` around this fail by a slip if all else that it checks is right.

    This is for what is wrong, but can be set right for the rest of the check, such as the name of something.
    Outside of such a block nothing happens.
    """
    note_error(slip, slip.what, slip.problem, slip.likely_cause or "")


def note_error(error: Exception, what: str, problem: str, cause: str) -> None:
    """Tell the block around a call that an answer came when it was asked once more."""
    noted = _noted.get()
    if noted is not None and noted.error is None:
        noted.error, noted.what, noted.problem, noted.cause = error, what, problem, cause


def is_in_block() -> bool:
    """Tell whether there is a block of `one_slip` around a call."""
    return _noted.get() is not None


def message_of(error: Exception) -> str:
    """Return what an exception says, be it of this process or brought from another one."""
    carried = getattr(error, "message", None)
    return carried if type(carried) is str else str(error)


def _describe(error: Exception) -> str:
    carried = getattr(error, "type_name", None)
    name = carried if type(carried) is str else type(error).__name__
    return f"{name}: {message_of(error)}"[:_MAX_MESSAGE]
