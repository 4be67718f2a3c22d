"""Hidden tests of the two-layer network.

Expected values come from an oracle in NumPy and float64; the kit's own tests compare it with automatic
differentiation and with central differences. Whatever a task builds on is replaced by the oracle, so that a
mistake is not counted twice. The oracle can make typical mistakes, too, for the likely causes.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pytest
import torch
import two_layer_net
from torch import Tensor

from autograder.seeds import hidden_generator
from helpers import checks, data, evidence
from helpers.checks import Hint
from helpers.constraints import require
from helpers.substitute import substituted

BANNED = ("torch.nn", "torch.optim", "torch.autograd", "torch.func", ".backward", ".cuda")
NAMES = ("W1", "b1", "W2", "b2")
MAX_WORK = 20_000_000
"""More numbers than any test needs: student code that asks the oracle for more gets nothing."""

Params = dict[str, Tensor]


def normal(name: str, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return hidden normal numbers."""
    generator = hidden_generator("two_layer_net", name)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


def labels_below(classes: int, name: str, count: int) -> Tensor:
    """Return hidden labels."""
    return torch.randint(classes, (count,), generator=hidden_generator("two_layer_net", name))


def hidden_params(name: str, d: int, h: int, c: int) -> Params:
    """Return hidden parameters, biases included, of a network with scores of moderate size."""
    shapes = {"W1": (d, h), "b1": (h,), "W2": (h, c), "b2": (c,)}
    return {key: 0.7 * normal(f"{name}/{key}", *shape) for key, shape in shapes.items()}


def away_from_kinks(params: Params, x: Tensor, count: int) -> Tensor:
    """Return examples for which no hidden unit is near 0, where rounding would decide about its gradient."""
    near = (x @ params["W1"] + params["b1"]).abs().amin(dim=1)
    return x[near.argsort(descending=True)[:count]].clone()


def copied(params: Params, dtype: torch.dtype = torch.float64) -> Params:
    """Return a copy of all parameters."""
    return {name: value.to(dtype, copy=True) for name, value in params.items()}


def scattered(x: Tensor) -> Tensor:
    """Return the same values in memory that is not contiguous."""
    return torch.stack([x, torch.zeros_like(x)], dim=-1)[..., 0]


# The oracle


def layers(params: Params, x: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return sums before the ReLU, hidden values and scores in float64."""
    if x.numel() * params["W1"].shape[1] > MAX_WORK:
        raise ValueError("too many examples")
    w1, b1, w2, b2 = (params[name].double().numpy() for name in NAMES)
    sums = np.einsum("nd,dh->nh", x.double().numpy(), w1) + b1
    hidden = np.where(sums > 0, sums, 0.0)
    return sums, hidden, np.einsum("nh,hc->nc", hidden, w2) + b2


def true_forward(params: Params, X: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores and hidden values in the dtype of X."""
    _, hidden, scores = layers(params, X)
    return torch.from_numpy(scores).to(X.dtype), torch.from_numpy(hidden).to(X.dtype)


def regularizer(params: Params, reg: float, mistake: str) -> float:
    """Return what regularization adds to the loss."""
    names = {"biases": NAMES, "W1 alone": ("W1",), "W2 alone": ("W2",)}.get(mistake, ("W1", "W2"))
    factor = {"halved": 0.5, "doubled": 2.0, "forgotten": 0.0}.get(mistake, 1.0)
    return factor * reg * sum(float((params[name].double() ** 2).sum()) for name in names)


def true_loss(params: Params, X: Tensor, y: Tensor, reg: float, mistake: str = "") -> Tensor:
    """Return the loss in the dtype of X, or what a typical mistake makes of it."""
    scores = layers(params, X)[2]
    axis = 0 if mistake == "over examples" else 1
    log_probs = scores - np.logaddexp.reduce(scores, axis=axis, keepdims=True)
    right = log_probs[np.arange(len(y)), y.numpy()]
    losses = log_probs if mistake == "all classes" else right
    loss = -losses.sum() if mistake == "sum" else -losses.mean()
    return torch.tensor(float(loss) + regularizer(params, reg, mistake), dtype=X.dtype)


def true_grads(params: Params, X: Tensor, y: Tensor, reg: float, mistake: str = "") -> Params:
    """Return the gradients in the dtype of X, or what a typical mistake makes of them."""
    sums, hidden, scores = layers(params, X)
    upstream = np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))
    upstream[np.arange(len(y)), y.numpy()] -= 0 if mistake == "not minus one" else 1
    upstream /= {"sum": 1, "twice": len(y) ** 2, "classes": scores.shape[1]}.get(mistake, len(y))
    below = np.einsum("nc,hc->nh", upstream, params["W2"].double().numpy())
    masks = {"open": np.ones_like(sums), "inverted": sums <= 0, "upstream": below > 0}
    below = below * masks.get(mistake, sums > 0)
    second = sums if mistake == "before ReLU" else hidden
    found = {
        "W1": np.einsum("nd,nh->dh", X.double().numpy(), below),
        "b1": below.sum(axis=0),
        "W2": np.einsum("nh,nc->hc", second, upstream),
        "b2": upstream.sum(axis=0),
    }
    factor = {"halved": 1.0, "doubled": 4.0, "forgotten": 0.0, "without reg": 2.0 / (reg or 1)}.get(
        mistake, 2.0
    )
    for name in NAMES if mistake == "biases" else ("W1", "W2"):
        found[name] = found[name] + factor * reg * params[name].double().numpy()
    return {name: torch.from_numpy(value).to(X.dtype) for name, value in found.items()}


