"""Public checks of the two-layer network: small enough to be worked out by hand.

The first network has two examples, three features, four hidden units and five classes; a second one has five
examples, two features, three hidden units and four classes.
"""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import pytest
import torch
import two_layer_net
from torch import Tensor

from helpers.testing import (
    CheckFailure,
    Hint,
    asking,
    checks,
    convention,
    load_weights,
    obeys,
    regularization_causes,
    require,
    substituted,
)

FACTOR = float(convention("regularization"))
GRADIENTS = ("torch.autograd", "torch.func", "torch.enable_grad", ".requires_grad", ".requires_grad_")
"""What works out gradients. Not .backward: classes of a student's own may call a method so."""
BANNED = ("torch.nn", "torch.optim", *GRADIENTS, ".cuda", "helpers")

X = torch.tensor([[1.0, 2.0, 1.0], [1.0, -1.0, 2.0]])
Y = torch.tensor([2, 1])
SUMS = torch.tensor([[1.0, 2.0, -2.0, 3.0], [-2.0, -2.0, 1.0, 1.0]])
HIDDEN = torch.tensor([[1.0, 2.0, 0.0, 3.0], [0.0, 0.0, 1.0, 1.0]])
SCORES = torch.tensor([[3.0, 3.0, 3.0, 3.0, 3.0], [1.0, 1.0, 1.0, 1.0, 1.0]])
PLAIN = (type(None), bool, int, float, str, tuple, list, dict, Tensor)

FIVE_X = torch.tensor([[1.0, 2.0], [1.0, -1.0], [-1.0, 0.5], [0.0, -2.0], [3.0, 1.0]])
FIVE_Y = torch.tensor([0, 2, 3, 3, 1])
FIVE_SUMS = torch.tensor(
    [[1.0, 4.0, -2.0], [-2.0, 1.0, 1.0], [1.5, 0.5, -2.5], [-2.0, -1.0, 1.0], [-2.0, 5.0, 1.0]]
)
FIVE_HIDDEN = torch.tensor(
    [[1.0, 4.0, 0.0], [0.0, 1.0, 1.0], [1.5, 0.5, 0.0], [0.0, 0.0, 1.0], [0.0, 5.0, 1.0]]
)
FIVE_SCORES = torch.tensor(
    [
        [1.5, 3.5, 7.0, -1.0],
        [1.5, 0.5, 1.0, 0.5],
        [2.0, 0.0, -0.5, 3.5],
        [1.5, -0.5, -1.0, 1.5],
        [1.5, 4.5, 9.0, -3.5],
    ]
)


def five_examples(shift: float = 0.0) -> dict[str, Tensor]:
    """Return the parameters of the second network; its first hidden unit can add a number to all scores."""
    return {
        "W1": torch.tensor([[-1.0, 1.0, 1.0], [1.0, 1.0, -1.0]]),
        "b1": torch.tensor([0.0, 1.0, -1.0]),
        "W2": torch.tensor([[1.0, 0.0, -1.0, 2.0], [0.0, 1.0, 2.0, -1.0], [1.0, 0.0, -1.0, 0.5]])
        + shift * torch.tensor([[1.0], [0.0], [0.0]]),
        "b2": torch.tensor([0.5, -0.5, 0.0, 1.0]),
    }


