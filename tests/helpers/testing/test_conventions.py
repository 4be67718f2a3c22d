"""Tests of what an assignment states of things in which courses differ."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.testing import convention, regularization_causes
from helpers.testing.conventions import use_conventions


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    use_conventions({})


def test_a_convention_is_found_by_its_name() -> None:
    use_conventions({"regularization": 0.5, "ties": "first"})
    assert convention("regularization") == 0.5
    assert convention("ties") == "first"


def test_an_unknown_name_is_refused() -> None:
    use_conventions({"regularization": 0.5})
    with pytest.raises(LookupError, match="states regularization, and no 'half'"):
        convention("half")


def test_a_wrong_factor_is_told_with_the_right_one() -> None:
    use_conventions({"regularization": 0.5})
    half, twice = regularization_causes()
    assert half.startswith("the regularization is half of what it should be: its factor REGULARIZATION is 0.")
    assert twice.endswith("twice what it should be: its factor REGULARIZATION is 0.5 here")


def test_conventions_of_an_earlier_assignment_are_forgotten() -> None:
    use_conventions({"regularization": 0.5})
    use_conventions({})
    with pytest.raises(LookupError, match="states nothing, and no 'regularization'"):
        convention("regularization")