def true_loss_func(params: Params, X: Tensor, y: Tensor | None = None, reg: float = 0.0) -> object:
    """Do what nn_forward_backward should."""
    if y is None:
        return true_forward(params, X)[0]
    return true_loss(params, X, y, reg), true_grads(params, X, y, reg)


def true_predict(params: Params, loss_func: object, X: Tensor) -> Tensor:
    """Do what nn_predict should."""
    return torch.from_numpy(layers(params, X)[2].argmax(axis=1))


def with_true_network() -> AbstractContextManager[None]:
    """Replace all that training and prediction build on."""
    return substituted(two_layer_net, nn_forward_pass=true_forward, nn_forward_backward=true_loss_func)


LOSS_HINTS = {
    "sum": "the losses were added up; divide by the number of examples N",
    "forgotten": "the regularization was forgotten",
    "halved": "the regularization was halved; there is no factor 1/2",
    "doubled": "the regularization was doubled",
    "biases": "the biases were regularized too; only W1 and W2 are",
    "W1 alone": "W2 is not regularized",
    "W2 alone": "W1 is not regularized",
    "over examples": "the softmax ran over the examples; it runs over the classes, dim=1",
    "all classes": "the mean went over all classes, not over the right ones",
}
GRAD_HINTS = {
    "sum": "not divided by the number of examples N",
    "twice": "divided by the number of examples N twice",
    "classes": "divided by the number of classes; divide by the number of examples N",
    "not minus one": "1 was not subtracted from p at the right class",
    "open": "the ReLU was forgotten: where it gave 0, no gradient flows",
    "inverted": "the ReLU is turned around: the gradient flows where its result is above 0",
    "upstream": "the ReLU's mask was made of the gradient; what counts is where the hidden value is above 0",
    "before ReLU": "computed with the values before the ReLU; use the hidden values after it",
    "forgotten": "the gradient of the regularization was forgotten",
    "halved": "a factor 2 is missing in the regularization: the gradient of w ** 2 is 2 * w",
    "doubled": "the gradient of the regularization is doubled",
    "without reg": "reg is missing in the gradient of the regularization",
    "biases": "the biases were regularized too; only W1 and W2 are",
}


# What the tests below have in common

PARAMS = hidden_params("net", 6, 8, 5)
X = away_from_kinks(PARAMS, normal("x", 60, 6), 11)
Y = labels_below(5, "y", 11)
MANY = normal("many", 64, 6)
MANY_LABELS = labels_below(5, "many/y", 64)


def pair(found: object, what: str) -> Any:
    """Return the two results of a call."""
    checks.holds(
        type(found) in (tuple, list) and len(found) == 2,  # type: ignore[arg-type]
        what=what,
        problem="not a pair, as the docstring says",
    )
    return found


def forward_backward(params: Params, x: Tensor, y: Tensor, reg: float) -> Any:
    """Return loss and gradients of the student's function, on top of a forward pass that is right."""
    with substituted(two_layer_net, nn_forward_pass=true_forward):
        found = two_layer_net.nn_forward_backward(params, x, y, reg)
    return pair(found, "the result of nn_forward_backward")


