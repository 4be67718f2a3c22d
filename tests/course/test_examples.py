"""The example classes get the scores that are written down beside them, and are told why."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.graded.results import SubmissionResult
from helpers.statuses import Status
from tests.support import classes
from tests.support.classes import Expected

Results = dict[str, SubmissionResult]
FAST = ("knn", "linear_classifier", "two_layer_net", "more_convolutions")
EVERY = {
    "knn": 3,
    "linear_classifier": 5,
    "two_layer_net": 5,
    "fully_connected_networks": 7,
    "convolutional_networks": 4,
    "more_convolutions": 2,
}
"""Of which classes the short run grades only every second student, or an even smaller share."""
ENOUGH = {"fully_connected_networks": 12, "convolutional_networks": 25, "more_convolutions": 60}
"""Fewest wrong variants of an assignment; 8 of one that is not listed."""
NOTICED = (Status.failed, Status.timeout, Status.memory)
SHOWN = 0.95
"""Share of the mistakes in the reference that public checks show at least."""


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[pytest.mark.full] if name in EVERY else []) for name in classes.NAMES],
)
def name(request: pytest.FixtureRequest) -> str:
    """Return the name of a class; the tests of one class run one after another."""
    return str(request.param)


@pytest.fixture(scope="module")
def results(name: str, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Return a class, graded under a new secret."""
    return classes.graded(tmp_path_factory.mktemp(name), name, classes.students(name))


@pytest.fixture(scope="module")
def of_mistakes(name: str, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Return the reference with one mistake at a time, graded under another new secret.

    Where a mistake does not touch the settings of training, nobody trains with them.
    """
    training = classes.TRAINING.get(name, frozenset())
    wanted, found = classes.read_mistakes(name), {}
    for touches in (True, False):
        mistakes = classes.make_mistaken(name)
        some = [one for one in mistakes if (wanted[one.student].task in training) == touches]
        untouched = frozenset() if touches else training
        found |= classes.graded(tmp_path_factory.mktemp(name), name, some, untouched=untouched)
    return found


@pytest.mark.parametrize("name", classes.NAMES)
def test_every_student_has_a_score_and_a_reason(name: str) -> None:
    expected = classes.read_expected(name)
    assert {folder.name for folder in (classes.CLASSES / name).iterdir()} == expected.keys()
    assert all(0 <= entry.score <= 120 and entry.reason for entry in expected.values())


@pytest.mark.parametrize("name", classes.NAMES)
def test_there_are_enough_mistakes_and_styles(name: str) -> None:
    wanted = [*classes.read_expected(name).values(), *classes.read_mistakes(name).values()]
    assert sum(entry.task is not None for entry in wanted) >= ENOUGH.get(name, 8)
    assert sum(entry.reason.startswith("right: ") for entry in wanted) >= 3


@pytest.mark.parametrize("name", classes.NAMES)
def test_one_student_hands_in_the_stub_as_released(name: str) -> None:
    (student,) = (
        key for key, entry in classes.read_expected(name).items() if entry.reason == "the untouched stub"
    )
    for released in (classes.ROOT / "assignments" / name).glob("*.py"):
        if released.name != "test_public.py":
            assert (classes.CLASSES / name / student / released.name).read_bytes() == released.read_bytes()


@pytest.mark.parametrize("name", EVERY)
def test_some_students_get_what_is_written_down(name: str, tmp_path: Path) -> None:
    some = classes.students(name)[EVERY[name] - 1 :: EVERY[name]]
    wanted = {student.student: classes.read_expected(name)[student.student] for student in some}
    found = classes.graded(tmp_path, name, some)
    assert scores(found) == scores_of(wanted)
    check_tasks(found, wanted)
    check_causes(found, wanted)


def test_scores_are_those_written_down(name: str, results: Results) -> None:
    assert scores(results) == scores_of(classes.read_expected(name))


def test_a_mistake_costs_points_in_its_task_alone(name: str, results: Results) -> None:
    check_tasks(results, classes.read_expected(name))


def test_the_likely_cause_is_right(name: str, results: Results) -> None:
    check_causes(results, classes.read_expected(name))


@pytest.mark.full
def test_mistakes_in_the_reference_cost_what_is_written_down(name: str, of_mistakes: Results) -> None:
    wanted = classes.read_mistakes(name)
    assert scores(of_mistakes) == scores_of(wanted)
    check_tasks(of_mistakes, wanted)
    check_causes(of_mistakes, wanted)


@pytest.mark.full
def test_public_checks_show_mistakes_in_the_reference(name: str, of_mistakes: Results) -> None:
    fine = (Status.passed, Status.not_judged)
    hidden = {
        student
        for student, result in of_mistakes.items()
        if all(test.status in fine for test in result.tests if test.tier == "public")
    }
    wanted = classes.read_mistakes(name)
    reasons = {student: wanted[student].reason for student in hidden}
    assert len(hidden) <= (1 - SHOWN) * len(of_mistakes), reasons


@pytest.mark.full
def test_a_wrong_answer_fails_each_check(name: str, results: Results, of_mistakes: Results) -> None:
    wrong = [results[student] for student, entry in classes.read_expected(name).items() if entry.task]
    tests = [test for result in [*wrong, *of_mistakes.values()] for test in result.tests]
    assert {test.id for test in tests} == {test.id for test in tests if test.status in NOTICED}


@pytest.mark.full
@pytest.mark.parametrize("run", range(3))
@pytest.mark.parametrize("fast", FAST)
def test_scores_are_the_same_under_every_secret(
    tmp_path_factory: pytest.TempPathFactory, fast: str, run: int
) -> None:
    found = classes.graded(tmp_path_factory.mktemp(fast), fast, classes.students(fast))
    assert scores(found) == scores_of(classes.read_expected(fast))


def scores(results: Results) -> dict[str, float]:
    """Return the score of each student."""
    return {student: result.score for student, result in results.items()}


def scores_of(wanted: dict[str, Expected]) -> dict[str, float]:
    """Return the score that each student must get."""
    return {student: entry.score for student, entry in wanted.items()}


def check_tasks(results: Results, wanted: dict[str, Expected]) -> None:
    """Check that every mistake lost points in its task, and none in another."""
    found = {
        student: classes.lost(results[student], entry.task) for student, entry in wanted.items() if entry.task
    }
    assert found == {student: [entry.task] for student, entry in wanted.items() if entry.task}


def check_causes(results: Results, wanted: dict[str, Expected]) -> None:
    """Check that nine of ten mistakes are named, all as written down, and that right answers never are."""
    mistakes = {student: entry for student, entry in wanted.items() if entry.task}
    assert sum(bool(entry.causes) for entry in mistakes.values()) >= 0.9 * len(mistakes)
    causes = {student: classes.shown(result) for student, result in results.items()}
    named = {student: classes.is_right(causes[student], entry) for student, entry in mistakes.items()}
    assert {student: causes[student] for student, right in named.items() if not right} == {}
    right = [student for student, entry in wanted.items() if entry.reason.startswith("right")]
    assert {student: causes[student] for student in right if causes[student]} == {}
