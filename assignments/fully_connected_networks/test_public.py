"""Public checks of the fully connected networks: small enough to be worked out by hand."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import fully_connected_networks as fcn
import pytest
import torch
from torch import Tensor

from helpers.testing import (
    Hint,
    Untrained,
    asking,
    checks,
    constructor,
    convention,
    measure,
    obeys,
    passes_in_part,
    regularization_causes,
    require,
    require_any_device,
    substituted,
)

GRADIENTS = ("torch.autograd", "torch.func", "torch.enable_grad", ".requires_grad", ".requires_grad_")
"""What works out gradients. Not .backward: that is what the layers call their own."""
IN_NETWORKS = ("torch.nn", "torch.optim", *GRADIENTS, ".cuda", "helpers.training.layers")
BANNED = (*IN_NETWORKS, ".grad")
"""Also what PyTorch's .backward leaves its results in; networks may call something of theirs so."""
READY_MADE = ("torch.dropout", "torch.feature_dropout", "torch.alpha_dropout", "torch.native_dropout")
MANY = torch.linspace(-1, 2, 1600, dtype=torch.float64).reshape(40, 40)


def check_entries(function: Callable[..., object], *more: Any, tensors: int = 1) -> None:
    """Check that a function takes hardly more tensor operations where its tensors have more entries."""
    few, many = (asking.ask(measure, function, *[MANY[:n, :n]] * tensors, *more).operations for n in (3, 40))
    checks.holds(
        many < 2.5 * max(1, few),  # 1 without a loop; 3 or more with one, over entries or rows
        what="the number of tensor operations",
        problem="grows with the number of entries, as that of a loop does",
        likely_cause="a loop over the entries of w; one tensor operation takes them all at once",
    )


X = torch.tensor([[1.0, 2.0, -1.0], [-1.0, 3.0, 2.0]])
W = torch.tensor([[1.0, 0.0, 2.0, -1.0], [-1.0, 1.0, 0.0, 0.0], [0.0, 1.0, -1.0, 3.0]])
B = torch.tensor([0.5, 0.0, -1.0, 2.0])
OUT = torch.tensor([[-0.5, 1.0, 2.0, -2.0], [-3.5, 5.0, -5.0, 9.0]])
DOUT = torch.tensor([[2.0, 0.0, 1.0, -1.0], [1.0, -1.0, 0.0, 3.0]])
IMAGES = X.reshape(2, 1, 3)


@pytest.mark.task("linear_forward", weight=1)
@asking.one_slip()
def test_linear_by_hand() -> None:
    """Linear, forward: two examples, three inputs, four outputs; and the first example alone."""
    for count in (2, 1):
        right = OUT[:count]
        hints = [
            Hint(right[0], says="the axis of the examples was lost; a single example is a row as well"),
            Hint(right.clamp(min=0), says="a ReLU was applied; this layer is only linear"),
            Hint(right - B, says="the biases were forgotten"),
        ]
        out = linear_forward([X[:count].clone(), W.clone(), B.clone()])
        checks.close(out, right, what="the outputs of Linear.forward", hints=hints)


def linear_forward(arguments: list[Tensor]) -> object:
    """Return the first of what Linear.forward returns."""
    found = asking.ask(fcn.Linear.forward, *arguments)
    return checks.parts(found, 2, what="the result of Linear.forward")[0]


@pytest.mark.constraint
@pytest.mark.task("linear_forward", weight=1)
def test_linear_forward_inputs_unchanged() -> None:
    """Linear, forward: no argument is modified."""
    arguments = [IMAGES.clone(), W.clone(), B.clone()]
    linear_forward(arguments)
    checks.unchanged([IMAGES, W, B], arguments, what="x, w, b")


@pytest.mark.constraint
@pytest.mark.task("linear_forward", weight=1)
def test_linear_forward_own_work() -> None:
    """Linear, forward: no loop, and nothing that is off limits."""
    linear_forward([IMAGES.clone(), W.clone(), B.clone()])
    require(fcn.Linear.forward, loops=0, banned=BANNED)


@pytest.mark.task("linear_backward", weight=2)
@asking.one_slip()
def test_linear_gradients_by_hand() -> None:
    """Linear, backward: the same numbers, and an example that is an image."""
    dx, dw, db = linear_backward([DOUT.clone(), IMAGES.clone(), W.clone(), B.clone()])
    right = torch.tensor([[[5.0, -2.0, -4.0]], [[-2.0, -2.0, 8.0]]])
    hints = [
        Hint(right.flatten(1), says="dx has the shape of the flattened x; give it the shape of x"),
        Hint(right / 2, says="divided by the number of examples; softmax_loss did that already"),
    ]
    checks.close(dx, right, what="dx of Linear.backward", hints=hints)
    right = torch.tensor([[1.0, 1.0, 1.0, -4.0], [7.0, -3.0, 2.0, 7.0], [0.0, -2.0, -1.0, 7.0]])
    hints = [
        Hint(right.T, says="transposed: dw has the shape of w"),
        Hint(right / 2, says="divided by the number of examples; softmax_loss did that already"),
    ]
    checks.close(dw, right, what="dw of Linear.backward", hints=hints)
    right = torch.tensor([3.0, -1.0, 1.0, 2.0])
    hints = [
        Hint(torch.tensor([2.0, 3.0]), says="added up over the outputs; add up over the examples, dim=0"),
        Hint(right / 2, says="the mean over the examples; add up instead"),
        Hint(right[None], says="db has the shape of b, without an axis of length 1"),
    ]
    checks.close(db, right, what="db of Linear.backward", hints=hints)


def linear_backward(arguments: list[Tensor]) -> Any:
    """Return what Linear.backward gives for dout, x, w and b."""
    dout, x, *others = arguments
    return asking.ask_rows(lambda rows: all_gradients(dout, rows, *others), x, what="Linear.backward")


def all_gradients(dout: Tensor, *inputs: Tensor) -> Any:
    """Return dx, dw and db of x, w and b."""
    found = asking.ask_backward(
        lambda cache: asking.ask(fcn.Linear.backward, dout, cache),
        tuple(inputs),
        lambda: asking.ask(fcn.Linear.forward, *inputs),
        what="Linear.backward",
        says="backward needs another cache than (x, w, b), as they came to forward",
    )
    return checks.parts(found, 3, what="the result of Linear.backward")


@pytest.mark.constraint
@pytest.mark.task("linear_backward", weight=1)
def test_linear_backward_inputs_unchanged() -> None:
    """Linear, backward: neither dout nor the cache is modified."""
    arguments = [DOUT.clone(), IMAGES.clone(), W.clone(), B.clone()]
    linear_backward(arguments)
    checks.unchanged([DOUT, IMAGES, W, B], arguments, what="dout, x, w, b")


@pytest.mark.constraint
@pytest.mark.task("linear_backward", weight=1)
def test_linear_backward_own_work() -> None:
    """Linear, backward: no loop, and nothing that is off limits."""
    linear_backward([DOUT.clone(), IMAGES.clone(), W.clone(), B.clone()])
    require(fcn.Linear.backward, loops=0, banned=BANNED)


