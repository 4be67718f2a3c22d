# Talia F. Correlate by shifting the image: one shift per place of the filter
import torch
import torch.nn as nn


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
    return nn.functional.pad(x, (pad, pad, pad, pad), mode="constant", value=0)


class Conv:
    @staticmethod
    def forward(x, w, b, conv_param):
        stride, pad = conv_param["stride"], conv_param["pad"]
        padded = surround(x, pad)
        out = 0
        for (h, v), at in shifts(padded.shape, *w.shape[2:], stride):
            out = out + torch.tensordot(padded[at], w[:, :, h, v], dims=([1], [1])).permute(0, 3, 1, 2)
        out = out + b[None, :, None, None]
        return out, (x, w, b, conv_param)

    @staticmethod
    def backward(dout, cache):
        x, w, b, conv_param = cache
        stride, pad = conv_param["stride"], conv_param["pad"]
        padded = surround(x, pad)
        dpadded = torch.zeros_like(padded)
        dw = torch.empty_like(w)
        for (h, v), at in shifts(padded.shape, *w.shape[2:], stride):
            dw[:, :, h, v] = torch.tensordot(dout, padded[at], dims=([0, 2, 3], [0, 2, 3]))
            dpadded[at] += torch.tensordot(dout, w[:, :, h, v], dims=([1], [0])).permute(0, 3, 1, 2)
        dx = dpadded if pad == 0 else dpadded[:, :, pad:-pad, pad:-pad]
        return dx, dw, dout.sum(dim=[0, 2, 3])


class MaxPool:
    @staticmethod
    def forward(x, pool_param):
        out = None
        for _, at in shifts(x.shape, pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]):
            out = x[at] if out is None else torch.maximum(out, x[at])
        return out, (x, pool_param)

    @staticmethod
    def backward(dout, cache):
        x, pool_param = cache
        out, _ = MaxPool.forward(x, pool_param)
        dx = torch.zeros_like(x)
        left = torch.ones_like(out, dtype=torch.bool)  # windows whose gradient is not given away yet
        for _, at in shifts(x.shape, pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]):
            here = left & (x[at] == out)
            dx[at] += torch.where(here, dout, torch.zeros_like(dout))
            left = left & ~here
        return dx
