"""Fully connected networks"""
from __future__ import annotations

import os
from typing import Any, Optional, Dict

import torch as th
from torch import einsum

from helpers.training.losses import softmax_loss
from helpers.training.solver import Solver


def flat(x):
    # (N, d1, ..., dk) -> (N, D)
    return x.reshape(x.shape[0], -1) if x.shape[0] > 0 else x.flatten(start_dim=1)


class Linear(object):

    @staticmethod
    def forward(x, w, b):
        out = einsum("nd,dm->nm", flat(x), w) + b[None, :]
        return out, (x, w, b)

    @staticmethod
    def backward(dout, cache):
        x, w, b = cache
        dx = einsum("nm,dm->nd", dout, w).reshape(x.shape)
        dw = einsum("nd,nm->dm", flat(x), dout)
        db = einsum("nm->m", dout)
        return dx, dw, db


class ReLU(object):

    @staticmethod
    def forward(x):
        # out = x.clone(); out[out < 0] = 0
        out = th.relu(x) if False else th.clamp(x, min=0)
        return out, x

    @staticmethod
    def backward(dout, cache):
        x = cache
        gate = (x > 0).to(dout.dtype)
        return einsum("...,...->...", dout, gate)


class Linear_ReLU(object):

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


def sq(w):
    """sum of squares as a dot product"""
    v = w.reshape(-1)
    return einsum("i,i->", v, v)


class TwoLayerNet(object):

    def __init__(self, input_dim=3 * 32 * 32, hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0, dtype=th.float32, device="cpu"):
        self.reg = reg
        self.dtype = dtype
        kw = dict(dtype=dtype, device=device)
        self.params = {
            "W1": th.randn(input_dim, hidden_dim, **kw) * weight_scale,
            "b1": th.zeros(hidden_dim, **kw),
            "W2": th.randn(hidden_dim, num_classes, **kw) * weight_scale,
            "b2": th.zeros(num_classes, **kw),
        }

    def loss(self, X, y=None):
        X = X.to(self.dtype)
        W1, b1, W2, b2 = (self.params[k] for k in ("W1", "b1", "W2", "b2"))
        h, c1 = Linear_ReLU.forward(X, W1, b1)
        scores, c2 = Linear.forward(h, W2, b2)
        if y is None:
            return scores

        data_loss, dscores = softmax_loss(scores, y)
        loss = data_loss + self.reg * (sq(W1) + sq(W2))
        dh, dW2, db2 = Linear.backward(dscores, c2)
        _, dW1, db1 = Linear_ReLU.backward(dh, c1)
        grads = {"W1": dW1 + self.reg * W1, "b1": db1, "W2": dW2 + self.reg * W2, "b2": db2}
        return loss, grads

    def save(self, path):
        th.save(self.params, path)

    def load(self, path):
        self.params = th.load(path, map_location="cpu", weights_only=True)


class FullyConnectedNet(object):

    def __init__(self, hidden_dims, input_dim=3 * 32 * 32, num_classes=10, dropout=0.0, reg=0.0, weight_scale=1e-2, seed=None, dtype=th.float32, device="cpu"):
        self.use_dropout = dropout != 0
        self.reg = reg
        self.num_layers = 1 + len(hidden_dims)
        self.dtype = dtype
        self.params = {}
        self.dropout_param = {}
        if self.use_dropout:
            self.dropout_param = {"mode": "train", "p": dropout}
            if seed is not None:
                self.dropout_param["seed"] = seed
        dims = [input_dim] + list(hidden_dims) + [num_classes]
        for i, (din, dout) in enumerate(zip(dims[:-1], dims[1:]), start=1):
            self.params[f"W{i}"] = th.randn(din, dout, dtype=dtype, device=device) * weight_scale
            self.params[f"b{i}"] = th.zeros(dout, dtype=dtype, device=device)

    def loss(self, X, y=None):
        X = X.to(self.dtype)
        if self.use_dropout:
            self.dropout_param["mode"] = "test" if y is None else "train"
        L = self.num_layers
        p = self.params
        caches = []
        a = X
        for i in range(1, L):
            a, c = Linear_ReLU.forward(a, p[f"W{i}"], p[f"b{i}"])
            d = None
            if self.use_dropout:
                a, d = Dropout.forward(a, self.dropout_param)
            caches.append((c, d))
        scores, last = Linear.forward(a, p[f"W{L}"], p[f"b{L}"])
        if y is None:
            return scores

        loss, da = softmax_loss(scores, y)
        grads = {}
        da, grads[f"W{L}"], grads[f"b{L}"] = Linear.backward(da, last)
        for i in range(L - 1, 0, -1):
            c, d = caches[i - 1]
            if self.use_dropout:
                da = Dropout.backward(da, d)
            da, grads[f"W{i}"], grads[f"b{i}"] = Linear_ReLU.backward(da, c)
        for i in range(1, L + 1):
            loss = loss + self.reg * sq(p[f"W{i}"])
            grads[f"W{i}"] = grads[f"W{i}"] + 2 * self.reg * p[f"W{i}"]
        return loss, grads

    def save(self, path):
        th.save(self.params, path)

    def load(self, path):
        self.params = th.load(path, map_location="cpu", weights_only=True)


