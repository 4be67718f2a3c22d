"""Hidden tests of the networks, and of the weights that they begin with.

Expected values come from `torch.nn.functional` and automatic differentiation in float64. The layers that
students write are replaced by right ones meanwhile.
"""

from collections.abc import Callable
from typing import Any

import convolutional_networks as cn
import pytest
import torch
import torch.nn.functional as F
from suite.networks import DEEP, Losses, Params, check_weights, normal, with_true_layers
from torch import Tensor

from helpers.testing import Hint, asking, checks

IMAGES, LABELS = normal("images", shape=(5, 2, 6, 8)), torch.tensor([3, 0, 4, 1, 1])
THREE = {"input_dims": (2, 6, 8), "num_filters": 4, "filter_size": 3, "hidden_dim": 7, "num_classes": 5}
THREE_SHAPES = {"W1": (4, 2, 3, 3), "b1": (4,), "W2": (48, 7), "b2": (7,), "W3": (7, 5), "b3": (5,)}
SIZES = {
    "W1": "the filters of a convolution come first, then the channels, height and width",
    "W2": "the linear layer gets num_filters * (H // 2) * (W // 2) numbers, and H is not W",
}
THREE_PARAMS = {name: 0.5 * normal(f"three/{name}", shape=shape) for name, shape in THREE_SHAPES.items()}


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


NO_RELU = "the hidden layer has no ReLU"
LOSSES = Losses(
    THREE_PARAMS,
    {name: name for name in THREE_PARAMS},
    three_scores,
    LABELS,
    {NO_RELU: lambda p: three_scores(p, relu=lambda x: x)},
)


def loss_of_student(reg: float) -> Any:
    """Return what the student's network makes of images and labels."""
    with with_true_layers():
        return asking.ask_loss(three_net(reg), IMAGES.clone(), LABELS.clone())


@asking.one_slip()
@pytest.mark.task("three_layer_net", weight=3)
def test_three_layers_begin() -> None:
    """Network of three layers: shapes and spread of weights, and biases of zero."""
    net = cn.ThreeLayerConvNet((3, 8, 12), 20, 5, 30, 10, weight_scale=0.02, dtype=torch.float64)
    shapes = {"W1": (20, 3, 5, 5), "W2": (20 * 4 * 6, 30), "W3": (30, 10)}
    for n, (name, shape) in enumerate(shapes.items(), start=1):
        check_weights(net.params[name], shape, 0.02, f'params["{name}"]', SIZES.get(name, ""))
        zeros = torch.zeros(shape[0] if n == 1 else shape[1]).double()
        checks.equal(net.params[f"b{n}"], zeros, what=f'params["b{n}"]')


@asking.one_slip()
@pytest.mark.task("three_layer_net", weight=3)
def test_three_layers_scores() -> None:
    """Network of three layers: the scores, with a filter of 3 x 3."""
    with with_true_layers():
        found = asking.ask_loss(three_net(), IMAGES.clone())
    hints = [Hint(scores(THREE_PARAMS), says) for says, scores in LOSSES.mistaken.items()]
    checks.close(found, three_scores(THREE_PARAMS), what="the scores", hints=hints, operation=DEEP)


@asking.one_slip()
@pytest.mark.task("three_layer_net", weight=1)
def test_three_layers_loss() -> None:
    """Network of three layers: the loss without regularization."""
    LOSSES.check_loss(loss_of_student(0.0), 0.0)


@asking.one_slip()
@pytest.mark.task("three_layer_net", weight=2)
def test_three_layers_loss_regularized() -> None:
    """Network of three layers: the loss with regularization."""
    LOSSES.check_loss(loss_of_student(0.3), 0.3)


@asking.one_slip()
@pytest.mark.task("three_layer_net", weight=3)
def test_three_layers_gradients() -> None:
    """Network of three layers: the gradients without regularization."""
    LOSSES.check_gradients(loss_of_student(0.0), 0.0)


@asking.one_slip()
@pytest.mark.task("three_layer_net", weight=1)
def test_three_layers_gradients_regularized() -> None:
    """Network of three layers: the gradients with regularization."""
    LOSSES.check_gradients(loss_of_student(0.3), 0.3)


@asking.one_slip()
@pytest.mark.task("three_layer_net", weight=1)
def test_three_layers_in_float32() -> None:
    """Network of three layers: images in float64 are converted to the float32 of the network."""
    net = cn.ThreeLayerConvNet(**THREE, dtype=torch.float32)
    for name, value in THREE_PARAMS.items():
        net.params[name] = value.float()
    with with_true_layers():
        found = net.loss(IMAGES.clone())
    hints = [Hint(scores(THREE_PARAMS).float(), says) for says, scores in LOSSES.mistaken.items()]
    right = three_scores(THREE_PARAMS).float()
    checks.close(found, right, what="the scores", operation="gradient", hints=hints)
