"""Hidden tests of the deep network.

Expected values come from `torch.nn.functional` and automatic differentiation in float64. The layers that
students write are replaced by right ones meanwhile.
"""

import re
from typing import Any

import convolutional_networks as cn
import pytest
import torch
import torch.nn.functional as F
from suite.networks import (
    DEEP,
    MAX_ENTRIES,
    Losses,
    Params,
    check_own_statistics,
    check_weights,
    mark,
    norm,
    normal,
    with_true_layers,
)
from torch import Tensor

from helpers.testing import CheckFailure, Hint, asking, checks, substituted

FILTERS, POOLS = (4, 3, 5), (1, 2)
FROM_ONE = (0, 1)
"""What POOLS becomes if layers are counted from 1: as many, so that sizes fit nevertheless."""
UNEVEN = (2, 10, 14)
"""Images that lose a row and a column in the second max pooling, and are then as large as the others."""
SHARE = 5 * 10 * 14 // 4**2
ROUNDED = "each max pooling rounds down; halve height and width once for each"
SIZE = "the last layer gets filters * height * width numbers: H is not W, and each max pooling halves both"


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
    return {name: 0.5 * normal(f"deep/{name}", shape=shape) for name, shape in deep_shapes(batchnorm).items()}


IMAGES, LABELS = normal("images", shape=(5, 2, 8, 12)), torch.tensor([3, 0, 5, 1, 1])


def deep_scores(p: Params, mode: str = "train", pools: tuple[int, ...] = POOLS) -> Tensor:
    """Return the scores of the deep network."""
    out = IMAGES
    for n in (1, 2, 3):
        out = F.conv2d(out, p[f"W{n}"], p[f"b{n}"], padding=1)
        if f"gamma{n}" in p:
            out = norm(out, p[f"gamma{n}"], p[f"beta{n}"], mode)
        out = F.max_pool2d(F.relu(out), 2) if n - 1 in pools else F.relu(out)
    return out.flatten(1) @ p["W4"] + p["b4"]


def deep_net(
    batchnorm: bool,
    pools: tuple[int, ...] = POOLS,
    input_dims: tuple[int, ...] = (2, 8, 12),
    **settings: Any,
) -> Any:
    """Return a student's network."""
    return cn.DeepConvNet(
        input_dims=input_dims,
        num_filters=list(FILTERS),
        max_pools=list(pools),
        batchnorm=batchnorm,
        num_classes=6,
        dtype=torch.float64,
        **settings,
    )


KINDS = {"w": "W", "b": "b", "gamma": "gamma", "g": "gamma", "beta": "beta", "be": "beta"}
"""What a student may call a parameter, and its name here; capitals do not matter."""


def own_names(net: Any, batchnorm: bool) -> dict[str, str]:
    """Map the right names to the student's, whose layers may be counted from 0."""
    own = [name for name in net.params.keys() if type(name) is str]  # noqa: SIM118 (it may be a live view)
    parts = {name: re.fullmatch(r"([A-Za-z]{1,5})_?(\d{1,2})", name) for name in own}
    known = {name: part for name, part in parts.items() if part and part[1].lower() in KINDS}
    numbers = sorted({int(part[2]) for part in known.values()})
    found = {
        f"{KINDS[part[1].lower()]}{numbers.index(int(part[2])) + 1}": name for name, part in known.items()
    }
    lacking = [name for name in deep_shapes(batchnorm) if name not in found]
    if lacking:
        problem = f"none is {', '.join(lacking[:4])}, also if layers are counted from 0"
        wrong = CheckFailure("the names of the parameters", problem, likely_cause=NAMES, slip=True)
        found = in_order(net, own)
        checks.holds(found.keys() == deep_shapes(batchnorm).keys(), what=wrong.what, problem=problem)
        asking.note(wrong)
    return {name: found[name] for name in deep_shapes(batchnorm)}


NAMES = "the parameters of a layer are called W1, b1, gamma1 and beta1, and so on, or with 0 for the first"


