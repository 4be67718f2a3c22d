"""Public checks of the relatives of convolution: numbers that can be worked out by hand."""

import more_convolutions as more
import pytest
import torch

from helpers.testing import checks

IMAGE = torch.tensor([[[[1.0, 2.0, 0.0, 1.0], [0.0, 1.0, 3.0, 1.0], [2.0, 0.0, 1.0, 0.0]]]])
FILTER = torch.tensor([[[[1.0, 0.0], [2.0, -1.0]]]])
BIAS = torch.tensor([10.0])
WINDOWS = torch.tensor(
    [[[[1.0, 1.0, 2.0, 4.0], [5.0, 6.0, 7.0, 8.0], [3.0, 2.0, 1.0, 0.0], [1.0, 2.0, 3.0, 4.0]]]]
)


@pytest.mark.task("im2col", weight=1)
def test_columns_by_hand() -> None:
    """Columns: the windows of 2 x 2 of an image of 3 x 4."""
    found = more.im2col(IMAGE.clone(), 2, 2, stride=2)
    checks.equal(found, torch.tensor([[[1.0, 0.0], [2.0, 1.0], [0.0, 3.0], [1.0, 1.0]]]), what="the columns")


@pytest.mark.task("average_pool", weight=1)
def test_average_pooling_by_hand() -> None:
    """Average pooling: 4 x 4 numbers in windows of 2 x 2."""
    right = torch.tensor([[[[3.25, 5.25], [2.0, 2.0]]]])
    checks.close(more.average_pool(WINDOWS.clone(), 2, 2, 2), right, what="the means")


@pytest.mark.task("dilated_conv", weight=1)
def test_dilated_convolution_by_hand() -> None:
    """Dilated convolution: a filter of 2 x 2 that sees 3 x 3 pixels."""
    found = more.dilated_conv(IMAGE.clone(), FILTER.clone(), BIAS.clone(), dilation=2)
    checks.close(found, torch.tensor([[[[14.0, 12.0]]]]), what="the result")


@pytest.mark.task("grouped_conv", weight=1)
def test_grouped_convolution_by_hand() -> None:
    """Grouped convolution: two channels, each with a filter of its own."""
    x = torch.cat([IMAGE, 2 * IMAGE], dim=1)
    w = torch.tensor([2.0, 3.0]).reshape(2, 1, 1, 1)
    found = more.grouped_conv(x, w, torch.zeros(2), groups=2)
    checks.close(found, torch.cat([2 * IMAGE, 6 * IMAGE], dim=1), what="the result")


@pytest.mark.task("transposed_conv", weight=1)
def test_transposed_convolution_by_hand() -> None:
    """Transposed convolution: two pixels, stamped side by side."""
    x = torch.tensor([[[[1.0, 3.0]]]])
    found = more.transposed_conv(x, FILTER.clone(), torch.zeros(1), stride=2)
    checks.close(found, torch.tensor([[[[1.0, 0.0, 3.0, 0.0], [2.0, -1.0, 6.0, -3.0]]]]), what="the result")


@pytest.mark.task("conv_1d_3d", weight=1)
def test_other_dimensions_by_hand() -> None:
    """Convolution of a sequence, and of a volume: differences of neighbors."""
    x, w = torch.tensor([[[1.0, 4.0, 9.0, 16.0]]]), torch.tensor([[[-1.0, 1.0]]])
    right = torch.tensor([[[3.0, 5.0, 7.0]]])
    checks.close(more.conv1d(x, w, torch.zeros(1)), right, what="the differences in time")
    volume, filters = x.reshape(1, 1, 4, 1, 1), w.reshape(1, 1, 2, 1, 1)
    found = more.conv3d(volume, filters, torch.zeros(1))
    checks.close(found, right.reshape(1, 1, 3, 1, 1), what="the differences in depth")
