"""Hidden tests of the deep network.

Expected values come from `torch.nn.functional` and automatic differentiation in float64. The layers that
students write are replaced by right ones meanwhile.
"""

import re
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
from helpers.substitute import substituted
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


# The deep network

FILTERS, POOLS = (4, 3, 5), (1, 2)
FROM_ONE = (0, 1)
"""What POOLS becomes if layers are counted from 1: as many, so that sizes fit nevertheless."""
SIZE = "each max pooling halves height and width, and max_pools counts layers from 0"


def deep_shapes(batchnorm: bool) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of the parameters."""
    shapes: dict[str, tuple[int, ...]] = {}
    for n, (before, after) in enumerate(zip((2, *FILTERS), FILTERS, strict=False), start=1):
        shapes |= {f"W{n}": (after, before, 3, 3), f"b{n}": (after,)}
        if batchnorm:
            shapes |= {f"gamma{n}": (after,), f"beta{n}": (after,)}
    return shapes | {"W4": (5 * 2 * 3, 6), "b4": (6,)}


def deep_params(batchnorm: bool) -> Params:
    """Return hidden parameters."""
    return {name: 0.5 * normal(f"deep/{name}", *shape) for name, shape in deep_shapes(batchnorm).items()}


IMAGES, LABELS = normal("images", 5, 2, 8, 12), torch.tensor([3, 0, 5, 1, 1])


def deep_scores(p: Params, mode: str = "train", pools: tuple[int, ...] = POOLS) -> Tensor:
    """Return the scores of the deep network."""
    out = IMAGES
    for n in (1, 2, 3):
        out = F.conv2d(out, p[f"W{n}"], p[f"b{n}"], padding=1)
        if f"gamma{n}" in p:
            out = norm(out, p[f"gamma{n}"], p[f"beta{n}"], mode)
        out = F.max_pool2d(F.relu(out), 2) if n - 1 in pools else F.relu(out)
    return out.flatten(1) @ p["W4"] + p["b4"]


def deep_net(batchnorm: bool, pools: tuple[int, ...] = POOLS, **settings: Any) -> Any:
    """Return a student's network."""
    return cn.DeepConvNet(
        input_dims=(2, 8, 12),
        num_filters=list(FILTERS),
        max_pools=list(pools),
        batchnorm=batchnorm,
        num_classes=6,
        dtype=torch.float64,
        **settings,
    )


def own_names(net: Any, batchnorm: bool) -> dict[str, str]:
    """Map the right names to the student's, whose layers may be counted from 0."""
    own = [name for name in net.params.keys() if type(name) is str]  # noqa: SIM118 (it may be a live view)
    parts = {name: re.fullmatch(r"(W|b|gamma|beta)_?(\d{1,2})", name) for name in own}
    numbers = sorted({int(part[2]) for part in parts.values() if part})
    found = {f"{part[1]}{numbers.index(int(part[2])) + 1}": name for name, part in parts.items() if part}
    checks.holds(
        set(found) == set(deep_shapes(batchnorm)) and len(own) == len(found),
        what="the names of the parameters",
        problem="not W, b, gamma and beta with the number of the layer",
    )
    return found


def known_net(batchnorm: bool, **settings: Any) -> tuple[Any, dict[str, str]]:
    """Return a student's network with known parameters, and its names of them."""
    net = deep_net(batchnorm, **settings)
    names = own_names(net, batchnorm)
    for name, value in deep_params(batchnorm).items():
        net.params[names[name]] = value.clone()
    return net, names


def begin(batchnorm: bool, **settings: Any) -> tuple[Any, dict[str, str]]:
    """Return a student's network as it begins, and its names of the parameters; checks all but weights."""
    net = deep_net(batchnorm, pools=(0, 2), **settings)
    names = own_names(net, batchnorm)
    for name, shape in deep_shapes(batchnorm).items():
        if not name.startswith("W"):
            value = torch.full(shape, 1.0 if name.startswith("gamma") else 0.0, dtype=torch.float64)
            hints = [
                Hint(torch.zeros_like(value), says="gamma begins with ones; with zeros nothing gets through"),
                Hint(torch.ones_like(value), says="biases and beta begin with zeros"),
            ]
            checks.equal(net.params[names[name]], value, what=f'params["{names[name]}"]', hints=hints)
    return net, names


