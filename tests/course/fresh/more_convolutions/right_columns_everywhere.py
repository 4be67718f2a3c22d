"""Everything is im2col and one matrix product; the transposed convolution is the way back from columns."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def im2col(x: torch.Tensor, height: int, width: int, stride: int = 1, pad: int = 0) -> torch.Tensor:
    x = F.pad(x, [pad] * 4)
    n, c, h, w = x.shape
    out_h, out_w = (h - height) // stride + 1, (w - width) // stride + 1
    i = torch.arange(height, device=x.device)[:, None, None, None] + stride * torch.arange(
        out_h, device=x.device
    ).view(1, 1, -1, 1)
    j = torch.arange(width, device=x.device)[None, :, None, None] + stride * torch.arange(
        out_w, device=x.device
    ).view(1, 1, 1, -1)
    return x[:, :, i, j].reshape(n, c * height * width, out_h * out_w)


def average_pool(x: torch.Tensor, height: int, width: int, stride: int) -> torch.Tensor:
    n, c, h, w = x.shape
    columns = im2col(x.reshape(n * c, 1, h, w), height, width, stride)
    means = torch.mean(columns, dim=1)
    return means.reshape(n, c, (h - height) // stride + 1, -1)


def _convolve(x, w, b, stride, pad):
    n, _, h, _ = x.shape
    f, _, hh, ww = w.shape
    out = w.reshape(f, -1) @ im2col(x, hh, ww, stride, pad) + b.reshape(-1, 1)
    return out.reshape(n, f, (h + 2 * pad - hh) // stride + 1, -1)


def dilated_conv(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0, dilation: int = 1
) -> torch.Tensor:
    f, c, hh, ww = w.shape
    spread = w.new_zeros(f, c, dilation * (hh - 1) + 1, dilation * (ww - 1) + 1)
    spread[:, :, ::dilation, ::dilation] = w
    return _convolve(x, spread, b, stride, pad)


def grouped_conv(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0, groups: int = 1
) -> torch.Tensor:
    parts = zip(torch.chunk(x, groups, dim=1), torch.chunk(w, groups, dim=0), torch.chunk(b, groups))
    return torch.cat([_convolve(*part, stride, pad) for part in parts], dim=1)


def transposed_conv(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0
) -> torch.Tensor:
    n, c, h, v = x.shape
    _, f, hh, ww = w.shape
    columns = w.reshape(c, -1).T @ x.reshape(n, c, h * v)  # (n, f * hh * ww, h * v)
    stamps = columns.reshape(n, f, hh, ww, h, v)
    full = x.new_zeros(n, f, (h - 1) * stride + hh, (v - 1) * stride + ww)
    for i in range(hh):
        for j in range(ww):
            full[:, :, i : i + (h - 1) * stride + 1 : stride, j : j + (v - 1) * stride + 1 : stride] += stamps[
                :, :, i, j
            ]
    cut = slice(pad, -pad or None)
    return full[:, :, cut, cut] + b.reshape(1, f, 1, 1)


def conv1d(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0) -> torch.Tensor:
    # a sequence is an image one pixel high, which must not be padded above and below
    long = F.pad(x, (pad, pad))[:, :, None, :]
    return _convolve(long, w[:, :, None, :], b, stride, 0)[:, :, 0, :]


def conv3d(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0) -> torch.Tensor:
    # sum over the depth of the filter of convolutions of the slices
    x = F.pad(x, (0, 0, 0, 0, pad, pad))
    depth = (x.shape[2] - w.shape[2]) // stride + 1
    none = torch.zeros_like(b)
    slices = []
    for place in range(depth):
        total = sum(
            _convolve(x[:, :, place * stride + k], w[:, :, k], none, stride, pad) for k in range(w.shape[2])
        )
        slices.append(total)
    return torch.stack(slices, dim=2) + b.reshape(1, -1, 1, 1, 1)