def in_order(net: Any, own: list[str]) -> dict[str, str]:
    """Map the right names to the student's by kind and order, whatever they are called.

    Tensors of two or more dimensions are weights; of vectors those that are called so are gamma and beta.
    """
    found: dict[str, str] = {}
    for name in own:
        value = net.params[name]
        kind = next((kind for kind in ("gamma", "beta") if kind in name.lower()), "b")
        kind = "W" if kind == "b" and type(value) is Tensor and value.dim() > 1 else kind
        found[f"{kind}{1 + sum(one.startswith(kind) and one[len(kind) :].isdigit() for one in found)}"] = name
    return found


def known_net(batchnorm: bool, **settings: Any) -> tuple[Any, dict[str, str]]:
    """Return a student's network with known parameters, and its names of them."""
    net = deep_net(batchnorm, **settings)
    names = own_names(net, batchnorm)
    for name, value in deep_params(batchnorm).items():
        net.params[names[name]] = value.clone()
    return net, names


def check_begin(batchnorm: bool, **settings: Any) -> None:
    """Check what a student's network begins with."""
    net = deep_net(batchnorm, pools=(0, 2), weight_scale=0.02, **settings)
    names = own_names(net, batchnorm)
    for name, shape in deep_shapes(batchnorm).items():
        what = f'params["{names[name]}"]'
        if name.startswith("W"):
            usual = SIZE if name == "W4" else ""
            rounded = [Hint(lambda w: w.shape == (SHARE, 6), says=ROUNDED, slip=True)] * (name == "W4")
            check_weights(net.params[names[name]], shape, 0.02, what, usual, rounded)
            continue
        value = torch.full(shape, 1.0 if name.startswith("gamma") else 0.0, dtype=torch.float64)
        hints = [
            Hint(torch.zeros_like(value), says="gamma begins with ones; with zeros nothing gets through"),
            Hint(torch.ones_like(value), says="biases and beta begin with zeros"),
        ]
        checks.equal(net.params[names[name]], value, what=what, hints=hints)


@asking.one_slip()
@pytest.mark.task("deep_net", weight=2)
def test_deep_begins() -> None:
    """Deep network: shapes and spread of weights, and biases of zero, for images of 10 x 14."""
    check_begin(False, input_dims=UNEVEN)


@asking.one_slip()
@pytest.mark.task("deep_net", weight=2)
def test_deep_begins_with_batchnorm() -> None:
    """Deep network: with batch normalization, gamma begins with ones and beta with zeros."""
    check_begin(True)


TURNED = "Din and Dout are swapped: Din channels go into a convolution, and Dout come out of it"


@asking.one_slip()
@pytest.mark.task("deep_net", weight=2)
def test_deep_begins_with_kaiming() -> None:
    """Deep network: with weight_scale "kaiming" weights come from kaiming_initializer."""
    asked = []

    def initializer(
        Din: Any,
        Dout: Any,
        K: Any = None,
        relu: Any = True,
        device: Any = "cpu",
        dtype: Any = torch.float32,
    ) -> Tensor:
        asked.append((Din, Dout, K))
        shape = (Din, Dout) if K is None else (Dout, Din, K, K)
        if torch.Size(shape).numel() > MAX_ENTRIES:
            raise ValueError("too many weights")
        return torch.full(shape, 0.5 + len(asked), dtype=dtype)

    with substituted(cn, kaiming_initializer=initializer):
        net = deep_net(False, pools=(0, 2), weight_scale="kaiming", input_dims=(2, 12, 12))
    names = own_names(net, False)
    asked_for = sorted(asked, key=str)
    right = sorted([(2, 4, 3), (4, 3, 3), (3, 5, 3), (45, 6, None)], key=str)
    first = [call for call in asked_for if call[1:] != (6, None)]
    rest_is_right = first == right[:3] and len(asked) == len(right)
    turned = (
        sorted([(out, before, K) if K else (before, out, K) for before, out, K in asked], key=str) == right
    )
    checks.holds(
        asked_for == right,
        what="the calls of kaiming_initializer",
        problem="not one for each layer, with its Din, Dout and K",
        likely_cause=TURNED if turned else SIZE if rest_is_right else None,
        slip=turned or rest_is_right,
    )
    for name, shape in (deep_shapes(False) | {"W4": (45, 6)}).items():
        if name.startswith("W"):
            w = checks.tensor(net.params[names[name]], shape=shape, dtype=torch.float64, what=names[name])
            same = bool((w == w.flatten()[0]).all()) and float(w.flatten()[0]) > 1
            checks.holds(same, what=names[name], problem="not the result of kaiming_initializer")


