"""Compare an untrusted value with a trusted one.

No method, comparison or conversion of the untrusted value is called before its exact type is known, so that
an ``__eq__`` that always agrees, a tensor subclass or a number subclass gains nothing.
"""

from __future__ import annotations

import math
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from helpers.testing import causes
from helpers.testing.tolerances import Bounds, Operation, bounds

INTEGERS: tuple[type, ...] = (
    int,
    np.int8,
    np.int16,
    np.int32,
    np.int64,
    np.uint8,
    np.uint16,
    np.uint32,
    np.uint64,
)
REALS: tuple[type, ...] = (*INTEGERS, float, np.float16, np.float32, np.float64)
DICTS: tuple[type, ...] = (dict, defaultdict, OrderedDict)
"""Right answers come in all of these; what arrives from another process is always the first."""


@dataclass(frozen=True)
class Tolerance:
    """The allowed deviation of a value: ``|actual - expected| <= atol + rtol * |expected|``.

    The row of `operation` in `helpers.testing.tolerances` says how far; `rtol` and `atol` replace its
    numbers.
    `exact` demands equality; `any_dtype` lets dtypes of tensors differ.
    """

    operation: Operation = "arithmetic"
    rtol: float | None = None
    atol: float | None = None
    exact: bool = False
    any_dtype: bool = False

    def of(self, kind: torch.dtype | type[float]) -> Bounds | None:
        """Return (rtol, atol) for a dtype or plain numbers, None where values must be equal."""
        found = None if self.exact else bounds(self.operation, kind)
        if found is None:
            return None
        return (
            found[0] if self.rtol is None else self.rtol,
            found[1] if self.atol is None else self.atol,
        )

    def between(self, actual: torch.dtype, expected: torch.dtype) -> Bounds | None:
        """Return (rtol, atol) for an answer; where dtypes may differ, float32 need only be right as such."""
        found = None
        if self.any_dtype and (actual, expected) == (torch.float32, torch.float64):
            found = self.of(actual)
        return found or self.of(expected)


@dataclass(frozen=True)
class Difference:
    """Where and how a value departs from the expected one; fields as in `CheckFailure`."""

    problem: str
    expected: str | None = None
    actual: str | None = None
    first_wrong: str | None = None
    likely_cause: str | None = None
    expected_dims: tuple[int, ...] | None = None
    actual_dims: tuple[int, ...] | None = None
    expected_value: str | None = None
    actual_value: str | None = None


def difference(actual: object, expected: object, tolerance: Tolerance, path: str = "") -> Difference | None:
    """Return the first difference between two values, or None where they agree.

    Parameters
    ----------
    actual : object
        The untrusted value.
    expected : object
        A tensor, an array, a number, a bool, a str, None, a dtype or a `torch.Size`, or a list, tuple or dict
        of those; its structure alone drives the walk.
    path : str
        Index of this value inside the whole one, such as ``[5][0]``.

    Raises
    ------
    TypeError
        If `expected` is of a type that is not listed.
    ValueError
        If `expected` holds NaN or infinity, against which nothing can be close.
    """
    if type(expected) is torch.Tensor:
        return _tensor_difference(actual, expected, tolerance, path)
    if type(expected) is np.ndarray:
        return _array_difference(actual, expected, tolerance, path)
    if type(expected) in REALS:
        return _number_difference(actual, expected, tolerance, path)
    if isinstance(expected, (list, tuple)) and type(expected) is not torch.Size:
        return _sequence_difference(actual, expected, tolerance, path)
    if type(expected) is dict:
        return _dict_difference(actual, expected, tolerance, path)
    if expected is None or type(expected) in (bool, str, torch.dtype, torch.Size):
        return _plain_difference(actual, expected, path)
    raise TypeError(f"a check cannot compare with a value of type {type_name(expected)}")


def has_type(value: object, types: tuple[type, ...]) -> bool:
    """Return whether the type of a value is exactly one of `types`; a metaclass has no say in it."""
    return any(type(value) is kind for kind in types)


def plain_tuple(value: object) -> object:
    """Return a tuple with named entries as a plain tuple, and any other value as it is.

    Such are those that `collections.namedtuple` and `typing.NamedTuple` make, and what `x.max(dim=1)` gives.
    Their entries are read as those of a tuple, so that no method that a student wrote has a say; nor has
    `any`, which student code may have replaced.

    Examples
    --------
    >>> from collections import namedtuple
    >>> plain_tuple(namedtuple("Settings", "scale rate")(0.1, 3.0)), plain_tuple([0.1, 3.0])
    ((0.1, 3.0), [0.1, 3.0])
    """
    if not isinstance(value, tuple) or type(value) is tuple:
        return value
    for kind in type.__dict__["__mro__"].__get__(type(value)):
        names = type.__dict__["__dict__"].__get__(kind)
        if type(names.get("_fields")) is tuple or "n_sequence_fields" in names:
            return tuple(tuple.__iter__(value))
    return value


