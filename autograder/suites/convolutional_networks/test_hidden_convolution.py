"""Hidden tests of convolution, forward.

Expected values come from `torch.nn.functional`, in float64.
"""

from dataclasses import replace
from typing import Any

import convolutional_networks as cn
import pytest
import torch
import torch.nn.functional as F
from suite.convolutions import LAST, PADDED, PLAIN, SAME, STRIDES, Convolution, normal
from suite.rules import CONVOLUTION, PADDING

from helpers.testing import Hint, checks, require, scattered


def first(found: object) -> Any:
    """Return the result of a forward pass."""
    return checks.parts(found, 2, what="the result and the cache of Conv.forward")[0]


def forward_hints(c: Convolution) -> list[Hint]:
    """Return what typical mistakes make of a convolution."""
    right, (x, w, b) = c.out(), c.tensors()
    options = {"stride": c.stride, "padding": c.pad}
    edges = F.pad(x, (c.pad,) * 4, mode="replicate")
    return [
        Hint(
            F.conv2d(x, w.flip(2, 3), b, **options), says="the filters were flipped; lay them on as they are"
        ),
        Hint(F.conv2d(x, w, **options), says="the bias was forgotten"),
        Hint(F.conv2d(x, w, b, stride=c.stride), says="the padding was forgotten"),
        Hint(F.conv2d(x, w, b, padding=c.pad), says="the stride was forgotten"),
        Hint(right[:, :, :-1, :-1], says="the last place of each row and column is missing"),
        Hint(right.transpose(2, 3), says="height and width are swapped"),
        Hint(F.conv2d(edges, w, b, stride=c.stride), says="padded by copies of the border; pad by zeros"),
    ]


def check_forward(c: Convolution, what: str = "the result") -> None:
    """Compare the student's result with the right one."""
    out = first(cn.Conv.forward(*c.tensors(), c.param))
    checks.close(out, c.out(), what=what, hints=forward_hints(c))


@pytest.mark.task("conv_forward", weight=3)
def test_forward() -> None:
    """Convolution: filters and images that are higher than wide, or wider than high."""
    check_forward(PLAIN)


@pytest.mark.task("conv_forward", weight=2)
def test_forward_with_padding() -> None:
    """Convolution: images are padded by zeros."""
    check_forward(PADDED)


@pytest.mark.task("conv_forward", weight=3)
def test_forward_with_strides() -> None:
    """Convolution: strides of 2 and 3, with a remainder or without."""
    for name, c in STRIDES.items():
        check_forward(c, f"the result with {name}")


@pytest.mark.task("conv_forward", weight=2)
def test_forward_in_float32() -> None:
    """Convolution: the result is in the dtype of the images and close to that in float64."""
    check_forward(LAST.to(torch.float32))


@pytest.mark.task("conv_forward", weight=2)
def test_forward_in_scattered_memory() -> None:
    """Convolution: images and filters may be non-contiguous in memory."""
    x, w, b = LAST.tensors()
    out = first(cn.Conv.forward(scattered(x), scattered(w), b, LAST.param))
    checks.close(out, LAST.out(), what="the result", hints=forward_hints(LAST))


@pytest.mark.task("conv_forward", weight=2)
def test_forward_keeps_the_size() -> None:
    """Convolution: ten 5 x 5 filters, stride 1 and pad 2, make 10 x 32 x 32 of 3 x 32 x 32."""
    check_forward(SAME)


@pytest.mark.task("conv_forward", weight=2)
def test_forward_of_one_image_at_a_time() -> None:
    """Convolution: an image gives the same in a batch and alone."""
    c = STRIDES["stride 2, pad 1 and a remainder"]
    for n, image in enumerate(c.images.split(1)):
        out = first(cn.Conv.forward(image.clone(), c.filters.clone(), c.biases.clone(), c.param))
        alone = replace(c, images=image)
        what = f"the result for image {n} alone"
        checks.close(out, c.out()[n : n + 1], what=what, hints=forward_hints(alone))


@pytest.mark.task("conv_forward", weight=2)
def test_forward_of_a_shifted_image() -> None:
    """Convolution: if the image shifts by a pixel, so does the result; by the stride, by one place."""
    for stride in (1, 2):
        image = F.pad(normal("shift", shape=(1, 2, 4, 5)), (4, 4, 4, 4))
        shifted = image.roll((stride, stride), dims=(2, 3))
        w = normal("shift/w", shape=(2, 2, 3, 2))
        b = torch.zeros(2).double()
        param = {"stride": stride, "pad": 0}
        right = F.conv2d(image, w, b, stride=stride)
        one = first(cn.Conv.forward(image.clone(), w.clone(), b.clone(), dict(param)))
        other = first(cn.Conv.forward(shifted.clone(), w.clone(), b.clone(), dict(param)))
        checks.close(one, right, what="the result")
        checks.close(other, right.roll((1, 1), dims=(2, 3)), what="the shifted result")


@pytest.mark.task("conv_forward", weight=2)
def test_two_convolutions_are_one() -> None:
    """Convolution: two in a row give the same as one with the composed filters."""
    x = normal("two/x", shape=(2, 2, 7, 8))
    w = normal("two/w", shape=(3, 2, 3, 2))
    v = normal("two/v", shape=(4, 3, 2, 3))
    zeros, param = torch.zeros(4).double(), {"stride": 1, "pad": 0}
    once = first(cn.Conv.forward(x.clone(), w.clone(), zeros[:3].clone(), dict(param)))
    once = checks.tensor(once, shape=(2, 3, 5, 7), dtype=torch.float64, what="the first result")
    twice = first(cn.Conv.forward(once, v.clone(), zeros.clone(), dict(param)))
    composed = F.conv2d(w.permute(1, 0, 2, 3), v.flip(2, 3), padding=(1, 2)).permute(1, 0, 2, 3)
    checks.close(twice, F.conv2d(x, composed), what="the second result")


@pytest.mark.task("conv_forward", weight=2)
def test_one_by_one_filters() -> None:
    """Convolution: 1 x 1 filters do at each pixel what a linear layer does."""
    x = normal("one/x", shape=(2, 3, 4, 5))
    w = normal("one/w", shape=(6, 3, 1, 1))
    b = normal("one/b", shape=(6,))
    out = first(cn.Conv.forward(x.clone(), w.clone(), b.clone(), {"stride": 1, "pad": 0}))
    right = (x.permute(0, 2, 3, 1) @ w[:, :, 0, 0].T + b).permute(0, 3, 1, 2)
    checks.close(out, right, what="the result")


@pytest.mark.constraint
@pytest.mark.task("conv_forward", weight=2)
def test_forward_inputs_unchanged() -> None:
    """Convolution: neither images nor filters nor settings are modified."""
    x, w, b = LAST.tensors()
    param = LAST.param
    checks.close(first(cn.Conv.forward(x, w, b, param)), LAST.out(), what="the result")
    for name, before, after in zip(("x", "w", "b"), LAST.tensors(), (x, w, b), strict=True):
        checks.unchanged(before, after, what=f"the argument {name}")
    checks.unchanged(LAST.param, param, what="the argument conv_param")


@pytest.mark.constraint
@pytest.mark.task("conv_forward", weight=2)
def test_forward_source() -> None:
    """Convolution: of torch.nn only the padding is used."""
    require(cn.Conv.forward, banned=CONVOLUTION, allowed=PADDING)
