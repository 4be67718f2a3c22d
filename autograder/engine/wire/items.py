"""How much a msgpack header holds, counted before any of it is built.

One byte on the wire can be a number or an empty dict, which takes 40 or 70 bytes once it is built. msgpack
limits each list, but not all of them together, so the header is walked through first. The first byte of a
value tells its kind and often its size: https://github.com/msgpack/msgpack/blob/master/spec.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

# First bytes, by the names of the specification. A kind takes the numbers up to the next kind; one named FIX
# holds a small number or length in the first byte itself.
_FIXMAP: Final = 0x80
_FIXARRAY: Final = 0x90
_FIXSTR: Final = 0xA0
_NIL: Final = 0xC0
_FALSE: Final = 0xC2
_TRUE: Final = 0xC3
_BIN8: Final = 0xC4  # and bin16, bin32
_FLOAT32: Final = 0xCA
_FLOAT64: Final = 0xCB
_UINT8: Final = 0xCC  # and uint16, uint32, uint64; int8, int16, int32, int64
_FIXEXT1: Final = 0xD4  # no frame holds any of these
_STR8: Final = 0xD9  # and str16, str32
_ARRAY16: Final = 0xDC
_ARRAY32: Final = 0xDD
_MAP16: Final = 0xDE
_MAP32: Final = 0xDF
_NEGATIVE_FIXINT: Final = 0xE0
_END: Final = 0x100  # after the last byte there is
_FIX_LENGTH: Final = 0x0F  # the bits of a fixmap or fixarray that are its length

_INTEGER_BYTES: Final = (1, 2, 4, 8)
_LENGTH_BYTES: Final = (1, 2, 4)
"""Of a text's length, which follows the first byte; these too rise from one first byte to the next."""


def _numbers() -> Iterator[tuple[int, int]]:
    """Yield the first bytes of values that hold nothing, and the bytes of the whole value."""
    for first in (*range(_FIXMAP), *range(_NEGATIVE_FIXINT, _END), _NIL, _FALSE, _TRUE):
        yield first, 1
    for first, size in zip(range(_UINT8, _FIXEXT1), 2 * _INTEGER_BYTES, strict=True):
        yield first, 1 + size
    yield from ((_FLOAT32, 1 + 4), (_FLOAT64, 1 + 8))
    for first in range(_FIXSTR, _NIL):
        yield first, 1 + first - _FIXSTR


_SIZES: Final = dict(_numbers())
_TEXTS: Final = {kind + step: width for kind in (_STR8, _BIN8) for step, width in enumerate(_LENGTH_BYTES)}
"""First bytes of longer texts, and of bytes, to those of the length that follows."""
_LISTS: Final = {_ARRAY16: 2, _ARRAY32: 4}
_DICTS: Final = {_MAP16: 2, _MAP32: 4}


def count(packed: bytes | bytearray | memoryview, most: int) -> tuple[int, int]:
    """Count the items in all lists and dicts of a header, and these themselves.

    Parameters
    ----------
    packed : bytes-like
        What msgpack is about to unpack. What it would refuse by itself may be counted in any way.
    most : int
        Items after which counting ends: what lists claim to hold counts, too, whether or not it follows.

    Returns
    -------
    items : int
        Values in lists and dicts, keys included; more than `most` where counting ended early.
    containers : int
        Lists and dicts.
    """
    at, size = 0, len(packed)
    items, containers, awaited = 0, 0, 1
    while awaited and at < size and items <= most:
        awaited -= 1
        first = packed[at]
        known = _SIZES.get(first)
        if known is not None:
            at += known
            continue
        if first in _TEXTS:
            width = _TEXTS[first]
            at += 1 + width + int.from_bytes(packed[at + 1 : at + 1 + width])
            continue
        held, at = _read_length(packed, at, first)
        items += held
        awaited += held
        containers += 1
    return items, containers


def _read_length(packed: bytes | bytearray | memoryview, at: int, first: int) -> tuple[int, int]:
    """Return how many values a list or dict claims to hold, and where the first of them is."""
    pair = 2 if first in _DICTS or first < _FIXARRAY else 1
    if first < _FIXSTR:
        return pair * (first & _FIX_LENGTH), at + 1
    width = _LISTS.get(first) or _DICTS.get(first)
    if width is None:  # a type of msgpack's that no frame holds
        return 0, at + 1
    return pair * int.from_bytes(packed[at + 1 : at + 1 + width]), at + 1 + width