def type_name(value: object) -> str:
    """Return the name of a value's type, shortened, without asking the value.

    Types that stand for objects in another process say in ``__shown_as__`` how to call them.
    """
    name: str = type.__dict__["__name__"].__get__(type(value))
    shown = type.__getattribute__(type(value), "__dict__").get("__shown_as__")
    name = shown if isinstance(shown, str) else name
    return name if len(name) <= 60 else name[:57] + "..."


def form(value: torch.Tensor) -> str:
    """Return dtype and shape of a tensor in words: ``float32 tensor of shape (3, 4)``."""
    return f"{dtype_name(value.dtype)} tensor of shape {tuple(value.shape)}"


def dtype_name(dtype: torch.dtype) -> str:
    """Return ``float32`` for ``torch.float32``."""
    return str(dtype).removeprefix("torch.")


def form_difference(
    actual: object, shape: tuple[int, ...] | None, dtype: torch.dtype | None, path: str = ""
) -> Difference | None:
    """Return how a value fails to be a dense CPU tensor of the given shape and dtype, or None."""
    wanted = " ".join(
        ([dtype_name(dtype)] if dtype else [])
        + ["tensor"]
        + ([f"of shape {shape}"] if shape is not None else [])
    )
    if type(actual) is not torch.Tensor:
        return Difference("not a tensor", wanted, type_name(actual), _at(path), single_cause(actual))
    found, dims = form(actual), tuple(actual.shape)
    if actual.device.type == "cuda":
        cause = "it is on a GPU, and grading has none; make new tensors with device=x.device"
        return Difference("not on the CPU", wanted, type_name(actual), _at(path), cause)
    if actual.layout is not torch.strided or actual.device.type != "cpu" or actual.is_quantized:
        return Difference("not an ordinary dense tensor on the CPU", wanted, type_name(actual), _at(path))
    if shape is not None and dims != shape:
        return Difference("wrong shape", wanted, found, _at(path), None, shape, dims)
    if dtype is not None and actual.dtype != dtype:
        kept = dtype.is_floating_point or not actual.dtype.is_floating_point
        cause = causes.NO_DTYPE if kept else causes.NO_INTEGERS
        return Difference("wrong dtype", wanted, found, _at(path), cause, shape, dims)
    return None


def _tensor_difference(
    actual: object, expected: torch.Tensor, tolerance: Tolerance, path: str
) -> Difference | None:
    """Compare tensors: form first, then every entry."""
    dtype = None if tolerance.any_dtype else expected.dtype
    found = form_difference(actual, tuple(expected.shape), dtype, path)
    if found is not None:
        return found
    assert type(actual) is torch.Tensor
    mine, other = expected.detach(), actual.detach()
    wrong = _wrong_entries(other, mine, tolerance)
    count = int(wrong.sum())
    if count == 0:
        return None
    index = tuple(int(place) for place in wrong.nonzero()[0])
    expected_value, actual_value = number_texts(mine[index].item(), other[index].item())
    entry = path + (str(list(index)) if index else "")
    whole = f"{count} of {wrong.numel()} entries {'is' if count == 1 else 'are'} wrong"
    return Difference(
        "wrong values",
        form(mine),
        form(other),
        f"{entry}; {whole}" if entry else None,
        _nonfinite_cause(other),
        tuple(mine.shape),
        tuple(other.shape),
        expected_value,
        actual_value,
    )


def _wrong_entries(actual: torch.Tensor, expected: torch.Tensor, tolerance: Tolerance) -> torch.Tensor:
    """Return a bool tensor that is True wherever an entry is not known to be right."""
    limits = tolerance.between(actual.dtype, expected.dtype)
    if limits is None:
        return ~(actual == expected)
    if not bool(torch.isfinite(expected).all()):
        raise ValueError("the expected tensor holds NaN or infinity, so nothing can be close to it")
    rtol, atol = limits
    wide = torch.complex128 if expected.is_complex() or actual.is_complex() else torch.float64
    mine, other = expected.to(wide), actual.to(wide)
    # NaN makes every comparison false: ask which entries are right, never which are wrong.
    return ~((other - mine).abs().le(atol + rtol * mine.abs()) & torch.isfinite(other))


def _array_difference(
    actual: object, expected: np.ndarray[Any, Any], tolerance: Tolerance, path: str
) -> Difference | None:
    """Compare NumPy arrays as tensors of the same dtype."""
    if type(actual) is not np.ndarray:
        return Difference("not a NumPy array", "array", type_name(actual), _at(path), single_cause(actual))
    if actual.dtype.kind not in "biufc":
        return Difference("not an array of numbers", None, None, _at(path))
    return _tensor_difference(_as_tensor(actual), _as_tensor(expected), tolerance, path)


def _as_tensor(array: np.ndarray[Any, Any]) -> torch.Tensor:
    """Return a copy of an array as a tensor, whatever its strides and byte order."""
    return torch.from_numpy(np.array(array, dtype=array.dtype.newbyteorder("="), order="C"))


