"""How much a msgpack header holds, counted before any of it is built.

One byte on the wire can be a number or an empty dict, which takes 40 or 70 bytes once it is built. msgpack
limits each list, but not all of them together, so the header is walked through first. The first byte of a
value tells its kind and often its size: https://github.com/msgpack/msgpack/blob/master/spec.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_LENGTHS: Final = (1, 2, 4)
"""Bytes of a length that follows the first byte, in this order for each kind."""


def _numbers() -> Iterator[tuple[int, int]]:
    """Yield the first bytes of values that hold nothing, and the bytes of the whole value."""
    for first in (*range(0x80), *range(0xE0, 0x100), 0xC0, 0xC2, 0xC3):  # small numbers, nil, false, true
        yield first, 1
    for first, size in zip(range(0xCC, 0xD4), 2 * (1, 2, 4, 8), strict=True):  # numbers without and with sign
        yield first, 1 + size
    yield from ((0xCA, 5), (0xCB, 9))  # floats
    for first in range(0xA0, 0xC0):  # texts of at most 31 bytes
        yield first, 1 + first - 0xA0


_SIZES: Final = dict(_numbers())
_TEXTS: Final = dict(zip((0xD9, 0xDA, 0xDB, 0xC4, 0xC5, 0xC6), 2 * _LENGTHS, strict=True))
"""First bytes of longer texts, and of bytes, to those of the length that follows."""
_LISTS: Final = {0xDC: 2, 0xDD: 4}
_DICTS: Final = {0xDE: 2, 0xDF: 4}


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
    pair = 2 if first in _DICTS or first < 0x90 else 1
    if first < 0xA0:  # at most 15: 0x80 and on are dicts, 0x90 and on are lists
        return pair * (first & 0x0F), at + 1
    width = _LISTS.get(first) or _DICTS.get(first)
    if width is None:  # a type of msgpack's that no frame holds
        return 0, at + 1
    return pair * int.from_bytes(packed[at + 1 : at + 1 + width]), at + 1 + width
