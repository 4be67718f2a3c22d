"""Hidden tests of the networks, on layers that are right.

Losses and gradients come from automatic differentiation in float64. The student's layers are replaced while a
network is tested, so that a mistake in a layer is not counted twice; dropout drops what a hidden mask says.
"""

import contextlib
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import fully_connected_networks as fcn
import pytest
import torch
from torch import Tensor

from autograder.seeds import hidden_generator
from helpers import checks
from helpers.checks import Hint
from helpers.constraints import require
from helpers.substitute import substituted
from helpers.tolerances import Operation

BANNED = (
    *("torch.nn", "torch.optim", "torch.autograd", "torch.func", "torch.enable_grad"),
    *(".requires_grad", ".requires_grad_", ".cuda", "helpers.layers"),
)
"""Not .backward: that is what the layers call their own."""
LAYERS = (fcn.Linear, fcn.ReLU, fcn.Dropout)
EXACT: Operation = "float64"
COARSE: Operation = "gradient"
MAX_WORK = 5_000_000
"""More numbers than any test needs: student code that asks for more gets nothing."""

Params = dict[str, Tensor]


def normal(name: str, *shape: int) -> Tensor:
    """Return hidden normal numbers in float64."""
    generator = hidden_generator("fully_connected_networks", "networks", name)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def hidden_params(name: str, *sizes: int) -> Params:
    """Return hidden parameters, biases included, of a network with scores of moderate size."""
    params = {}
    for i in range(1, len(sizes)):
        params[f"W{i}"] = normal(f"{name}/W{i}", sizes[i - 1], sizes[i]) * 1.4 / sizes[i - 1] ** 0.5
        params[f"b{i}"] = 0.3 * normal(f"{name}/b{i}", sizes[i])
    return params


def labels(name: str, classes: int, count: int) -> Tensor:
    """Return hidden labels."""
    generator = hidden_generator("fully_connected_networks", "labels", name)
    return torch.randint(classes, (count,), generator=generator)


# The oracle


def mask_of(number: int, shape: tuple[int, ...], p: float) -> Tensor:
    """Return what the n-th dropout of a forward pass multiplies by."""
    generator = hidden_generator("fully_connected_networks", "mask", f"{number} {shape}")
    return (torch.rand(shape, generator=generator, dtype=torch.float64) >= p).double() / (1 - p)


def sums(params: Params, x: Tensor, dropout: float = 0.0) -> list[Tensor]:
    """Return what each linear layer gives, the scores last."""
    out, found = x.double().flatten(1), []
    depth = len(params) // 2
    for i in range(1, depth + 1):
        found.append(out @ params[f"W{i}"] + params[f"b{i}"])
        out = found[-1].relu()
        if dropout and i < depth:
            out = out * mask_of(i - 1, tuple(out.shape), dropout)
    return found


def penalty(params: Params, reg: float, kind: str) -> Tensor:
    """Return what regularization adds to the loss, or what a typical mistake makes of it."""
    weights = [name for name in params if name.startswith("W")]
    chosen = {"biases": list(params), "first": weights[:1], "last": weights[-1:]}.get(kind, weights)
    factor = {"halved": 0.5, "doubled": 2.0, "forgotten": 0.0}.get(kind, 1.0)
    return torch.stack([factor * reg * (params[name] ** 2).sum() for name in chosen]).sum()


def true_result(
    params: Params, x: Tensor, y: Tensor, reg: float, dropout: float = 0.0, kind: str = ""
) -> tuple[Tensor, Params]:
    """Return loss and gradients in the dtype of x."""
    leaves = {name: value.detach().double().clone().requires_grad_() for name, value in params.items()}
    scores = sums(leaves, x, dropout)[-1]
    loss = torch.nn.functional.cross_entropy(scores, y) + penalty(leaves, reg, kind)
    grads = torch.autograd.grad(loss, list(leaves.values()))
    named = {name: grad.to(x.dtype) for name, grad in zip(leaves, grads, strict=True)}
    return loss.detach().to(x.dtype), named


def away_from_kinks(params: Params, x: Tensor, count: int, dropout: float = 0.0) -> Tensor:
    """Return examples for which no hidden unit is near 0, where rounding would decide about its gradient."""
    nearest = torch.stack([one.abs().amin(dim=1) for one in sums(params, x)[:-1]]).amin(dim=0)
    return x[nearest.argsort(descending=True)[:count]].clone()


