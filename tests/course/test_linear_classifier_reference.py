"""Tests of the linear classifiers: the reference solution, its suite, and typical mistakes."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from helpers.training.gradients import compute_numeric_gradient, rel_error
from tests.support.imported_suites import CLOSE, importing
from tests.support.in_process import ROOT, Grade, grade_all

FOLDER = ROOT / "solutions" / "linear_classifier"
REFERENCE = (FOLDER / "linear_classifier.py").read_text()
SETTINGS = tomllib.loads((FOLDER / "assignment.toml").read_text())
SOLUTION = re.compile(r"( *)### BEGIN SOLUTION\n.*?### END SOLUTION\n", re.DOTALL)
STUB = SOLUTION.sub(r'\1raise NotImplementedError("to do")\n', REFERENCE)
POINTS = {task["id"]: task["points"] for task in SETTINGS["tasks"]}
FACTOR = SETTINGS["conventions"]["regularization"]
KEYS = [f"secret {number}" for number in range(5)]

MISTAKES = {
    "true class counted": (
        "if j != label and margin > 0:",
        "if margin > 0:",
        "svm_naive",
        "the true class was counted too",
    ),
    "no margin": ("scores[j] - scores[label] + 1", "scores[j] - scores[label]", "svm_naive", "margin of 1"),
    "halved regularizer": (
        "loss = REGULARIZATION * reg * (W * W).sum()\n    dW = 2 * REGULARIZATION * reg * W\n"
        "    for x, label in zip(X, y.tolist(), strict=True):\n        scores = x @ W\n        for j",
        "loss = 0.5 * reg * (W * W).sum()\n    dW = reg * W\n"
        "    for x, label in zip(X, y.tolist(), strict=True):\n        scores = x @ W\n        for j",
        "svm_naive",
        "half of what it should be",
    ),
    "nothing subtracted": (
        "                dW[:, label] -= x / len(X)\n",
        "",
        "svm_naive",
        "nothing is subtracted",
    ),
    "subtracted once": (
        "dscores[rows, y] = -dscores.sum(dim=1)",
        "dscores[rows, y] = -1",
        "svm_vectorized",
        "once for every margin",
    ),
    "loop in a helper": (
        "    rows = torch.arange(len(X), device=X.device)\n    scores = X @ W\n    margins",
        "    return svm_loss_naive(W, X, y, reg)\n    margins",
        "svm_vectorized",
        "explicit loops;",
    ),
    "ready-made": (
        "    rows = torch.arange(len(X), device=X.device)\n    scores = X @ W\n    shifted",
        "    W = W.detach().clone().requires_grad_()\n"
        "    loss = torch.nn.functional.cross_entropy(X @ W, y) + REGULARIZATION * reg * (W * W).sum()\n"
        "    loss.backward()\n    return loss.detach(), W.grad\n    shifted",
        "softmax_vectorized",
        "uses torch.nn",
    ),
    "not averaged": (
        "loss = loss - probabilities[label].log() / len(X)",
        "loss = loss - probabilities[label].log()",
        "softmax_naive",
        "not averaged",
    ),
    "no shift": ("(scores - scores.max()).exp()", "scores.exp()", "softmax_naive", "the largest is 0"),
    "one shift for all": (
        "scores.amax(dim=1, keepdim=True)",
        "0",
        "softmax_vectorized",
        "the largest is 0",
    ),
    "wrong axis": (
        "shifted.exp().sum(dim=1, keepdim=True)",
        "shifted.exp().sum(dim=0, keepdim=True)",
        "softmax_vectorized",
        "",
    ),
    "input changed": (
        "shifted = scores - scores.amax(dim=1, keepdim=True)",
        "X *= 1.5\n    X /= 1.5\n    W += 0.25\n    shifted = scores - scores.amax(dim=1, keepdim=True)",
        "softmax_vectorized",
        "",
    ),
    "own labels": (
        "return X[chosen], y[chosen]",
        "return X[chosen], y[torch.randint(num_train, (batch_size,))]",
        "sample_batch",
        "same random numbers",
    ),
    "first examples": (
        "chosen = torch.randint(num_train, (batch_size,), device=X.device)",
        "chosen = torch.arange(batch_size)",
        "sample_batch",
        "again and again",
    ),
    "last example left out": (
        "torch.randint(num_train, (batch_size",
        "torch.randint(num_train - 1, (batch_size",
        "sample_batch",
        "stop short",
    ),
    "uphill": ("W = W - learning_rate", "W = W + learning_rate", "train", "uphill"),
    "whole data": (
        "X_batch, y_batch = sample_batch(X, y, len(X), batch_size)",
        "X_batch, y_batch = X, y",
        "train",
        "sample_batch",
    ),
    "smallest score": ("argmax(dim=1)", "argmin(dim=1)", "predict", "smallest score"),
    "too many": ("[3e-1, 1.0, 3.0, 10.0]", "[1e-1, 3e-1] * 4", "search", "number of combinations"),
    "explodes": (
        "return [3e-1, 1.0, 3.0, 10.0], [1e-5, 1e-4, 1e-3, 1e-2]",
        "return [1e3, 1e4], [1e2]",
        "search",
        "weights explode",
    ),
    "steps not passed on": (", reg=reg, num_iters=num_iters)", ", reg=reg)", "search", "not passed on"),
    "training data twice": (
        'cls.predict(data_dict[f"X_{part}"]) == data_dict[f"y_{part}"]',
        'cls.predict(data_dict["X_train"]) == data_dict["y_train"]',
        "search",
        "validation accuracy",
    ),
}
USELESS = {"own labels", "first examples"}
VARIANTS = {
    "percentages": [
        ('right["train"].double().mean().item()', '100 * right["train"].double().mean().item()'),
        ('right["val"].double().mean().item()', '100 * right["val"].double().mean().item()'),
    ],
    "in place": [("W = W - learning_rate * gradient", "W -= learning_rate * gradient")],
    "without replacement": [
        ("torch.randint(num_train, (batch_size,), device=X.device)", "torch.randperm(num_train)[:batch_size]")
    ],
    "tensors to search": [("return [3e-1, 1.0, 3.0, 10.0], ", "return torch.logspace(-2, 0, 3), ")],
    "loss as a number": [
        ("loss = margins.sum() / len(X) + REG", "loss = margins.sum().item() / len(X) + float(REG"),
        (
            "* (W * W).sum()\n    return loss, X.T @ dscores / len(X) + 2 * REGULARIZATION * reg * W\n"
            "    ### END SOLUTION\n\n\ndef softmax_loss_naive",
            "* (W * W).sum())\n    return loss, X.T @ dscores / len(X) + 2 * REGULARIZATION * reg * W\n"
            "    ### END SOLUTION\n\n\ndef softmax_loss_naive",
        ),
    ],
    "a mask in float64": [
        ("dscores = (margins > 0).to(W.dtype)", "dscores = (margins > 0).double()"),
        (
            "return loss, X.T @ dscores / len(X) + 2 * REGULARIZATION * reg * W\n    ### END SOLUTION\n\n\n"
            "def softmax_loss_naive",
            "return loss, (X.T.double() @ dscores / len(X) + 2 * REGULARIZATION * reg * W).to(W.dtype)\n"
            "    ### END SOLUTION\n\n\ndef softmax_loss_naive",
        ),
    ],
    "a loss in float32": [
        ("loss = -log_probabilities[rows, y].mean()", "loss = -log_probabilities[rows, y].float().mean()")
    ],
    "a small number in the logarithm": [
        ("probabilities[label].log()", "(probabilities[label] + 1e-9).log()")
    ],
    "a probability that may be 0": [
        ("loss = -log_probabilities[rows, y].mean()", "loss = -log_probabilities.exp()[rows, y].log().mean()")
    ],
    "predictions by the weights": [("cls.predict(data_dict", "predict_linear_classifier(cls.W, data_dict")],
    "a percentage and tensors": [
        ('right["train"].double().mean().item()', 'right["train"].double().mean()'),
        ('right["val"].double().mean().item()', '100 * right["val"].double().mean()'),
    ],
}


def without(name: str) -> str:
    """Return the reference with one function left to do."""
    begin = re.compile(rf"def {name}\(.*?### BEGIN SOLUTION\n", re.DOTALL)
    return begin.sub(lambda found: f"{found[0]}    raise NotImplementedError\n", REFERENCE, count=1)


UNDONE = {
    "svm_loss_naive": "svm_naive",
    "svm_loss_vectorized": "svm_vectorized",
    "softmax_loss_naive": "softmax_naive",
    "softmax_loss_vectorized": "softmax_vectorized",
    "sample_batch": "sample_batch",
    "train_linear_classifier": "train",
    "predict_linear_classifier": "predict",
    "svm_get_search_params": "search",
    "softmax_get_search_params": "search",
    "test_one_param_set": "search",
}


def changed(changes: list[tuple[str, str]]) -> str:
    """Return the reference with texts replaced, each of which it holds."""
    source = REFERENCE
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return source


@pytest.fixture(scope="module")
def grades(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grade]:
    """Return the grades of all sources that the tests below speak about."""
    jobs = {key: (REFERENCE, key) for key in KEYS}
    jobs["stub"] = (STUB, "key")
    jobs |= {name: (changed([(old, new)]), "key") for name, (old, new, _, _) in MISTAKES.items()}
    jobs |= {name: (changed(changes), "key") for name, changes in VARIANTS.items()}
    jobs |= {name: (without(name), "key") for name in UNDONE}
    return grade_all("linear_classifier", jobs, tmp_path_factory.mktemp("linear_classifier"))


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
    for tier in ("public", "hidden"):
        files = tuple(file for file, name in SETTINGS["tiers"].items() if name == tier)
        assert {test.task for name, test in tests.items() if name.startswith(files)} == set(POINTS)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_one_mistake_loses_points_in_one_task(grades: dict[str, Grade], mistake: str) -> None:
    _, _, task, cause = MISTAKES[mistake]
    assert lost(grades[mistake]) == {task}
    problems = [test.problem for test in grades[mistake].tests.values() if not test.passed]
    assert any(cause in problem for problem in problems), problems


@pytest.mark.parametrize("name", VARIANTS)
def test_other_right_solutions_are_accepted(grades: dict[str, Grade], name: str) -> None:
    assert lost(grades[name]) == set(), [t.problem for t in grades[name].tests.values() if not t.passed]


@pytest.mark.parametrize("name", UNDONE)
def test_later_tasks_do_not_need_earlier_ones(grades: dict[str, Grade], name: str) -> None:
    assert lost(grades[name]) == {UNDONE[name]}


@pytest.mark.parametrize("mistake", [name for name in MISTAKES if name not in USELESS])
def test_one_mistake_costs_at_most_a_quarter_of_its_task(grades: dict[str, Grade], mistake: str) -> None:
    task = MISTAKES[mistake][2]
    assert grades[mistake].points[task] >= 0.75 * POINTS[task]


def test_points_are_whole_halves(grades: dict[str, Grade]) -> None:
    tests = grades[KEYS[0]].tests.values()
    for task, points in POINTS.items():
        whole = sum(test.weight for test in tests if test.task == task)
        assert all((2 * points * test.weight) % whole == 0 for test in tests if test.task == task), task


def test_a_course_may_halve_the_regularizer(tmp_path: Path) -> None:
    half = REFERENCE.replace("REGULARIZATION = 1.0", "REGULARIZATION = 0.5")
    other = (ROOT / "tests" / "course" / "fresh" / "linear_classifier" / "habit_cs231n.py").read_text()
    sources = {"half": half, "whole": REFERENCE, "another course": other}
    jobs = {name: (source, "key") for name, source in sources.items()}
    found = grade_all("linear_classifier", jobs, tmp_path, {"regularization": 0.5})
    assert lost(found["half"]) == lost(found["another course"]) == set()
    losses = {"svm_naive", "svm_vectorized", "softmax_naive", "softmax_vectorized"}
    assert lost(found["whole"]) == losses
    assert all(found["whole"].points[task] >= 0.75 * POINTS[task] for task in losses)
    problems = [test.problem for test in found["whole"].tests.values() if not test.passed]
    assert all("twice what it should be" in problem for problem in problems)


def lost(grade: Grade) -> set[str]:
    """Return the tasks without full points."""
    return {task for task in POINTS if grade.points[task] < POINTS[task]}


# The oracles of the hidden suite


@pytest.fixture(scope="module")
def suite(pytestconfig: pytest.Config) -> Iterator[Callable[[str], ModuleType]]:
    """Return a function that imports a hidden test file."""
    with importing("linear_classifier", pytestconfig) as load:
        yield load


def plain_hinge(scores: list[float], label: int) -> float:
    """Return the hinge loss of an example, as the lecture writes it."""
    return sum(max(0.0, score - scores[label] + 1) for j, score in enumerate(scores) if j != label)


def plain_cross_entropy(scores: list[float], label: int) -> float:
    """Return the softmax loss of an example, as the lecture writes it."""
    return -math.log(math.exp(scores[label]) / sum(map(math.exp, scores)))


def plain_loss(
    of_example: Callable[[list[float], int], float],
    W: torch.Tensor,
    X: torch.Tensor,
    y: torch.Tensor,
    reg: float,
) -> float:
    """Return the mean over the examples, and the regularizer."""
    losses = [of_example(*pair) for pair in zip((X @ W).tolist(), y.tolist(), strict=True)]
    return sum(losses) / len(losses) + FACTOR * reg * sum(w * w for w in W.flatten().tolist())


LOSSES = {"hinge": plain_hinge, "cross_entropy": plain_cross_entropy}


@pytest.mark.parametrize("shape", [(13, 6, 5), (1, 4, 2)])
@pytest.mark.parametrize("reg", [0.0, 0.7])
@pytest.mark.parametrize("kind", LOSSES)
def test_the_oracle_agrees_with_central_differences(
    suite: Callable[[str], ModuleType], kind: str, reg: float, shape: tuple[int, int, int]
) -> None:
    hidden = suite("test_hidden_losses")
    W, X, y = hidden.examples(f"differences {shape}", *shape)
    known = hidden.case(hidden.hinge if kind == "hinge" else hidden.functional.cross_entropy, W, X, y, reg)
    assert known.loss == pytest.approx(plain_loss(LOSSES[kind], W, X, y, reg), rel=1e-12)
    for right, strength in ((known.gradient, reg), (known.data_gradient, 0.0)):
        slopes = compute_numeric_gradient(lambda w, s=strength: plain_loss(LOSSES[kind], w, X, y, s), W)
        assert float(slopes.abs().max()) > 0.01
        assert rel_error(right, slopes) < CLOSE


@pytest.mark.parametrize("kind", LOSSES)
def test_the_losses_that_training_gets_agree_with_central_differences(
    suite: Callable[[str], ModuleType], kind: str
) -> None:
    losses = suite("test_hidden_training")
    W, X, y = suite("test_hidden_losses").examples("training", 9, 5, 4)
    function = losses.svm_loss if kind == "hinge" else losses.softmax_loss
    loss, gradient = function(W, X, y, 0.3)
    assert float(loss) == pytest.approx(plain_loss(LOSSES[kind], W, X, y, 0.3), rel=1e-12)
    slopes = compute_numeric_gradient(lambda w: plain_loss(LOSSES[kind], w, X, y, 0.3), W)
    assert rel_error(gradient, slopes) < CLOSE
