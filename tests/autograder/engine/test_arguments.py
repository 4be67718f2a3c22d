"""What student code changes in its arguments reaches the test's objects, and is undone after the test."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np
import pytest
import torch

from autograder.engine.arguments import Changes
from autograder.engine.wire.frames import ProtocolError


def plain(value: Any) -> Any:
    """Return tensors and arrays as lists, and dicts of any kind as dicts."""
    return value.tolist() if hasattr(value, "tolist") else dict(value) if hasattr(value, "keys") else value


@pytest.mark.parametrize(
    ("node", "first", "second"),
    [
        (torch.tensor([1.0, float("nan")]), torch.zeros(2), torch.ones(2)),
        (torch.ones(2, 3).t(), torch.zeros(3, 2), torch.full((3, 2), 5.0)),
        (torch.ones(2), torch.zeros(3, dtype=torch.int64), torch.ones(1)),
        (torch.ones(1).expand(3), torch.zeros(2), torch.ones(2)),
        (torch.ones(1).expand(3), torch.arange(3.0), torch.zeros(3)),
        (torch.ones(2, requires_grad=True), torch.zeros(2), torch.zeros(4)),
        (np.ones((2, 2)), np.zeros((2, 2)), np.full((2, 2), 7.0)),
        ([1, 2], [], [3]),
        ({"a": 1}, {}, {"b": 2}),
        (collections.OrderedDict(a=1), {"c": 1}, {"b": 2}),
    ],
)
def test_every_kind_of_object_is_changed_and_restored(node: Any, first: Any, second: Any) -> None:
    before = repr(node)
    changes = Changes()
    for content in (first, second):
        changes.write(node, content)
        assert plain(node) == plain(content)
    changes.undo()
    assert repr(node) == before


def test_the_memory_behind_a_view_is_restored_even_if_the_view_got_another_shape() -> None:
    constant = torch.arange(6.0).reshape(2, 3)
    row = constant[0]
    changes = Changes()
    changes.write(row, torch.zeros(3))
    changes.write(row, torch.zeros(9))
    assert constant[0].tolist() == [0, 0, 0]
    changes.undo()
    assert constant.tolist() == [[0, 1, 2], [3, 4, 5]]
    row[0] = 7
    assert constant[0, 0] == 7


def test_what_a_list_held_is_restored_with_it() -> None:
    inner = [1]
    outer = [inner]
    changes = Changes()
    changes.write(inner, [2])
    changes.write(outer, [])
    changes.undo()
    assert outer == [[1]]
    assert outer[0] is inner


def test_an_array_cannot_change_its_shape() -> None:
    array = np.ones(2)
    changes = Changes()
    with pytest.raises(ProtocolError):
        changes.write(array, np.ones(3))
    changes.undo()
    assert array.tolist() == [1, 1]


def test_what_an_object_cannot_hold_is_refused_and_nothing_of_it_stays() -> None:
    constant, leaf = np.ones(2), torch.ones(2, requires_grad=True)
    constant.flags.writeable = False
    changes = Changes()
    with pytest.raises(ProtocolError, match="read-only array"):
        changes.write(constant, np.zeros(2))
    with pytest.raises(ProtocolError, match="gradient"):
        changes.write(leaf, torch.zeros(2, dtype=torch.int64))
    changes.undo()
    assert constant.tolist() == leaf.tolist() == [1, 1]
