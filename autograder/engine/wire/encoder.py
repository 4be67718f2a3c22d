"""From Python values to header parts and buffers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch

from autograder.engine.wire.frames import Budget
from autograder.engine.wire.values import (
    BY_VALUE,
    DICTS,
    MAX_CONTAINERS,
    MAX_DEPTH,
    MAX_DIMENSIONS,
    MAX_EMPTY,
    MAX_ITEMS,
    NUMPY_NAMES,
    NUMPY_SCALARS,
    TORCH_NAMES,
    Tag,
    ValueRefused,
    type_name,
)

_INT64: Final = range(-(2**63), 2**63)
"""Integers that msgpack writes; others are written out."""
_MAX_DTYPE: Final = 60
"""Characters of a dtype: one of records can be as long as student code likes."""


class Encoder:
    """Turn Python values into header parts and buffers.

    Parameters
    ----------
    refer : callable
        `refer(value)` returns the header part of a value that does not cross by value, or raises; it is asked
        about subclasses of tuple as well.
    nodes : list, optional
        Mutable values that the other end knows already from the request that this answers.
    keep_strides : bool
        Reproduce the memory layout of tensors that are not contiguous (grader to worker only).
    max_bytes : int
        Budget of the sum of all buffers, checked before a tensor is expanded into memory.
    """

    def __init__(
        self,
        refer: Callable[[object], list[Any]],
        nodes: list[object] | None = None,
        *,
        keep_strides: bool = False,
        max_bytes: int = Budget.buffer_bytes,
    ) -> None:
        self.nodes: list[object] = list(nodes or ())
        self.buffers: list[memoryview] = []
        self._numbers = {id(node): number for number, node in enumerate(self.nodes)}
        self._open: set[int] = set()
        self._refer = refer
        self._keep_strides = keep_strides
        self._bytes_left = max_bytes
        self._containers_left = MAX_CONTAINERS
        self._items_left = MAX_ITEMS

    def encode(self, value: object, depth: int = 0) -> Any:
        """Return the header part of `value`; buffers and nodes are collected on the way.

        Raises
        ------
        ValueRefused
            See the class.
        """
        kind = type(value)
        if value is None or kind is bool or kind is float or kind is str or kind is bytes:
            return value
        if kind is int:
            return value if value in _INT64 else [Tag.BIG_INT, hex(value)]  # type: ignore[arg-type]
        self._count(1)
        if id(value) in self._numbers:
            if id(value) in self._open:
                raise ValueRefused("that contains itself")
            return [Tag.SAME, self._numbers[id(value)]]
        encoder = _ENCODERS.get(kind)
        if encoder is not None:
            if depth >= MAX_DEPTH:
                raise ValueRefused(f"nested deeper than {MAX_DEPTH} levels")
            return encoder(self, value, depth + 1)
        if kind in NUMPY_SCALARS:
            return [Tag.NUMPY_SCALAR, value.dtype.name, value.tobytes()]  # type: ignore[attr-defined]
        if isinstance(value, np.dtype):
            return [Tag.NUMPY_DTYPE, _numpy_name(value)]
        if isinstance(value, BY_VALUE) and not isinstance(value, tuple):
            raise ValueRefused(f"of type {type_name(kind)}, a subclass of {_base_name(value)}")
        return self._refer(value)

    def encode_content(self, node: object) -> Any:
        """Return the header part of a mutable value's content now, its identity aside."""
        encoder = _CONTENT_ENCODERS[type(node)]
        return encoder(self, node, 1)

    def number(self, node: object) -> None:
        """Give a mutable value the next number."""
        self._numbers[id(node)] = len(self.nodes)
        self.nodes.append(node)

    def _list(self, value: list[object], depth: int) -> Any:
        self.number(value)
        self._open.add(id(value))
        part = self._list_content(value, depth)
        self._open.discard(id(value))
        return part

    def _list_content(self, value: list[object], depth: int) -> Any:
        self._count_items(len(value))
        return [Tag.LIST, [self.encode(item, depth) for item in value]]

    def _tuple(self, value: tuple[object, ...], depth: int) -> Any:
        self._count_items(len(value))
        return [Tag.TUPLE, [self.encode(item, depth) for item in value]]

    def _dict(self, value: dict[object, object], depth: int) -> Any:
        self.number(value)
        self._open.add(id(value))
        part = self._dict_content(value, depth)
        self._open.discard(id(value))
        return part

    def _dict_content(self, value: dict[object, object], depth: int) -> Any:
        self._count(len(value))
        self._count_items(2 * len(value))
        pairs = [[self.encode(key, depth), self.encode(item, depth)] for key, item in value.items()]
        return [Tag.DICT, pairs]

    def _tensor(self, value: torch.Tensor, depth: int) -> Any:
        self.number(value)
        return self._tensor_content(value, depth)

    def _tensor_content(self, value: torch.Tensor, depth: int) -> Any:
        if value.is_nested:
            raise ValueRefused("a nested tensor; expected one of a single shape")
        if value.layout is not torch.strided:
            raise ValueRefused(f"a tensor of layout {value.layout}; expected torch.strided")
        if value.device.type != "cpu":
            raise ValueRefused(f"a tensor on device {value.device}; expected cpu")
        if value.dtype not in TORCH_NAMES:
            raise ValueRefused(f"a tensor of dtype {value.dtype}")
        _require_plain(value.shape)
        flag = value.requires_grad and value.is_leaf
        value = value.detach()
        self._take(value.numel() * value.element_size())
        dense = value.resolve_conj().resolve_neg().contiguous()
        # A side of length 1 may be contiguous with any stride; a view as bytes wants stride 1.
        flat = dense.as_strided((dense.numel(),), (1,))
        number = self._buffer(flat.view(torch.uint8).numpy())
        keep = self._keep_strides and not value.is_contiguous() and 0 not in value.stride()
        strides = list(value.stride()) if keep else None
        return [Tag.TENSOR, TORCH_NAMES[value.dtype], list(value.shape), number, flag, strides]

    def _array(self, value: np.ndarray[Any, Any], depth: int) -> Any:
        self.number(value)
        return self._array_content(value, depth)

    def _array_content(self, value: np.ndarray[Any, Any], depth: int) -> Any:
        name = _numpy_name(value.dtype)
        _require_plain(value.shape)
        self._take(value.nbytes)
        number = self._buffer(np.ascontiguousarray(value).reshape(-1).view(np.uint8))
        return [Tag.ARRAY, name, list(value.shape), number]

    def _count(self, containers: int) -> None:
        self._containers_left -= containers
        if self._containers_left < 0:
            raise ValueRefused(f"of more than {MAX_CONTAINERS:,} parts, plain numbers and strings aside")

    def _count_items(self, items: int) -> None:
        self._items_left -= items
        if self._items_left < 0:
            raise ValueRefused(f"that holds more than {MAX_ITEMS:,} items; return a tensor")

    def _take(self, size: int) -> None:
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise ValueRefused("larger than the budget of one message")

    def _buffer(self, data: np.ndarray[Any, Any]) -> int:
        self.buffers.append(data.data)
        return len(self.buffers) - 1

    def _size(self, value: torch.Size, depth: int) -> Any:
        self._count_items(len(value))
        return [Tag.SIZE, *value]

    def _slice(self, value: slice, depth: int) -> Any:
        return [Tag.SLICE, *(self.encode(part, depth) for part in (value.start, value.stop, value.step))]