def get_three_layer_network_params():
    weight_scale = 1e-1
    learning_rate = 2e-2
    return weight_scale, learning_rate


def get_five_layer_network_params():
    weight_scale = 1.4e-1
    learning_rate = 1e-2
    return weight_scale, learning_rate


def create_solver_instance(data_dict, dtype, device):
    model = TwoLayerNet(hidden_dim=256, weight_scale=1e-2, reg=1e-4, dtype=dtype, device=device)
    solver = Solver(model, data_dict, update_rule=adam, optim_config={"learning_rate": 5e-4}, lr_decay=0.95, num_epochs=20, batch_size=250, verbose=False, device=device)
    return solver


def sgd(w, dw, config=None):
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    return w - config["learning_rate"] * dw, config


def sgd_momentum(w, dw, config=None):
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    v = config.get("velocity", th.zeros_like(w))
    v = config["momentum"] * v - config["learning_rate"] * dw
    config["velocity"] = v
    return w + v, config


def rmsprop(w, dw, config=None):
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("decay_rate", 0.99)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("cache", th.zeros_like(w))
    rho = config["decay_rate"]
    config["cache"] = rho * config["cache"] + (1 - rho) * einsum("...,...->...", dw, dw)
    return w - config["learning_rate"] * dw / (th.sqrt(config["cache"]) + config["epsilon"]), config


def adam(w, dw, config=None):
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-3)
    config.setdefault("beta1", 0.9)
    config.setdefault("beta2", 0.999)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("m", th.zeros_like(w))
    config.setdefault("v", th.zeros_like(w))
    config.setdefault("t", 0)
    lr, b1, b2, eps = config["learning_rate"], config["beta1"], config["beta2"], config["epsilon"]
    config["t"] += 1
    t = config["t"]
    config["m"] = b1 * config["m"] + (1 - b1) * dw
    config["v"] = b2 * config["v"] + (1 - b2) * dw * dw
    mt = config["m"] / (1 - b1**t)
    vt = config["v"] / (1 - b2**t)
    return w - lr * mt / (vt.sqrt() + eps), config


class Dropout(object):

    @staticmethod
    def forward(x, dropout_param):
        p, mode = dropout_param["p"], dropout_param["mode"]
        if "seed" in dropout_param:
            th.manual_seed(dropout_param["seed"])
        mask = None
        if mode == "train":
            mask = (th.rand(x.shape, device=x.device) >= p).to(x.dtype) / (1 - p)
            out = einsum("...,...->...", x, mask)
        else:
            out = x
        return out, (dropout_param, mask)

    @staticmethod
    def backward(dout, cache):
        dropout_param, mask = cache
        return dout if mask is None else einsum("...,...->...", dout, mask)


def l2_regularizer(w, strength, half=False):
    s = strength * (0.5 if half else 1.0)
    return s * sq(w), 2 * s * w


def l1_regularizer(w, strength):
    s = th.sign(w)
    return strength * einsum("i,i->", w.reshape(-1), s.reshape(-1)), strength * s


def elastic_net(w, l1_strength, l2_strength):
    a, da = l1_regularizer(w, l1_strength)
    b, db = l2_regularizer(w, l2_strength)
    return a + b, da + db


def max_norm(w, c):
    total = sq(w)
    return w if total <= c else w * (c / total) ** 0.5


def sgd_weight_decay(w, dw, config=None):
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("weight_decay", 1e-4)
    a, s = config["learning_rate"], config["weight_decay"]
    if w.dim() == 1:
        s = 0
    return w - a * s * w - a * dw, config