def forward_of_five(params: dict[str, Tensor], X: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores and hidden values of the second network, whatever is asked."""
    shift, hidden = params["W2"][0, 0] - 1, FIVE_HIDDEN.to(X.dtype, copy=True)
    return FIVE_SCORES.to(X.dtype) + shift * hidden[:, :1], hidden


def network() -> dict[str, Tensor]:
    """Return the parameters of the network that the notebook works out."""
    return {
        "W1": torch.tensor([[-1.0, 0.0, 1.0, 0.0], [1.0, 1.0, -1.0, 1.0], [0.0, -1.0, 0.0, 1.0]]),
        "b1": torch.tensor([0.0, 1.0, -1.0, 0.0]),
        "W2": torch.tensor(
            [
                [0.0, 1.0, -1.0, -1.0, 1.0],
                [0.0, 1.0, 2.0, -1.0, -2.0],
                [0.0, 1.0, 1.0, -1.0, -1.0],
                [1.0, 0.0, 0.0, 2.0, 2.0],
            ]
        ),
        "b2": torch.zeros(5),
    }


def with_second_bias(*values: float) -> dict[str, Tensor]:
    """Return the same network with another b2, which adds to the scores."""
    return network() | {"b2": torch.tensor(values)}


def forward(params: dict[str, Tensor], X: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores and hidden values of this network for X, whatever is asked."""
    return SCORES.to(X.dtype) + params["b2"], HIDDEN.to(X.dtype, copy=True)


def forward_backward(params: dict[str, Tensor], reg: float, dtype: torch.dtype = torch.float32) -> Any:
    """Return what the student's function returns for X and Y, on top of hidden values that are right."""

    def call(params: dict[str, Tensor], labels: Tensor) -> Any:
        params, x = in_dtype(params, dtype), X.to(dtype, copy=True)
        with substituted(two_layer_net, nn_forward_pass=forward):
            return asking.ask(two_layer_net.nn_forward_backward, params, x, labels, reg=reg)

    found = asking.ask_again(
        lambda: call(params, Y.clone()),
        lambda: renumber_gradients(call(renumber(params), RENUMBERED[Y])),
        what="the call where no example is of the last class",
        problem="an exception; where one is, all of this is right",
        says=ONE_HOT,
    )
    return checks.parts(found, 2, what="loss and gradients")


ONE_HOT = "one_hot(y) makes as many columns as the largest label needs; pass the number of classes"
RENUMBERED = torch.tensor([0, 1, 4, 3, 2])
"""What the classes are called where the last one, without an example, changes places with another."""


def renumber(of_classes: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return parameters or gradients in which two classes have changed places."""
    changed = {name: of_classes[name][..., RENUMBERED] for name in ("W2", "b2") if name in of_classes}
    return of_classes | changed


def renumber_gradients(found: Any) -> Any:
    """Return loss and gradients in which two classes have changed places."""
    loss, grads = checks.parts(found, 2, what="loss and gradients")
    if type(grads) is not dict:
        return found
    for name, shape in (("W2", (4, 5)), ("b2", (5,))):
        checks.tensor(grads.get(name), shape=shape, what=f'grads["{name}"]')
    return loss, renumber(grads)


def of_five(shift: float, dtype: torch.dtype = torch.float32) -> Any:
    """Return what the student's function returns for the second network."""
    params, x = in_dtype(five_examples(shift), dtype), FIVE_X.to(dtype, copy=True)
    with substituted(two_layer_net, nn_forward_pass=forward_of_five):
        found = asking.ask(two_layer_net.nn_forward_backward, params, x, FIVE_Y.clone())
    return checks.parts(found, 2, what="loss and gradients")


def in_dtype(params: dict[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """Return the parameters in float32 or float64."""
    return {name: value.to(dtype) for name, value in params.items()}


def check_named(found: Any, names: Collection[str], what: str) -> Any:
    """Return what the student's code returned, checked to be a dict with an entry of each name."""
    return checks.entries(found, names, what=what)


def loss_of(params: dict[str, Tensor], reg: float, dtype: torch.dtype = torch.float32) -> float:
    """Return the loss that the student's function gives for X and Y; a plain number will do as well."""
    return checks.scalar(forward_backward(params, reg, dtype)[0], what="the loss")


def check_source(function: Callable[..., object], uses: Callable[..., object] | None = None) -> None:
    """Check that a function is without loops and keeps to what is allowed.

    A rule that `uses`, the function of an earlier task, breaks is not held against the later one.
    """
    require(function, banned=[name for name in BANNED if uses is None or obeys(uses, banned=[name])])
    if uses is None or obeys(uses, loops=0):
        require(function, loops=0)


# The forward pass


SWAPPED = "scores and hidden values are swapped"
BEFORE = "the scores were computed from the values before the ReLU"
PROBABILITIES = "these are probabilities; scores are before the softmax"
SECOND_BIAS = "the bias b2 was forgotten"
SECOND_RELU = "the scores went through a ReLU; only the hidden layer does"


@pytest.mark.task("forward", weight=2)
@asking.one_slip()
def test_forward_by_hand() -> None:
    """Forward: hidden values and scores of two examples, with the biases (-6, 1/2, 2, -4, 1) in b2."""
    params = with_second_bias(-6.0, 0.5, 2.0, -4.0, 1.0)
    found = asking.ask(two_layer_net.nn_forward_pass, params, X.clone())
    scores, hidden = checks.parts(found, 2, what="scores and hidden values")
    right = torch.tensor([[-3.0, 3.5, 5.0, -1.0, 4.0], [-5.0, 1.5, 3.0, -3.0, 2.0]])
    hints = [
        Hint(SUMS, says="the ReLU is missing: negative sums become 0"),
        Hint(SUMS.abs(), says="the absolute value was taken; ReLU makes negative sums 0"),
        Hint(torch.sigmoid(SUMS), says="a sigmoid was used instead of the ReLU"),
        Hint(right, says=SWAPPED),
        Hint(torch.tensor([[1.0, 1.0, 0.0, 3.0], [0.0, 0.0, 2.0, 1.0]]), says="the bias b1 was forgotten"),
    ]
    checks.close(hidden, HIDDEN, what="the hidden values", hints=hints)
    hints = [
        Hint(torch.tensor([[-3.0, 1.5, 3.0, 1.0, 6.0], [-5.0, -2.5, 1.0, 1.0, 4.0]]), says=BEFORE),
        Hint(SCORES, says=SECOND_BIAS),
        Hint(right.clamp(min=0), says=SECOND_RELU),
        Hint(right.softmax(dim=1), says=PROBABILITIES),
    ]
    checks.close(scores, right, what="the scores", hints=hints)


@pytest.mark.task("forward", weight=1)
@asking.one_slip()
def test_forward_of_five() -> None:
    """Forward: five examples, two features, three hidden units, four classes, in float64."""
    params = in_dtype(five_examples(), torch.float64)
    found = asking.ask(two_layer_net.nn_forward_pass, params, FIVE_X.double())
    scores, hidden = checks.parts(found, 2, what="scores and hidden values")
    hints = [
        Hint(FIVE_SUMS, says="the ReLU is missing: negative sums become 0"),
        Hint(torch.sigmoid(FIVE_SUMS.double()), says="a sigmoid was used instead of the ReLU"),
        Hint(FIVE_SCORES, says=SWAPPED),
        Hint((FIVE_SUMS - torch.tensor([0.0, 1.0, -1.0])).clamp(min=0), says="the bias b1 was forgotten"),
    ]
    checks.close(hidden, FIVE_HIDDEN.double(), what="the hidden values", hints=hints)
    hints = [
        Hint(FIVE_SCORES - torch.tensor([0.5, -0.5, 0.0, 1.0]), says=SECOND_BIAS),
        Hint(FIVE_SCORES.clamp(min=0), says=SECOND_RELU),
        Hint(FIVE_SCORES.double().softmax(dim=1), says=PROBABILITIES),
    ]
    checks.close(scores, FIVE_SCORES.double(), what="the scores", hints=hints)


@pytest.mark.constraint
@pytest.mark.task("forward", weight=1)
def test_forward_leaves_inputs() -> None:
    """Forward: neither the parameters nor the examples are modified."""
    params, x = network(), X.clone()
    found = asking.ask(two_layer_net.nn_forward_pass, params, x)
    checks.parts(found, 2, what="scores and hidden values")
    checks.unchanged([network(), X], [params, x], what="params, X")


@pytest.mark.constraint
@pytest.mark.task("forward", weight=2)
def test_forward_source() -> None:
    """Forward: no explicit loop, no torch.nn."""
    found = asking.ask(two_layer_net.nn_forward_pass, network(), X.clone())
    checks.parts(found, 2, what="scores and hidden values")
    check_source(two_layer_net.nn_forward_pass)


# The loss


SUM = "the losses were added up; divide by the number of examples N"
SIGN = "the sign: the loss is the mean of minus log p"
NO_LOG = "the logarithm was forgotten"
ALL_CLASSES = "the mean went over all classes, not over the right ones"
WRONG_AXIS = "the softmax ran over the examples; it runs over the classes, dim=1"
OVERFLOW = "an exponential is too large or too small; subtract its own largest score from each example first"
HALF, TWICE = regularization_causes()


@pytest.mark.task("loss", weight=1)
def test_loss_without_labels() -> None:
    """Loss: without labels the scores alone are returned."""
    loss_of(network(), 0.0)
    with asking.one_slip():
        with substituted(two_layer_net, nn_forward_pass=forward):
            scores = asking.ask(two_layer_net.nn_forward_backward, network(), X.clone())
        checks.close(scores, SCORES, what="the scores")


@pytest.mark.task("loss", weight=1)
@asking.one_slip()
def test_loss_by_hand() -> None:
    """Loss: two examples whose classes have probabilities 1/2 and 1/8, in float32 and in float64."""
    hints = [
        Hint(2.7725887, says=SUM),
        Hint(-1.3862944, says=SIGN),
        Hint(-0.3125, says=NO_LOG),
        Hint(1.8021827, says=ALL_CLASSES),
        Hint(1.1269280, says=WRONG_AXIS),
    ]
    for dtype in (torch.float32, torch.float64):
        loss = loss_of(with_second_bias(0.0, 0.0, 1.3862944, 0.0, 0.0), 0.0, dtype)
        checks.close(loss, 1.3862944, what="the loss", hints=hints)


@pytest.mark.task("loss", weight=2)
def test_loss_regularization() -> None:
    """Loss: the regularization grows with reg, the factor, and the sum of all squared weights, 35 here."""
    params = with_second_bias(3.0, 3.0, 3.0, 3.0, 3.0)
    added = loss_of(params, 0.1) - loss_of(params, 0.0)
    hints = [
        Hint(0.0, says="the regularization was forgotten"),
        Hint(1.75 * FACTOR, says=HALF),
        Hint(7.0 * FACTOR, says=TWICE),
        Hint(8.2 * FACTOR, says="the biases were regularized too; only W1 and W2 are"),
        Hint(0.8 * FACTOR, says="W2 is not regularized"),
        Hint(2.7 * FACTOR, says="W1 is not regularized"),
    ]
    what = "what the regularization adds to the loss"
    checks.close(added, 3.5 * FACTOR, what=what, operation="rounded", hints=hints)


@pytest.mark.task("loss", weight=1)
def test_loss_of_five() -> None:
    """Loss: five examples; the scores of two of them are around 10,000."""
    loss = of_five(10_000.0)[0]
    value = loss.item() if type(loss) is Tensor and loss.numel() == 1 else loss
    finite = type(value) is not float or value - value == 0
    checks.holds(finite, what="the loss", problem="infinite or NaN", likely_cause=OVERFLOW, slip=True)
    hints = [
        Hint(12.4334157, says=SUM),
        Hint(-2.4866831, says=SIGN),
        Hint(-0.3022234, says=NO_LOG),
        Hint(9999.3, says=WRONG_AXIS),
        Hint(3.2616831, says=ALL_CLASSES),
    ]
    loss = checks.scalar(loss, what="the loss")
    checks.close(loss, 2.4866831, what="the loss", operation="large numbers", hints=hints)


# The gradients, of the loss with b2 = 0 and without regularization unless said

N_MISSING = "not divided by the number of examples N"
NEGATIVE = "the sign is turned around: the gradient of the scores is p, minus 1 at the right class"
NOT_MINUS_ONE = "1 was not subtracted from p at the right class"
TRANSPOSED = "transposed: a gradient has the shape of its parameter"
BEFORE_RELU = "computed with the values before the ReLU; use the hidden values after it"
OPEN = "the ReLU was forgotten: where it gave 0, no gradient flows"
INVERTED = "the ReLU is turned around: the gradient flows where its result is above 0"
OF_UPSTREAM = "the ReLU's mask was computed from the gradient; use where the hidden value is above 0"
AXIS = "summed over the wrong axis; sum over the examples, dim=0"
TWICE_DIVIDED = "divided by the number of examples N twice"
OF_CLASSES = "divided by the number of classes; divide by the number of examples N"


ALWAYS = "reg is missing in the gradient of the regularization"

FIRST_LAYER = torch.tensor([[0.5, -1.0, -0.5, 1.0], [1.0, -2.0, 0.5, 0.5], [0.5, -1.0, -1.0, 1.5]])
"""The gradient with respect to W1."""
SECOND_LAYER = torch.tensor(
    [
        [1.0, 1.0, -4.0, 1.0, 1.0],
        [2.0, 2.0, -8.0, 2.0, 2.0],
        [1.0, -4.0, 1.0, 1.0, 1.0],
        [4.0, -1.0, -11.0, 4.0, 4.0],
    ]
)
"""Ten times that with respect to W2."""


def gradients(reg: float, names: Collection[str]) -> Any:
    """Return the gradients that the student's function gives, with those of some weights among them."""
    found = check_named(forward_backward(network(), reg)[1], [], what="the gradients")
    for name in names:
        check_there(found, name)
    return found


def check_there(grads: Any, name: str) -> None:
    """Check that a gradient is there. Without that of a bias, which is a slip, the others may be right."""
    lacking = [one for one in network() if grads.get(one) is None]
    says = "grads has no " + " and no ".join(lacking)
    problem = "missing" if name not in grads else "None, not written yet"
    there = name not in lacking
    checks.holds(there, what=f'grads["{name}"]', problem=problem, likely_cause=says, slip=name[0] == "b")


def check_gradient(found: Any, name: str, right: Tensor, wrong: dict[str, Tensor]) -> None:
    """Compare a gradient; `wrong` maps what mistakes are to what they give."""
    wrong = {N_MISSING: len(Y) * right, NEGATIVE: -right} | wrong
    if name in ("W1", "W2"):
        wrong |= {TRANSPOSED: right.T, ALWAYS: right + 2 * FACTOR * network()[name]}
    hints = [Hint(value, says) for says, value in wrong.items()]
    check_there(found, name)
    check_axis(found[name], name, len(Y))
    checks.close(found[name], right, what=f'grads["{name}"]', operation="gradient", hints=hints)


def check_axis(grad: object, name: str, examples: int) -> None:
    """Check that the gradient of a bias is not summed over the units of each example."""
    wrong = name in ("b1", "b2") and type(grad) is Tensor and grad.shape == (examples,)
    what = f'grads["{name}"]'
    checks.holds(not wrong, what=what, problem="wrong shape", likely_cause=AXIS, slip=True)


@pytest.mark.task("backward", weight=3)
@asking.one_slip()
def test_gradients_of_the_second_layer() -> None:
    """Gradients: W2 and b2, by hand."""
    grads = gradients(0.0, ["W2"])
    right = SECOND_LAYER / 10
    before = torch.tensor(
        [
            [-1.0, 9.0, -6.0, -1.0, -1.0],
            [0.0, 10.0, -10.0, 0.0, 0.0],
            [-1.0, -6.0, 9.0, -1.0, -1.0],
            [4.0, -1.0, -11.0, 4.0, 4.0],
        ]
    )
    without = torch.tensor([[1.0], [2.0], [1.0], [4.0]]).expand(4, 5) / 10
    wrong = {BEFORE_RELU: before / 10, NOT_MINUS_ONE: without, OF_CLASSES: right * 2 / 5}
    check_gradient(grads, "W2", right, wrong)
    right = torch.tensor([2.0, -3.0, -3.0, 2.0, 2.0]) / 10
    wrong = {TWICE_DIVIDED: right / 2, OF_CLASSES: right * 2 / 5}
    check_gradient(grads, "b2", right, wrong)


@pytest.mark.task("backward", weight=2)
@asking.one_slip()
def test_gradients_of_the_first_layer() -> None:
    """Gradients: W1 and b1, by hand."""
    grads = gradients(0.0, ["W1"])
    right = FIRST_LAYER
    unmasked = torch.tensor([[0.0, -1.5, -1.0, 1.0], [1.5, -1.5, -0.5, 0.5], [-0.5, -2.0, -1.5, 1.5]])
    wrong = {OPEN: unmasked, INVERTED: unmasked - right, OF_CLASSES: right * 2 / 5}
    wrong[NOT_MINUS_ONE] = torch.tensor([[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.5], [0.0, 0.0, 0.0, 1.5]])
    wrong[OF_UPSTREAM] = torch.tensor([[0.5, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.5], [0.5, 0.0, 0.0, 1.5]])
    check_gradient(grads, "W1", right, wrong)
    right = torch.tensor([0.5, -1.0, -0.5, 1.0])
    check_gradient(grads, "b1", right, {OPEN: torch.tensor([0.0, -1.5, -1.0, 1.0])})


@pytest.mark.task("backward", weight=3)
@asking.one_slip()
def test_gradients_of_the_regularization() -> None:
    """Gradients: the regularization adds to those of W1 and W2, and to no others."""
    grads, plain = gradients(0.25, ["W1", "W2"]), gradients(0.0, ["W1", "W2"])
    data = {"W1": FIRST_LAYER, "W2": SECOND_LAYER / 10}
    for name, weights in network().items():
        what = f'what the regularization adds to grads["{name}"]'
        if plain.get(name) is None or grads.get(name) is None:
            continue  # a bias; other checks ask for it
        after, before = (checks.tensor(one[name], what=f'grads["{name}"]') for one in (grads, plain))
        if name in ("b1", "b2"):
            checks.holds(bool(before.isfinite().all()), what=what, problem="NaN or infinite before")
            says = "the biases were regularized too; only W1 and W2 are"
            hints = [Hint(before + FACTOR * weights / 2, says=says)] if before.shape == weights.shape else []
            checks.close(after, before, what=what, operation="gradient", hints=hints)
            continue
        always = checks.agrees(before, data[name] + 2 * FACTOR * weights, operation="gradient")
        problem = "it does not depend on reg"
        checks.holds(not always, what=what, problem=problem, likely_cause=ALWAYS, slip=True)
        right = FACTOR * weights / 2
        hints = [
            Hint(torch.zeros_like(right), says="the gradient of the regularization was forgotten"),
            Hint(
                right / 2, says="a factor 2 is missing in the regularization: the gradient of w ** 2 is 2 * w"
            ),
            Hint(2 * right, says="the gradient of the regularization is doubled"),
            Hint(right.T, says=TRANSPOSED),
        ]
        added = after - before if after.shape == before.shape else after
        checks.close(added, right, what=what, operation="gradient", hints=hints)


@pytest.mark.task("backward", weight=1)
@asking.one_slip()
def test_gradients_of_five() -> None:
    """Gradients: five examples, two features, three hidden units, four classes, in float64."""
    found = check_named(of_five(0.0, torch.float64)[1], [], what="the gradients")
    right = {
        "W1": [[-0.33915, 0.63548, -0.34345], [-0.81139, 1.3054, -0.50266]],
        "b1": [-0.44562, 0.34678, 0.07961],
        "W2": [
            [-0.14657, 0.01296, 0.19763, -0.06402],
            [-0.69336, -0.93188, 1.61493, 0.01031],
            [0.17569, -0.15419, 0.05689, -0.07839],
        ],
        "b2": [0.01157, -0.1436, 0.25308, -0.12105],
    }
    wrong = {
        "W1": {
            OPEN: [[-0.63548, 0.63548, -0.74679], [-1.03176, 1.03176, -1.28221]],
            INVERTED: [[-0.29633, 0.0, -0.40334], [-0.22037, -0.27364, -0.77955]],
            OF_UPSTREAM: [[0.29642, 0.9319, 0.23845], [-0.29642, 0.73534, -0.29965]],
            NOT_MINUS_ONE: [[-0.53915, 1.83548, -0.54345], [-0.21139, 1.0054, -0.50266]],
        },
        "b1": {
            OPEN: [-0.4836, 0.4836, -0.30203],
            INVERTED: [-0.03798, 0.13682, -0.38163],
            OF_UPSTREAM: [0.29642, 0.78002, 0.28804],
        },
        "W2": {
            BEFORE_RELU: [
                [-0.49795, 0.32133, 0.08385, 0.09276],
                [-0.78356, -0.94409, 1.60753, 0.12012],
                [0.48638, -0.17773, -0.33693, 0.02829],
            ],
            NOT_MINUS_ONE: [
                [0.05343, 0.01296, 0.19763, 0.23598],
                [0.10664, 0.06812, 1.81493, 0.11031],
                [0.17569, 0.04581, 0.25689, 0.12161],
            ],
        },
        "b2": {NOT_MINUS_ONE: [0.21157, 0.0564, 0.45308, 0.27895]},
    }
    for name in ("W1", "W2", "b1", "b2"):
        check_there(found, name)
        expected = torch.tensor(right[name], dtype=torch.float64)
        hints = [Hint(torch.tensor(value), says) for says, value in wrong[name].items()]
        hints += [
            Hint(5 * expected, says=N_MISSING),
            Hint(expected / 5, says=TWICE_DIVIDED),
            Hint(1.25 * expected, says=OF_CLASSES),
            Hint(-expected, says=NEGATIVE),
        ]
        if name in ("W1", "W2"):
            hints += [Hint(expected.T, says=TRANSPOSED)]
            hints += [Hint(expected + 2 * FACTOR * five_examples()[name], says=ALWAYS)]
        check_axis(found[name], name, len(FIVE_Y))
        checks.close(found[name], expected, what=f'grads["{name}"]', operation="rounded", hints=hints)


@pytest.mark.constraint
@pytest.mark.task("backward", weight=2)
def test_backward_leaves_inputs() -> None:
    """Gradients: neither parameters nor examples nor labels are modified."""
    params, x, y = network(), X.clone(), RENUMBERED[Y]
    with substituted(two_layer_net, nn_forward_pass=forward):
        found = asking.ask(two_layer_net.nn_forward_backward, params, x, y, 0.25)
    checks.parts(found, 2, what="loss and gradients")
    checks.unchanged([network(), X, RENUMBERED[Y]], [params, x, y], what="params, X, y")


@pytest.mark.constraint
@pytest.mark.task("backward", weight=2)
def test_backward_source() -> None:
    """Gradients: no explicit loop, no torch.nn, no automatic differentiation."""
    gradients(0.25, [])
    check_source(two_layer_net.nn_forward_backward, uses=two_layer_net.nn_forward_pass)


# Training and prediction


EVERY = "the work of an epoch was done in every iteration; do it once per epoch"
LAST = "the work of an epoch was done in its last iteration; do it in iterations 0, E, 2E and so on"
PERCENT = "these are percentages; an accuracy is a number from 0 to 1"
REPLACED = "the parameter was replaced by the step; subtract it"


def first_weights() -> dict[str, Tensor]:
    """Return parameters 10, 11, 12 and so on, with which training by hand begins."""
    return {
        name: torch.arange(10.0, 10.0 + value.numel()).reshape(value.shape)
        for name, value in network().items()
    }


def train_by_hand(epoch: int) -> tuple[Any, Any]:
    """Return what the student's training makes of the first weights, and its statistics.

    There are three steps with gradients of 1 and a learning rate of 1, which is halved after an epoch. So
    many steps make an epoch. Of four labels in the validation set, one more is right after each step; on a
    batch all are right, and on the whole training set all but one.
    """
    steps: list[float] = []

    def loss_func(params: dict[str, Tensor], X: Tensor, y: Tensor | None = None, reg: float = 0.0) -> object:
        steps.append(float(params["W1"].sum()))
        return torch.tensor(10.0 - len(steps)), {name: torch.ones_like(w) for name, w in params.items()}

    def pred_func(params: dict[str, Tensor], loss_func: Callable[..., object], X: Tensor) -> Tensor:
        now = float(params["W1"].sum())
        right = sum(before != now for before in steps)
        if len(X) == 4:
            return (torch.arange(4) >= right).long()
        return (torch.arange(len(X)) < (0 if len(X) == 2 else 1)).long()

    params, size = first_weights(), 2 * epoch + 1
    data, val = torch.arange(3.0 * size).reshape(size, 3), torch.ones(4, 3)
    labels, val_labels = torch.zeros(size).long(), torch.zeros(4).long()
    stats = two_layer_net.nn_train(
        params, loss_func, pred_func, data, labels, val, val_labels, 1.0, 0.5, 0.0, 3, 2
    )
    return params, stats


@pytest.mark.task("train", weight=2)
@asking.one_slip()
def test_training_by_hand() -> None:
    """Training: three steps; the learning rate is halved after the first step of each epoch."""
    decayed_before = "the learning rate decayed before the step; decay it after the step"
    # In epochs of one step, W falls by 1, 1/2 and 1/4; in epochs of two, by 1, 1/2 and 1/2.
    for epoch, fall, before, last in ((1, 1.75, 0.875, 1.75), (2, 2.0, 1.25, 2.5)):
        params, _ = train_by_hand(epoch)
        trained = check_named(params, network(), what="params after the training")
        wrong = {
            "the learning rate did not decay": 3.0,
            "the step went along the gradient; it goes against it": -fall,
            decayed_before: before,
            EVERY: 1.75,
            LAST: last,
            "only the first step was taken": 1.0,
        }
        for name in ("W1", "b2"):
            start, step = first_weights()[name], torch.ones_like(first_weights()[name])
            replaced = any(checks.agrees(trained[name], rate * step) for rate in (1.0, 0.5, 0.25, 0.125))
            what = f'params["{name}"] after the training'
            checks.holds(not replaced, what=what, problem="too small", likely_cause=REPLACED, slip=True)
            hints = [Hint(start - other, says) for says, other in wrong.items()]
            if name == "b2":
                hints += [Hint(start, says="the biases were not trained; a step changes all parameters")]
            else:
                old = "params still holds the old values; change them in the dict"
                hints += [Hint(start, says=old, slip=False)]
            checks.close(trained[name], start - fall, what=what, hints=hints)


def history(stats: Any, name: str) -> list[float]:
    """Return a history as plain numbers; tensors with one number each will do."""
    checks.holds(type(stats[name]) is list, what=name, problem="not a list")
    return [checks.scalar(value, what=name) for value in stats[name]]


@pytest.mark.task("train", weight=1)
def test_histories_by_hand() -> None:
    """Training: losses of all steps, and accuracies on the batch and on the validation set for each epoch."""
    names = ("loss_history", "train_acc_history", "val_acc_history")
    stats = check_named(train_by_hand(2)[1], names, what="the statistics")
    hints = [
        Hint([9.0, 7.0], says="keep a loss in every iteration"),
        Hint([7.0], says="only the last loss is kept"),
    ]
    checks.close(history(stats, "loss_history"), [9.0, 8.0, 7.0], what="the loss history", hints=hints)
    hints = [
        Hint([25.0, 75.0], says=PERCENT),
        Hint([0.75, 0.25], says="this is the part of wrong predictions"),
        Hint([1.0, 1.0], says="this is the accuracy on the batch; the validation set counts here"),
        Hint([0.25, 0.5, 0.75], says=EVERY),
        Hint([0.5], says=LAST),
        Hint([0.25, 0.5], says=REPLACED),
        Hint([0.0, 0.5], says="the accuracy was measured before the step; measure it after the step"),
    ]
    what = "the accuracies on the validation set"
    checks.close(history(stats, "val_acc_history"), [0.25, 0.75], what=what, hints=hints)
    hints = [
        Hint([100.0, 100.0], says=PERCENT),
        Hint([0.8, 0.8], says="this is the accuracy on the whole training set; take the batch"),
        Hint([1.0] * 3, says=EVERY),
        Hint([1.0], says=LAST),
    ]
    what = "the accuracies on batches"
    checks.close(history(stats, "train_acc_history"), [1.0, 1.0], what=what, hints=hints)


@pytest.mark.constraint
@pytest.mark.task("train", weight=1)
def test_training_source() -> None:
    """Training: no optimizer and no automatic differentiation."""
    train_by_hand(1)
    # Who brings the file of another course gets sample_batch from the kit; here it is given.
    require(two_layer_net.nn_train, banned=BANNED, allowed=["helpers.training.batches.sample_batch"])


@pytest.mark.task("predict", weight=2)
@asking.one_slip()
def test_prediction_by_hand() -> None:
    """Prediction: the class with the highest score."""
    scores = torch.tensor(
        [
            [1.0, 5.0, 2.0, 0.0, -2.0],
            [-1.0, -3.0, -2.0, -4.0, -5.0],
            [0.0, -1.0, 9.0, 1.0, 3.0],
            [7.0, 8.0, 1.0, 2.0, 6.0],
        ]
    )
    # A network that has these scores, for code that computes them itself.
    x, one = torch.eye(4, 6), {"W1": torch.eye(6, 7), "b1": torch.zeros(7), "b2": torch.zeros(5)}
    one["W2"] = torch.cat([scores, torch.zeros(3, 5)])

    def loss_func(params: dict[str, Tensor], X: Tensor, y: Tensor | None = None, reg: float = 0.0) -> Tensor:
        return scores.clone()

    def forward_pass(params: dict[str, Tensor], X: Tensor) -> tuple[Tensor, Tensor]:
        return scores.clone(), torch.eye(4, 7)

    with substituted(two_layer_net, nn_forward_pass=forward_pass):
        found = two_layer_net.nn_predict(in_dtype(one, torch.float32), loss_func, x)
    hints = [
        Hint(
            torch.tensor([3, 3, 2, 3, 3]),
            says="the best example of each class was chosen; compare classes, dim=1",
        ),
        Hint(torch.tensor([5.0, -1.0, 9.0, 8.0]), says="these are the highest scores, not their places"),
        Hint(torch.tensor([4, 4, 1, 2]), says="the class with the lowest score was chosen"),
    ]
    checks.equal(found, torch.tensor([1, 0, 2, 1]), what="the labels", hints=hints)


# The search


FOUR = "four lists, in this order: learning rates, hidden sizes, regularization strengths, decays"


def settings() -> list[list[Any]]:
    """Return the student's settings, checked to be lists that are not empty; arrays will do.

    If there are more than four, or one is missing, the others are returned, and it is noted.
    """
    own: Any = two_layer_net.nn_get_search_params()
    values = list(own.values()) if type(own) is dict else own
    as_asked = own is values and not (type(own) in (tuple, list) and len(own) != 4 and len(own) > 2)
    if not as_asked:
        problem = f"{len(values)} lists in a {type(own).__name__}"
        asking.note(CheckFailure("the settings", problem, likely_cause=FOUR, slip=True))
    found: Any = checks.parts(values, 4 if as_asked else len(values), what="the settings")[:4]
    found = [values.tolist() if hasattr(values, "tolist") else values for values in found]
    lists = all(type(values) in (tuple, list) for values in found)
    checks.holds(lists, what="the settings", problem="one of them is no list")
    none_empty = all(len(values) > 0 for values in found)
    cause = "at least one value belongs into each list"
    checks.holds(none_empty, what="the settings", problem="a list is empty", likely_cause=cause)
    return [list(values) for values in found]


@pytest.mark.task("search_params", weight=1)
@asking.one_slip()
def test_settings() -> None:
    """Settings: four lists, not empty, of numbers that make sense."""
    rates, sizes, strengths, decays = [*settings(), [], []][:4]
    others = [all(type(value) is int and value > 0 for value in one) for one in (rates, strengths, decays)]
    in_order = not any(others) or all(checks.number(size, what="a hidden size") >= 1 for size in sizes)
    checks.holds(in_order, what="the settings", problem="not in order", likely_cause=FOUR, slip=True)
    for rate in rates:
        checks.number(rate, at_least=1e-12, what="a learning rate")
    for size in sizes:
        number = checks.number(size, at_least=1, what="a hidden size")
        cause = "a hidden size is a whole number: write 32, not 32.0"
        whole = type(size) is not float and number == int(number)
        checks.holds(whole, what="a hidden size", problem="not an integer", likely_cause=cause, slip=True)
    for strength in strengths:
        checks.number(strength, at_least=0, what="a regularization strength")
    for decay in decays:
        checks.number(decay, at_least=1e-12, at_most=1, what="a learning-rate decay")


@pytest.mark.task("search_params", weight=1)
@asking.one_slip()
def test_how_many_settings() -> None:
    """Settings: at least 4 and at most 256 combinations."""
    number = 1
    for values in settings():
        number *= len(values)
    for fits, problem in ((number >= 4, "fewer than 4"), (number <= 256, "more than 256")):
        cause = "the lengths of the four lists are multiplied"
        checks.holds(fits, what="the number of combinations", problem=problem, likely_cause=cause, slip=True)


TOO_MANY = "more networks than combinations: the settings come from get_param_set_fn"


UNKNOWN = torch.zeros(5).long()
"""What a network of another size than those to try predicts: two of five labels are right."""


class TwoNets:
    """Networks of one and of two hidden units; that with two is better on the validation set.

    The functions take the place of the student's. A network is known by its first weight.
    """

    def __init__(self) -> None:
        self.data = {
            "X_train": torch.ones(3, 5),
            "y_train": torch.tensor([0, 1, 0]),
            "X_val": torch.zeros(5, 5),
            "y_val": torch.tensor([0, 0, 1, 1, 1]),
        }
        self.right = {1: torch.tensor([0, 1, 0, 0, 0]), 2: torch.tensor([0, 0, 1, 0, 0])}
        self.history = {1: [0.9, 0.2], 2: [0.5, 0.6]}
        self.misuse: list[str] = []
        self.trained: list[tuple[float, int, float, float]] = []
        self.more, self.asked = 0, False
        self.lists = 4

    def settings(self, sizes: list[int]) -> object:
        """Stand for nn_get_search_params."""
        self.asked = True
        return [0.5, 0.25], sizes, [0.125], [1.0]

    def settings_as_own(self, sizes: list[int]) -> object:
        """Stand for it with as many lists as the student's own has, and with its names if it has some."""
        own: Any = two_layer_net.nn_get_search_params()
        names = list(own.keys()) if type(own) is dict else range(len(own))
        values = [[0.5, 0.25], sizes, [0.125], [1.0], *([own[name][0]] for name in names[4:])]
        self.asked, self.lists, self.trained, self.misuse = True, len(own), [], []
        named = dict(zip(names, values, strict=False))
        return named if type(own) is dict else tuple(named.values())

    def take(self) -> Any:
        """Return another network; the last one again, once there is none left."""
        *self.spare, net = self.spare
        if not self.spare:
            self.misuse.append(TOO_MANY)
            self.spare = [net]
        return net

    def make(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        dtype: torch.dtype = torch.float32,
        device: object = "cpu",
        std: float = 1e-4,
    ) -> Any:
        """Stand for the class TwoLayerNet."""
        if (int(input_size), int(output_size)) != (5, 2):
            self.misuse.append("a network does not fit the data: features, hidden units and classes")
        net, size = self.take(), max(1, int(hidden_size))
        net.params = {
            "W1": torch.full((5, size), float(size)),
            "b1": torch.zeros(size),
            "W2": torch.zeros(size, 2),
            "b2": torch.zeros(2),
        }
        return net

    def train(
        self,
        params: dict[str, Tensor],
        loss_func: object,
        pred_func: object,
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
        """Stand for nn_train."""
        if params["W1"].shape[1] not in self.right:
            self.misuse.append("the number of hidden units is not one of those to try")
        if [len(part) for part in (X, y, X_val, y_val)] != [3, 3, 5, 5]:
            self.misuse.append("training and validation data are not in their places")
        size = params["W1"].shape[1]
        self.trained.append((float(learning_rate), size, float(reg), float(learning_rate_decay)))
        history = self.history_of(size)
        return {
            "loss_history": [1.0, 0.5],
            "train_acc_history": [1.0, 1 - history[-1] / 2],
            "val_acc_history": history,
        }

    def history_of(self, size: int) -> list[float]:
        """Return the accuracies of a network of so many hidden units during its training."""
        return list(self.history.get(size, [0.3, 0.4]))

    def predict(self, params: dict[str, Tensor], loss_func: object, X: Tensor) -> Tensor:
        """Stand for nn_predict."""
        if len(X) != 5:
            # The better network is worse on the training set.
            return torch.tensor([0, 1, 1 if int(params["W1"][0, 0]) == 2 else 0])
        return self.right.get(int(params["W1"][0, 0]), UNKNOWN)

    def forward(self, params: dict[str, Tensor], X: Tensor) -> tuple[Tensor, Tensor]:
        """Stand for nn_forward_pass."""
        labels = self.predict(params, None, X)
        return torch.stack([1.0 - labels, 1.0 * labels], dim=1), torch.zeros(len(X), params["W1"].shape[1])

    def forward_backward(
        self, params: dict[str, Tensor], X: Tensor, y: Tensor | None = None, reg: float = 0.0
    ) -> object:
        """Stand for nn_forward_backward."""
        if y is None:
            return self.forward(params, X)[0]
        return torch.tensor(1.0), {name: torch.zeros_like(value) for name, value in params.items()}

    def find(self, sizes: list[int]) -> Any:
        """Return what the student's search finds."""
        self.spare = [two_layer_net.TwoLayerNet(5, 1, 2, device="cpu") for _ in range(100)]
        with substituted(
            two_layer_net,
            TwoLayerNet=self.make,
            nn_train=self.train,
            nn_predict=self.predict,
            nn_forward_pass=self.forward,
            nn_forward_backward=self.forward_backward,
        ):

            def find(settings: Callable[[list[int]], object]) -> Any:
                data = {name: value.clone() for name, value in self.data.items()}
                return two_layer_net.find_best_net(data, partial(settings, sizes))

            found = asking.ask_again(
                partial(find, self.settings),
                partial(find, self.settings_as_own),
                what="find_best_net",
                problem="an exception; with lists as those of nn_get_search_params all of this is right",
                says=FOUR,
            )
            if type(found) is tuple and len(found) > 3:
                self.more = len(found)
                found = found[:3]
            found = checks.parts(found, 3, what="the network, its statistics and its accuracy")
            checks.holds(type(found[0]) not in PLAIN, what="the best network", problem="not a TwoLayerNet")
            return (*found, found[0].predict(self.data["X_val"]))


@pytest.mark.task("find_best_net", weight=1)
@asking.one_slip()
def test_a_network_for_each_combination() -> None:
    """Search: a network is trained for each of four combinations."""
    nets = TwoNets()
    nets.find([1, 2])
    why = "the settings come from get_param_set_fn, which was not called"
    checks.holds(nets.asked, what="the settings", problem="others", slip=True, likely_cause=why)
    why = "only the network, its statistics and its accuracy are returned"
    came = f"{nets.more} values are returned, and 3 are asked for"
    checks.holds(nets.more == 0, what="the result", slip=True, likely_cause=why, problem=came)
    cause = nets.misuse[0] if nets.misuse else None
    problem = "not used rightly"
    checks.holds(cause is None, what="the networks", problem=problem, likely_cause=cause, slip=True)
    wanted = {(rate, size, 0.125, 1.0)[: nets.lists] for rate in (0.5, 0.25) for size in (1, 2)}
    trained = {settings[: nets.lists] for settings in nets.trained}
    checks.holds(
        not trained - wanted,
        what="the networks",
        problem="some were trained with settings that were not asked for",
        likely_cause="the settings are mixed up, or not all of them are passed on to train",
        slip=True,
    )
    checks.holds(
        trained == wanted,
        what="the networks",
        problem="some combinations were not tried",
        likely_cause="a network is not trained, or a loop ends early",
        slip=True,
    )


WORST = "the worst network was chosen, or the best on the training set"
CHOSEN = {
    (True, False): "the first network was chosen, not the best",
    (False, True): "the last network was chosen, not the best",
}
"""Why the worse of two networks was returned: whether it was where it came first, and where it came last."""


@pytest.mark.task("find_best_net", weight=2)
@asking.one_slip()
def test_best_of_two_networks() -> None:
    """Search: the network that is better on the validation set after its training is returned."""
    searches = []
    for sizes in ([1, 2], [2, 1]):
        nets = TwoNets()
        _, stat, best, labels = nets.find(sizes)
        checks.holds(len(nets.trained) > 0, what="the networks", problem="none was trained")
        few = TOO_MANY not in nets.misuse
        checks.holds(few, what="the networks", problem="too many", likely_cause=TOO_MANY, slip=True)
        searches.append((nets, stat, checks.scalar(best, what="the best accuracy"), labels))
    worse = CHOSEN.get(tuple(best < 0.3 for _, _, best, _ in searches), WORST)
    histories = [stat.get("val_acc_history") if isinstance(stat, dict) else 0 for _, stat, _, _ in searches]
    reported = CHOSEN.get(tuple(checks.agrees(history, [0.9, 0.2]) for history in histories), WORST)
    for nets, stat, accuracy, labels in searches:
        # Of those that were tried.
        size = max((size for _, size, _, _ in nets.trained), key=lambda size: nets.history_of(size)[-1])
        hints = [
            Hint(0.2, says=worse),
            Hint(
                100 * nets.history_of(size)[-1],
                says="this is a percentage; an accuracy is a number from 0 to 1",
            ),
            Hint(0.4, says="this is the part of wrong predictions"),
            Hint(1.0, says="this is an accuracy on the training set; the validation set decides"),
            Hint(0.9, says="this is the best accuracy during a training; the one after it decides"),
        ]
        checks.close(accuracy, nets.history_of(size)[-1], what="the best accuracy", hints=hints)
        stat = check_named(stat, ["val_acc_history"], what="the statistics of the best network")
        hints = [Hint([0.9, 0.2], says=reported)]
        what = "its accuracies on the validation set"
        checks.close(stat["val_acc_history"], nets.history_of(size), what=what, hints=hints)
        right = nets.right.get(size, UNKNOWN)
        checks.equal(labels, right, what="the labels of the best network")


@pytest.mark.task("saved_weights", weight=1)
def test_saved_weights() -> None:
    """Saved weights: W1, b1, W2 and b2 of a network for 3072 numbers and 10 classes."""
    saved = load_weights(two_layer_net, "best_two_layer_net.pt")
    lacks = {"W1", "W2", "b1", "b2"} - saved.keys()
    checks.holds(not lacks, what="the saved weights", problem=f"nothing is named {', '.join(sorted(lacks))}")
    size = saved["b1"].numel()
    shapes = {"W1": (3072, size), "b1": (size,), "W2": (size, 10), "b2": (10,)}
    for name, shape in shapes.items():
        checks.tensor(saved[name], shape=shape, what=f"the saved {name}")
