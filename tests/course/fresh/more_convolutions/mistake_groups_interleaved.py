from __future__ import annotations

import torch
from torch.nn.functional import pad as pad_with_zeros


def im2col(x: torch.Tensor, height: int, width: int, stride: int = 1, pad: int = 0) -> torch.Tensor:
    N, C = x.shape[:2]
    w = pad_with_zeros(x, (pad, pad, pad, pad)).unfold(-2, height, stride).unfold(-2, width, stride)
    # (N, C, H', W', height, width)
    return w.reshape(N, C, -1, height, width).permute(0, 1, 3, 4, 2).reshape(N, C * height * width, -1)


def average_pool(x: torch.Tensor, height: int, width: int, stride: int) -> torch.Tensor:
    N, C, H, W = x.shape
    cols = im2col(x, height, width, stride).view(N, C, height * width, -1)
    return cols.mean(dim=2).view(N, C, 1 + (H - height) // stride, 1 + (W - width) // stride)


def dilated_conv(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0, dilation: int = 1
) -> torch.Tensor:
    HH, WW = w.shape[2:]
    xp = pad_with_zeros(x, (pad, pad, pad, pad))
    H2 = (x.shape[2] + 2 * pad - dilation * (HH - 1) - 1) // stride + 1
    W2 = (x.shape[3] + 2 * pad - dilation * (WW - 1) - 1) // stride + 1
    out = x.new_empty(x.shape[0], w.shape[0], H2, W2)
    for i in range(H2):
        for j in range(W2):
            r, c = i * stride, j * stride
            window = xp[:, :, r : r + dilation * (HH - 1) + 1 : dilation, c : c + dilation * (WW - 1) + 1 : dilation]
            out[:, :, i, j] = torch.einsum("nchw,fchw->nf", window, w) + b
    return out


def grouped_conv(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0, groups: int = 1
) -> torch.Tensor:
    size = x.shape[1] // groups
    found = []
    for f in range(w.shape[0]):
        g = f % groups
        channels = x[:, g * size : (g + 1) * size]
        found.append(dilated_conv(channels, w[f : f + 1], b[f : f + 1], stride, pad))
    return torch.cat(found, dim=1)


def transposed_conv(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0
) -> torch.Tensor:
    N, _, H, W = x.shape
    _, F, HH, WW = w.shape
    big = x.new_zeros(N, F, (H - 1) * stride + HH, (W - 1) * stride + WW)
    for i in range(H):
        for j in range(W):
            stamp = (x[:, :, None, i, j, None, None] * w).sum(dim=1)
            big[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW] += stamp
    return big[:, :, pad : big.shape[2] - pad, pad : big.shape[3] - pad] + b.view(1, -1, 1, 1)


def conv1d(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0) -> torch.Tensor:
    windows = pad_with_zeros(x, (pad, pad)).unfold(2, w.shape[2], stride)
    return torch.einsum("nctk,fck->nft", windows, w) + b.view(1, -1, 1)


def conv3d(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0) -> torch.Tensor:
    windows = pad_with_zeros(x, (pad, pad, pad, pad, pad, pad))
    windows = windows.unfold(2, w.shape[2], stride).unfold(3, w.shape[3], stride).unfold(4, w.shape[4], stride)
    return torch.einsum("nczyxkji,fckji->nfzyx", windows, w) + b.view(1, -1, 1, 1, 1)
