"""Hidden tests of the relatives of convolution, against `torch.nn.functional` in float64."""

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import more_convolutions as more
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.hidden import hidden_normal
from helpers.testing import Hint, checks, require

normal = partial(hidden_normal, "more")

ANYWHERE = ("torch.nn", "torch.autograd", "torch.func", "helpers", "scipy", ".cuda", ".requires_grad_")
"""What holds layers, works out gradients, or is not for every device."""
CONVOLUTIONS = ("torch.conv1d", "torch.conv2d", "torch.conv3d", "torch.convolution")
OTHERS = ("torch.mkldnn_convolution", "torch.avg_pool1d")
TRANSPOSED = ("torch.conv_transpose1d", "torch.conv_transpose2d", "torch.conv_transpose3d")
BANNED = (*ANYWHERE, *CONVOLUTIONS, *OTHERS, *TRANSPOSED)
PADDING = ("torch.nn.functional.pad",)
"""What is allowed although it lies in torch.nn."""


def check(
    function: Callable[..., Any], right: Tensor, *args: Any, hints: dict[str, Tensor], **settings: int
) -> None:
    """Compare a result with the right one, in float64 and in float32, and see that arguments are kept."""
    given = [value.clone() for value in args]
    found = function(*given, **settings)
    checks.close(found, right, what="the result", hints=[Hint(v, says) for says, v in hints.items()])
    for before, after in zip(args, given, strict=True):
        checks.unchanged(before, after, what="an argument")
    found = function(*(value.float() for value in args), **settings)
    checks.close(found, right.float(), what="the result in float32", operation="gradient")


def check_allowed(function: Callable[..., Any]) -> None:
    """Check that nothing of torch.nn but the padding is used."""
    require(function, banned=BANNED, allowed=PADDING)


X, B = normal("x", shape=(2, 4, 7, 9)), normal("b", shape=(6,))


@pytest.mark.task("im2col", weight=3)
def test_im2col() -> None:
    """Columns: windows with padding, strides and a remainder."""
    for height, width, stride, pad in ((3, 2, 1, 0), (2, 4, 2, 1), (3, 3, 3, 0)):
        right = F.unfold(X, (height, width), stride=stride, padding=pad)
        rows = right.unflatten(1, (4, -1)).transpose(1, 2).flatten(1, 2)
        hints = {
            "rows and columns of the result are swapped": right.transpose(1, 2),
            "within a column, the channel comes first": rows,
            "the padding was forgotten": F.unfold(X, (height, width), stride=stride),
            "the stride was forgotten": F.unfold(X, (height, width), padding=pad),
        }
        settings = {"height": height, "width": width, "stride": stride, "pad": pad}
        check(more.im2col, right, X, hints=hints, **settings)


@pytest.mark.constraint
@pytest.mark.task("im2col", weight=1)
def test_im2col_source() -> None:
    """Columns: of torch.nn only the padding is used."""
    check_allowed(more.im2col)


@pytest.mark.task("average_pool", weight=3)
def test_average_pool() -> None:
    """Average pooling: windows side by side, and overlapping ones."""
    for height, width, stride in ((2, 4, 3), (3, 2, 1), (2, 2, 2)):
        right = F.avg_pool2d(X, (height, width), stride=stride)
        hints = {
            "the sum was taken": right * height * width,
            "divided by the square of the stride; a window has height * width numbers": (
                right * height * width / stride**2
            ),
            "the largest value was taken": F.max_pool2d(X, (height, width), stride=stride),
        }
        check(more.average_pool, right, X, hints=hints, height=height, width=width, stride=stride)


@pytest.mark.constraint
@pytest.mark.task("average_pool", weight=1)
def test_average_pool_source() -> None:
    """Average pooling: nothing of torch.nn is used."""
    check_allowed(more.average_pool)


@pytest.mark.task("dilated_conv", weight=3)
def test_dilated_conv() -> None:
    """Dilated convolution: entries of a filter 1, 2 and 3 pixels apart."""
    w = normal("dilated", shape=(6, 4, 3, 2))
    for stride, pad, dilation in ((1, 0, 2), (2, 1, 3), (1, 2, 1)):
        options = {"stride": stride, "padding": pad}
        right, dense = F.conv2d(X, w, B, dilation=dilation, **options), F.conv2d(X, w, B, **options)
        hints = {
            "the dilation was forgotten": dense,
            "the entries of a filter lie side by side": dense[:, :, : right.shape[2], : right.shape[3]],
            "the bias was forgotten": right - B[:, None, None],
            "the filters were flipped": F.conv2d(X, w.flip(2, 3), B, dilation=dilation, **options),
        }
        settings = {"stride": stride, "pad": pad, "dilation": dilation}
        check(more.dilated_conv, right, X, w, B, hints=hints, **settings)


@pytest.mark.constraint
@pytest.mark.task("dilated_conv", weight=1)
def test_dilated_conv_source() -> None:
    """Dilated convolution: of torch.nn only the padding is used."""
    check_allowed(more.dilated_conv)


