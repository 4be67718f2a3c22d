from __future__ import annotations

from collections.abc import Mapping

from typing import Any

import torch

def indices(C, H, W, kh, kw, s):
    rows = torch.arange(kh).view(1, -1, 1, 1, 1) + s * torch.arange((H - kh) // s + 1).view(1, 1, 1, -1, 1)
    cols = torch.arange(kw).view(1, 1, -1, 1, 1) + s * torch.arange((W - kw) // s + 1).view(1, 1, 1, 1, -1)
    return (torch.arange(C).view(-1, 1, 1, 1, 1) * H + rows) * W + cols

class Conv:
    @staticmethod
    def forward(x, w, b, conv_param):
        p, s = conv_param['pad'], conv_param['stride']
        N, C, H, W = x.shape
        xp = x.new_zeros(N, C, H + 2 * p, W + 2 * p)
        xp[:, :, p:p + H, p:p + W] = x
        index = indices(C, H + 2 * p, W + 2 * p, w.shape[2], w.shape[3], s)
        cols = xp.reshape(N, -1)[:, index.reshape(-1, index.shape[3] * index.shape[4])]
        out = w.reshape(len(w), -1) @ cols + b[:, None]
        return out.reshape(N, len(w), index.shape[3], index.shape[4]), (x, w, b, conv_param)

    @staticmethod
    def backward(dout, cache):
        x, w, b, conv_param = cache
        p, s = conv_param['pad'], conv_param['stride']
        N, C, H, W = x.shape
        xp = x.new_zeros(N, C, H + 2 * p, W + 2 * p)
        xp[:, :, p:p + H, p:p + W] = x
        index = indices(C, H + 2 * p, W + 2 * p, w.shape[2], w.shape[3], s)
        index = index.reshape(-1, index.shape[3] * index.shape[4])
        cols = xp.reshape(N, -1)[:, index]
        g = dout.reshape(N, len(w), -1)
        dw = (g @ cols.transpose(1, 2)).sum(0).reshape(w.shape)
        dcols = w.reshape(len(w), -1).t() @ g
        dxp = torch.zeros_like(xp).reshape(N, -1)
        dxp.index_add_(1, index.reshape(-1), dcols.reshape(N, -1))
        return dxp.reshape(xp.shape)[:, :, p:p + H, p:p + W], dw, g.sum((0, 2))

class MaxPool:
    @staticmethod
    def forward(x, pool_param):
        N, C, H, W = x.shape
        index = indices(C, H, W, pool_param['pool_height'], pool_param['pool_width'], pool_param['stride'])
        return x.reshape(N, -1)[:, index].amax((2, 3)), (x, pool_param)

    @staticmethod
    def backward(dout, cache):
        x, pool_param = cache
        N, C, H, W = x.shape
        index = indices(C, H, W, pool_param['pool_height'], pool_param['pool_width'], pool_param['stride'])
        flat = index.flatten(1, 2)  # (C, kh * kw, OH, OW)
        windows = x.reshape(N, -1)[:, flat]
        best = windows.argmax(2, keepdim=True)
        places = flat.expand(N, -1, -1, -1, -1).gather(2, best).reshape(N, -1)
        dx = torch.zeros_like(x).reshape(N, -1)
        dx.scatter_add_(1, places, dout.reshape(N, -1))
        return dx.reshape(x.shape)