COUNTED = "max_pools counts layers from 0"


def losses(batchnorm: bool, names: dict[str, str]) -> Losses:
    """Return the right losses, and those of typical mistakes."""
    wrong = {COUNTED: lambda p: deep_scores(p, pools=FROM_ONE)}
    return Losses(deep_params(batchnorm), names, deep_scores, LABELS, wrong)


def train(batchnorm: bool, reg: float) -> tuple[Losses, Any]:
    """Return the right losses, and what the student's network makes of images and labels."""
    net, names = known_net(batchnorm, reg=reg)
    with with_true_layers():
        return losses(batchnorm, names), asking.ask_loss(net, IMAGES.clone(), LABELS.clone())


@asking.one_slip()
@pytest.mark.task("deep_net", weight=3)
def test_deep_scores() -> None:
    """Deep network: the scores without batch normalization."""
    net, _ = known_net(False)
    with with_true_layers():
        scores = asking.ask_loss(net, IMAGES.clone())
    hints = [Hint(deep_scores(deep_params(False), pools=FROM_ONE), says=COUNTED)]
    checks.close(scores, deep_scores(deep_params(False)), what="the scores", hints=hints, operation=DEEP)


@asking.one_slip()
@pytest.mark.task("deep_net", weight=2)
def test_deep_loss() -> None:
    """Deep network: the loss without batch normalization, regularized or not."""
    for reg in (0.0, 0.3):
        right, found = train(False, reg)
        right.check_loss(found, reg)


@asking.one_slip()
@pytest.mark.task("deep_net", weight=3)
def test_deep_gradients() -> None:
    """Deep network: the gradients without batch normalization and regularization."""
    right, found = train(False, 0.0)
    right.check_gradients(found, 0.0)


@asking.one_slip()
@pytest.mark.task("deep_net", weight=1)
def test_deep_gradients_regularized() -> None:
    """Deep network: the gradients of the regularization."""
    right, found = train(False, 0.3)
    right.check_gradients(found, 0.3)


@asking.one_slip()
@pytest.mark.task("deep_net", weight=2)
def test_deep_loss_with_batchnorm() -> None:
    """Deep network: loss and gradients with batch normalization."""
    right, found = train(True, 0.3)
    right.check_loss(found, 0.3)
    right.check_gradients(found, 0.3)


@pytest.mark.constraint
@pytest.mark.task("deep_net", weight=1)
def test_deep_statistics() -> None:
    """Deep network: with batch normalization, each layer has running statistics of its own."""
    net, _ = known_net(True)
    mark(net)
    with with_true_layers() as used:
        found = asking.ask_loss(net, IMAGES.clone(), LABELS.clone())
    checks.parts(found, 2, what="the loss and its gradients")
    checks.holds(len(used) > 0, what="batch normalization", problem="not used")
    check_own_statistics(used, layers=len(FILTERS))


@asking.one_slip()
@pytest.mark.task("deep_net", weight=2)
def test_deep_scores_with_batchnorm() -> None:
    """Deep network: without labels, batch normalization is in mode "test", before training and after."""
    net, _ = known_net(True)
    right = deep_scores(deep_params(True), "test")
    hints = [
        Hint(deep_scores(deep_params(True)), says='batch normalization stayed in mode "train"'),
        Hint(deep_scores(deep_params(True), "test", FROM_ONE), says=COUNTED),
    ]
    with with_true_layers():
        before = asking.ask_loss(net, IMAGES.clone())
        asking.ask_loss(net, IMAGES.clone(), LABELS.clone())
        after = asking.ask_loss(net, IMAGES.clone())
    checks.close(before, right, what="the scores", hints=hints, operation=DEEP)
    checks.close(after, right, what="the scores after training", hints=hints, operation=DEEP)
