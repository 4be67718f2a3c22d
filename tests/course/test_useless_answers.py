"""Functions that return something of the right form and nothing right earn next to nothing."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.in_process import ROOT, Grade, grade_all

SPOILED = """

def _spoil(value, arguments, how):
    if isinstance(value, (tuple, list)):
        return type(value)(_spoil(one, arguments, how) for one in value)
    if isinstance(value, dict):
        return {key: _spoil(one, arguments, how) for key, one in value.items()}
    if isinstance(value, (float, int)) and not isinstance(value, bool):
        return type(value)(0)
    if not isinstance(value, torch.Tensor):
        return value
    same = [one for one in arguments if isinstance(one, torch.Tensor) and one.shape == value.shape]
    if how == "argument" and same:
        return same[0].to(value.dtype).clone()
    if how == "noise":
        dice = torch.Generator().manual_seed(value.numel())
        return torch.randn(value.shape, dtype=torch.float64, generator=dice).mul(3).to(value.dtype)
    return torch.zeros_like(value)


def _useless(function, how, method):
    def spoiled(*args, **kwargs):
        arguments = [*args[method:], *kwargs.values()]
        dicts = [one for one in arguments if isinstance(one, dict)]
        before = [{k: v.clone() for k, v in one.items() if isinstance(v, torch.Tensor)} for one in dicts]
        value = function(*args, **kwargs)
        for one, was in zip(dicts, before):
            one.update(was)  # what a function does to its arguments is its result as well
        if function.__name__ == "forward":  # the cache stays
            return (_spoil(value[0], arguments, how), *value[1:])
        return _spoil(value, arguments, how)
    return spoiled
"""
SETTINGS = frozenset({"params", "solver"})
"""Words in the names of functions that choose settings, which have a form of their own."""
TRAINS = "solver"
"""A task whose tests train networks with settings that are not spoiled."""
KINDS = ("zeros", "argument", "noise")
MOST = 0.25
"""Share of a task that a useless answer may earn: checks of arguments, forms and exceptions."""


def spoiled(name: str, how: str) -> str:
    """Return the reference with every function of the task spoiled."""
    source = (ROOT / "solutions" / name / f"{name}.py").read_text(encoding="utf-8") + SPOILED
    functions = json.loads((ROOT / "assignments" / name / "checks.json").read_text())["functions"]
    for function in functions:
        owner, _, last = function["name"].rpartition(".")
        if last == "__init__" or not SETTINGS.isdisjoint(
            last.split("_")
        ):  # settings have a form of their own
            continue
        if not owner:
            source += f"\n{last} = _useless({last}, {how!r}, 0)"
            continue
        kind = f"isinstance({owner}.__dict__[{last!r}], staticmethod)"
        made = f"_useless({owner}.{last}, {how!r}, not {kind})"
        source += f"\n{owner}.{last} = staticmethod({made}) if {kind} else {made}"
    return source + "\n"


def tasks(name: str) -> Mapping[str, float]:
    """Return what each task is worth whose functions are all spoiled."""
    functions = json.loads((ROOT / "assignments" / name / "checks.json").read_text())["functions"]
    written = {task["task"] for task in functions if not SETTINGS.isdisjoint(task["name"].split("_"))}
    spoiled = {task["task"] for task in functions} - written
    declared = tomllib.loads((ROOT / "solutions" / name / "assignment.toml").read_text())["tasks"]
    return {task["id"]: task["points"] for task in declared if task["id"] in spoiled}


@pytest.mark.parametrize(
    "name", [path.name for path in sorted((ROOT / "solutions").iterdir()) if path.is_dir()]
)
def test_useless_functions_earn_next_to_nothing(name: str, tmp_path: Path) -> None:
    worth = tasks(name)
    assert TRAINS not in worth
    jobs = {how: (spoiled(name, how), "key") for how in KINDS}
    skipped = {how: {TRAINS} for how in KINDS}
    grades: dict[str, Grade] = grade_all(name, jobs, tmp_path, skipped=skipped)
    earned = {
        (how, task): f"{grade.points[task]:g} of {points:g}"
        for how, grade in grades.items()
        for task, points in worth.items()
        if grade.points[task] > MOST * points
    }
    assert not earned, "\n".join(f"{name}: {points}" for name, points in earned.items())