@pytest.mark.task("deep_net", weight=2)
def test_deep_begins() -> None:
    """Deep network: shapes and spread of weights, biases and beta of zero, gamma of one."""
    for batchnorm in (False, True):
        net, names = begin(batchnorm, weight_scale=0.02)
        for name, shape in deep_shapes(batchnorm).items():
            if name.startswith("W"):
                usual = SIZE if name == "W4" else ""
                check_weights(net.params[names[name]], shape, 0.02, f'params["{names[name]}"]', usual)


@pytest.mark.task("deep_net", weight=2)
def test_deep_begins_with_kaiming() -> None:
    """Deep network: with weight_scale "kaiming" weights come from kaiming_initializer."""
    asked = []

    def initializer(Din: int, Dout: int, K: int | None = None, *rest: Any, **settings: Any) -> Tensor:
        dtype = settings.get("dtype", rest[2] if len(rest) > 2 else torch.float32)
        asked.append((Din, Dout, K))
        shape = (Din, Dout) if K is None else (Dout, Din, K, K)
        if torch.Size(shape).numel() > MAX_ENTRIES:
            raise ValueError("too many weights")
        return torch.full(shape, 0.5 + len(asked), dtype=dtype)

    with substituted(cn, kaiming_initializer=initializer):
        net, names = begin(True, weight_scale="kaiming")
    checks.holds(
        sorted(asked, key=str) == sorted([(2, 4, 3), (4, 3, 3), (3, 5, 3), (30, 6, None)], key=str),
        what="the calls of kaiming_initializer",
        problem="not one for each layer, with its Din, Dout and K",
    )
    for name, shape in deep_shapes(True).items():
        if name.startswith("W"):
            w = checks.tensor(net.params[names[name]], shape=shape, dtype=torch.float64, what=names[name])
            same = bool((w == w.flatten()[0]).all()) and float(w.flatten()[0]) > 1
            checks.holds(same, what=names[name], problem="not what kaiming_initializer gave")


@pytest.mark.task("deep_net", weight=3)
def test_deep_loss() -> None:
    """Deep network: scores, loss and gradients without batch normalization, regularized or not."""
    for reg in (0.0, 0.3):
        net, names = known_net(False, reg=reg)
        with with_true_layers():
            scores, found = net.loss(IMAGES.clone()), net.loss(IMAGES.clone(), LABELS.clone())
        hints = [Hint(deep_scores(deep_params(False), pools=FROM_ONE), says="max_pools counts layers from 0")]
        checks.close(scores, deep_scores(deep_params(False)), what="the scores", hints=hints, operation=DEEP)
        check_loss(found, deep_params(False), names, deep_scores, reg, LABELS)


@pytest.mark.task("deep_net", weight=3)
def test_deep_loss_with_batchnorm() -> None:
    """Deep network: loss and gradients with batch normalization, regularized."""
    net, names = known_net(True, reg=0.3)
    with with_true_layers():
        found = net.loss(IMAGES.clone(), LABELS.clone())
    check_loss(found, deep_params(True), names, deep_scores, 0.3, LABELS)


@pytest.mark.task("deep_net", weight=2)
def test_deep_scores_with_batchnorm() -> None:
    """Deep network: without labels, batch normalization is in mode "test", before training and after."""
    net, _ = known_net(True)
    right = deep_scores(deep_params(True), "test")
    hints = [
        Hint(deep_scores(deep_params(True)), says='batch normalization stayed in mode "train"'),
        Hint(deep_scores(deep_params(True), "test", FROM_ONE), says="max_pools counts layers from 0"),
    ]
    with with_true_layers():
        before = net.loss(IMAGES.clone())
        net.loss(IMAGES.clone(), LABELS.clone())
        after = net.loss(IMAGES.clone())
    checks.close(before, right, what="the scores", hints=hints, operation=DEEP)
    checks.close(after, right, what="the scores after training", hints=hints, operation=DEEP)


@pytest.mark.constraint
@pytest.mark.task("deep_net", weight=1)
def test_deep_source() -> None:
    """Deep network: built of the layers of this assignment."""
    require(cn.DeepConvNet.loss, banned=BANNED)
