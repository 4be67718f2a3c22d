"""Convolution and max pooling, batch normalization, and convolutional networks, in one file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F

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


def windows(x, height, width, stride):
    """(N, C, H, W) -> (N, C, H', W', height, width), a view"""
    return x.unfold(2, height, stride).unfold(3, width, stride)


def from_windows(win, H, W, stride):
    """The other way: add all windows up where they came from."""
    N, C, H_out, W_out, height, width = win.shape
    x = torch.zeros(N, C, H, W, dtype=win.dtype, device=win.device)
    for i in range(height):
        for j in range(width):
            x[:, :, i : i + stride * H_out : stride, j : j + stride * W_out : stride] += win[..., i, j]
    return x


def to_columns(x, height, width, stride, pad):
    """Each place is a row, (N * H' * W', C * height * width)"""
    win = windows(F.pad(x, [pad] * 4), height, width, stride)
    N, C, H_out, W_out = win.shape[:4]
    return win.permute(0, 2, 3, 1, 4, 5).reshape(N * H_out * W_out, C * height * width), (H_out, W_out)


def run(layers, x, y, params, reg):
    """Go through a list of (layer, arguments, names of the arguments that learn) and back."""
    caches = []
    for layer, args, _ in layers:
        x, cache = layer.forward(x, *args)
        caches.append(cache)
    if y is None:
        return x

    loss, d = softmax_loss(x, y)
    grads = {}
    for (layer, _, names), cache in zip(reversed(layers), reversed(caches)):
        d = layer.backward(d, cache)
        if names:
            d, *found = d
            grads.update(zip(names, found))
    for name, value in params.items():
        if name.startswith("W"):
            loss = loss + reg * (value**2).sum()
            grads[name] = grads[name] + 2 * reg * value
    return loss, grads


class Conv:

    @staticmethod
    def forward(
        x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, conv_param: Mapping[str, int]
    ) -> tuple[torch.Tensor, Any]:
        stride, pad = conv_param["stride"], conv_param["pad"]
        cols, (H_out, W_out) = to_columns(x, w.shape[2], w.shape[3], stride, pad)
        out = cols @ w.reshape(w.shape[0], -1).T + b
        out = out.reshape(x.shape[0], H_out, W_out, -1).permute(0, 3, 1, 2).contiguous()
        return out, (x, w, b, conv_param)

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x, w, b, conv_param = cache
        F, C, HH, WW = w.shape
        stride, pad = conv_param["stride"], conv_param["pad"]
        cols, (H_out, W_out) = to_columns(x, HH, WW, stride, pad)
        d = dout.permute(0, 2, 3, 1).reshape(-1, F)  # same rows as cols
        dw = (d.T @ cols).reshape(w.shape)
        db = d.sum(0)
        dcols = (d @ w.reshape(F, -1)).reshape(x.shape[0], H_out, W_out, C, HH, WW)
        dx = from_windows(dcols.permute(0, 3, 1, 2, 4, 5), x.shape[2] + 2 * pad, x.shape[3] + 2 * pad, stride)
        dx = dx[:, :, pad:-pad, pad:-pad]
        return dx, dw, db


class MaxPool:

    @staticmethod
    def forward(x: torch.Tensor, pool_param: Mapping[str, int]) -> tuple[torch.Tensor, Any]:
        win = windows(x, pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"])
        out = win.flatten(start_dim=4).max(dim=-1).values
        return out, (x, pool_param)

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> torch.Tensor:
        x, pool_param = cache
        ph, pw, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
        win = windows(x, ph, pw, stride)
        top = win.amax(dim=(4, 5), keepdim=True)
        mask = (win == top).to(x.dtype)
        mask = mask / mask.sum(dim=(4, 5), keepdim=True)  # ties share
        return from_windows(mask * dout[..., None, None], x.shape[2], x.shape[3], stride)


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

        if mode == "test":
            z = (x - running_mean) * torch.rsqrt(running_var + eps)
            return gamma * z + beta, None

        mean = x.mean(dim=0)
        var = x.var(dim=0, unbiased=False)
        bn_param.update(
            running_mean=momentum * running_mean + (1 - momentum) * mean,
            running_var=momentum * running_var + (1 - momentum) * var,
        )
        std = torch.sqrt(var + eps)
        z = (x - mean) / std
        return gamma * z + beta, dict(x=x, mean=mean, std=std, z=z, gamma=gamma)

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x, mean, std, gamma = cache["x"], cache["mean"], cache["std"], cache["gamma"]
        N = len(x)
        dbeta = dout.sum(0)
        dgamma = (dout * cache["z"]).sum(0)
        dz = dout * gamma
        dvar = (dz * (x - mean)).sum(0) * (-0.5) * std**-3
        dmean = -(dz / std).sum(0) + dvar * (-2 * (x - mean)).mean(0)
        dx = dz / std + dvar * 2 * (x - mean) / N + dmean / N
        return dx, dgamma, dbeta

    @staticmethod
    def backward_alt(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        z = cache["z"]
        g = dout * z
        dx = cache["gamma"] / cache["std"] * (dout - dout.mean(0) - z * g.mean(0))
        return dx, g.sum(0), dout.sum(0)


class SpatialBatchNorm:

    @staticmethod
    def forward(
        x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, bn_param: dict[str, Any]
    ) -> tuple[torch.Tensor, Any]:
        N, C, H, W = x.shape
        out, cache = BatchNorm.forward(x.transpose(0, 1).reshape(C, -1).T, gamma, beta, bn_param)
        return out.T.reshape(C, N, H, W).transpose(0, 1), cache

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        N, C, H, W = dout.shape
        dx, dgamma, dbeta = BatchNorm.backward(dout.transpose(0, 1).reshape(C, -1).T, cache)
        return dx.T.reshape(C, N, H, W).transpose(0, 1), dgamma, dbeta


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
    shape = (Din, Dout) if K is None else (Dout, Din, K, K)
    fan_in = Din * (1 if K is None else K**2)
    std = math.sqrt((2 if relu else 1) / fan_in)
    return torch.empty(shape, device=device, dtype=dtype).normal_(0, std)


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
        shapes = {
            1: (num_filters, C, filter_size, filter_size),
            2: (num_filters * H * W // 4, hidden_dim),
            3: (hidden_dim, num_classes),
        }
        for n, shape in shapes.items():
            self.params[f"W{n}"] = torch.empty(shape, dtype=dtype, device=device).normal_(0, weight_scale)
            self.params[f"b{n}"] = torch.zeros(shape[0] if n == 1 else shape[1], dtype=dtype, device=device)

    def loss(self, X: torch.Tensor, y: torch.Tensor | None = None) -> Any:
        X = X.to(self.dtype)
        conv_param = {"stride": 1, "pad": (self.params["W1"].shape[2] - 1) // 2}
        p = self.params
        layers = [
            (FastConv, (p["W1"], p["b1"], conv_param), ("W1", "b1")),
            (ReLU, (), ()),
            (FastMaxPool, (POOL,), ()),
            (Linear, (p["W2"], p["b2"]), ("W2", "b2")),
            (ReLU, (), ()),
            (Linear, (p["W3"], p["b3"]), ("W3", "b3")),
        ]
        return run(layers, X, y, p, self.reg)


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
        def weights(din, dout, k):
            if weight_scale == "kaiming":
                return kaiming_initializer(din, dout, k, relu=k is not None, device=device, dtype=dtype)
            shape = (din, dout) if k is None else (dout, din, k, k)
            return torch.empty(shape, dtype=dtype, device=device).normal_(0, weight_scale)

        C, H, W = input_dims
        for n, (din, dout) in enumerate(zip([C, *num_filters], num_filters), 1):
            self.params[f"W{n}"] = weights(din, dout, 3)
            self.params[f"b{n}"] = torch.zeros(dout, dtype=dtype, device=device)
            if batchnorm:
                self.params[f"gamma{n}"] = torch.ones(dout, dtype=dtype, device=device)
                self.params[f"beta{n}"] = torch.zeros(dout, dtype=dtype, device=device)
            if n - 1 in max_pools:
                H, W = H // 2, W // 2
        self.params[f"W{self.num_layers}"] = weights(num_filters[-1] * H * W, num_classes, None)
        self.params[f"b{self.num_layers}"] = torch.zeros(num_classes, dtype=dtype, device=device)

    def loss(self, X: torch.Tensor, y: torch.Tensor | None = None) -> Any:
        X = X.to(self.dtype)
        for bn_param in self.bn_params:
            bn_param["mode"] = "test" if y is None else "train"
        conv_param = {"stride": 1, "pad": 1}
        p = self.params
        layers = []
        for n in range(1, self.num_layers):
            layers.append((FastConv, (p[f"W{n}"], p[f"b{n}"], conv_param), (f"W{n}", f"b{n}")))
            if self.batchnorm:
                layers.append((SpatialBatchNorm, (p[f"gamma{n}"], p[f"beta{n}"], self.bn_params[n - 1]), (f"gamma{n}", f"beta{n}")))
            layers.append((ReLU, (), ()))
            if n - 1 in self.max_pools:
                layers.append((FastMaxPool, (POOL,), ()))
        n = self.num_layers
        layers.append((Linear, (p[f"W{n}"], p[f"b{n}"]), (f"W{n}", f"b{n}")))
        return run(layers, X, y, p, self.reg)


def find_overfit_parameters() -> tuple[float, float]:
    return 0.12, 3e-3


def create_convolutional_solver_instance(
    data_dict: Mapping[str, torch.Tensor], dtype: torch.dtype, device: str | torch.device
) -> Solver:
    net = DeepConvNet(num_filters=(16, 32, 64, 64), max_pools=(0, 1, 2), batchnorm=True, weight_scale="kaiming", dtype=dtype, device=device)
    return Solver(net, data_dict, update_rule=adam, optim_config={"learning_rate": 2e-3}, lr_decay=0.85, batch_size=40, num_epochs=6, verbose=False, device=device)