class Layers:
    """Right layers, to put in the place of the student's; they note what dropout is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []
        self.dropped = 0

    def linear(self, x: Tensor, w: Tensor, b: Tensor) -> object:
        """Return what Linear.forward should."""
        if x.numel() * w.shape[1] > MAX_WORK:
            raise ValueError("too many examples")
        return x.flatten(1) @ w + b, (x, w, b)

    def linear_back(self, dout: Tensor, cache: Any) -> object:
        """Return what Linear.backward should."""
        x, w, _ = cache
        dx = torch.einsum("nm,dm->nd", dout, w).reshape(x.shape)
        return dx, torch.einsum("nd,nm->dm", x.flatten(1), dout), torch.einsum("nm->m", dout)

    def drop(self, x: Tensor, dropout_param: dict[str, Any]) -> object:
        """Return what Dropout.forward should, with a hidden mask."""
        mode, p = dropout_param["mode"], float(dropout_param["p"])
        self.asked.append((mode, p))
        mask = torch.ones_like(x)
        if mode == "train":
            mask = mask_of(self.dropped, tuple(x.shape), p).to(x.dtype)
            self.dropped += 1
        return x * mask, (dropout_param, mask)

    def in_place(self) -> AbstractContextManager[None]:
        """Replace the student's layers for the length of a with block."""
        linear, relu, dropout = (one() for one in LAYERS)
        linear.forward, linear.backward = self.linear, self.linear_back
        relu.forward = lambda x: (x.clamp(min=0), x)
        relu.backward = lambda dout, cache: torch.where(cache > 0, dout, torch.zeros_like(dout))
        dropout.forward, dropout.backward = self.drop, lambda dout, cache: dout * cache[1]
        return substituted(fcn, Linear=linear, ReLU=relu, Dropout=dropout)


LOSS_HINTS = {
    "forgotten": "the regularization was forgotten",
    "halved": "the regularization was halved; there is no factor 1/2",
    "doubled": "the regularization was doubled",
    "biases": "the biases were regularized too; only weights are",
    "first": "only the first layer is regularized",
    "last": "only the last layer is regularized",
}
GRAD_HINTS = LOSS_HINTS | {
    "forgotten": "the gradient of the regularization was forgotten",
    "halved": "a factor 2 is missing in the regularization: the gradient of w ** 2 is 2 * w",
    "doubled": "the gradient of the regularization is doubled",
}


def filled(net: Any, params: Params, dtype: torch.dtype = torch.float64) -> Any:
    """Put copies of parameters into a network and return it."""
    for name, value in params.items():
        net.params[name] = value.to(dtype, copy=True)
    return net


def loss_and_grads(net: Any, x: Tensor, y: Tensor, names: list[str]) -> tuple[Any, Any]:
    """Return loss and gradients of a network, checked for their form."""
    found: Any = checks.parts(net.loss(x, y), 2, what="the result of loss")
    loss, grads = found
    complete = type(grads) is dict and all(name in grads for name in names)
    checks.holds(complete, what="the gradients", problem="not a dict with an entry for each parameter")
    return (torch.tensor(loss, dtype=x.dtype) if type(loss) is float else loss), grads


def check_loss(net: Any, params: Params, x: Tensor, y: Tensor, reg: float, *, operation: Operation) -> None:
    """Compare the loss with the oracle."""
    loss, _ = loss_and_grads(filled(net, params, x.dtype), x, y, list(params))
    hints = [Hint(true_result(params, x, y, reg, kind=kind)[0], says) for kind, says in LOSS_HINTS.items()]
    checks.close(loss, true_result(params, x, y, reg)[0], what="the loss", hints=hints, operation=operation)


def check_grads(
    net: Any, params: Params, x: Tensor, y: Tensor, reg: float, dropout: float = 0.0, *, operation: Operation
) -> None:
    """Compare all gradients with the oracle."""
    _, grads = loss_and_grads(filled(net, params, x.dtype), x, y, list(params))
    right = true_result(params, x, y, reg, dropout)[1]
    wrong = {says: true_result(params, x, y, reg, dropout, kind)[1] for kind, says in GRAD_HINTS.items()}
    if dropout:
        wrong["dropout was left out"] = true_result(params, x, y, reg)[1]
    for name in params:
        hints = [Hint(grads[name], says) for says, grads in wrong.items()]
        checks.close(grads[name], right[name], what=f'grads["{name}"]', hints=hints, operation=operation)


