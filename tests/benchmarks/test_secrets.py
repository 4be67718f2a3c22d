"""Tests of the measurement that finds what depends on the secret, and what it finds today."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from autograder.engine.interface import Graded
from autograder.graded.results import Feedback
from autograder.intake import Submission
from autograder.scoring import Outcome
from benchmarks import example_classes as classes
from benchmarks import secrets
from benchmarks.example_classes import Expected
from helpers.statuses import Status

CONVOLUTIONS = "convolutional_networks"
RIGHT = Expected(100, "right: as the reference", None, ())
WRONG = Expected(90, "forgets the root", "distances", ("the root",))


def graded(*outcomes: Outcome) -> Graded:
    """Return what the engine says of a submission."""
    return Graded(Submission("ada", Path(), {}), outcomes, None, 0.1)


def outcome(passed: bool, cause: str | None = None) -> Outcome:
    """Return the outcome of the test ``a``."""
    status = Status.passed if passed else Status.failed
    return Outcome("a", status, None if passed else Feedback(summary="Wrong.", likely_cause=cause))


@pytest.mark.parametrize(
    ("wanted", "outcomes", "problems"),
    [
        (RIGHT, [outcome(True), outcome(True)], []),
        (RIGHT, [outcome(True), outcome(False)], ["fails a 1 of 2 times: secrets 1"]),
        (WRONG, [outcome(False, "the root is missing")] * 2, []),
        (WRONG, [outcome(False, "the root is missing"), outcome(True)], ["fails a 1 of 2 times: secrets 0"]),
        (WRONG, [outcome(False, "the sum")] * 2, ["is not told the likely cause 2 of 2 times: secrets 0, 1"]),
        (WRONG, [outcome(True)] * 2, ["fails no test"]),
    ],
)
def test_what_depends_on_the_secret_is_named(
    wanted: Expected, outcomes: list[Outcome], problems: list[str]
) -> None:
    trials = secrets.Trials(wanted)
    for number, one in enumerate(outcomes):
        trials.add(number, graded(one))
    assert [line for line in trials.problems() if "fails" in line or "told" in line][
        : len(problems)
    ] == problems
    assert list(trials.problems())[: len(problems) or None] == problems


def test_mistakes_are_graded_in_their_own_task_and_what_is_right_in_all() -> None:
    found = list(secrets.groups(CONVOLUTIONS, [], []))
    (tasks, right), *others = found
    assert "(reference)" in {one.student for one in right}
    assert "talia-ferro" in {one.student for one in right}
    assert {"overfit", "solver"} < tasks
    wanted = secrets.find_wanted(CONVOLUTIONS)
    assert all({wanted[one.student].task for one in members} == task for task, members in others)


def test_numbers_stand_for_secrets() -> None:
    with secrets.copy_course("knn") as course:
        found = []
        for number in (1, 2, 1):
            secrets.change_secret(course, number)
            found.append(course.secret())
    assert found[0] == found[2] != found[1]


def test_a_class_is_graded_under_several_secrets() -> None:
    some = {next(iter(classes.read_mistakes("knn")))}
    found = list(secrets.groups("knn", [], some))
    trials = secrets.try_secrets("knn", found, range(2), jobs=1)
    assert trials.keys() == some
    assert {one.runs for one in trials.values()} == {2}
    assert [line for one in trials.values() for line in one.problems()] == []


def check_settings(right: bool, task: str) -> None:
    """Check that settings are judged as they are written down, under a secret that nobody has seen."""
    some = {label for label, one in classes.read_settings(CONVOLUTIONS).items() if one.right == right}
    number = random.SystemRandom().randrange(10**6)
    groups = list(secrets.groups(CONVOLUTIONS, [task], some))
    trials = secrets.try_secrets(CONVOLUTIONS, groups, [number], jobs=1)
    assert len(trials) >= 5
    assert {student: list(one.problems()) for student, one in trials.items() if list(one.problems())} == {}


def test_settings_that_learn_by_heart_are_right() -> None:
    check_settings(True, "overfit")


@pytest.mark.full
def test_settings_that_do_not_learn_by_heart_are_wrong() -> None:
    check_settings(False, "overfit")


@pytest.mark.full
def test_settings_that_learn_fast_are_right() -> None:
    check_settings(True, "solver")


@pytest.mark.full
def test_settings_that_do_not_learn_fast_are_wrong() -> None:
    check_settings(False, "solver")
