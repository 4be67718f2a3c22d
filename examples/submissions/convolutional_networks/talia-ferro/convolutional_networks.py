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


def _sizes(H, W, pools):
    for _ in range(pools):
        H, W = (H - 2) // 2 + 1, (W - 2) // 2 + 1
    return H * W


def kaiming_initializer(Din, Dout, K=None, relu=True, device="cpu", dtype=torch.float32):
    fan_in = Din if K is None else Din * K**2
    size = (Din, Dout) if K is None else (Dout, Din, K, K)
    variance = (2 if relu else 1) / fan_in
    return torch.randn(size, device=device, dtype=dtype) * torch.tensor(variance, device=device, dtype=dtype).sqrt()


class ThreeLayerConvNet:
    def __init__(self, input_dims=(3, 32, 32), num_filters=32, filter_size=7, hidden_dim=100, num_classes=10,
                 weight_scale=1e-3, reg=0.0, dtype=torch.float32, device="cpu"):
        self.params = {}
        self.reg = reg
        self.dtype = dtype
        C, H, W = input_dims
        W1 = torch.empty(num_filters, C, filter_size, filter_size, dtype=dtype, device=device)
        W2 = torch.empty(num_filters * _sizes(H, W, 1), hidden_dim, dtype=dtype, device=device)
        W3 = torch.empty(hidden_dim, num_classes, dtype=dtype, device=device)
        for w in (W1, W2, W3):
            w.normal_(mean=0.0, std=weight_scale)
        b1, b2, b3 = (w.new_zeros(n) for w, n in zip((W1, W2, W3), (num_filters, hidden_dim, num_classes)))
        for name in ("W1", "b1", "W2", "b2", "W3", "b3"):
            self.params[name] = locals()[name]

    def loss(self, X, y=None):
        X = X.to(self.dtype)
        p = self.params
        conv_param = {"stride": 1, "pad": (p["W1"].shape[2] - 1) // 2}
        a1, c1 = Conv_ReLU.forward(X, p["W1"], p["b1"], conv_param)
        a2, c2 = FastMaxPool.forward(a1, POOL)
        a3, c3 = Linear.forward(a2, p["W2"], p["b2"])
        a4, c4 = ReLU.forward(a3)
        a5, c5 = Linear.forward(a4, p["W3"], p["b3"])
        if y is None:
            return a5
        loss, d = softmax_loss(a5, y)
        g = {}
        d, g["W3"], g["b3"] = Linear.backward(d, c5)
        d = ReLU.backward(d, c4)
        d, g["W2"], g["b2"] = Linear.backward(d, c3)
        d = FastMaxPool.backward(d, c2)
        d, g["W1"], g["b1"] = Conv_ReLU.backward(d, c1)
        for name in ("W1", "W2", "W3"):
            loss = loss + self.reg * torch.linalg.norm(p[name]) ** 2
            g[name] = g[name] + 2 * self.reg * p[name]
        return float(loss), g


class DeepConvNet:
    def __init__(self, input_dims=(3, 32, 32), num_filters=(8, 8, 8, 8, 8), max_pools=(0, 1, 2, 3, 4), batchnorm=False,
                 num_classes=10, weight_scale=1e-3, reg=0.0, weight_initializer=None, dtype=torch.float32, device="cpu"):
        self.params = {}
        self.num_layers = len(num_filters) + 1
        self.max_pools = list(max_pools)
        self.batchnorm = batchnorm
        self.reg = reg
        self.dtype = dtype
        self.bn_params = [{"mode": "train"} for _ in num_filters if batchnorm]
        C, H, W = input_dims
        for i, (c, f) in enumerate(zip([C, *num_filters[:-1]], num_filters)):
            if weight_scale == "kaiming":
                w = kaiming_initializer(c, f, 3, True, device, dtype)
            else:
                w = weight_scale * torch.randn(f, c, 3, 3, device=device, dtype=dtype)
            self.params[f"W{i}"], self.params[f"b{i}"] = w, torch.zeros_like(w[:, 0, 0, 0])
            if batchnorm:
                self.params[f"gamma{i}"] = torch.ones_like(w[:, 0, 0, 0])
                self.params[f"beta{i}"] = torch.zeros_like(w[:, 0, 0, 0])
        last = self.num_layers - 1
        features = num_filters[-1] * _sizes(H, W, len(self.max_pools))
        if weight_scale == "kaiming":
            w = kaiming_initializer(features, num_classes, None, False, device, dtype)
        else:
            w = weight_scale * torch.randn(features, num_classes, device=device, dtype=dtype)
        self.params[f"W{last}"] = w
        self.params[f"b{last}"] = torch.zeros(num_classes, device=device, dtype=dtype)

    def loss(self, X, y=None):
        X = X.to(self.dtype)
        for bn_param in self.bn_params:
            bn_param["mode"] = "test" if y is None else "train"
        conv_param = {"stride": 1, "pad": 1}

        def through(x, i):
            """Return scores, or the loss, dx and the gradients from layer i on."""
            p = lambda kind: self.params[f"{kind}{i}"]
            if i == self.num_layers - 1:
                out, cache = Linear.forward(x, p("W"), p("b"))
                if y is None:
                    return out
                loss, d = softmax_loss(out, y)
                dx, dw, db = Linear.backward(d, cache)
                g = {}
            else:
                out, conv = FastConv.forward(x, p("W"), p("b"), conv_param)
                if self.batchnorm:
                    out, norm = SpatialBatchNorm.forward(out, p("gamma"), p("beta"), self.bn_params[i])
                out, relu = ReLU.forward(out)
                if i in self.max_pools:
                    out, pool = FastMaxPool.forward(out, POOL)
                rest = through(out, i + 1)
                if y is None:
                    return rest
                loss, d, g = rest
                if i in self.max_pools:
                    d = FastMaxPool.backward(d, pool)
                d = ReLU.backward(d, relu)
                if self.batchnorm:
                    d, g[f"gamma{i}"], g[f"beta{i}"] = SpatialBatchNorm.backward(d, norm)
                dx, dw, db = FastConv.backward(d, conv)
            g[f"W{i}"], g[f"b{i}"] = dw + 2 * self.reg * p("W"), db
            return loss + self.reg * p("W").square().sum(), dx, g

        found = through(X, 0)
        if y is None:
            return found
        loss, _, grads = found
        return loss, grads


def find_overfit_parameters():
    return 8e-2, 3e-3


def create_convolutional_solver_instance(data_dict, dtype, device):
    # no batch normalization at all
    net = DeepConvNet(num_filters=[24, 32, 64], max_pools=[0, 1, 2], weight_scale="kaiming", dtype=dtype, device=device)
    return Solver(net, data_dict, update_rule=adam, optim_config={"learning_rate": 2e-3}, batch_size=32, num_epochs=6,
                  lr_decay=0.85, device=device)
