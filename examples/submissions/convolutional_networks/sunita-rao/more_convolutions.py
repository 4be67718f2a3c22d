from __future__ import annotations
import torch

def im2col(x, height, width, stride=1, pad=0):
    padded = torch.nn.functional.pad(x, (pad, pad, pad, pad))
    windows = padded.unfold(2, height, stride).unfold(3, width, stride)
    return windows.permute(0, 1, 4, 5, 2, 3).flatten(4).flatten(1, 3)

def average_pool(x, height, width, stride):
    return x.unfold(2, height, stride).unfold(3, width, stride).mean(dim=(4, 5))

def dilated_conv(x, w, b, stride=1, pad=0, dilation=1):
    height, width = (dilation * (size - 1) + 1 for size in w.shape[2:])
    padded = torch.nn.functional.pad(x, (pad, pad, pad, pad))
    windows = padded.unfold(2, height, stride).unfold(3, width, stride)[..., ::dilation, ::dilation]
    return torch.einsum('nchwij,fcij->nfhw', windows, w) + b[:, None, None]

def grouped_conv(x, w, b, stride=1, pad=0, groups=1):
    padded = torch.nn.functional.pad(x, (pad, pad, pad, pad))
    windows = padded.unfold(2, w.shape[2], stride).unfold(3, w.shape[3], stride)
    grouped = (windows.unflatten(1, (groups, -1)), w.unflatten(0, (groups, -1)))
    return torch.einsum('ngchwij,gfcij->ngfhw', *grouped).flatten(1, 2) + b[:, None, None]

def transposed_conv(x, w, b, stride=1, pad=0):
    height, width = ((size - 1) * stride + side for size, side in zip(x.shape[2:], w.shape[2:], strict=True))
    out = x.new_zeros(len(x), w.shape[1], height, width)
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            top, left = (i * stride, j * stride)
            stamp = torch.einsum('nc,cfhw->nfhw', x[:, :, i, j], w)
            out[:, :, top:top + w.shape[2], left:left + w.shape[3]] += stamp
    return out[:, :, pad:height - pad, pad:width - pad] + b[:, None, None]

def conv1d(x, w, b, stride=1, pad=0):
    windows = torch.nn.functional.pad(x, (pad, pad)).unfold(2, w.shape[2], stride)
    return torch.einsum('nctk,fck->nft', windows, w) + b[:, None]

def conv3d(x, w, b, stride=1, pad=0):
    windows = torch.nn.functional.pad(x, (pad,) * 6)
    for axis in (2, 3, 4):
        windows = windows.unfold(axis, w.shape[axis], stride)
    return torch.einsum('ncdhwijk,fcijk->nfdhw', windows, w) + b[:, None, None, None]
