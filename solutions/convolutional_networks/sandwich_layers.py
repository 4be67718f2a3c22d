"""Layers that come one after another in most networks, put together. This file is given.

Each is a class with ``forward``, which returns result and cache, and ``backward``, which returns the
gradients with respect to the tensors that went in, in their order.
"""

from __future__ import annotations

from typing import Any

from batch_normalization import BatchNorm, SpatialBatchNorm
from torch import Tensor

from helpers.layers import FastConv, FastMaxPool, Linear, ReLU


class Conv_ReLU:
    """Convolution and ReLU."""

    @staticmethod
    def forward(x: Tensor, w: Tensor, b: Tensor, conv_param: dict[str, int]) -> tuple[Tensor, Any]:
        """Go forward through both layers."""
        out, conv = FastConv.forward(x, w, b, conv_param)
        out, relu = ReLU.forward(out)
        return out, (conv, relu)

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Return dx, dw and db."""
        conv, relu = cache
        return FastConv.backward(ReLU.backward(dout, relu), conv)


class Conv_ReLU_Pool:
    """Convolution, ReLU and max pooling."""

    @staticmethod
    def forward(
        x: Tensor, w: Tensor, b: Tensor, conv_param: dict[str, int], pool_param: dict[str, int]
    ) -> tuple[Tensor, Any]:
        """Go forward through the three layers."""
        out, first = Conv_ReLU.forward(x, w, b, conv_param)
        out, pool = FastMaxPool.forward(out, pool_param)
        return out, (first, pool)

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Return dx, dw and db."""
        first, pool = cache
        return Conv_ReLU.backward(FastMaxPool.backward(dout, pool), first)


class Linear_BatchNorm_ReLU:
    """Fully connected layer, batch normalization and ReLU."""

    @staticmethod
    def forward(
        x: Tensor, w: Tensor, b: Tensor, gamma: Tensor, beta: Tensor, bn_param: dict[str, Any]
    ) -> tuple[Tensor, Any]:
        """Go forward through the three layers."""
        out, linear = Linear.forward(x, w, b)
        out, norm = BatchNorm.forward(out, gamma, beta, bn_param)
        out, relu = ReLU.forward(out)
        return out, (linear, norm, relu)

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return dx, dw, db, dgamma and dbeta."""
        linear, norm, relu = cache
        dsums, dgamma, dbeta = BatchNorm.backward(ReLU.backward(dout, relu), norm)
        return *Linear.backward(dsums, linear), dgamma, dbeta


class Conv_BatchNorm_ReLU:
    """Convolution, batch normalization and ReLU."""

    @staticmethod
    def forward(
        x: Tensor,
        w: Tensor,
        b: Tensor,
        gamma: Tensor,
        beta: Tensor,
        conv_param: dict[str, int],
        bn_param: dict[str, Any],
    ) -> tuple[Tensor, Any]:
        """Go forward through the three layers."""
        out, conv = FastConv.forward(x, w, b, conv_param)
        out, norm = SpatialBatchNorm.forward(out, gamma, beta, bn_param)
        out, relu = ReLU.forward(out)
        return out, (conv, norm, relu)

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return dx, dw, db, dgamma and dbeta."""
        conv, norm, relu = cache
        dsums, dgamma, dbeta = SpatialBatchNorm.backward(ReLU.backward(dout, relu), norm)
        return *FastConv.backward(dsums, conv), dgamma, dbeta


class Conv_BatchNorm_ReLU_Pool:
    """Convolution, batch normalization, ReLU and max pooling."""

    @staticmethod
    def forward(
        x: Tensor,
        w: Tensor,
        b: Tensor,
        gamma: Tensor,
        beta: Tensor,
        conv_param: dict[str, int],
        bn_param: dict[str, Any],
        pool_param: dict[str, int],
    ) -> tuple[Tensor, Any]:
        """Go forward through the four layers."""
        out, first = Conv_BatchNorm_ReLU.forward(x, w, b, gamma, beta, conv_param, bn_param)
        out, pool = FastMaxPool.forward(out, pool_param)
        return out, (first, pool)

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return dx, dw, db, dgamma and dbeta."""
        first, pool = cache
        return Conv_BatchNorm_ReLU.backward(FastMaxPool.backward(dout, pool), first)
