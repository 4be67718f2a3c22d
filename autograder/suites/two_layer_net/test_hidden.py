"""Hidden tests of the two-layer network: scores, loss and gradients.

Expected values come from an oracle in NumPy and float64; the kit's own tests compare it with automatic
differentiation and with central differences. Whatever a task builds on is replaced by the oracle, so that a
mistake is not counted twice. The oracle can make typical mistakes, too, for the likely causes.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
import two_layer_net
from suite.parameters import FACTOR, NAMES, Params, copy_params, hidden_params
from torch import Tensor

from autograder.hidden import hidden_labels, hidden_normal
from helpers.testing import (
    Hint,
    Operation,
    asking,
    checks,
    measure,
    regularization_causes,
    scattered,
    substituted,
)

MAX_WORK = 20_000_000
"""More numbers than any test needs: student code that asks the oracle for more gets nothing."""


def away_from_kinks(params: Params, x: Tensor, count: int) -> Tensor:
    """Return examples for which no hidden unit is near 0, where rounding would decide about its gradient."""
    near = (x @ params["W1"] + params["b1"]).abs().amin(dim=1)
    return x[near.argsort(descending=True)[:count]].clone()


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
    return FACTOR * factor * reg * sum(float((params[name].double() ** 2).sum()) for name in names)


def true_loss(params: Params, X: Tensor, y: Tensor, reg: float, mistake: str = "") -> float:
    """Return the loss, or what a typical mistake makes of it."""
    scores = layers(params, X)[2]
    axis = 0 if mistake == "over examples" else 1
    log_probs = scores - np.logaddexp.reduce(scores, axis=axis, keepdims=True)
    log_probs = np.exp(log_probs) if mistake == "no log" else log_probs
    right = log_probs[np.arange(len(y)), y.numpy()]
    losses = log_probs if mistake == "all classes" else right
    loss = -losses.sum() if mistake == "sum" else -losses.mean()
    loss = -loss if mistake == "sign" else loss
    return float(loss) + regularizer(params, reg, mistake)


def true_grads(params: Params, X: Tensor, y: Tensor, reg: float, mistake: str = "") -> Params:
    """Return the gradients in the dtype of X, or what a typical mistake makes of them."""
    sums, hidden, scores = layers(params, X)
    upstream = np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))
    upstream[np.arange(len(y)), y.numpy()] -= 0 if mistake == "not minus one" else 1
    upstream *= -1 if mistake == "negative" else 1
    upstream /= {"sum": 1, "twice": len(y) ** 2, "classes": scores.shape[1]}.get(mistake, len(y))
    below = np.einsum("nc,hc->nh", upstream, params["W2"].double().numpy())
    masks = {"open": np.ones_like(sums), "inverted": sums <= 0, "upstream": below > 0}
    below = below * masks.get(mistake, sums > 0)
    axis = 1 if mistake == "over classes" else 0
    second = sums if mistake == "before ReLU" else hidden
    found = {
        "W1": np.einsum("nd,nh->dh", X.double().numpy(), below),
        "b1": below.sum(axis=axis),
        "W2": np.einsum("nh,nc->hc", second, upstream),
        "b2": upstream.sum(axis=axis),
    }
    strength = 1.0 if mistake == "without reg" else reg
    factor = FACTOR * strength * {"halved": 1.0, "doubled": 4.0, "forgotten": 0.0}.get(mistake, 2.0)
    for name in NAMES if mistake == "biases" else ("W1", "W2"):
        found[name] = found[name] + factor * params[name].double().numpy()
    return {name: torch.from_numpy(value).to(X.dtype) for name, value in found.items()}


HALF, TWICE = regularization_causes()
LOSS_HINTS = {
    "sum": "the losses were added up; divide by the number of examples N",
    "forgotten": "the regularization was forgotten",
    "halved": HALF,
    "doubled": TWICE,
    "biases": "the biases were regularized too; only W1 and W2 are",
    "W1 alone": "W2 is not regularized",
    "W2 alone": "W1 is not regularized",
    "over examples": "the softmax ran over the examples; it runs over the classes, dim=1",
    "all classes": "the mean went over all classes, not over the right ones",
    "sign": "the sign: the loss is the mean of minus log p",
    "no log": "the logarithm was forgotten",
}
TRANSPOSED = "transposed: a gradient has the shape of its parameter"
GRAD_HINTS = {
    "sum": "not divided by the number of examples N",
    "twice": "divided by the number of examples N twice",
    "classes": "divided by the number of classes; divide by the number of examples N",
    "not minus one": "1 was not subtracted from p at the right class",
    "open": "the ReLU was forgotten: where it gave 0, no gradient flows",
    "inverted": "the ReLU is turned around: the gradient flows where its result is above 0",
    "upstream": "the ReLU's mask was computed from the gradient; use where the hidden value is above 0",
    "before ReLU": "computed with the values before the ReLU; use the hidden values after it",
    "forgotten": "the gradient of the regularization was forgotten",
    "halved": "a factor 2 is missing in the regularization: the gradient of w ** 2 is 2 * w",
    "over classes": "summed over the wrong axis; sum over the examples, dim=0",
    "negative": "the sign is turned around: the gradient of the scores is p, minus 1 at the right class",
    "doubled": "the gradient of the regularization is doubled",
    "without reg": "reg is missing in the gradient of the regularization",
    "biases": "the biases were regularized too; only W1 and W2 are",
}


# What the tests below have in common. A mixture of float32 and float64 costs points where gradients are
# checked, and of the loss, which the same function returns, in one check.

PARAMS = hidden_params("net", 6, 8, 5)
X = away_from_kinks(PARAMS, hidden_normal("x", shape=(60, 6)), 11)
Y = hidden_labels("y", classes=5, count=11)
Y[0] = 4  # where no example is of the last class, one_hot(y) is too narrow; a public check asks for that
MANY = hidden_normal("many", shape=(64, 6))
MANY_LABELS = hidden_labels("many/y", classes=5, count=64)
MANY_LABELS[0] = 4


def forward_backward(params: Params, x: Tensor, y: Tensor, reg: float) -> Any:
    """Return loss and gradients of the student's function, on top of a forward pass that is right."""
    with substituted(two_layer_net, nn_forward_pass=true_forward):
        found = asking.ask(two_layer_net.nn_forward_backward, params, x, y, reg)
    return checks.parts(found, 2, what="loss and gradients")


