"""Fully connected networks. All layers inherit how they are chained; update rules share how defaults are filled."""

from __future__ import annotations

import torch

from helpers.training.losses import softmax_loss
from helpers.training.solver import Solver


class Layer:
    """A layer that can be put into a chain: `chain` goes forward, and returns how to go back."""

    @classmethod
    def chain(cls, *args):
        out, cache = cls.forward(*args)
        return out, lambda dout: cls.backward(dout, cache)

    @classmethod
    def gated(cls, values, gate):
        return values if gate is None else values * gate


class Linear(Layer):
    @staticmethod
    def forward(x, w, b):
        return x.reshape(x.shape[0], -1).matmul(w) + b, (x, w, b)

    @staticmethod
    def backward(dout, cache):
        x, w, b = cache
        return dout.matmul(w.t()).view(x.shape), x.reshape(x.shape[0], -1).t().matmul(dout), dout.sum(0)


class ReLU(Layer):
    @classmethod
    def forward(cls, x):
        return cls.gated(x, x > 0), x

    @classmethod
    def backward(cls, dout, x):
        return cls.gated(dout, x > 0)


class Linear_ReLU(Layer):
    @staticmethod
    def forward(x, w, b):
        a, linear_cache = Linear.forward(x, w, b)
        out, relu_cache = ReLU.forward(a)
        return out, (linear_cache, relu_cache)

    @staticmethod
    def backward(dout, cache):
        linear_cache, relu_cache = cache
        return Linear.backward(ReLU.backward(dout, relu_cache), linear_cache)


class FullyConnectedNet:
    def __init__(self, hidden_dims, input_dim=3 * 32 * 32, num_classes=10, dropout=0.0, reg=0.0,
                 weight_scale=1e-2, seed=None, dtype=torch.float32, device="cpu"):
        self.use_dropout, self.reg, self.dtype = dropout != 0, reg, dtype
        self.num_layers = 1 + len(hidden_dims)
        self.dropout_param = {"mode": "train", "p": dropout} if self.use_dropout else {}
        if self.use_dropout and seed is not None:
            self.dropout_param["seed"] = seed
        sizes = [input_dim] + list(hidden_dims) + [num_classes]
        self.params = {}
        for i in range(self.num_layers):
            w = torch.normal(0.0, weight_scale, (sizes[i], sizes[i + 1]), dtype=dtype, device=device)
            self.params["W%d" % (i + 1)] = w
            self.params["b%d" % (i + 1)] = w.new_zeros(sizes[i + 1])

    def loss(self, X, y=None):
        out, ways_back = X.to(self.dtype), []
        for i in range(1, self.num_layers + 1):
            out, back = Linear.chain(out, self.params["W%d" % i], self.params["b%d" % i])
            ways_back.append((i, back))
            if i < self.num_layers:
                out, back = ReLU.chain(out)
                ways_back.append((0, back))
                if self.use_dropout:
                    self.dropout_param["mode"] = "test" if y is None else "train"
                    out, back = Dropout.chain(out, self.dropout_param)
                    ways_back.append((0, back))
        if y is None:
            return out
        loss, dout = softmax_loss(out, y)
        grads = {}
        for i, back in reversed(ways_back):
            if i:
                dout, dw, grads["b%d" % i] = back(dout)
                penalty, slope = l2_regularizer(self.params["W%d" % i], self.reg)
                loss, grads["W%d" % i] = loss + penalty, dw + slope
            else:
                dout = back(dout)
        return loss, grads

    def save(self, path):
        torch.save(self.params, path)

    def load(self, path):
        self.params = torch.load(path, map_location="cpu", weights_only=True)


class TwoLayerNet(FullyConnectedNet):
    def __init__(self, input_dim=3 * 32 * 32, hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0,
                 dtype=torch.float32, device="cpu"):
        super().__init__([hidden_dim], input_dim, num_classes, reg=reg, weight_scale=weight_scale,
                         dtype=dtype, device=device)

    def loss(self, X, y=None):
        return super().loss(X, y)


