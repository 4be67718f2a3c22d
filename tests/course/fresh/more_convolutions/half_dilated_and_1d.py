"""Relatives of convolution, forward only: each is a few lines on what the layers have taught.

Shapes: N images, C channels of H x W pixels, F filters. Of `torch.nn` you may use `torch.nn.functional.pad`
and nothing else, nor what PyTorch keeps of it under other names. All results are in the dtype of x, and no
function modifies its arguments. Wherever a filter or a window slides, a remainder is left out.
"""

from __future__ import annotations

import torch


def im2col(x: torch.Tensor, height: int, width: int, stride: int = 1, pad: int = 0) -> torch.Tensor:
    """Lay the windows of images out as columns, so that a convolution is one product of matrices.

    Parameters
    ----------
    x : Tensor of shape (N, C, H, W)
        Images, which are padded by `pad` zeros on all sides.
    height, width : int
        Size of a window.
    stride : int
        How far windows are apart.

    Returns
    -------
    Tensor of shape (N, C * height * width, L)
        Column l is window l, its numbers in the order (channel, row, column). The L windows are in the order
        in which one reads: from left to right, then down.
    """
    N, C, H, W = x.shape
    x = torch.nn.functional.pad(x, (pad, pad, pad, pad))
    rows = (H + 2 * pad - height) // stride + 1
    columns = (W + 2 * pad - width) // stride + 1


def average_pool(x: torch.Tensor, height: int, width: int, stride: int) -> torch.Tensor:
    """Pool images by the mean of each window instead of its largest value.

    Parameters
    ----------
    x : Tensor of shape (N, C, H, W)
        Images; nothing is padded.
    height, width, stride : int
        Size of a window, and how far windows are apart.

    Returns
    -------
    Tensor of shape (N, C, H', W')
        The means.
    """
    N, C, H, W = x.shape
    out = torch.zeros(N, C, (H - height) // stride + 1, (W - width) // stride + 1)
    return out


def dilated_conv(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0, dilation: int = 1
) -> torch.Tensor:
    """Convolve with filters whose entries are `dilation` pixels apart, so that each sees more of the image.

    The height of the result is (H + 2 * pad - dilation * (HH - 1) - 1) // stride + 1, and its width likewise.

    Parameters
    ----------
    x : Tensor of shape (N, C, H, W)
        Images.
    w : Tensor of shape (F, C, HH, WW)
        Filters.
    b : Tensor of shape (F,)
        Biases.
    stride, pad, dilation : int
        How far places are apart, how many zeros surround an image, and how far entries are apart.

    Returns
    -------
    Tensor of shape (N, F, H', W')
        The result.
    """
    F, _, HH, WW = w.shape
    height, width = dilation * (HH - 1) + 1, dilation * (WW - 1) + 1
    x = torch.nn.functional.pad(x, (pad, pad, pad, pad))
    out = torch.zeros(len(x), F, (x.shape[2] - height) // stride + 1, (x.shape[3] - width) // stride + 1).to(x)
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            place = x[:, :, i * stride:i * stride + height:dilation, j * stride:j * stride + width:dilation]
            out[:, :, i, j] = (place.unsqueeze(1) * w).sum((2, 3, 4)) + b
    return out


def grouped_conv(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0, groups: int = 1
) -> torch.Tensor:
    """Convolve groups of channels apart from one another, as AlexNet did on two cards.

    The first F / groups filters see the first C / groups channels, the next ones the next, and so on. With as
    many groups as channels, each filter sees a single one: a depthwise convolution.

    Parameters
    ----------
    x : Tensor of shape (N, C, H, W)
        Images; C is a multiple of `groups`.
    w : Tensor of shape (F, C / groups, HH, WW)
        Filters; F is a multiple of `groups`.
    b : Tensor of shape (F,)
        Biases.
    stride, pad, groups : int
        How far places are apart, how many zeros surround an image, and how many groups there are.

    Returns
    -------
    Tensor of shape (N, F, H', W')
        The result.
    """
    raise NotImplementedError("more_convolutions: grouped_conv")


def transposed_conv(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0
) -> torch.Tensor:
    """Make images larger: what the backward pass of a convolution does with its gradient.

    Each pixel of x, times the filter, is added into the result, `stride` pixels from where its neighbor
    went; where these stamps overlap, they add up. Then `pad` pixels are cut off on all four sides, and the
    bias is added. The height of the result is (H - 1) * stride + HH - 2 * pad, and its width likewise.

    Parameters
    ----------
    x : Tensor of shape (N, C, H, W)
        Images.
    w : Tensor of shape (C, F, HH, WW)
        Filters; mind the order, which is that of the convolution that this transposes.
    b : Tensor of shape (F,)
        Biases.
    stride, pad : int
        How far stamps are apart, and how many pixels are cut off.

    Returns
    -------
    Tensor of shape (N, F, H', W')
        The result.
    """
    raise NotImplementedError("more_convolutions: transposed_conv")


def conv1d(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0) -> torch.Tensor:
    """Convolve sequences, such as sound: filters slide along time.

    Parameters
    ----------
    x : Tensor of shape (N, C, T)
        Sequences, which are padded by `pad` zeros at both ends.
    w : Tensor of shape (F, C, K)
        Filters.
    b : Tensor of shape (F,)
        Biases.
    stride : int
        How far places are apart.

    Returns
    -------
    Tensor of shape (N, F, T')
        The result.
    """
    x = torch.nn.functional.pad(x, (pad, pad))
    out = [(x[:, None, :, t:t + w.shape[2]] * w).sum((2, 3)) + b for t in range(0, x.shape[2] - w.shape[2] + 1, stride)]
    return torch.stack(out, dim=-1)


def conv3d(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0) -> torch.Tensor:
    """Convolve volumes, such as scans or films: filters slide along depth, height and width.

    Parameters
    ----------
    x : Tensor of shape (N, C, D, H, W)
        Volumes, which are padded by `pad` zeros on all six sides.
    w : Tensor of shape (F, C, DD, HH, WW)
        Filters.
    b : Tensor of shape (F,)
        Biases.
    stride : int
        How far places are apart, in all three directions.

    Returns
    -------
    Tensor of shape (N, F, D', H', W')
        The result.
    """
    raise NotImplementedError("more_convolutions: conv3d")
