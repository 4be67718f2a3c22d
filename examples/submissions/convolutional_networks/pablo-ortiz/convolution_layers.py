from __future__ import annotations

from collections.abc import Mapping

from typing import Any

import torch

def strided(x, kh, kw, s):
    x = x.contiguous()
    n, c, h, w = x.shape
    a, b, d, e = x.stride()
    return x.as_strided((n, c, (h - kh) // s + 1, (w - kw) // s + 1, kh, kw), (a, b, d * s, e * s, d, e))

class Conv:
    @staticmethod
    def forward(x, w, b, conv_param):
        p = conv_param['pad']
        v = strided(torch.nn.functional.pad(x, [p] * 4), w.shape[2], w.shape[3], conv_param['stride'])
        out = torch.tensordot(v, w, dims=([1, 4, 5], [1, 2, 3])).permute(0, 3, 1, 2) + b.view(1, -1, 1, 1)
        return out, (x, w, b, conv_param)

    @staticmethod
    def backward(dout, cache):
        x, w, b, conv_param = cache
        p, s = conv_param['pad'], conv_param['stride']
        n, f, oh, ow = dout.shape
        kh, kw = w.shape[2:]
        xp = torch.nn.functional.pad(x, [p] * 4)
        dw = torch.tensordot(dout, strided(xp, kh, kw, s), dims=([0, 2, 3], [0, 2, 3]))
        # spread the gradient out by the stride, then convolve with the flipped filters
        spread = dout.new_zeros(n, f, xp.shape[2] - kh + 1, xp.shape[3] - kw + 1)
        spread[:, :, :(oh - 1) * s + 1:s, :(ow - 1) * s + 1:s] = dout
        full = torch.nn.functional.pad(spread, (kw - 1, kw - 1, kh - 1, kh - 1))
        dxp = torch.tensordot(strided(full, kh, kw, 1), w.flip(2, 3), dims=([1, 4, 5], [0, 2, 3])).permute(0, 3, 1, 2)
        return dxp[:, :, p:p + x.shape[2], p:p + x.shape[3]], dw, dout.sum((0, 2, 3))

class MaxPool:
    @staticmethod
    def forward(x, pool_param):
        v = strided(x, pool_param['pool_height'], pool_param['pool_width'], pool_param['stride'])
        return v.flatten(4).max(-1).values, (x, pool_param)

    @staticmethod
    def backward(dout, cache):
        x, pool_param = cache
        kh, kw, s = pool_param['pool_height'], pool_param['pool_width'], pool_param['stride']
        v = strided(x, kh, kw, s)
        share = (v == v.amax((-1, -2), keepdim=True)).to(x.dtype)
        share = share / share.sum((-1, -2), keepdim=True)  # equal parts after a tie
        g = share * dout[..., None, None]
        dx = torch.zeros_like(x)
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                dx[:, :, i * s:i * s + kh, j * s:j * s + kw] += g[:, :, i, j]
        return dx
