"""Relatives of convolution, forward only: each is a few lines on what the layers have taught.

Shapes: N images of C channels and H x W pixels, F filters of HH x WW. Every function works on any device and
in any floating-point dtype, and gives results in the dtype of x. No function modifies its arguments.

Windows and filters lie on an image, padded by `pad` zeros on all sides, at all places that are multiples of
`stride` apart, from the upper left corner on, as long as they lie within. A remainder on the right or below
is left out: there are 1 + (H + 2 * pad - HH) // stride places along the height, and likewise along the width.

What you may use: of `torch.nn` only `torch.nn.functional.pad`, and nothing that PyTorch keeps of it under
other names, such as `torch.conv2d`, nor layers of `helpers` or `scipy`. `Tensor.unfold` is no part of it, and
loops are allowed. PyTorch may not work out gradients (`torch.autograd`). Ask for no GPU (`.cuda()`), for
grading has none: new tensors belong where x is. The functions may call one another; a mistake in one of them
is not held against the others.
"""

from __future__ import annotations

import torch


def im2col(x: torch.Tensor, height: int, width: int, stride: int = 1, pad: int = 0) -> torch.Tensor:
    """Lay the windows of images out as columns, so that a convolution is one product of matrices.

    Parameters
    ----------
    x : Tensor of shape (N, C, H, W)
        Images.
    height, width : int
        Size of a window.
    stride, pad : int
        How far windows are apart, and how many zeros surround an image.

    Returns
    -------
    Tensor of shape (N, C * height * width, L)
        Column l is window l, its numbers in the order (channel, row, column): all of the first channel, row
        by row, then those of the next. The L windows are in the order in which one reads: from left to right,
        then down.
    """
    raise NotImplementedError("more_convolutions: im2col")


def average_pool(x: torch.Tensor, height: int, width: int, stride: int) -> torch.Tensor:
    """Pool images by the mean of each window instead of its largest value; nothing is padded.

    Parameters
    ----------
    x : Tensor of shape (N, C, H, W)
        Images.
    height, width, stride : int
        Size of a window, and how far windows are apart.

    Returns
    -------
    Tensor of shape (N, C, H', W')
        Entry [n, c, i, j] is the mean of the height * width numbers of a window.
    """
    raise NotImplementedError("more_convolutions: average_pool")


def dilated_conv(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0, dilation: int = 1
) -> torch.Tensor:
    """Convolve with filters whose entries are `dilation` pixels apart, so that each sees more of the image.

    With a dilation of 1, the entries are neighbors, and this is a plain convolution. A filter spans
    dilation * (HH - 1) + 1 pixels, so the height of the result is
    1 + (H + 2 * pad - dilation * (HH - 1) - 1) // stride, and its width likewise.

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
    raise NotImplementedError("more_convolutions: dilated_conv")


def grouped_conv(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0, groups: int = 1
) -> torch.Tensor:
    """Convolve groups of channels apart from one another, as AlexNet did on two cards.

    The first F / groups filters see the first C / groups channels, the next ones the next, and so on. With
    one group, this is a plain convolution. With as many groups as channels, each filter sees a single one: a
    depthwise convolution.

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
    went; where these stamps overlap, they add up, and between them there may be gaps of zeros. Then `pad`
    pixels are cut off on all four sides, and the bias is added to every pixel of the result. Its height is
    (H - 1) * stride + HH - 2 * pad, and its width likewise.

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
        Sequences.
    w : Tensor of shape (F, C, K)
        Filters.
    b : Tensor of shape (F,)
        Biases.
    stride, pad : int
        How far places are apart, and how many zeros are put at both ends.

    Returns
    -------
    Tensor of shape (N, F, T')
        The result.
    """
    raise NotImplementedError("more_convolutions: conv1d")


def conv3d(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0) -> torch.Tensor:
    """Convolve volumes, such as scans or films: filters slide along depth, height and width.

    Parameters
    ----------
    x : Tensor of shape (N, C, D, H, W)
        Volumes.
    w : Tensor of shape (F, C, DD, HH, WW)
        Filters.
    b : Tensor of shape (F,)
        Biases.
    stride, pad : int
        How far places are apart in all three directions, and how many zeros are put on all six sides.

    Returns
    -------
    Tensor of shape (N, F, D', H', W')
        The result.
    """
    raise NotImplementedError("more_convolutions: conv3d")
