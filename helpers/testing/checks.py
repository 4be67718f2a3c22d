"""Checks of the values that student code returns, for suites and notebooks.

A check never trusts what it looks at: types must be exactly the expected ones, NaN and infinity never pass,
and a value's own methods are not asked. A check that does not hold raises `CheckFailure`, whose text is a
report for the student.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import torch

from helpers.testing import causes, slips
from helpers.testing.changes import change_cause
from helpers.testing.comparison import (
    DICTS,
    REALS,
    Difference,
    Tolerance,
    difference,
    form_difference,
    has_type,
    number_texts,
    plain_tuple,
    type_cause,
    type_name,
)
from helpers.testing.failures import CheckFailure
from helpers.testing.hints import Hints, all_of
from helpers.testing.nearness import does_nothing, is_nearly_right
from helpers.testing.tolerances import Operation

__all__ = [
    "agrees",
    "close",
    "entries",
    "equal",
    "holds",
    "number",
    "parts",
    "raises",
    "scalar",
    "tensor",
    "unchanged",
]

OF_FLOAT32 = 1e-6
"""How far float64 is off, relative to the largest entry, if it was float32 somewhere on the way."""


def close(
    actual: object,
    expected: object,
    *,
    what: str,
    operation: Operation = "arithmetic",
    rtol: float | None = None,
    atol: float | None = None,
    hints: Hints = (),
    origin: object = None,
) -> None:
    """Check that a value has the type, shape and dtype of the expected one and agrees within a tolerance.

    Parameters
    ----------
    actual : object
        What the student's code returned.
    expected : Tensor, ndarray, number, or list, tuple or dict of those
        The right value; must be finite.
    what : str
        What is checked, for the report.
    operation : str
        What the value comes from: a row of the table in `helpers.testing.tolerances`, which says how far
        right answers may differ, by dtype.
    rtol, atol : float, optional
        ``|actual - expected| <= atol + rtol * |expected|`` with these numbers in place of the table's.
    hints : sequence of Hint, or a function that returns one
        Typical mistakes; the first one that gives the actual value becomes the likely cause. A function is
        called only if the answer is wrong, so that right answers need not wait for it.
    origin : Tensor, optional
        What a function returns that does nothing, such as the weights before an update: an answer that is no
        better shows no slip (`helpers.testing.nearness`).

    Raises
    ------
    CheckFailure
        If the values differ, or `actual` holds NaN or infinity.
    ValueError
        If `expected` holds NaN or infinity.

    Examples
    --------
    >>> close(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0]), what="the scores")
    >>> close(float("nan"), 1.0, what="the loss")
    Traceback (most recent call last):
        ...
    helpers.testing.failures.CheckFailure: the loss: wrong value
      expected: 1
      found: nan
    """
    _compare(actual, expected, what, Tolerance(operation, rtol, atol), hints, origin)


def equal(actual: object, expected: object, *, what: str, hints: Hints = (), origin: object = None) -> None:
    """Check that a value equals the expected one exactly: type, shape, dtype and every entry.

    Raises
    ------
    CheckFailure
        If the values differ. NaN equals nothing.

    Examples
    --------
    >>> equal({1: [0.5]}, {1: [0.5]}, what="the accuracies")
    >>> equal(True, 1, what="the label")
    Traceback (most recent call last):
        ...
    helpers.testing.failures.CheckFailure: the label: not an integer
      expected: integer
      found: bool
    """
    _compare(actual, expected, what, Tolerance(exact=True), hints, origin)


def agrees(actual: object, expected: object, *, operation: Operation = "arithmetic") -> bool:
    """Return whether `close` would pass, where more than one answer is right.

    Examples
    --------
    >>> agrees([1, 2.0], [1, 2.0]), agrees(torch.ones(2), torch.ones(3))
    (True, False)
    """
    return difference(plain_tuple(actual), expected, Tolerance(operation)) is None


def entries(actual: object, names: Collection[str], *, what: str) -> dict[Any, Any]:
    """Check that a value is a dict with an entry for each of these names, and return it.

    Raises
    ------
    CheckFailure
        If it is not a dict, or a name is missing; there may be others.

    Examples
    --------
    >>> entries({"W": 1.0, "b": 0.0, "c": None}, ["W", "b"], what="the gradients")["b"]
    0.0
    """
    if not has_type(actual, DICTS) or not isinstance(actual, dict):
        equal(actual, {}, what=what)
    assert isinstance(actual, dict)
    missing = [name for name in names if name not in actual]
    holds(not missing, what=what, problem=f"nothing is named {' or '.join(missing)}")
    return actual


def tensor(
    actual: object,
    *,
    what: str,
    shape: Sequence[int] | None = None,
    dtype: torch.dtype | None = None,
    hints: Hints = (),
) -> torch.Tensor:
    """Check that a value is an ordinary tensor of a shape and dtype, and return it detached.

    Hints tell why the shape is wrong: what they expect are functions of the tensor that came. One that says
    ``slip=True`` tells that everything else is right. In a block of `helpers.testing.slips.one_slip`, a
    tensor of another dtype whose numbers the right one can hold is returned in that, and the block fails by
    this slip.

    Raises
    ------
    CheckFailure
        If it is of another type (a subclass such as `torch.nn.Parameter` included), shape or dtype.

    Examples
    --------
    >>> tensor(torch.zeros(2, 3), shape=(2, 3), dtype=torch.float32, what="the distances").sum()
    tensor(0.)
    """
    found = form_difference(actual, None if shape is None else tuple(shape), dtype)
    if found is not None:
        wrong_shape = type(actual) is torch.Tensor and found.expected_dims != found.actual_dims
        hint = next((hint for hint in all_of(hints) if wrong_shape and hint.recognizes(actual)), None)
        if hint is not None:
            raise _failure(what, found, slip=hint.is_slip, likely_cause=hint.says)
        converted = _convert(actual, found, dtype) if slips.is_in_block() else None
        if converted is None:
            raise _failure(what, found)
        slips.note(_failure(what, found, slip=True))
        return converted
    assert type(actual) is torch.Tensor
    return actual.detach()


def unchanged(before: object, after: object, *, what: str) -> None:
    """Check that an argument is what it was before the call; NaN counts as unchanged where it was NaN.

    Parameters
    ----------
    before : Tensor, ndarray, number, or list, tuple or dict of those
        A copy made before the call.
    after : object
        The argument that was handed over.

    Raises
    ------
    CheckFailure
        If the call modified it.
    """
    found = difference(*_level_nan(after, before), Tolerance(exact=True))
    if found is not None:
        raise _failure(what, found, problem="modified by the call", likely_cause=change_cause(before, after))


def number(
    actual: object,
    *,
    what: str,
    at_least: float | None = None,
    at_most: float | None = None,
    likely_cause: str | None = None,
) -> float:
    """Check that a value is a finite number within bounds, and return it.

    Out of bounds, the report names the likely cause.

    Raises
    ------
    CheckFailure
        If it is not exactly a number (a bool, a tensor and a subclass of float are none), or is NaN, infinite
        or out of bounds.

    Examples
    --------
    >>> number(97.5, at_least=0, at_most=100, what="the accuracy")
    97.5
    """
    if not has_type(actual, REALS):
        found = difference(actual, 0.0, Tolerance())
        raise _failure(what, found or Difference("not a number"))
    value = float(actual)  # type: ignore[arg-type]
    found_text = number_texts(value)[0]
    if not math.isfinite(value):
        raise CheckFailure(what, "not finite", actual_value=found_text)
    problem = bound = ""
    if at_least is not None and not value >= at_least:
        problem, bound = "too small", f"at least {at_least:g}"
    elif at_most is not None and not value <= at_most:
        problem, bound = "too large", f"at most {at_most:g}"
    if problem:
        raise CheckFailure(
            what, problem, expected_value=bound, actual_value=found_text, likely_cause=likely_cause
        )
    return value


def scalar(
    actual: object, *, what: str, at_least: float | None = None, at_most: float | None = None
) -> float:
    """Check that a value is a finite number within bounds, or a tensor of shape () that holds one; return it.

    Raises
    ------
    CheckFailure
        If it is neither, or NaN, infinite or out of bounds.

    Examples
    --------
    >>> scalar(torch.tensor(2.5), what="the loss")
    2.5
    """
    if type(actual) is torch.Tensor:
        actual = tensor(actual, shape=(), what=what).item()
    return number(actual, at_least=at_least, at_most=at_most, what=what)


def parts(actual: object, count: int, *, what: str) -> tuple[object, ...]:
    """Check that a value is a tuple or list of so many parts, and return them.

    A tuple with named entries is a tuple.

    Raises
    ------
    CheckFailure
        If it is not.

    Examples
    --------
    >>> loss, gradient = parts((1.0, torch.zeros(2)), 2, what="loss and gradient")
    """
    actual = plain_tuple(actual)
    if type(actual) is tuple or type(actual) is list:
        if len(actual) == count:
            return tuple(actual)
        came, cause = f"{type_name(actual)} of the wrong length", None
    elif isinstance(actual, torch.Tensor):
        came, cause = type_name(actual), f"one value is returned, but {count} are expected"
    else:
        came, cause = type_name(actual), type_cause(actual)
    raise CheckFailure(
        what,
        f"not returned as {count} values",
        expected=f"{count} values",
        actual=came,
        likely_cause=cause,
    )


def holds(
    condition: bool, *, what: str, problem: str, likely_cause: str | None = None, slip: bool = False
) -> None:
    """Check a condition that the author computed from values already checked.

    `slip` tells that a function which breaks it is right otherwise; see `helpers.credit`.

    Raises
    ------
    CheckFailure
        If the condition is False.
    TypeError
        If it is not exactly a bool: a tensor or a student's object must not decide its own check.
    """
    if type(condition) is not bool:
        raise TypeError(f"holds() needs a bool, not {type_name(condition)}; compare plain numbers first")
    if not condition:
        raise CheckFailure(what, problem, likely_cause=likely_cause, slip=slip)


@contextmanager
def raises(*names: str, what: str = "the call") -> Iterator[None]:
    """Check that the student's code raises an exception of one of the named types.

    The name must be that of the exception's own type, not of a base class: otherwise a stub, whose
    NotImplementedError is a RuntimeError, would pass. An exception that carries ``type_name``, as those from
    another process do, is judged by that; any other exception passes through.

    Raises
    ------
    CheckFailure
        If nothing is raised.

    Examples
    --------
    >>> with raises("ValueError"):
    ...     int("one")
    """
    try:
        yield
    except Exception as error:
        carried = getattr(error, "type_name", None)
        if (carried if type(carried) is str else type(error).__name__) not in names:
            raise
        return
    raise CheckFailure(what, "nothing was raised", expected=" or ".join(names))


def _compare(
    actual: object, expected: object, what: str, tolerance: Tolerance, hints: Hints, origin: object
) -> None:
    """Raise CheckFailure for the first difference, with the cause of the first hint that fits."""
    actual = plain_tuple(actual)
    found = difference(actual, expected, tolerance)
    if found is None:
        return
    loose = replace(tolerance, exact=False, any_dtype=True)
    hint = next((hint for hint in all_of(hints) if hint.explains(actual, expected, loose)), None)
    if hint is not None:
        near = hint.is_slip and not does_nothing(actual, origin)
    else:
        near = is_nearly_right(actual, expected, tolerance, origin)
    if hint is None and not tolerance.exact and _was_float32(actual, expected):
        raise _failure(what, found, likely_cause=causes.NO_DTYPE, slip=True)
    raise _failure(what, found, likely_cause=hint.says if hint else found.likely_cause, slip=near)


def _was_float32(actual: object, expected: object) -> bool:
    """Return whether a tensor in float64 is right as far as float32 goes."""
    if type(expected) is not torch.Tensor or expected.dtype != torch.float64 or not expected.numel():
        return False
    return (
        difference(actual, expected, Tolerance(rtol=0, atol=OF_FLOAT32 * float(expected.abs().max()))) is None
    )


def _convert(actual: object, found: Difference, dtype: torch.dtype | None) -> torch.Tensor | None:
    """Return a tensor whose dtype alone is wrong in the right one, unless that would change integers."""
    if found.problem != "wrong dtype" or type(actual) is not torch.Tensor or dtype is None:
        return None
    values = actual.detach()
    if values.is_complex():
        return None
    converted = values.to(dtype)
    same = dtype.is_floating_point or torch.equal(converted.to(values.dtype), values)
    return converted if same else None


def _failure(what: str, found: Difference, *, slip: bool = False, **instead: str | None) -> CheckFailure:
    """Return the failure that reports a difference, with some of its texts replaced."""
    fields = {**asdict(found), **instead}
    return CheckFailure(what, fields.pop("problem"), slip=slip, **fields)


def _level_nan(after: object, before: object) -> tuple[object, object]:
    """Return both values, with 0 where both are NaN, so that NaN counts as equal to NaN."""
    if type(after) is not torch.Tensor or type(before) is not torch.Tensor:
        return after, before
    if form_difference(after, tuple(before.shape), before.dtype) is not None:
        return after, before
    both = torch.isnan(after.detach()) & torch.isnan(before.detach())
    return after.detach().masked_fill(both, 0), before.detach().masked_fill(both, 0)