def typical(right: Tensor, wrong: dict[str, Tensor]) -> list[Hint]:
    """Return hints for what mistakes give, by their texts, without those that change nothing here."""
    return [Hint(value, says) for says, value in wrong.items() if not torch.equal(value, right)]


def check_loss(params: Params, x: Tensor, reg: float) -> None:
    """Compare the loss with the oracle; a plain number will do as well as a tensor of any dtype."""
    loss = checks.scalar(
        forward_backward(copy_params(params, x.dtype), x.clone(), Y.clone(), reg)[0], what="the loss"
    )
    right = true_loss(params, x, Y, reg)
    wrong = {says: true_loss(params, x, Y, reg, mistake) for mistake, says in LOSS_HINTS.items()}
    hints = [Hint(value, says) for says, value in wrong.items() if value != right]
    checks.close(loss, right, what="the loss", hints=hints)


def check_grads(
    grads: object, names: Sequence[str], x: Tensor, reg: float, operation: Operation = "arithmetic"
) -> None:
    """Compare gradients with the oracle, each for itself: that of a bias may be missing, which is a slip."""
    found = checks.entries(grads, (), what="the gradients")
    lacking = [name for name in NAMES if found.get(name) is None]
    check_weights_there(lacking, names)
    right = true_grads(PARAMS, x, Y, reg)
    wrong = {says: true_grads(PARAMS, x, Y, reg, mistake) for mistake, says in GRAD_HINTS.items()}
    for name in [one for one in names if one not in lacking]:
        results = {says: values[name] for says, values in wrong.items()}
        results |= {TRANSPOSED: right[name].t()}
        check_axis(found[name], name, len(x))
        hints = typical(right[name], results)
        checks.close(found[name], right[name], what=f'grads["{name}"]', hints=hints, operation=operation)
    missing = any(name in lacking for name in names)
    checks.holds(not missing, what="the gradients", problem=LACKS, likely_cause=has_no(lacking), slip=True)