UPSTREAM = torch.tensor([[4.0, -5.0, 6.0, 7.0], [3.0, 8.0, -9.0, -2.0]])


@pytest.mark.task("relu", weight=2)
@asking.one_slip()
def test_relu_by_hand() -> None:
    """ReLU: eight numbers forward, eight gradients backward."""
    x, dout = OUT, UPSTREAM
    out, _ = checks.parts(asking.ask(fcn.ReLU.forward, x.clone()), 2, what="the result of ReLU.forward")
    right = torch.tensor([[0.0, 1.0, 2.0, 0.0], [0.0, 5.0, 0.0, 9.0]])
    in_part = "where x is below 0, a part passes"
    hints = [
        Hint(x.abs(), says="the absolute value was taken"),
        Hint(passes_in_part(x, x < 0), says=in_part, slip=True),
    ]
    checks.close(out, right, hints=hints, what="the outputs of ReLU.forward", origin=x)
    right = torch.tensor([[0.0, -5.0, 6.0, 0.0], [0.0, 8.0, 0.0, -2.0]])
    hints = [
        Hint(dout.clamp(min=0), says="based on the signs of dout; those of x count"),
        Hint(dout, says="everything passed; nothing may pass where x is below 0"),
        Hint(passes_in_part(dout, x < 0), says=in_part, slip=True),
        Hint(dout - right, says="turned around: it passes where x is above 0"),
        Hint((x > 0).float(), says="not multiplied by dout"),
        *(Hint(dout * mask, says=NOT_X) for mask in (x, x[0] > 0)),
    ]
    found = relu_backward(dout.clone(), x.clone())
    checks.close(found, right, what="dx of ReLU.backward", hints=hints)


NOT_X = "backward needs another cache than x, as it came to forward"


def relu_backward(dout: Tensor, x: Tensor) -> Any:
    """Return what ReLU.backward gives."""
    return asking.ask_backward(
        lambda cache: asking.ask(fcn.ReLU.backward, dout, cache),
        x,
        lambda: asking.ask(fcn.ReLU.forward, x),
        what="ReLU.backward",
        says=NOT_X,
    )


def relu(x: Tensor, dout: Tensor) -> None:
    """Call both passes of the ReLU, whatever they return."""
    checks.parts(asking.ask(fcn.ReLU.forward, x), 2, what="the result of ReLU.forward")
    relu_backward(dout, x)


@pytest.mark.constraint
@pytest.mark.task("relu", weight=1)
def test_relu_inputs_unchanged() -> None:
    """ReLU: neither x nor dout is modified."""
    x, dout = OUT.clone(), UPSTREAM.clone()
    relu(x, dout)
    checks.unchanged(OUT, x, what="x")
    checks.unchanged(UPSTREAM, dout, what="dout")


@pytest.mark.constraint
@pytest.mark.task("relu", weight=1)
def test_relu_own_work() -> None:
    """ReLU: no loop, and nothing that is off limits."""
    relu(OUT.clone(), UPSTREAM.clone())
    for function in (fcn.ReLU.forward, fcn.ReLU.backward):
        require(function, loops=0, banned=BANNED)


@contextmanager
def given_layers() -> Iterator[None]:
    """Replace what the layers do that networks build on, so that networks are checked on their own."""
    linear = {
        "forward": lambda x, w, b: (torch.addmm(b, x.flatten(1), w), (x, w, b)),
        "backward": lambda dout, cache: (
            torch.einsum("nm,dm->nd", dout, cache[1]).reshape(cache[0].shape),
            torch.einsum("nd,nm->dm", cache[0].flatten(1), dout),
            dout.sum(dim=0),
        ),
    }
    relu = {
        "forward": lambda x: (torch.where(x > 0, x, 0.0), x),
        "backward": lambda dout, cache: torch.where(cache > 0, dout, 0.0),
    }
    with substituted(fcn.Linear, **linear), substituted(fcn.ReLU, **relu):
        yield


HAND = {
    "W1": torch.tensor([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0], [2.0, 0.0, 0.0], [1.0, 0.0, 1.0]]),
    "b1": torch.tensor([1.0, -1.0, 0.0]),
    "W2": torch.tensor([[1.0, -1.0], [0.0, 3.0], [-1.0, 0.0]]),
    "b2": torch.tensor([-2.0, 2.0]),
}
HAND_X, HAND_Y = torch.tensor([[1.0, 2.0, 1.0, -1.0]]), torch.tensor([0])
# Sums 3, -2 and 1, hidden values 3, 0 and 1, scores 0 and -1; P is the probability of the right class. The
# squares of W1 add up to 9, those of W2 to 12, and those of the biases to 10.
P = 1 / (1 + math.exp(-1))
FACTOR = float(convention("regularization"))
HALF, TWICE = regularization_causes()


Make = Callable[[torch.dtype], Any]
"""Makes a network in a precision."""


def fill_by_hand(make: Make, dtype: torch.dtype) -> Any:
    """Return a new network with the parameters of the example."""
    net = make(dtype)
    for name in HAND:
        net.params[own_name(name, net.params)] = HAND[name].to(dtype, copy=True)
    return net


def own_name(name: str, params: Any) -> str:
    """Return what a student calls a parameter, whose layers may be counted from 0."""
    return name.replace("1", "0").replace("2", "1") if "W0" in params else name


def own_gradients(found: object) -> dict[Any, Any]:
    """Return the gradients of the example by the right names, if all are there."""
    grads = checks.entries(found, [], what="the gradients")
    own = {name: own_name(name, grads) for name in HAND}
    checks.entries(grads, list(own.values()), what="the gradients")
    return {name: grads[mine] for name, mine in own.items()}


@asking.one_slip()
def check_by_hand(make: Make) -> None:
    """Check scores, loss and gradients of a network of two layers with one example, and with five copies.

    They are compared in float32. The network has to take float64, too.
    """

    def call(dtype: torch.dtype) -> Any:
        x = HAND_X.to(dtype)
        every = [fill_by_hand(make, dtype).loss(x.repeat(n, 1), HAND_Y.repeat(n)) for n in (1, 5)]
        return fill_by_hand(make, dtype).loss(x.clone()), every

    with given_layers():
        asking.ask_in(call, torch.float64)
        scores, found = asking.ask_in(call, torch.float32)
    hints = [
        Hint(torch.tensor([[0.0, -7.0]]), says="the ReLU between the layers is missing"),
    ]
    behind = checks.agrees(scores, torch.zeros(1, 2))
    says = "no ReLU follows the last layer"
    checks.holds(not behind, what="the scores", problem="wrong values", likely_cause=says, slip=True)
    checks.close(scores, torch.tensor([[0.0, -1.0]]), what="the scores", hints=hints)
    for one, count in zip(found, (1, 5), strict=True):
        check_loss_by_hand(one, count)


DIVIDED = "divided by the number of examples; softmax_loss did that already"


