"""Hidden tests of windows as columns, and of average pooling."""

import pytest
import torch
from suite.comparing import check, compare, fitting
from suite.relatives import Case, windows_of

from helpers.testing import scattered


def columns(x: tuple[int, ...], height: int, width: int, stride: int = 1, pad: int = 0) -> Case:
    """Return a case of windows as columns."""
    return windows_of("im2col", x, height, width, stride=stride, pad=pad)


def means(x: tuple[int, ...], height: int, width: int, stride: int) -> Case:
    """Return a case of average pooling."""
    return windows_of("average_pool", x, height, width, stride=stride)


def in_scattered_memory(case: Case) -> Case:
    """Return the same case with images that are not contiguous in memory."""
    return Case(case.name, (scattered(case.tensors[0]), *case.tensors[1:]), case.settings)


@pytest.mark.task("im2col", weight=1)
def test_columns() -> None:
    """Columns: square images, without padding."""
    check(columns((2, 3, 6, 6), 3, 3))
    check(columns((3, 4, 5, 5), 2, 2))


@pytest.mark.task("im2col", weight=2)
def test_columns_with_padding() -> None:
    """Columns: images are padded by zeros."""
    check(columns((2, 3, 5, 5), 3, 3, pad=1))
    check(columns((3, 2, 4, 4), 2, 2, pad=2))


@pytest.mark.task("im2col", weight=3)
def test_columns_with_strides() -> None:
    """Columns: strides of 2 and 3, with a remainder or without."""
    check(columns((2, 3, 7, 7), 3, 3, stride=2), "the result with stride 2")
    check(columns((3, 2, 8, 8), 3, 3, stride=2, pad=1), "the result with stride 2, pad 1 and a remainder")
    check(columns((2, 3, 6, 6), 2, 2, stride=3, pad=2), "the result with stride 3, larger than a window")


@pytest.mark.task("im2col", weight=1)
def test_columns_of_oblong_windows() -> None:
    """Columns: images wider than high, and windows higher than wide, or wider."""
    check(columns((2, 3, 5, 7), 3, 2))
    check(columns((3, 2, 6, 13), 2, 4, stride=2, pad=1))


@pytest.mark.task("im2col", weight=1)
def test_columns_in_float32() -> None:
    """Columns: in the dtype of the images, which may be scattered in memory."""
    case = fitting(columns((2, 3, 6, 6), 3, 3, pad=1))
    compare(case.to(torch.float32), "the result in float32")
    compare(in_scattered_memory(case), "the result for scattered memory")


@pytest.mark.task("im2col", weight=1)
def test_smallest_and_largest_windows() -> None:
    """Columns: windows of one pixel, and one window, as large as the image."""
    compare(columns((2, 3, 4, 4), 1, 1, pad=1), "the result for windows of one pixel")
    compare(columns((2, 3, 4, 4), 4, 4, stride=5, pad=1), "the result for one window")


@pytest.mark.task("average_pool", weight=1)
def test_windows_side_by_side() -> None:
    """Average pooling: windows side by side."""
    check(means((2, 3, 6, 6), 2, 2, 2))


@pytest.mark.task("average_pool", weight=1)
def test_windows_that_overlap() -> None:
    """Average pooling: windows that overlap, by one row or more."""
    check(means((2, 3, 7, 7), 3, 3, 2), "the result with stride 2")
    check(means((3, 2, 5, 5), 3, 3, 1), "the result with stride 1")


@pytest.mark.task("average_pool", weight=1)
def test_windows_that_leave_a_remainder() -> None:
    """Average pooling: what is left over on the right and below, and between windows, is left out."""
    check(means((2, 3, 8, 8), 3, 3, 3), "the result with stride 3")
    check(means((2, 3, 8, 8), 2, 2, 3), "the result with stride 3, larger than a window")


@pytest.mark.task("average_pool", weight=1)
def test_means_of_oblong_windows() -> None:
    """Average pooling: images wider than high, and windows higher than wide, or wider."""
    check(means((2, 3, 5, 7), 3, 2, 1))
    check(means((3, 2, 6, 13), 2, 4, 2))


@pytest.mark.task("average_pool", weight=1)
def test_means_in_float32() -> None:
    """Average pooling: in the dtype of the images, which may be scattered in memory."""
    case = fitting(means((2, 3, 6, 6), 3, 3, 3))
    compare(case.to(torch.float32), "the result in float32")
    compare(in_scattered_memory(case), "the result for scattered memory")
