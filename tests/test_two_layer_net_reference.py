"""Tests of the two-layer network: its reference solution, its suite, and typical mistakes."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch
from imported_suites import importing
from in_process import ROOT, Grade, grade_all

from helpers.gradients import compute_numeric_gradient, rel_error

NAME = "two_layer_net"
REFERENCE = (ROOT / "solutions" / NAME / f"{NAME}.py").read_text()
SETTINGS = tomllib.loads((ROOT / "solutions" / NAME / "assignment.toml").read_text())
SOLUTION = re.compile(r"( *)### BEGIN SOLUTION\n.*?### END SOLUTION\n", re.DOTALL)
STUB = SOLUTION.sub(r'\1raise NotImplementedError("to do")\n', REFERENCE)
POINTS = {task["id"]: task["points"] for task in SETTINGS["tasks"]}
KEYS = [f"secret {number}" for number in range(5)]

STEP = "params[name] -= learning_rate * grads[name]"
DECAY = "            learning_rate *= learning_rate_decay\n"
EPOCH = "        if it % iterations_per_epoch == 0:\n"
LOOP = f"        for name in params:\n            {STEP}\n"
UPDATE = REFERENCE[REFERENCE.index(LOOP) : REFERENCE.index(DECAY) + len(DECAY)]

# What stands in the reference, what replaces it, the task that loses points, and a pattern that each likely
# cause that students read must match; "" where the rule that is broken says all.
MISTAKES = {
    "no ReLU": ('params["b1"]).clamp(min=0)', 'params["b1"])', "forward", "ReLU is missing"),
    "sigmoid": ('params["b1"]).clamp(min=0)', 'params["b1"]).sigmoid()', "forward", "sigmoid was used"),
    "no first bias": (
        '(X @ params["W1"] + params["b1"])',
        '(X @ params["W1"])',
        "forward",
        "b1 was forgotten",
    ),
    "no second bias": ('params["W2"] + params["b2"]', 'params["W2"]', "forward", "b2 was forgotten"),
    "ReLU behind the scores": (
        'params["W2"] + params["b2"]',
        'params["W2"] + params["b2"]\n    scores = scores.relu()',
        "forward",
        "went through a ReLU",
    ),
    "swapped": ("return scores, hidden\n", "return hidden, scores\n", "forward", "swapped"),
    "probabilities": (
        "return scores, hidden\n",
        "return scores.softmax(dim=1), hidden\n",
        "forward",
        "before the softmax",
    ),
    "forward loop": (
        "    scores = hidden @",
        "    for row in hidden:\n        row.sum()\n    scores = hidden @",
        "forward",
        "one tensor operation",
    ),
    "forward in torch.nn": (
        'params["b1"]).clamp(min=0)',
        'params["b1"])\n    hidden = torch.nn.functional.relu(hidden)',
        "forward",
        "",
    ),
    "inputs changed": (
        "    scores = hidden @",
        "    X -= 1\n    scores = hidden @",
        "forward",
        "an operation in place",
    ),
    "sum": ("log_probs[examples, y].mean()", "log_probs[examples, y].sum()", "loss", "added up"),
    "sign": (
        "reg * weights - log_probs[examples, y].mean()",
        "reg * weights + log_probs[examples, y].mean()",
        "loss",
        "the sign",
    ),
    "half": ("loss = reg * weights", "loss = 0.5 * reg * weights", "loss", "halved"),
    "twice": ("loss = reg * weights", "loss = 2 * reg * weights", "loss", "doubled"),
    "no regularization": ("loss = reg * weights", "loss = ", "loss", "regularization was forgotten"),
    "biases in the loss": (
        "loss = reg * weights",
        'loss = reg * (weights + (params["b1"] ** 2).sum() + (params["b2"] ** 2).sum())',
        "loss",
        "biases were regularized",
    ),
    "one matrix": (' + (params["W2"] ** 2).sum()', "", "loss", "W2 is not regularized"),
    "all classes": ("log_probs[examples, y].mean()", "log_probs.mean()", "loss", "all classes"),
    "over examples": (
        "log_probs[examples, y].mean()",
        "scores.log_softmax(dim=0)[examples, y].mean()",
        "loss",
        "over the examples",
    ),
    "no shift": (
        "log_probs[examples, y].mean()",
        "(scores - scores.exp().sum(dim=1, keepdim=True).log())[examples, y].mean()",
        "loss",
        "is infinite",
    ),
    "gradient sum": ("    dscores /= len(y)\n", "", "backward", "number of examples"),
    "by classes": (
        "dscores /= len(y)",
        "dscores /= dscores.shape[1]",
        "backward",
        "number of classes",
    ),
    "not minus one": ("    dscores[examples, y] -= 1\n", "", "backward", "not subtracted"),
    "no mask": (' * (hidden > 0)\n    grads["W1"]', '\n    grads["W1"]', "backward", "ReLU was forgotten"),
    "inverted mask": ("(hidden > 0)", "(hidden <= 0)", "backward", "turned around"),
    "mask of the gradient": (
        '(dscores @ params["W2"].T) * (hidden > 0)',
        '(dscores @ params["W2"].T).clamp(min=0)',
        "backward",
        "made of the gradient",
    ),
    "before the ReLU": (
        "hidden.T @ dscores",
        '(X @ params["W1"] + params["b1"]).T @ dscores',
        "backward",
        "before the ReLU",
    ),
    "half of the gradient": (
        'hidden.T @ dscores + 2 * reg * params["W2"]',
        'hidden.T @ dscores + reg * params["W2"]',
        "backward",
        "factor 2 is missing",
    ),
    "gradient without reg": (
        'hidden.T @ dscores + 2 * reg * params["W2"]',
        'hidden.T @ dscores + 2 * params["W2"]',
        "backward",
        "reg is missing",
    ),
    "gradient not regularized": (
        'X.T @ dhidden + 2 * reg * params["W1"]',
        "X.T @ dhidden",
        "backward",
        "regularization was forgotten",
    ),
    "bias in the gradient": (
        'grads["b1"] = dhidden.sum(dim=0)',
        'grads["b1"] = dhidden.sum(dim=0) + 2 * reg * params["b1"]',
        "backward",
        "biases were regularized",
    ),
    "wrong axis": ("dscores.sum(dim=0)", "dscores.sum(dim=1)", "backward", "over the examples, dim=0"),
    "transposed": (
        'X.T @ dhidden + 2 * reg * params["W1"]',
        'dhidden.T @ X + 2 * reg * params["W1"].T',
        "backward",
        "transposed",
    ),
    "autograd": (
        "    grads: Params = {}\n",
        "    grads: Params = {}\n    torch.autograd.set_detect_anomaly(False)\n",
        "backward",
        "",
    ),
    "backward loop": (
        "    dscores = log_probs.exp()",
        "    for row in log_probs:\n        row.sum()\n    dscores = log_probs.exp()",
        "backward",
        "one tensor operation",
    ),
    "params changed": (
        '+ 2 * reg * params["W2"]\n',
        '+ 2 * params["W2"].mul_(reg)\n    params["W2"] /= reg or 1\n',
        "backward",
        "an operation in place",
    ),
    "ascent": (STEP, STEP.replace("-=", "+="), "train", "along the gradient"),
    "no decay": (DECAY, "", "train", "did not decay"),
    "decay every iteration": (DECAY, DECAY[4:], "train", "once per epoch"),
    "decay before the step": (
        UPDATE,
        f"{EPOCH}{DECAY}{UPDATE.replace(DECAY, '')}",
        "train",
        "decayed before the step",
    ),
    "accuracy before the step": (
        UPDATE,
        UPDATE.removeprefix(LOOP).replace(DECAY, "") + LOOP + EPOCH + DECAY,
        "train",
        "before the step",
    ),
    "old values": (STEP, "grads[name] - learning_rate * grads[name]", "train", "old values"),
    "end of the epoch": (EPOCH, EPOCH.replace("it %", "(it + 1) %"), "train", "iterations 0, E, 2E"),
    "biases not trained": (
        "for name in params:",
        'for name in ("W1", "W2"):',
        "train",
        "biases were not trained",
    ),
    "unlabelled batches": (
        "y[shuffled[:batch_size]]",
        "y[:batch_size]",
        "train",
        "drawn apart",
    ),
    "accuracy of the training set": (
        "pred_func(params, loss_func, X_batch) == y_batch",
        "pred_func(params, loss_func, X) == y",
        "train",
        "whole training set",
    ),
    "percentages": (
        "val_hits.double().mean().item()",
        "100 * val_hits.double().mean().item()",
        "train",
        "percentages",
    ),
    "training accuracy twice": (
        "val_acc_history.append(val_hits",
        "val_acc_history.append(train_hits",
        "train",
        "accuracy on the batch",
    ),
    "argmin": ("scores.argmax(dim=1)", "scores.argmin(dim=1)", "predict", "lowest score"),
    "over the examples": ("scores.argmax(dim=1)", "scores.argmax(dim=0)", "predict", "best example"),
    "too many": (
        "learning_rates = [0.1, 0.3]",
        "learning_rates = [x / 100 for x in range(1, 200)]",
        "search_params",
        "are multiplied",
    ),
    "floats as sizes": ("[32, 64]", "[32.0, 64.0]", "search_params", "a whole number"),
    "last one": (
        "return max(found, key=lambda one: one[2])",
        "return found[-1]",
        "find_best_net",
        "(last|worse) network was chosen",
    ),
    "worst one": (
        "return max(found, key",
        "return min(found, key",
        "find_best_net",
        "(worst|worse) network was chosen",
    ),
    "stops early": (
        "found.append((net, stat, accuracy))",
        "found.append((net, stat, accuracy))\n        if len(found) == 8:\n            break",
        "find_best_net",
        "a loop ends early",
    ),
    "classes forgotten": ("int(y.max()) + 1", "int(y.max())", "find_best_net", "does not fit the data"),
    "one hidden size": ("X.shape[1], hidden_size", "X.shape[1], 32", "find_best_net", "none of those to try"),
    "trains on validation data": (
        "net.train(X, y, X_val, y_val",
        "net.train(X_val, y_val, X, y",
        "find_best_net",
        "not in their places",
    ),
    "by training accuracy": (
        "(net.predict(X_val) == y_val)",
        "(net.predict(X) == y)",
        "find_best_net",
        "accuracy on the training set",
    ),
    "settings mixed up": (
        "learning_rate, decay, reg, num_iters",
        "learning_rate, reg, decay, num_iters",
        "find_best_net",
        "mixed up",
    ),
    "decay not passed on": (
        "X_val, y_val, learning_rate, decay, reg, num_iters",
        "X_val, y_val, learning_rate, reg=reg, num_iters",
        "find_best_net",
        "not all of them are passed on",
    ),
}
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


@pytest.fixture(scope="module")
def grades(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grade]:
    """Return the grades of all sources that the tests below speak about."""
    jobs = {key: (REFERENCE, key) for key in KEYS}
    jobs["stub"] = (STUB, "key")
    jobs["loss alone"] = (loss_alone(), "key")
    jobs |= {name: (REFERENCE.replace(old, new), "key") for name, (old, new, _, _) in MISTAKES.items()}
    jobs |= {name: (without(name), "key") for name in UNDONE}
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


@pytest.mark.parametrize("mistake", MISTAKES)
def test_one_mistake_loses_points_in_one_task(grades: dict[str, Grade], mistake: str) -> None:
    old, _, task, cause = MISTAKES[mistake]
    assert REFERENCE.count(old) == 1
    assert lost(grades[mistake]) == {task}
    problems = "\n".join(test.problem for test in grades[mistake].tests.values() if not test.passed)
    named = set(re.findall("likely cause: (.*)", problems))
    assert bool(named) == bool(cause)
    assert [text for text in named if not re.search(cause, text)] == []


@pytest.mark.parametrize("name", UNDONE)
def test_later_tasks_do_not_need_earlier_ones(grades: dict[str, Grade], name: str) -> None:
    assert lost(grades[name]) == UNDONE[name]


def test_the_loss_is_graded_without_the_gradients(grades: dict[str, Grade]) -> None:
    assert lost(grades["loss alone"]) == {"backward"}
    assert grades["loss alone"].points["backward"] == 0


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
    assert torch.allclose(hidden.true_loss(hidden.PARAMS, hidden.X, hidden.Y, reg), loss.detach(), rtol=1e-12)
    grads = hidden.true_grads(hidden.PARAMS, hidden.X, hidden.Y, reg)
    assert all(rel_error(grads[name], value.grad, floor=1e-14) < 1e-11 for name, value in params.items())


def test_the_oracle_agrees_with_central_differences(hidden: ModuleType) -> None:
    params = hidden.copied(hidden.PARAMS)
    grads = hidden.true_grads(params, hidden.X, hidden.Y, 0.4)
    for name in hidden.NAMES:
        slopes = compute_numeric_gradient(
            lambda _: hidden.true_loss(params, hidden.X, hidden.Y, 0.4), params[name]
        )
        assert rel_error(grads[name], slopes) < 1e-7


def test_every_mistake_of_the_oracle_is_one(hidden: ModuleType) -> None:
    right = hidden.true_loss(hidden.PARAMS, hidden.X, hidden.Y, 0.4)
    for mistake in hidden.LOSS_HINTS:
        assert not torch.isclose(hidden.true_loss(hidden.PARAMS, hidden.X, hidden.Y, 0.4, mistake), right)
    grads = hidden.true_grads(hidden.PARAMS, hidden.X, hidden.Y, 0.4)
    for mistake in hidden.GRAD_HINTS:
        wrong = hidden.true_grads(hidden.PARAMS, hidden.X, hidden.Y, 0.4, mistake)
        assert any(not torch.allclose(wrong[name], grads[name]) for name in hidden.NAMES)


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
