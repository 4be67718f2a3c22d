"""Hidden tests of the two-layer network: training and prediction.

Whatever these build on is replaced: by results that are known beforehand, or by a network in PyTorch's own
functions and float64, so that a mistake is not counted twice.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import torch
import two_layer_net
from suite.network import true_forward, true_loss_func, true_predict, with_true_network
from suite.parameters import NAMES, Params, copy_params, hidden_params
from torch import Tensor

from autograder.hidden import Thresholds, altered, hidden_labels, hidden_normal
from helpers import data
from helpers.testing import Hint, asking, checks, public_generator

THRESHOLDS = Thresholds("two_layer_net")

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
        self.seen.append(copy_params(params))
        self.batches.append((X.clone(), y.clone()))
        self.strengths.append(reg)
        step = len(self.seen) - 1
        return torch.tensor(100.0 - step), STEPS[step]

    def pred_func(self, params: Params, loss_func: object, X: Tensor) -> Tensor:
        """Predict as many validation labels right as steps were taken, and all others but one."""
        self.predicted_without_loss_func |= loss_func is None
        if len(X) == len(VAL_LABELS):
            stepped = [any(bool((params[name] != seen[name]).any()) for name in NAMES) for seen in self.seen]
            right = sum(stepped)
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
    found = copy_params(PARAMS)
    for rate, step in zip(rates, STEPS, strict=False):
        found = {name: found[name] - rate * step[name] for name in NAMES}
    return found


def rates(decays: Callable[[int], int], count: int = 8) -> list[float]:
    """Return the learning rates of the steps, given how often they have decayed before step `it`."""
    return [RATE * DECAY ** decays(it) for it in range(count)]


@asking.one_slip()
@pytest.mark.task("train", weight=1)
def test_training_batches() -> None:
    """Training: every step is given a new batch of examples with their labels."""
    course = Observer()
    train(course, copy_params(PARAMS), num_iters=8, batch_size=4)
    checks.holds(len(course.seen) == 8, what="the steps", problem="not as many as num_iters says")
    course.check_batches(4, REG)


UPHILL = "the step went along the gradient; it goes against it"
EVERY = "the work of an epoch was done in every iteration; do it once per epoch"
LAST = "the work of an epoch was done in its last iteration; do it in iterations 0, E, 2E and so on"
REPLACED = "the parameter was replaced by the step; subtract it"
PERCENT = "these are percentages; an accuracy is a number from 0 to 1"


def check_steps(found: Mapping[str, object], names: Sequence[str], count: int, epoch: int) -> None:
    """Compare the parameters after the training with what steps of known gradients give."""
    right = rates(lambda it: -(-it // epoch), count)
    wrong = {
        EVERY: rates(lambda it: it, count),
        "the learning rate did not decay": rates(lambda it: 0, count),
        "the learning rate decayed before the step; decay it after the step": rates(
            lambda it: it // epoch + 1, count
        ),
        LAST: rates(lambda it: it // epoch, count),
        UPHILL: [-rate for rate in right],
        "only the first step was taken": right[:1],
    }
    for name in names:
        hints = [
            Hint(right[-1] * STEPS[count - 1][name], REPLACED),
            Hint(PARAMS[name], "params still holds the old values; change them in the dict", slip=False),
            *(Hint(after(lengths)[name], says) for says, lengths in wrong.items()),
        ]
        what = f'params["{name}"] after the training'
        checks.close(
            found[name], after(right)[name], what=what, operation="steps", hints=hints, origin=PARAMS[name]
        )


def numbers(found: object, what: str) -> list[float]:
    """Return a history as plain numbers; tensors with one number each will do."""
    checks.holds(type(found) is list, what=what, problem="not a list")
    return [checks.scalar(value, what=what) for value in found]  # type: ignore[attr-defined]


@pytest.mark.task("train", weight=2)
def test_training_of_weights() -> None:
    """Training: eight steps of W1 and W2 with known gradients, in epochs of three."""
    course, params = Observer(), copy_params(PARAMS)
    train(course, params, num_iters=8, batch_size=4)
    checks.entries(params, NAMES, what="params after the training")
    check_steps(params, ("W1", "W2"), 8, 3)
    right = rates(lambda it: (it + 2) // 3)
    for it, seen in enumerate(course.seen):
        for name in ("W1", "W2"):
            what = f"{name} in iteration {it}"
            checks.close(seen[name], after(right[:it])[name], what=what, operation="steps")


@pytest.mark.task("train", weight=1)
def test_training_of_biases() -> None:
    """Training: eight steps of b1 and b2."""
    params = copy_params(PARAMS)
    train(Observer(), params, num_iters=8, batch_size=4)
    checks.entries(params, NAMES, what="params after the training")
    for name in ("b1", "b2"):
        untrained = checks.agrees(params[name], PARAMS[name]) and not checks.agrees(
            params["W1"], PARAMS["W1"]
        )
        checks.holds(
            not untrained,
            what=f'params["{name}"] after the training',
            problem="as it was before",
            likely_cause="the biases were not trained; a step changes all parameters",
            slip=True,
        )
    check_steps(params, ("b1", "b2"), 8, 3)


@pytest.mark.task("train", weight=1)
def test_training_keeps_losses() -> None:
    """Training: the losses of all iterations are kept."""
    stats = train(Observer(), copy_params(PARAMS), num_iters=8, batch_size=4)
    losses = [100.0 - it for it in range(8)]
    hints = [
        Hint(losses[::3], says="keep a loss in every iteration"),
        Hint(losses[-1:], says="only the last loss is kept"),
    ]
    what = "the loss history"
    checks.close(numbers(stats["loss_history"], what), losses, what=what, hints=hints)


@pytest.mark.task("train", weight=2)
def test_training_validates() -> None:
    """Training: accuracies on the validation set, once per epoch, after the step."""
    course = Observer()
    stats = train(course, copy_params(PARAMS), num_iters=8, batch_size=4)
    without = course.predicted_without_loss_func
    checks.holds(not without, what="pred_func", problem="called without the loss_func that it needs")
    hints = [
        Hint([0.0, 0.3, 0.6], says="the accuracy was measured before the step; measure it after the step"),
        Hint([0.3, 0.6], says=LAST),
        Hint([0.1 * it for it in range(1, 9)], says=EVERY),
        Hint([10.0, 40.0, 70.0], says=PERCENT),
        Hint([0.75] * 3, says="this is the accuracy on the batch; the validation set counts here"),
        Hint([0.9, 0.6, 0.3], says="this is the part of wrong predictions"),
    ]
    what = "the accuracies on the validation set"
    checks.close(numbers(stats["val_acc_history"], what), [0.1, 0.4, 0.7], what=what, hints=hints)


@pytest.mark.task("train", weight=1)
def test_training_measures_batches() -> None:
    """Training: accuracies on the batches, once per epoch."""
    stats = train(Observer(), copy_params(PARAMS), num_iters=8, batch_size=4)
    hints = [
        Hint([12 / 13] * 3, says="this is the accuracy on the whole training set; take the batch"),
        Hint([75.0] * 3, says=PERCENT),
        Hint([0.75] * 2, says=LAST),
        Hint([0.75] * 8, says=EVERY),
        Hint([0.1, 0.4, 0.7], says="this is the accuracy on the validation set; the batch counts here"),
        Hint([0.25] * 3, says="this is the part of wrong predictions"),
    ]
    what = "the accuracies on batches"
    checks.close(numbers(stats["train_acc_history"], what), [0.75] * 3, what=what, hints=hints)


@pytest.mark.task("train", weight=1)
def test_training_with_large_batches() -> None:
    """Training: where a batch is larger than the training set, every iteration is an epoch."""
    params = copy_params(PARAMS)
    train(Observer(), params, num_iters=5, batch_size=40)
    check_steps(checks.entries(params, NAMES, what="params after the training"), ("W2",), 5, 1)


NUM_DIGITS = 1000
DIGITS = data.digits(num_train=600, num_val=100, num_test=NUM_DIGITS)
NOISE = public_generator("two_layer_net", "noise")
SHAPES = {"W1": (64, 32), "b1": (32,), "W2": (32, 10), "b2": (10,)}
START = {name: 0.35 * torch.randn(shape, generator=NOISE) for name, shape in SHAPES.items()}
"""Where training begins: noise that so few steps have to unlearn, or half of them would do as well."""


@asking.one_slip()
@pytest.mark.task("train", weight=2)
def test_training_on_digits() -> None:
    """Training: a network learns to read digits, and reads those that nobody has seen."""
    x_hidden, y_hidden = altered(DIGITS.x_test, DIGITS.y_test, "digits", shift=0.3, contrast=0.2)
    params = copy_params(START, torch.float32)
    with with_true_network():
        two_layer_net.nn_train(
            params,
            true_loss_func,
            true_predict,
            DIGITS.x_train.flatten(1),
            DIGITS.y_train.clone(),
            DIGITS.x_val.flatten(1),
            DIGITS.y_val.clone(),
            learning_rate=0.3,
            learning_rate_decay=0.99,
            reg=1e-4,
            num_iters=30,
            batch_size=300,
        )
    checks.entries(params, NAMES, what="params after the training")
    for name in NAMES:
        checks.tensor(params[name], shape=START[name].shape, dtype=torch.float32, what=f'params["{name}"]')
    shrunk = all(float(params[name].norm()) < 0.3 * float(START[name].norm()) for name in ("W1", "W2"))
    what = "the weights after the training"
    checks.holds(not shrunk, what=what, problem="much too small", likely_cause=REPLACED, slip=True)
    data_of = DIGITS.x_train.flatten(1), DIGITS.y_train
    first, last = (float(true_loss_func(weights, *data_of)[0]) for weights in (START, params))  # type: ignore[index]
    # Known gradients tell why.
    checks.holds(last <= first, what="the loss on the digits", problem="higher than before", slip=True)
    labels = true_predict(params, None, x_hidden.flatten(1))
    accuracy = float((labels == y_hidden).double().mean()) * 100
    THRESHOLDS.require("accuracy", accuracy, what="the percentage of digits recognized")


# Prediction


LOWEST = "the class with the lowest score was chosen"
EXAMPLES = "the best example of each class was chosen; compare classes, dim=1"


@asking.one_slip()
@pytest.mark.task("predict", weight=3)
def test_prediction() -> None:
    """Prediction: the class with the highest score, for many examples and for one in float32."""
    for x in (MANY, *MANY[:6].float().split(1)):
        scores = true_forward(PARAMS, x)[0]
        with with_true_network():
            found = two_layer_net.nn_predict(copy_params(PARAMS, x.dtype), true_loss_func, x.clone())
        hints = [Hint(scores.argmin(dim=1), says=LOWEST), Hint(scores.argmax(dim=0), says=EXAMPLES)]
        checks.equal(found, scores.argmax(dim=1), what="the labels", hints=hints)
