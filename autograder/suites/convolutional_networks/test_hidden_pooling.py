"""Hidden tests of max pooling, forward and backward.

Where several values of a window are the largest, the gradient may go to any of them or be shared: what is
checked is that it adds up, and that nobody else gets any.
"""

from typing import Any

import convolutional_networks as cn
import pytest
import torch
import torch.nn.functional as F
from suite.rules import PADDING, POOLING
from torch import Tensor

from autograder.hidden import hidden_generator
from helpers.testing import Hint, checks, require, scattered


def distinct(name: str, *shape: int) -> Tensor:
    """Return hidden numbers of both signs, no two alike and none zero."""
    generator = hidden_generator("pooling", name)
    count = torch.Size(shape).numel()
    return (torch.randperm(count, generator=generator).double() - 0.75 * count + 0.375).reshape(shape) / 8


def setting(height: int, width: int, stride: int) -> dict[str, int]:
    """Return a pool_param."""
    return {"pool_height": height, "pool_width": width, "stride": stride}


def pooled(x: Tensor, param: dict[str, int]) -> Tensor:
    """Return the right result."""
    return F.max_pool2d(x, (param["pool_height"], param["pool_width"]), stride=param["stride"])


def gradient(x: Tensor, param: dict[str, int], dout: Tensor) -> Tensor:
    """Return the right gradient."""
    leaf = x.clone().requires_grad_()
    return torch.autograd.grad(pooled(leaf, param), leaf, dout)[0]


X = distinct("x", 3, 2, 6, 8)
APART = setting(2, 2, 2)
OVERLAPPING = {
    "windows of 3 x 3 with stride 2": setting(3, 3, 2),
    "windows of 2 x 3 with stride 1": setting(2, 3, 1),
    "windows of 4 x 2 with stride 3": setting(4, 2, 3),
}
GAPS = setting(1, 2, 3)


def first(found: object) -> Any:
    """Return the result of a forward pass."""
    return checks.parts(found, 2, what="the result and the cache of MaxPool.forward")[0]


def check_forward(x: Tensor, param: dict[str, int], what: str = "the result") -> None:
    """Compare the student's result with the right one."""
    right = pooled(x, param)
    window = param["pool_height"], param["pool_width"]
    over_channels, over_images = (right.amax(dim=dim, keepdim=True) for dim in (1, 0))
    turned = {**param, "pool_height": window[1], "pool_width": window[0]}
    hints = [
        Hint(pooled(x, turned), says="height and width of the window are swapped"),
        Hint(pooled(x, {**param, "stride": 1}), says="the stride was forgotten"),
        Hint(F.max_pool2d(x, window), says="the stride is that of pool_param, not the size of a window"),
        Hint(right[:, :, :-1, :-1], says="the last window of each row and column is missing"),
        Hint(-pooled(-x, param), says="the smallest value was taken"),
        Hint(F.avg_pool2d(x, window, stride=param["stride"]), says="the mean was taken"),
        Hint(right.clamp(min=0), says="compared with 0 as well, but all values of a window may be negative"),
        Hint(over_channels.expand_as(right), says="the maximum went over the channels, too"),
        Hint(over_images.expand_as(right), says="the maximum went over the images, too"),
    ]
    checks.close(first(cn.MaxPool.forward(x.clone(), dict(param))), right, what=what, hints=hints)


@pytest.mark.task("max_pool_forward", weight=2)
def test_forward() -> None:
    """Max pooling: windows of 2 x 2 that lie side by side."""
    check_forward(X, APART)


@pytest.mark.task("max_pool_forward", weight=2)
def test_forward_with_overlap() -> None:
    """Max pooling: windows that overlap, higher than wide or wider than high, with a remainder."""
    for name, param in OVERLAPPING.items():
        check_forward(X, param, f"the result with {name}")


@pytest.mark.task("max_pool_forward", weight=1)
def test_forward_with_gaps() -> None:
    """Max pooling: a single image, in float32, with gaps between windows."""
    check_forward(X[:1].float(), GAPS)


@pytest.mark.task("max_pool_forward", weight=1)
def test_forward_in_scattered_memory() -> None:
    """Max pooling: images may be non-contiguous in memory."""
    param = OVERLAPPING["windows of 2 x 3 with stride 1"]
    found = first(cn.MaxPool.forward(scattered(X), dict(param)))
    checks.close(found, pooled(X, param), what="the result")


@pytest.mark.constraint
@pytest.mark.task("max_pool_forward", weight=1)
def test_forward_inputs_unchanged() -> None:
    """Max pooling: the images are not modified."""
    x = X.clone()
    checks.close(first(cn.MaxPool.forward(x, dict(APART))), pooled(X, APART), what="the result")
    checks.unchanged(X, x, what="the argument x")