def _number_difference(actual: Any, expected: Any, tolerance: Tolerance, path: str) -> Difference | None:
    """Compare two numbers; a float is never taken for an integer, a bool never for a number."""
    whole = type(expected) in INTEGERS
    allowed, wanted = (INTEGERS, "integer") if whole else (REALS, "number")
    if not has_type(actual, allowed):
        problem = f"not {_article(wanted)}"
        return Difference(problem, wanted, type_name(actual), _at(path), single_cause(actual))
    mine, other = (int(expected), int(actual)) if whole else (float(expected), float(actual))
    if not math.isfinite(mine):
        raise ValueError("the expected number is NaN or infinite, so nothing can be close to it")
    rtol, atol = (None if whole else tolerance.of(float)) or (0.0, 0.0)
    if mine == other or (math.isfinite(other) and abs(other - mine) <= atol + rtol * abs(mine)):
        return None
    expected_value, actual_value = number_texts(mine, other)
    return Difference(
        "wrong value", None, None, _at(path), None, expected_value=expected_value, actual_value=actual_value
    )


def _sequence_difference(
    actual: Any,
    expected: Sequence[object],
    tolerance: Tolerance,
    path: str,
) -> Difference | None:
    """Compare lists or tuples: kind and length first, then entry by entry."""
    kind = type_name(expected)
    if type(actual) is not type(expected):
        return Difference(f"not a {kind}", kind, type_name(actual), _at(path), type_cause(actual))
    if len(actual) != len(expected):
        counts = (f"{len(expected)} entries", f"{len(actual)} entries")
        return Difference(
            f"a {kind} of the wrong length",
            first_wrong=_at(path),
            expected_value=counts[0],
            actual_value=counts[1],
        )
    for place, (one, other) in enumerate(zip(actual, expected, strict=True)):
        found = difference(one, other, tolerance, f"{path}[{place}]")
        if found is not None:
            return found
    return None


def _dict_difference(
    actual: object, expected: dict[Any, Any], tolerance: Tolerance, path: str
) -> Difference | None:
    """Compare dicts: the keys with their types first, then value by value; order does not matter."""
    if not has_type(actual, DICTS) or not isinstance(actual, dict):
        return Difference("not a dict", "dict", type_name(actual), _at(path), type_cause(actual))
    strange = [key for key in actual if not has_type(key, (int, float, str, bool, tuple, type(None)))]
    if strange:
        return Difference("a key of the wrong type", None, type_name(strange[0]), _at(path))
    found = {(type(key), key): value for key, value in actual.items()}
    wanted = {(type(key), key): value for key, value in expected.items()}
    if found.keys() != wanted.keys():
        return Difference(
            "wrong keys",
            first_wrong=_at(path),
            expected_value=_keys_text(expected),
            actual_value=_keys_text(actual),
        )
    for (_, key), value in wanted.items():
        below = difference(actual[key], value, tolerance, f"{path}[{key!r}]")
        if below is not None:
            return below
    return None


def _plain_difference(actual: object, expected: object, path: str) -> Difference | None:
    """Compare values that are either the same or not: bool, str, None, dtype, size."""
    if type(actual) is not type(expected):
        wanted = "None" if expected is None else type_name(expected)
        return Difference("wrong type", wanted, type_name(actual), _at(path))
    if actual != expected:
        texts = (_shorten(repr(expected)), _shorten(repr(actual)))
        return Difference(
            "wrong value", first_wrong=_at(path), expected_value=texts[0], actual_value=texts[1]
        )
    return None


def number_texts(*values: complex) -> tuple[str, ...]:
    """Return numbers as texts with as few digits as keep them apart."""
    if all(type(value) in (int, bool) for value in values):
        return tuple(_shorten(str(value)) for value in values)
    texts: tuple[str, ...] = ()
    for digits in (6, 9, 17):
        texts = tuple(f"{value:.{digits}g}" for value in values)
        if len(set(texts)) == len(texts):
            break
    return texts


def type_cause(actual: object) -> str | None:
    """Return why a value of this type was probably returned."""
    if actual is None:
        return "the function ends without a return statement"
    if issubclass(type(actual), torch.Tensor):
        return "return a plain tensor or number; .item() turns a tensor with one entry into a number"
    return None


def single_cause(actual: object) -> str | None:
    """Return why this was probably returned where one tensor, array or number is wanted."""
    if type(actual) is tuple:
        if len(actual) == 1:
            return "a comma at the end of a line makes a tuple"
        return "several values are returned, but one is expected"
    if actual is None:  # what a function returned, or a part of that
        return "it is None: not written yet, or not returned"
    return type_cause(actual)


def _nonfinite_cause(actual: torch.Tensor) -> str | None:
    """Return why a tensor holds NaN or infinity, if it does."""
    if bool(torch.isfinite(actual).all()):
        return None
    return "some entries are NaN or infinite: a division by zero, an overflow, or torch.empty never filled"


def _article(noun: str) -> str:
    """Return the noun with its article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _at(path: str) -> str | None:
    """Return the path, or None for the value as a whole."""
    return path or None


def _keys_text(mapping: dict[Any, Any]) -> str:
    """Return the keys of a dict, shortened."""
    return f"keys {_shorten(', '.join(_shorten(repr(key)) for key in list(mapping)[:20]))}"


def _shorten(text: str) -> str:
    """Return a text of at most 120 characters."""
    return text if len(text) <= 120 else text[:117] + "..."
