from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from helpers.training.losses import softmax_loss
from helpers.training.solver import Solver

Config = dict[str, Any]

# I know numpy better than torch, so everything is done in numpy (in float64) and goes back at the end.


def np_(t):
    return t.detach().cpu().double().numpy()


def back(a, like):
    """numpy -> torch, dtype and device as `like`"""
    return torch.from_numpy(np.ascontiguousarray(a)).to(dtype=like.dtype, device=like.device)


class Linear:
    """A linear layer: out = x w + b."""

    @staticmethod
    def forward(x: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Any]:
        N = x.shape[0]
        D = w.shape[0]
        X = np_(x).reshape(N, D)
        out = np.dot(X, np_(w)) + np_(b)
        return back(out, x), (x, w, b)

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> tuple[Tensor, Tensor, Tensor]:
        x, w, b = cache
        g = np_(dout)
        X = np_(x).reshape(x.shape[0], w.shape[0])
        dx = np.dot(g, np_(w).T)
        dw = np.dot(X.T, g)
        db = np.sum(g, axis=0)
        return back(dx, x), back(dw, w), back(db, b)


class ReLU:
    @staticmethod
    def forward(x: Tensor) -> tuple[Tensor, Any]:
        return back(np.maximum(0, np_(x)), x), x

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> Tensor:
        x = cache
        dx = np_(dout).copy()  # copy!! otherwise dout is changed for float64 on cpu
        dx[np_(x) <= 0] = 0
        return back(dx, dout)


