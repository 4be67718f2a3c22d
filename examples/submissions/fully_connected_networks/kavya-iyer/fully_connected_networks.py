# Bruno Silva. Small functions; einsum for the products; everything that belongs together in one place.
import math

import torch

from helpers.training.losses import softmax_loss
from helpers.training.solver import Solver


def rows(x):
    return x.reshape(len(x), math.prod(x.shape[1:]))


class Linear:
    @staticmethod
    def forward(x, w, b):
        return torch.einsum("nd,dm->nm", rows(x), w) + b, (x, w, b)

    @staticmethod
    def backward(dout, cache):
        x, w, b = cache
        dx = torch.einsum("nm,dm->nd", dout, w).view(x.shape)
        dw = torch.einsum("nd,nm->dm", rows(x), dout)
        db = torch.einsum("nm->m", dout)
        return dx, dw, db


class ReLU:
    @staticmethod
    def forward(x):
        return torch.where(x > 0, x, torch.zeros_like(x)), x

    @staticmethod
    def backward(dout, cache):
        return torch.where(cache > 0, dout, torch.zeros_like(dout))


class Linear_ReLU:
    @staticmethod
    def forward(x, w, b):
        a, one = Linear.forward(x, w, b)
        out, two = ReLU.forward(a)
        return out, (one, two)

    @staticmethod
    def backward(dout, cache):
        return Linear.backward(ReLU.backward(dout, cache[1]), cache[0])


def new_params(sizes, scale, dtype, device):
    params = {}
    for i, (n, m) in enumerate(zip(sizes[:-1], sizes[1:]), 1):
        params[f"W{i}"] = torch.normal(0.0, scale, (n, m), dtype=dtype, device=device)
        params[f"b{i}"] = torch.zeros(m, dtype=dtype, device=device)
    return params


def regularized(loss, grads, params, reg):
    """Add reg * sum(W ** 2) and its gradient, for every W."""
    weights = {name: p for name, p in params.items() if name[0] == "W"}
    loss = loss + reg * sum(p.square().sum() for p in weights.values())
    return loss, {name: g + 2 * reg * weights[name] if name in weights else g for name, g in grads.items()}


class TwoLayerNet:
    def __init__(self, input_dim=3 * 32 * 32, hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0,
                 dtype=torch.float32, device="cpu"):
        self.reg, self.dtype = reg, dtype
        self.params = new_params([input_dim, hidden_dim, num_classes], weight_scale, dtype, device)

    def loss(self, X, y=None):
        p = self.params
        h, cache1 = Linear_ReLU.forward(X.to(self.dtype), p["W1"], p["b1"])
        scores, cache2 = Linear.forward(h, p["W2"], p["b2"])
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        dh, dW2, db2 = Linear.backward(dscores, cache2)
        _, dW1, db1 = Linear_ReLU.backward(dh, cache1)
        return regularized(loss, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}, p, self.reg)


class FullyConnectedNet:
    def __init__(self, hidden_dims, input_dim=3 * 32 * 32, num_classes=10, dropout=0.0, reg=0.0,
                 weight_scale=1e-2, seed=None, dtype=torch.float32, device="cpu"):
        self.use_dropout = dropout != 0
        self.reg, self.dtype, self.num_layers = reg, dtype, len(hidden_dims) + 1
        self.params = new_params([input_dim] + list(hidden_dims) + [num_classes], weight_scale, dtype, device)
        self.dropout_param = {}
        if self.use_dropout:
            self.dropout_param = {"mode": "train", "p": dropout}
            if seed is not None:
                self.dropout_param["seed"] = seed

    def loss(self, X, y=None):
        out, undo = X.to(self.dtype), []
        if self.use_dropout:
            self.dropout_param["mode"] = "test" if y is None else "train"
        for i in range(1, self.num_layers + 1):
            layer = Linear if i == self.num_layers else Linear_ReLU
            out, cache = layer.forward(out, self.params[f"W{i}"], self.params[f"b{i}"])
            dropped = None
            if self.use_dropout and i < self.num_layers:
                out, dropped = Dropout.forward(out, self.dropout_param)
            undo.append((i, layer, cache, dropped))
        if y is None:
            return out
        loss, d = softmax_loss(out, y)
        grads = {}
        while undo:
            i, layer, cache, dropped = undo.pop()
            if dropped is not None:
                d = Dropout.backward(d, dropped)
            d, grads[f"W{i}"], grads[f"b{i}"] = layer.backward(d, cache)
        return regularized(loss, grads, self.params, self.reg)


