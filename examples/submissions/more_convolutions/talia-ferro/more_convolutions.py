"""All by shifts, by im2col, or by Fourier."""
import torch
from torch.nn import functional as F


def shifts(shape, hh, ww, stride):
    """Yield (place in the filter, slices of the image under it)."""
    H, W = shape[-2:]
    rows, cols = (H - hh) // stride + 1, (W - ww) // stride + 1
    for h in range(hh):
        for w in range(ww):
            yield (h, w), (..., slice(h, h + (rows - 1) * stride + 1, stride), slice(w, w + (cols - 1) * stride + 1, stride))


def surround(x, pad):
    if pad == 0:
        return x.clone()
    return F.pad(x, (pad, pad, pad, pad), mode="constant", value=0)


def im2col(x, height, width, stride=1, pad=0):
    x = surround(x, pad)
    parts = [x[at] for _, at in shifts(x.shape, height, width, stride)]
    return torch.stack(parts, dim=2).flatten(3).flatten(1, 2)


def average_pool(x, height, width, stride):
    # by sums of all that is above and to the left, as in image processing
    s = F.pad(x.double().cumsum(2).cumsum(3), (1, 0, 1, 0))
    sums = s[..., height:, width:] - s[..., :-height, width:] - s[..., height:, :-width] + s[..., :-height, :-width]
    return (sums[..., ::stride, ::stride] / (height * width)).to(x.dtype)


def dilated_conv(x, w, b, stride=1, pad=0, dilation=1):
    x = surround(x, pad)
    hh, ww = w.shape[2:]
    reach = dilation * (hh - 1) + 1, dilation * (ww - 1) + 1
    out = b[:, None, None]
    for (h, v), at in shifts(x.shape, *reach, stride):
        if h % dilation == 0 and v % dilation == 0:
            out = out + torch.einsum("ncij,fc->nfij", x[at], w[:, :, h // dilation, v // dilation])
    return out


def grouped_conv(x, w, b, stride=1, pad=0, groups=1):
    # one big filter with zeros between the groups
    f, c, hh, ww = w.shape
    full = w.new_zeros(f, c * groups, hh, ww)
    each = f // groups
    for g in range(groups):
        full[g * each : (g + 1) * each, g * c : (g + 1) * c] = w[g * each : (g + 1) * each]
    return dilated_conv(x, full, b, stride, pad)


def transposed_conv(x, w, b, stride=1, pad=0):
    # spread the pixels, surround them, and convolve with the filter turned
    n, c, h, v = x.shape
    hh, ww = w.shape[2:]
    spread = x.new_zeros(n, c, (h - 1) * stride + 1, (v - 1) * stride + 1)
    spread[:, :, ::stride, ::stride] = x
    spread = F.pad(spread, (ww - 1, ww - 1, hh - 1, hh - 1))
    out = dilated_conv(spread, w.flip(2, 3).transpose(0, 1), b)
    return out[:, :, pad : out.shape[2] - pad, pad : out.shape[3] - pad]


def _fourier(x, w, b, stride, pad, dims):
    x = F.pad(x, (pad, pad) * dims)
    axes = tuple(range(2, 2 + dims))
    sizes = x.shape[2:]
    X = torch.fft.rfftn(x.double(), s=sizes, dim=axes).unsqueeze(1)
    W = torch.fft.rfftn(w.double(), s=sizes, dim=axes).conj()
    out = torch.fft.irfftn((X * W).sum(dim=2), s=sizes, dim=axes)
    for axis, k in zip(axes, w.shape[2:]):
        out = out.narrow(axis, 0, out.shape[axis] - k + 1)
    out = out[(slice(None), slice(None)) + (slice(None, None, stride),) * dims]
    return out.to(x.dtype) + b.reshape(-1, *(1,) * dims)


def conv1d(x, w, b, stride=1, pad=0):
    return _fourier(x, w, b, stride, pad, 1)


def conv3d(x, w, b, stride=1, pad=0):
    return _fourier(x, w, b, stride, pad, 3)