LACKS = "not one for each parameter"


def has_no(lacking: Sequence[str]) -> str:
    """Return what is missing among the gradients, in words."""
    return f"grads has no {' and no '.join(lacking)}"


def check_weights_there(lacking: Sequence[str], names: Sequence[str]) -> None:
    """Check that no gradient of weights is missing: without it, a layer learns nothing."""
    missing = any(name in lacking for name in names if name in ("W1", "W2"))
    checks.holds(not missing, what="the gradients", problem=LACKS, likely_cause=has_no(lacking))


def check_axis(grad: object, name: str, examples: int) -> None:
    """Check that the gradient of a bias is not summed over the units of each example."""
    wrong = name in ("b1", "b2") and type(grad) is Tensor and grad.shape == (examples,)
    checks.holds(
        not wrong,
        what=f'grads["{name}"]',
        problem="wrong shape",
        likely_cause=GRAD_HINTS["over classes"],
        slip=True,
    )


def check_operations(count: Callable[[int], int]) -> None:
    """Check that 64 examples take hardly more tensor operations than 8."""
    checks.holds(
        count(64) < 2.5 * max(1, count(8)),  # 1 without a loop, about 6 with one
        what="the number of tensor operations",
        problem="grows with the number of examples, as that of a loop does",
    )


# The forward pass


def forward(params: Params, x: Tensor) -> Any:
    """Return scores and hidden values of the student's function."""
    found = asking.ask(two_layer_net.nn_forward_pass, params, x)
    return checks.parts(found, 2, what="scores and hidden values")


@asking.one_slip()
def check_forward(params: Params, x: Tensor, operation: Operation = "arithmetic") -> None:
    """Compare scores and hidden values with the oracle."""
    right_scores, right_hidden = true_forward(params, x)
    sums = torch.from_numpy(layers(params, x)[0]).to(x.dtype)
    scores, hidden = forward(params, x)
    hints = [
        Hint(sums, says="the ReLU is missing: negative sums become 0"),
        Hint(sums.abs(), says="the absolute value was taken; ReLU makes negative sums 0"),
        Hint(sums.sigmoid(), says="a sigmoid was used instead of the ReLU"),
        Hint((sums - params["b1"].to(x.dtype)).clamp(min=0), says="the bias b1 was forgotten"),
        Hint(right_scores, says="scores and hidden values are swapped"),
    ]
    checks.close(hidden, right_hidden, what="the hidden values", hints=hints, operation=operation)
    w2, b2 = params["W2"].to(x.dtype), params["b2"].to(x.dtype)
    hints = [
        Hint(sums @ w2 + b2, says="the scores were computed from the values before the ReLU"),
        Hint(right_scores.clamp(min=0), says="the scores went through a ReLU; only the hidden layer does"),
        Hint(right_scores.softmax(dim=1), says="these are probabilities; scores are before the softmax"),
        Hint(right_scores - b2, says="the bias b2 was forgotten"),
    ]
    checks.close(scores, right_scores, what="the scores", hints=hints, operation=operation)


@pytest.mark.task("forward", weight=4)
def test_forward() -> None:
    """Forward: scores and hidden values in float64."""
    check_forward(copy_params(PARAMS), X.clone())


@pytest.mark.task("forward", weight=2)
def test_forward_in_float32() -> None:
    """Forward: scores and hidden values in float32, of many examples and of a single one."""
    for x in (MANY.float(), MANY[:1].float()):
        check_forward(copy_params(PARAMS, torch.float32), x)


@pytest.mark.task("forward", weight=2)
def test_forward_of_scattered_inputs() -> None:
    """Forward: examples and parameters whose memory is not contiguous."""
    params = {name: scattered(value) for name, value in PARAMS.items()}
    check_forward(params, scattered(X))