def check_loss(params: Params, x: Tensor, reg: float, **tolerance: float) -> None:
    """Compare the loss with the oracle; a plain number will do as well as a tensor."""
    loss = forward_backward(copied(params, x.dtype), x.clone(), Y.clone(), reg)[0]
    if type(loss) is float:
        loss = torch.tensor(loss, dtype=x.dtype)
    hints = [Hint(true_loss(params, x, Y, reg, mistake), says) for mistake, says in LOSS_HINTS.items()]
    checks.close(loss, true_loss(params, x, Y, reg), what="the loss", hints=hints, **tolerance)


def check_grads(grads: object, names: Sequence[str], x: Tensor, reg: float, **tolerance: float) -> None:
    """Compare gradients with the oracle."""
    checks.holds(
        type(grads) is dict and all(name in grads for name in NAMES),
        what="the gradients",
        problem="not a dict with an entry for each of W1, b1, W2 and b2",
    )
    right = true_grads(PARAMS, x, Y, reg)
    wrong = {says: true_grads(PARAMS, x, Y, reg, mistake) for mistake, says in GRAD_HINTS.items()}
    for name in names:
        hints = [Hint(grads[name], says) for says, grads in wrong.items()]
        hints += [Hint(right[name].T, "transposed")] if name.startswith("W") else []
        found = grads[name]  # type: ignore[index]
        checks.close(found, right[name], what=f'grads["{name}"]', hints=hints, **tolerance)


def keeps(function: Callable[..., object], **rule: Any) -> bool:
    """Return whether the source of a function keeps to a rule."""
    try:
        require(function, **rule)
    except checks.CheckFailure:
        return False
    return True


def check_source(function: Callable[..., object], uses: Callable[..., object] | None = None) -> None:
    """Check that a function is without loops and keeps to what is allowed.

    A rule that `uses`, the function of an earlier task, breaks is not held against the later one.
    """
    if uses is None or keeps(uses, loops=0):
        require(function, loops=0)
    require(function, banned=[name for name in BANNED if uses is None or keeps(uses, banned=[name])])


def check_operations(count: Callable[[int], int]) -> None:
    """Check that 64 examples take hardly more tensor operations than 8."""
    checks.holds(
        count(64) < 2.5 * max(1, count(8)),  # 1 without a loop, about 6 with one
        what="the number of tensor operations",
        problem="grows with the number of examples, as that of a loop does",
    )


# The forward pass


def check_forward(params: Params, x: Tensor, **tolerance: float) -> None:
    """Compare scores and hidden values with the oracle."""
    right_scores, right_hidden = true_forward(params, x)
    sums = torch.from_numpy(layers(params, x)[0]).to(x.dtype)
    scores, hidden = pair(two_layer_net.nn_forward_pass(params, x), "the result of nn_forward_pass")
    hints = [
        Hint(sums, says="the ReLU is missing: negative sums become 0"),
        Hint(sums.abs(), says="the absolute value was taken; ReLU makes negative sums 0"),
        Hint((sums - params["b1"].to(x.dtype)).clamp(min=0), says="the bias b1 was forgotten"),
        Hint(right_scores, says="scores and hidden values are swapped"),
    ]
    checks.close(hidden, right_hidden, what="the hidden values", hints=hints, **tolerance)
    w2, b2 = params["W2"].to(x.dtype), params["b2"].to(x.dtype)
    hints = [
        Hint(sums @ w2 + b2, says="the scores were computed from the values before the ReLU"),
        Hint(right_scores.clamp(min=0), says="the scores went through a ReLU; only the hidden layer does"),
        Hint(right_scores.softmax(dim=1), says="these are probabilities; scores are before the softmax"),
        Hint(right_scores - b2, says="the bias b2 was forgotten"),
    ]
    checks.close(scores, right_scores, what="the scores", hints=hints, **tolerance)


@pytest.mark.task("forward", weight=3)
def test_forward() -> None:
    """Forward: scores and hidden values in float64."""
    check_forward(copied(PARAMS), X.clone(), rtol=1e-9, atol=1e-9)


