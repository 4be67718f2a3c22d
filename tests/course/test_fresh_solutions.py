"""Solutions written from the stubs, before the suites of today were looked at, get what they deserve.

A folder of `tests/course/fresh` holds those of an assignment, and `deserves.toml` in it what each of them
deserves: `wrong` lists the functions that are wrong or not written, `slip` tells that a single slip is all
that is wrong, `useless` that this slip leaves the function useless, and `score` the points of all tasks
together.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from helpers.credit import MOST
from tests.support.classes import TRAINING
from tests.support.in_process import ROOT, Grade, grade_all

FRESH = ROOT / "tests" / "course" / "fresh"
NAMES = sorted(path.parent.name for path in FRESH.glob("*/deserves.toml"))
SECRETS = [f"fresh {number}" for number in range(5)]
SLOW = {
    "convolutional_networks": 5,
    "fully_connected_networks": 4,
    "two_layer_net": 2,
    "linear_classifier": 2,
    "more_convolutions": 7,
}
"""Assignments of which the short run grades only every second solution, or an even smaller share."""


@dataclass(frozen=True)
class Deserved:
    """What a solution deserves; the fields are the keys of `deserves.toml`."""

    about: str
    wrong: tuple[str, ...]
    score: float
    slip: bool = False
    useless: bool = False


def deserved(name: str) -> dict[str, Deserved]:
    """Return what each solution of an assignment deserves, by the name of its file."""
    table = tomllib.loads((FRESH / name / "deserves.toml").read_text(encoding="utf-8"))
    return {file: Deserved(**entry | {"wrong": tuple(entry["wrong"])}) for file, entry in table.items()}


def tasks_of(name: str, functions: tuple[str, ...]) -> set[str]:
    """Return the tasks that functions belong to; one that belongs to several is listed with the others."""
    checks = json.loads((ROOT / "assignments" / name / "checks.json").read_text(encoding="utf-8"))
    task = {one["name"]: one["task"] for one in checks["functions"]}
    return {task.get(function, function) for function in functions}


def check_tasks(name: str, entry: Deserved, grade: Grade) -> str:
    """Say in which tasks points are missing that should not be; empty if there is none."""
    worth = points_of(name)
    wrong = tasks_of(name, entry.wrong)
    lost = {task: points - grade.points[task] for task, points in worth.items()}
    most = {task: float(MOST * points) for task, points in worth.items()}
    missing = {task for task, points in lost.items() if points > 0}
    if missing - wrong or bool(missing) != bool(wrong):
        return f"lost points in {sorted(missing)}, and wrong are {sorted(wrong)}"
    if entry.slip and not entry.useless and any(lost[task] > most[task] for task in missing):
        return f"one slip costs more than a quarter of its task: {lost}"
    return ""


def points_of(name: str) -> dict[str, float]:
    """Return what each task of an assignment is worth."""
    settings = tomllib.loads((ROOT / "solutions" / name / "assignment.toml").read_text(encoding="utf-8"))
    return {task["id"]: task["points"] for task in settings["tasks"]}


def check_all(
    name: str, secrets: list[str], scratch: Path, *, every: int = 1, train_all: bool = True
) -> None:
    """Grade the solutions of an assignment, or some of them, and compare with what they deserve.

    Networks are trained by right solutions under every secret; by wrong ones under the first, or only where
    the mistake is in their training.
    """
    wanted = dict(list(deserved(name).items())[::every])
    sources = {file: (FRESH / name / f"{file}.py").read_text(encoding="utf-8") for file in wanted}
    jobs = {f"{file}, {secret}": (sources[file], secret) for file in wanted for secret in secrets}
    training = TRAINING.get(name, frozenset())
    spared = [file for file, entry in wanted.items() if entry.wrong]
    skipped = {f"{file}, {secret}": training for file in spared for secret in secrets[1:]}
    untrained = [file for file in spared if not training & tasks_of(name, wanted[file].wrong)]
    if not train_all:
        skipped |= {f"{file}, {secrets[0]}": training for file in untrained}
    grades, found = grade_all(name, jobs, scratch, skipped=skipped), {}
    if not train_all:
        for file in untrained:
            grades[f"{file}, {secrets[0]}"].points.update({task: points_of(name)[task] for task in training})
    for label, grade in grades.items():
        file = label.partition(",")[0]
        entry = wanted[file]
        grade.points.update(
            {task: grades[f"{file}, {secrets[0]}"].points[task] for task in skipped.get(label, ())}
        )
        score = sum(grade.points.values())
        problem = check_tasks(name, entry, grade)
        if score != entry.score:
            problem = f"{score:g} points, deserved are {entry.score:g}; {problem}"
        if not entry.wrong and grade.warned:
            problem += f"the suite's own lines warn: {grade.warned}"
        if problem:
            failed = [test.id for test in grade.tests.values() if not test.passed]
            found[label] = f"{problem} (failed: {', '.join(failed) or 'none'})"
    assert not found, "\n".join(f"{name}: {label}: {problem}" for label, problem in found.items())


@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_listed(name: str) -> None:
    assert {path.stem for path in (FRESH / name).glob("*.py")} == deserved(name).keys()


@pytest.mark.parametrize("name", NAMES)
def test_solutions_get_what_they_deserve(name: str, tmp_path: Path) -> None:
    check_all(name, SECRETS[:1], tmp_path, every=SLOW.get(name, 1), train_all=False)


@pytest.mark.full
@pytest.mark.parametrize("name", NAMES)
def test_solutions_get_it_under_every_secret(name: str, tmp_path: Path) -> None:
    check_all(name, SECRETS, tmp_path)
