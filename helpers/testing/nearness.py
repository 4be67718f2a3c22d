"""Whether a wrong answer is nearly right, so that a slip is all that is wrong with it, or does nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from helpers.testing.comparison import DICTS, REALS, Tolerance, difference, has_type, plain_tuple

SAME_ENTRIES = 0.5
"""Share of the entries that have to be right, among those that differ from the most common one."""
CORRELATION = 0.9
"""How closely wrong entries have to follow the right ones, up to a factor and an offset."""
KAPPA = 0.5
"""How far labels have to agree beyond chance, by Cohen's kappa."""
FEWEST = 8
"""Correlation of fewer numbers than this says nothing."""


def is_nearly_right(actual: object, expected: object, tolerance: Tolerance, origin: object = None) -> bool:
    """Tell whether every part of an answer is right or close to right, whatever its dtype.

    A tensor is close if half of its entries are right, not counting the most common one, or if its entries
    are those of the right one up to a factor and an offset. Labels are close if they agree beyond chance
    (J. Cohen, "A coefficient of agreement for nominal scales", 1960). Single numbers are right or wrong.

    Parameters
    ----------
    actual : object
        The untrusted value.
    expected : object
        The right one.
    tolerance : Tolerance
        How far right entries may differ.
    origin : Tensor, optional
        What a function returns that does nothing, such as the weights before an update. How close an answer
        is is measured from there.

    Examples
    --------
    >>> right = torch.arange(10.0)
    >>> is_nearly_right(2 * right, right, Tolerance()), is_nearly_right(torch.zeros(10), right, Tolerance())
    (True, False)
    >>> is_nearly_right(right, right + 1 / (1 + right), Tolerance(), origin=right)
    False
    """
    return _is_near(actual, expected, replace(tolerance, exact=False, any_dtype=True), origin)


def does_nothing(actual: object, origin: object = None) -> bool:
    """Tell whether an answer holds the same number everywhere, or only what a function got.

    Such an answer may be that of a known mistake, but nothing in it is right.

    Examples
    --------
    >>> x = torch.arange(3.0)
    >>> does_nothing(torch.zeros(3)), does_nothing(x), does_nothing(x, origin=x)
    (True, False, True)
    """
    tensors = list(_tensors(actual))
    return bool(tensors) and all(
        bool((one == one.flatten()[0]).all()) or (type(origin) is torch.Tensor and _is_same(one, origin))
        for one in tensors
    )


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors and arrays of an answer that hold more than one number."""
    value = plain_tuple(value)
    if has_type(value, DICTS):
        value = list(value.values())
    if has_type(value, (list, tuple)):
        for part in value:
            yield from _tensors(part)
    else:
        tensor = _as_tensor(value)
        if tensor is not None and tensor.numel() > 1:
            yield tensor


def _is_same(actual: torch.Tensor, origin: torch.Tensor) -> bool:
    return actual.shape == origin.shape and bool((actual.double() - origin.double()).abs().max() <= 1e-6)


def _is_near(actual: Any, expected: Any, tolerance: Tolerance, origin: object = None) -> bool:
    actual = plain_tuple(actual)
    if type(expected) is torch.Tensor or type(expected) is np.ndarray:
        there = _as_tensor(actual)
        start = origin if type(origin) is torch.Tensor and origin.shape == expected.shape else None
        right = _as_tensor(expected)
        return there is not None and right is not None and _is_tensor_near(there, right, tolerance, start)
    if type(expected) in REALS:
        return _is_number_right(actual, expected, tolerance)
    if isinstance(expected, (list, tuple)) and type(expected) is not torch.Size:
        return _are_all_near(actual, expected, tolerance, origin)
    if type(expected) is dict:
        if not has_type(actual, DICTS) or not all(key in actual for key in expected):
            return False
        return all(_is_near(actual[key], value, tolerance) for key, value in expected.items())
    return difference(actual, expected, tolerance) is None


def _are_all_near(actual: Any, expected: Sequence[object], tolerance: Tolerance, origin: object) -> bool:
    if not has_type(actual, (list, tuple)) or len(actual) != len(expected):
        return False
    return all(_is_near(one, other, tolerance, origin) for one, other in zip(actual, expected, strict=True))


def _as_tensor(value: object) -> torch.Tensor | None:
    """Return a dense tensor of numbers on the CPU, or None where a value holds nothing like it."""
    if type(value) is np.ndarray:
        if value.dtype.kind not in "biuf":
            return None
        value = torch.from_numpy(np.array(value, dtype=value.dtype.newbyteorder("="), order="C"))
    if type(value) is not torch.Tensor or value.layout is not torch.strided or value.is_quantized:
        return None
    if value.device.type != "cpu" or value.is_complex():
        return None
    return value.detach()


def _is_number_right(actual: object, expected: Any, tolerance: Tolerance) -> bool:
    """Compare numbers, be they integers, floats or tensors that hold one."""
    if type(actual) is torch.Tensor:
        there = _as_tensor(actual)
        if there is None or there.numel() != 1:
            return False
        actual = there.item()
    if not has_type(actual, REALS):
        return False
    return difference(float(actual), float(expected), tolerance) is None  # type: ignore[arg-type]


def _is_tensor_near(
    actual: torch.Tensor, expected: torch.Tensor, tolerance: Tolerance, origin: torch.Tensor | None
) -> bool:
    if actual.squeeze().shape != expected.squeeze().shape or not expected.numel():
        return False
    mine, other = expected.double().flatten(), actual.double().flatten()
    if not bool(torch.isfinite(other).all()):
        return False
    rtol, atol = tolerance.between(actual.dtype, expected.dtype) or (0.0, 0.0)
    right = (other - mine).abs() <= atol + rtol * mine.abs()
    if bool(right.all()):
        return True
    if not expected.is_floating_point():
        return _kappa(other, mine) >= KAPPA
    if origin is not None:
        mine, other = mine - origin.double().flatten(), other - origin.double().flatten()
    common = mine == mine.mode().values
    rare = right[~common]
    if rare.numel() and float(rare.double().mean()) >= SAME_ENTRIES:
        return True
    return mine.numel() >= FEWEST and abs(_correlation(mine, other)) >= CORRELATION


def _kappa(actual: torch.Tensor, expected: torch.Tensor) -> float:
    """Return Cohen's kappa: how far two labelings agree beyond chance."""
    # scikit-learn has it too, but importing that takes a second.
    agree = float((actual == expected).double().mean())
    labels = torch.tensor(sorted({*actual.tolist(), *expected.tolist()}), dtype=actual.dtype)
    shares = [(values[:, None] == labels).double().mean(dim=0) for values in (actual, expected)]
    chance = float(shares[0] @ shares[1])
    return (agree - chance) / (1 - chance) if chance < 1 else 0.0


def _correlation(one: torch.Tensor, other: torch.Tensor) -> float:
    """Return Pearson's correlation, 0 where one of them is constant."""
    return float(torch.corrcoef(torch.stack([one, other]))[0, 1].nan_to_num(0))
