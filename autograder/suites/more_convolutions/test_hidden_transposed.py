"""Hidden tests of transposed convolution."""

from dataclasses import replace
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from suite.comparing import check, compare, fitting
from suite.relatives import convolution

from helpers.testing import scattered

transposed = partial(convolution, "transposed_conv")


@pytest.mark.task("transposed_conv", weight=1)
def test_stamps_at_each_pixel() -> None:
    """Transposed convolution: stamps one pixel apart."""
    check(transposed((2, 3, 4, 4), (3, 4, 3, 3), stride=1, pad=0))
    check(transposed((3, 2, 5, 5), (2, 3, 2, 2), stride=1, pad=0))


@pytest.mark.task("transposed_conv", weight=2)
def test_stamps_that_overlap() -> None:
    """Transposed convolution: stamps two pixels apart, of 3 x 3 and 4 x 4."""
    check(transposed((2, 3, 4, 4), (3, 4, 3, 3), stride=2, pad=0), "the result for stamps of 3 x 3")
    check(transposed((2, 2, 3, 3), (2, 5, 4, 4), stride=2, pad=0), "the result for stamps of 4 x 4")


@pytest.mark.task("transposed_conv", weight=2)
def test_stamps_that_leave_gaps() -> None:
    """Transposed convolution: stamps side by side, and with gaps in which there is the bias alone."""
    check(transposed((2, 3, 4, 4), (3, 4, 2, 2), stride=2, pad=0), "the result for stamps side by side")
    check(transposed((2, 3, 3, 3), (3, 4, 2, 2), stride=3, pad=0), "the result for stamps with gaps")


@pytest.mark.task("transposed_conv", weight=2)
def test_borders_that_are_cut_off() -> None:
    """Transposed convolution: one or two pixels are cut off on all four sides."""
    check(transposed((2, 3, 5, 5), (3, 4, 3, 3), stride=1, pad=1), "the result with stride 1, pad 1")
    check(transposed((2, 3, 4, 4), (3, 4, 4, 4), stride=2, pad=1), "the result with stride 2, pad 1")
    check(transposed((2, 2, 4, 4), (2, 3, 3, 3), stride=2, pad=2), "the result with stride 2, pad 2")


@pytest.mark.task("transposed_conv", weight=1)
def test_oblong_stamps() -> None:
    """Transposed convolution: images wider than high, and stamps higher than wide, or wider."""
    check(transposed((2, 3, 3, 5), (3, 4, 3, 2), stride=2, pad=0))
    check(transposed((3, 2, 4, 6), (2, 4, 2, 4), stride=1, pad=1))


@pytest.mark.task("transposed_conv", weight=1)
def test_stamps_in_float32() -> None:
    """Transposed convolution: the result is in the dtype of the images and close to that in float64."""
    case = fitting(transposed((2, 3, 3, 3), (3, 3, 3, 3), stride=3, pad=1))
    compare(case.to(torch.float32), "the result in float32")


@pytest.mark.task("transposed_conv", weight=1)
def test_stamps_in_scattered_memory() -> None:
    """Transposed convolution: images and filters may be non-contiguous in memory."""
    case = fitting(transposed((2, 3, 3, 3), (3, 3, 3, 3), stride=3, pad=1))
    compare(replace(case, tensors=tuple(map(scattered, case.tensors))), "the result for scattered memory")


@pytest.mark.task("transposed_conv", weight=1)
def test_it_is_the_way_back_of_a_convolution() -> None:
    """Transposed convolution: what comes back to an image through a convolution with the same filters."""
    case = transposed((2, 3, 3, 3), (3, 3, 3, 3), stride=3, pad=1)
    dout, w, b = case.tensors
    x = torch.zeros(2, 3, 7, 7, dtype=torch.float64, requires_grad=True)
    (dx,) = torch.autograd.grad(F.conv2d(x, w, stride=3, padding=1), x, dout)
    compare(replace(case, tensors=(dout, w, torch.zeros_like(b))), "the result without biases", dx)
