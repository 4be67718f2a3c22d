"""Whatever a suite puts in the place of a student's function or class takes every call that the stub allows.

The reference is graded with its calls spelled in other ways, which the signatures of the stub generate, and
with other legal uses of what earlier tasks return. Where it calls none of its own functions, another right
solution takes its place, whose functions refuse to be called by one another. An assignment with stand-ins
belongs into the tables.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import pytest

from tests.support.classes import TRAINING
from tests.support.in_process import ROOT, grade_all
from tests.support.respelled import HOW, respelled

STAND_FOR: dict[str, dict[str, str]] = {
    "knn": {},
    "linear_classifier": {},
    "two_layer_net": {"loss_func": "nn_forward_backward", "pred_func": "nn_predict"},
    "convolutional_networks": {},
    "fully_connected_networks": {},
    "more_convolutions": {},
}
"""Of each assignment, parameters that are functions, and the function of the stub that each stands for."""
CALLING = {"more_convolutions": "tests/course/fresh/more_convolutions/right_beginner.py"}
"""A right solution that calls its own functions, where the reference does not."""
REFUSING = """

def _refusing(function):
    @functools.wraps(function)
    def called(*args, **kwargs):
        if running:
            raise ValueError("called by another function")
        running.append(function)
        try:
            return function(*args, **kwargs)
        finally:
            running.clear()
    return called

import functools
running = []
for name in ({names}):
    globals()[name] = _refusing(globals()[name])
"""
"""Makes functions fail where they are called by others, so that what stands for them is needed."""
USES: dict[str, dict[str, list[tuple[str, str]]]] = {
    "two_layer_net": {
        "a copy of the network": [
            ("import itertools\n", "import copy\nimport itertools\n"),
            ("found.append((net, stat", "found.append((copy.deepcopy(net), dict(stat)"),
        ],
        "a copy of the parameters": [
            (
                "found.append((net, stat, accuracy))",
                "kept = {name: value.clone() for name, value in net.params.items()}\n"
                "        found.append((net, kept, stat, accuracy))",
            ),
            (
                "return max(found, key=lambda one: one[2])",
                "net, kept, stat, accuracy = max(found, key=lambda one: one[3])\n"
                "    net.params = kept\n    return net, stat, accuracy",
            ),
        ],
        "labels from the scores": [
            ("(net.predict(X_val) == y_val)", "(net.loss(X_val).argmax(dim=1) == y_val)"),
        ],
        "labels from the forward pass": [
            (
                "(net.predict(X_val) == y_val)",
                "(nn_forward_pass(net.params, X_val)[0].argmax(dim=1) == y_val)",
            ),
        ],
        "labels from the function": [
            (
                "(net.predict(X_val) == y_val)",
                "(nn_predict(net.params, nn_forward_backward, X_val) == y_val)",
            ),
        ],
        "training by the function": [
            (
                "net.train(X, y, X_val, y_val, learning_rate, decay, reg, num_iters=500, batch_size=200)",
                "nn_train(net.params, nn_forward_backward, nn_predict, X, y, X_val, y_val, learning_rate,"
                " decay, reg, 500, 200)",
            ),
        ],
        "predictions from the forward pass": [
            (
                "scores: torch.Tensor = loss_func(params, X)",
                "scores: torch.Tensor = nn_forward_pass(params, X)[0]",
            )
        ],
    },
    "fully_connected_networks": {
        "a copy of the model": [
            ("import os\n", "import copy\nimport os\n"),
            ("        model,\n        data_dict,", "        copy.deepcopy(model),\n        data_dict,"),
        ],
        "a setting changed on the solver": [
            ("    return Solver(\n        model,", "    solver = Solver(\n        model,"),
            (
                "        device=device,\n    )\n    ### END",
                "        device=device,\n    )\n    solver.batch_size = 100\n    return solver\n    ### END",
            ),
        ],
    },
}
"""Other legal uses of what a suite puts in place: replacements in the reference, by what they do."""


def reference(name: str) -> str:
    """Return the reference solution, or what takes its place."""
    return (ROOT / CALLING.get(name, f"solutions/{name}/{name}.py")).read_text(encoding="utf-8")


def functions(name: str) -> list[str]:
    """Return the functions that students write."""
    checks = json.loads((ROOT / "assignments" / name / "checks.json").read_text(encoding="utf-8"))
    return [one["name"] for one in checks["functions"]]


def used_otherwise(name: str) -> dict[str, str]:
    """Return the reference with other uses of what a suite puts in place."""
    found = {}
    for label, replacements in USES.get(name, {}).items():
        source = reference(name)
        for old, new in replacements:
            assert source.count(old) == 1, f"{name}, {label}: {old}"
            source = source.replace(old, new)
        found[label] = source
    return found


def check_legal_calls(name: str, scratch: Path, ways: Collection[str], train: Collection[str]) -> None:
    """Grade the reference with its calls spelled in some ways; training only with calls of some of these."""
    sources = used_otherwise(name)
    for how in ways:
        sources[how], count = respelled(reference(name), how, STAND_FOR[name])
        assert count > 0
        if name in CALLING:
            sources[how] += REFUSING.replace("{names}", repr(functions(name))[1:-1])
    jobs = {label: (source, "key") for label, source in sources.items()}
    skipped = {how: TRAINING.get(name, frozenset()) for how in ways if how not in train}
    grades = grade_all(name, jobs, scratch, skipped=skipped)
    failed = {
        f"{label}: {test.id}": test.problem
        for label, grade in grades.items()
        for test in grade.tests.values()
        if not test.passed and (test.kind == "value" or name not in CALLING)
    }
    assert not failed, "\n".join(f"{label}\n  {problem}" for label, problem in failed.items())


@pytest.mark.full
@pytest.mark.parametrize("name", STAND_FOR)
def test_stand_ins_take_every_legal_call(name: str, tmp_path: Path) -> None:
    check_legal_calls(name, tmp_path, HOW, train=HOW)


@pytest.mark.parametrize("name", [name for name in STAND_FOR if name not in CALLING])
def test_stand_ins_take_half_of_the_legal_calls(name: str, tmp_path: Path) -> None:
    ways = HOW[list(STAND_FOR).index(name) % 2 :: 2]
    check_legal_calls(name, tmp_path, ways, train=ways[:1])