def check_params(net: Any, sizes: list[int], dtype: torch.dtype) -> None:
    """Check names, shapes and dtype of the parameters, and that biases are 0."""
    names = {f"{kind}{i}" for kind in "Wb" for i in range(1, len(sizes))}
    checks.holds(
        {str(name) for name in net.params} == names,
        what="params",
        problem="not exactly W1, b1, W2, b2 and so on",
    )
    for i in range(1, len(sizes)):
        weights, bias = net.params[f"W{i}"], net.params[f"b{i}"]
        checks.tensor(weights, what=f"W{i}", shape=(sizes[i - 1], sizes[i]), dtype=dtype)
        checks.close(bias, torch.zeros(sizes[i], dtype=dtype), what=f"b{i}")


def check_scale(net: Any, count: int, scale: float) -> None:
    """Check that weights have this standard deviation, around 0, and differ between layers."""
    for i in range(1, count + 1):
        weights = checks.tensor(net.params[f"W{i}"], what=f"W{i}").double()
        margin = 8 * scale / weights.numel() ** 0.5
        checks.number(float(weights.mean()), at_least=-margin, at_most=margin, what=f"the mean of W{i}")
        spread = float(weights.std())
        hints = [Hint(scale**2, says="this is the square of weight_scale"), Hint(1.0, says="not scaled")]
        what, relative = f"the standard deviation of W{i}", 8 / weights.numel() ** 0.5
        checks.close(spread, scale, what=what, rtol=relative, hints=hints)


def permitted(function: Callable[..., object], name: str) -> bool:
    """Return whether a function does without a name that is off limits."""
    with contextlib.suppress(checks.CheckFailure):
        require(function, banned=[name])
        return True
    return False


def check_source(*functions: Callable[..., object]) -> None:
    """Check what networks may use. What a layer uses already is not held against the network."""
    layers = [getattr(layer, name) for layer in LAYERS for name in ("forward", "backward")]
    banned = [name for name in BANNED if all(permitted(layer, name) for layer in layers)]
    for function in functions:
        require(function, banned=banned)


# The two-layer network

TWO = hidden_params("two", 12, 9, 5)
X = away_from_kinks(TWO, normal("x", 80, 12), 7)
Y = labels("y", 5, 7)


def two_layers(reg: float = 0.0, dtype: torch.dtype = torch.float64) -> Any:
    """Return a student's network."""
    return fcn.TwoLayerNet(input_dim=12, hidden_dim=9, num_classes=5, reg=reg, dtype=dtype)


@pytest.mark.task("two_layer_net", weight=2)
def test_two_layers_at_first() -> None:
    """Two layers: shapes, dtype and scale of the parameters of a new network."""
    check_params(two_layers(), [12, 9, 5], torch.float64)
    net = fcn.TwoLayerNet(input_dim=80, hidden_dim=70, num_classes=60, weight_scale=0.04)
    check_params(net, [80, 70, 60], torch.float32)
    check_scale(net, 2, 0.04)


@pytest.mark.task("two_layer_net", weight=1)
def test_two_layers_by_default() -> None:
    """Two layers: by default for pictures of 32 by 32 pixels and ten classes."""
    net = fcn.TwoLayerNet()
    check_params(net, [3072, 100, 10], torch.float32)
    check_scale(net, 2, 1e-3)


@pytest.mark.task("two_layer_net", weight=2)
def test_two_layers_scores() -> None:
    """Two layers: without labels, the scores."""
    net, found = filled(two_layers(0.4), TWO), sums(TWO, X)
    with Layers().in_place():
        scores = net.loss(X.reshape(7, 3, 2, 2))
    hints = [
        Hint(found[-1].clamp(min=0), says="no ReLU follows the last layer"),
        Hint(found[0] @ TWO["W2"] + TWO["b2"], says="the ReLU between the layers is missing"),
    ]
    checks.close(scores, found[-1], what="the scores", hints=hints, operation=EXACT)


@pytest.mark.task("two_layer_net", weight=2)
def test_two_layers_loss() -> None:
    """Two layers: the loss, with and without regularization."""
    with Layers().in_place():
        for reg in (0.0, 0.37):
            check_loss(two_layers(reg), TWO, X.clone(), Y.clone(), reg, operation=EXACT)