def check_loss_by_hand(found: object, count: int) -> None:
    """Check loss and gradients for so many copies of the example, whose mean is that of one."""
    loss, grads = checks.parts(found, 2, what="the result of loss")
    loss = checks.scalar(loss, what="the loss")
    hints = [
        Hint(-math.log(P), says="the regularization was forgotten"),
        Hint(-math.log(P) / count + 2.1 * FACTOR, says=DIVIDED),
        Hint(-math.log(P) + 1.05 * FACTOR, says=HALF),
        Hint(-math.log(P) + 4.2 * FACTOR, says=TWICE),
        Hint(-math.log(P) + 3.1 * FACTOR, says="the biases were regularized too; only weights are"),
        Hint(-math.log(P) + 0.9 * FACTOR, says="the last layer is not regularized"),
        Hint(-math.log(P) + 1.2 * FACTOR, says="only the last layer is regularized"),
    ]
    checks.close(loss, -math.log(P) + 2.1 * FACTOR, what="the loss", hints=hints)
    grads = own_gradients(grads)
    up = 1 - P  # of the wrong class; that of the right one is -up
    data = {
        "W1": torch.outer(HAND_X[0], torch.tensor([-2 * up, 0.0, up])),
        "b1": torch.tensor([-2 * up, 0.0, up]),
        "W2": torch.tensor([[-3 * up, 3 * up], [0.0, 0.0], [-up, up]]),
        "b2": torch.tensor([-up, up]),
    }
    for name, value in data.items():
        penalty = 0.2 * FACTOR * HAND[name] if name.startswith("W") else torch.zeros_like(value)
        hints = [
            Hint(value, says="the regularization was forgotten"),
            Hint(value / count + penalty, says=DIVIDED),
            Hint((value + penalty) / count, says=DIVIDED),
            Hint(value + penalty / 2, says=HALF),
            Hint(value + 2 * penalty, says=TWICE),
            Hint(value + 0.2 * FACTOR * HAND[name], says="the biases were regularized too; only weights are"),
            Hint(penalty, says="the gradient of the regularization took the place of the other; add them up"),
        ]
        checks.close(grads[name], value + penalty, what=f'grads["{name}"]', hints=hints)


@pytest.mark.task("two_layer_net", weight=4)
def test_two_layers_by_hand() -> None:
    """Two layers: scores, loss and gradients of one example, and of five copies of it."""
    settings: dict[str, Any] = {"input_dim": 4, "hidden_dim": 3, "num_classes": 2, "reg": 0.1}
    check_by_hand(lambda dtype: fcn.TwoLayerNet(dtype=dtype, **settings))


def check_begin(net: Any, shapes: dict[str, tuple[int, int]], scale: float, dtype: torch.dtype) -> None:
    """Check that weights have these shapes and this standard deviation, and that biases are 0."""
    for name, shape in shapes.items():
        weights = checks.tensor(net.params[name], what=name, shape=shape, dtype=dtype)
        hints = [Hint(scale**2, says="this is the square of weight_scale"), Hint(1.0, says="not scaled")]
        found, relative = float(weights.double().square().mean().sqrt()), 8 / (2 * weights.numel()) ** 0.5
        what = f"the standard deviation of {name}"
        checks.close(found, scale, what=what, rtol=relative, hints=hints)
        share = float((weights > 0).double().mean())
        what = f"how many entries of {name} are above 0"
        checks.number(share, at_least=0.5 - relative, at_most=0.5 + relative, what=what)
        bias = name.replace("W", "b")
        checks.close(net.params[bias], torch.zeros(shape[1], dtype=dtype), what=bias)


@pytest.mark.task("two_layer_net", weight=1)
@asking.one_slip()
def test_parameters_of_two_layers() -> None:
    """Two layers: shapes, dtype and standard deviation of new weights; biases are 0."""
    net = fcn.TwoLayerNet(80, 60, 70, weight_scale=0.04, dtype=torch.float64)
    check_begin(net, {"W1": (80, 60), "W2": (60, 70)}, 0.04, torch.float64)
    require_any_device(fcn.TwoLayerNet)


SOME_X = torch.linspace(-1, 2, 60).reshape(5, 12)
SOME_Y = torch.tensor([0, 3, 1, 2, 0])


def check_inputs_unchanged(make: Make) -> None:
    """Check that a step of training modifies neither the examples nor the parameters."""

    def call(dtype: torch.dtype) -> None:
        net, x, y = make(dtype), SOME_X.to(dtype, copy=True), SOME_Y.clone()
        before = {str(name): checks.tensor(net.params[name], what=str(name)).clone() for name in net.params}
        checks.parts(net.loss(x, y), 2, what="the result of loss")
        checks.unchanged(SOME_X.to(dtype), x, what="X")
        checks.unchanged(SOME_Y, y, what="y")
        for name, value in before.items():
            checks.unchanged(value, net.params[name], what=f'params["{name}"]')

    with given_layers():
        asking.ask_in(call, torch.float32)


def check_own_work(make: Make, loss: Callable[..., object]) -> None:
    """Check that the network runs, then that its source uses nothing that is off limits.

    What a layer uses already is not held against the network that calls it.
    """
    with given_layers():
        result = asking.ask_in(
            lambda dtype: make(dtype).loss(SOME_X.to(dtype), SOME_Y.clone()), torch.float32
        )
    checks.parts(result, 2, what="the result of loss")
    layers = [*(layer.forward for layer in (fcn.Linear, fcn.ReLU, fcn.Dropout))]
    layers += [layer.backward for layer in (fcn.Linear, fcn.ReLU, fcn.Dropout)]
    require(loss, banned=[name for name in IN_NETWORKS if all(obeys(one, banned=[name]) for one in layers)])


@pytest.mark.constraint
@pytest.mark.task("two_layer_net", weight=1)
def test_two_layers_inputs_unchanged() -> None:
    """Two layers: X, y and the parameters are not modified."""
    check_inputs_unchanged(lambda dtype: fcn.TwoLayerNet(12, 9, 4, weight_scale=0.5, reg=0.2, dtype=dtype))


@pytest.mark.constraint
@pytest.mark.task("two_layer_net", weight=1)
def test_two_layers_own_work() -> None:
    """Two layers: nothing that is off limits."""
    settings: dict[str, Any] = {"weight_scale": 0.5, "reg": 0.2}
    check_own_work(lambda dtype: fcn.TwoLayerNet(12, 9, 4, dtype=dtype, **settings), fcn.TwoLayerNet.loss)


@pytest.mark.task("fully_connected", weight=3)
def test_one_hidden_layer_by_hand() -> None:
    """Any depth: one hidden layer, the same numbers and copies."""
    settings: dict[str, Any] = {"input_dim": 4, "num_classes": 2, "reg": 0.1}
    check_by_hand(lambda dtype: fcn.FullyConnectedNet([3], dtype=dtype, **settings))


