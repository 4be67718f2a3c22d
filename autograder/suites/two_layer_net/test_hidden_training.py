"""Hidden tests of the two-layer network: training and prediction.

Whatever these build on is replaced: by results that are known beforehand, or by a network in PyTorch's own
functions and float64, so that a mistake is not counted twice.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pytest
import torch
import two_layer_net
from suite.parameters import BANNED, NAMES, Params, copied, hidden_params
from torch import Tensor

from autograder.hidden import Thresholds, altered, hidden_labels, hidden_normal
from helpers import data
from helpers.testing import Hint, checks, require, substituted

THRESHOLDS = Thresholds("two_layer_net")

MAX_WORK = 20_000_000
"""More numbers than any test needs: student code that asks the network for more gets nothing."""

# A network that is right


def true_forward(params: Params, X: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores and hidden values in the dtype of X."""
    if X.numel() * params["W1"].shape[1] > MAX_WORK:
        raise ValueError("too many examples")
    w1, b1, w2, b2 = (params[name].double() for name in NAMES)
    hidden = torch.addmm(b1, X.double(), w1).relu()
    return torch.addmm(b2, hidden, w2).to(X.dtype), hidden.to(X.dtype)


def true_loss_func(params: Params, X: Tensor, y: Tensor | None = None, reg: float = 0.0) -> object:
    """Do what nn_forward_backward should."""
    scores, hidden = (result.double() for result in true_forward(params, X))
    if y is None:
        return scores.to(X.dtype)
    targets = torch.nn.functional.one_hot(y, scores.shape[1]).double()
    upstream = (scores.softmax(dim=1) - targets) / len(y)
    below = (upstream @ params["W2"].double().T).masked_fill(hidden == 0, 0)
    grads = {"W1": X.double().T @ below, "b1": below.sum(0), "W2": hidden.T @ upstream, "b2": upstream.sum(0)}
    squares = 0.0
    for name in ("W1", "W2"):
        grads[name] += 2 * reg * params[name].double()
        squares += float((params[name].double() ** 2).sum())
    loss = torch.nn.functional.cross_entropy(scores, y) + reg * squares
    return loss.to(X.dtype), copied(grads, X.dtype)


def true_predict(params: Params, loss_func: object, X: Tensor) -> Tensor:
    """Do what nn_predict should."""
    return true_forward(params, X)[0].argmax(dim=1)


def with_true_network() -> AbstractContextManager[None]:
    """Replace all that training and prediction build on."""
    return substituted(two_layer_net, nn_forward_pass=true_forward, nn_forward_backward=true_loss_func)


# Training

PARAMS = hidden_params("net", 6, 8, 5)
MANY = hidden_normal("many", shape=(64, 6))
TRAIN = hidden_normal("train", shape=(13, 6))
TRAIN_LABELS = hidden_labels("train/y", classes=5, count=13)
VAL_LABELS = hidden_labels("val/y", classes=5, count=10)
STEPS = [
    {name: hidden_normal(f"step {it}/{name}", shape=PARAMS[name].shape) for name in NAMES} for it in range(11)
]
RATE, DECAY, REG = 0.3, 0.6, 0.1
HISTORIES = ("loss_history", "train_acc_history", "val_acc_history")


class Observer:
    """Loss and prediction functions whose results are known beforehand; they note what they are asked."""

    def __init__(self) -> None:
        self.seen: list[Params] = []
        self.batches: list[tuple[Tensor, Tensor]] = []
        self.strengths: list[float] = []
        self.predicted_without_loss_func = False

    def loss_func(self, params: Params, X: Tensor, y: Tensor | None = None, reg: float = 0.0) -> object:
        """Return the next loss and the next gradients of the list."""
        if y is None:
            return torch.zeros(len(X), 5)
        self.seen.append(copied(params))
        self.batches.append((X.clone(), y.clone()))
        self.strengths.append(reg)
        step = len(self.seen) - 1
        return torch.tensor(100.0 - step), STEPS[step]

    def pred_func(self, params: Params, loss_func: object, X: Tensor) -> Tensor:
        """Predict as many validation labels right as steps were taken, and all others but one."""
        self.predicted_without_loss_func |= loss_func is None
        if len(X) == len(VAL_LABELS):
            right = sum(bool((params["b2"] != seen["b2"]).any()) for seen in self.seen)
            return torch.where(torch.arange(len(X)) < right, VAL_LABELS, VAL_LABELS + 1)
        labels = self.batches[-1][1].clone() if len(X) == len(self.batches[-1][1]) else TRAIN_LABELS.clone()
        labels[0] += 1
        return labels

    def check_batches(self, size: int, reg: float) -> None:
        """Check what the loss was asked for: batches of this size, of examples with their own labels."""
        for x, y in self.batches:
            checks.tensor(x, shape=(size, TRAIN.shape[1]), dtype=TRAIN.dtype, what="the examples of a batch")
            checks.tensor(y, shape=(size,), dtype=torch.int64, what="the labels of a batch")
            places = (x[:, None] == TRAIN).all(dim=2)
            checks.holds(bool(places.any(dim=1).all()), what="a batch", problem="not of training examples")
            checks.holds(
                torch.equal(TRAIN_LABELS[places.int().argmax(dim=1)], y),
                what="a batch",
                problem="some labels belong to other examples",
                likely_cause="examples and labels were drawn separately; take both from the same places",
            )
        first = [x[0].tolist() for x, _ in self.batches]
        checks.holds(
            first != first[:1] * len(first), what="the batches", problem="all begin with one example"
        )
        for strength in self.strengths:
            checks.close(strength, reg, what="the strength of the regularization that the loss is given")


