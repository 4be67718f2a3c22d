"""Hidden tests of the networks, and of the weights that they begin with.

Expected values come from `torch.nn.functional` and automatic differentiation in float64. The layers that
students write are replaced by right ones meanwhile.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import convolutional_networks as cn
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.seeds import hidden_generator
from helpers import checks
from helpers.checks import Hint
from helpers.constraints import require
from helpers.tolerances import Operation

Params = dict[str, Tensor]
BANNED = ("torch.nn", "torch.optim", "torch.autograd", "torch.func", ".cuda", ".requires_grad_")
DEEP: Operation = "deep gradient"
MAX_ENTRIES = 500_000


def normal(name: str, *shape: int) -> Tensor:
    """Return hidden normal numbers."""
    generator = hidden_generator("convolutional_networks", "networks", name)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


# Layers that are right, to stand for the student's


def norm(x: Tensor, gamma: Tensor, beta: Tensor, mode: object, eps: float = 1e-5) -> Tensor:
    """Normalize vectors or images; in mode "test" by running statistics of 0 and 1."""
    zeros = torch.zeros_like(gamma)
    return F.batch_norm(x, zeros.clone(), zeros + 1, gamma, beta, training=mode == "train", eps=eps)


def conv(x: Tensor, w: Tensor, b: Tensor, param: dict[str, int]) -> Tensor:
    """Convolve."""
    return F.conv2d(x, w, b, stride=param["stride"], padding=param["pad"])


def pool(x: Tensor, param: dict[str, int]) -> Tensor:
    """Pool."""
    return F.max_pool2d(x, (param["pool_height"], param["pool_width"]), stride=param["stride"])


def both_ways(function: Callable[..., Tensor], tensors: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return a layer's forward and backward functions; the first arguments are tensors."""

    def forward(*args: Any) -> tuple[Tensor, Any]:
        if sum(value.numel() for value in args[:tensors]) > MAX_ENTRIES:
            raise ValueError("too many numbers")
        return function(*args), args

    def backward(dout: Tensor, cache: Sequence[Any]) -> Any:
        leaves = [value.clone().requires_grad_() for value in cache[:tensors]]
        found = torch.autograd.grad(function(*leaves, *cache[tensors:]), leaves, dout)
        return found if tensors > 1 else found[0]

    return forward, backward


@contextmanager
def replaced(cls: Any, layer: tuple[Callable[..., Any], Callable[..., Any]]) -> Iterator[None]:
    """Replace the functions of a student's layer."""
    right = dict(zip(("forward", "backward", "backward_alt"), (*layer, layer[1]), strict=True))
    names = list(right) if layer[0] is NORM[0] and cls is cn.BatchNorm else ["forward", "backward"]
    static = staticmethod if isinstance(cls, type) else lambda function: function
    kept = {name: getattr(cls, name) for name in names}
    for name in names:
        setattr(cls, name, static(right[name]))
    try:
        yield
    finally:
        for name in names:
            setattr(cls, name, static(kept[name]))


NORM = both_ways(lambda x, gamma, beta, p: norm(x, gamma, beta, p["mode"], float(p.get("eps", 1e-5))), 3)
CONV, POOL = both_ways(conv, 3), both_ways(pool, 1)


@contextmanager
def with_true_layers() -> Iterator[None]:
    """Replace all layers that students write."""
    layers = ((cn.Conv, CONV), (cn.MaxPool, POOL), (cn.BatchNorm, NORM), (cn.SpatialBatchNorm, NORM))
    with ExitStack() as stack:
        for cls, layer in layers:
            stack.enter_context(replaced(cls, layer))
        yield


# What both networks have in common


def loss_of(scores: Tensor, y: Tensor, params: Params, reg: float, mistake: str = "") -> Tensor:
    """Return the loss, or what a typical mistake makes of it."""
    factor = {"halved": 0.5, "forgotten": 0.0}.get(mistake, 1.0)
    names = [
        name
        for name in params
        if name.startswith("W")
        or (mistake == "biases" and name.startswith("b") and not name.startswith("beta"))
        or (mistake == "gamma and beta" and name.startswith(("gamma", "beta")))
        or mistake == "all"
    ]
    if mistake == "convolutions":
        names = [name for name in names if params[name].dim() == 2]
    if mistake == "linear":
        names = [name for name in names if params[name].dim() == 4]
    return F.cross_entropy(scores, y) + factor * reg * sum((params[name] ** 2).sum() for name in names)


LOSS_HINTS = {
    "halved": "the regularization was halved; there is no factor 1/2",
    "forgotten": "the regularization was forgotten",
    "biases": "the biases were regularized, too; only weights are",
    "gamma and beta": "gamma and beta were regularized, too; only weights are",
    "all": "all parameters were regularized; only weights are",
    "convolutions": "the weights of convolutions were not regularized",
    "linear": "the weights of linear layers were not regularized",
}


def check_loss(
    found: object,
    params: Params,
    names: dict[str, str],
    forward: Callable[[Params], Tensor],
    reg: float,
    y: Tensor,
) -> None:
    """Compare loss and gradients with the right ones; `names` maps a right name to the student's."""
    loss, grads = checks.parts(found, 2, what="the loss and its gradients")
    leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
    scores = forward(leaves)
    losses = {mistake: loss_of(scores, y, leaves, reg, mistake) for mistake in ("", *LOSS_HINTS)}
    if type(loss) is float:
        loss = torch.tensor(loss, dtype=torch.float64)
    hints = [Hint(losses[mistake].detach(), says) for mistake, says in LOSS_HINTS.items()]
    hints.append(Hint(len(y) * losses[""].detach(), says="the images' losses were added up; take their mean"))
    checks.close(loss, losses[""].detach(), what="the loss", hints=hints, operation=DEEP)
    if type(grads) is not dict:
        checks.equal(grads, {}, what="the gradients")
    checks.equal(sorted(map(str, grads)), sorted(names.values()), what="the names of the gradients")
    right, *wrong = (
        dict(
            zip(leaves, torch.autograd.grad(losses[m], list(leaves.values()), retain_graph=True), strict=True)
        )
        for m in ("", *LOSS_HINTS)
    )
    for name, own in names.items():
        hints = [Hint(g[name], says) for g, says in zip(wrong, LOSS_HINTS.values(), strict=True)]
        checks.close(grads[own], right[name], what=f'grads["{own}"]', hints=hints, operation=DEEP)


