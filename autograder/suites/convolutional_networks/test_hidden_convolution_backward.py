"""Hidden tests of the gradients of a convolution.

Expected values come from `torch.nn.functional` and automatic differentiation, in float64. The backward pass
gets its cache from the test, so that it does not hang on the forward pass.
"""

import itertools
from dataclasses import replace
from typing import Any

import convolutional_networks as cn
import pytest
import torch
import torch.nn.functional as F
from suite.convolutions import LAST, PADDED, PLAIN, STRIDES, Convolution, case, normal
from suite.rules import CONVOLUTION, PADDING
from torch import Tensor

from helpers.testing import Hint, checks, require, scattered


def overwritten(c: Convolution, dout: Tensor, backwards: bool) -> Tensor:
    """Return dx as it becomes if each window, from first to last or backwards, overwrites earlier ones.

    Backwards is what comes of a loop over the entries of a filter.
    """
    dx, (height, width) = torch.zeros_like(F.pad(c.images, (c.pad,) * 4)), c.filters.shape[2:]
    for i, j in sorted(itertools.product(*map(range, dout.shape[2:])), reverse=backwards):
        top, left = i * c.stride, j * c.stride
        stamp = torch.einsum("nf,fchw->nchw", dout[:, :, i, j], c.filters)
        dx[:, :, top : top + height, left : left + width] = stamp
    return dx[:, :, c.pad : c.pad + c.images.shape[2], c.pad : c.pad + c.images.shape[3]]


def backward_hints(c: Convolution, dout: Tensor) -> dict[str, list[Hint]]:
    """Return what typical mistakes make of the gradients."""
    right = dict(zip(("dx", "dw", "db"), c.grads(dout), strict=True))
    flipped = replace(c, filters=c.filters.flip(2, 3)).grads(dout)[0]
    padded = replace(c, images=F.pad(c.images, (c.pad,) * 4), pad=0).grads(dout)[0]
    side_by_side = c.grads(dout, stride=1)
    overlap = "where windows overlap, gradients add up; one has taken the place of another"
    no_stride = "the stride was forgotten: neighbors in dout belong `stride` pixels apart"
    return {
        "dx": [
            Hint(padded, says="the padding is still around dx; cut it off"),
            Hint(flipped, says="the filters were flipped"),
            Hint(side_by_side[0], says=no_stride),
            Hint(right["dx"] / len(c.images), says="divided by the number of images; the loss does that"),
            Hint(overwritten(c, dout, backwards=False), says=overlap),
            Hint(overwritten(c, dout, backwards=True), says=overlap),
        ],
        "dw": [
            Hint(right["dw"].flip(2, 3), says="the filters' gradients are flipped"),
            Hint(side_by_side[1], says=no_stride),
            Hint(right["dw"] / len(c.images), says="divided by the number of images; the loss does that"),
        ],
        "db": [
            Hint(dout.sum(dim=(0, 1, 2)), says="summed over the filters; sum over images and places"),
            Hint(dout.sum(dim=(1, 2, 3)), says="summed over the filters; sum over images and places"),
            Hint(dout.mean(dim=(0, 2, 3)), says="averaged; the gradients of all places add up"),
            Hint(dout[:, :, 0, 0].sum(dim=0), says="only one place counted"),
        ],
    }


def check_backward(c: Convolution, dout: Tensor, what: str = "") -> None:
    """Compare the student's gradients with the right ones."""
    check_gradients(c, dout, cn.Conv.backward(dout.clone(), (*c.tensors(), c.param)), what)


def check_gradients(c: Convolution, dout: Tensor, found: object, what: str = "") -> None:
    """Compare what backward returned with the right gradients."""
    hints = backward_hints(c, dout)
    for name, one, right in zip(hints, three(found), c.grads(dout), strict=True):
        checks.close(one, right, what=f"the gradient {name}{what}", hints=hints[name])


def three(found: object) -> tuple[Any, ...]:
    """Return the gradients."""
    return checks.parts(found, 3, what="the gradients dx, dw, db of Conv.backward")