@pytest.mark.task("two_layer_net", weight=3)
def test_two_layers_gradients() -> None:
    """Two layers: all gradients, without regularization."""
    with Layers().in_place():
        check_grads(two_layers(), TWO, X.clone(), Y.clone(), 0.0, operation=EXACT)


@pytest.mark.task("two_layer_net", weight=2)
def test_two_layers_regularized_gradients() -> None:
    """Two layers: regularization adds to the gradients of the weights, and to no others."""
    with Layers().in_place():
        check_grads(two_layers(0.37), TWO, X.clone(), Y.clone(), 0.37, operation=EXACT)


@pytest.mark.task("two_layer_net", weight=1)
def test_two_layers_in_float32() -> None:
    """Two layers: float32, from images whose memory is not contiguous."""
    x = X.float().reshape(7, 3, 4).transpose(1, 2).contiguous().transpose(1, 2)
    with Layers().in_place():
        check_grads(two_layers(0.1, torch.float32), TWO, x, Y.clone(), 0.1, operation=COARSE)


@pytest.mark.task("two_layer_net", weight=1)
def test_two_layers_initial_loss() -> None:
    """Two layers: a new network has the loss log C."""
    with Layers().in_place():
        loss, _ = loss_and_grads(two_layers(1e-3), X.clone(), Y.clone(), list(TWO))
    loss = float(checks.tensor(loss, what="the loss", shape=()))
    checks.close(loss, math.log(5), what="the initial loss", operation="small start")


@pytest.mark.constraint
@pytest.mark.task("two_layer_net", weight=1)
def test_two_layers_rules() -> None:
    """Two layers: X, y and the parameters are not modified; nothing that is off limits."""
    net, x, y = filled(two_layers(0.2), TWO), X.clone(), Y.clone()
    with Layers().in_place():
        loss_and_grads(net, x, y, list(TWO))
    checks.unchanged(X, x, what="X")
    checks.unchanged(Y, y, what="y")
    for name in TWO:
        checks.unchanged(TWO[name], net.params[name], what=f'params["{name}"]')
    check_source(fcn.TwoLayerNet.loss)


# Networks of any depth

DIMS = {2: [8], 3: [9, 7], 6: [8, 10, 7, 9, 6]}
DEEP = {depth: hidden_params(f"deep {depth}", 12, *dims, 4) for depth, dims in DIMS.items()}
INPUTS = {depth: away_from_kinks(DEEP[depth], normal(f"x {depth}", 200, 12), 8) for depth in DIMS}
LABELS = labels("deep", 4, 8)


def deep(depth: int, **settings: Any) -> Any:
    """Return a student's network."""
    chosen: dict[str, Any] = {"dtype": torch.float64, **settings}
    return fcn.FullyConnectedNet(list(DIMS[depth]), input_dim=12, num_classes=4, **chosen)


@pytest.mark.task("fully_connected", weight=2)
def test_deep_at_first() -> None:
    """Any depth: names, shapes, dtype and scale of the parameters of a new network."""
    for depth, dims in DIMS.items():
        check_params(deep(depth), [12, *dims, 4], torch.float64)
    net = fcn.FullyConnectedNet([70, 80, 60], input_dim=90, num_classes=50, weight_scale=0.03)
    check_params(net, [90, 70, 80, 60, 50], torch.float32)
    check_scale(net, 4, 0.03)


def check_scores(depth: int) -> None:
    """Compare the scores of a network with the oracle."""
    net, found = filled(deep(depth, reg=0.3), DEEP[depth]), sums(DEEP[depth], INPUTS[depth])
    with Layers().in_place():
        scores = net.loss(INPUTS[depth].clone())
    hints = [Hint(found[-1].clamp(min=0), says="no ReLU follows the last layer")]
    checks.close(scores, found[-1], what="the scores", hints=hints, operation=EXACT)


@pytest.mark.task("fully_connected", weight=2)
def test_deep_scores_of_one_hidden_layer() -> None:
    """Any depth: without labels, the scores; one hidden layer."""
    check_scores(2)


@pytest.mark.task("fully_connected", weight=3)
def test_deep_scores() -> None:
    """Any depth: without labels, the scores; two and five hidden layers."""
    check_scores(3)
    check_scores(6)