@pytest.mark.task("fully_connected", weight=1)
@asking.one_slip()
def test_names_of_parameters() -> None:
    """Any depth: three hidden layers have W1, b1 to W4, b4."""
    net = fcn.FullyConnectedNet([5, 4, 3], input_dim=6, num_classes=2)
    shapes = {1: (6, 5), 2: (5, 4), 3: (4, 3), 4: (3, 2)}
    checks.holds(len(net.params) == 8, what="params", problem="not 8 parameters")
    shifted = "W0" in net.params and "W4" not in net.params
    for i, shape in shapes.items():
        weights, bias = (net.params[f"{kind}{i - shifted}"] for kind in ("W", "b"))
        checks.tensor(weights, what=f"W{i}", shape=shape, dtype=torch.float32)
        checks.close(bias, torch.zeros(shape[1]), what=f"b{i}")
    says = "names begin at W1 and b1, not at W0 and b0"
    checks.holds(not shifted, what="params", problem="no W4, but W0", likely_cause=says, slip=True)
    net = fcn.FullyConnectedNet([60, 70], 80, 50, weight_scale=0.04, dtype=torch.float64)
    check_begin(net, {"W1": (80, 60), "W2": (60, 70), "W3": (70, 50)}, 0.04, torch.float64)
    require_any_device(fcn.FullyConnectedNet)


MASK = torch.tensor([0.0, 1.0, 3.0])
"""By what dropout multiplies the hidden units: a mask that a network draws by itself never holds 3."""


@pytest.mark.task("fully_connected", weight=1)
@asking.one_slip()
def test_dropout_of_hidden_units() -> None:
    """Any depth: dropout drops hidden units of the same example if there are labels, and none without."""
    dropout = {
        "forward": lambda x, dropout_param: (
            x * MASK if dropout_param["mode"] == "train" else x,
            (dropout_param, MASK),
        ),
        "backward": lambda dout, cache: dout * cache[1],
    }

    def make(dtype: torch.dtype) -> Any:
        return fcn.FullyConnectedNet([3], input_dim=4, num_classes=2, dropout=0.5, dtype=dtype)

    def call(dtype: torch.dtype) -> Any:
        net, x = fill_by_hand(make, dtype), HAND_X.to(dtype)
        return net.loss(x.clone(), HAND_Y.clone()), net.loss(x.clone())

    with given_layers(), substituted(fcn.Dropout, **dropout):
        found, scores = asking.ask_in(call, torch.float32)
    loss, grads = checks.parts(found, 2, what="the result of loss")
    # The hidden values are 0, 0 and 3, and the scores -5 and 2: the wrong class has the probability `up`.
    up = 1 / (1 + math.exp(-7))
    hints = [
        Hint(-math.log(P), says="dropout was left out"),
        Hint(math.log(1 + math.exp(13)), says="dropout came twice; it follows each ReLU once"),
        Hint(math.log(1 + math.exp(2)), says="no ReLU follows the last layer"),
    ]
    checks.close(
        checks.scalar(loss, what="the loss"), math.log(1 + math.exp(7)), what="the loss", hints=hints
    )
    grads = own_gradients(grads)
    right = {
        "W2": torch.tensor([[0.0, 0.0], [0.0, 0.0], [-3 * up, 3 * up]]),
        "b1": torch.tensor([0.0, 0.0, 3 * up]),
    }
    says = "dropout has a backward pass, too: call Dropout.backward for each hidden layer"
    for name, value in right.items():
        hints = [Hint(torch.tensor([-2 * up, 0.0, up]), says=says)] if name == "b1" else []
        checks.close(grads[name], value, what=f'grads["{name}"]', hints=hints)
    hints = [Hint(torch.tensor([[-5.0, 2.0]]), says="dropout drops; without labels its mode is test")]
    checks.close(scores, torch.tensor([[0.0, -1.0]]), what="the scores without labels", hints=hints)


@pytest.mark.constraint
@pytest.mark.task("fully_connected", weight=1)
def test_deep_rules() -> None:
    """Any depth: X, y and the parameters are not modified; nothing that is off limits."""

    def make(dtype: torch.dtype) -> Any:
        return fcn.FullyConnectedNet([9, 7], 12, 4, weight_scale=0.5, reg=0.2, dtype=dtype)

    check_inputs_unchanged(make)
    check_own_work(make, fcn.FullyConnectedNet.loss)


def check_settings(found: object) -> None:
    """Check that there are two positive numbers."""
    scale, rate = checks.parts(found, 2, what="the settings")
    checks.holds(
        0 < checks.number(scale, what="weight_scale") < 10, what="weight_scale", problem="not from 0 to 10"
    )
    checks.holds(
        0 < checks.number(rate, what="learning_rate") < 10, what="learning_rate", problem="not from 0 to 10"
    )


@pytest.mark.task("overfit", weight=1)
def test_settings() -> None:
    """Settings: two positive numbers for either network."""
    check_settings(fcn.get_three_layer_network_params())
    check_settings(fcn.get_five_layer_network_params())


MAX_HIDDEN, MAX_BATCH = 400, 250
SMALL = {
    "X_train": torch.zeros(20, 3, 32, 32),
    "y_train": torch.arange(20) % 10,
    "X_val": torch.zeros(15, 3, 32, 32),
    "y_val": torch.arange(15) % 10,
}


ONLY_MADE = "create_solver_instance only makes the Solver; whoever called it will train"


def make_solver() -> tuple[Any, dict[str, Any]]:
    """Return what create_solver_instance makes, and the settings of its network, and if that was trained."""
    blank = constructor(fcn.TwoLayerNet, None, lambda: {}, count=20)
    spare: list[Any] = [blank() for _ in range(20)]
    made: list[dict[str, Any]] = []

    def make(
        input_dim: int = 3 * 32 * 32,
        hidden_dim: int = 100,
        num_classes: int = 10,
        weight_scale: float = 1e-3,
        reg: float = 0.0,
        dtype: torch.dtype = torch.float32,
        device: object = "cpu",
    ) -> object:
        model, params = spare.pop(), {"W1": torch.zeros(3072, 2), "b1": torch.zeros(2)}
        made.append({"hidden_dim": hidden_dim, "dtype": dtype, "loss": Untrained(params)})
        model.params, model.loss, model.number = params, made[-1]["loss"].loss, len(made) - 1
        return model

    # Another task asks for these rules.
    rules = dict.fromkeys(("sgd_momentum", "rmsprop", "adam"), lambda w, dw, config: (w, config))
    with substituted(fcn, TwoLayerNet=make, **rules):
        solver = fcn.create_solver_instance(SMALL, torch.float64, "cpu")
    checks.holds(
        type(solver) not in (type(None), int, float, str, tuple, list, dict, Tensor),
        what="the result of create_solver_instance",
        problem=f"not a Solver, but of the type {type(solver).__name__}",
    )
    checks.holds(len(made) > 0, what="the solver", problem="made without a TwoLayerNet")
    number = int(checks.number(solver.model.number, what="the number of the network"))
    trained = any(one["loss"].steps > 0 for one in made)
    return solver, {**made[number % len(made)], "trained": trained}


