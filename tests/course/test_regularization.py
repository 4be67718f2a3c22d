"""A course says once, under `[conventions]`, which factor the regularizer has; every check follows it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from helpers.credit import MOST
from tests.support.classes import TRAINING
from tests.support.in_process import ROOT, Grade, grade_all

KEY = "regularization"
SETTINGS = {
    path.parent.name: tomllib.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "solutions").glob("*/assignment.toml"))
}
NAMES = [name for name, settings in SETTINGS.items() if KEY in settings.get("conventions", {})]
STATED = "REGULARIZATION = 1.0\n"


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """Return an assignment with a regularizer."""
    return str(request.param)


@pytest.fixture(scope="module")
def grades(name: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grade]:
    """Return grades in a course with the factor 1/2: of work with that factor, and with the usual one."""
    reference = (ROOT / "solutions" / name / f"{name}.py").read_text(encoding="utf-8")
    assert reference.count(STATED) == 1
    jobs = {"half": (reference.replace(STATED, "REGULARIZATION = 0.5\n"), "key"), "whole": (reference, "key")}
    skipped = dict.fromkeys(jobs, TRAINING.get(name, frozenset()))
    folder: Path = tmp_path_factory.mktemp(name)
    return grade_all(name, jobs, folder, conventions={KEY: 0.5}, skipped=skipped)


def test_the_reference_states_what_the_assignment_says(name: str) -> None:
    assert SETTINGS[name]["conventions"][KEY] == 1.0
    for stated in (ROOT / "solutions" / name, ROOT / "assignments" / name):
        assert STATED in (stated / f"{name}.py").read_text(encoding="utf-8")
    assert "{{regularization}}**" in (ROOT / "solutions" / name / f"{name}.md").read_text(encoding="utf-8")


def test_the_factor_of_the_course_is_right(grades: dict[str, Grade]) -> None:
    assert [test.id for test in grades["half"].tests.values() if not test.passed] == []


def test_another_factor_is_a_slip_in_each_task_with_a_regularizer(
    name: str, grades: dict[str, Grade]
) -> None:
    points = {task["id"]: task["points"] for task in SETTINGS[name]["tasks"]}
    lost = {task: points[task] - got for task, got in grades["whole"].points.items()}
    skipped = TRAINING.get(name, frozenset())
    lost = {task: missing for task, missing in lost.items() if missing and task not in skipped}
    assert lost
    assert all(missing <= MOST * points[task] for task, missing in lost.items()), lost
    failed = [test for test in grades["whole"].tests.values() if not test.passed]
    assert {test.task for test in failed if test.id.startswith("test_public")} == lost.keys()
    assert all(
        "regularizer" in test.problem or "regularization" in test.problem
        for test in failed
        if "likely cause" in test.problem
    )