@pytest.mark.task("forward", weight=2)
def test_forward_in_float32() -> None:
    """Forward: scores and hidden values in float32, of many examples and of a single one."""
    for x in (MANY.float(), MANY[:1].float()):
        check_forward(copied(PARAMS, torch.float32), x, rtol=1e-4, atol=1e-5)


@pytest.mark.task("forward", weight=1)
def test_forward_of_scattered_inputs() -> None:
    """Forward: examples and parameters whose memory is not contiguous."""
    params = {name: scattered(value) for name, value in PARAMS.items()}
    check_forward(params, scattered(X), rtol=1e-9, atol=1e-9)


@pytest.mark.constraint
@pytest.mark.task("forward", weight=1)
def test_forward_leaves_inputs() -> None:
    """Forward: neither the parameters nor the examples are modified."""
    params, x = copied(PARAMS), X.clone()
    pair(two_layer_net.nn_forward_pass(params, x), "the result of nn_forward_pass")
    checks.unchanged(PARAMS, params, what="params")
    checks.unchanged(X, x, what="X")


@pytest.mark.constraint
@pytest.mark.task("forward", weight=2)
def test_forward_source() -> None:
    """Forward: no explicit loop, no torch.nn."""
    pair(two_layer_net.nn_forward_pass(copied(PARAMS), X.clone()), "the result of nn_forward_pass")
    check_source(two_layer_net.nn_forward_pass)


@pytest.mark.constraint
@pytest.mark.task("forward", weight=1)
def test_forward_operations() -> None:
    """Forward: the number of tensor operations does not grow with the examples."""

    def count(size: int) -> int:
        measured = evidence.measure(two_layer_net.nn_forward_pass, copied(PARAMS), MANY[:size].clone())
        pair(measured.result, "the result of nn_forward_pass")
        return measured.operations

    check_operations(count)


# The loss


@pytest.mark.task("loss", weight=3)
def test_loss() -> None:
    """Loss: the mean softmax loss in float64, without regularization."""
    check_loss(PARAMS, X, 0.0, rtol=1e-9)


@pytest.mark.task("loss", weight=3)
def test_loss_with_regularization() -> None:
    """Loss: reg times the sum of the squares of W1 and W2 is added."""
    check_loss(PARAMS, X, 0.37, rtol=1e-9)


@pytest.mark.task("loss", weight=1)
def test_loss_in_float32() -> None:
    """Loss: float32, from examples whose memory is not contiguous."""
    check_loss(PARAMS, scattered(X.float()), 0.02, rtol=1e-4)


@pytest.mark.task("loss", weight=2)
def test_loss_of_large_scores() -> None:
    """Loss: scores around 10,000 do not overflow, in float64 and float32."""
    large = PARAMS | {"W2": 3000 * PARAMS["W2"], "b2": PARAMS["b2"] + 10_000}
    for dtype in (torch.float64, torch.float32):
        loss = forward_backward(copied(large, dtype), X.to(dtype), Y.clone(), 0.0)[0]
        right = true_loss(large, X.to(dtype), Y, 0.0)
        if type(loss) is torch.Tensor:
            checks.holds(
                bool(loss.isfinite().all()),
                what="the loss of scores around 10,000",
                problem="infinite or NaN",
                likely_cause="exp(10000) is infinite; subtract the largest score of each example first",
            )
        else:
            right = float(right)  # type: ignore[assignment]
        checks.close(loss, right, what="the loss of scores around 10,000", rtol=1e-4, atol=1e-2)


@pytest.mark.task("loss", weight=1)
def test_initial_loss() -> None:
    """Loss: with weights close to zero it is the logarithm of the number of classes."""
    small = {name: 1e-5 * value for name, value in PARAMS.items()}
    loss = forward_backward(small, X.clone(), Y.clone(), 1e-3)[0]
    loss = loss if type(loss) is float else float(checks.tensor(loss, shape=(), what="the loss"))
    hints = [
        Hint(math.log(5) * 11, says="the losses were added up; divide by the number of examples N"),
        Hint(math.log(11), says="the softmax ran over the examples; it runs over the classes, dim=1"),
    ]
    checks.close(loss, math.log(5), what="the initial loss with 5 classes", rtol=1e-3, hints=hints)


