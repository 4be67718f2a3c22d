"""One slip that ends in exceptions costs no more than another: functions are asked once more, without it.

A function that mixes float32 and float64 is asked in the other of them, one that takes for granted that
points are images is asked about images, and a suite may ask again in a way of its own (`ask_again`, of one
answer, and `check_but_for`, of all that a check looks at).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch

from helpers.testing import causes
from helpers.testing.comparison import dtype_name, plain_tuple
from helpers.testing.failures import CheckFailure
from helpers.testing.tolerances import coarse

OTHER = {torch.float32: torch.float64, torch.float64: torch.float32}
"""The two precisions, each with the other."""
SHAPED = "points may have any shape; x.reshape(len(x), -1) makes a row of each"
"""What a function takes for granted that answers about images only."""
_MAX_MESSAGE = 200


@dataclass
class _Noted:
    """What was noted in a block: the first exception that a second call did not raise, and its cause."""

    error: Exception | None = None
    what: str = ""
    problem: str = ""
    cause: str = ""


_noted: ContextVar[_Noted | None] = ContextVar("noted", default=None)


def ask(function: Callable[..., Any], /, *args: object, **kwargs: object) -> Any:
    """Call a student's function; if it mixes float32 and float64, call it once more in the other of them.

    It is called on the arguments as they are. If it raises an exception that says that both are mixed, it is
    called on copies in which every floating-point tensor, in lists, tuples and dicts as well, is in the other
    precision. What it returns is then given back in the precision of the arguments, and what it changes in
    place is changed in them.

    Used alone, this is for checks for which the precision does not matter, as those of rules. Wrong values
    are as wrong as ever. `one_slip` is for all others.

    Raises
    ------
    Exception
        What the function raised first, if it raises in the other precision as well, or did not mix.

    Examples
    --------
    >>> def total(x):
    ...     return x @ torch.ones(len(x))
    >>> ask(total, torch.ones(3, dtype=torch.float64))
    tensor(3., dtype=torch.float64)
    """
    given: list[Any] = [args, kwargs]
    mine, before = _tensors(given), _copy(given)
    try:
        return function(*args, **kwargs)
    except Exception as error:
        asked = next((one.dtype for one in _tensors(before) if one.dtype in OTHER), None)
        if asked is None or causes.likely_cause(_message(error)) != causes.MIXED:
            raise
        first = error
    again = _copy(before, other=True)
    handed, fresh = _tensors(again), _tensors(_copy(again))
    answer = None
    with suppress(Exception):
        answer = [function(*again[0], **again[1])]
    if answer is None:
        raise first
    for one, now, was in zip(mine, handed, fresh, strict=True):
        if not torch.equal(now, was):
            one.data = now.to(one.dtype)
    coarse.set(coarse.get() or (_noted.get() is not None and OTHER[asked] is torch.float32))
    here, there = dtype_name(asked), dtype_name(OTHER[asked])
    _note(first, f"the call in {here}", f"an exception; in {there} all of this is right", causes.MIXED)
    return _map(answer[0], lambda x: x.to(asked) if x.dtype == OTHER[asked] else x)


def ask_points(function: Callable[..., Any], /, *args: object, **kwargs: object) -> Any:
    """Call a student's function about points; if it raises, call it once more with the points as images.

    A point may have any shape, and the ways to forget that (``x.shape[3]``, ``dim=(1, 2, 3)``) end in an
    exception where points are rows of features. The function is then called on copies in which every
    floating-point tensor of shape (N, D) has the shape (N, D, 1, 1). What it changes in place is not changed
    in the arguments.

    Used alone, this is for checks for which the shape of points does not matter, as those of rules.
    `one_slip` is for all others.

    Raises
    ------
    Exception
        What the function raised first, if it raises for images as well.
    """
    before = _copy([args, kwargs])
    again = _map(before, lambda x: x[..., None, None] if x.dim() == 2 and x.dtype in OTHER else x)
    return ask_again(
        lambda: function(*args, **kwargs),
        lambda: function(*again[0], **again[1]),
        what="the call with flat points",
        problem="an exception; with images all of this is right",
        says=SHAPED,
    )


def ask_again(
    first: Callable[[], Any], again: Callable[[], Any], *, what: str, problem: str, says: str
) -> Any:
    """Return what a call gives; if it raises, what another gives that asks the same in another way.

    Parameters
    ----------
    first, again : callable
        The two calls, without parameters. What `again` returns is in the form of what `first` should.
    what, problem, says : str
        What the student reads if only the second call is answered: which call it was, what it ended in, and
        the cause.

    Raises
    ------
    Exception
        What the first call raised, if the second raises as well.

    Examples
    --------
    >>> ask_again(lambda: [][0], lambda: 3, what="the call", problem="an exception", says="no entry")
    3
    """
    try:
        return first()
    except Exception as error:
        raised = error
    answer = None
    with suppress(Exception):
        answer = [again()]
    if answer is None:
        raise raised
    _note(raised, what, problem, says)
    return answer[0]


@contextmanager
def one_slip() -> Iterator[None]:
    """Tell a function that is right but for one thing that ends in exceptions from one that is wrong.

    If `ask`, `ask_points` or `ask_again` had to ask once more in this block, the block fails. If all that it
    checks holds, the failure is a slip (`helpers.credit`), whose cause is what was different. A failure that
    shows another slip is passed on. If more is wrong, the exception of the function is raised, as if it had
    not been asked again: nothing is gained by it. Answers from float32 need only the accuracy of float32.

    Raises
    ------
    CheckFailure
        If the function was right, but not as it was asked first.

    Examples
    --------
    >>> from helpers.testing import checks
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
        if slip.sign is not None and (failed or slip.sign not in _message(first)):
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