@pytest.mark.task("grouped_conv", weight=3)
def test_grouped_conv() -> None:
    """Grouped convolution: one group, two, and as many as channels."""
    for stride, pad, groups in ((1, 0, 2), (2, 1, 1), (2, 1, 4)):
        filters = 6 if groups < 4 else 8
        w = normal(f"grouped {groups}", shape=(filters, 4 // groups, 2, 3))
        b = normal(f"grouped/b {groups}", shape=(filters,))
        right = F.conv2d(X, w, b, stride=stride, padding=pad, groups=groups)
        bias = b[:, None, None]
        turned = (right - bias).unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2) + bias
        others = X.unflatten(1, (groups, -1)).flip(1).flatten(1, 2)
        hints = {
            "the filters are in another order: those of the first group come first": turned,
            "the filters of a group saw the channels of another": F.conv2d(
                others, w, b, stride=stride, padding=pad, groups=groups
            ),
            "all groups got the biases of the first; each filter has its own": (
                right - bias + b[: filters // groups].repeat(groups)[:, None, None]
            ),
        }
        check(more.grouped_conv, right, X, w, b, hints=hints, stride=stride, pad=pad, groups=groups)


@pytest.mark.constraint
@pytest.mark.task("grouped_conv", weight=1)
def test_grouped_conv_source() -> None:
    """Grouped convolution: of torch.nn only the padding is used."""
    check_allowed(more.grouped_conv)


def overwrite_stamps(w: Tensor, stride: int, pad: int) -> Tensor:
    """Return what comes of X if each stamp takes the place of those under it."""
    height, width = ((size - 1) * stride + side for size, side in zip(X.shape[2:], w.shape[2:], strict=True))
    out = X.new_zeros(len(X), w.shape[1], height, width)
    for i, j in itertools.product(range(X.shape[2]), range(X.shape[3])):
        top, left = i * stride, j * stride
        stamp = torch.einsum("nc,cfhw->nfhw", X[:, :, i, j], w)
        out[:, :, top : top + w.shape[2], left : left + w.shape[3]] = stamp
    return out[:, :, pad : height - pad, pad : width - pad] + B[:, None, None]


@pytest.mark.task("transposed_conv", weight=3)
def test_transposed_conv() -> None:
    """Transposed convolution: stamps that overlap or leave gaps, with borders cut off."""
    w = normal("transposed", shape=(4, 6, 3, 2))
    for stride, pad in ((1, 0), (2, 1), (3, 0)):
        right = F.conv_transpose2d(X, w, B, stride=stride, padding=pad)
        hints = {
            "the filters were flipped": F.conv_transpose2d(X, w.flip(2, 3), B, stride=stride, padding=pad),
            "nothing was cut off": F.conv_transpose2d(X, w, B, stride=stride),
            "the bias was forgotten": right - B[:, None, None],
            "stamps that overlap were overwritten; they add up": overwrite_stamps(w, stride, pad),
        }
        check(more.transposed_conv, right, X, w, B, hints=hints, stride=stride, pad=pad)


@pytest.mark.constraint
@pytest.mark.task("transposed_conv", weight=1)
def test_transposed_conv_source() -> None:
    """Transposed convolution: of torch.nn only the padding is used."""
    check_allowed(more.transposed_conv)


@pytest.mark.task("conv_1d_3d", weight=5)
def test_conv1d() -> None:
    """Convolution of sequences: with strides, pads and a remainder."""
    x, w = normal("sequence", shape=(3, 4, 11)), normal("sequence/w", shape=(6, 4, 3))
    for stride, pad in ((1, 0), (3, 1), (2, 2)):
        right = F.conv1d(x, w, B, stride=stride, padding=pad)
        hints = {"the filters were flipped": F.conv1d(x, w.flip(2), B, stride=stride, padding=pad)}
        check(more.conv1d, right, x, w, B, hints=hints, stride=stride, pad=pad)


@pytest.mark.task("conv_1d_3d", weight=5)
def test_conv3d() -> None:
    """Convolution of volumes: three different sizes, with strides and pads."""
    x, w = normal("volume", shape=(2, 2, 5, 4, 6)), normal("volume/w", shape=(6, 2, 3, 1, 2))
    for stride, pad in ((1, 0), (2, 1)):
        right = F.conv3d(x, w, B, stride=stride, padding=pad)
        flat = F.conv3d(x, w, B, stride=stride, padding=(0, pad, pad))
        hints = {
            "the filters were flipped": F.conv3d(x, w.flip(2, 3, 4), B, stride=stride, padding=pad),
            "the depth was not padded": flat,
        }
        check(more.conv3d, right, x, w, B, hints=hints, stride=stride, pad=pad)


@pytest.mark.constraint
@pytest.mark.task("conv_1d_3d", weight=2)
def test_conv_1d_3d_source() -> None:
    """Convolution of sequences and volumes: of torch.nn only the padding is used."""
    check_allowed(more.conv1d)
    check_allowed(more.conv3d)