@pytest.mark.constraint
@pytest.mark.task("forward", weight=1)
def test_forward_operations() -> None:
    """Forward: the number of tensor operations does not grow with the examples."""

    def count(size: int) -> int:
        forward_pass = two_layer_net.nn_forward_pass
        measured = asking.ask(measure, forward_pass, copy_params(PARAMS), MANY[:size].clone())
        checks.parts(measured.result, 2, what="scores and hidden values")
        return measured.operations

    check_operations(count)


# The loss


@pytest.mark.task("loss", weight=5)
def test_loss() -> None:
    """Loss: the mean softmax loss in float64, without regularization."""
    check_loss(PARAMS, X, 0.0)


@pytest.mark.task("loss", weight=3)
def test_loss_with_regularization() -> None:
    """Loss: what regularization adds grows with reg, and with the squares of W1 and W2."""
    plain, loss = (
        checks.scalar(forward_backward(copy_params(PARAMS), X.clone(), Y.clone(), reg)[0], what="the loss")
        for reg in (0.0, 0.37)
    )
    hints = [Hint(regularizer(PARAMS, 0.37, mistake), says) for mistake, says in LOSS_HINTS.items()]
    what = "what the regularization adds to the loss"
    checks.close(loss - plain, regularizer(PARAMS, 0.37, ""), what=what, hints=hints)


@pytest.mark.task("loss", weight=1)
def test_loss_in_both_precisions() -> None:
    """Loss: float32 and float64, from examples whose memory is not contiguous."""
    for x in (X.float(), X):
        with asking.one_slip():
            check_loss(PARAMS, scattered(x), 0.0)


OVERFLOW = "an exponential is too large or too small; subtract its own largest score from each example first"


@pytest.mark.task("loss", weight=3)
def test_loss_of_large_scores() -> None:
    """Loss: scores around 10,000, another number for each example, do not overflow in float64 and float32."""
    large = PARAMS | {"W2": PARAMS["W2"].clone()}
    strongest = int((X @ PARAMS["W1"] + PARAMS["b1"]).amax(dim=0).argmax())
    large["W2"][strongest] += 10_000  # a hidden unit shifts all scores of an example alike
    for dtype in (torch.float64, torch.float32):
        what = "the loss of scores around 10,000"
        loss = forward_backward(copy_params(large, dtype), X.to(dtype), Y.clone(), 0.0)[0]
        value = loss.item() if type(loss) is Tensor and loss.numel() == 1 else loss
        finite = type(value) is not float or math.isfinite(value)
        checks.holds(finite, what=what, problem="infinite or NaN", likely_cause=OVERFLOW, slip=True)
        results = {mistake: true_loss(large, X.to(dtype), Y, 0.0, mistake) for mistake in ("", *LOSS_HINTS)}
        hints = [Hint(results[mistake], says) for mistake, says in LOSS_HINTS.items()]
        found = checks.scalar(loss, what=what)
        checks.close(found, results[""], what=what, operation="large numbers", hints=hints)


@pytest.mark.task("loss", weight=2)
def test_initial_loss() -> None:
    """Loss: with weights close to zero it is the logarithm of the number of classes."""
    small = {name: 1e-5 * value for name, value in PARAMS.items()}
    loss = forward_backward(small, X.clone(), Y.clone(), 1e-3)[0]
    loss = checks.scalar(loss, what="the loss")
    hints = [
        Hint(math.log(5) * 11, says=LOSS_HINTS["sum"]),
        Hint(math.log(11), says=LOSS_HINTS["over examples"]),
        Hint(-math.log(5), says=LOSS_HINTS["sign"]),
        Hint(-1 / 5, says=LOSS_HINTS["no log"]),
    ]
    checks.close(
        loss, math.log(5), what="the initial loss with 5 classes", operation="small start", hints=hints
    )


@pytest.mark.task("loss", weight=1)
def test_scores_without_labels() -> None:
    """Loss: without labels nothing but the scores is returned."""
    forward_backward(copy_params(PARAMS), X.clone(), Y.clone(), 0.1)
    with asking.one_slip(), substituted(two_layer_net, nn_forward_pass=true_forward):
        params = copy_params(PARAMS)
        scores = asking.ask(two_layer_net.nn_forward_backward, params, X.clone(), reg=0.1)
        checks.close(scores, true_forward(PARAMS, X)[0], what="the scores", operation="float64")