@pytest.mark.task("loss", weight=1)
def test_scores_without_labels() -> None:
    """Loss: without labels nothing but the scores is returned."""
    forward_backward(copied(PARAMS), X.clone(), Y.clone(), 0.1)
    with substituted(two_layer_net, nn_forward_pass=true_forward):
        scores = two_layer_net.nn_forward_backward(copied(PARAMS), X.clone(), reg=0.1)
    checks.close(scores, true_forward(PARAMS, X)[0], what="the scores", rtol=1e-9)


# The gradients


@pytest.mark.task("backward", weight=3)
def test_gradients_of_second_layer() -> None:
    """Gradients: W2 and b2 in float64, without regularization."""
    grads = forward_backward(copied(PARAMS), X.clone(), Y.clone(), 0.0)[1]
    check_grads(grads, ("W2", "b2"), X, 0.0, rtol=1e-8, atol=1e-10)


@pytest.mark.task("backward", weight=3)
def test_gradients_of_first_layer() -> None:
    """Gradients: W1 and b1 in float64, without regularization."""
    grads = forward_backward(copied(PARAMS), X.clone(), Y.clone(), 0.0)[1]
    check_grads(grads, ("W1", "b1"), X, 0.0, rtol=1e-8, atol=1e-10)


@pytest.mark.task("backward", weight=3)
def test_gradients_with_regularization() -> None:
    """Gradients: those of the regularization, which leaves the biases alone."""
    grads = forward_backward(copied(PARAMS), X.clone(), Y.clone(), 0.37)[1]
    check_grads(grads, NAMES, X, 0.37, rtol=1e-8, atol=1e-10)


@pytest.mark.task("backward", weight=2)
def test_gradients_in_float32() -> None:
    """Gradients: float32, from examples whose memory is not contiguous."""
    grads = forward_backward(copied(PARAMS, torch.float32), scattered(X.float()), Y.clone(), 0.02)[1]
    check_grads(grads, NAMES, X.float(), 0.02, rtol=1e-3, atol=1e-5)


@pytest.mark.constraint
@pytest.mark.task("backward", weight=1)
def test_backward_leaves_inputs() -> None:
    """Gradients: neither parameters nor examples nor labels are modified."""
    params, x, y = copied(PARAMS), X.clone(), Y.clone()
    forward_backward(params, x, y, 0.37)
    checks.unchanged(PARAMS, params, what="params")
    checks.unchanged(X, x, what="X")
    checks.unchanged(Y, y, what="y")


@pytest.mark.constraint
@pytest.mark.task("backward", weight=2)
def test_backward_source() -> None:
    """Gradients: no explicit loop, no torch.nn, no automatic differentiation."""
    forward_backward(copied(PARAMS), X.clone(), Y.clone(), 0.37)
    check_source(two_layer_net.nn_forward_backward, uses=two_layer_net.nn_forward_pass)


@pytest.mark.constraint
@pytest.mark.task("backward", weight=1)
def test_backward_operations() -> None:
    """Gradients: the number of tensor operations does not grow with the examples."""

    def count(size: int) -> int:
        x, y = MANY[:size].clone(), MANY_LABELS[:size].clone()
        with substituted(two_layer_net, nn_forward_pass=true_forward):
            measured = evidence.measure(two_layer_net.nn_forward_backward, copied(PARAMS), x, y, 0.1)
        pair(measured.result, "the result of nn_forward_backward")
        return measured.operations

    check_operations(count)


# Training

TRAIN = normal("train", 13, 6)
TRAIN_LABELS = labels_below(5, "train/y", 13)
VAL_LABELS = labels_below(5, "val/y", 10)
STEPS = [{name: normal(f"step {it}/{name}", *PARAMS[name].shape) for name in NAMES} for it in range(11)]
RATE, DECAY = 0.3, 0.6


class Course:
    """Loss and prediction functions whose results are known beforehand; they note what they are asked."""

    def __init__(self) -> None:
        self.seen: list[Params] = []
        self.batches: list[Tensor] = []

    def loss_func(self, params: Params, X: Tensor, y: Tensor | None = None, reg: float = 0.0) -> object:
        """Return the next loss and the next gradients of the list."""
        if y is None:
            return torch.zeros(len(X), 5)
        self.seen.append(copied(params))
        self.batches.append(y.clone())
        step = len(self.seen) - 1
        return torch.tensor(100.0 - step), STEPS[step]

    def pred_func(self, params: Params, loss_func: object, X: Tensor) -> Tensor:
        """Predict as many validation labels right as steps were taken, and all labels of a batch but one."""
        if len(X) == len(VAL_LABELS):
            right = sum(bool((params["b2"] != seen["b2"]).any()) for seen in self.seen)
            return torch.where(torch.arange(len(X)) < right, VAL_LABELS, VAL_LABELS + 1)
        labels = self.batches[-1].clone()
        labels[0] += 1
        return labels