@pytest.mark.task("solver", weight=1)
def test_solver_is_made() -> None:
    """Solver: it holds the pictures, a network in the given dtype, an update rule and settings."""
    solver, made = make_solver()
    checks.close(solver.X_train, SMALL["X_train"], what="solver.X_train")
    checks.number(solver.num_epochs, at_least=1, what="solver.num_epochs")
    solver.optim_config.items()  # may be empty: all update rules have a learning rate of their own
    require_any_device(fcn.create_solver_instance)
    hints = [Hint(torch.float32, says="float32 is written into the code; pass dtype on")]
    checks.equal(made["dtype"], torch.float64, what="the dtype of the TwoLayerNet", hints=hints)
    what, problem = "create_solver_instance", "the network was trained"
    checks.holds(not made["trained"], what=what, problem=problem, likely_cause=ONLY_MADE, slip=True)


@pytest.mark.task("solver", weight=1)
def test_solver_keeps_to_limits() -> None:
    """Solver: at most 400 hidden units and batches of 250 pictures."""
    solver, made = make_solver()
    units = checks.number(made["hidden_dim"], at_least=1, what="hidden_dim of the TwoLayerNet")
    checks.holds(
        units <= MAX_HIDDEN,
        what="hidden_dim of the TwoLayerNet",
        problem=f"more than {MAX_HIDDEN}",
        likely_cause=f"more hidden units than the {MAX_HIDDEN} that are allowed; take fewer",
    )
    checks.number(solver.batch_size, at_least=1, at_most=MAX_BATCH, what="batch_size")


def check_inputs_of_rule(rule: Any) -> None:
    """Check that w and dw stay as they are, and that no config is shared by two parameters."""
    w, dw = MANY.float()[:3, :2], MANY.float()[4:7, :2]  # memory that is not contiguous
    w_before, dw_before = w.clone(), dw.clone()
    first, _ = checks.parts(asking.ask(rule, w, dw), 2, what="the result of the update rule")
    first = checks.tensor(first, what="next_w", shape=(3, 2), dtype=torch.float32)
    checks.unchanged(w_before, w, what="w")
    checks.unchanged(dw_before, dw, what="dw")
    again, _ = checks.parts(asking.ask(rule, w, dw), 2, what="the result of the update rule")
    again = checks.tensor(again, what="next_w of another call", shape=(3, 2))
    # Other checks ask whether the numbers are finite.
    what = "next_w of another call without a config"
    checks.close(again.nan_to_num(), first.nan_to_num(), what=what)


def check_own_rule(rule: Any) -> None:
    """Check that the rule runs with a config, then that it has no loop over entries, and its source."""
    found = asking.ask(rule, MANY.clone(), MANY.clone(), {"learning_rate": 0.1})
    checks.parts(found, 2, what="the result of the update rule")
    check_entries(rule, tensors=2)
    require(rule, banned=BANNED)


SIX = torch.tensor([[1.0, -2.0, 0.5], [3.0, 0.0, -1.0]], dtype=torch.float64)
SIGNS = torch.tensor([[1.0, -1.0, 0.0], [-1.0, 1.0, 1.0]], dtype=torch.float64)
"""Six weights. Gradients are 2 and then 1 by these signs, so the first weight is that of the notebook."""
Values = Sequence[Any]
"""What is wrong, and what a weight of 1 becomes by it, in one step and in two."""


@asking.one_slip()
def check_steps(
    rule: Any, config: dict[str, float], right: Values, hints: list[Values], kept: dict[str, Values]
) -> None:
    """Check two steps of an update rule; `right` is what a weight of 1 becomes with gradients 2 and 1.

    `kept` holds, by its key in the config, what is remembered for that weight after each step.
    """
    w, settings = SIX.clone(), dict(config)
    for step, gradient in enumerate((2.0, 1.0)):
        result = asking.ask(rule, w, gradient * SIGNS, settings)
        w, settings = cast(Any, checks.parts(result, 2, what="the result of the update rule"))
        expected, *others = (
            SIX + SIGNS * (values[step] - 1) for values in (right, *(one[1:] for one in hints))
        )
        wrong = [Hint(value, one[0]) for one, value in zip(hints, others, strict=True)]
        for one, value in zip(hints, others, strict=True):
            wrong.append(Hint(partial(is_nan_below_zero, value), one[0], slip=True))
        wrong.append(Hint(partial(is_nan_at_zero, expected), NO_EPSILON, slip=True))
        epsilon = config.get("epsilon", 1e-8)
        for added in (epsilon, -config["learning_rate"] * epsilon):
            wrong.append(Hint(partial(is_nan_at_zero, expected + added), APART, slip=True))
        if step == 0 and "t" in kept:
            counts = partial(is_right_from_one, rule, config, expected)
            wrong.append(Hint(counts, WRONG_T, slip=True))
        checks.holds(w is not None, what="next_w", problem="None", likely_cause="not written yet")
        checks.close(w, expected, what=f"next_w after {step + 1} of 2 steps", hints=wrong)
        settings = checks.entries(settings, [], what="the config that is returned")
        for key, values in kept.items():
            what = f'config["{key}"]'
            cause = kept_as(settings, key, values[step]) or (WRONG_T if key == "t" else NO_EFFECT.format(key))
            checks.holds(key in settings, what=what, problem="missing", likely_cause=cause, slip=True)
            old = [
                one for one in kept if one != "t" and checks.agrees(settings.get(one), torch.zeros_like(w))
            ]
            cause = (
                NEITHER if old == ["m", "v"] else f"{key} was not kept in config" if "t" in kept else cause
            )
            checks.holds(key not in old, what=what, problem="still 0", likely_cause=cause, slip=True)
            check_kept(settings[key], key, values[step])


OUTSIDE = "the learning rate belongs into the velocity: momentum * v - learning_rate * dw, and w + v"


WRONG_T = "corrected with a wrong t: count the step first, t begins at 1, and keep t in config"
NO_EFFECT = "the old {} has no effect; it was not kept in config, or not used"


def kept_as(settings: dict[Any, Any], key: str, value: float) -> str | None:
    """Return what is said of a value that the config holds under another name."""
    right = value if key == "t" else of_each_weight(key, value)
    names = [name for name in settings if name != key and checks.agrees(settings[name], right)]
    return f"kept as {str(names[0])[:20]}; the key is {key}" if names else None


def of_each_weight(key: str, value: float) -> Tensor:
    """Return what is remembered of all weights, where it is `value` for the first."""
    return value * (SIGNS.abs() if key in ("cache", "v") else SIGNS)


def check_kept(found: object, key: str, value: float) -> None:
    """Check what an update rule remembers for the next step."""
    what = f'config["{key}"]'
    if key == "t":
        checks.equal(found, value, what=what, hints=[Hint(value - 1, WRONG_T)])
        return
    right = of_each_weight(key, value)
    hints = []
    if key == "velocity":
        says = "the velocity has the other sign: momentum * v - learning_rate * dw, which is added to w"
        hints = [Hint(-right, says), Hint(10 * right, OUTSIDE), Hint(-10 * right, OUTSIDE)]
    if key in ("m", "v"):
        hints = [Hint(right * factor, KEPT) for factor in (1 / 0.25, 1 / 0.4375, 1 / 0.64, 1 / 0.8704)]
    checks.close(found, right, what=what, hints=hints)