def train(course: Observer, params: Params, num_iters: int, batch_size: int) -> dict[str, Any]:
    """Let the student's code train on known gradients."""
    stats = two_layer_net.nn_train(
        params,
        course.loss_func,
        course.pred_func,
        TRAIN.clone(),
        TRAIN_LABELS.clone(),
        MANY[:10].clone(),
        VAL_LABELS.clone(),
        learning_rate=RATE,
        learning_rate_decay=DECAY,
        reg=REG,
        num_iters=num_iters,
        batch_size=batch_size,
    )
    return checks.entries(stats, HISTORIES, what="the statistics")


def after(rates: Sequence[float]) -> Params:
    """Return the parameters after steps of these lengths."""
    found = copied(PARAMS)
    for rate, step in zip(rates, STEPS, strict=False):
        found = {name: found[name] - rate * step[name] for name in NAMES}
    return found


def rates(decays: Callable[[int], int], count: int = 8) -> list[float]:
    """Return the learning rates of the steps, given how often they have decayed before step `it`."""
    return [RATE * DECAY ** decays(it) for it in range(count)]


@pytest.mark.task("train", weight=1)
def test_training_batches() -> None:
    """Training: every step is given a new batch of examples with their labels."""
    course = Observer()
    train(course, copied(PARAMS), num_iters=8, batch_size=4)
    checks.holds(len(course.seen) == 8, what="the steps", problem="not as many as num_iters says")
    course.check_batches(4, REG)


