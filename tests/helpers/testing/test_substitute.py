"""Tests of helpers.testing.substitute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest

from helpers.testing.substitute import constructor, substituted


@pytest.fixture
def module() -> ModuleType:
    """Return a module whose function and class build on another function."""
    made = ModuleType("made")
    source = """
def base(): return 1
def built(): return base() + 1
class Thing:
    def __init__(self, value): self.value = value
    def double(self): return base() * 2
"""
    exec(source, vars(made))
    return made


def test_callers_see_the_replacement_until_the_end(module: ModuleType) -> None:
    with substituted(module, base=lambda: 10):
        assert module.built() == 11
    assert module.built() == 2


def test_everything_is_restored_after_an_error(module: ModuleType) -> None:
    before = dict(vars(module))
    with pytest.raises(ZeroDivisionError), substituted(module, base=None, extra=3, built=None):
        raise ZeroDivisionError
    assert vars(module) == before


def test_what_was_replaced_before_another_one_was_refused_comes_back() -> None:
    class Choosy(type):
        def __setattr__(cls, name: str, value: object) -> None:
            if name == "other":
                raise TypeError("not this one")
            super().__setattr__(name, value)

    class Thing(metaclass=Choosy):
        size = 1

    with pytest.raises(TypeError), substituted(Thing, size=2, other=3):
        raise AssertionError("nothing is replaced, so nothing is tried")
    assert Thing.size == 1


def test_a_class_can_be_replaced_by_a_function(module: ModuleType) -> None:
    with substituted(module, Thing=lambda value: value * 2):
        assert module.Thing(4) == 8
    assert module.Thing(4).double() == 2


def test_functions_of_a_class_are_replaced_without_self(module: ModuleType) -> None:
    class Layer(module.Thing):  # type: ignore[misc, name-defined]
        @staticmethod
        def forward(x: int) -> int:
            return x + 1

    before = dict(vars(Layer))
    with substituted(Layer, forward=lambda x: 10 * x, double=lambda: "twice"):
        assert (Layer.forward(2), Layer(1).forward(2), Layer(1).double()) == (20, 20, "twice")
    assert dict(vars(Layer)) == before
    assert (Layer.forward(2), Layer(1).forward(2), Layer(1).double()) == (3, 3, 2)


def test_a_stand_in_exchanges_for_itself() -> None:
    seen: dict[str, object] = {}

    class Elsewhere:
        @contextmanager
        def substitute(self, module: object, replacements: dict[str, object]) -> Iterator[None]:
            seen.update(replacements)
            yield

    class StandIn:
        __backend__ = Elsewhere()

    with substituted(StandIn(), f=1):
        assert seen == {"f": 1}


def test_a_constructor_gives_objects_their_own_methods(module: ModuleType) -> None:
    make = constructor(module.Thing, (0,), lambda value: {"double": lambda: value * 10}, count=2)
    with substituted(module, Thing=make):
        first, second = module.Thing(1), module.Thing(value=2)
        assert (first.double(), second.double()) == (10, 20)
        with pytest.raises(RuntimeError, match="more than 2"):
            module.Thing(3)
    assert module.Thing(3).double() == 2


def test_a_constructor_can_do_without_the_students_own(module: ModuleType) -> None:
    make = constructor(module.Thing, None, lambda: {"double": lambda: 7}, count=1)
    with substituted(module, Thing=make):
        assert module.Thing().double() == 7
