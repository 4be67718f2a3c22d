"""From header parts and buffers back to Python values, believing nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

import numpy as np
import torch

from autograder.engine.wire.frames import Buffer, ProtocolError, copy
from autograder.engine.wire.values import (
    DICTS,
    MAX_DEPTH,
    MAX_DIMENSIONS,
    MAX_EMPTY,
    NUMPY_DTYPES,
    TORCH_DTYPES,
    Tag,
)

_MAX_ELEMENTS: Final = 1 << 40
"""More than a frame has bytes, and few enough for their size in bytes to be a number of 64 bits."""
_MAX_DIGITS: Final = 4096
"""Hexadecimal ones of an integer: more than any task asks for."""
_MAX_PAIRS: Final = 10_000
"""Keys whose hashes collide make a dict slow to build, so a dict that arrives is small."""
_MAX_COLLISIONS: Final = _MAX_PAIRS**2
"""The same for all dicts of a frame together, text keys aside: the hashes of those cannot be foreseen."""
_MAX_REPEATED: Final = 1 << 20
"""Items that a reader meets again: lists that hold one list twice, and so on, double at every step."""

Pristine: TypeAlias = "tuple[str, list[int], Buffer]"
"""Dtype, shape and bytes of a tensor or array as they arrived."""

_PartDecoder: TypeAlias = "Callable[[Decoder, list[Any], int], Any]"


class Decoder:
    """Turn header parts and buffers back into Python values, believing nothing.

    Parameters
    ----------
    buffers : list of Buffer
        The frame's raw buffers.
    resolve : callable
        `resolve(tag, parts)` returns the object that a THEIRS, YOURS or PATH part stands for, or raises
        ProtocolError.
    nodes : list, optional
        Mutable values numbered by the request that this frame answers.
    keep_pristine : bool
        Keep a copy of each tensor and array in `pristine`, by number, so that a later change of the
        value can be seen.
    keep_strides : bool
        Lay tensors out as the frame says (in a worker only: strides can claim any amount of memory).
    """

    def __init__(
        self,
        buffers: list[Buffer],
        resolve: Callable[[Tag, list[Any]], object],
        nodes: list[object] | None = None,
        *,
        keep_pristine: bool = False,
        keep_strides: bool = False,
    ) -> None:
        self.nodes: list[object] = list(nodes or ())
        self.pristine: dict[int, Pristine] = {}
        self._weights: dict[int, int] = {}
        self._items = self._repeated = 0
        self._collisions = 0
        self._keep_pristine = keep_pristine
        self._keep_strides = keep_strides
        self._buffers = buffers
        self._resolve = resolve

    def decode(self, part: Any, depth: int = 0) -> Any:
        """Return the value of a header part.

        Raises
        ------
        ProtocolError
            If the part is not what an `Encoder` writes.
        """
        self._items += 1
        if part is None or type(part) in (bool, int, float, str, bytes):
            return part
        if type(part) is not list or not part or type(part[0]) is not int:
            raise ProtocolError(f"a header part of type {type(part).__name__} without a tag")
        if depth > MAX_DEPTH:
            raise ProtocolError(f"nested deeper than {MAX_DEPTH} levels")
        decoder = _DECODERS.get(part[0])
        if decoder is None:
            raise ProtocolError(f"unknown tag {part[0]}")
        return self._guard(decoder, part, depth + 1)

    def decode_content(self, part: Any, node: object) -> object:
        """Return new content for a mutable value, as a value of the same type.

        Raises
        ------
        ProtocolError
            If the content is of another type than the value.
        """
        kind = dict if type(node) in DICTS else type(node)
        tagged = type(part) is list and part and type(part[0]) is int
        if not tagged or _CONTENT_TAGS.get(part[0]) is not kind:
            raise ProtocolError("new content of a different type than the argument")
        return self._guard(_CONTENT_DECODERS[part[0]], part, 1)

    def _guard(self, decoder: _PartDecoder, part: list[Any], depth: int) -> Any:
        try:
            return decoder(self, part, depth)
        except (IndexError, TypeError, ValueError, OverflowError, RuntimeError) as error:
            raise ProtocolError(f"a malformed {Tag(part[0]).name}: {type(error).__name__}") from None

    def _list(self, part: list[Any], depth: int) -> list[object]:
        value: list[object] = []
        with self._weigh(value):
            value.extend(self._list_content(part, depth))
        return value

    def _list_content(self, part: list[Any], depth: int) -> list[object]:
        return [self.decode(item, depth) for item in _require_type(part[1], list)]

    def _tuple(self, part: list[Any], depth: int) -> tuple[object, ...]:
        return tuple(self._list_content(part, depth))

    def _dict(self, part: list[Any], depth: int) -> dict[object, object]:
        value: dict[object, object] = {}
        with self._weigh(value):
            value.update(self._dict_content(part, depth))
        return value

    def _dict_content(self, part: list[Any], depth: int) -> dict[object, object]:
        if len(_require_type(part[1], list)) > _MAX_PAIRS:
            raise ProtocolError("a dict with too many pairs")
        self._collisions += sum(type(key) is not str for key, _ in part[1]) ** 2
        if self._collisions > _MAX_COLLISIONS:
            raise ProtocolError("dicts with too many pairs")
        return {self.decode(key, depth): self.decode(item, depth) for key, item in part[1]}

    def _tensor(self, part: list[Any], depth: int) -> torch.Tensor:
        value = self._tensor_content(part, depth)
        self.nodes.append(value)
        return value

    def _tensor_content(self, part: list[Any], depth: int) -> torch.Tensor:
        _, name, shape, number, requires_grad, strides = part
        dtype = _look_up(TORCH_DTYPES, name)
        data = self._take(number, _size(shape) * dtype.itemsize)
        self._keep(name, shape, data)
        flat = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
        tensor = flat.reshape(shape)
        if strides is not None and self._keep_strides:
            tensor = torch.empty_strided(shape, strides, dtype=dtype).copy_(tensor)
        return tensor.requires_grad_(requires_grad is True)

    def _array(self, part: list[Any], depth: int) -> np.ndarray[Any, Any]:
        value = self._array_content(part, depth)
        self.nodes.append(value)
        return value

    def _array_content(self, part: list[Any], depth: int) -> np.ndarray[Any, Any]:
        _, name, shape, number = part
        dtype = _look_up(NUMPY_DTYPES, name)
        data = self._take(number, _size(shape) * dtype.itemsize)
        self._keep(name, shape, data)
        return np.frombuffer(data, dtype=dtype).reshape(shape)

    def _take(self, number: Any, size: int) -> Buffer:
        data = self._buffers[number] if type(number) is int and number >= 0 else None
        if data is None or len(data) != size:
            raise ProtocolError("a buffer whose size does not fit its shape and dtype")
        self._buffers[number] = bytearray()  # one buffer backs one value, so nothing aliases
        return data

    def _keep(self, name: str, shape: list[int], data: Buffer) -> None:
        if self._keep_pristine:
            self.pristine[len(self.nodes)] = (name, shape, copy(data))

    def _numpy_scalar(self, part: list[Any], depth: int) -> object:
        return np.frombuffer(_require_type(part[2], bytes), dtype=_look_up(NUMPY_DTYPES, part[1]), count=1)[0]

    def _same(self, part: list[Any], depth: int) -> object:
        number = _require_type(part[1], int)
        if number < 0:
            raise ProtocolError("a negative number of a value")
        value = self.nodes[number]
        weight = self._weights.get(number, 1)
        self._items += weight
        self._repeated += weight
        if self._repeated > _MAX_REPEATED:
            raise ProtocolError("a value that contains itself, or the same things too often")
        return value

    @contextlib.contextmanager
    def _weigh(self, value: object) -> Iterator[None]:
        """Give a container a number, and note how many items a reader meets in it."""
        number, before = len(self.nodes), self._items
        self.nodes.append(value)
        self._weights[number] = _MAX_REPEATED + 1
        yield
        self._weights[number] = self._items - before + 1

    def _reference(self, part: list[Any], depth: int) -> object:
        return self._resolve(Tag(part[0]), part[1:])


def _require_type(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ProtocolError(f"found {type(value).__name__}, expected {kind.__name__}")
    return value


def _size(shape: Any) -> int:
    """Return the number of elements of a shape that is small enough to be believed."""
    if len(_require_type(shape, list)) > MAX_DIMENSIONS:
        raise ProtocolError("a shape with too many dimensions")
    elements = span = 1
    for length in shape:
        if _require_type(length, int) < 0:
            raise ProtocolError("a negative length")
        elements *= length
        span *= max(length, 1)
        if span > _MAX_ELEMENTS:
            raise ProtocolError("a shape with too many elements")
    if elements == 0 and span > MAX_EMPTY:
        raise ProtocolError("a shape without elements, but with long sides")
    return elements


def _big_int(text: str) -> int:
    if len(_require_type(text, str)) > _MAX_DIGITS:
        raise ProtocolError("an integer with too many digits")
    return int(text, 16)


def _device(text: str) -> torch.device:
    if _require_type(text, str) not in ("cpu", "cpu:0", "cuda", "meta") and not text.startswith("cuda:"):
        raise ProtocolError("a device that is not allowed")
    return torch.device(text)


def _look_up(table: dict[str, Any], name: Any) -> Any:
    if type(name) is not str or name not in table:
        raise ProtocolError("a dtype that is not allowed")
    return table[name]


_DECODERS: dict[int, _PartDecoder] = {
    Tag.LIST: Decoder._list,
    Tag.TUPLE: Decoder._tuple,
    Tag.DICT: Decoder._dict,
    Tag.TENSOR: Decoder._tensor,
    Tag.ARRAY: Decoder._array,
    Tag.NUMPY_SCALAR: Decoder._numpy_scalar,
    Tag.SAME: Decoder._same,
    Tag.THEIRS: Decoder._reference,
    Tag.YOURS: Decoder._reference,
    Tag.PATH: Decoder._reference,
    Tag.BIG_INT: lambda _, part, __: _big_int(part[1]),
    Tag.COMPLEX: lambda _, part, __: complex(_require_type(part[1], float), _require_type(part[2], float)),
    Tag.SIZE: lambda _, part, __: torch.Size([_require_type(length, int) for length in part[1:]]),
    Tag.TORCH_DTYPE: lambda _, part, __: _look_up(TORCH_DTYPES, part[1]),
    Tag.NUMPY_DTYPE: lambda _, part, __: _look_up(NUMPY_DTYPES, part[1]),
    Tag.DEVICE: lambda _, part, __: _device(part[1]),
    Tag.SLICE: lambda self, part, depth: slice(*(self.decode(item, depth) for item in part[1:4])),
    Tag.ELLIPSIS: lambda _, __, ___: Ellipsis,
}
_CONTENT_TAGS: dict[int, type] = {
    Tag.LIST: list,
    Tag.DICT: dict,
    Tag.TENSOR: torch.Tensor,
    Tag.ARRAY: np.ndarray,
}
_CONTENT_DECODERS: dict[int, _PartDecoder] = {
    Tag.LIST: Decoder._list_content,
    Tag.DICT: Decoder._dict_content,
    Tag.TENSOR: Decoder._tensor_content,
    Tag.ARRAY: Decoder._array_content,
}