# The gradients


@pytest.mark.task("backward", weight=4)
@asking.one_slip()
def test_gradients_of_second_layer() -> None:
    """Gradients: W2 and b2 in float64, without regularization."""
    grads = forward_backward(copy_params(PARAMS), X.clone(), Y.clone(), 0.0)[1]
    check_grads(grads, ("W2", "b2"), X, 0.0, operation="gradient")


@pytest.mark.task("backward", weight=4)
@asking.one_slip()
def test_gradients_of_first_layer() -> None:
    """Gradients: W1 and b1 in float64, without regularization."""
    grads = forward_backward(copy_params(PARAMS), X.clone(), Y.clone(), 0.0)[1]
    check_grads(grads, ("W1", "b1"), X, 0.0, operation="gradient")


@pytest.mark.task("backward", weight=4)
@asking.one_slip()
def test_gradients_with_regularization() -> None:
    """Gradients: those of the regularization, which leaves the biases alone."""
    plain, grads = (
        checks.entries(
            forward_backward(copy_params(PARAMS), X.clone(), Y.clone(), reg)[1], (), what="the gradients"
        )
        for reg in (0.0, 0.37)
    )
    lacking = [name for name in NAMES if plain.get(name) is None or grads.get(name) is None]
    check_weights_there(lacking, NAMES)
    data, right = (true_grads(PARAMS, X, Y, reg) for reg in (0.0, 0.37))
    always = true_grads(PARAMS, X, Y, 0.0, "without reg")
    for name in [one for one in NAMES if one not in lacking]:  # other checks ask for those of the biases
        what = f'what the regularization adds to grads["{name}"]'
        before, after = (checks.tensor(found[name], what=f'grads["{name}"]') for found in (plain, grads))
        if name in ("b1", "b2"):
            checks.holds(bool(before.isfinite().all()), what=f'grads["{name}"]', problem="not finite")
            same = before.shape == PARAMS[name].shape
            hints = [Hint(before + 0.74 * FACTOR * PARAMS[name], GRAD_HINTS["biases"])] if same else []
            checks.close(after, before, what=what, operation="gradient", hints=hints)
            continue
        checks.holds(
            not checks.agrees(before, always[name], operation="gradient"),
            what=what,
            problem="it does not depend on reg",
            likely_cause=GRAD_HINTS["without reg"],
            slip=True,
        )
        wanted = right[name] - data[name]
        hints = [
            Hint(true_grads(PARAMS, X, Y, 0.37, mistake)[name] - data[name], GRAD_HINTS[mistake])
            for mistake in ("forgotten", "halved", "doubled")
        ]
        hints += [Hint(wanted.T, says=TRANSPOSED)]
        added = after - before if after.shape == before.shape else after
        checks.close(added, wanted, what=what, operation="gradient", hints=hints)


@pytest.mark.task("backward", weight=3)
@asking.one_slip()
def test_gradients_in_float32() -> None:
    """Gradients: float32, from examples whose memory is not contiguous."""
    grads = forward_backward(copy_params(PARAMS, torch.float32), scattered(X.float()), Y.clone(), 0.0)[1]
    check_grads(grads, NAMES, X.float(), 0.0, operation="gradient")


@pytest.mark.constraint
@pytest.mark.task("backward", weight=2)
def test_backward_operations() -> None:
    """Gradients: the number of tensor operations does not grow with the examples."""

    def count(size: int) -> int:
        x, y = MANY[:size].clone(), MANY_LABELS[:size].clone()
        with substituted(two_layer_net, nn_forward_pass=true_forward):
            measured = asking.ask(measure, two_layer_net.nn_forward_backward, copy_params(PARAMS), x, y, 0.1)
        checks.parts(measured.result, 2, what="loss and gradients")
        return measured.operations

    check_operations(count)
