"""Hidden tests of convolution, forward.

Expected values come from `torch.nn.functional`, in float64.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import convolutional_networks as cn
import pytest
import torch
import torch.nn.functional as F
from suite.convolutions import EMPTY, LAST, OBLONG, PADDED, PLAIN, SAME, SHRUNK, STRIDES, Convolution, case
from torch import Tensor

from helpers.testing import Hint, asking, checks, scattered


def first(found: object) -> Any:
    """Return the result of a forward pass."""
    return checks.parts(found, 2, what="the result and the cache of Conv.forward")[0]


def forward_hints(c: Convolution) -> list[Hint]:
    """Return what typical mistakes make of a convolution; the words are the same in every check."""
    right, (x, w, b) = c.out(), c.tensors()
    exact = [value.double() for value in (x, w, b)]
    options = {"stride": c.stride, "padding": c.pad}
    bias = b[:, None, None]

    def of(x: Tensor, w: Tensor, b: Tensor | None, **how: int) -> Tensor:
        return F.conv2d(x, w, b, **how).to(right.dtype)

    x, w, b = exact
    edges = F.pad(x, (c.pad,) * 4, mode="replicate")
    height, width = right.shape[2:]
    square = F.pad(right, (0, height - width)) if height > width else right[..., :height]
    low, narrow = right.clone(), right.clone()
    low[:, :, -1], narrow[..., -1] = 0, 0
    missing = "the last place of each row and column is missing"
    side = "the result is as wide as it is high; H and W of the result differ"
    of_image, of_filters = (right[..., :count] for count in c.confused_sizes())
    rows, columns = (-(-size // c.stride) for size in c.images.shape[2:])

    def right_by_pixels(out: Tensor) -> bool:
        return checks.agrees(out[:, :, :rows, :columns], right[:, :, :rows, :columns])

    return [
        Hint(of(x, w.flip(2, 3), b, **options), says="the filters were flipped; lay them on as they are"),
        Hint(of(x, w, None, **options), says="the bias was forgotten"),
        Hint(right + (x.shape[1] - 1) * bias, says="the bias was added once for each channel"),
        Hint(of(x, w, b, stride=c.stride), says="the padding was forgotten"),
        Hint(of(x, w, b, padding=c.pad), says="the stride was forgotten"),
        Hint(of(x[:, -1:], w[:, -1:], b, **options), says="only the last channel counts; add up over all"),
        Hint(right[:, :, :-1, :-1], says=missing),
        Hint(right_by_pixels, says=PLACES, slip=True),
        Hint(low, says="the last row of the result is never filled"),
        Hint(narrow, says="the last column of the result is never filled"),
        Hint(square, says=side),
        Hint(of_image, says="the width of the result comes from the height of the image; take its width"),
        Hint(
            of_filters, says="the width of the result comes from the height of the filters; take their width"
        ),
        Hint(right.transpose(2, 3), says="height and width are swapped"),
        Hint(of(edges, w, b, stride=c.stride), says="padded by copies of the border; pad by zeros"),
    ]


PLACES = "the filter runs over the edge; there are 1 + (H + 2 * pad - HH) // stride places along the height"


def check_forward(c: Convolution, what: str = "the result") -> None:
    """Compare the student's result with the right one.

    If it ends in an exception, look for the slips that do: places beyond the edge, of which there are none
    where the stride divides the size and the pad makes up for the filter, and slices that are empty without
    a pad.
    """
    slips = [asking.Slip(PLACES, partial(compare_forward, LAST, what), sign="out of bounds")]
    if c.pad == 0:
        slips.append(asking.Slip(EMPTY, partial(compare_forward, replace(c, pad=1), what), sign=SHRUNK))
    asking.check_but_for(partial(compare_forward, c, what), *slips, what="Conv.forward")


@asking.one_slip()
def compare_forward(c: Convolution, what: str) -> None:
    """Compare the student's result with the right one, once."""
    out = first(asking.ask(cn.Conv.forward, *c.tensors(), c.param))
    checks.close(out, c.out(), what=what, hints=partial(forward_hints, c))


@pytest.mark.task("conv_forward", weight=2)
def test_forward() -> None:
    """Convolution: square images, without padding."""
    check_forward(PLAIN)


@pytest.mark.task("conv_forward", weight=2)
def test_forward_with_padding() -> None:
    """Convolution: images are padded by zeros."""
    check_forward(PADDED)


@pytest.mark.task("conv_forward", weight=2)
def test_forward_with_strides() -> None:
    """Convolution: strides of 2 and 3, with a remainder or without."""
    for name, c in STRIDES.items():
        check_forward(c, f"the result with {name}")


@pytest.mark.task("conv_forward", weight=1)
def test_forward_with_oblong_filters() -> None:
    """Convolution: images that are wider than high, and filters that are higher than wide, or wider."""
    for name, c in OBLONG.items():
        check_forward(c, f"the result with {name}")


@pytest.mark.task("conv_forward", weight=2)
def test_forward_in_float32() -> None:
    """Convolution: the result is in the dtype of the images and close to that in float64."""
    check_forward(LAST.to(torch.float32))


@asking.one_slip()
@pytest.mark.task("conv_forward", weight=1)
def test_forward_in_scattered_memory() -> None:
    """Convolution: images and filters may be non-contiguous in memory."""
    x, w, b = LAST.tensors()
    out = first(asking.ask(cn.Conv.forward, scattered(x), scattered(w), b, LAST.param))
    checks.close(out, LAST.out(), what="the result", hints=partial(forward_hints, LAST))


@pytest.mark.task("conv_forward", weight=1)
def test_forward_keeps_the_size() -> None:
    """Convolution: ten 5 x 5 filters, stride 1 and pad 2, make 10 x 32 x 32 of 3 x 32 x 32."""
    check_forward(SAME)


@pytest.mark.task("conv_forward", weight=1)
def test_forward_of_one_image_at_a_time() -> None:
    """Convolution: an image gives the same in a batch and alone."""
    c = STRIDES["stride 2, pad 1 and a remainder"]
    for n, image in enumerate(c.images.split(1)):
        check_forward(replace(c, images=image), f"the result for image {n} alone")


@pytest.mark.task("conv_forward", weight=1)
def test_forward_of_a_shifted_image() -> None:
    """Convolution: if the image shifts by a pixel, so does the result; by the stride, by one place."""
    for stride in (1, 2):
        c = case(f"shift {stride}", (1, 2, 6, 6), (2, 3, 3), stride, 4)
        for shift in (0, stride):
            check_forward(replace(c, images=c.images.roll((shift, shift), dims=(2, 3))))


@pytest.mark.task("conv_forward", weight=1)
def test_one_by_one_filters() -> None:
    """Convolution: 1 x 1 filters do at each pixel what a linear layer does."""
    check_forward(case("one", (2, 3, 5, 5), (7, 1, 1), 1, 0))