INSIDE = "epsilon is under the square root; add it to the root"
NO_EPSILON = "where all gradients were 0, that is 0 / 0; epsilon is added to the root"


APART = "epsilon was added to the step, not to the root: put root + epsilon in parentheses"
NEITHER = "m and v were not kept in config"


def is_right_from_one(rule: Any, config: dict[str, float], expected: Tensor, found: Tensor) -> bool:
    """Tell whether a first step is NaN everywhere, and right if t is 1 before it: nobody counted it."""
    if not torch.equal(found.isnan(), torch.ones_like(found).bool()):
        return False
    again = rule(SIX.clone(), 2 * SIGNS, config | {"t": 1})
    return checks.agrees(checks.parts(again, 2, what="the result of the update rule")[0], expected)


def is_nan_at_zero(expected: Tensor, found: Tensor) -> bool:
    """Tell whether only those weights are NaN whose gradients are 0."""
    return torch.equal(found.isnan(), SIGNS == 0) and checks.agrees(found[SIGNS != 0], expected[SIGNS != 0])


def is_nan_below_zero(expected: Tensor, found: Tensor) -> bool:
    """Tell whether only those weights are NaN whose gradients are below 0: a root was taken of them."""
    return torch.equal(found.isnan(), SIGNS < 0) and checks.agrees(found[SIGNS >= 0], expected[SIGNS >= 0])


@pytest.mark.task("sgd_momentum", weight=3)
def test_momentum_by_hand() -> None:
    """Momentum: two steps of six weights, of which one has no gradient."""
    # v = -0.2, w = 0.8; then v = 0.5 * -0.2 - 0.1 = -0.2, w = 0.6.
    hints: list[Any] = [
        ["the old velocity was used; use the new one", 1.0, 0.8],
        ["this is Nesterov's momentum; the plain one is asked for", 0.7, 0.5],
        [
            "the velocity goes along the gradient; it goes against it: momentum * v - learning_rate * dw",
            1.2,
            1.4,
        ],
        [NO_EFFECT.format("velocity"), 0.8, 0.7],
    ]
    kept = {"velocity": [-0.2, -0.2]}
    check_steps(fcn.sgd_momentum, {"learning_rate": 0.1, "momentum": 0.5}, [0.8, 0.6], hints, kept)


@pytest.mark.constraint
@pytest.mark.task("sgd_momentum", weight=1)
def test_momentum_inputs_unchanged() -> None:
    """Momentum: w and dw are not modified, float32 stays float32, and no config is shared."""
    check_inputs_of_rule(fcn.sgd_momentum)


@pytest.mark.constraint
@pytest.mark.task("sgd_momentum", weight=1)
def test_momentum_own_work() -> None:
    """Momentum: no loop over the entries, and nothing that is off limits."""
    check_own_rule(fcn.sgd_momentum)


@pytest.mark.task("rmsprop", weight=3)
def test_rmsprop_by_hand() -> None:
    """RMSProp: two steps of six weights, of which one has no gradient."""
    # cache = 0.64 * 4 = 2.56, its root is 1.6, w = 1 - 0.2 / 1.6; then cache = 0.36 * 2.56 + 0.64 = 1.5616.
    second = 0.875 - 0.1 / 1.5616**0.5
    hints: list[Any] = [
        ["the old cache was used; use the new one", 1 - 0.2 / 1e-8, 0.0],
        ["the step goes uphill; subtract it", 1.125, 0.0],
        ["the square root of the cache is missing", 1 - 0.2 / 2.56, 0.0],
        ["the gradient was not squared", 1 - 0.2 / 1.28**0.5, 0.0],
        ["the squares have a factor 1 - decay_rate", 0.9, 0.0],
        ["decay_rate and 1 - decay_rate are swapped", 1 - 0.2 / 1.2, 0.0],
        [NO_EFFECT.format("cache"), 0.875, 0.75],
    ]
    kept = {"cache": [2.56, 1.5616]}
    check_steps(fcn.rmsprop, {"learning_rate": 0.1, "decay_rate": 0.36}, [0.875, second], hints, kept)
    # With an epsilon of 0.4 the first step is 0.2 / (1.6 + 0.4).
    second = 0.9 - 0.1 / (1.5616**0.5 + 0.4)
    config = {"learning_rate": 0.1, "decay_rate": 0.36, "epsilon": 0.4}
    hints = [[INSIDE, 1 - 0.2 / 2.96**0.5, 0.0]]
    check_steps(fcn.rmsprop, config, [0.9, second], hints, kept)


@pytest.mark.constraint
@pytest.mark.task("rmsprop", weight=1)
def test_rmsprop_inputs_unchanged() -> None:
    """RMSProp: w and dw are not modified, float32 stays float32, and no config is shared."""
    check_inputs_of_rule(fcn.rmsprop)


@pytest.mark.constraint
@pytest.mark.task("rmsprop", weight=1)
def test_rmsprop_own_work() -> None:
    """RMSProp: no loop over the entries, and nothing that is off limits."""
    check_own_rule(fcn.rmsprop)


KEPT = "m and v were kept as corrected; keep them as they were before the correction"


@pytest.mark.task("adam", weight=3)
def test_adam_by_hand() -> None:
    """Adam: two steps of six weights, of which one has no gradient."""
    # m = 0.5, v = 2.56, corrected 2 and 4, so the step is 0.1; then m = 0.625, v = 1.5616, corrected by
    # 1 - 0.75**2 = 0.4375 and 1 - 0.36**2 = 0.8704.
    config = {"learning_rate": 0.1, "beta1": 0.75, "beta2": 0.36}
    second = 0.9 - 0.1 * (0.625 / 0.4375) / (1.5616 / 0.8704) ** 0.5
    once = 0.9 - 0.1 * 2.5 / 2.44**0.5
    swapped = 0.9 - 0.1 * (1.1008 / 0.8704) / (1 / 0.4375) ** 0.5
    kept = 0.9 - 0.1 * (1.75 / 0.4375) / (2.08 / 0.8704) ** 0.5
    kept_m = 0.9 - 0.1 * (1.75 / 0.4375) / (1.5616 / 0.8704) ** 0.5
    kept_v = 0.9 - 0.1 * (0.625 / 0.4375) / (2.08 / 0.8704) ** 0.5
    crossed = "each was corrected with the other's beta: m has 1 - beta1 ** t, v has 1 - beta2 ** t"
    hints: list[Any] = [
        ["m and v are too small at first; divide them by 1 - beta1 ** t and 1 - beta2 ** t", 0.96875, 0.0],
        [crossed, 1 - 0.1 * (0.5 / 0.64) / 3.2, 0.0],
        [KEPT, 0.9, kept],
        [KEPT, 0.9, kept_m],
        [KEPT, 0.9, kept_v],
        ["the square root of v is missing", 0.95, 0.0],
        ["v was not corrected; divide it by 1 - beta2 ** t", 0.875, 0.0],
        [WRONG_T, 0.9, once],
        ["beta1 and beta2 are swapped", 0.9, swapped],
        ["the step goes uphill; subtract it", 1.1, 0.0],
    ]
    kept = {"m": [0.5, 0.625], "v": [2.56, 1.5616], "t": [1, 2]}
    check_steps(fcn.adam, config, [0.9, second], hints, kept)
    # With an epsilon of 0.5 the first step is 0.1 * 2 / (2 + 0.5).
    second = 0.92 - 0.1 * (0.625 / 0.4375) / ((1.5616 / 0.8704) ** 0.5 + 0.5)
    hints = [[INSIDE, 1 - 0.2 / 4.5**0.5, 0.0]]
    check_steps(fcn.adam, config | {"epsilon": 0.5}, [0.92, second], hints, kept)


