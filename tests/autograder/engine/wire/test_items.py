"""What a header holds is known before it is unpacked."""

from __future__ import annotations

import struct
import tracemalloc

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.engine.wire.decoder import Decoder
from autograder.engine.wire.frames import Budget
from autograder.engine.wire.items import count

MANY = 1 << 62
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=40)
    | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=5), inner, max_size=20),
    max_leaves=60,
)


def held(value: object) -> tuple[int, int]:
    """Return what `count` must find, from the values themselves."""
    if isinstance(value, dict):
        inner = [held(part) for pair in value.items() for part in pair]
    elif isinstance(value, list):
        inner = [held(part) for part in value]
    else:
        return 0, 0
    return len(inner) + sum(items for items, _ in inner), 1 + sum(containers for _, containers in inner)


@given(value=values)
@settings(deadline=None)
def test_items_and_containers_are_counted(value: object) -> None:
    assert count(msgpack.packb(value), MANY) == held(value)


@pytest.mark.parametrize(
    "value",
    [
        *("a" * 31, "a" * 32, "a" * 255, "a" * 256, "a" * 65_535, "a" * 65_536),
        *(bytes(255), bytes(256), bytes(65_536)),
        *([0] * 15, [0] * 16, [0] * 65_535, [0] * 65_536),
        *(dict.fromkeys(map(str, range(n)), 1) for n in (15, 16, 65_535, 65_536)),
        *([2.5, n, -n] for n in (1, 127, 128, 255, 256, 65_535, 65_536, 2**31, 2**32, 2**63 - 1)),
        [struct.unpack("f", struct.pack("f", 2.5))[0]],
    ],
    ids=lambda value: f"{type(value).__name__} of {len(value)}",
)
def test_every_way_to_write_a_length_is_understood(value: object) -> None:
    for single in (False, True):
        packed = msgpack.packb([value, "what follows"], use_single_float=single)
        assert count(packed, MANY) == held([value, "what follows"])


def test_what_is_claimed_counts_whether_or_not_it_follows() -> None:
    items, _ = count(b"\xdd\xff\xff\xff\xff", 100)
    assert items == 2**32 - 1


def test_counting_ends_when_there_are_too_many() -> None:
    assert count(msgpack.packb([[0] * 10] * 100), 99) == (100, 1)


@given(packed=st.binary(max_size=200))
def test_any_bytes_can_be_counted(packed: bytes) -> None:
    items, containers = count(packed, MANY)
    assert items >= 0
    assert 0 <= containers <= len(packed)


def _texts(number: int) -> list[str]:
    return [f"{n:x}" for n in range(0x1000, 0x1000 + number)]


@pytest.mark.parametrize(
    "header",
    [
        [1, [-6] * ((1 << 20) - 2)],
        [1, _texts(690_000)],
        [1, [[1, []]] * 87_000],
        [1, [[3, [[text, -6] for text in _texts(9_999)]]] * 8],
    ],
    ids=["numbers", "texts", "lists", "dicts"],
)
def test_what_is_made_of_a_header_takes_no_more_than_the_budget_says(header: list[object]) -> None:
    budget = Budget()
    packed = msgpack.packb(header)
    items, containers = count(packed, budget.items)
    assert len(packed) <= budget.header_bytes
    assert items <= budget.items
    assert containers <= budget.containers
    tracemalloc.start()
    value = Decoder([], lambda tag, parts: None).decode(msgpack.unpackb(packed))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert value
    assert peak < budget.memory - budget.buffer_bytes
