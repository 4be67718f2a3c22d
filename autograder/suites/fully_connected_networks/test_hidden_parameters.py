"""Hidden tests of the parameters of networks: how they begin.

Bounds on random numbers are 8 standard errors wide.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import fully_connected_networks as fcn
import pytest
import torch
from suite.naming import FROM_ZERO, counts_from_zero, own_name

from autograder.hidden import hidden_normal
from helpers.testing import Hint, asking, checks, substituted

X = hidden_normal("parameters", shape=(7, 12), dtype=torch.float32)
Y = torch.arange(7) % 4


@contextmanager
def right_layers() -> Iterator[None]:
    """Replace the layers that networks build on."""
    linear = {
        "forward": lambda x, w, b: (x @ w + b, (x, w)),
        "backward": lambda dout, cache: (dout @ cache[1].T, cache[0].T @ dout, dout.sum(dim=0)),
    }
    relu = {
        "forward": lambda x: (x.clamp(min=0), x),
        "backward": lambda dout, cache: dout.masked_fill(cache <= 0, 0),
    }
    with substituted(fcn.Linear, **linear), substituted(fcn.ReLU, **relu):
        yield


def check_params(net: Any, sizes: list[int], dtype: torch.dtype) -> None:
    """Check names, wherever they begin, shapes and dtype of the parameters, and that biases are 0."""
    names = {own_name(net, f"{kind}{i}") for kind in "Wb" for i in range(1, len(sizes))}
    checks.holds(
        {str(name) for name in net.params} == names,
        what="params",
        problem="not exactly W1, b1, W2, b2 and so on",
    )
    for i in range(1, len(sizes)):
        weights, bias = (net.params[own_name(net, f"{kind}{i}")] for kind in "Wb")
        checks.tensor(weights, what=f"W{i}", shape=(sizes[i - 1], sizes[i]), dtype=dtype)
        right = torch.zeros(sizes[i], dtype=dtype)
        hints = [
            Hint(right + 1, says="biases begin at 0, not at 1"),
            Hint(right[None], says="biases have one axis, with no extra axis of length 1"),
        ]
        checks.close(bias, right, what=f"b{i}", hints=hints)


def check_scale(net: Any, count: int, scale: float) -> None:
    """Check that weights have this standard deviation, around 0."""
    for i in range(1, count + 1):
        weights = checks.tensor(net.params[own_name(net, f"W{i}")], what=f"W{i}").double()
        relative = 8 / weights.numel() ** 0.5
        hints = [Hint(scale**2, says="this is the square of weight_scale"), Hint(1.0, says="not scaled")]
        what = f"the standard deviation of W{i}"
        checks.close(float(weights.std()), scale, what=what, rtol=relative, hints=hints)
        margin = scale * relative
        checks.number(float(weights.mean()), at_least=-margin, at_most=margin, what=f"the mean of W{i}")


def check_first_name(net: Any) -> None:
    """Check that names begin at W1. Networks that are right but for this lose no more by it."""
    right = not counts_from_zero(net)
    checks.holds(right, what="params", problem="W0 is among them", likely_cause=FROM_ZERO, slip=True)


@asking.one_slip()
def check_initial_loss(make: Callable[[torch.dtype], Any]) -> None:
    """Check that a network that prefers no class of four has the loss log 4."""
    with right_layers():
        result = asking.ask_in(lambda dtype: make(dtype).loss(X.to(dtype), Y.clone()), torch.float32)
    loss, _ = checks.parts(result, 2, what="the result of loss")
    found = checks.scalar(loss, what="the loss")
    checks.close(found, math.log(4), what="the initial loss", operation="small start")


@asking.one_slip()
@pytest.mark.task("two_layer_net", weight=1)
def test_two_layers_at_first() -> None:
    """Two layers: shapes, dtype and scale of the parameters of a new network."""
    net = fcn.TwoLayerNet(input_dim=12, hidden_dim=9, num_classes=5, dtype=torch.float64)
    check_params(net, [12, 9, 5], torch.float64)
    net = fcn.TwoLayerNet(input_dim=80, hidden_dim=70, num_classes=60, weight_scale=0.04)
    check_params(net, [80, 70, 60], torch.float32)
    check_scale(net, 2, 0.04)
    check_first_name(net)


@asking.one_slip()
@pytest.mark.task("two_layer_net", weight=2)
def test_two_layers_by_default() -> None:
    """Two layers: by default for pictures of 32 by 32 pixels and ten classes."""
    net = fcn.TwoLayerNet()
    check_params(net, [3072, 100, 10], torch.float32)
    check_scale(net, 2, 1e-3)


@pytest.mark.task("two_layer_net", weight=1)
def test_two_layers_initial_loss() -> None:
    """Two layers: a new network has the loss log C."""
    check_initial_loss(lambda dtype: fcn.TwoLayerNet(input_dim=12, hidden_dim=9, num_classes=4, dtype=dtype))


@asking.one_slip()
@pytest.mark.task("fully_connected", weight=3)
def test_deep_at_first() -> None:
    """Any depth: names, shapes, dtype and scale of the parameters of a new network."""
    for dims in ([8], [9, 7], [8, 10, 7, 9, 6]):
        net = fcn.FullyConnectedNet(dims, input_dim=12, num_classes=4, dtype=torch.float64)
        check_params(net, [12, *dims, 4], torch.float64)
    net = fcn.FullyConnectedNet([70, 80, 60], input_dim=90, num_classes=50, weight_scale=0.03)
    check_params(net, [90, 70, 80, 60, 50], torch.float32)
    check_scale(net, 4, 0.03)
    check_first_name(net)


@pytest.mark.task("fully_connected", weight=1)
def test_deep_initial_loss() -> None:
    """Any depth: a new network has the loss log C."""
    settings: dict[str, Any] = {"input_dim": 12, "num_classes": 4, "weight_scale": 1e-3}
    check_initial_loss(lambda dtype: fcn.FullyConnectedNet([8, 10, 7, 9, 6], dtype=dtype, **settings))