@pytest.mark.constraint
@pytest.mark.task("max_pool_forward", weight=1)
def test_forward_source() -> None:
    """Max pooling: nothing of torch.nn but the padding is used."""
    require(cn.MaxPool.forward, banned=POOLING, allowed=PADDING)


# Backward


def check_backward(x: Tensor, param: dict[str, int], what: str = "the gradient dx") -> None:
    """Compare the student's gradient with the right one."""
    dout = distinct("dout", *pooled(x, param).shape).to(x.dtype)
    right = gradient(x, param, dout)
    mask = (gradient(x, param, torch.ones_like(dout)) > 0).to(x.dtype)
    last, early = torch.zeros_like(x), torch.zeros_like(x)
    height, width, stride = param.values()
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            window = x[:, :, i * stride : i * stride + height, j * stride : j * stride + width]
            mine = (window == window.amax(dim=(2, 3), keepdim=True)) * dout[:, :, i : i + 1, j : j + 1]
            view = last[:, :, i * stride : i * stride + height, j * stride : j * stride + width]
            view.copy_(torch.where(mine != 0, mine, view))
            view = early[:, :, i * stride : i * stride + height, j * stride : j * stride + width]
            view.copy_(torch.where(view != 0, view, mine))
    overlap = "where windows overlap, gradients add up; write += instead of ="
    hints = [
        Hint(last, says=overlap),
        Hint(early, says=overlap),
        Hint(mask, says="the places are right, but the upstream gradient was forgotten"),
        Hint(mask * right.sign(), says="the size of the upstream gradient counts, too"),
    ]
    found = cn.MaxPool.backward(dout.clone(), (x.clone(), dict(param)))
    checks.close(found, right, what=what, hints=hints)


@pytest.mark.task("max_pool_backward", weight=2)
def test_backward() -> None:
    """Gradient of max pooling: windows of 2 x 2 that lie side by side."""
    check_backward(X, APART)


@pytest.mark.task("max_pool_backward", weight=3)
def test_backward_with_overlap() -> None:
    """Gradient of max pooling: where windows overlap, gradients add up."""
    for name, param in OVERLAPPING.items():
        check_backward(X, param, f"the gradient dx with {name}")


@pytest.mark.task("max_pool_backward", weight=1)
def test_backward_with_gaps() -> None:
    """Gradient of max pooling: a single image, in float32, with gaps between windows."""
    check_backward(X[:1].float(), GAPS)


@pytest.mark.task("max_pool_backward", weight=1)
def test_backward_in_scattered_memory() -> None:
    """Gradient of max pooling: images and gradient may be non-contiguous in memory."""
    param = OVERLAPPING["windows of 3 x 3 with stride 2"]
    dout = distinct("scattered", *pooled(X, param).shape)
    found = cn.MaxPool.backward(scattered(dout), (scattered(X), dict(param)))
    checks.close(found, gradient(X, param, dout), what="the gradient dx")


@pytest.mark.task("max_pool_backward", weight=2)
def test_backward_after_ties() -> None:
    """Gradient of max pooling: several largest values share the gradient, or one of them gets it."""
    x = distinct("ties", 2, 2, 4, 6).sign().clamp(min=0)  # zeros and ones: ties wherever one looks
    dout = distinct("ties/dout", 2, 2, 2, 3)
    found = cn.MaxPool.backward(dout.clone(), (x.clone(), dict(APART)))
    dx = checks.tensor(found, shape=x.shape, dtype=x.dtype, what="the gradient dx")
    windows, shares = (v.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4) for v in (x, dx))
    largest = windows == windows.amax(dim=4, keepdim=True)
    hints = [
        Hint(dout * largest.sum(dim=4), says="each of several largest values got all of the gradient"),
        Hint(torch.zeros_like(dout), says="where several values are largest, none got any"),
    ]
    checks.close(shares.sum(dim=4), dout, what="the gradient that a window passes on", hints=hints)
    stray, problem = shares * ~largest, "not zero where a value is smaller than the largest"
    checks.holds(float(stray.abs().amax()) == 0, what="the gradient dx", problem=problem)


@pytest.mark.constraint
@pytest.mark.task("max_pool_backward", weight=1)
def test_backward_inputs_unchanged() -> None:
    """Gradient of max pooling: neither the upstream gradient nor the images are modified."""
    x, dout = X.clone(), distinct("kept", *pooled(X, APART).shape)
    given = dout.clone()
    found = cn.MaxPool.backward(given, (x, dict(APART)))
    checks.close(found, gradient(X, APART, dout), what="the gradient dx")
    checks.unchanged(X, x, what="the argument x")
    checks.unchanged(dout, given, what="the argument dout")


@pytest.mark.constraint
@pytest.mark.task("max_pool_backward", weight=1)
def test_backward_source() -> None:
    """Gradient of max pooling: no automatic differentiation."""
    require(cn.MaxPool.backward, banned=POOLING, allowed=PADDING)
