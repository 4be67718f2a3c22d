"""Assignment: fully connected networks.  Type hints throughout; boolean masks; configs are copied."""

from __future__ import annotations

from typing import Any, Optional

import torch
from torch import Tensor

from helpers.training.losses import softmax_loss
from helpers.training.solver import Solver


class Linear:
    @staticmethod
    def forward(x: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Any]:
        flat = x.flatten(1)
        out = torch.addmm(b, flat, w)
        return out, (x, w, b)

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> tuple[Tensor, Tensor, Tensor]:
        x, w, _ = cache
        ones = torch.ones(x.shape[0], dtype=dout.dtype, device=dout.device)
        dx = (dout @ w.transpose(0, 1)).reshape_as(x)
        dw = torch.matmul(x.flatten(1).transpose(0, 1), dout)
        db = ones @ dout
        return dx, dw / len(x), db


class ReLU:
    @staticmethod
    def forward(x: Tensor) -> tuple[Tensor, Any]:
        return torch.maximum(x, torch.zeros_like(x)), x

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> Tensor:
        active = cache > 0
        return dout.masked_fill(~active, 0)


class Linear_ReLU:
    @staticmethod
    def forward(x: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Any]:
        a, linear_cache = Linear.forward(x, w, b)
        out, relu_cache = ReLU.forward(a)
        return out, (linear_cache, relu_cache)

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> tuple[Tensor, Tensor, Tensor]:
        linear_cache, relu_cache = cache
        return Linear.backward(ReLU.backward(dout, relu_cache), linear_cache)


class FullyConnectedNet:
    def __init__(
        self,
        hidden_dims: list[int],
        input_dim: int = 3 * 32 * 32,
        num_classes: int = 10,
        dropout: float = 0.0,
        reg: float = 0.0,
        weight_scale: float = 1e-2,
        seed: Optional[int] = None,
        dtype: torch.dtype = torch.float32,
        device: str = "cpu",
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
        inputs = input_dim
        for number, outputs in enumerate((*hidden_dims, num_classes)):
            w = torch.empty(inputs, outputs, dtype=dtype, device=device).normal_(0, weight_scale)
            self.params[f"W{number + 1}"] = w
            self.params[f"b{number + 1}"] = w.new_zeros(outputs)
            inputs = outputs

    def loss(self, X: Tensor, y: Optional[Tensor] = None) -> Any:
        mode = "test" if y is None else "train"
        values = X.to(self.dtype)
        caches: list[Any] = []
        for number in range(1, self.num_layers):
            values, cache = Linear_ReLU.forward(values, *self.layer(number))
            caches.append(cache)
            if self.use_dropout:
                values, cache = Dropout.forward(values, {**self.dropout_param, "mode": mode})
                caches.append(cache)
        scores, cache = Linear.forward(values, *self.layer(self.num_layers))
        if y is None:
            return scores

        data_loss, grad = softmax_loss(scores, y)
        penalty = 0.0
        grads: dict[str, Tensor] = {}
        for number in range(self.num_layers, 0, -1):
            w, _ = self.layer(number)
            if number == self.num_layers:
                grad, dw, db = Linear.backward(grad, cache)
            else:
                if self.use_dropout:
                    grad = Dropout.backward(grad, caches.pop())
                grad, dw, db = Linear_ReLU.backward(grad, caches.pop())
            penalty += self.reg * float(torch.sum(w.double() ** 2))
            grads[f"W{number}"] = torch.add(dw, w, alpha=2 * self.reg)
            grads[f"b{number}"] = db
        return float(data_loss) + penalty, grads

    def layer(self, number: int) -> tuple[Tensor, Tensor]:
        return self.params[f"W{number}"], self.params[f"b{number}"]


class TwoLayerNet(FullyConnectedNet):
    """The same with one hidden layer."""

    def __init__(
        self,
        input_dim: int = 3 * 32 * 32,
        hidden_dim: int = 100,
        num_classes: int = 10,
        weight_scale: float = 1e-3,
        reg: float = 0.0,
        dtype: torch.dtype = torch.float32,
        device: str = "cpu",
    ) -> None:
        super().__init__(
            [hidden_dim], input_dim, num_classes,
            reg=reg, weight_scale=weight_scale, dtype=dtype, device=device,
        )

    def loss(self, X: Tensor, y: Optional[Tensor] = None) -> Any:
        return super().loss(X, y)


def create_solver_instance(data_dict: dict[str, Tensor], dtype: torch.dtype, device: str) -> Solver:
    return Solver(
        TwoLayerNet(hidden_dim=100, weight_scale=1e-2, dtype=dtype, device=device),
        data_dict,
        update_rule=adam,
        optim_config={"learning_rate": 1e-3},
        lr_decay=0.97,
        batch_size=128,
        num_epochs=10,
        device=device,
    )


def get_three_layer_network_params() -> tuple[float, float]:
    return 0.1, 0.1


def get_five_layer_network_params() -> tuple[float, float]:
    return 0.1, 0.07


def sgd(w: Tensor, dw: Tensor, config: Optional[dict] = None) -> tuple[Tensor, dict]:
    config = {"learning_rate": 1e-2} | (config or {})
    return w - config["learning_rate"] * dw, config


def sgd_momentum(w: Tensor, dw: Tensor, config: Optional[dict] = None) -> tuple[Tensor, dict]:
    config = {"learning_rate": 1e-2, "momentum": 0.9} | (config or {})
    v = config.get("velocity")
    v = torch.zeros_like(w) if v is None else v
    v_new = torch.sub(config["momentum"] * v, dw, alpha=config["learning_rate"])
    return w + v_new, config | {"velocity": v_new}


def rmsprop(w: Tensor, dw: Tensor, config: Optional[dict] = None) -> tuple[Tensor, dict]:
    config = {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8} | (config or {})
    rho = config["decay_rate"]
    cache = (1 - rho) * dw * dw + rho * config.get("cache", 0 * w)
    next_w = w - config["learning_rate"] * dw / (cache.sqrt() + config["epsilon"])
    return next_w, config | {"cache": cache}


def adam(w: Tensor, dw: Tensor, config: Optional[dict] = None) -> tuple[Tensor, dict]:
    defaults = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "t": 0}
    config = defaults | (config or {})
    beta1, beta2 = config["beta1"], config["beta2"]
    t = config["t"] + 1
    m = beta1 * config.get("m", torch.zeros_like(w)) + (1 - beta1) * dw
    v = beta2 * config.get("v", torch.zeros_like(w)) + (1 - beta2) * dw * dw
    m_hat = m / (1 - beta1 ** t)
    v_hat = v / (1 - beta2 ** t)
    next_w = w - config["learning_rate"] * m_hat / (v_hat.sqrt() + config["epsilon"])
    return next_w, config | {"m": m, "v": v, "t": t}


