"""Tests of helpers.substitute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType

import pytest

from helpers.substitute import substituted


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


def test_methods_are_replaced_and_get_the_object(module: ModuleType) -> None:
    thing = module.Thing(4)
    with substituted(module, **{"Thing.double": lambda self: self.value * 100, "Thing.extra": None}):
        assert thing.double() == 400
    assert thing.double() == 2
    assert not hasattr(thing, "extra")


def test_a_missing_owner_is_an_error_and_undoes_the_rest(module: ModuleType) -> None:
    with pytest.raises(AttributeError), substituted(module, **{"base": None, "Nothing.at_all": None}):
        pass
    assert module.built() == 2


def test_a_stand_in_exchanges_for_itself() -> None:
    class StandIn:
        seen: dict[str, object] = {}  # noqa: RUF012

        def __substitute__(self, replacements: dict[str, object]) -> AbstractContextManager[None]:
            @contextmanager
            def exchange() -> Iterator[None]:
                self.seen.update(replacements)
                yield

            return exchange()

    with substituted(StandIn(), f=1):
        assert StandIn.seen == {"f": 1}