def get_three_layer_network_params():
    return 0.06, 0.08


def get_five_layer_network_params():
    return 0.1, 0.08


def create_solver_instance(data_dict, dtype, device):
    net = TwoLayerNet(hidden_dim=200, weight_scale=1e-2, reg=1e-4, dtype=dtype, device=device)
    return Solver(net, data_dict, update_rule=sgd_momentum, lr_decay=0.95, num_epochs=15, batch_size=100,
                  optim_config={"learning_rate": 0.02, "momentum": 0.9}, device=device, verbose=False)


def filled(config, **defaults):
    config = {} if config is None else config
    for key, value in defaults.items():
        config.setdefault(key, value)
    return config


def mixed(share, old, new):
    """A running average of several tensors at once."""
    return [share * a + (1 - share) * b for a, b in zip(old, new)]


def sgd(w, dw, config=None):
    config = filled(config, learning_rate=1e-2)
    return w - config["learning_rate"] * dw, config


def sgd_momentum(w, dw, config=None):
    config = filled(config, learning_rate=1e-2, momentum=0.9, velocity=torch.zeros_like(w))
    mu, lr, v = (config[key] for key in ("momentum", "learning_rate", "velocity"))
    config["velocity"] = sum(factor * tensor for factor, tensor in ((mu, v), (-lr, dw)))
    return w + config["velocity"], config


def rmsprop(w, dw, config=None):
    config = filled(config, learning_rate=1e-2, decay_rate=0.99, epsilon=1e-8, cache=torch.zeros_like(w))
    [config["cache"]] = mixed(config["decay_rate"], [config["cache"]], [dw * dw])
    return w - config["learning_rate"] * dw / (config["cache"].sqrt() + config["epsilon"]), config


def adam(w, dw, config=None):
    config = filled(config, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, t=0)
    config = filled(config, **{key: torch.zeros_like(w) for key in "mv"})
    config["t"] += 1
    corrected = []
    for key, beta, new in (("m", config["beta1"], dw), ("v", config["beta2"], dw * dw)):
        [config[key]] = mixed(beta, [config[key]], [new])
        corrected.append(config[key] / (1 - beta ** config["t"]))
    m, v = corrected
    return w - config["learning_rate"] * m / (v.sqrt() + config["epsilon"]), config


class Dropout(Layer):
    @classmethod
    def forward(cls, x, dropout_param):
        p, mask = dropout_param["p"], None
        if "seed" in dropout_param:
            torch.manual_seed(dropout_param["seed"])
        if dropout_param["mode"] == "train":
            mask = Layer.gated(torch.ones_like(x) / (1 - p), torch.rand_like(x) >= p)
        return cls.gated(x, mask), (dropout_param, mask)

    @classmethod
    def backward(cls, dout, cache):
        return Layer.gated(dout, cache[1])


def l2_regularizer(w, strength, half=False):
    factors = [strength] + half * [0.5]
    value, slope = w.square().sum(), 2 * w
    for factor in factors:
        value, slope = value * factor, slope * factor
    return value, slope


def l1_regularizer(w, strength):
    return tuple(strength * part for part in (w.abs().sum(), w.sign()))


def elastic_net(w, l1_strength, l2_strength):
    return tuple(map(sum, zip(l1_regularizer(w, l1_strength), l2_regularizer(w, l2_strength))))


def max_norm(w, c):
    norm = w.square().sum().sqrt()
    return torch.where(norm**2 > c, w * (c**0.5 / norm), w)


def sgd_weight_decay(w, dw, config=None):
    config = filled(config, learning_rate=1e-2, weight_decay=1e-4)
    lr, decay = (config[key] for key in ("learning_rate", "weight_decay"))
    terms = [dw] if w.ndim == 1 else [dw, decay * w]
    return w - sum(lr * term for term in terms), config
