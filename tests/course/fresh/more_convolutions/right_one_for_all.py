"""Relatives of convolution."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def _slide(x: Tensor, sizes: tuple[int, ...], stride: int, dilation: int = 1) -> Tensor:
    """All windows of the last axes: (N, C, *places, *sizes)."""
    for axis, size in enumerate(sizes, start=2):
        x = x.unfold(axis, dilation * (size - 1) + 1, stride)
    # every window axis keeps only each dilation-th entry
    return x[(..., *[slice(None, None, dilation)] * len(sizes))]


def _pad(x: Tensor, pad: int) -> Tensor:
    if not pad:
        return x
    for axis in range(2, x.ndim):
        border = list(x.shape)
        border[axis] = pad
        zeros = torch.zeros(border, dtype=x.dtype, device=x.device)
        x = torch.cat([zeros, x, zeros], dim=axis)
    return x


def _conv(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int, dilation: int = 1, groups: int = 1) -> Tensor:
    dims = w.ndim - 2
    windows = _slide(_pad(x, pad), tuple(w.shape[2:]), stride, dilation)
    places = windows.shape[2 : 2 + dims]
    n = x.shape[0]
    # (N, G, C/G * K, L) from (N, G, C/G, places, sizes)
    columns = windows.reshape(n, groups, x.shape[1] // groups, math.prod(places), -1)
    columns = columns.transpose(2, 3).flatten(3)
    rows = w.reshape(groups, w.shape[0] // groups, -1)
    out = torch.matmul(rows, columns.transpose(2, 3))
    out = out.reshape(n, w.shape[0], *places)
    return out + b.reshape(-1, *[1] * dims)


def im2col(x: Tensor, height: int, width: int, stride: int = 1, pad: int = 0) -> Tensor:
    windows = _slide(_pad(x, pad), (height, width), stride)
    n, c = windows.shape[:2]
    return windows.reshape(n, c, -1, height * width).transpose(2, 3).reshape(n, c * height * width, -1)


def average_pool(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return _slide(x, (height, width), stride).flatten(-2).mean(-1)


def dilated_conv(x: Tensor, w: Tensor, b: Tensor, stride: int = 1, pad: int = 0, dilation: int = 1) -> Tensor:
    return _conv(x, w, b, stride, pad, dilation=dilation)


def grouped_conv(x: Tensor, w: Tensor, b: Tensor, stride: int = 1, pad: int = 0, groups: int = 1) -> Tensor:
    return _conv(x, w, b, stride, pad, groups=groups)


def transposed_conv(x: Tensor, w: Tensor, b: Tensor, stride: int = 1, pad: int = 0) -> Tensor:
    # put zeros between the pixels, then an ordinary convolution with the filter turned around
    n, c, height, width = x.shape
    spread = torch.zeros(n, c, (height - 1) * stride + 1, (width - 1) * stride + 1, dtype=x.dtype, device=x.device)
    spread[:, :, ::stride, ::stride] = x
    hh, ww = w.shape[2:]
    wide = torch.zeros(
        n, c, spread.shape[2] + 2 * hh - 2, spread.shape[3] + 2 * ww - 2, dtype=x.dtype, device=x.device
    )
    wide[:, :, hh - 1 : hh - 1 + spread.shape[2], ww - 1 : ww - 1 + spread.shape[3]] = spread
    out = _conv(wide, w.transpose(0, 1).flip(-1).flip(-2), b, 1, 0)
    return out[:, :, pad : out.shape[2] - pad, pad : out.shape[3] - pad]


def conv1d(x: Tensor, w: Tensor, b: Tensor, stride: int = 1, pad: int = 0) -> Tensor:
    return _conv(x, w, b, stride, pad)


def conv3d(x: Tensor, w: Tensor, b: Tensor, stride: int = 1, pad: int = 0) -> Tensor:
    return _conv(x, w, b, stride, pad)
