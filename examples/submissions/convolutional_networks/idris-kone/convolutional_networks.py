from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from batch_normalization import (
    BatchNorm,
    Conv_BatchNorm_ReLU,
    Conv_BatchNorm_ReLU_Pool,
    Linear_BatchNorm_ReLU,
    SpatialBatchNorm,
)
from convolution_layers import Conv, MaxPool
from more_convolutions import (
    average_pool,
    conv1d,
    conv3d,
    dilated_conv,
    grouped_conv,
    im2col,
    transposed_conv,
)

from helpers.training.layers import (
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
    "average_pool",
    "conv1d",
    "conv3d",
    "create_convolutional_solver_instance",
    "dilated_conv",
    "find_overfit_parameters",
    "grouped_conv",
    "im2col",
    "kaiming_initializer",
    "sgd_momentum",
    "softmax_loss",
    "transposed_conv",
]

POOL = {"pool_height": 2, "pool_width": 2, "stride": 2}
"""The max pooling of both networks."""


import math
from dataclasses import dataclass, field


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
