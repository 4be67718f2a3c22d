"""Conventions are read exactly, and the reference must state the same ones."""

from __future__ import annotations

import pytest

from autograder.course import Course, assignment
from autograder.errors import ConfigError


def _state(course: Course, table: str, constant: str = "") -> None:
    folder = course.root / "solutions" / "toy"
    settings = folder / "assignment.toml"
    settings.write_text(settings.read_text().replace("[tiers]", f"[conventions]\n{table}\n[tiers]", 1))
    module = folder / "toy.py"
    module.write_text(f"{module.read_text()}\n{constant}\n")


def test_values_keep_their_types(course: Course) -> None:
    _state(course, 'half = 0.5\nfolds = 5\nties = "first"\npercent = true')
    stated = assignment.load(course, "toy").conventions
    assert stated == {"half": 0.5, "folds": 5, "ties": "first", "percent": True}
    assert [type(value) for value in stated.values()] == [float, int, str, bool]


def test_an_assignment_without_conventions_has_none(course: Course) -> None:
    assert assignment.load(course, "toy").conventions == {}


@pytest.mark.parametrize(
    ("table", "constant"),
    [
        ("half = 0.5", "HALF = 0.5"),
        ("half = 0.5", "HALF: float = 0.5"),
        ("whole = 1.0", "WHOLE = 1"),
        ("minus = -1", "MINUS = -1"),
        ('ties = "first"', "TIES = 'first'"),
        ("percent = false", "PERCENT = False"),
        ("half = 0.5", "half = 2"),
        ("half = 0.5", "def f():\n    HALF = 3"),
        ("half = 0.5", "a syntax error"),
    ],
)
def test_the_reference_states_the_same(course: Course, table: str, constant: str) -> None:
    _state(course, table, constant)
    assignment.load(course, "toy")


@pytest.mark.parametrize(
    ("table", "constant", "said"),
    [
        ("half = 0.5", "HALF = 1.0", r"HALF is 1\.0; assignment\.toml says half = 0\.5; change one of them"),
        ("half = 0.5", "HALF = A = 1 / 2", r"HALF is 1 / 2; "),
        ("percent = true", "PERCENT = 1", r"PERCENT is 1; assignment\.toml says percent = true"),
        ('ties = "first"', "TIES = 'last'", r"""TIES is 'last'; assignment\.toml says ties = "first";"""),
    ],
)
def test_a_reference_that_states_another_is_refused(
    course: Course, table: str, constant: str, said: str
) -> None:
    _state(course, table, constant)
    with pytest.raises(ConfigError, match=said) as caught:
        assignment.load(course, "toy")
    line = (course.root / "solutions" / "toy" / "toy.py").read_text().splitlines().index(constant) + 1
    assert caught.value.where.endswith(f"toy.py:{line}")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("half = nan", "expected a number, a text, true or false"),
        ("half = [1]", "expected a number, a text, true or false"),
        ("HALF = 0.5", "conventions"),
        ('tag = "v2"', r"expected another name: {{tag}} has a meaning in notebooks"),
    ],
)
def test_mistakes_are_refused(course: Course, table: str, said: str) -> None:
    _state(course, table)
    with pytest.raises(ConfigError, match=said):
        assignment.load(course, "toy")