def train(course: Course, params: Params, num_iters: int, batch_size: int) -> Any:
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
        reg=0.1,
        num_iters=num_iters,
        batch_size=batch_size,
    )
    checks.holds(
        type(stats) is dict and all(f"{name}_history" in stats for name in ("loss", "train_acc", "val_acc")),
        what="the statistics",
        problem="not a dict with loss_history, train_acc_history and val_acc_history",
    )
    return stats


def after(rates: Sequence[float]) -> Params:
    """Return the parameters after steps of these lengths."""
    found = copied(PARAMS)
    for rate, step in zip(rates, STEPS, strict=False):
        found = {name: found[name] - rate * step[name] for name in NAMES}
    return found


def rates(decays: Callable[[int], int], count: int = 8) -> list[float]:
    """Return the learning rates of the steps, given how often they have decayed before step `it`."""
    return [RATE * DECAY ** decays(it) for it in range(count)]


@pytest.mark.task("train", weight=4)
def test_training_steps() -> None:
    """Training: eight steps with known gradients, in epochs of three."""
    course, params = Course(), copied(PARAMS)
    train(course, params, num_iters=8, batch_size=4)
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
        hints = [Hint(after(lengths)[name], says) for says, lengths in wrong.items()]
        what = f'params["{name}"] after the training'
        checks.close(params[name], after(right)[name], what=what, rtol=1e-6, atol=1e-8, hints=hints)
    for it, seen in enumerate(course.seen):
        checks.close(seen, after(right[:it]), what=f"params in iteration {it}", rtol=1e-6, atol=1e-8)


@pytest.mark.task("train", weight=3)
def test_training_histories() -> None:
    """Training: losses of all iterations, and accuracies once per epoch, after the step."""
    stats = train(Course(), copied(PARAMS), num_iters=8, batch_size=4)
    losses = [100.0 - it for it in range(8)]
    checks.close(stats["loss_history"], losses, what="the loss history", rtol=1e-6)
    hints = [
        Hint([0.0, 0.3, 0.6], says="the accuracy was measured before the step, not after it"),
        Hint([0.3, 0.6], says="measured at the end of an epoch; do so in iterations 0, E, 2E"),
        Hint([0.1 * it for it in range(1, 9)], says="measured in every iteration; do so once per epoch"),
        Hint([10.0, 40.0, 70.0], says="these are percentages; an accuracy is a number from 0 to 1"),
        Hint([0.75] * 3, says="this is the accuracy on the batch"),
    ]
    right = [0.1, 0.4, 0.7]
    checks.close(stats["val_acc_history"], right, what="the accuracies on validation", rtol=1e-6, hints=hints)
    checks.close(stats["train_acc_history"], [0.75] * 3, what="the accuracies on batches", rtol=1e-6)


@pytest.mark.task("train", weight=1)
def test_training_with_large_batches() -> None:
    """Training: where a batch is larger than the training set, every iteration is an epoch."""
    params = copied(PARAMS)
    stats = train(Course(), params, num_iters=5, batch_size=40)
    right = after(rates(lambda it: it, 5))
    checks.close(params["W2"], right["W2"], what='params["W2"] after the training', rtol=1e-6, atol=1e-8)
    accuracies = [0.1, 0.2, 0.3, 0.4, 0.5]
    checks.close(stats["val_acc_history"], accuracies, what="the accuracies on validation", rtol=1e-6)


@pytest.mark.constraint
@pytest.mark.task("train", weight=1)
def test_training_source() -> None:
    """Training: no optimizer and no automatic differentiation."""
    train(Course(), copied(PARAMS), num_iters=2, batch_size=4)
    require(two_layer_net.nn_train, banned=BANNED)


NUM_DIGITS = 200
DIGITS = data.digits(num_train=1000, num_val=100, num_test=NUM_DIGITS)


