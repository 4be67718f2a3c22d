"""Tests of the two-layer network: its reference solution, its suite, and typical mistakes."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import torch

from helpers.training.gradients import compute_numeric_gradient, rel_error
from tests.support import classes
from tests.support.imported_suites import importing
from tests.support.in_process import ROOT, Grade, grade_all

NAME = "two_layer_net"
REFERENCE = (ROOT / "solutions" / NAME / f"{NAME}.py").read_text()
SETTINGS = tomllib.loads((ROOT / "solutions" / NAME / "assignment.toml").read_text())
SOLUTION = re.compile(r"( *)### BEGIN SOLUTION\n.*?### END SOLUTION\n", re.DOTALL)
STUB = SOLUTION.sub(r'\1raise NotImplementedError("to do")\n', REFERENCE)
POINTS = {task["id"]: task["points"] for task in SETTINGS["tasks"]}
KEYS = [f"secret {number}" for number in range(5)]

MISTAKES = classes.read_mistakes(NAME)
UNDONE = {
    "nn_forward_pass": {"forward"},
    "nn_forward_backward": {"loss", "backward"},
    "nn_train": {"train"},
    "nn_predict": {"predict"},
    "nn_get_search_params": {"search_params"},
    "find_best_net": {"find_best_net"},
}


def without(name: str) -> str:
    """Return the reference with one function left to do."""
    begin = re.compile(rf"def {name}\(.*?( *)### BEGIN SOLUTION\n", re.DOTALL)
    return begin.sub(lambda found: f"{found[0]}{found[1]}raise NotImplementedError\n", REFERENCE, count=1)


def loss_alone() -> str:
    """Return the reference without gradients, as who does one task after the other has it."""
    begin = re.compile(
        r"(    # The gradients: .*?\n)    ### BEGIN SOLUTION\n.*?### END SOLUTION\n", re.DOTALL
    )
    return begin.sub(r"\1    # raise NotImplementedError\n", REFERENCE, count=1)


NARROW = REFERENCE.replace(
    "    dscores[examples, y] -= 1\n", "    dscores -= torch.nn.functional.one_hot(y)\n"
)
"""Takes for granted that some example is of the last class."""


@pytest.fixture(scope="module")
def grades(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grade]:
    """Return the grades of all sources that the tests below speak about."""
    jobs = {key: (REFERENCE, key) for key in KEYS}
    jobs["stub"] = (STUB, "key")
    jobs["loss alone"] = (loss_alone(), "key")
    jobs |= {name: (without(name), "key") for name in UNDONE}
    jobs |= {f"narrow {key}": (NARROW, key) for key in KEYS}
    return grade_all(NAME, jobs, tmp_path_factory.mktemp(NAME))


@pytest.mark.parametrize("key", KEYS)
def test_the_reference_earns_everything_under_every_secret(grades: dict[str, Grade], key: str) -> None:
    assert [name for name, test in grades[key].tests.items() if not test.passed] == []
    assert grades[key].points == POINTS
    assert sum(task["points"] for task in SETTINGS["tasks"] if not task.get("extra")) == 100


def test_the_stub_passes_no_test_at_all(grades: dict[str, Grade]) -> None:
    assert len(grades["stub"].tests) == len(grades[KEYS[0]].tests) > 35
    assert [name for name, test in grades["stub"].tests.items() if test.passed] == []


def test_the_stub_is_python_and_keeps_the_docstrings() -> None:
    functions = [node for node in ast.walk(ast.parse(STUB)) if isinstance(node, ast.FunctionDef)]
    assert len(functions) == 14
    assert all(ast.get_docstring(node) for node in functions)


def test_every_test_has_a_title_of_its_own_and_every_task_has_both_tiers(grades: dict[str, Grade]) -> None:
    tests = grades[KEYS[0]].tests
    titles = [test.title for test in tests.values()]
    assert len(set(titles)) == len(titles)
    assert all(title.endswith(".") and len(title) < 110 for title in titles)
    for tier in ("public", "hidden"):
        files = {name for name, of_file in SETTINGS["tiers"].items() if of_file == tier}
        assert {test.task for name, test in tests.items() if name.partition("::")[0] in files} == set(POINTS)


@pytest.fixture(scope="module")
def mistaken(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], dict[str, Grade]]:
    """Return what grades every other mistake in the reference, from the first or the second on."""

    @cache
    def grade(first: int) -> dict[str, Grade]:
        some = classes.make_mistaken(NAME)[first::2]
        jobs = {one.student: (one.files[f"{NAME}.py"].decode(), "key") for one in some}
        return grade_all(NAME, jobs, tmp_path_factory.mktemp(NAME))

    return grade


BY_TURNS = [
    pytest.param(place % 2, one.student, id=one.student, marks=[pytest.mark.full] * (place % 2))
    for place, one in enumerate(classes.make_mistaken(NAME))
]
"""Every mistake; the short run grades every other."""


@pytest.mark.parametrize(("first", "student"), BY_TURNS)
def test_one_mistake_loses_points_in_one_task(
    mistaken: Callable[[int], dict[str, Grade]], first: int, student: str
) -> None:
    grade = mistaken(first)[student]
    assert lost(grade) == {MISTAKES[student].task}
    problems = "\n".join(test.problem for test in grade.tests.values() if not test.passed)
    assert classes.is_right(set(re.findall("likely cause: (.*)", problems)), MISTAKES[student])


@pytest.mark.parametrize("name", UNDONE)
def test_later_tasks_do_not_need_earlier_ones(grades: dict[str, Grade], name: str) -> None:
    assert lost(grades[name]) == UNDONE[name]


def test_the_loss_is_graded_without_the_gradients(grades: dict[str, Grade]) -> None:
    assert lost(grades["loss alone"]) == {"backward"}
    assert grades["loss alone"].points["backward"] == 0


@pytest.mark.parametrize("key", KEYS)
def test_too_few_columns_are_one_slip_under_every_secret(grades: dict[str, Grade], key: str) -> None:
    grade = grades[f"narrow {key}"]
    assert lost(grade) == {"loss", "backward"}
    assert (grade.points["loss"], grade.points["backward"]) == (POINTS["loss"] - 1, 0.75 * POINTS["backward"])
    failed = [test for test in grade.tests.values() if not test.passed]
    assert all("pass the number of classes" in (test.slip or "") for test in failed)


def lost(grade: Grade) -> set[str]:
    """Return the tasks without full points."""
    return {task for task in POINTS if grade.points[task] < POINTS[task]}


# The oracle of the hidden suite, and what students are given


@pytest.fixture(scope="module")
def hidden(pytestconfig: pytest.Config) -> Iterator[ModuleType]:
    """Return the hidden suite as a module."""
    with importing(NAME, pytestconfig) as load:
        yield load("test_hidden")


@pytest.fixture(scope="module")
def reference(hidden: ModuleType) -> ModuleType:
    """Return the reference solution as a module."""
    module: ModuleType = hidden.two_layer_net
    return module


def plain_loss(params: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor, reg: float) -> torch.Tensor:
    """Return the loss by PyTorch's own functions."""
    hidden = torch.nn.functional.linear(x, params["W1"].T, params["b1"]).relu()
    scores = torch.nn.functional.linear(hidden, params["W2"].T, params["b2"])
    squares = params["W1"].square().sum() + params["W2"].square().sum()
    return torch.nn.functional.cross_entropy(scores, y) + reg * squares