class Dropout:
    @staticmethod
    def forward(x: Tensor, dropout_param: dict[str, Any]) -> tuple[Tensor, Any]:
        generator = torch.Generator(device=x.device)
        if "seed" in dropout_param:
            generator.manual_seed(dropout_param["seed"])
        else:
            generator.seed()
        if dropout_param["mode"] == "test":
            return x.clone(), (dropout_param, None)
        p = dropout_param["p"]
        kept = torch.rand(x.shape, generator=generator, device=x.device) >= p
        return x * kept / (1 - p), (dropout_param, kept)

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> Tensor:
        dropout_param, kept = cache
        if dropout_param["mode"] == "test":
            return dout.clone()
        return dout * kept / (1 - dropout_param["p"])


def l2_regularizer(w: Tensor, strength: float, half: bool = False) -> tuple[Tensor, Tensor]:
    penalty, gradient = strength * torch.sum(w ** 2), 2 * strength * w
    return (penalty / 2, gradient / 2) if half else (penalty, gradient)


def l1_regularizer(w: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    sign = (w > 0).to(w.dtype) - (w < 0).to(w.dtype)
    return strength * (w * sign).sum(), strength * sign


def elastic_net(w: Tensor, l1_strength: float, l2_strength: float) -> tuple[Tensor, Tensor]:
    sign = (w > 0).to(w.dtype) - (w < 0).to(w.dtype)
    penalty = (l1_strength * w * sign + l2_strength * w ** 2).sum()
    return penalty, l1_strength * sign + 2 * l2_strength * w


def max_norm(w: Tensor, c: float) -> Tensor:
    squares = torch.sum(w ** 2)
    return torch.where(squares > c, w * torch.sqrt(c / squares), w)


def sgd_weight_decay(w: Tensor, dw: Tensor, config: Optional[dict] = None) -> tuple[Tensor, dict]:
    config = {"learning_rate": 1e-2, "weight_decay": 1e-4} | (config or {})
    alpha, strength = config["learning_rate"], config["weight_decay"]
    if w.ndim == 1:
        strength = 0.0
    return w - alpha * (strength * w + dw), config
