from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from helpers.training.layers import FastConv, FastMaxPool, Linear, ReLU

Backward = Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]


@dataclass
class Tape:
    """Two closures: the gradients step by step, and by the formula."""

    slow: Backward
    fast: Backward


def centered(x: Tensor) -> tuple[Tensor, Tensor, Callable[[Tensor], Tensor]]:
    mean = x.mean(dim=0, keepdim=True)
    return x - mean, mean, lambda d: d - d.mean(dim=0, keepdim=True)


def mean_square(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    return (x * x).mean(dim=0, keepdim=True), lambda d: d * 2 * x / x.shape[0]


def inverse_root(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    y = 1 / x.sqrt()
    return y, lambda d: -0.5 * d * y * y * y


class BatchNorm:
    @staticmethod
    def forward(x, gamma, beta, bn_param):
        mode = bn_param["mode"]
        eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
        running_mean = bn_param.get("running_mean", torch.zeros_like(x[0]))
        running_var = bn_param.get("running_var", torch.zeros_like(x[0]))
        if mode not in ("train", "test"):
            raise ValueError(f'the mode is {mode!r}; it must be "train" or "test"')
        if mode == "test":
            return gamma * ((x - running_mean) / torch.sqrt(running_var + eps)) + beta, None

        xc, mean, back_center = centered(x)
        var, back_square = mean_square(xc)
        root, back_root = inverse_root(var + eps)
        z = xc * root
        average = lambda old, new: momentum * old + (1 - momentum) * new.squeeze(0)
        bn_param |= {"running_mean": average(running_mean, mean), "running_var": average(running_var, var)}

        def slow(dout):
            dz = dout * gamma
            dxc = dz * root
            droot = (dz * xc).sum(dim=0, keepdim=True)
            dxc = dxc + back_square(back_root(droot))
            return back_center(dxc), (dout * z).sum(dim=0), dout.sum(dim=0)

        def fast(dout):
            dgamma, dbeta, n = (dout * z).sum(dim=0), dout.sum(dim=0), x.shape[0]
            return gamma * root * (dout - dbeta / n - z * (dgamma / n)), dgamma, dbeta

        return gamma * z + beta, Tape(slow, fast)

    @staticmethod
    def backward(dout, cache):
        return cache.slow(dout)

    @staticmethod
    def backward_alt(dout, cache):
        return cache.fast(dout)


class SpatialBatchNorm:
    @staticmethod
    def forward(x, gamma, beta, bn_param):
        shape = x.shape
        to_rows = lambda t: t.permute(0, 2, 3, 1).contiguous().view(-1, shape[1])
        to_images = lambda t: t.view(shape[0], shape[2], shape[3], shape[1]).permute(0, 3, 1, 2).contiguous()
        out, cache = BatchNorm.forward(to_rows(x), gamma, beta, bn_param)
        return to_images(out), (to_rows, to_images, cache)

    @staticmethod
    def backward(dout, cache):
        to_rows, to_images, inner = cache
        dx, *others = BatchNorm.backward(to_rows(dout), inner)
        return (to_images(dx), *others)


class Linear_BatchNorm_ReLU:
    """Fully connected layer, batch normalization and ReLU."""

    @staticmethod
    def forward(
        x: torch.Tensor,
        w: torch.Tensor,
        b: torch.Tensor,
        gamma: torch.Tensor,
        beta: torch.Tensor,
        bn_param: dict[str, Any],
    ) -> tuple[torch.Tensor, Any]:
        """Go forward through the three layers."""
        out, linear = Linear.forward(x, w, b)
        out, norm = BatchNorm.forward(out, gamma, beta, bn_param)
        out, relu = ReLU.forward(out)
        return out, (linear, norm, relu)

    @staticmethod
    def backward(
        dout: torch.Tensor, cache: Any
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return dx, dw, db, dgamma and dbeta."""
        linear, norm, relu = cache
        dsums, dgamma, dbeta = BatchNorm.backward(ReLU.backward(dout, relu), norm)
        return *Linear.backward(dsums, linear), dgamma, dbeta


class Conv_BatchNorm_ReLU:
    """Convolution, batch normalization and ReLU."""

    @staticmethod
    def forward(
        x: torch.Tensor,
        w: torch.Tensor,
        b: torch.Tensor,
        gamma: torch.Tensor,
        beta: torch.Tensor,
        conv_param: dict[str, int],
        bn_param: dict[str, Any],
    ) -> tuple[torch.Tensor, Any]:
        """Go forward through the three layers."""
        out, conv = FastConv.forward(x, w, b, conv_param)
        out, norm = SpatialBatchNorm.forward(out, gamma, beta, bn_param)
        out, relu = ReLU.forward(out)
        return out, (conv, norm, relu)

    @staticmethod
    def backward(
        dout: torch.Tensor, cache: Any
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return dx, dw, db, dgamma and dbeta."""
        conv, norm, relu = cache
        dsums, dgamma, dbeta = SpatialBatchNorm.backward(ReLU.backward(dout, relu), norm)
        return *FastConv.backward(dsums, conv), dgamma, dbeta


class Conv_BatchNorm_ReLU_Pool:
    """Convolution, batch normalization, ReLU and max pooling."""

    @staticmethod
    def forward(
        x: torch.Tensor,
        w: torch.Tensor,
        b: torch.Tensor,
        gamma: torch.Tensor,
        beta: torch.Tensor,
        conv_param: dict[str, int],
        bn_param: dict[str, Any],
        pool_param: dict[str, int],
    ) -> tuple[torch.Tensor, Any]:
        """Go forward through the four layers."""
        out, first = Conv_BatchNorm_ReLU.forward(x, w, b, gamma, beta, conv_param, bn_param)
        out, pool = FastMaxPool.forward(out, pool_param)
        return out, (first, pool)

    @staticmethod
    def backward(
        dout: torch.Tensor, cache: Any
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return dx, dw, db, dgamma and dbeta."""
        first, pool = cache
        return Conv_BatchNorm_ReLU.backward(FastMaxPool.backward(dout, pool), first)
