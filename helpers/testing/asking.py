"""Ways to ask a function once more without one slip that ends in exceptions.

A function that mixes float32 and float64 is asked in the other of them, and one that takes for granted that
points are images is asked about images. What suites need besides is in `helpers.testing.slips`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch

from helpers.testing import causes, checks
from helpers.testing.comparison import dtype_name, plain_tuple
from helpers.testing.slips import (
    Slip,
    ask_again,
    check_but_for,
    is_in_block,
    message_of,
    note,
    note_error,
    one_slip,
)
from helpers.testing.tolerances import coarse

__all__ = [
    "Slip",
    "ask",
    "ask_again",
    "ask_backward",
    "ask_in",
    "ask_loss",
    "ask_points",
    "ask_rows",
    "check_but_for",
    "note",
    "one_slip",
    "settle_for",
]

OTHER = {torch.float32: torch.float64, torch.float64: torch.float32}
"""The two precisions, each with the other."""
SHAPED = "points may have any shape; x.reshape(len(x), -1) makes a row of each"
"""What a function takes for granted that answers about images only."""
OF_ROWS = "an example may have any shape; the gradient of x has the shape of x, x.shape"
"""What a backward pass does not do that answers about rows only."""


def ask(function: Callable[..., Any], /, *args: object, **kwargs: object) -> Any:
    """Call a student's function; if it mixes float32 and float64, call it once more in the other of them.

    It is called on the arguments as they are. If it raises an exception that says that both are mixed, it is
    called on copies in which every floating-point tensor, in lists, tuples and dicts as well, is in the other
    precision. What it returns is then given back in the precision of the arguments, and what it changes in
    place, or puts into a dict, is changed in them.

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
        first = error
    asked = next((one.dtype for one in _tensors(before) if one.dtype in OTHER), None)
    again = _copy(before, other=True)
    handed, fresh = _tensors(again), _copy(again)
    answer = _ask_in_other(first, asked, lambda: function(*again[0], **again[1]))
    assert asked is not None
    for one, now, was in zip(mine, handed, _tensors(fresh), strict=True):
        if not torch.equal(now, was):
            one.data = now.to(one.dtype)
    _take_over(given, again, fresh, asked, {id(one) for one in handed})
    return answer


def ask_in(call: Callable[[torch.dtype], Any], dtype: torch.dtype) -> Any:
    """Return what a call gives in a precision; if it mixes float32 and float64, what it gives in the other.

    As `ask`, for what is more than a function and its arguments, such as a network that has a precision.

    Parameters
    ----------
    call : callable
        Takes the precision, makes everything anew in it, and asks.
    dtype : torch.dtype
        The precision that is asked for, in which the answer is given back.

    Raises
    ------
    Exception
        What the first call raised, if the other raises as well, or nothing was mixed.

    Examples
    --------
    >>> ask_in(lambda dtype: torch.ones(3, dtype=dtype) @ torch.ones(3), torch.float64)
    tensor(3., dtype=torch.float64)
    """
    try:
        return call(dtype)
    except Exception as error:
        first = error
    return _ask_in_other(first, dtype, lambda: call(OTHER[dtype]))


def ask_backward(
    backward: Callable[[Any], Any], given: Any, forward: Callable[[], Any], *, what: str, says: str
) -> Any:
    """Return what a backward pass gives for a given cache; if it raises, for that of the forward pass.

    So forward and backward are checked apart, and a cache of another form than is asked for is a slip.

    Parameters
    ----------
    backward : callable
        Calls the backward pass with the cache that it gets.
    given : object
        The cache that the assignment asks for.
    forward : callable
        Calls the forward pass on the same; without parameters.
    what, says : str
        What the backward pass is called, and the cause if it needs another cache.

    Raises
    ------
    Exception
        What the backward pass raised first, if it raises for either cache.

    Examples
    --------
    >>> def forward():
    ...     return 6, {"x": 3}
    >>> ask_backward(lambda cache: cache["x"], (3,), forward, what="backward", says="the cache is (x,)")
    3
    """
    return ask_again(
        lambda: backward(given),
        lambda: backward(checks.parts(forward(), 2, what=f"{what}: the result and the cache of forward")[1]),
        what=f"{what} with the given cache",
        problem="an exception; with the cache of forward all of this is right",
        says=says,
    )


