"""Reference solutions keep to the device of their inputs, and every device gives what the CPU gives."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from helpers.testing import checks
from helpers.testing.tolerances import Operation
from helpers.training import devices, layers

SOLUTIONS = Path(__file__).parents[2] / "solutions"
NAMES = (
    *("knn", "linear_classifier", "two_layer_net", "fully_connected_networks", "convolutional_networks"),
    "more_convolutions",
)
DEVICES = ["cpu", "cuda"][: 1 + torch.cuda.is_available()]
IMAGES, LABELS = (4, 3, 16, 16), 4
POOL = {"pool_height": 3, "pool_width": 2, "stride": 2}

Make = Callable[..., Tensor]
"""Returns a tensor of a shape, on the device and in the dtype that are tried."""
Found = list[Tensor]


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """Return the reference solutions as modules."""
    files = {path.stem for name in NAMES for path in (SOLUTIONS / name).glob("*.py")}
    for name in NAMES:
        monkeypatch.syspath_prepend(SOLUTIONS / name)
    for file in files:
        sys.modules.pop(file, None)
    yield {name: importlib.import_module(name) for name in NAMES}
    for file in files:
        sys.modules.pop(file, None)


@pytest.fixture
def _precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put back what `devices.best` sets."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", torch.backends.cudnn.allow_tf32)


def distances(module: ModuleType, make: Make) -> Found:
    return [module.compute_distances_no_loops(make(20, 5), make(7, 5))]


def linear(module: ModuleType, make: Make) -> Found:
    W, X, y = make(12, 4), make(9, 12), make(9).argsort() % 4
    losses = module.svm_loss_vectorized, module.softmax_loss_vectorized
    return [value for loss in losses for value in loss(W, X, y, 0.1)]


def two_layers(module: ModuleType, make: Make) -> Found:
    params = {"W1": make(12, 6), "b1": make(6), "W2": make(6, 4), "b2": make(4)}
    loss, grads = module.nn_forward_backward(params, make(9, 12), make(9).argsort() % 4, 0.1)
    return [loss, *grads.values()]


def fully_connected(module: ModuleType, make: Make) -> Found:
    found = []
    for rule in (module.sgd, module.sgd_momentum, module.rmsprop, module.adam):
        w, config = rule(make(5, 4), make(5, 4))
        found += [w, rule(w, make(5, 4), config)[0]]
    return found + of_network(
        module.FullyConnectedNet([6, 5], 12, 4, reg=0.1, dtype=make(1).dtype, device=make(1).device),
        make(9, 12),
        make,
    )


def convolution(module: ModuleType, make: Make) -> Found:
    x, w, b = make(*IMAGES), make(5, 3, 3, 2), make(5)
    out, cache = module.Conv.forward(x, w, b, {"stride": 2, "pad": 1})
    pooled, pools = module.MaxPool.forward(x, POOL)
    found = [out, *module.Conv.backward(make(*out.shape), cache), pooled]
    return [*found, module.MaxPool.backward(make(*pooled.shape), pools)]


def normalization(module: ModuleType, make: Make) -> Found:
    bn_param = {"mode": "train"}
    out, cache = module.BatchNorm.forward(make(8, 5), make(5), make(5), bn_param)
    found = [out, *module.BatchNorm.backward(make(8, 5), cache), *module.BatchNorm.backward_alt(out, cache)]
    out, cache = module.SpatialBatchNorm.forward(make(*IMAGES), make(3), make(3), {"mode": "train"})
    return [*found, bn_param["running_var"], out, *module.SpatialBatchNorm.backward(make(*IMAGES), cache)]


def relatives(module: ModuleType, make: Make) -> Found:
    x, b = make(2, 4, 7, 9), make(6)
    return [
        module.im2col(x, 3, 2, stride=2, pad=1),
        module.average_pool(x, 3, 2, 2),
        module.dilated_conv(x, make(6, 4, 3, 3), b, dilation=2),
        module.grouped_conv(x, make(6, 2, 3, 3), b, groups=2),
        module.transposed_conv(x, make(4, 6, 3, 3), b, stride=2),
        module.conv1d(make(2, 4, 9), make(6, 4, 3), b),
        module.conv3d(make(2, 4, 5, 6, 7), make(6, 4, 2, 3, 2), b),
    ]


def three_layers(module: ModuleType, make: Make) -> Found:
    like = {"dtype": make(1).dtype, "device": make(1).device}
    net = module.ThreeLayerConvNet(IMAGES[1:], 4, 3, 6, LABELS, reg=0.1, **like)
    return of_network(net, make(*IMAGES), make)


def deep(module: ModuleType, make: Make) -> Found:
    like = {"dtype": make(1).dtype, "device": make(1).device, "weight_scale": "kaiming"}
    net = module.DeepConvNet(IMAGES[1:], (4, 5), (0, 1), True, LABELS, reg=0.1, **like)
    return of_network(net, make(*IMAGES), make)


def of_network(net: Any, x: Tensor, make: Make) -> Found:
    """Return loss, gradients and scores of a network with parameters of `make`."""
    params = {name: 0.3 * make(*value.shape) for name, value in net.params.items()}
    net.params = params
    loss, grads = net.loss(x, make(len(x)).argsort() % LABELS)
    return [loss, *(grads[name] for name in params), net.loss(x)]


CASES: list[tuple[str, Callable[[ModuleType, Make], Found], Operation]] = [
    ("knn", distances, "cancellation"),
    ("linear_classifier", linear, "gradient"),
    ("two_layer_net", two_layers, "gradient"),
    ("fully_connected_networks", fully_connected, "gradient"),
    ("convolutional_networks", convolution, "gradient"),
    ("convolutional_networks", normalization, "deep gradient"),
    ("convolutional_networks", three_layers, "deep gradient"),
    ("convolutional_networks", deep, "deep gradient"),
    ("more_convolutions", relatives, "gradient"),
]
IDS = [case.__name__ for _, case, _ in CASES]


def maker(device: str, dtype: torch.dtype) -> Make:
    """Return a function that makes the same normal numbers on every device and in every dtype."""
    generator = torch.Generator().manual_seed(7)

    def make(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator).to(device, dtype)

    return make


@pytest.mark.parametrize(("name", "case", "operation"), CASES, ids=IDS)
def test_new_tensors_are_where_the_inputs_are(
    modules: dict[str, ModuleType], name: str, case: Callable[..., Found], operation: str
) -> None:
    # A tensor on the device "meta" has a shape and no numbers; one on the CPU beside it is refused.
    found = case(modules[name], maker("meta", torch.float32))
    assert {value.device.type for value in found} == {"meta"}
    assert {value.dtype for value in found} == {torch.float32}


@pytest.mark.usefixtures("_precision")
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("name", "case", "operation"), CASES, ids=IDS)
def test_float32_on_a_device_is_close_to_float64_on_the_cpu(
    modules: dict[str, ModuleType], name: str, case: Callable[..., Found], operation: Operation, device: str
) -> None:
    devices.best()
    right = case(modules[name], maker("cpu", torch.float64))
    found = case(modules[name], maker(device, torch.float32))
    assert len(found) == len(right)
    for place, (one, expected) in enumerate(zip(found, right, strict=True)):
        checks.close(one.cpu(), expected.float(), what=f"result {place}", operation=operation)


@pytest.mark.usefixtures("_precision")
@pytest.mark.parametrize("device", DEVICES)
def test_the_fast_convolution_is_that_of_the_reference(modules: dict[str, ModuleType], device: str) -> None:
    devices.best()
    make = maker(device, torch.float32)
    x, w, b, conv_param = make(*IMAGES), make(5, 3, 3, 2), make(5), {"stride": 2, "pad": 1}
    slow, cache = modules["convolutional_networks"].Conv.forward(x, w, b, conv_param)
    fast, given = layers.FastConv.forward(x, w, b, conv_param)
    dout = make(*slow.shape)
    found = [fast, *layers.FastConv.backward(dout, given)]
    right = [slow, *modules["convolutional_networks"].Conv.backward(dout, cache)]
    for name, one, expected in zip(("out", "dx", "dw", "db"), found, right, strict=True):
        checks.close(one.cpu(), expected.cpu(), what=name, operation="gradient")


@pytest.mark.usefixtures("_precision")
def test_the_best_device_is_a_gpu_where_there_is_one_that_keeps_all_digits() -> None:
    torch.backends.cudnn.allow_tf32 = True
    assert devices.best() == DEVICES[-1]
    assert not torch.backends.cudnn.allow_tf32