def create_solver_instance(data_dict, dtype, device):
    net = TwoLayerNet(hidden_dim=120, weight_scale=0.02, reg=1e-4, dtype=dtype, device=device)
    rule = {"learning_rate": 0.01, "momentum": 0.9}
    return Solver(net, data_dict, update_rule=sgd_momentum, optim_config=rule, num_epochs=8, device=device)


def get_three_layer_network_params():
    return 0.09, 0.06


def get_five_layer_network_params():
    return 0.1, 0.05


def options(config, **defaults):
    return {**defaults, **(config or {})}


def sgd(w, dw, config=None):
    config = options(config, learning_rate=1e-2)
    return w - config["learning_rate"] * dw, config


def sgd_momentum(w, dw, config=None):
    config = options(config, learning_rate=1e-2, momentum=0.9, velocity=torch.zeros_like(w))
    config["velocity"] = config["momentum"] * config["velocity"] - config["learning_rate"] * dw
    return w + config["velocity"], config


def rmsprop(w, dw, config=None):
    config = options(config, learning_rate=1e-2, decay_rate=0.99, epsilon=1e-8, cache=torch.zeros_like(w))
    config["cache"] = torch.lerp(dw.square(), config["cache"], config["decay_rate"])
    return w - config["learning_rate"] * dw / (config["cache"] + config["epsilon"]), config


def adam(w, dw, config=None):
    zero = torch.zeros_like(w)
    config = options(config, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, m=zero, v=zero, t=0)
    b1, b2, t = config["beta1"], config["beta2"], config["t"] + 1
    m = b1 * config["m"] + (1 - b1) * dw
    v = b2 * config["v"] + (1 - b2) * dw.square()
    config.update(m=m, v=v, t=t)
    step = (m / (1 - b1**t)) / ((v / (1 - b2**t)) ** 0.5 + config["epsilon"])
    return w - config["learning_rate"] * step, config


class Dropout:
    @staticmethod
    def forward(x, dropout_param):
        if "seed" in dropout_param:
            torch.manual_seed(dropout_param["seed"])
        if dropout_param["mode"] == "test":
            return x, (dropout_param, None)
        keep = 1 - dropout_param["p"]
        mask = torch.bernoulli(torch.full_like(x, keep)) / keep
        return mask * x, (dropout_param, mask)

    @staticmethod
    def backward(dout, cache):
        mask = cache[1]
        return dout if mask is None else mask * dout


def l2_regularizer(w, strength, half=False):
    k = strength * (0.5 if half else 1.0)
    return k * w.square().sum(), 2 * k * w


def l1_regularizer(w, strength):
    return strength * w.abs().sum(), strength * w.sign()


def elastic_net(w, l1_strength, l2_strength):
    one, d_one = l1_regularizer(w, l1_strength)
    two, d_two = l2_regularizer(w, l2_strength)
    return one + two, d_one + d_two


def max_norm(w, c):
    return w * min(1.0, (c / w.square().sum().item()) ** 0.5)


def sgd_weight_decay(w, dw, config=None):
    config = options(config, learning_rate=1e-2, weight_decay=1e-4)
    shrink = 1 - config["learning_rate"] * config["weight_decay"] if w.ndim > 1 else 1
    return shrink * w - config["learning_rate"] * dw, config
