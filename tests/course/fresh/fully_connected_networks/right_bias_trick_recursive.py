from __future__ import annotations

import math
import os
from functools import reduce
from typing import Any, NamedTuple

import torch
from torch import Tensor

from helpers.training.losses import softmax_loss
from helpers.training.solver import Solver

Config = dict[str, Any]


# ----------------------------------------------------------------------------------------------------
# helpers
# ----------------------------------------------------------------------------------------------------


class LinearCache(NamedTuple):
    x: Tensor
    w: Tensor
    b: Tensor


def rows(x: Tensor) -> Tensor:
    return x.flatten(1)


def with_ones(x: Tensor) -> Tensor:
    """(N, ...) -> (N, D + 1): the bias trick, last column is 1"""
    x = rows(x)
    return torch.cat([x, x.new_ones(x.shape[0], 1)], dim=1)


def fill_defaults(config, **defaults):
    """like setdefault for several keys"""
    config = config if config is not None else {}
    for key in defaults:
        if key not in config:
            config[key] = defaults[key]
    return config


def lerp(old, new, weight):
    # running average; weight is how much of old stays
    return torch.lerp(new, old, weight)


# ----------------------------------------------------------------------------------------------------
# layers
# ----------------------------------------------------------------------------------------------------


class Linear:
    @staticmethod
    def forward(x, w, b):
        wb = torch.vstack((w, b))  # (D + 1, M)
        return with_ones(x) @ wb, LinearCache(x, w, b)

    @staticmethod
    def backward(dout, cache):
        x, w, b = cache
        dwb = with_ones(x).mT @ dout
        dx = (w @ dout.mT).mT
        return dx.reshape_as(x), dwb[:-1], dwb[-1]


class ReLU:
    @staticmethod
    def forward(x):
        return torch.maximum(x, torch.zeros_like(x)), x

    @staticmethod
    def backward(dout, cache):
        return torch.heaviside(cache, torch.zeros_like(cache)) * dout


class Linear_ReLU:
    @staticmethod
    def forward(x, w, b):
        a, linear_cache = Linear.forward(x, w, b)
        out, relu_cache = ReLU.forward(a)
        return out, (linear_cache, relu_cache)

    @staticmethod
    def backward(dout, cache):
        linear_cache, relu_cache = cache
        da = ReLU.backward(dout, relu_cache)
        return Linear.backward(da, linear_cache)


class Dropout:
    @staticmethod
    def forward(x, dropout_param):
        p, mode = dropout_param["p"], dropout_param["mode"]
        if "seed" in dropout_param:
            torch.manual_seed(dropout_param["seed"])
        if mode == "test":
            return x, (dropout_param, torch.ones_like(x))
        # Bernoulli; in the mask are 0 and 1 / (1 - p)
        keep = torch.bernoulli(torch.full(x.shape, 1.0 - p, device=x.device))
        mask = keep.to(x.dtype).div(1 - p)
        return x.mul(mask), (dropout_param, mask)

    @staticmethod
    def backward(dout, cache):
        return dout * cache[1]


# ----------------------------------------------------------------------------------------------------
# networks. A two layer net is a fully connected net with one hidden layer, so the work is done once.
# ----------------------------------------------------------------------------------------------------


class Net:
    def make(self, dims, weight_scale, dtype, device):
        self.params = {}
        for n, (d, m) in enumerate(zip(dims, dims[1:])):
            self.params[f"W{n + 1}"] = weight_scale * torch.randn((d, m), dtype=dtype, device=device)
            self.params[f"b{n + 1}"] = torch.zeros((m,), dtype=dtype, device=device)

    def go(self, n, x, y, grads):
        """Layer n and all behind it. With y it puts the gradients in grads and returns (loss, dx), else the scores."""
        W, b = self.params[f"W{n}"], self.params[f"b{n}"]
        if f"W{n + 1}" not in self.params:  # the last one
            scores, cache = Linear.forward(x, W, b)
            if y is None:
                return scores
            loss, dscores = softmax_loss(scores, y)
            dx, dW, db = Linear.backward(dscores, cache)
        else:
            h, cache = Linear_ReLU.forward(x, W, b)
            if self.dropout_param:
                h, drop = Dropout.forward(h, self.dropout_param)
            rest = self.go(n + 1, h, y, grads)
            if y is None:
                return rest
            loss, dh = rest
            if self.dropout_param:
                dh = Dropout.backward(dh, drop)
            dx, dW, db = Linear_ReLU.backward(dh, cache)
        penalty, dpenalty = l2_regularizer(W, self.reg)
        grads[f"W{n}"], grads[f"b{n}"] = dW + dpenalty, db
        return loss + penalty, dx

    def loss(self, X, y=None):
        X = X.to(self.dtype)
        if self.dropout_param:
            self.dropout_param["mode"] = "test" if y is None else "train"
        grads = {}
        result = self.go(1, X, y, grads)
        return result if y is None else (result[0], grads)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters to a file."""
        torch.save(self.params, path)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Read the parameters from a file that `save` wrote."""
        self.params = torch.load(path, map_location="cpu", weights_only=True)


