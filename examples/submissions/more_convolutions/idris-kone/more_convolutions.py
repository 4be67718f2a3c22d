from __future__ import annotations

import itertools


import torch
from torch.nn.functional import pad as _pad


def _windows(x, sizes, stride, pad=0, dilation=1):
    """Return all windows of an image of any number of dimensions: (N, C, *places, *sizes)."""
    n = len(sizes)
    x = _pad(x, (pad, pad) * n)
    places = [(x.shape[2 + d] - dilation * (k - 1) - 1) // stride + 1 for d, k in enumerate(sizes)]
    x = x.contiguous()
    steps = x.stride()
    return torch.as_strided(
        x,
        (*x.shape[:2], *places, *sizes),
        (*steps[:2], *(s * stride for s in steps[2:]), *(s * dilation for s in steps[2:])),
    )


def _convolve(x, w, b, stride, pad, dilation=1):
    n = w.dim() - 2
    windows = _windows(x, w.shape[2:], stride, pad, dilation)
    inner = [1, *range(2 + n, 2 + 2 * n)]
    out = torch.tensordot(windows, w, dims=(inner, [1, *range(2, 2 + n)])) + b
    return out.movedim(-1, 1)


def im2col(x, height, width, stride=1, pad=0):
    windows = _windows(x, (height, width), stride, pad)
    return windows.permute(0, 1, 4, 5, 2, 3).reshape(len(x), x.shape[1] * height * width, -1)


def average_pool(x, height, width, stride):
    return _windows(x, (height, width), stride).sum(dim=(-1, -2)) / (height * width)


def dilated_conv(x, w, b, stride=1, pad=0, dilation=1):
    return _convolve(x, w, b, stride, pad, dilation)


def grouped_conv(x, w, b, stride=1, pad=0, groups=1):
    windows = _windows(x, w.shape[2:], stride, pad)
    windows = windows.unflatten(1, (groups, -1))
    filters = w.unflatten(0, (groups, -1))
    out = torch.einsum("ngcijhw,gfchw->ngfij", windows, filters)
    return out.flatten(1, 2) + b.reshape(1, -1, 1, 1)


def transposed_conv(x, w, b, stride=1, pad=0):
    n, c, h, v = x.shape
    _, f, hh, ww = w.shape
    full = x.new_zeros(n, f, (h - 1) * stride + hh, (v - 1) * stride + ww)
    for i, j in itertools.product(range(hh), range(ww)):
        full[:, :, i : i + h * stride : stride, j : j + v * stride : stride][:, :, :h, :v] += torch.einsum(
            "nchv,cf->nfhv", x, w[:, :, i, j]
        )
    rows, columns = (slice(pad, size - pad) for size in full.shape[2:])
    return full[:, :, rows, columns] + b[None, :, None, None]


def conv1d(x, w, b, stride=1, pad=0):
    return _convolve(x, w, b, stride, pad)


def conv3d(x, w, b, stride=1, pad=0):
    return _convolve(x, w, b, stride, pad)