@pytest.mark.constraint
@pytest.mark.task("adam", weight=1)
def test_adam_inputs_unchanged() -> None:
    """Adam: w and dw are not modified, float32 stays float32, and no config is shared."""
    check_inputs_of_rule(fcn.adam)


@pytest.mark.constraint
@pytest.mark.task("adam", weight=1)
def test_adam_own_work() -> None:
    """Adam: no loop over the entries, and nothing that is off limits."""
    check_own_rule(fcn.adam)


@asking.one_slip()
@pytest.mark.task("dropout", weight=2)
def test_dropout_of_ones() -> None:
    """Dropout: of many ones about a quarter becomes 0, the others 4/3, and nothing in test mode."""
    ones = torch.ones(80, 125)
    result = asking.ask(fcn.Dropout.forward, ones.clone(), {"p": 0.25, "mode": "train"})
    out, cache = checks.parts(result, 2, what="the result of Dropout.forward")
    out = checks.tensor(out, what="the outputs of Dropout.forward", shape=(80, 125), dtype=torch.float32)
    kept = (out != 0).float()
    # Numbers of torch.randn are below 0.25, or below -0.25, with these probabilities.
    normal = any(abs(float(kept.mean()) - one) < 0.03 for one in (0.5987, 0.4013))
    problem, says = "not about a quarter", "torch.randn is normal; use torch.rand"
    checks.holds(not normal, what="what Dropout.forward drops", problem=problem, likely_cause=says)
    hints = [
        Hint(kept, says="the kept values were not scaled: divide by 1 - p, so that the expected value stays"),
        Hint(kept * 4, says="divided by p, which is the probability of dropping; divide by 1 - p"),
    ]
    checks.close(out, kept / 0.75, what="the outputs of Dropout.forward", hints=hints)
    share = 1 - float(kept.mean())
    cause = "p is the probability of dropping, not of keeping" if 0.7 < share < 0.8 else None
    what = "what Dropout.forward drops"
    fits, slip = 0.2 < share < 0.3, cause is not None
    checks.holds(fits, what=what, problem="not about a quarter", likely_cause=cause, slip=slip)
    again, _ = checks.parts(
        asking.ask(fcn.Dropout.forward, ones.clone(), {"p": 0.25, "mode": "train"}), 2, what="the result"
    )
    again = checks.tensor(again, what="the outputs of another call", shape=(80, 125), dtype=torch.float32)
    cause = "a seed is set that nobody asked for"
    same = torch.equal(out, again)
    what = "two calls without a seed"
    checks.holds(not same, what=what, problem="dropped the same", likely_cause=cause, slip=True)
    found = asking.ask(fcn.Dropout.backward, ones.clone(), cache)
    other = "a new mask was drawn; use the one in the cache"
    hints = [
        Hint(ones, says="the mask was not used"),
        Hint(kept, says="the mask was used without its scale"),
        Hint(lambda dx: 0 < float(((dx != 0) & (out == 0)).sum()) < 5000, says=other, slip=True),
    ]
    checks.close(found, out, what="dx of Dropout.backward", hints=hints)
    result = asking.ask(fcn.Dropout.forward, ones.clone(), {"p": 0.25, "mode": "test"})
    out, _ = checks.parts(result, 2, what="the result of Dropout.forward")
    hints = [
        Hint(ones * 0.75, says="inverted dropout scales while training; at test time nothing is scaled"),
        Hint(ones / 0.75, says="scaled as while training; at test time nothing is scaled"),
    ]
    checks.close(out, ones, what="the outputs of Dropout.forward in test mode", hints=hints)


@pytest.mark.constraint
@pytest.mark.task("dropout", weight=1)
def test_dropout_rules() -> None:
    """Dropout: no argument is modified, no loop, nothing that is off limits."""
    x, dout, param = OUT.clone(), UPSTREAM.clone(), {"p": 0.4, "mode": "train"}
    _, cache = checks.parts(
        asking.ask(fcn.Dropout.forward, x, param), 2, what="the result of Dropout.forward"
    )
    asking.ask(fcn.Dropout.backward, dout, cache)
    checks.unchanged(OUT, x, what="x")
    checks.unchanged(UPSTREAM, dout, what="dout")
    checks.unchanged({"p": 0.4, "mode": "train"}, param, what="dropout_param")
    for function in (fcn.Dropout.forward, fcn.Dropout.backward):
        require(function, loops=0, banned=[*BANNED, *READY_MADE])


ROW = torch.tensor([[1.0, -2.0, 0.0, 3.0]])


def ask_in_both(function: Callable[..., object], *arguments: Any, **more: bool) -> Any:
    """Return what a function gives in float32. It has to take float64, too."""
    asking.ask(function, *(one.double() if type(one) is Tensor else one for one in arguments), **more)
    return asking.ask(function, *arguments, **more)


def check_penalty(name: str, found: object, penalty: float, gradient: list[float], hints: list[Hint]) -> None:
    """Check a penalty and its gradient."""
    value, slope = checks.parts(found, 2, what=f"the result of {name}")
    value = checks.scalar(value, what=f"the penalty of {name}")
    checks.close(value, penalty, what=f"the penalty of {name}", hints=hints)
    checks.close(slope, torch.tensor([gradient]), what=f"the gradient of {name}", hints=hints)


def check_regularizer(function: Callable[..., object], *more: Any) -> None:
    """Check that w stays as it is and float32 float32, that there is no loop over entries; and the source."""
    w, before = MANY.float()[:3, :2], MANY.float()[:3, :2]  # memory that is not contiguous
    found = asking.ask(function, w, *more)
    checks.unchanged(before, w, what="w")
    found = found[1] if type(found) is tuple else found
    if type(found) is Tensor:
        checks.tensor(found, what="the tensor that is returned", shape=(3, 2), dtype=torch.float32)
    check_entries(function, *more)
    require(function, banned=BANNED)


@pytest.mark.task("l2_regularizer", weight=1)
@asking.one_slip()
def test_l2_by_hand() -> None:
    """L2: the penalty of (1, -2, 0, 3) and its gradient, without and with the factor 1/2."""
    hints = [Hint(wrong, says="there is no factor 1/2 unless half is True") for wrong in (3.5, ROW / 2)]
    found = ask_in_both(fcn.l2_regularizer, ROW.clone(), 0.5)
    check_penalty("l2_regularizer", found, 7.0, [1.0, -2.0, 0.0, 3.0], hints)
    hints = [
        Hint(7.0, says="half was ignored"),
        Hint(ROW, says="the factor 1/2 applies to the gradient, too"),
    ]
    found = ask_in_both(fcn.l2_regularizer, ROW.clone(), 0.5, half=True)
    check_penalty("l2_regularizer", found, 3.5, [0.5, -1.0, 0.0, 1.5], hints)


