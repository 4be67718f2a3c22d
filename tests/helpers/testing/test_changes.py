"""Tests of the causes of arguments that a call modified."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch

from helpers.testing import checks
from helpers.testing.changes import IN_PLACE, OF_DICT, OF_LIST, SORTED
from helpers.testing.failures import CheckFailure

ONES, TWOS = torch.ones(3), 2 * torch.ones(3)
CHANGES = {
    "arithmetic": (ONES, TWOS, IN_PLACE),
    "another shape": (ONES, ONES[None], IN_PLACE),
    "sorted": ([6, 1, 2], [1, 2, 6], SORTED),
    "turned around": ([6, 1, 2], [2, 1, 6], SORTED),
    "appended": ([6, 1], [6, 1, 2], OF_LIST),
    "removed": ([6, 1, 2], [], OF_LIST),
    "set": ([6, 1, 2], [6, 1, 3], OF_LIST),
    "a list of tensors, appended": ([ONES], [ONES, ONES], OF_LIST),
    "arithmetic in a list": ([ONES, ONES], [ONES, TWOS], IN_PLACE),
    "a new key": ({"p": 0.5}, {"p": 0.5, "mode": "train"}, OF_DICT),
    "a lost key": ({"p": 0.5, "mode": "train"}, {"p": 0.5}, OF_DICT),
    "another value": ({"p": 0.5}, {"p": 0.4}, OF_DICT),
    "another kind of dict": ({"p": 0.5}, OrderedDict(p=0.4), OF_DICT),
    "arithmetic in a dict": ({"W": ONES, "b": ONES}, {"W": ONES, "b": TWOS}, IN_PLACE),
    "arithmetic in a dict in a list": ([{"W": ONES}, TWOS], [{"W": TWOS}, TWOS], IN_PLACE),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_cause_says_how_an_argument_was_modified(change: str) -> None:
    before, after, cause = CHANGES[change]
    with pytest.raises(CheckFailure) as caught:
        checks.unchanged(before, after, what="x")
    assert caught.value.likely_cause == cause
