# hana: as short as I could; lambdas, walruses, and the deep network calls itself for the next layer
from functools import partial
from itertools import count, pairwise

import torch as t

from helpers.training.losses import softmax_loss
from helpers.training.solver import Solver


class Linear:
    forward = staticmethod(lambda x, w, b: (x.flatten(1) @ w + b[None], (x, w, b)))

    @staticmethod
    def backward(dout, cache, /):
        x, w, _ = cache
        return (dout @ w.mT).unflatten(1, x.shape[1:]), x.flatten(1).mT @ dout, dout.sum(0)


class ReLU:
    forward = staticmethod(lambda x: ((x + x.abs()) / 2, x))
    backward = staticmethod(lambda dout, cache: dout.masked_fill(cache <= 0, 0))


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


class FullyConnectedNet:
    def __init__(self, hidden_dims, input_dim=3072, num_classes=10, dropout=0.0, reg=0.0, weight_scale=1e-2, seed=None,
                 dtype=t.float32, device="cpu"):
        self.use_dropout, self.reg, self.num_layers, self.dtype = dropout != 0, reg, 1 + len(hidden_dims), dtype
        self.dropout_param = {"mode": "train", "p": dropout} if self.use_dropout else {}
        if seed is not None and self.use_dropout:
            self.dropout_param["seed"] = seed
        new = {"dtype": dtype, "device": device}
        self.params = {}
        for i, size in zip(count(1), pairwise([input_dim, *hidden_dims, num_classes])):
            self.params |= {f"W{i}": t.randn(size, **new).mul_(weight_scale), f"b{i}": t.zeros(size[-1:], **new)}

    def loss(self, X, y=None):
        def descend(x, i):
            """Go forward from layer i on; return the scores, or the loss, dx and gradients."""
            W, b = self.params[f"W{i}"], self.params[f"b{i}"]
            if i == self.num_layers:
                scores, cache = Linear.forward(x, W, b)
                if y is None:
                    return scores
                loss, d = softmax_loss(scores, y)
                grads = {}
            else:
                h, cache = Linear_ReLU.forward(x, W, b)
                if self.use_dropout:
                    h, dropped = Dropout.forward(h, self.dropout_param)
                found = descend(h, i + 1)
                if y is None:
                    return found
                loss, d, grads = found
                if self.use_dropout:
                    d = Dropout.backward(d, dropped)
            layer = Linear if i == self.num_layers else Linear_ReLU
            dx, dW, db = layer.backward(d, cache)
            return loss + self.reg * W.square().sum(), dx, grads | {f"W{i}": dW + 2 * self.reg * W, f"b{i}": db}

        if self.use_dropout:
            self.dropout_param["mode"] = ("train", "test")[y is None]
        found = descend(X.to(self.dtype), 1)
        return found if y is None else found[::2]

    def save(self, path):
        t.save(self.params, path)

    def load(self, path):
        self.params = t.load(path, map_location="cpu", weights_only=True)


class TwoLayerNet(FullyConnectedNet):
    def __init__(self, input_dim=3072, hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0, dtype=t.float32,
                 device="cpu"):
        super().__init__([hidden_dim], input_dim, num_classes, reg=reg, weight_scale=weight_scale, dtype=dtype,
                         device=device)

    def loss(self, X, y=None):
        return super().loss(X, y)


get_three_layer_network_params = lambda: (6e-2, 1e-1)
get_five_layer_network_params = lambda: (9e-2, 1e-1)


def create_solver_instance(data_dict, dtype, device):
    make = partial(Solver, update_rule=partial(_momentum, nesterov=True), optim_config={"learning_rate": 0.03},
                   batch_size=128, num_epochs=12)
    return make(TwoLayerNet(weight_scale=1e-2, reg=1e-3, dtype=dtype, device=device), data_dict, device=device)


def _momentum(w, dw, config, nesterov=False):
    a, mu = config.get("learning_rate", 1e-2), config.get("momentum", 0.9)
    v = mu * config.get("velocity", t.zeros_like(w)) - a * dw
    return (w + mu * v - a * dw if nesterov else w + v), {**config, "velocity": v}


def sgd(w, dw, config=None):
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    return w - config["learning_rate"] * dw, config


def sgd_momentum(w, dw, config=None):
    return _momentum(w, dw, dict(learning_rate=1e-2, momentum=0.9) | (config or {}))


def rmsprop(w, dw, config=None):
    config = config if config is not None else {}
    config |= dict(learning_rate=1e-2, decay_rate=0.99, epsilon=1e-8, cache=t.zeros_like(w)) | config
    config["cache"] = cache = t.lerp(dw**2, config["cache"], config["decay_rate"])
    return w - config["learning_rate"] * dw * (cache**0.5 + config["epsilon"]).reciprocal(), config


def adam(w, dw, config=None):
    config = config if config is not None else {}
    z = t.zeros_like(w)
    config |= dict(learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, m=z, v=z, t=0) | config
    (k := config).update(t=(n := config["t"] + 1))
    k["m"], k["v"] = t.lerp(k["m"], dw, 1 - k["beta1"]), t.lerp(k["v"], dw * dw, 1 - k["beta2"])
    fix = lambda x, beta: x / (1 - beta**n)
    return w - k["learning_rate"] * fix(k["m"], k["beta1"]) / (fix(k["v"], k["beta2"]).sqrt() + k["epsilon"]), k


class Dropout:
    @staticmethod
    def forward(x, dropout_param):
        p = dropout_param["p"]
        if dropout_param["mode"] != "train":
            return x, (dropout_param, t.ones_like(x))
        rng = t.Generator(x.device)
        rng.manual_seed(dropout_param["seed"]) if "seed" in dropout_param else rng.seed()
        mask = t.empty_like(x).bernoulli_(1 - p, generator=rng) / (1 - p)
        return x * mask, (dropout_param, mask)

    @staticmethod
    def backward(dout, cache):
        return dout * cache[1]


def l2_regularizer(w, strength, half=False):
    a = strength * (1, 0.5)[half]
    return a * (w.ravel() @ w.ravel()), 2 * a * w


l1_regularizer = lambda w, strength: (strength * (s := w.sign()).mul(w).sum(), strength * s)
elastic_net = lambda w, l1_strength, l2_strength: (
    (a := l1_regularizer(w, l1_strength))[0] + (b := l2_regularizer(w, l2_strength))[0],
    a[1] + b[1],
)
max_norm = lambda w, c: w if (n := w.norm()) ** 2 <= c else w * (c**0.5 / n)


def sgd_weight_decay(w, dw, config=None):
    k = {"learning_rate": 1e-2, "weight_decay": 1e-4} | (config or {})
    return sgd((1 - k["learning_rate"] * k["weight_decay"] * (w.ndim > 1)) * w, dw, k)