@pytest.mark.parametrize("reg", [0.0, 0.4])
def test_the_oracle_agrees_with_automatic_differentiation(hidden: ModuleType, reg: float) -> None:
    params = {name: value.clone().requires_grad_() for name, value in hidden.PARAMS.items()}
    loss = plain_loss(params, hidden.X, hidden.Y, reg)
    loss.backward()  # type: ignore[no-untyped-call]
    right = hidden.true_loss(hidden.PARAMS, hidden.X, hidden.Y, reg)
    assert right == pytest.approx(float(loss.detach()), rel=1e-12)
    grads = hidden.true_grads(hidden.PARAMS, hidden.X, hidden.Y, reg)
    assert all(rel_error(grads[name], value.grad, floor=1e-14) < 1e-11 for name, value in params.items())


def test_the_oracle_agrees_with_central_differences(hidden: ModuleType) -> None:
    params = hidden.copy_params(hidden.PARAMS)
    grads = hidden.true_grads(params, hidden.X, hidden.Y, 0.4)
    for name in hidden.NAMES:
        slopes = compute_numeric_gradient(
            lambda _: torch.tensor(hidden.true_loss(params, hidden.X, hidden.Y, 0.4), dtype=torch.float64),
            params[name],
        )
        assert rel_error(grads[name], slopes) < 1e-7


def test_every_mistake_of_the_oracle_is_one(hidden: ModuleType) -> None:
    right = hidden.true_loss(hidden.PARAMS, hidden.X, hidden.Y, 0.4)
    for mistake in hidden.LOSS_HINTS:
        assert hidden.true_loss(hidden.PARAMS, hidden.X, hidden.Y, 0.4, mistake) != pytest.approx(right)
    grads = hidden.true_grads(hidden.PARAMS, hidden.X, hidden.Y, 0.4)
    for mistake in hidden.GRAD_HINTS:
        wrong = hidden.true_grads(hidden.PARAMS, hidden.X, hidden.Y, 0.4, mistake)
        same = (wrong[name].shape == grads[name].shape for name in hidden.NAMES)
        assert not all(same) or any(not torch.allclose(wrong[name], grads[name]) for name in hidden.NAMES)


def test_no_hidden_unit_is_near_its_kink(hidden: ModuleType) -> None:
    sums, _, _ = hidden.layers(hidden.PARAMS, hidden.X)
    assert abs(sums).min() > 1e-3


def test_weights_survive_saving_and_loading(reference: ModuleType, tmp_path: Path) -> None:
    net, other = (reference.TwoLayerNet(7, 5, 3, std=1.0) for _ in range(2))
    x = torch.randn(20, 7, generator=torch.Generator().manual_seed(1))
    net.save(tmp_path / "net.pt")
    other.load(tmp_path / "net.pt")
    assert torch.equal(net.loss(x), other.loss(x))
    assert torch.equal(net.predict(x), other.predict(x))
    torch.save({"W1": torch.ones(1)}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="does not hold the parameters"):
        other.load(tmp_path / "other.pt")


def test_a_batch_holds_examples_with_their_labels_and_none_twice(reference: ModuleType) -> None:
    x, y = torch.arange(20.0).reshape(10, 2), torch.arange(10)
    x_batch, y_batch = reference.sample_batch(x, y, 10, 4)
    assert torch.equal(x_batch, x[y_batch])
    assert len(set(y_batch.tolist())) == 4
    assert len(reference.sample_batch(x, y, 3, 40)[0]) == 3


def test_another_factor_of_the_regularizer_is_graded_as_well(tmp_path: Path) -> None:
    other = REFERENCE.replace("REGULARIZATION = 1.0", "REGULARIZATION = 0.5")
    jobs = {"half": (other, "key"), "whole": (REFERENCE, "key")}
    grades = grade_all(NAME, jobs, tmp_path, conventions={"regularization": 0.5})
    assert grades["half"].points == POINTS
    assert lost(grades["whole"]) == {"loss", "backward"}
