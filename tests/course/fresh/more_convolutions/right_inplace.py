"""Sums over the entries of a filter, added into a result that begins with the biases."""

from __future__ import annotations

from itertools import product

import torch


def _with_border(x: torch.Tensor, pad: int) -> torch.Tensor:
    sizes = [size + 2 * pad for size in x.shape[2:]]
    out = torch.zeros(*x.shape[:2], *sizes, dtype=x.dtype, device=x.device)
    middle = tuple(slice(pad, pad + size) for size in x.shape[2:])
    out[(slice(None), slice(None), *middle)] = x
    return out


def _count(size, filter_size, stride, dilation=1):
    return (size - dilation * (filter_size - 1) - 1) // stride + 1


def im2col(x: torch.Tensor, height: int, width: int, stride: int = 1, pad: int = 0) -> torch.Tensor:
    x = _with_border(x, pad)
    N, C, H, W = x.shape
    rows, columns = _count(H, height, stride), _count(W, width, stride)
    out = torch.empty(N, C, height, width, rows, columns, dtype=x.dtype, device=x.device)
    for i in range(height):
        for j in range(width):
            out[:, :, i, j] = x[:, :, i : i + stride * rows : stride, j : j + stride * columns : stride][
                :, :, :rows, :columns
            ]
    return out.view(N, C * height * width, rows * columns)


def average_pool(x: torch.Tensor, height: int, width: int, stride: int) -> torch.Tensor:
    N, C, H, W = x.shape
    rows, columns = _count(H, height, stride), _count(W, width, stride)
    out = torch.zeros(N, C, rows, columns, dtype=x.dtype, device=x.device)
    for i in range(height):
        for j in range(width):
            out += x[:, :, i : i + stride * (rows - 1) + 1 : stride, j : j + stride * (columns - 1) + 1 : stride]
    out /= height * width
    return out


def _convolve_into(out, x, w, stride, dilation=1):
    """Add the convolution of x with w to out, of any number of dimensions."""
    sizes = out.shape[2:]
    for entry in product(*(range(size) for size in w.shape[2:])):
        where = [slice(k * dilation, k * dilation + stride * (n - 1) + 1, stride) for k, n in zip(entry, sizes)]
        pixels = x[(slice(None), slice(None), *where)]
        weights = w[(slice(None), slice(None), *entry)]
        out += torch.einsum("nc...,fc->nf...", pixels, weights)


def dilated_conv(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0, dilation: int = 1
) -> torch.Tensor:
    x = _with_border(x, pad)
    rows = _count(x.shape[2], w.shape[2], stride, dilation)
    columns = _count(x.shape[3], w.shape[3], stride, dilation)
    out = b.view(1, -1, 1, 1).repeat(len(x), 1, rows, columns)
    _convolve_into(out, x, w, stride, dilation)
    return out


def grouped_conv(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0, groups: int = 1
) -> torch.Tensor:
    x = _with_border(x, pad)
    F, size = w.shape[:2]
    rows, columns = _count(x.shape[2], w.shape[2], stride), _count(x.shape[3], w.shape[3], stride)
    out = b.view(1, -1, 1, 1).repeat(len(x), 1, rows, columns)
    for g in range(groups):
        filters = range(g * F // groups, (g + 1) * F // groups)
        part = out[:, filters.start : filters.stop]
        _convolve_into(part, x[:, g * size : (g + 1) * size], w[filters.start : filters.stop], stride)
    return out


def transposed_conv(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0
) -> torch.Tensor:
    N, C, H, W = x.shape
    F, HH, WW = w.shape[1:]
    out = torch.zeros(N, F, (H - 1) * stride + HH, (W - 1) * stride + WW, dtype=x.dtype, device=x.device)
    for i, j in product(range(HH), range(WW)):
        part = torch.tensordot(w[:, :, i, j], x, dims=([0], [1]))  # (F, N, H, W)
        out[:, :, i : i + stride * (H - 1) + 1 : stride, j : j + stride * (W - 1) + 1 : stride] += part.swapaxes(0, 1)
    out = out.narrow(2, pad, out.shape[2] - 2 * pad).narrow(3, pad, out.shape[3] - 2 * pad)
    out += b.view(-1, 1, 1)
    return out


def conv1d(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0) -> torch.Tensor:
    x = _with_border(x, pad)
    out = b.view(1, -1, 1).repeat(len(x), 1, _count(x.shape[2], w.shape[2], stride))
    _convolve_into(out, x, w, stride)
    return out


def conv3d(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0) -> torch.Tensor:
    x = _with_border(x, pad)
    counts = [_count(size, side, stride) for size, side in zip(x.shape[2:], w.shape[2:])]
    out = b.view(1, -1, 1, 1, 1).repeat(len(x), 1, *counts)
    _convolve_into(out, x, w, stride)
    return out
