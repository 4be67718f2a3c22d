"""What the suite of the relatives of convolution takes for right is right, and what it says of the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from types import FunctionType, ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from helpers.testing import Hint, checks
from tests.support.classes import CLASSES
from tests.support.imported_suites import importing
from tests.support.prose import load_module

Load = Callable[[str], ModuleType]
NAME = "more_convolutions"
HIDDEN = ("test_hidden_windows", "test_hidden_convolutions", "test_hidden_transposed")
LOOPS = CLASSES / NAME / "nora-vogel" / f"{NAME}.py"


@dataclass(frozen=True)
class Compared:
    """A comparison that a test makes: of which function, with what, and what it knows of wrong results."""

    test: str
    function: str
    tensors: tuple[Tensor, ...]
    settings: dict[str, int]
    right: Tensor
    hints: list[Hint]

    @property
    def is_public(self) -> bool:
        """Whether students can read it."""
        return self.test.startswith("public")

    def __str__(self) -> str:
        return f"{self.test}: {self.function} {tuple(self.tensors[0].shape)} {self.settings}"


@pytest.fixture(scope="module")
def load(pytestconfig: pytest.Config) -> Iterator[Load]:
    """Return a function that imports a module of the suite."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so little work is slower with more
    with importing(NAME, pytestconfig) as load:
        yield load
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def compared(load: Load) -> list[Compared]:
    """Return all comparisons that the tests make, in the place of which nothing is compared."""
    found: list[Compared] = []
    comparing, slips, public = load("comparing"), load("known_slips"), load("test_public")
    test = ""

    def of_hidden(case: Any, _: str, right: Tensor) -> None:
        hints = [Hint(value, says) for says, value in slips.OF[case.name](case)]
        found.append(Compared(test, case.name, case.tensors, case.settings, right, hints))

    def of_public(_: Any, known: Any, tensors: Any, how: Any, right: Tensor, mistakes: Any) -> None:
        (name,) = (name for name, one in public.KNOWN.items() if one is known)
        hints = [Hint(value, says) for says, value in mistakes()]
        found.append(Compared(f"public {test}", name, tensors, how, right, hints))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparing, "compare_as_it_is", of_hidden)
        patch.setattr(public, "compare", of_public)
        for module in (public, *map(load, HIDDEN)):
            for test, function in list(vars(module).items()):
                if test.startswith("test_") and isinstance(function, FunctionType):
                    function()
    return found


def test_both_tiers_compare_all_functions(load: Load, compared: list[Compared]) -> None:
    for public in (True, False):
        assert {one.function for one in compared if one.is_public == public} == load("known_slips").OF.keys()


def test_what_is_right_agrees_with_plain_loops(compared: list[Compared]) -> None:
    loops = load_module(LOOPS)
    for one in compared:
        found = getattr(loops, one.function)(*(value.clone() for value in one.tensors), **one.settings)
        checks.close(found, one.right, what=str(one), operation="gradient")


@pytest.mark.full
def test_no_wrong_result_has_two_causes(compared: list[Compared]) -> None:
    found = [
        f"{one}: {first.says} | {other.says}"
        for one in compared
        for first, other in combinations(one.hints, 2)
        if first.says != other.says
        if checks.agrees(first.expected, other.expected) and not checks.agrees(first.expected, one.right)
    ]
    assert not found, "\n".join(found)


def test_every_cause_is_that_of_a_wrong_result_in_both_tiers(compared: list[Compared]) -> None:
    told: dict[bool, set[tuple[str, str]]] = {True: set(), False: set()}
    for one in compared:
        wrong = [hint for hint in one.hints if not checks.agrees(hint.expected, one.right)]
        told[one.is_public] |= {(one.function, hint.says) for hint in wrong}
    assert told[True] - told[False] == set()
    assert {says for _, says in told[False] - told[True]} == {ONLY_WITH_AS_MANY}


ONLY_WITH_AS_MANY = "w has the shape (C, F, HH, WW): the channels of x come first, then those of the result"
"""What gives a result, and no exception, only where C and F are the same."""


def places(size: int, side: int, settings: dict[str, int], dilation: int) -> list[int]:
    """Return in how many places a filter lies, and how many usual ways to count them wrongly find."""
    room, stride = size + 2 * settings.get("pad", 0), settings["stride"]
    right = (room - dilation * (side - 1) - 1) // stride + 1
    return [right, -(-size // stride), (room - side) // stride + 1]


def test_wrong_counts_are_right_where_exceptions_are_explained(load: Load, compared: list[Compared]) -> None:
    comparing, relatives, public = load("comparing"), load("relatives"), load("test_public")
    for one in compared:
        case = relatives.Case(one.function, one.tensors, one.settings)
        fitting = comparing.fitting(case)
        assert fitting.is_square == case.is_square
        for tensors, settings in (
            (fitting.tensors, fitting.settings),
            public.fitting(public.KNOWN[one.function], one.settings)[:2],
        ):
            assert settings.keys() == one.settings.keys()
            assert (settings.get("pad", 0) > 0) == (one.settings.get("pad", 0) > 0)
            sides = [settings.get("height"), settings.get("width")]
            if len(tensors) > 1:
                sides = list(tensors[1].shape[2:])
            for size, side in zip(tensors[0].shape[2:], sides, strict=True):
                if one.function == "transposed_conv":
                    assert side == settings["stride"]
                else:
                    assert len({*places(size, int(side or 0), settings, settings.get("dilation", 1))}) == 1