def ask_rows(gradients: Callable[[torch.Tensor], Any], x: torch.Tensor, *, what: str) -> Any:
    """Return what a backward pass gives for examples of any shape; if it raises, what it gives for rows.

    Parameters
    ----------
    gradients : callable
        Calls the backward pass for the examples that it gets, and returns its gradients, of which the first
        is that of the examples.
    x : Tensor of shape (N, ...)
        The examples.
    what : str
        What the backward pass is called.

    Raises
    ------
    Exception
        What the backward pass raised first, if it raises for rows as well.
    """

    def of_rows() -> tuple[torch.Tensor, ...]:
        first, *others = gradients(x.flatten(1))
        return (first.reshape(x.shape), *others)

    return ask_again(
        lambda: gradients(x),
        of_rows,
        what=f"{what} of examples with more than one dimension",
        problem="an exception; with rows all of this is right",
        says=OF_ROWS,
    )


def ask_loss(net: Any, X: torch.Tensor, *y: torch.Tensor) -> Any:
    """Return what the loss of a network gives; if it mixes float32 and float64, in the other of them.

    Then it has parameters in that precision, and that `dtype`, as long as it is asked.

    Raises
    ------
    Exception
        What the first call raised, if the other raises as well, or nothing was mixed.
    """

    def call(dtype: torch.dtype) -> Any:
        if dtype is X.dtype:
            return net.loss(X, *y)
        before = {name: net.params[name] for name in net.params}
        for name, value in before.items():
            net.params[name] = value.to(dtype)
        net.dtype = dtype
        try:
            return net.loss(X.to(dtype), *y)
        finally:
            net.dtype = X.dtype
            for name, value in before.items():
                net.params[name] = value

    return ask_in(call, X.dtype)


def settle_for(dtype: torch.dtype) -> None:
    """Let values be right as far as a precision goes, in the block of `one_slip` around this call.

    This is for what comes of another function, which answers in that precision alone.
    """
    coarse.set(coarse.get() or (is_in_block() and dtype is torch.float32))


def _ask_in_other(first: Exception, asked: torch.dtype | None, call: Callable[[], Any]) -> Any:
    """Return what a call in the other precision gives, unless nothing was mixed or it raises, too."""
    if asked not in OTHER or causes.likely_cause(message_of(first)) != causes.MIXED:
        raise first
    answer = None
    with suppress(Exception):
        answer = [call()]
    if answer is None:
        raise first
    settle_for(OTHER[asked])
    here, there = dtype_name(asked), dtype_name(OTHER[asked])
    note_error(first, f"the call in {here}", f"an exception; in {there} all of this is right", causes.MIXED)
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


def _take_over(mine: Any, now: Any, was: Any, asked: torch.dtype, handed: set[int]) -> None:
    """Put into dicts of the arguments what a call in the other precision has put into theirs.

    Tensors that were handed over may have changed in place, which is not looked for here.
    """
    if type(mine) is not type(now):
        return
    if isinstance(mine, (list, tuple)):
        for parts in zip(mine, now, was, strict=False):
            _take_over(*parts, asked, handed)
    if type(mine) is not dict:
        return
    for key, value in now.items():
        if key in was and type(value) in (dict, list, tuple):
            _take_over(mine[key], value, was[key], asked, handed)
        elif id(value) not in handed and not _is_same(value, was.get(key)):
            mine[key] = _map(value, lambda x: x.to(asked) if x.dtype == OTHER[asked] else x)


def _is_same(one: object, other: object) -> bool:
    if type(one) is torch.Tensor and type(other) is torch.Tensor:
        return one.dtype == other.dtype and torch.equal(one, other)
    plain = type(one) in (bool, int, float, str, type(None))
    return plain and type(one) is type(other) and one == other
