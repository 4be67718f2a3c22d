"""Values inside frames: what crosses by value, what becomes a reference, and what is refused.

Scalars (None, bool, int, float, str, bytes) stand for themselves in the header. Everything else is a
list whose first item is a tag. Tensor and array contents travel as raw buffers beside the header.

Mutable values (tensors, arrays, lists, dicts) are numbered in the order in which they are met, alike on
both ends. A value met again is sent as `[SAME, number]`, so identity survives within a request and its
reply: a function that returns its own argument returns the caller's object.
"""

from __future__ import annotations

import collections
from enum import IntEnum
from typing import Any, Final

import numpy as np
import torch

MAX_DEPTH: Final = 32
"""Far below the depth at which Python's recursion ends."""
MAX_DIMENSIONS: Final = 16
"""No task asks for as many; NumPy stops at 32 or 64."""
MAX_CONTAINERS: Final = 100_000
"""Lists, tuples, tensors, pairs of dicts and the like in one message; each makes at most two lists."""
MAX_ITEMS: Final = 500_000
"""What lists, tuples and dicts in one message hold, together."""
MAX_EMPTY: Final = 1 << 24
"""What takes no bytes on the wire can still become a list of a billion empty rows."""

_MAX_TYPE_NAME: Final = 120
"""Characters, of a name that student code may have made as long as it likes."""

TORCH_DTYPES: dict[str, torch.dtype] = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128),
    )
}
NUMPY_DTYPES: dict[str, np.dtype[Any]] = {
    name: np.dtype(name)
    for name in (
        *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
        *("float16", "float32", "float64", "complex64", "complex128"),
    )
}
TORCH_NAMES = {dtype: name for name, dtype in TORCH_DTYPES.items()}
NUMPY_NAMES = {dtype: name for name, dtype in NUMPY_DTYPES.items()}
NUMPY_SCALARS = {dtype.type for dtype in NUMPY_DTYPES.values()}
DICTS = (dict, collections.defaultdict, collections.OrderedDict)
BY_VALUE = (bool, int, float, complex, str, bytes, list, tuple, dict, torch.Tensor, np.ndarray, np.generic)


class Tag(IntEnum):
    """First item of every compound value in a header."""

    LIST = 1
    TUPLE = 2
    DICT = 3
    BIG_INT = 4
    COMPLEX = 5
    TENSOR = 6
    ARRAY = 7
    NUMPY_SCALAR = 8
    SIZE = 9
    TORCH_DTYPE = 10
    NUMPY_DTYPE = 11
    DEVICE = 12
    SLICE = 13
    ELLIPSIS = 14
    SAME = 15
    """A mutable value that this exchange has met before."""
    THEIRS = 16
    """A reference to an object at the sender's end: `[THEIRS, number, kind, type name]`."""
    YOURS = 17
    """A reference to an object at the receiver's end: `[YOURS, number]`."""
    PATH = 18
    """A name to be looked up at the receiver's end: `[PATH, module, attribute, ...]`."""


class ValueRefused(TypeError):
    """A value may not cross: a subclass of a by-value type, an exotic tensor, too deep, too large."""


def type_name(kind: type) -> str:
    """Return the qualified name of a type, capped."""
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")[:_MAX_TYPE_NAME]