def _require_plain(shape: tuple[int, ...]) -> None:
    if len(shape) > MAX_DIMENSIONS:
        raise ValueRefused(f"of {len(shape)} dimensions; at most {MAX_DIMENSIONS} are accepted")
    if 0 in shape and math.prod(max(length, 1) for length in shape) > MAX_EMPTY:
        raise ValueRefused("without entries, but with long sides")


def _base_name(value: object) -> str:
    return next(type_name(base) for base in type(value).__mro__[1:] if base in BY_VALUE)


def _numpy_name(dtype: np.dtype[Any]) -> str:
    name = NUMPY_NAMES.get(dtype)
    if name is None:
        raise ValueRefused(
            f"a numpy dtype {str(dtype)[:_MAX_DTYPE]!r}; expected a number or bool in native byte order"
        )
    return name


def _torch_dtype_name(dtype: torch.dtype) -> str:
    if dtype not in TORCH_NAMES:
        raise ValueRefused(f"the dtype {dtype}")
    return TORCH_NAMES[dtype]


_ENCODERS: dict[type, Callable[[Encoder, Any, int], Any]] = {
    list: Encoder._list,
    tuple: Encoder._tuple,
    **dict.fromkeys(DICTS, Encoder._dict),
    torch.Tensor: Encoder._tensor,
    np.ndarray: Encoder._array,
    slice: Encoder._slice,
    complex: lambda _, value, __: [Tag.COMPLEX, value.real, value.imag],
    torch.Size: Encoder._size,
    torch.dtype: lambda _, value, __: [Tag.TORCH_DTYPE, _torch_dtype_name(value)],
    torch.device: lambda _, value, __: [Tag.DEVICE, str(value)],
    type(Ellipsis): lambda _, __, ___: [Tag.ELLIPSIS],
}
_CONTENT_ENCODERS: dict[type, Callable[[Encoder, Any, int], Any]] = {
    list: Encoder._list_content,
    **dict.fromkeys(DICTS, Encoder._dict_content),
    torch.Tensor: Encoder._tensor_content,
    np.ndarray: Encoder._array_content,
}