def changed_digits() -> tuple[Tensor, Tensor]:
    """Return digits that are nowhere to be looked up: each moved, faded and made noisy in its own way."""
    generator = hidden_generator("two_layer_net", "digits")
    order = torch.randperm(NUM_DIGITS, generator=generator)
    shift = torch.rand(NUM_DIGITS, 1, 1, 1, generator=generator) - 0.5  # in pixels
    neighbours = torch.where(shift > 0, DIGITS.x_test.roll(1, dims=3), DIGITS.x_test.roll(-1, dims=3))
    moved = torch.lerp(DIGITS.x_test, neighbours, shift.abs())
    contrast = 0.7 + 0.3 * torch.rand(NUM_DIGITS, 1, 1, 1, generator=generator)
    noise = 0.1 * torch.randn(NUM_DIGITS, 1, 8, 8, generator=generator)
    return (moved * contrast + noise).clamp(0, 1)[order], DIGITS.y_test[order]


@pytest.mark.task("train", weight=2)
def test_training_on_digits() -> None:
    """Training: a network learns to read digits, and reads those that nobody has seen."""
    x_hidden, y_hidden = changed_digits()
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
    for name in NAMES:
        checks.tensor(params[name], shape=start[name].shape, dtype=torch.float32, what=f'params["{name}"]')
    labels = true_predict(params, None, x_hidden.flatten(1))
    accuracy = float((labels == y_hidden).double().mean()) * 100
    # The reference gets 92.3 on average over 20 secrets, with a standard deviation of 1.38: 92.3 - 5.2 * 1.38.
    checks.number(accuracy, at_least=85, what="the percentage of digits recognized")


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


# The search


@pytest.mark.task("search_params", weight=2)
def test_number_of_settings() -> None:
    """Settings: at least 4 and at most 256 combinations, none of them twice."""
    lists = two_layer_net.nn_get_search_params()
    checks.holds(
        type(lists) in (tuple, list) and len(lists) == 4 and all(type(one) in (tuple, list) for one in lists),
        what="the settings",
        problem="not four lists",
    )
    for values in lists:
        distinct = {checks.number(value, at_least=0, what="a setting") for value in values}
        checks.holds(len(distinct) == len(values), what="the settings", problem="a value is in a list twice")
    number = math.prod(len(values) for values in lists)
    checks.number(number, at_least=4, at_most=256, what="the number of combinations")


FEATURES, NUM_TRAIN, NUM_VAL = 3 * 32 * 32, 30, 20
SEARCH = {
    "X_train": normal("search", NUM_TRAIN, FEATURES, dtype=torch.float32),
    "y_train": torch.arange(NUM_TRAIN) % 10,
    "X_val": normal("search/val", NUM_VAL, FEATURES, dtype=torch.float32),
    "y_val": labels_below(10, "search/val/y", NUM_VAL),
}
RATES, SIZES, REGS, DECAYS = [0.5, 0.25], [3, 5, 4], [0.0, 0.125], [1.0, 0.75]
SETTINGS = list(itertools.product(RATES, SIZES, REGS, DECAYS))