def ask_in_turn(call: Callable[[], Any], *others: Callable[[], Any]) -> Any:
    """Return what the first of several calls gives that raises no exception.

    For checks of rules, for which it does not matter how a function has to be called.

    Raises
    ------
    Exception
        What the first call raised, if all of them raise.

    Examples
    --------
    >>> ask_in_turn(lambda: [][1], lambda: 2)
    2
    """
    try:
        return call()
    except Exception as error:
        first = error
    for other in others:
        with suppress(Exception):
            return other()
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
    _note(slip, slip.what, slip.problem, slip.likely_cause or "")


def _note(error: Exception, what: str, problem: str, cause: str) -> None:
    """Tell the block around a call that an answer came when it was asked once more."""
    noted = _noted.get()
    if noted is not None and noted.error is None:
        noted.error, noted.what, noted.problem, noted.cause = error, what, problem, cause


def _message(error: Exception) -> str:
    """Return what an exception says, be it of this process or brought from another one."""
    carried = getattr(error, "message", None)
    return carried if type(carried) is str else str(error)


def _describe(error: Exception) -> str:
    carried = getattr(error, "type_name", None)
    name = carried if type(carried) is str else type(error).__name__
    return f"{name}: {_message(error)}"[:_MAX_MESSAGE]


def _map(value: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """Return a value with every plain tensor in it changed, in new lists, tuples and dicts."""
    value = plain_tuple(value)
    if type(value) is torch.Tensor and value.layout is torch.strided:
        return change(value)
    if type(value) is list or type(value) is tuple:
        return type(value)(_map(part, change) for part in value)
    if type(value) is dict:
        return {key: _map(part, change) for key, part in value.items()}
    return value


def _tensors(value: Any) -> list[torch.Tensor]:
    """Return the plain tensors in a value, in the order in which `_map` finds them."""
    found: list[torch.Tensor] = []
    _map(value, lambda x: found.append(x) or x)  # type: ignore[func-returns-value]
    return found


def _copy(value: Any, *, other: bool = False) -> Any:
    """Return a value with copies of its tensors that lie alike in memory, or in the other precision."""

    def copy(x: torch.Tensor) -> torch.Tensor:
        whole = x.detach().as_strided((x.untyped_storage().nbytes() // x.element_size(),), (1,), 0)
        dtype = OTHER.get(x.dtype, x.dtype) if other else x.dtype
        return whole.to(dtype, copy=True).as_strided(x.shape, x.stride(), x.storage_offset())

    return _map(value, copy)