class Linear_ReLU:
    """A linear layer with a ReLU behind it. This class is given; it calls yours."""

    @staticmethod
    def forward(x: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Any]:
        """Return the outputs of the ReLU and what `backward` needs."""
        a, linear_cache = Linear.forward(x, w, b)
        out, relu_cache = ReLU.forward(a)
        return out, (linear_cache, relu_cache)

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients with respect to x, w and b."""
        linear_cache, relu_cache = cache
        da = ReLU.backward(dout, relu_cache)
        return Linear.backward(da, linear_cache)


class TwoLayerNet:
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
        self.params: dict[str, Tensor] = {}
        self.reg = reg
        self.dtype = dtype
        # np.random.randn would not listen to torch.manual_seed
        self.params["W1"] = torch.normal(0.0, weight_scale, size=(input_dim, hidden_dim), dtype=dtype, device=device)
        self.params["b1"] = torch.zeros(hidden_dim).to(device=device, dtype=dtype)
        self.params["W2"] = torch.normal(0.0, weight_scale, size=(hidden_dim, num_classes), dtype=dtype, device=device)
        self.params["b2"] = torch.zeros(num_classes).to(device=device, dtype=dtype)

    def loss(self, X: Tensor, y: Tensor | None = None) -> Any:
        X = X.to(self.dtype)
        W1, b1 = self.params["W1"], self.params["b1"]
        W2, b2 = self.params["W2"], self.params["b2"]
        hidden, cache1 = Linear_ReLU.forward(X, W1, b1)
        scores, cache2 = Linear.forward(hidden, W2, b2)
        if y is None:
            return scores

        grads: dict[str, Tensor] = {}
        loss, dscores = softmax_loss(scores, y)
        loss = float(loss) + self.reg * (np.sum(np_(W1) ** 2) + np.sum(np_(W2) ** 2))
        dhidden, grads["W2"], grads["b2"] = Linear.backward(dscores, cache2)
        dX, grads["W1"], grads["b1"] = Linear_ReLU.backward(dhidden, cache1)
        grads["W1"] += 2 * self.reg * W1
        grads["W2"] += 2 * self.reg * W2
        return float(loss), grads

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters to a file."""
        torch.save(self.params, path)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Read the parameters from a file that `save` wrote."""
        self.params = torch.load(path, map_location="cpu", weights_only=True)


class FullyConnectedNet:
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
        self.params: dict[str, Tensor] = {}
        self.dropout_param: dict[str, Any] = {}
        if self.use_dropout:
            self.dropout_param = {"mode": "train", "p": dropout}
            if seed is not None:
                self.dropout_param["seed"] = seed
        before = input_dim
        n = 1
        for h in hidden_dims:
            self.params["W" + str(n)] = torch.normal(0.0, weight_scale, size=(before, h), dtype=dtype, device=device)
            self.params["b" + str(n)] = torch.zeros(h, dtype=dtype, device=device)
            before = h
            n += 1
        self.params["W" + str(n)] = torch.normal(0.0, weight_scale, size=(before, num_classes), dtype=dtype, device=device)
        self.params["b" + str(n)] = torch.zeros(num_classes, dtype=dtype, device=device)

    def loss(self, X: Tensor, y: Tensor | None = None) -> Any:
        X = X.to(self.dtype)
        if self.use_dropout:
            self.dropout_param["mode"] = "test" if y is None else "train"
        stack = []
        out = X
        for n in range(1, self.num_layers + 1):
            W, b = self.params["W" + str(n)], self.params["b" + str(n)]
            out, cache = Linear.forward(out, W, b)
            stack.append(("linear", n, cache))
            if n == self.num_layers:
                break
            out, cache = ReLU.forward(out)
            stack.append(("relu", n, cache))
            if self.use_dropout:
                out, cache = Dropout.forward(out, self.dropout_param)
                stack.append(("dropout", n, cache))
        if y is None:
            return out

        grads: dict[str, Tensor] = {}
        loss, d = softmax_loss(out, y)
        loss = float(loss)
        while stack:
            kind, n, cache = stack.pop()
            if kind == "dropout":
                d = Dropout.backward(d, cache)
            elif kind == "relu":
                d = ReLU.backward(d, cache)
            else:
                d, dw, db = Linear.backward(d, cache)
                penalty, dpenalty = l2_regularizer(self.params["W" + str(n)], self.reg)
                loss += float(penalty)
                grads["W" + str(n)] = dw + dpenalty
                grads["b" + str(n)] = db
        return loss, grads

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters to a file."""
        torch.save(self.params, path)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Read the parameters from a file that `save` wrote."""
        self.params = torch.load(path, map_location="cpu", weights_only=True)


def get_three_layer_network_params() -> tuple[float, float]:
    return 0.1, 0.03


def get_five_layer_network_params() -> tuple[float, float]:
    return 0.15, 0.01


def create_solver_instance(data_dict: Mapping[str, Tensor], dtype: torch.dtype, device: str) -> Solver:
    net = TwoLayerNet(input_dim=3 * 32 * 32, hidden_dim=150, num_classes=10, weight_scale=2e-2, dtype=dtype, device=device)
    return Solver(
        net,
        data_dict,
        update_rule=sgd_momentum,
        optim_config={"learning_rate": 1e-2, "momentum": 0.9},
        batch_size=200,
        lr_decay=0.95,
        num_epochs=20,
        verbose=False,
        device=device,
    )


def sgd(w: Tensor, dw: Tensor, config: Config | None = None) -> tuple[Tensor, Config]:
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    return w - config["learning_rate"] * dw, config


def sgd_momentum(w: Tensor, dw: Tensor, config: Config | None = None) -> tuple[Tensor, Config]:
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    if "velocity" in config:
        v = np_(config["velocity"])
    else:
        v = np.zeros(tuple(w.shape))
    v = config["momentum"] * v - config["learning_rate"] * np_(dw)
    next_w = np_(w) + v
    config["velocity"] = back(v, w)
    return back(next_w, w), config


def rmsprop(w: Tensor, dw: Tensor, config: Config | None = None) -> tuple[Tensor, Config]:
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("decay_rate", 0.99)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("cache", torch.zeros_like(w))
    g = np_(dw)
    cache = config["decay_rate"] * np_(config["cache"]) + (1 - config["decay_rate"]) * np.square(g)
    next_w = np_(w) - config["learning_rate"] * g / (np.sqrt(cache) + config["epsilon"])
    config["cache"] = back(cache, w)
    return back(next_w, w), config


def adam(w: Tensor, dw: Tensor, config: Config | None = None) -> tuple[Tensor, Config]:
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-3)
    config.setdefault("beta1", 0.9)
    config.setdefault("beta2", 0.999)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("m", torch.zeros_like(w))
    config.setdefault("v", torch.zeros_like(w))
    config.setdefault("t", 0)
    t = config["t"] = config["t"] + 1
    g = np_(dw)
    m = config["beta1"] * np_(config["m"]) + (1 - config["beta1"]) * g
    v = config["beta2"] * np_(config["v"]) + (1 - config["beta2"]) * g**2
    config["m"], config["v"] = back(m, w), back(v, w)
    m_hat = m / (1 - np.power(config["beta1"], t))
    v_hat = v / (1 - np.power(config["beta2"], t))
    next_w = np_(w) - config["learning_rate"] * m_hat / (np.sqrt(v_hat) + config["epsilon"])
    return back(next_w, w), config


class Dropout:
    @staticmethod
    def forward(x: Tensor, dropout_param: dict[str, Any]) -> tuple[Tensor, Any]:
        p, mode = dropout_param["p"], dropout_param["mode"]
        if "seed" in dropout_param:
            torch.manual_seed(dropout_param["seed"])
        mask: Tensor | None = None
        out = x.clone()
        if mode == "train":
            keep = torch.rand(tuple(x.shape), dtype=torch.float64).numpy() > p
            mask = back(keep / (1 - p), x)
            out = back(np_(x) * keep / (1 - p), x)
        return out, (dropout_param, mask)

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> Tensor:
        dropout_param, mask = cache
        if dropout_param["mode"] == "test":
            return dout
        return back(np_(dout) * np_(mask), dout)


def l2_regularizer(w: Tensor, strength: float, half: bool = False) -> tuple[Tensor, Tensor]:
    v = np_(w)
    penalty, grad = strength * (v**2).sum(), 2 * strength * v
    if half:
        penalty, grad = penalty / 2, grad / 2
    return back(penalty, w).reshape(()), back(grad, w)


def l1_regularizer(w: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    v = np_(w)
    return torch.tensor(strength * np.abs(v).sum(), dtype=w.dtype, device=w.device), back(strength * np.sign(v), w)


def elastic_net(w: Tensor, l1_strength: float, l2_strength: float) -> tuple[Tensor, Tensor]:
    v = np_(w)
    penalty = l1_strength * np.linalg.norm(v.ravel(), 1) + l2_strength * np.linalg.norm(v.ravel()) ** 2
    grad = l1_strength * np.sign(v) + 2 * l2_strength * v
    return torch.tensor(penalty, dtype=w.dtype, device=w.device), back(grad, w)


def max_norm(w: Tensor, c: float) -> Tensor:
    v = np_(w)
    norm = np.linalg.norm(v.ravel())
    if norm**2 <= c:
        return w
    return back(v * np.sqrt(c) / norm, w)


def sgd_weight_decay(w: Tensor, dw: Tensor, config: Config | None = None) -> tuple[Tensor, Config]:
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("weight_decay", 1e-4)
    v = np_(w)
    a = config["learning_rate"]
    step = a * np_(dw)
    if v.ndim > 1:
        step = step + a * config["weight_decay"] * v
    return back(v - step, w), config