class Nets:
    """Networks whose accuracy on the validation set is known for all settings.

    The better a network is there, the worse it is on the training set, so that choosing by that shows.
    """

    def __init__(self, best: int) -> None:
        right = torch.randperm(15, generator=hidden_generator("two_layer_net", f"right {best}"))
        others = [place for place in range(len(SETTINGS)) if place != best]
        self.right = {SETTINGS[place]: int(right[n % 15]) for n, place in enumerate(others)}
        self.right[SETTINGS[best]] = 17
        kind = {"dtype": torch.float32, "device": "cpu"}
        self.spare = {
            size: [two_layer_net.TwoLayerNet(FEATURES, size, 10, **kind) for _ in range(len(SETTINGS) // 3)]
            for size in SIZES
        }
        self.trained: set[tuple[float, ...]] = set()

    def stats(self, settings: tuple[float, ...]) -> dict[str, list[float]]:
        """Return what training with these settings gives."""
        good = self.right[settings] / NUM_VAL
        return {
            "loss_history": [2.25, 1.0 + good],
            "train_acc_history": [0.0, 1 - good],
            "val_acc_history": [good / 2, good],
        }

    def labels(self, settings: tuple[float, ...] | None, x: Tensor) -> Tensor:
        """Return the labels that a network predicts."""
        truth = SEARCH["y_val"] if len(x) == NUM_VAL else SEARCH["y_train"]
        right = 0 if settings is None else self.right[settings]
        right = right if len(x) == NUM_VAL else NUM_TRAIN - right
        return torch.where(torch.arange(len(truth)) < right, truth, (truth + 1) % 10)

    def make(
        self, input_size: int, hidden_size: int, output_size: int, dtype: object = None, device: object = None
    ) -> object:
        """Stand for the class TwoLayerNet."""
        if (int(input_size), int(output_size)) != (FEATURES, 10) or not self.spare.get(int(hidden_size)):
            raise ValueError("a network of another size than asked for, or too many of them")
        settings: list[tuple[float, ...]] = []

        def train(
            X: Tensor,
            y: Tensor,
            X_val: Tensor,
            y_val: Tensor,
            learning_rate: float = 1e-3,
            learning_rate_decay: float = 0.95,
            reg: float = 5e-6,
            num_iters: int = 100,
            batch_size: int = 200,
            verbose: bool = False,
        ) -> object:
            if (len(X), len(y), len(X_val), len(y_val)) != (NUM_TRAIN, NUM_TRAIN, NUM_VAL, NUM_VAL):
                raise ValueError("training and validation data are not in their places")
            settings.append((float(learning_rate), int(hidden_size), float(reg), float(learning_rate_decay)))
            self.trained.add(settings[-1])
            return self.stats(settings[-1])

        net: Any = self.spare[int(hidden_size)].pop()
        net.train = train
        net.predict = lambda X: self.labels(settings[-1] if settings else None, X)
        return net


def check_search(best: int) -> None:
    """Check that the best of all settings is found, wherever it stands."""
    nets = Nets(best)
    with substituted(two_layer_net, TwoLayerNet=nets.make):
        found = two_layer_net.find_best_net(
            {name: value.clone() for name, value in SEARCH.items()}, lambda: (RATES, SIZES, REGS, DECAYS)
        )
    checks.holds(
        type(found) in (tuple, list) and len(found) == 3,
        what="the result of find_best_net",
        problem="not network, statistics and accuracy",
    )
    net, stat, accuracy = found
    checks.holds(
        nets.trained == set(SETTINGS),
        what="the settings that were tried",
        problem="not all the combinations",
        likely_cause="settings are mixed up, left out, or not passed on to train",
    )
    worst = min(nets.right.values()) / NUM_VAL
    hints = [
        Hint(85.0, says="this is a percentage; an accuracy is a number from 0 to 1"),
        Hint(1 - worst, says="this is an accuracy on the training set; the validation set decides"),
        Hint(worst, says="the worst network was chosen, or the one that is best on the training set"),
        Hint(nets.right[SETTINGS[-1]] / NUM_VAL, says="the last network was chosen, not the best"),
        Hint(nets.right[SETTINGS[0]] / NUM_VAL, says="the first network was chosen, not the best"),
    ]
    if type(accuracy) is torch.Tensor:
        accuracy = float(checks.tensor(accuracy, shape=(), what="the best accuracy"))
    checks.close(accuracy, 0.85, what="the best accuracy", rtol=1e-6, hints=hints)
    hints = [Hint(nets.stats(SETTINGS[-1]), says="these belong to the last network, not to the best")]
    checks.close(stat, nets.stats(SETTINGS[best]), what="the statistics of the best network", hints=hints)
    labels = net.predict(SEARCH["X_val"].clone())
    hints = [
        Hint(nets.labels(SETTINGS[-1], SEARCH["X_val"]), says="the last network was returned, not the best")
    ]
    checks.equal(labels, nets.labels(SETTINGS[best], SEARCH["X_val"]), what="the best network", hints=hints)


@pytest.mark.task("find_best_net", weight=3)
def test_best_net_in_the_middle() -> None:
    """Search: the network with the highest accuracy on the validation set is found among 24."""
    check_search(9)


@pytest.mark.task("find_best_net", weight=2)
def test_best_net_at_either_end() -> None:
    """Search: it is found as well where it comes first or last."""
    check_search(0)
    check_search(len(SETTINGS) - 1)