@pytest.mark.task("fully_connected", weight=3)
def test_deep_loss() -> None:
    """Any depth: the loss, with and without regularization."""
    with Layers().in_place():
        for depth, reg in ((3, 0.0), (3, 0.21), (6, 0.13)):
            check_loss(deep(depth, reg=reg), DEEP[depth], INPUTS[depth].clone(), LABELS, reg, operation=EXACT)


@pytest.mark.task("fully_connected", weight=2)
def test_deep_gradients_of_one_hidden_layer() -> None:
    """Any depth: all gradients, without regularization; one hidden layer."""
    with Layers().in_place():
        check_grads(deep(2), DEEP[2], INPUTS[2].clone(), LABELS, 0.0, operation=EXACT)


@pytest.mark.task("fully_connected", weight=4)
def test_deep_gradients() -> None:
    """Any depth: all gradients, without regularization; two and five hidden layers."""
    with Layers().in_place():
        for depth in (3, 6):
            check_grads(deep(depth), DEEP[depth], INPUTS[depth].clone(), LABELS, 0.0, operation=EXACT)


@pytest.mark.task("fully_connected", weight=3)
def test_deep_regularized_gradients() -> None:
    """Any depth: regularization adds to the gradients of all weights, and to no others."""
    with Layers().in_place():
        for depth in (3, 6):
            check_grads(
                deep(depth, reg=0.21), DEEP[depth], INPUTS[depth].clone(), LABELS, 0.21, operation=EXACT
            )


@pytest.mark.task("fully_connected", weight=3)
def test_deep_dropout() -> None:
    """Any depth: with labels, dropout follows each ReLU, and its backward pass comes in the right place."""
    layers = Layers()
    with layers.in_place():
        net = deep(3, dropout=0.4, reg=0.1, seed=5)
        check_grads(net, DEEP[3], INPUTS[3].clone(), LABELS, 0.1, 0.4, operation=EXACT)
    checks.holds(
        layers.asked == [("train", 0.4)] * 2, what="dropout", problem="not once behind each hidden layer"
    )


@pytest.mark.task("fully_connected", weight=1)
def test_deep_dropout_without_labels() -> None:
    """Any depth: without labels, nothing is dropped, also after a step of training."""
    net = filled(deep(3, dropout=0.4), DEEP[3])
    with Layers().in_place():
        loss_and_grads(net, INPUTS[3].clone(), LABELS, list(DEEP[3]))
        scores = net.loss(INPUTS[3].clone())
    checks.close(scores, sums(DEEP[3], INPUTS[3])[-1], what="the scores", operation=EXACT)


@pytest.mark.task("fully_connected", weight=1)
def test_deep_in_float32() -> None:
    """Any depth: float32, from images whose memory is not contiguous."""
    x = INPUTS[3].float().reshape(8, 3, 4).transpose(1, 2).contiguous().transpose(1, 2)
    with Layers().in_place():
        check_grads(deep(3, reg=0.1, dtype=torch.float32), DEEP[3], x, LABELS, 0.1, operation=COARSE)


@pytest.mark.task("fully_connected", weight=1)
def test_deep_initial_loss() -> None:
    """Any depth: a new network has the loss log C."""
    with Layers().in_place():
        loss, _ = loss_and_grads(deep(6, weight_scale=1e-3), INPUTS[6].clone(), LABELS, list(DEEP[6]))
    loss = float(checks.tensor(loss, what="the loss", shape=()))
    checks.close(loss, math.log(4), what="the initial loss", operation="small start")


@pytest.mark.constraint
@pytest.mark.task("fully_connected", weight=1)
def test_deep_rules() -> None:
    """Any depth: X, y and the parameters are not modified; nothing that is off limits."""
    net, x, y = filled(deep(3, reg=0.2), DEEP[3]), INPUTS[3].clone(), LABELS.clone()
    with Layers().in_place():
        loss_and_grads(net, x, y, list(DEEP[3]))
    checks.unchanged(INPUTS[3], x, what="X")
    checks.unchanged(LABELS, y, what="y")
    for name in DEEP[3]:
        checks.unchanged(DEEP[3][name], net.params[name], what=f'params["{name}"]')
    check_source(fcn.FullyConnectedNet.loss)
