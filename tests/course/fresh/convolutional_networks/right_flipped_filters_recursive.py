"""Convolution and max pooling, batch normalization, and convolutional networks, in one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from helpers.training.layers import (
    Composite,
    Conv_ReLU,
    Conv_ReLU_Pool,
    FastConv,
    FastMaxPool,
    Linear,
    Linear_ReLU,
    ReLU,
    adam,
    sgd_momentum,
)
from helpers.training.losses import softmax_loss
from helpers.training.solver import Solver


zero_pad = lambda x, left, right, top, bottom: torch.nn.functional.pad(x, (left, right, top, bottom))


def look_at(x, height, width, stride):
    """All windows of x without copying it, (N, C, H', W', height, width)."""
    N, C, H, W = x.shape
    n, c, h, w = x.stride()
    return x.as_strided(
        (N, C, (H - height) // stride + 1, (W - width) // stride + 1, height, width),
        (n, c, h * stride, w * stride, h, w),
    )


def correlate(x, w, stride=1):
    """(N, C, H, W) and (F, C, HH, WW) -> (N, F, H', W')"""
    return torch.tensordot(look_at(x, w.shape[2], w.shape[3], stride), w, dims=((1, 4, 5), (1, 2, 3))).permute(0, 3, 1, 2)


def dilate(x, stride):
    N, C, H, W = x.shape
    out = x.new_zeros(N, C, stride * (H - 1) + 1, stride * (W - 1) + 1)
    out[:, :, ::stride, ::stride] = x
    return out


class Conv:

    @staticmethod
    def forward(
        x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, conv_param: Mapping[str, int]
    ) -> tuple[torch.Tensor, Any]:
        pad = conv_param["pad"]
        out = correlate(zero_pad(x, pad, pad, pad, pad), w, conv_param["stride"]) + b[:, None, None]
        return out, (x, w, b, conv_param)

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x, w, b, conv_param = cache
        stride, pad = conv_param["stride"], conv_param["pad"]
        HH, WW = w.shape[2:]
        xp = zero_pad(x, pad, pad, pad, pad)
        big = dilate(dout, stride)  # zeros in between, as if the stride had been 1
        # dw: the image correlated with the gradient, where the images take the part of the channels
        dw = correlate(xp.transpose(0, 1), big.transpose(0, 1))[:, :, :HH, :WW].transpose(0, 1)
        # dx: full correlation with flipped filters; rest is what the strides did not reach
        rest_h = xp.shape[2] - HH + 1 - big.shape[2]
        rest_w = xp.shape[3] - WW + 1 - big.shape[3]
        full = zero_pad(big, WW - 1, WW - 1 + rest_w, HH - 1, HH - 1 + rest_h)
        dx = correlate(full, w.flip(2, 3).transpose(0, 1))
        dx = dx[:, :, pad : pad + x.shape[2], pad : pad + x.shape[3]]
        return dx, dw, dout.sum(3).sum(2).sum(0)


class MaxPool:

    @staticmethod
    def forward(x: torch.Tensor, pool_param: Mapping[str, int]) -> tuple[torch.Tensor, Any]:
        out = look_at(x, pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]).amax((-1, -2))
        return out, (x, pool_param)

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> torch.Tensor:
        x, pool_param = cache
        height, width, stride = (pool_param[key] for key in ("pool_height", "pool_width", "stride"))
        dx = torch.zeros(x.shape, dtype=dout.dtype, device=dout.device)
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                part = x[:, :, stride * i : stride * i + height, stride * j : stride * j + width].flatten(2)
                one_hot = torch.arange(height * width, device=x.device) == part.argmax(2, keepdim=True)
                share = one_hot * dout[:, :, i, j, None]
                dx[:, :, stride * i : stride * i + height, stride * j : stride * j + width] += share.unflatten(2, (height, width))
        return dx


class BatchNorm:

    @staticmethod
    def forward(
        x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, bn_param: dict[str, Any]
    ) -> tuple[torch.Tensor, Any]:
        mode = bn_param["mode"]
        eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
        running_mean = bn_param.get("running_mean", torch.zeros_like(x[0]))
        running_var = bn_param.get("running_var", torch.zeros_like(x[0]))
        if mode not in ("train", "test"):
            raise ValueError(f'the mode is {mode!r}; it must be "train" or "test"')

        if mode == "train":
            X = x.double()
            mean = X.mean(0)
            var = X.pow(2).mean(0) - mean.pow(2)  # E[x^2] - E[x]^2, in double so that nothing is lost
            var = var.clamp(min=0)
            mean, var = mean.to(x.dtype), var.to(x.dtype)
            bn_param["running_mean"] = momentum * running_mean + (1 - momentum) * mean
            bn_param["running_var"] = momentum * running_var + (1 - momentum) * var
        else:
            mean, var = running_mean, running_var
        scale = gamma / torch.sqrt(var + eps)
        out = x * scale + (beta - mean * scale)
        return out, {"x": x, "mean": mean, "var": var, "gamma": gamma, "eps": eps}

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x, mean, gamma = cache["x"], cache["mean"], cache["gamma"]
        v = cache["var"] + cache["eps"]
        d = x - mean
        dbeta = dout.sum(0)
        dgamma = (dout * d).sum(0) / v.sqrt()
        ones = torch.ones_like(x) / x.shape[0]
        # out = gamma * d * v ** (-1 / 2) + beta
        dd = dout * gamma * v.pow(-0.5)
        dv = (dout * gamma * d).sum(0) * -0.5 * v.pow(-1.5)
        dd = dd + 2 * d * ones * dv
        return dd - ones * dd.sum(0), dgamma, dbeta

    @staticmethod
    def backward_alt(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        sigma = (cache["var"] + cache["eps"]).sqrt()
        z = (cache["x"] - cache["mean"]) / sigma
        # z and 1 are orthogonal: subtract what of dout lies along both
        dx = dout - dout.mean(0, keepdim=True)
        dx = dx - z * (dx * z).mean(0, keepdim=True)
        return dx * cache["gamma"] / sigma, (z * dout).sum(0), dout.sum(0)


class SpatialBatchNorm:

    @staticmethod
    def forward(
        x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, bn_param: dict[str, Any]
    ) -> tuple[torch.Tensor, Any]:
        out, cache = BatchNorm.forward(torch.einsum("nchw->nhwc", x).reshape(-1, x.size(1)), gamma, beta, bn_param)
        return torch.einsum("nhwc->nchw", out.view(x.size(0), x.size(2), x.size(3), x.size(1))), cache

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        d = torch.einsum("nchw->nhwc", dout)
        dx, dgamma, dbeta = BatchNorm.backward_alt(d.reshape(-1, dout.size(1)), cache)
        return torch.einsum("nhwc->nchw", dx.view(d.shape)), dgamma, dbeta


class Linear_BatchNorm_ReLU(Composite):

    layers = Linear, BatchNorm, ReLU

    @classmethod
    def forward(
        cls,
        x: torch.Tensor,
        w: torch.Tensor,
        b: torch.Tensor,
        gamma: torch.Tensor,
        beta: torch.Tensor,
        bn_param: dict[str, Any],
    ) -> tuple[torch.Tensor, Any]:
        return cls.through(x, (w, b), (gamma, beta, bn_param), ())


class Conv_BatchNorm_ReLU(Composite):

    layers = FastConv, SpatialBatchNorm, ReLU

    @classmethod
    def forward(
        cls,
        x: torch.Tensor,
        w: torch.Tensor,
        b: torch.Tensor,
        gamma: torch.Tensor,
        beta: torch.Tensor,
        conv_param: dict[str, int],
        bn_param: dict[str, Any],
    ) -> tuple[torch.Tensor, Any]:
        return cls.through(x, (w, b, conv_param), (gamma, beta, bn_param), ())


class Conv_BatchNorm_ReLU_Pool(Composite):

    layers = FastConv, SpatialBatchNorm, ReLU, FastMaxPool

    @classmethod
    def forward(
        cls,
        x: torch.Tensor,
        w: torch.Tensor,
        b: torch.Tensor,
        gamma: torch.Tensor,
        beta: torch.Tensor,
        conv_param: dict[str, int],
        bn_param: dict[str, Any],
        pool_param: dict[str, int],
    ) -> tuple[torch.Tensor, Any]:
        return cls.through(x, (w, b, conv_param), (gamma, beta, bn_param), (), (pool_param,))


__all__ = [
    "BatchNorm",
    "Conv",
    "Conv_BatchNorm_ReLU",
    "Conv_BatchNorm_ReLU_Pool",
    "Conv_ReLU",
    "Conv_ReLU_Pool",
    "DeepConvNet",
    "FastConv",
    "FastMaxPool",
    "Linear",
    "Linear_BatchNorm_ReLU",
    "Linear_ReLU",
    "MaxPool",
    "ReLU",
    "Solver",
    "SpatialBatchNorm",
    "ThreeLayerConvNet",
    "adam",
    "create_convolutional_solver_instance",
    "find_overfit_parameters",
    "kaiming_initializer",
    "sgd_momentum",
    "softmax_loss",
]

POOL = {"pool_height": 2, "pool_width": 2, "stride": 2}


def kaiming_initializer(
    Din: int,
    Dout: int,
    K: int | None = None,
    relu: bool = True,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> torch.Tensor:
    gain = {True: 2, False: 1}[bool(relu)]
    size = (Din, Dout) if K is None else (Dout, Din, K, K)
    numbers = torch.randn(size, dtype=dtype, device=device)
    fan_in = Din if K is None else numbers[0].numel()
    return numbers / (fan_in / gain) ** 0.5


class ThreeLayerConvNet:

    def __init__(
        self,
        input_dims: tuple[int, int, int] = (3, 32, 32),
        num_filters: int = 32,
        filter_size: int = 7,
        hidden_dim: int = 100,
        num_classes: int = 10,
        weight_scale: float = 1e-3,
        reg: float = 0.0,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ) -> None:
        self.params: dict[str, torch.Tensor] = {}
        self.reg = reg
        self.dtype = dtype
        C, H, W = input_dims
        S = filter_size
        for n, size, outputs in (
            (1, (num_filters, C, S, S), num_filters),
            (2, (num_filters * H * W // 4, hidden_dim), hidden_dim),
            (3, (hidden_dim, num_classes), num_classes),
        ):
            self.params["W%d" % n] = torch.randn(size, dtype=dtype, device=device) * weight_scale
            self.params["b%d" % n] = torch.zeros(outputs, dtype=dtype, device=device)

    def loss(self, X: torch.Tensor, y: torch.Tensor | None = None) -> Any:
        X = X.to(self.dtype)
        conv_param = {"stride": 1, "pad": (self.params["W1"].shape[2] - 1) // 2}
        W1, b1, W2, b2, W3, b3 = (self.params[k] for k in ("W1", "b1", "W2", "b2", "W3", "b3"))
        c, c_cache = FastConv.forward(X, W1, b1, conv_param)
        r, r_cache = ReLU.forward(c)
        p, p_cache = FastMaxPool.forward(r, POOL)
        h, h_cache = Linear_ReLU.forward(p, W2, b2)
        s, s_cache = Linear.forward(h, W3, b3)
        if y is None:
            return s
        loss, ds = softmax_loss(s, y)
        dh, dW3, db3 = Linear.backward(ds, s_cache)
        dp, dW2, db2 = Linear_ReLU.backward(dh, h_cache)
        dr = FastMaxPool.backward(dp, p_cache)
        dc = ReLU.backward(dr, r_cache)
        _, dW1, db1 = FastConv.backward(dc, c_cache)
        lam = self.reg
        loss = loss + lam * W1.norm() ** 2 + lam * W2.norm() ** 2 + lam * W3.norm() ** 2
        return loss, dict(W1=dW1 + 2 * lam * W1, b1=db1, W2=dW2 + 2 * lam * W2, b2=db2, W3=dW3 + 2 * lam * W3, b3=db3)


class DeepConvNet:

    def __init__(
        self,
        input_dims: tuple[int, int, int] = (3, 32, 32),
        num_filters: Sequence[int] = (8, 8, 8, 8, 8),
        max_pools: Sequence[int] = (0, 1, 2, 3, 4),
        batchnorm: bool = False,
        num_classes: int = 10,
        weight_scale: float | str = 1e-3,
        reg: float = 0.0,
        weight_initializer: Any = None,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ) -> None:
        self.params: dict[str, torch.Tensor] = {}
        self.num_layers = len(num_filters) + 1
        self.max_pools = max_pools
        self.batchnorm = batchnorm
        self.reg = reg
        self.dtype = dtype
        self.bn_params: list[dict[str, Any]] = [{"mode": "train"} for _ in num_filters if batchnorm]
        din, H, W = input_dims
        n = 0
        for f in num_filters:
            n += 1
            W_ = kaiming_initializer(din, f, 3, device=device, dtype=dtype) if weight_scale == "kaiming" else weight_scale * torch.randn(f, din, 3, 3, device=device, dtype=dtype)
            self.params["W%d" % n], self.params["b%d" % n] = W_, torch.zeros(f, device=device, dtype=dtype)
            if batchnorm:
                self.params["gamma%d" % n], self.params["beta%d" % n] = torch.ones(f, device=device, dtype=dtype), torch.zeros(f, device=device, dtype=dtype)
            din = f
            H, W = (H // 2, W // 2) if n - 1 in max_pools else (H, W)
        n += 1
        W_ = kaiming_initializer(din * H * W, num_classes, relu=False, device=device, dtype=dtype) if weight_scale == "kaiming" else weight_scale * torch.randn(din * H * W, num_classes, device=device, dtype=dtype)
        self.params["W%d" % n], self.params["b%d" % n] = W_, torch.zeros(num_classes, device=device, dtype=dtype)

    def loss(self, X: torch.Tensor, y: torch.Tensor | None = None) -> Any:
        X = X.to(self.dtype)
        for bn_param in self.bn_params:
            bn_param["mode"] = "test" if y is None else "train"
        conv_param = {"stride": 1, "pad": 1}
        grads = {}

        def learn(n, dW, **others):
            grads["W%d" % n] = dW + 2 * self.reg * self.params["W%d" % n]
            for key, value in others.items():
                grads[key + str(n)] = value
            return self.reg * self.params["W%d" % n].norm() ** 2

        def go(n, x):
            # from convolution n on; returns the scores, or the loss and the gradient of x
            W, b = self.params["W%d" % n], self.params["b%d" % n]
            if n == self.num_layers:
                scores, cache = Linear.forward(x, W, b)
                if y is None:
                    return scores
                loss, d = softmax_loss(scores, y)
                d, dW, db = Linear.backward(d, cache)
                return loss + learn(n, dW, b=db), d
            if self.batchnorm:
                x, cache = Conv_BatchNorm_ReLU.forward(x, W, b, self.params["gamma%d" % n], self.params["beta%d" % n], conv_param, self.bn_params[n - 1])
            else:
                x, cache = Conv_ReLU.forward(x, W, b, conv_param)
            pooled = n - 1 in self.max_pools
            if pooled:
                x, pool_cache = FastMaxPool.forward(x, POOL)
            rest = go(n + 1, x)
            if y is None:
                return rest
            loss, d = rest
            if pooled:
                d = FastMaxPool.backward(d, pool_cache)
            if self.batchnorm:
                d, dW, db, dgamma, dbeta = Conv_BatchNorm_ReLU.backward(d, cache)
                return loss + learn(n, dW, b=db, gamma=dgamma, beta=dbeta), d
            d, dW, db = Conv_ReLU.backward(d, cache)
            return loss + learn(n, dW, b=db), d

        result = go(1, X)
        return result if y is None else (result[0], grads)


def find_overfit_parameters() -> tuple[float, float]:
    import math
    weight_scale = math.sqrt(2 / (16 * 9))
    learning_rate = 3e-3
    return weight_scale, learning_rate


def create_convolutional_solver_instance(
    data_dict: Mapping[str, torch.Tensor], dtype: torch.dtype, device: str | torch.device
) -> Solver:
    filters = [16, 32, 64, 64]
    network = DeepConvNet((3, 32, 32), filters, [0, 1, 2, 3], True, 10, "kaiming", 1e-4, dtype=dtype, device=device)
    return Solver(network, data_dict, update_rule=adam, optim_config={"learning_rate": 3e-3}, num_epochs=8, batch_size=32, lr_decay=0.9, device=device)
