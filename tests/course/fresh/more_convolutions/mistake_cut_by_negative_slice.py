"""Loops over the entries of the filters."""
import torch
import torch.nn.functional as F


def shifted(x, i, j, rows, cols, stride, gap=1):
    top, left = i * gap, j * gap
    return x[:, :, top:top + (rows - 1) * stride + 1:stride, left:left + (cols - 1) * stride + 1:stride]


def count(size, kernel, stride, gap=1):
    return (size - gap * (kernel - 1) - 1) // stride + 1


def im2col(x, height, width, stride=1, pad=0):
    x = F.pad(x, (pad, pad, pad, pad))
    rows, cols = count(x.shape[2], height, stride), count(x.shape[3], width, stride)
    parts = [shifted(x, i, j, rows, cols, stride) for i in range(height) for j in range(width)]
    return torch.stack(parts, dim=2).reshape(x.shape[0], -1, rows * cols)


def average_pool(x, height, width, stride):
    rows, cols = count(x.shape[2], height, stride), count(x.shape[3], width, stride)
    parts = [shifted(x, i, j, rows, cols, stride) for i in range(height) for j in range(width)]
    return torch.stack(parts).mean(0)


def dilated_conv(x, w, b, stride=1, pad=0, dilation=1):
    x = F.pad(x, (pad, pad, pad, pad))
    rows, cols = count(x.shape[2], w.shape[2], stride, dilation), count(x.shape[3], w.shape[3], stride, dilation)
    out = 0
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            out = out + torch.einsum("nchw,fc->nfhw", shifted(x, i, j, rows, cols, stride, dilation), w[:, :, i, j])
    return out + b[None, :, None, None]


def grouped_conv(x, w, b, stride=1, pad=0, groups=1):
    xs, ws, bs = x.chunk(groups, 1), w.chunk(groups, 0), b.chunk(groups, 0)
    return torch.cat([dilated_conv(*g, stride=stride, pad=pad) for g in zip(xs, ws, bs)], dim=1)


def transposed_conv(x, w, b, stride=1, pad=0):
    N, C, H, W = x.shape
    _, K, HH, WW = w.shape
    out = x.new_zeros(N, K, (H - 1) * stride + HH, (W - 1) * stride + WW)
    for i in range(HH):
        for j in range(WW):
            part = torch.einsum("nchw,cf->nfhw", x, w[:, :, i, j])
            out[:, :, i:i + (H - 1) * stride + 1:stride, j:j + (W - 1) * stride + 1:stride] += part
    return out[:, :, pad:-pad, pad:-pad] + b[None, :, None, None]


def conv1d(x, w, b, stride=1, pad=0):
    x = F.pad(x, (pad, pad))
    return dilated_conv(x.unsqueeze(2), w.unsqueeze(2), b, stride).squeeze(2)


def conv3d(x, w, b, stride=1, pad=0):
    x = F.pad(x, (pad,) * 6)
    steps = count(x.shape[2], w.shape[2], stride)
    out = []
    for t in range(steps):
        film = x[:, :, t * stride:t * stride + w.shape[2]].flatten(1, 2)
        out.append(dilated_conv(film, w.flatten(1, 2), b, stride))
    return torch.stack(out, 2)