@pytest.mark.task("conv_backward", weight=3)
def test_backward() -> None:
    """Gradients of a convolution: without padding, at stride 1."""
    check_backward(PLAIN, normal("dout", shape=PLAIN.out().shape))


@pytest.mark.task("conv_backward", weight=2)
def test_backward_with_padding() -> None:
    """Gradients of a convolution: the padding gets none."""
    check_backward(PADDED, normal("dout/pad", shape=PADDED.out().shape))


@pytest.mark.task("conv_backward", weight=3)
def test_backward_with_strides() -> None:
    """Gradients of a convolution: strides of 2 and 3; pixels of a remainder get none."""
    for name, c in STRIDES.items():
        check_backward(c, normal(f"dout/{name}", shape=c.out().shape), f" with {name}")


@pytest.mark.task("conv_backward", weight=2)
def test_backward_in_float32() -> None:
    """Gradients of a convolution: in the dtype of the images and close to those in float64."""
    check_backward(LAST.to(torch.float32), normal("float", shape=LAST.out().shape, dtype=torch.float32))


@pytest.mark.task("conv_backward", weight=2)
def test_backward_in_scattered_memory() -> None:
    """Gradients of a convolution: a gradient may be non-contiguous in memory."""
    dout = normal("scattered", shape=LAST.out().shape)
    cache = (scattered(LAST.images), scattered(LAST.filters), LAST.biases.clone(), LAST.param)
    check_gradients(LAST, dout, cn.Conv.backward(scattered(dout), cache))


@pytest.mark.task("conv_backward", weight=1)
def test_backward_of_two_batches() -> None:
    """Gradients of a convolution: the given cache is used, not that of another call."""
    dout = normal("batches", shape=LAST.out().shape)
    other = case("other", tuple(LAST.images.shape), (4, 3, 2), 2, 1)
    cn.Conv.backward(dout.clone(), (*other.tensors(), other.param))
    found = three(cn.Conv.backward(dout.clone(), (*LAST.tensors(), LAST.param)))
    for name, one, right, stale in zip(
        ("dx", "dw", "db"), found, LAST.grads(dout), other.grads(dout), strict=True
    ):
        hints = [Hint(stale, says="these are the gradients of an earlier call; use the given cache")]
        checks.close(one, right, what=f"the gradient {name}", hints=hints)


@pytest.mark.task("conv_backward", weight=3)
def test_backward_is_the_adjoint() -> None:
    """Gradients of a convolution: <A x, y> = <x, A' y>, for filters as for images."""
    c = case("adjoint", (4, 3, 11, 8), (5, 4, 3), 2, 1)
    y = normal("adjoint/y", shape=c.out().shape)
    images = replace(c, biases=torch.zeros_like(c.biases)).out()
    product = float((images * y).sum())
    dx, dw, _ = three(cn.Conv.backward(y.clone(), (*c.tensors(), c.param)))
    for name, v, g in (("dx", c.images, dx), ("dw", c.filters, dw)):
        g = checks.tensor(g, shape=v.shape, dtype=torch.float64, what=f"the gradient {name}")
        checks.close(float((v * g).sum()), product, what=f"the product with {name}", operation="cancellation")


@pytest.mark.constraint
@pytest.mark.task("conv_backward", weight=2)
def test_backward_inputs_unchanged() -> None:
    """Gradients of a convolution: neither the upstream gradient nor the cache is modified."""
    dout = normal("kept", shape=LAST.out().shape)
    given, (x, w, b) = dout.clone(), LAST.tensors()
    check_gradients(LAST, dout, cn.Conv.backward(given, (x, w, b, LAST.param)))
    for name, before, after in (("dout", dout, given), ("x", LAST.images, x), ("w", LAST.filters, w)):
        checks.unchanged(before, after, what=f"the argument {name}")


@pytest.mark.constraint
@pytest.mark.task("conv_backward", weight=2)
def test_backward_source() -> None:
    """Gradients of a convolution: of torch.nn only the padding is used, and no automatic differentiation."""
    require(cn.Conv.backward, banned=CONVOLUTION, allowed=PADDING)