def check_weights(value: object, shape: tuple[int, ...], std: float, what: str, usual: str = "") -> None:
    """Check shape and spread of weights; `usual` is what usually leads to another shape."""
    try:
        w = checks.tensor(value, shape=shape, dtype=torch.float64, what=what)
    except checks.CheckFailure as failure:
        if failure.actual_dims is not None and len(failure.actual_dims) == len(shape):
            failure.likely_cause = usual or None
        raise
    spread = checks.number(float((w**2).mean().sqrt()), what=f"the spread of {what}")
    slack = 5 / (2 * w.numel()) ** 0.5
    checks.holds(
        abs(spread / std - 1) <= slack,
        what=f"the spread of {what}",
        problem="not about weight_scale",
        likely_cause="weight_scale was forgotten" if abs(spread - 1) <= slack else None,
    )


# The network of three layers

IMAGES, LABELS = normal("images", 5, 2, 6, 8), torch.tensor([3, 0, 4, 1, 1])
THREE = {"input_dims": (2, 6, 8), "num_filters": 4, "filter_size": 3, "hidden_dim": 7, "num_classes": 5}
THREE_SHAPES = {"W1": (4, 2, 3, 3), "b1": (4,), "W2": (48, 7), "b2": (7,), "W3": (7, 5), "b3": (5,)}
SIZES = {
    "W1": "the filters of a convolution come first, then the channels, height and width",
    "W2": "the linear layer gets num_filters * (H // 2) * (W // 2) numbers, and H is not W",
}
THREE_PARAMS = {name: 0.5 * normal(f"three/{name}", *shape) for name, shape in THREE_SHAPES.items()}


def three_scores(p: Params, images: Tensor = IMAGES, relu: Callable[[Tensor], Tensor] = F.relu) -> Tensor:
    """Return the scores of the network of three layers; `relu` stands behind the hidden layer."""
    maps = F.max_pool2d(F.relu(F.conv2d(images, p["W1"], p["b1"], padding=p["W1"].shape[2] // 2)), 2)
    return relu(maps.flatten(1) @ p["W2"] + p["b2"]) @ p["W3"] + p["b3"]


def three_net(reg: float = 0.0, params: Params = THREE_PARAMS, **settings: Any) -> Any:
    """Return the student's network with known parameters."""
    net = cn.ThreeLayerConvNet(**THREE, reg=reg, dtype=torch.float64, **settings)
    for name, value in params.items():
        net.params[name] = value.clone()
    return net


@pytest.mark.task("three_layer_net", weight=2)
def test_three_layers_begin() -> None:
    """Network of three layers: shapes and spread of weights, and biases of zero."""
    net = cn.ThreeLayerConvNet((3, 8, 12), 20, 5, 30, 10, weight_scale=0.02, dtype=torch.float64)
    shapes = {"W1": (20, 3, 5, 5), "W2": (20 * 4 * 6, 30), "W3": (30, 10)}
    for n, (name, shape) in enumerate(shapes.items(), start=1):
        check_weights(net.params[name], shape, 0.02, f'params["{name}"]', SIZES.get(name, ""))
        zeros = torch.zeros(shape[0] if n == 1 else shape[1]).double()
        checks.equal(net.params[f"b{n}"], zeros, what=f'params["b{n}"]')


@pytest.mark.task("three_layer_net", weight=2)
def test_three_layers_scores() -> None:
    """Network of three layers: the scores, with a filter of 3 x 3."""
    with with_true_layers():
        found = three_net().loss(IMAGES.clone())
    hints = [Hint(three_scores(THREE_PARAMS, relu=torch.clone), says="the hidden layer has no ReLU")]
    checks.close(found, three_scores(THREE_PARAMS), what="the scores", hints=hints, operation=DEEP)


@pytest.mark.task("three_layer_net", weight=3)
def test_three_layers_loss() -> None:
    """Network of three layers: loss and gradients without regularization, and with it."""
    for reg in (0.0, 0.3):
        with with_true_layers():
            found = three_net(reg).loss(IMAGES.clone(), LABELS.clone())
        check_loss(found, THREE_PARAMS, {name: name for name in THREE_PARAMS}, three_scores, reg, LABELS)


@pytest.mark.task("three_layer_net", weight=1)
def test_three_layers_in_float32() -> None:
    """Network of three layers: images in float64 are converted to the float32 of the network."""
    net = cn.ThreeLayerConvNet(**THREE, dtype=torch.float32)
    for name, value in THREE_PARAMS.items():
        net.params[name] = value.float()
    with with_true_layers():
        found = net.loss(IMAGES.clone())
    checks.close(found, three_scores(THREE_PARAMS).float(), what="the scores", operation="gradient")


@pytest.mark.constraint
@pytest.mark.task("three_layer_net", weight=1)
def test_three_layers_source() -> None:
    """Network of three layers: built of the layers of this assignment."""
    require(cn.ThreeLayerConvNet.loss, banned=BANNED)
