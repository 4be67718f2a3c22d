"""Convolution and max pooling, batch normalization, and convolutional networks, in one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

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


class BNCache(NamedTuple):
    xn: torch.Tensor
    istd: torch.Tensor
    gamma: torch.Tensor


def pad_zeros(x, pad):
    N, C, H, W = x.shape
    xp = torch.zeros(N, C, H + 2 * pad, W + 2 * pad, dtype=x.dtype, device=x.device)
    xp[:, :, pad : pad + H, pad : pad + W] = x
    return xp


def window_index(shape, HH, WW, stride, device):
    """Where in an image, flattened to C * H * W numbers, window l has its k-th number: (C * HH * WW, L)"""
    _, C, H, W = shape
    c = torch.arange(C, device=device).view(C, 1, 1, 1, 1)
    i = torch.arange(HH, device=device).view(1, HH, 1, 1, 1)
    j = torch.arange(WW, device=device).view(1, 1, WW, 1, 1)
    top = torch.arange(0, H - HH + 1, stride, device=device).view(1, 1, 1, -1, 1)
    left = torch.arange(0, W - WW + 1, stride, device=device).view(1, 1, 1, 1, -1)
    index = (c * H + top + i) * W + left + j
    return index.reshape(C * HH * WW, -1), (top.numel(), left.numel())


class Tape:
    """Remembers the layers on the way forward, and plays them backwards."""

    def __init__(self, params, reg):
        self.params, self.reg = params, reg
        self.steps = []

    def add(self, layer, x, names, *more):
        out, cache = layer.forward(x, *(self.params[name] for name in names), *more)
        self.steps.append(lambda d: (layer.backward(d, cache), names))
        return out

    def back(self, loss, d):
        grads = {}
        while self.steps:
            result, names = self.steps.pop()(d)
            if torch.is_tensor(result):
                d = result
                continue
            d = result[0]
            for name, grad in zip(names, result[1:]):
                if name[0] == "W":
                    loss = loss + self.reg * (self.params[name] ** 2).sum()
                    grad = grad + 2 * self.reg * self.params[name]
                grads[name] = grad
        return loss, grads


class Conv:

    @staticmethod
    def forward(
        x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, conv_param: Mapping[str, int]
    ) -> tuple[torch.Tensor, Any]:
        FF, C, HH, WW = w.shape
        stride, pad = conv_param["stride"], conv_param["pad"]
        xp = pad_zeros(x, pad)
        index, (Hn, Wn) = window_index(xp.shape, HH, WW, stride, x.device)  # (C * HH * WW, L)
        cols = xp.flatten(1)[:, index]
        out = torch.matmul(w.reshape(FF, -1), cols) + b.reshape(-1, 1)
        out = out.reshape(x.shape[0], FF, Hn, Wn)
        return out, (x, w, b, conv_param)

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x, w, b, conv_param = cache
        FF, C, HH, WW = w.shape
        N = x.shape[0]
        stride, pad = conv_param["stride"], conv_param["pad"]
        xp = pad_zeros(x, pad)
        index, _ = window_index(xp.shape, HH, WW, stride, x.device)
        cols = xp.flatten(1)[:, index]
        d = dout.reshape(N, FF, -1)
        dw = torch.bmm(d, cols.transpose(1, 2)).sum(0).reshape_as(w)
        db = d.sum(dim=(0, 2))
        dcols = torch.matmul(w.reshape(FF, -1).T, d)
        dxp = torch.zeros_like(xp).flatten(1)
        dxp.index_add_(1, index.flatten(), dcols.flatten(1))
        dxp = dxp.reshape(xp.shape)
        return dxp[:, :, pad : xp.shape[2] - pad, pad : xp.shape[3] - pad], dw, db


class MaxPool:

    @staticmethod
    def forward(x: torch.Tensor, pool_param: Mapping[str, int]) -> tuple[torch.Tensor, Any]:
        N, C, H, W = x.shape
        index, (Hn, Wn) = window_index((N, 1, H, W), pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"], x.device)
        values, _ = torch.max(x.reshape(N * C, H * W)[:, index], dim=1)
        out = values.reshape(N, C, Hn, Wn)
        return out, (x, pool_param)

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> torch.Tensor:
        x, pool_param = cache
        N, C, H, W = x.shape
        index, _ = window_index((N, 1, H, W), pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"], x.device)
        win = x.reshape(N * C, H * W)[:, index]  # (N * C, PH * PW, L)
        which = win.argmax(dim=1)  # (N * C, L)
        target = torch.gather(index.expand(N * C, -1, -1), 1, which[:, None, :])[:, 0]
        dx = torch.zeros(N * C, H * W, dtype=dout.dtype, device=dout.device)
        dx.scatter_add_(1, target, dout.reshape(N * C, -1))
        return dx.view(N, C, H, W)


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

        bn_param.setdefault("running_mean", running_mean)
        bn_param.setdefault("running_var", running_var)
        if mode == "train":
            mean = torch.mean(x, 0, keepdim=True)
            xc = x - mean
            var = torch.mean(xc * xc, 0, keepdim=True)
            bn_param["running_mean"] = bn_param["running_mean"] * momentum + mean[0] * (1 - momentum)
            bn_param["running_var"] = bn_param["running_var"] * momentum + x.var(0) * (1 - momentum)
        elif mode == "test":
            mean = running_mean.unsqueeze(0)
            var = running_var.unsqueeze(0)
            xc = x - mean
        istd = 1.0 / torch.sqrt(var + eps)
        xn = xc * istd
        return torch.addcmul(beta, gamma, xn), BNCache(xn, istd, gamma)

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        xn, istd, gamma = cache.xn, cache.istd, cache.gamma
        N = dout.size(0)
        dxn = dout * gamma
        # way 1: itself
        dx = dxn * istd
        # way 2: the mean
        dx = dx - torch.mean(dxn, 0, keepdim=True) * istd
        # way 3: the variance, d var / dx = 2 / N * xc, xc = xn / istd
        dvar = torch.sum(dxn * xn / istd, 0, keepdim=True) * -0.5 * istd.pow(3)
        dx = dx + 2.0 / N * dvar * xn / istd
        return dx, torch.sum(dout * xn, 0), torch.sum(dout, 0)

    @staticmethod
    def backward_alt(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        z = cache.xn
        two_means = torch.stack((dout, dout * z)).mean(dim=1)
        dgamma, dbeta = two_means[1] * dout.shape[0], two_means[0] * dout.shape[0]
        dx = cache.gamma * cache.istd * (dout - two_means[0] - z * two_means[1])
        return dx, dgamma, dbeta


class SpatialBatchNorm:

    @staticmethod
    def forward(
        x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, bn_param: dict[str, Any]
    ) -> tuple[torch.Tensor, Any]:
        # without BatchNorm.forward on purpose: everything has the shape (1, C, 1, 1)
        mode = bn_param["mode"]
        eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
        if mode not in ("train", "test"):
            raise ValueError(mode)
        C = x.shape[1]
        running_mean = bn_param.get("running_mean", x.new_zeros(C))
        running_var = bn_param.get("running_var", x.new_zeros(C))
        g, bt = gamma.view(1, C, 1, 1), beta.view(1, C, 1, 1)
        if mode == "test":
            xn = (x - running_mean.view(1, C, 1, 1)) / torch.sqrt(running_var.view(1, C, 1, 1) + eps)
            return g * xn + bt, None
        mean = x.mean(dim=(0, 2, 3), keepdim=True)
        var = ((x - mean) ** 2).mean(dim=(0, 2, 3), keepdim=True)
        bn_param["running_mean"] = momentum * running_mean + (1 - momentum) * mean.flatten()
        bn_param["running_var"] = momentum * running_var + (1 - momentum) * var.flatten()
        istd = 1 / torch.sqrt(var + eps)
        xn = (x - mean) * istd
        return g * xn + bt, (xn, istd, g)

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        xn, istd, g = cache
        dims = (0, 2, 3)
        dxn = dout * g
        dx = istd * (dxn - dxn.mean(dims, keepdim=True) - xn * (dxn * xn).mean(dims, keepdim=True))
        return dx, (dout * xn).sum(dims), dout.sum(dims)


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
    size = [Din, Dout]
    fan_in = Din
    if K is not None:
        size = [Dout, Din, K, K]
        fan_in = Din * K * K
    variance = (1 + int(relu)) / fan_in
    return torch.randn(*size, device=device, dtype=dtype).mul(variance**0.5)


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
        make = dict(dtype=dtype, device=device)
        self.params["W1"] = torch.randn(num_filters, C, filter_size, filter_size, **make).mul_(weight_scale)
        self.params["W2"] = torch.randn(num_filters * (H // 2 * (W // 2)), hidden_dim, **make).mul_(weight_scale)
        self.params["W3"] = torch.randn(hidden_dim, num_classes, **make).mul_(weight_scale)
        self.params["b1"] = torch.zeros(num_filters, **make)
        self.params["b2"] = torch.zeros(hidden_dim, **make)
        self.params["b3"] = torch.zeros(num_classes, **make)

    def loss(self, X: torch.Tensor, y: torch.Tensor | None = None) -> Any:
        X = X.to(self.dtype)
        conv_param = {"stride": 1, "pad": (self.params["W1"].shape[2] - 1) // 2}
        tape = Tape(self.params, self.reg)
        h = tape.add(Conv_ReLU_Pool, X, ["W1", "b1"], conv_param, POOL)
        h = tape.add(Linear_ReLU, h, ["W2", "b2"])
        scores = tape.add(Linear, h, ["W3", "b3"])
        return scores if y is None else tape.back(*softmax_loss(scores, y))


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
        shapes = []  # (Din, Dout, K)
        Din, size = input_dims[0], torch.zeros(1, 1, input_dims[1], input_dims[2])
        for i, Dout in enumerate(num_filters):
            shapes.append((Din, Dout, 3))
            Din = Dout
            if i in max_pools:
                size, _ = MaxPool.forward(size, POOL)  # ask the pool how large it gets
        shapes.append((Din * size.numel(), num_classes, None))
        for i, (Din, Dout, K) in enumerate(shapes, start=1):
            if weight_scale == "kaiming":
                W = kaiming_initializer(Din, Dout, K, K is not None, device, dtype)
            elif K is None:
                W = weight_scale * torch.randn(Din, Dout, dtype=dtype, device=device)
            else:
                W = weight_scale * torch.randn(Dout, Din, K, K, dtype=dtype, device=device)
            self.params[f"W{i}"] = W
            self.params[f"b{i}"] = torch.zeros(Dout, dtype=dtype, device=device)
            if self.batchnorm and i < self.num_layers:
                self.params[f"gamma{i}"] = torch.ones(Dout, dtype=dtype, device=device)
                self.params[f"beta{i}"] = torch.zeros(Dout, dtype=dtype, device=device)

    def loss(self, X: torch.Tensor, y: torch.Tensor | None = None) -> Any:
        X = X.to(self.dtype)
        for bn_param in self.bn_params:
            bn_param["mode"] = "test" if y is None else "train"
        conv_param = {"stride": 1, "pad": 1}
        tape = Tape(self.params, self.reg)
        h = X
        for i in range(1, self.num_layers):
            h = tape.add(FastConv, h, [f"W{i}", f"b{i}"], conv_param)
            if self.batchnorm:
                h = tape.add(SpatialBatchNorm, h, [f"gamma{i}", f"beta{i}"], self.bn_params[i - 1])
            h = tape.add(ReLU, h, [])
            if i - 1 in self.max_pools:
                h = tape.add(FastMaxPool, h, [], POOL)
        scores = tape.add(Linear, h, [f"W{self.num_layers}", f"b{self.num_layers}"])
        return scores if y is None else tape.back(*softmax_loss(scores, y))


def find_overfit_parameters() -> tuple[float, float]:
    weight_scale = 0.11
    learning_rate = 0.003
    return weight_scale, learning_rate


def create_convolutional_solver_instance(
    data_dict: Mapping[str, torch.Tensor], dtype: torch.dtype, device: str | torch.device
) -> Solver:
    settings = {
        "update_rule": sgd_momentum,
        "optim_config": {"learning_rate": 2e-2, "momentum": 0.9},
        "lr_decay": 0.85,
        "batch_size": 40,
        "num_epochs": 6,
        "verbose": False,
    }
    net = DeepConvNet(num_filters=[16, 32, 64, 128], batchnorm=True, weight_scale="kaiming", reg=5e-4, max_pools=[0, 1, 2, 3], dtype=dtype, device=device)
    solver = Solver(net, data_dict, device=device, **settings)
    return solver
