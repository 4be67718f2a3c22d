from __future__ import annotations

from typing import Any
from collections.abc import Mapping, Sequence

import torch
import torch.nn as nn

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


def shifts(shape, hh, ww, stride):
    """Yield (place in the filter, slices of the image under it)."""
    H, W = shape[-2:]
    rows, cols = (H - hh) // stride + 1, (W - ww) // stride + 1
    for h in range(hh):
        for w in range(ww):
            yield (h, w), (..., slice(h, h + (rows - 1) * stride + 1, stride), slice(w, w + (cols - 1) * stride + 1, stride))


def surround(x, pad):
    if pad == 0:
        return x.clone()
    return nn.functional.pad(x, (pad, pad, pad, pad), mode="constant", value=0)


class Conv:
    @staticmethod
    def forward(x, w, b, conv_param):
        stride, pad = conv_param["stride"], conv_param["pad"]
        padded = surround(x, pad)
        out = 0
        for (h, v), at in shifts(padded.shape, *w.shape[2:], stride):
            out = out + torch.tensordot(padded[at], w[:, :, h, v], dims=([1], [1])).permute(0, 3, 1, 2)
        out = out + b[None, :, None, None]
        return out, (x, w, b, conv_param)

    @staticmethod
    def backward(dout, cache):
        x, w, b, conv_param = cache
        stride, pad = conv_param["stride"], conv_param["pad"]
        padded = surround(x, pad)
        dpadded = torch.zeros_like(padded)
        dw = torch.empty_like(w)
        for (h, v), at in shifts(padded.shape, *w.shape[2:], stride):
            dw[:, :, h, v] = torch.tensordot(dout, padded[at], dims=([0, 2, 3], [0, 2, 3]))
            dpadded[at] += torch.tensordot(dout, w[:, :, h, v], dims=([1], [0])).permute(0, 3, 1, 2)
        dx = dpadded if pad == 0 else dpadded[:, :, pad:-pad, pad:-pad]
        return dx, dw, dout.sum(dim=[0, 2, 3])


class MaxPool:
    @staticmethod
    def forward(x, pool_param):
        out = None
        for _, at in shifts(x.shape, pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]):
            out = x[at] if out is None else torch.maximum(out, x[at])
        return out, (x, pool_param)

    @staticmethod
    def backward(dout, cache):
        x, pool_param = cache
        out, _ = MaxPool.forward(x, pool_param)
        dx = torch.zeros_like(x)
        left = torch.ones_like(out, dtype=torch.bool)  # windows whose gradient is not given away yet
        for _, at in shifts(x.shape, pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]):
            here = left & (x[at] == out)
            dx[at] += torch.where(here, dout, torch.zeros_like(dout))
            left = left & ~here
        return dx


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
            scale = gamma / torch.sqrt(running_var + eps)
            return x * scale + (beta - running_mean * scale), ()
        N = x.shape[0]
        mean = torch.ones(1, N, dtype=x.dtype, device=x.device) @ x / N
        var = torch.var(x, dim=0, unbiased=False)
        bn_param["running_mean"] = running_mean * momentum + mean[0] * (1 - momentum)
        bn_param["running_var"] = running_var * momentum + var * (1 - momentum)
        std = torch.sqrt(var + eps)
        out = gamma * (x - mean) / std + beta
        return out, {"x": x, "mean": mean, "std": std, "gamma": gamma}

    @staticmethod
    def backward(dout, cache):
        x, mean, std, gamma = cache["x"], cache["mean"], cache["std"], cache["gamma"]
        N = x.shape[0]
        z = (x - mean) / std
        dz = dout * gamma
        dvar = torch.sum(dz * (x - mean), dim=0) * (-1 / 2) / std**3
        dmean = torch.sum(-dz / std, dim=0) + dvar * torch.mean(-2 * (x - mean), dim=0)
        dx = dz / std + dvar * 2 * (x - mean) / N + dmean / N
        return dx, torch.sum(dout * z, dim=0), torch.sum(dout, dim=0)

    @staticmethod
    def backward_alt(dout, cache):
        # the Jacobian of a feature is (1 - 1/N - z z^T / N) / std: a projection
        z = (cache["x"] - cache["mean"]) / cache["std"]
        N = z.shape[0]
        dgamma, dbeta = (z * dout).sum(0), dout.sum(0)
        dx = torch.addcmul(dout - dbeta / N, z, dgamma, value=-1 / N)
        dx *= cache["gamma"] / cache["std"]
        return dx, dgamma, dbeta


class SpatialBatchNorm:
    @staticmethod
    def forward(x, gamma, beta, bn_param):
        N, C, H, W = x.shape
        out, cache = BatchNorm.forward(x.transpose(0, 1).reshape(C, N * H * W).T, gamma, beta, bn_param)
        return out.T.reshape(C, N, H, W).transpose(0, 1), cache

    @staticmethod
    def backward(dout, cache):
        N, C, H, W = dout.shape
        dx, dgamma, dbeta = BatchNorm.backward_alt(dout.transpose(0, 1).reshape(C, N * H * W).T, cache)
        return dx.T.reshape(C, N, H, W).transpose(0, 1), dgamma, dbeta


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
