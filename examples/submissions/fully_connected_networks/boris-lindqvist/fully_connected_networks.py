"""Fully connected networks.  A base class and a stack of layers that undoes itself; dropout is a closure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod, sqrt
from operator import itemgetter
from typing import Any

import torch
from torch import Tensor

from helpers.training.losses import softmax_loss
from helpers.training.solver import Solver

Config = dict[str, Any]


def _rows(x: Tensor) -> Tensor:
    return x.reshape(len(x), prod(x.shape[1:]))


class Linear:
    """A linear layer: out = x w + b."""

    @staticmethod
    def forward(x: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Any]:
        return torch.addmm(b, _rows(x), w), (x, w, b)

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> tuple[Tensor, Tensor, Tensor]:
        x, w, _ = cache
        return (
            torch.matmul(dout, w.transpose(0, 1)).reshape_as(x),
            torch.matmul(_rows(x).transpose(0, 1), dout),
            dout.new_ones(len(dout)) @ dout,
        )


class ReLU:
    @staticmethod
    def forward(x: Tensor) -> tuple[Tensor, Any]:
        return x.clamp(min=0), x

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> Tensor:
        return dout * cache.gt(0)


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


@dataclass
class _Stack:
    """Layers that went forward, and how to undo them."""

    undo: list = field(default_factory=list)

    def push(self, layer, names, result):
        out, cache = result
        self.undo.append((layer, names, cache))
        return out

    def unwind(self, dout):
        grads = {}
        while self.undo:
            layer, names, cache = self.undo.pop()
            if names:
                dout, *rest = layer.backward(dout, cache)
                grads.update(zip(names, rest))
            else:
                dout = layer.backward(dout, cache)
        return grads


class _Net:
    params: dict[str, Tensor]
    reg: float
    dtype: torch.dtype
    dropout_param: dict[str, Any] = {}

    def _draw(self, sizes, scale, dtype, device):
        self.params = {}
        for number, (rows, columns) in enumerate(zip(sizes, sizes[1:]), start=1):
            self.params[f"W{number}"] = torch.empty(rows, columns, dtype=dtype, device=device).normal_(0, scale)
            self.params[f"b{number}"] = torch.zeros((columns,), dtype=dtype, device=device)

    def _weights(self):
        return {name: value for name, value in self.params.items() if name[0] == "W"}

    def loss(self, X, y=None):
        if self.dropout_param:
            self.dropout_param["mode"] = "train" if y is not None else "test"
        stack, out, depth = _Stack(), X.to(self.dtype), len(self.params) // 2
        for number in range(1, depth + 1):
            names = (f"W{number}", f"b{number}")
            w, b = (self.params[name] for name in names)
            out = stack.push(Linear, names, Linear.forward(out, w, b))
            if number == depth:
                break
            out = stack.push(ReLU, None, ReLU.forward(out))
            if self.dropout_param:
                out = stack.push(Dropout, None, Dropout.forward(out, self.dropout_param))
        if y is None:
            return out
        loss, dscores = softmax_loss(out, y)
        grads = stack.unwind(dscores)
        for name, w in self._weights().items():
            penalty, slope = l2_regularizer(w, self.reg)
            loss, grads[name] = loss + penalty, grads[name] + slope
        return float(loss), grads

    def save(self, path):
        torch.save(self.params, path)

    def load(self, path):
        self.params = torch.load(path, map_location="cpu", weights_only=True)


class TwoLayerNet(_Net):
    def __init__(self, input_dim: int = 3 * 32 * 32, hidden_dim: int = 100, num_classes: int = 10,
                 weight_scale: float = 1e-3, reg: float = 0.0, dtype: torch.dtype = torch.float32,
                 device: str | torch.device = "cpu") -> None:
        self.reg, self.dtype = reg, dtype
        self._draw((input_dim, hidden_dim, num_classes), weight_scale, dtype, device)

    def loss(self, X, y=None):
        return super().loss(X, y)


class FullyConnectedNet(_Net):
    def __init__(self, hidden_dims: list[int], input_dim: int = 3 * 32 * 32, num_classes: int = 10,
                 dropout: float = 0.0, reg: float = 0.0, weight_scale: float = 1e-2, seed: int | None = None,
                 dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu") -> None:
        self.use_dropout = dropout != 0
        self.reg, self.dtype = reg, dtype
        self.num_layers = 1 + len(hidden_dims)
        self.dropout_param = {}
        if self.use_dropout:
            self.dropout_param = {"mode": "train", "p": dropout}
            if seed is not None:
                self.dropout_param["seed"] = seed
        self._draw([input_dim, *hidden_dims, num_classes], weight_scale, dtype, device)

    def loss(self, X, y=None):
        return super().loss(X, y)


def get_three_layer_network_params() -> tuple[float, float]:
    return 0.05, 0.1


def get_five_layer_network_params() -> tuple[float, float]:
    return 0.12, 0.1


def create_solver_instance(data_dict: Mapping[str, Tensor], dtype: torch.dtype, device: str) -> Solver:
    return Solver(
        TwoLayerNet(hidden_dim=400, weight_scale=1e-2, reg=1e-4, dtype=dtype, device=device),
        data_dict,
        update_rule=adam,
        optim_config={"learning_rate": 1e-3},
        batch_size=250,
        num_epochs=15,
        device=device,
        verbose=False,
    )


def _with(defaults: Config, config: Config | None) -> Config:
    return {**defaults, **(config or {})}


def sgd(w, dw, config=None):
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    return w - config["learning_rate"] * dw, config


def sgd_momentum(w, dw, config=None):
    config = _with({"learning_rate": 1e-2, "momentum": 0.9, "velocity": torch.zeros_like(w)}, config)
    v = config["momentum"] * config["velocity"] - config["learning_rate"] * dw
    return w + v, config | {"velocity": v}


def rmsprop(w, dw, config=None):
    config = _with({"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8, "cache": 0.0}, config)
    rate, decay, epsilon, cache = itemgetter("learning_rate", "decay_rate", "epsilon", "cache")(config)
    cache = decay * cache + (1 - decay) * dw.square()
    return w - rate * dw / (cache.sqrt() + epsilon), config | {"cache": cache}


def adam(w, dw, config=None):
    config = _with({"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "m": 0.0, "v": 0.0, "t": 0},
                   config)
    t = config["t"] + 1
    m = config["m"] * config["beta1"] + dw * (1 - config["beta1"])
    v = config["v"] * config["beta2"] + dw.pow(2) * (1 - config["beta2"])
    m_hat, v_hat = m / (1 - config["beta1"] ** t), v / (1 - config["beta2"] ** t)
    step = config["learning_rate"] * m_hat / (v_hat.sqrt() + config["epsilon"])
    return w - step, config | {"m": m, "v": v, "t": t}


class Dropout:
    @staticmethod
    def forward(x, dropout_param):
        p = dropout_param["p"]
        if dropout_param["mode"] == "test":
            return x.clone(), (dropout_param, None)
        generator = None
        if "seed" in dropout_param:
            generator = torch.Generator(device=x.device).manual_seed(dropout_param["seed"])
        keep = torch.rand(x.shape, generator=generator, device=x.device) >= p
        scale = 1 / (1 - p)

        def gate(values):
            return torch.where(keep, values * scale, torch.zeros_like(values))

        return gate(x), (dropout_param, gate)

    @staticmethod
    def backward(dout, cache):
        _, gate = cache
        return gate(dout) if gate else dout.clone()


def l2_regularizer(w, strength, half=False):
    factor = strength / 2 if half else strength
    return factor * w.pow(2).sum(), 2 * factor * w


def l1_regularizer(w, strength):
    return w.abs().sum() * strength, w.sign() * strength


def elastic_net(w, l1_strength, l2_strength):
    (one, dw1), (two, dw2) = l1_regularizer(w, l1_strength), l2_regularizer(w, l2_strength)
    return one + two, dw1 + dw2


def max_norm(w, c):
    norm = float(w.square().sum()) ** 0.5
    return w * min(1.0, sqrt(c) / norm) if norm else w


def sgd_weight_decay(w, dw, config=None):
    config = _with({"learning_rate": 1e-2, "weight_decay": 1e-4}, config)
    return sgd(w, dw if w.ndim == 1 else dw + config["weight_decay"] * w, config)
