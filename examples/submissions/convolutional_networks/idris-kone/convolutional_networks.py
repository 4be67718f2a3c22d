"""Windows by index tensors: every convolution is one product of matrices."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn
from torch import Tensor

from helpers.training.layers import FastConv, FastMaxPool, Linear, ReLU, Conv_ReLU, Conv_ReLU_Pool, Linear_ReLU, adam, sgd_momentum
from helpers.training.losses import softmax_loss
from helpers.training.solver import Solver

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


@dataclass(frozen=True)
class Geometry:
    """How windows lie on an image."""

    channels: int
    height: int
    width: int
    window: tuple[int, int]
    stride: int
    pad: int = 0

    @property
    def outer(self) -> tuple[int, int]:
        return self.height + 2 * self.pad, self.width + 2 * self.pad

    @property
    def places(self) -> tuple[int, int]:
        return tuple(1 + (size - k) // self.stride for size, k in zip(self.outer, self.window))

    def index(self, device: Any) -> torch.Tensor:
        """Return (C * h * w, H' * W') numbers of pixels in the padded image."""
        def ramp(n):
            return torch.arange(n, device=device)

        c = ramp(self.channels).reshape(-1, 1, 1, 1, 1)
        r = ramp(self.window[0]).reshape(-1, 1, 1, 1) + self.stride * ramp(self.places[0]).reshape(-1, 1)
        s = ramp(self.window[1]).reshape(-1, 1, 1) + self.stride * ramp(self.places[1])
        flat = (c * self.outer[0] + r) * self.outer[1] + s
        return flat.reshape(self.channels * self.window[0] * self.window[1], -1)

    def columns(self, x: torch.Tensor) -> torch.Tensor:
        p = self.pad
        return torch.nn.functional.pad(x, (p, p, p, p)).flatten(1)[:, self.index(x.device)]

    def fold(self, columns: torch.Tensor) -> torch.Tensor:
        n = len(columns)
        total = columns.new_zeros(n, self.channels * self.outer[0] * self.outer[1])
        index = self.index(columns.device).reshape(1, -1).expand(n, -1)
        total = total.scatter_add(1, index, columns.reshape(n, -1))
        total = total.reshape(n, self.channels, *self.outer)
        p = self.pad
        return total[..., p : p + self.height, p : p + self.width].clone()


class Conv:
    @staticmethod
    def forward(x, w, b, conv_param):
        geometry = _of(x, w, conv_param)
        out = w.flatten(1) @ geometry.columns(x) + b.unsqueeze(1)
        return out.reshape(len(x), len(w), *geometry.places), (x, w, b, conv_param)

    @staticmethod
    def backward(dout, cache):
        x, w, b, conv_param = cache
        geometry = _of(x, w, conv_param)
        rows = dout.flatten(2)
        dw = torch.zeros_like(w)
        dw += (rows @ geometry.columns(x).transpose(1, 2)).sum(dim=0).reshape(w.shape)
        return geometry.fold(w.flatten(1).t() @ rows), dw, rows.sum(dim=2).sum(dim=0)


def _of(x, w, conv_param) -> Geometry:
    return Geometry(*x.shape[1:], window=(w.shape[2], w.shape[3]), **conv_param)


class MaxPool:
    @staticmethod
    def forward(x, pool_param):
        cols, _ = _pooling(x, pool_param)
        values, _ = cols.max(dim=1)
        return values.reshape(*x.shape[:2], *_shape(x, pool_param).places), (x, pool_param)

    @staticmethod
    def backward(dout, cache):
        x, pool_param = cache
        cols, undo = _pooling(x, pool_param)
        best = cols.argmax(dim=1, keepdim=True)
        grad = torch.zeros_like(cols).scatter(1, best, dout.reshape(len(cols), 1, -1))
        return undo(grad)


def _shape(x: torch.Tensor, pool_param: Mapping[str, int]) -> Geometry:
    return Geometry(1, *x.shape[2:], (pool_param["pool_height"], pool_param["pool_width"]), pool_param["stride"])


def _pooling(x, pool_param) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]:
    geometry = _shape(x, pool_param)
    alone = x.reshape(-1, 1, *x.shape[2:])
    return geometry.columns(alone), lambda grad: geometry.fold(grad).reshape(x.shape)


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


POOL = {"pool_height": 2, "pool_width": 2, "stride": 2}


"""The max pooling of both networks."""


def kaiming_initializer(Din, Dout, K=None, relu=True, device="cpu", dtype=torch.float32):
    gain = {True: 2.0, False: 1.0}[relu]
    if K is None:
        return torch.normal(torch.zeros(Din, Dout), math.sqrt(gain / Din)).to(device=device, dtype=dtype)
    scale = torch.full((Dout, Din, K, K), math.sqrt(gain / Din) / K)
    return torch.normal(0.0, scale).to(device=device, dtype=dtype)


@dataclass
class Step:
    layer: type
    names: tuple[str, ...] = ()
    settings: tuple[Any, ...] = ()

    def forward(self, x, params):
        return self.layer.forward(x, *(params[name] for name in self.names), *self.settings)

    def backward(self, dout, cache, grads):
        found = self.layer.backward(dout, cache)
        if not self.names:
            return found
        for name, value in zip(self.names, found[1:], strict=True):
            grads[name] = value
        return found[0]


@dataclass
class Program:
    steps: list[Step] = field(default_factory=list)

    def run(self, x, y, params, reg):
        caches = []
        for step in self.steps:
            x, cache = step.forward(x, params)
            caches.append(cache)
        if y is None:
            return x
        loss, d = softmax_loss(x, y)
        grads = {}
        for step, cache in zip(self.steps[::-1], caches[::-1], strict=True):
            d = step.backward(d, cache, grads)
        penalty = 0.0
        for name, w in params.items():
            if w.ndim >= 2:
                penalty += (w**2).sum()
                grads[name] += 2 * reg * w
        return loss + reg * penalty, {name: grads[name] for name in params}


class ThreeLayerConvNet:
    def __init__(self, input_dims=(3, 32, 32), num_filters=32, filter_size=7, hidden_dim=100, num_classes=10,
                 weight_scale=1e-3, reg=0.0, dtype=torch.float32, device="cpu"):
        self.reg = reg
        self.dtype = dtype
        C, H, W = input_dims
        flat = num_filters * (H // 2) * (W // 2)
        normal = lambda *shape: weight_scale * torch.randn(shape, dtype=dtype, device=device)
        zeros = lambda n: torch.zeros(n, dtype=dtype, device=device)
        self.params = dict(
            W1=normal(num_filters, C, filter_size, filter_size), W2=normal(flat, hidden_dim),
            W3=normal(hidden_dim, num_classes), b1=zeros(num_filters), b2=zeros(hidden_dim), b3=zeros(num_classes))

    def loss(self, X, y=None):
        X = X.to(self.dtype)
        conv_param = {"stride": 1, "pad": (self.params["W1"].shape[2] - 1) // 2}
        program = Program([
            Step(FastConv, ("W1", "b1"), (conv_param,)), Step(ReLU), Step(FastMaxPool, (), (POOL,)),
            Step(Linear, ("W2", "b2")), Step(ReLU), Step(Linear, ("W3", "b3")),
        ])
        return program.run(X, y, self.params, self.reg)


class DeepConvNet:
    def __init__(self, input_dims=(3, 32, 32), num_filters=(8, 8, 8, 8, 8), max_pools=(0, 1, 2, 3, 4), batchnorm=False,
                 num_classes=10, weight_scale=1e-3, reg=0.0, weight_initializer=None, dtype=torch.float32, device="cpu"):
        self.params = {}
        self.num_layers = len(num_filters) + 1
        self.max_pools = max_pools
        self.batchnorm = batchnorm
        self.reg = reg
        self.dtype = dtype
        self.bn_params = [{"mode": "train"} for _ in num_filters if batchnorm]
        on = dict(dtype=dtype, device=device)

        def draw(*args, shape, **settings):
            if weight_scale == "kaiming":
                return kaiming_initializer(*args, **settings, **on)
            return torch.randn(shape, **on).mul(weight_scale)

        channels = [input_dims[0], *num_filters]
        for i, (c, f) in enumerate(zip(channels, num_filters), start=1):
            self.params[f"W{i}"] = draw(c, f, K=3, shape=(f, c, 3, 3))
            self.params[f"b{i}"] = torch.zeros(f, **on)
        pooled = len([i for i in range(len(num_filters)) if i in max_pools])
        features = channels[-1] * (input_dims[1] >> pooled) * (input_dims[2] >> pooled)
        self.params[f"W{self.num_layers}"] = draw(features, num_classes, relu=False, shape=(features, num_classes))
        self.params[f"b{self.num_layers}"] = torch.zeros(num_classes, **on)
        if batchnorm:
            for i, f in enumerate(num_filters, start=1):
                self.params[f"gamma{i}"] = torch.ones(f, **on)
                self.params[f"beta{i}"] = torch.zeros(f, **on)

    def loss(self, X, y=None):
        X = X.to(self.dtype)
        for bn_param in self.bn_params:
            bn_param["mode"] = "test" if y is None else "train"
        program = Program()
        for i in range(1, self.num_layers):
            program.steps.append(Step(FastConv, (f"W{i}", f"b{i}"), ({"stride": 1, "pad": 1},)))
            if self.batchnorm:
                program.steps.append(Step(SpatialBatchNorm, (f"gamma{i}", f"beta{i}"), (self.bn_params[i - 1],)))
            program.steps.append(Step(ReLU))
            if i - 1 in self.max_pools:
                program.steps.append(Step(FastMaxPool, (), (POOL,)))
        program.steps.append(Step(Linear, (f"W{self.num_layers}", f"b{self.num_layers}")))
        return program.run(X, y, self.params, self.reg)


def find_overfit_parameters():
    return 10**-0.9, 10**-2.6


def nesterov(w, dw, config=None):
    """Momentum that looks ahead."""
    config = {"learning_rate": 1e-2, "momentum": 0.9} | (config or {})
    v = config["momentum"] * config.get("velocity", torch.zeros_like(w)) - config["learning_rate"] * dw
    config["velocity"] = v
    return w + config["momentum"] * v - config["learning_rate"] * dw, config


def create_convolutional_solver_instance(data_dict, dtype, device):
    net = DeepConvNet(num_filters=[32, 32, 48, 64], max_pools=[0, 1, 3], batchnorm=True, weight_scale="kaiming",
                      reg=1e-4, dtype=dtype, device=device)
    return Solver(net, data_dict, update_rule=nesterov, optim_config={"learning_rate": 0.01},
                  batch_size=32, num_epochs=6, lr_decay=0.85, device=device)