@pytest.mark.constraint
@pytest.mark.task("l2_regularizer", weight=1)
def test_l2_rules() -> None:
    """L2: w is not modified; float32 stays float32; no loop over entries, nothing off limits."""
    check_regularizer(fcn.l2_regularizer, 0.3)


@pytest.mark.task("l1_regularizer", weight=1)
@asking.one_slip()
def test_l1_by_hand() -> None:
    """L1: the penalty of (1, -2, 0, 3) and its gradient."""
    hints = [Hint(wrong, says="the signs of w count") for wrong in (1.0, torch.full((1, 4), 0.5))]
    found = ask_in_both(fcn.l1_regularizer, ROW.clone(), 0.5)
    check_penalty("l1_regularizer", found, 3.0, [0.5, -0.5, 0.0, 0.5], hints)


@pytest.mark.constraint
@pytest.mark.task("l1_regularizer", weight=1)
def test_l1_rules() -> None:
    """L1: w is not modified; float32 stays float32; no loop over entries, nothing off limits."""
    check_regularizer(fcn.l1_regularizer, 0.3)


@contextmanager
def given_penalties() -> Iterator[None]:
    """Replace the penalties that the elastic net may be made of, so that it is checked on its own."""

    def l2(w: Tensor, strength: float, half: bool = False) -> object:
        share = strength * (0.5 if half else 1.0)
        return share * torch.dot(w.flatten(), w.flatten()), w * share * 2

    def l1(w: Tensor, strength: float) -> object:
        return w.abs().sum() * strength, w.sign() * strength

    with substituted(fcn, l2_regularizer=l2, l1_regularizer=l1):
        yield


@pytest.mark.task("elastic_net", weight=1)
@asking.one_slip()
def test_elastic_net_by_hand() -> None:
    """Elastic net: the penalty of (1, -2, 0, 3) and its gradient."""
    with given_penalties():
        found = ask_in_both(fcn.elastic_net, ROW.clone(), 0.5, 0.25)
    halved = (4.75, torch.tensor([[0.75, -1.0, 0.0, 1.25]]))
    hints = [Hint(wrong, says="the squares have no factor 1/2") for wrong in halved]
    hints += [Hint(8.5, says="the strengths are swapped")]
    check_penalty("elastic_net", found, 6.5, [1.0, -1.5, 0.0, 2.0], hints)


@pytest.mark.constraint
@pytest.mark.task("elastic_net", weight=1)
def test_elastic_net_rules() -> None:
    """Elastic net: w is not modified; float32 stays float32; no loop over entries, nothing off limits."""
    with given_penalties():
        check_regularizer(fcn.elastic_net, 0.3, 0.7)


@pytest.mark.task("max_norm", weight=1)
@asking.one_slip()
def test_max_norm_by_hand() -> None:
    """Max-norm: (1, -2, 0, 3) stays if c is 14.5, and is halved if c is 3.5."""
    stretched = "weights within the bound were stretched to it; they stay as they are"
    hints = [Hint(ROW * (14.5 / 14) ** 0.5, says=stretched), Hint(ROW * 14.5 / 14, says=stretched)]
    found = ask_in_both(fcn.max_norm, ROW.clone(), 14.5)
    checks.close(found, ROW, what="weights within the bound, from max_norm", hints=hints)
    hints = [
        Hint(ROW * 0.25, says="shrunk by c / sum(w ** 2); the norm has to shrink by its square root"),
        Hint(ROW * 3.5 / 14**0.5, says="shrunk to the norm c; the bound is for the sum of the squares"),
        Hint(ROW, says="not shrunk", slip=False),
        Hint(ROW / 14**0.5, says="shrunk to the bound 1; c was left out"),
        Hint(ROW / 14, says="divided by sum(w ** 2); the norm is its square root"),
    ]
    found = ask_in_both(fcn.max_norm, ROW.clone(), 3.5)
    checks.close(found, ROW * 0.5, what="weights beyond the bound, from max_norm", hints=hints)


@pytest.mark.constraint
@pytest.mark.task("max_norm", weight=1)
def test_max_norm_rules() -> None:
    """Max-norm: w is not modified; float32 stays float32; no loop over entries, nothing off limits."""
    check_regularizer(fcn.max_norm, 0.5)


@pytest.mark.task("weight_decay", weight=1)
@asking.one_slip()
def test_weight_decay_by_hand() -> None:
    """Weight decay: a step of (1, -2, 0, 3) as weights, and as biases."""
    config = {"learning_rate": 0.5, "weight_decay": 0.2}

    def step(w: Tensor, dw: Tensor, config: dict[str, Any] | None = None) -> object:
        return w - 0.5 * dw, config

    with substituted(fcn, sgd=step):
        result = ask_in_both(fcn.sgd_weight_decay, ROW.clone(), torch.ones(1, 4), dict(config))
    found, _ = checks.parts(result, 2, what="the result of sgd_weight_decay")
    hints = [
        Hint(ROW * 0.9 - 1, says="the gradient has to be multiplied by the learning rate, too"),
        Hint(ROW * 0.8 - 0.5, says="the decay has to be multiplied by the learning rate, too"),
        Hint(ROW - 0.5, says="the weights did not decay"),
        Hint(ROW * 1.1 - 0.5, says="the weights grew; they are to decay"),
        Hint(ROW * 0.9 + 0.5, says="the step goes uphill; subtract it"),
        Hint(ROW * 0.8 - 0.5, says="weight decay has no factor 2"),
    ]
    right = torch.tensor([[0.4, -2.3, -0.5, 2.2]])
    checks.close(found, right, what="next_w of sgd_weight_decay", hints=hints)
    with substituted(fcn, sgd=step):
        result = ask_in_both(fcn.sgd_weight_decay, ROW[0].clone(), torch.ones(4), dict(config))
    found, _ = checks.parts(result, 2, what="the result of sgd_weight_decay")
    hints = [Hint(right[0], says="biases, of one dimension, do not decay")]
    checks.close(found, ROW[0] - 0.5, what="next_w of a bias", hints=hints)


@pytest.mark.constraint
@pytest.mark.task("weight_decay", weight=1)
def test_weight_decay_rules() -> None:
    """Weight decay: w and dw are not modified; no loop over entries, nothing off limits."""
    w, dw = MANY[:3, :2].clone(), MANY[4:7, :2].clone()
    asking.ask(fcn.sgd_weight_decay, w, dw, {"learning_rate": 0.2, "weight_decay": 0.3})
    checks.unchanged(MANY[:3, :2], w, what="w")
    checks.unchanged(MANY[4:7, :2], dw, what="dw")
    check_entries(fcn.sgd_weight_decay, tensors=2)
    require(fcn.sgd_weight_decay, banned=BANNED)