class TwoLayerNet(Net):
    def __init__(
        self,
        input_dim: int = 3 * 32 * 32,
        hidden_dim: int = 100,
        num_classes: int = 10,
        weight_scale: float = 1e-3,
        reg: float = 0.0,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ) -> None:
        self.reg, self.dtype, self.dropout_param = reg, dtype, {}
        self.make([input_dim, hidden_dim, num_classes], weight_scale, dtype, device)


class FullyConnectedNet(Net):
    def __init__(
        self,
        hidden_dims: list[int],
        input_dim: int = 3 * 32 * 32,
        num_classes: int = 10,
        dropout: float = 0.0,
        reg: float = 0.0,
        weight_scale: float = 1e-2,
        seed: int | None = None,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ) -> None:
        self.use_dropout = dropout != 0
        self.reg = reg
        self.num_layers = 1 + len(hidden_dims)
        self.dtype = dtype
        self.dropout_param = {}
        if self.use_dropout:
            self.dropout_param = {"mode": "train", "p": dropout}
            if seed is not None:
                self.dropout_param["seed"] = seed
        self.make([input_dim, *hidden_dims, num_classes], weight_scale, dtype, device)


def get_three_layer_network_params():
    # std of He for 3072 inputs is 0.026, for 100 inputs 0.14; geometric mean
    return math.sqrt(math.sqrt(2 / 3072) * math.sqrt(2 / 100)), 4e-2


def get_five_layer_network_params():
    return 0.13, 1.5e-2


def create_solver_instance(data_dict, dtype, device):
    settings = {"update_rule": rmsprop, "optim_config": {"learning_rate": 3e-4}, "lr_decay": 0.95, "batch_size": 250, "num_epochs": 20, "verbose": False}
    return Solver(TwoLayerNet(hidden_dim=300, weight_scale=2e-2, dtype=dtype, device=device), data_dict, device=device, **settings)


# ----------------------------------------------------------------------------------------------------
# update rules
# ----------------------------------------------------------------------------------------------------


def sgd(w: Tensor, dw: Tensor, config: Config | None = None) -> tuple[Tensor, Config]:
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    return w - config["learning_rate"] * dw, config


def sgd_momentum(w, dw, config=None):
    config = fill_defaults(config, learning_rate=1e-2, momentum=0.9, velocity=torch.zeros_like(w))
    v = config["momentum"] * config["velocity"] - config["learning_rate"] * dw
    return w + v, {**config, "velocity": v}  # a new dict, the old one stays


def rmsprop(w, dw, config=None):
    config = fill_defaults(config, learning_rate=1e-2, decay_rate=0.99, epsilon=1e-8, cache=torch.zeros_like(w))
    cache = lerp(config["cache"], dw.square(), config["decay_rate"])
    return w - config["learning_rate"] * (dw / (cache.sqrt() + config["epsilon"])), {**config, "cache": cache}


def adam(w, dw, config=None):
    config = fill_defaults(
        config, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, m=torch.zeros_like(w), v=torch.zeros_like(w), t=0
    )
    t, beta1, beta2 = config["t"] + 1, config["beta1"], config["beta2"]
    m, v = lerp(config["m"], dw, beta1), lerp(config["v"], dw * dw, beta2)
    # m' / (sqrt(v') + eps), both fractions multiplied by sqrt(1 - beta2 ** t)
    c2 = math.sqrt(1 - beta2**t)
    step = config["learning_rate"] * c2 / (1 - beta1**t)
    next_w = w - step * m / (v.sqrt() + c2 * config["epsilon"])
    return next_w, {**config, "m": m, "v": v, "t": t}


def sgd_weight_decay(w, dw, config=None):
    config = fill_defaults(config, learning_rate=1e-2, weight_decay=1e-4)
    decays = float(w.dim() > 1)
    return sgd(w, dw + decays * config["weight_decay"] * w, config)


# ----------------------------------------------------------------------------------------------------
# regularizers
# ----------------------------------------------------------------------------------------------------


def l2_regularizer(w, strength, half=False):
    factor = strength / 2 if half else strength
    return factor * torch.linalg.vector_norm(w) ** 2, 2 * factor * w


def l1_regularizer(w, strength):
    return strength * torch.linalg.vector_norm(w, ord=1), strength * w.sgn()


def elastic_net(w, l1_strength, l2_strength):
    return tuple(map(torch.add, l1_regularizer(w, l1_strength), l2_regularizer(w, l2_strength)))


def max_norm(w, c):
    # min(1, sqrt(c) / |w|) * w, without a branch. |w| = 0 gives inf or nan, and then it is 1
    ratio = math.sqrt(c) / torch.linalg.vector_norm(w)
    return w * ratio.nan_to_num(nan=1.0).clamp(max=1)
