"""Tests of the assignment on fully connected networks: its reference solution and its suite."""

from __future__ import annotations

import re
import tomllib

import pytest
from in_process import ROOT, Grade, grade_all

NAME = "fully_connected_networks"
REFERENCE = (ROOT / "solutions" / NAME / f"{NAME}.py").read_text()
SETTINGS = tomllib.loads((ROOT / "solutions" / NAME / "assignment.toml").read_text())
SOLUTION = re.compile(r"( *)### BEGIN SOLUTION\n.*?### END SOLUTION\n", re.DOTALL)
STUB = SOLUTION.sub(r'\1raise NotImplementedError("to do")\n', REFERENCE)
POINTS = {task["id"]: task["points"] for task in SETTINGS["tasks"]}
KEYS = [f"secret {number}" for number in range(2)]


def without(task: str) -> str:
    """Return the reference with one place left to do."""
    begin = re.compile(rf"({UNDONE[task]}.*?)( *)### BEGIN SOLUTION\n", re.DOTALL)
    return begin.sub(r"\1\2raise NotImplementedError\n", REFERENCE, count=1)


UNDONE = {
    "linear_forward": r"def forward\(x: Tensor, w: Tensor, b: Tensor\)",
    "linear_backward": r"-> tuple\[Tensor, Tensor, Tensor\]",
    "relu": "The rectified linear unit",
    "two_layer_net": "class TwoLayerNet",
    "fully_connected": "class FullyConnectedNet",
    "overfit": "def get_five_layer_network_params",
    "solver": "def create_solver_instance",
    "sgd_momentum": "def sgd_momentum",
    "rmsprop": "def rmsprop",
    "adam": "def adam",
    "dropout": "class Dropout",
    "l2_regularizer": "def l2_regularizer",
    "l1_regularizer": "def l1_regularizer",
    "elastic_net": "def elastic_net",
    "max_norm": "def max_norm",
    "weight_decay": "def sgd_weight_decay",
}


@pytest.fixture(scope="module")
def grades(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grade]:
    """Return the grades of the reference under some secrets, and of the stub."""
    jobs = {key: (REFERENCE, key) for key in KEYS}
    return grade_all(NAME, jobs | {"stub": (STUB, "key")}, tmp_path_factory.mktemp("networks"))


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grade]:
    """Return the grades of the reference with a task undone."""
    jobs = {task: (without(task), "key") for task in UNDONE}
    return grade_all(NAME, jobs, tmp_path_factory.mktemp("undone"))


@pytest.mark.parametrize("key", KEYS)
def test_the_reference_earns_everything_under_every_secret(grades: dict[str, Grade], key: str) -> None:
    assert [name for name, test in grades[key].tests.items() if not test.passed] == []
    assert grades[key].points == POINTS
    assert sum(POINTS.values()) == 100


def test_the_stub_passes_no_test_at_all(grades: dict[str, Grade]) -> None:
    assert len(grades["stub"].tests) == len(grades[KEYS[0]].tests) > 60
    assert [name for name, test in grades["stub"].tests.items() if test.passed] == []


def test_every_test_has_a_title_of_its_own_and_every_task_has_both_tiers(grades: dict[str, Grade]) -> None:
    tests = grades[KEYS[0]].tests
    titles = [test.title for test in tests.values()]
    assert len(set(titles)) == len(titles)
    assert all(title.endswith(".") and len(title) < 110 for title in titles)
    for public in (True, False):
        assert {test.task for name, test in tests.items() if name.startswith("test_public") == public} == set(
            POINTS
        )


@pytest.mark.full
@pytest.mark.parametrize("task", UNDONE)
def test_later_tasks_do_not_need_earlier_ones(unfinished: dict[str, Grade], task: str) -> None:
    assert lost(unfinished[task]) == {task}


def lost(grade: Grade) -> set[str]:
    """Return the tasks without full points."""
    return {task for task in POINTS if grade.points[task] < POINTS[task]}