@pytest.mark.task("train", weight=3)
def test_training_steps() -> None:
    """Training: eight steps with known gradients, in epochs of three."""
    course, params = Observer(), copied(PARAMS)
    train(course, params, num_iters=8, batch_size=4)
    checks.entries(params, NAMES, what="params after the training")
    right = rates(lambda it: (it + 2) // 3)
    wrong = {
        "the learning rate decayed after every iteration; it does so once per epoch": rates(lambda it: it),
        "the learning rate did not decay": rates(lambda it: 0),
        "the learning rate decayed before the step; decay it after the step": rates(lambda it: it // 3 + 1),
        "the learning rate decayed at the end of an epoch; do so in iterations 0, E, 2E": rates(
            lambda it: it // 3
        ),
        "the step went along the gradient; it goes against it": [-rate for rate in right],
        "params still holds the old values; change them in the dict": [],
        "only the first step was taken": right[:1],
    }
    for name in NAMES:
        hints = [Hint(PARAMS[name], "the biases were not trained")] if name == "b1" else []
        hints += [Hint(after(lengths)[name], says) for says, lengths in wrong.items()]
        what = f'params["{name}"] after the training'
        checks.close(params[name], after(right)[name], what=what, operation="steps", hints=hints)
    for it, seen in enumerate(course.seen):
        checks.close(seen, after(right[:it]), what=f"params in iteration {it}", operation="steps")


@pytest.mark.task("train", weight=3)
def test_training_histories() -> None:
    """Training: losses of all iterations, and accuracies once per epoch, after the step."""
    course = Observer()
    stats = train(course, copied(PARAMS), num_iters=8, batch_size=4)
    without = course.predicted_without_loss_func
    checks.holds(not without, what="pred_func", problem="called without the loss_func that it needs")
    losses = [100.0 - it for it in range(8)]
    checks.close(stats["loss_history"], losses, what="the loss history")
    hints = [
        Hint([0.0, 0.3, 0.6], says="the accuracy was measured before the step, not after it"),
        Hint([0.3, 0.6], says="measured at the end of an epoch; do so in iterations 0, E, 2E"),
        Hint([0.1 * it for it in range(1, 9)], says="measured in every iteration; do so once per epoch"),
        Hint([10.0, 40.0, 70.0], says="these are percentages; an accuracy is a number from 0 to 1"),
        Hint([0.75] * 3, says="this is the accuracy on the batch"),
    ]
    right = [0.1, 0.4, 0.7]
    checks.close(stats["val_acc_history"], right, what="the accuracies on validation", hints=hints)
    hints = [
        Hint([12 / 13] * 3, says="this is the accuracy on the whole training set; the batch will do"),
        Hint([75.0] * 3, says="these are percentages; an accuracy is a number from 0 to 1"),
    ]
    checks.close(stats["train_acc_history"], [0.75] * 3, what="the accuracies on batches", hints=hints)


@pytest.mark.task("train", weight=2)
def test_training_with_large_batches() -> None:
    """Training: where a batch is larger than the training set, every iteration is an epoch."""
    params = copied(PARAMS)
    stats = train(Observer(), params, num_iters=5, batch_size=40)
    right = after(rates(lambda it: it, 5))
    found = checks.entries(params, NAMES, what="params after the training")["W2"]
    checks.close(found, right["W2"], what='params["W2"] after the training', operation="steps")
    accuracies = [0.1, 0.2, 0.3, 0.4, 0.5]
    checks.close(stats["val_acc_history"], accuracies, what="the accuracies on validation")


@pytest.mark.constraint
@pytest.mark.task("train", weight=1)
def test_training_source() -> None:
    """Training: no optimizer and no automatic differentiation."""
    train(Observer(), copied(PARAMS), num_iters=2, batch_size=4)
    # Who brings the file of another course gets sample_batch from the kit; here it is given.
    require(two_layer_net.nn_train, banned=BANNED, allowed=["helpers.training.batches.sample_batch"])


NUM_DIGITS = 600
DIGITS = data.digits(num_train=1000, num_val=100, num_test=NUM_DIGITS)


@pytest.mark.task("train", weight=2)
def test_training_on_digits() -> None:
    """Training: a network learns to read digits, and reads those that nobody has seen."""
    x_hidden, y_hidden = altered(DIGITS.x_test, DIGITS.y_test, "digits", shift=0.5, contrast=0.3)
    start = {name: 0.1 * value for name, value in hidden_params("digits", 64, 32, 10).items()}
    params = copied(start, torch.float32)
    with with_true_network():
        two_layer_net.nn_train(
            params,
            true_loss_func,
            true_predict,
            DIGITS.x_train.flatten(1),
            DIGITS.y_train.clone(),
            DIGITS.x_val.flatten(1),
            DIGITS.y_val.clone(),
            learning_rate=1.0,
            learning_rate_decay=0.97,
            reg=1e-4,
            num_iters=200,
            batch_size=100,
        )
    checks.entries(params, NAMES, what="params after the training")
    for name in NAMES:
        checks.tensor(params[name], shape=start[name].shape, dtype=torch.float32, what=f'params["{name}"]')
    labels = true_predict(params, None, x_hidden.flatten(1))
    accuracy = float((labels == y_hidden).double().mean()) * 100
    THRESHOLDS.require("accuracy", accuracy, what="the percentage of digits recognized")


# Prediction


@pytest.mark.task("predict", weight=2)
def test_prediction() -> None:
    """Prediction: the class with the highest score, for many examples."""
    scores = true_forward(PARAMS, MANY)[0]
    with with_true_network():
        found = two_layer_net.nn_predict(copied(PARAMS), true_loss_func, MANY.clone())
    hints = [
        Hint(scores.argmin(dim=1), says="the class with the lowest score was chosen"),
        Hint(scores.argmax(dim=0), says="the best example of each class was chosen; compare classes, dim=1"),
    ]
    checks.equal(found, scores.argmax(dim=1), what="the labels", hints=hints)


@pytest.mark.task("predict", weight=1)
def test_prediction_of_one() -> None:
    """Prediction: a single example in float32 gets a tensor with one label."""
    for x in MANY[:6].float().split(1):
        with with_true_network():
            found = two_layer_net.nn_predict(copied(PARAMS, torch.float32), true_loss_func, x)
        checks.equal(found, true_predict(PARAMS, None, x), what="the label")
