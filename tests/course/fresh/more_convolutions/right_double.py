"""All in float64, cast back at the end; the transposed convolution by index_add."""
from __future__ import annotations

import functools

import torch
from torch.nn.functional import pad as add_zeros


def _in_double(function):
    @functools.wraps(function)
    def wrapped(x, *args, **kwargs):
        args = [a.double() if isinstance(a, torch.Tensor) else a for a in args]
        kwargs = {k: v.double() if isinstance(v, torch.Tensor) else v for k, v in kwargs.items()}
        return function(x.double(), *args, **kwargs).to(x.dtype)

    return wrapped


def im2col(x: torch.Tensor, height: int, width: int, stride: int = 1, pad: int = 0) -> torch.Tensor:
    x = add_zeros(x, (pad,) * 4)
    windows = x.unfold(2, height, stride).unfold(3, width, stride)
    windows = torch.movedim(windows, (2, 3), (-2, -1)).contiguous()
    return windows.view(len(x), x.size(1) * height * width, -1)


@_in_double
def _mean(x, height, width, stride):
    rows = torch.stack([x[:, :, i : i + height].sum(2) for i in range(0, x.size(2) - height + 1, stride)], 2)
    both = torch.stack([rows[..., j : j + width].sum(-1) for j in range(0, x.size(3) - width + 1, stride)], -1)
    return both / height / width


def average_pool(x: torch.Tensor, height: int, width: int, stride: int) -> torch.Tensor:
    return _mean(x, height, width, stride)


def _conv(x, w, b, stride, pad, dilation=1):
    places = [
        (side + 2 * pad - dilation * (size - 1) - 1) // stride + 1 for side, size in zip(x.shape[2:], w.shape[2:])
    ]
    y = add_zeros(x.double(), (pad, pad) * len(places))
    for axis, (count, size) in enumerate(zip(places, w.shape[2:])):
        index = stride * torch.arange(count, device=x.device)[:, None] + dilation * torch.arange(size, device=x.device)
        y = y.movedim(2 + axis, -1)[..., index]  # the place and the entry, at the end
        y = y.movedim(-2, 2 + axis)
    out = torch.tensordot(y, w.double(), dims=([1, *range(-len(places), 0)], [1, *range(-len(places), 0)]))
    return (out + b.double()).movedim(-1, 1).to(x.dtype)


def dilated_conv(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0, dilation: int = 1
) -> torch.Tensor:
    return _conv(x, w, b, stride, pad, dilation)


def grouped_conv(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0, groups: int = 1
) -> torch.Tensor:
    if groups == 1:
        return _conv(x, w, b, stride, pad)
    c, f = w.shape[1], w.shape[0] // groups
    head = _conv(x[:, :c], w[:f], b[:f], stride, pad)
    return torch.cat([head, grouped_conv(x[:, c:], w[f:], b[f:], stride, pad, groups - 1)], dim=1)


def transposed_conv(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0
) -> torch.Tensor:
    (H, W), (HH, WW) = x.shape[2:], w.shape[2:]
    height, width = (H - 1) * stride + HH, (W - 1) * stride + WW
    stamps = torch.einsum("nchw,cfij->nfhwij", x.double(), w.double())
    rows = stride * torch.arange(H, device=x.device)[:, None] + torch.arange(HH, device=x.device)
    columns = stride * torch.arange(W, device=x.device)[:, None] + torch.arange(WW, device=x.device)
    place = rows[:, None, :, None] * width + columns[None, :, None, :]
    out = stamps.new_zeros(len(x), w.size(1), height * width)
    out.index_add_(2, place.reshape(-1), stamps.reshape(*out.shape[:2], -1))
    out = out.view(len(x), w.size(1), height, width)[..., pad : height - pad, pad : width - pad]
    return (out + b.double()[:, None, None]).to(x.dtype)


def conv1d(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0) -> torch.Tensor:
    return _conv(x, w, b, stride, pad)


def conv3d(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride: int = 1, pad: int = 0) -> torch.Tensor:
    return _conv(x, w, b, stride, pad)
