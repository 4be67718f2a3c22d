"""Public checks of the relatives of convolution: numbers that can be worked out by hand."""

import more_convolutions as more
import pytest
import torch
import torch.nn.functional as F

from helpers.testing import Hint, checks

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
    right = torch.tensor([[[1.0, 0.0], [2.0, 1.0], [0.0, 3.0], [1.0, 1.0]]])
    hints = [
        Hint(F.unfold(IMAGE, 2), "the stride was forgotten"),
        Hint(right.transpose(1, 2), "rows and columns of the result are swapped"),
    ]
    checks.equal(found, right, what="the columns", hints=hints)


@pytest.mark.task("average_pool", weight=1)
def test_average_pooling_by_hand() -> None:
    """Average pooling: 4 x 4 numbers in windows of 2 x 2."""
    right = torch.tensor([[[[3.25, 5.25], [2.0, 2.0]]]])
    hints = [
        Hint(4 * right, "the sum was taken"),
        Hint(F.max_pool2d(WINDOWS, 2), "the largest value was taken"),
    ]
    checks.close(more.average_pool(WINDOWS.clone(), 2, 2, 2), right, what="the means", hints=hints)


@pytest.mark.task("dilated_conv", weight=1)
def test_dilated_convolution_by_hand() -> None:
    """Dilated convolution: a filter of 2 x 2 that sees 3 x 3 pixels."""
    found = more.dilated_conv(IMAGE.clone(), FILTER.clone(), BIAS.clone(), dilation=2)
    dense, right = F.conv2d(IMAGE, FILTER, BIAS), torch.tensor([[[[14.0, 12.0]]]])
    hints = [
        Hint(dense, "the dilation was forgotten"),
        Hint(dense[:, :, :1, :2], "the entries of a filter lie side by side"),
        Hint(right - 10, "the bias was forgotten"),
        Hint(F.conv2d(IMAGE, FILTER.flip(2, 3), BIAS, dilation=2), "the filters were flipped"),
    ]
    checks.close(found, right, what="the result", hints=hints)


@pytest.mark.task("grouped_conv", weight=1)
def test_grouped_convolution_by_hand() -> None:
    """Grouped convolution: two channels, each with a filter of its own."""
    x = torch.cat([IMAGE, 2 * IMAGE], dim=1)
    w = torch.tensor([2.0, 3.0]).reshape(2, 1, 1, 1)
    found = more.grouped_conv(x, w, torch.zeros(2), groups=2)
    others = torch.cat([4 * IMAGE, 3 * IMAGE], dim=1)
    hints = [Hint(others, "the filters of a group saw the channels of another")]
    checks.close(found, torch.cat([2 * IMAGE, 6 * IMAGE], dim=1), what="the result", hints=hints)


@pytest.mark.task("transposed_conv", weight=1)
def test_transposed_convolution_by_hand() -> None:
    """Transposed convolution: two pixels, stamped side by side."""
    x = torch.tensor([[[[1.0, 3.0]]]])
    found = more.transposed_conv(x, FILTER.clone(), torch.zeros(1), stride=2)
    right = torch.tensor([[[[1.0, 0.0, 3.0, 0.0], [2.0, -1.0, 6.0, -3.0]]]])
    hints = [Hint(F.conv_transpose2d(x, FILTER.flip(2, 3), stride=2), "the filters were flipped")]
    checks.close(found, right, what="the result", hints=hints)


@pytest.mark.task("conv_1d_3d", weight=3)
def test_other_dimensions_by_hand() -> None:
    """Convolution of a sequence, and of a volume: differences of neighbors."""
    x, w = torch.tensor([[[1.0, 4.0, 9.0, 16.0]]]), torch.tensor([[[-1.0, 1.0]]])
    right = torch.tensor([[[3.0, 5.0, 7.0]]])
    flipped = "the filters were flipped"
    found = more.conv1d(x, w, torch.zeros(1))
    checks.close(found, right, what="the differences in time", hints=[Hint(-right, flipped)])
    volume, filters = x.reshape(1, 1, 4, 1, 1), w.reshape(1, 1, 2, 1, 1)
    found = more.conv3d(volume, filters, torch.zeros(1))
    right = right.reshape(1, 1, 3, 1, 1)
    checks.close(found, right, what="the differences in depth", hints=[Hint(-right, flipped)])
