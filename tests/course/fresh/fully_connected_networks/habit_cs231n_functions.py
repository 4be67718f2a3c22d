"""fully_connected_networks, the way cs231n does it: functions with _forward and _backward, the classes call them"""
from __future__ import annotations

from builtins import range, object

import torch

from helpers.training.losses import softmax_loss
from helpers.training.solver import Solver

# from cs231n.layers import *
# from cs231n.layer_utils import *


def affine_forward(x, w, b):
    out = None
    N = x.shape[0]
    out = x.reshape(N, -1) @ w + b
    cache = (x, w, b)
    return out, cache


def affine_backward(dout, cache):
    x, w, b = cache
    dx, dw, db = None, None, None
    dx = (dout @ w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db


def relu_forward(x):
    out = None
    out = torch.maximum(x, torch.tensor(0, dtype=x.dtype, device=x.device))
    cache = x
    return out, cache


def relu_backward(dout, cache):
    dx, x = None, cache
    dx = dout * (x > 0)
    return dx


def affine_relu_forward(x, w, b):
    a, fc_cache = affine_forward(x, w, b)
    out, relu_cache = relu_forward(a)
    cache = (fc_cache, relu_cache)
    return out, cache


def affine_relu_backward(dout, cache):
    fc_cache, relu_cache = cache
    da = relu_backward(dout, relu_cache)
    dx, dw, db = affine_backward(da, fc_cache)
    return dx, dw, db


def dropout_forward(x, dropout_param):
    """
    - p: Dropout parameter. We keep each neuron output with probability p.
    NOTE: p is the probability of **keeping** a neuron output
    """
    p, mode = dropout_param["p"], dropout_param["mode"]
    if "seed" in dropout_param:
        torch.manual_seed(dropout_param["seed"])

    mask = None
    out = None
    if mode == "train":
        mask = (torch.rand(*x.shape, device=x.device) < p).to(x.dtype) / p
        out = x * mask
    elif mode == "test":
        out = x
    cache = (dropout_param, mask)
    return out, cache


def dropout_backward(dout, cache):
    dropout_param, mask = cache
    mode = dropout_param["mode"]
    dx = None
    if mode == "train":
        dx = dout * mask
    elif mode == "test":
        dx = dout
    return dx


class Linear:
    forward = staticmethod(affine_forward)
    backward = staticmethod(affine_backward)


class ReLU:
    forward = staticmethod(relu_forward)
    backward = staticmethod(relu_backward)


class Linear_ReLU:
    forward = staticmethod(affine_relu_forward)
    backward = staticmethod(affine_relu_backward)


class Dropout:
    forward = staticmethod(dropout_forward)
    backward = staticmethod(dropout_backward)


class TwoLayerNet(object):
    def __init__(self, input_dim=3 * 32 * 32, hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0, dtype=torch.float32, device="cpu"):
        self.params = {}
        self.reg = reg
        self.dtype = dtype
        self.params["W1"] = weight_scale * torch.randn(input_dim, hidden_dim, dtype=dtype, device=device)
        self.params["b1"] = torch.zeros(hidden_dim, dtype=dtype, device=device)
        self.params["W2"] = weight_scale * torch.randn(hidden_dim, num_classes, dtype=dtype, device=device)
        self.params["b2"] = torch.zeros(num_classes, dtype=dtype, device=device)

    def loss(self, X, y=None):
        X = X.to(self.dtype)
        scores = None
        W1, b1, W2, b2 = self.params["W1"], self.params["b1"], self.params["W2"], self.params["b2"]
        h, cache_h = affine_relu_forward(X, W1, b1)
        scores, cache_s = affine_forward(h, W2, b2)
        if y is None:
            return scores

        loss, grads = 0, {}
        loss, dscores = softmax_loss(scores, y)
        # NOTE: L2 regularization includes a factor of 0.5 to simplify the expression for the gradient
        loss += 0.5 * self.reg * ((W1 * W1).sum() + (W2 * W2).sum())
        dh, dW2, db2 = affine_backward(dscores, cache_s)
        dX, dW1, db1 = affine_relu_backward(dh, cache_h)
        dW1 += self.reg * W1
        dW2 += self.reg * W2
        grads = {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
        return loss, grads

    def save(self, path):
        torch.save(self.params, path)

    def load(self, path):
        self.params = torch.load(path, map_location="cpu", weights_only=True)


class FullyConnectedNet(object):
    def __init__(
        self,
        hidden_dims,
        input_dim=3 * 32 * 32,
        num_classes=10,
        dropout=1,  # keep probability, 1 is no dropout
        normalization=None,
        reg=0.0,
        weight_scale=1e-2,
        dtype=torch.float32,
        seed=None,
        device="cpu",
    ):
        self.normalization = normalization
        self.use_dropout = dropout != 1
        self.reg = reg
        self.num_layers = 1 + len(hidden_dims)
        self.dtype = dtype
        self.params = {}
        layer_dims = [input_dim] + list(hidden_dims) + [num_classes]
        for i in range(1, self.num_layers + 1):
            self.params["W%d" % i] = weight_scale * torch.randn(layer_dims[i - 1], layer_dims[i], dtype=dtype, device=device)
            self.params["b%d" % i] = torch.zeros(layer_dims[i], dtype=dtype, device=device)
        self.dropout_param = {}
        if self.use_dropout:
            self.dropout_param = {"mode": "train", "p": dropout}
            if seed is not None:
                self.dropout_param["seed"] = seed

    def loss(self, X, y=None):
        X = X.to(self.dtype)
        mode = "test" if y is None else "train"
        if self.use_dropout:
            self.dropout_param["mode"] = mode
        scores = None
        caches, dcaches = [], []
        h = X
        for i in range(1, self.num_layers):
            h, cache = affine_relu_forward(h, self.params["W%d" % i], self.params["b%d" % i])
            caches.append(cache)
            if self.use_dropout:
                h, cache = dropout_forward(h, self.dropout_param)
                dcaches.append(cache)
        scores, cache = affine_forward(h, self.params["W%d" % self.num_layers], self.params["b%d" % self.num_layers])
        caches.append(cache)
        if mode == "test":
            return scores

        loss, grads = 0.0, {}
        loss, dout = softmax_loss(scores, y)
        for i in range(self.num_layers, 0, -1):
            w = self.params["W%d" % i]
            loss += 0.5 * self.reg * (w**2).sum()
            if i == self.num_layers:
                dout, dw, db = affine_backward(dout, caches.pop())
            else:
                if self.use_dropout:
                    dout = dropout_backward(dout, dcaches.pop())
                dout, dw, db = affine_relu_backward(dout, caches.pop())
            grads["W%d" % i] = dw + self.reg * w
            grads["b%d" % i] = db
        return loss, grads

    def save(self, path):
        torch.save(self.params, path)

    def load(self, path):
        self.params = torch.load(path, map_location="cpu", weights_only=True)


def get_three_layer_network_params():
    weight_scale = 1e-1  # Experiment with this!
    learning_rate = 2e-2  # Experiment with this!
    return weight_scale, learning_rate


def get_five_layer_network_params():
    learning_rate = 1e-2  # Experiment with this!
    weight_scale = 1.3e-1  # Experiment with this!
    return weight_scale, learning_rate


def create_solver_instance(data_dict, dtype, device):
    model = TwoLayerNet(hidden_dim=250, weight_scale=1e-2, reg=1e-3, dtype=dtype, device=device)
    solver = Solver(
        model,
        data_dict,
        update_rule=adam,
        optim_config={"learning_rate": 5e-4},
        lr_decay=0.95,
        num_epochs=20,
        batch_size=250,
        device=device,
    )
    return solver


# ---- optim.py ----


def sgd(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    return w - config["learning_rate"] * dw, config


def sgd_momentum(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    v = config.get("velocity", torch.zeros_like(w))
    next_w = None
    v = config["momentum"] * v - config["learning_rate"] * dw
    next_w = w + v
    config["velocity"] = v
    return next_w, config


def rmsprop(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("decay_rate", 0.99)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("cache", torch.zeros_like(w))
    next_w = None
    eps, learning_rate = config["epsilon"], config["learning_rate"]
    beta, v = config["decay_rate"], config["cache"]
    v = beta * v + (1 - beta) * (dw * dw)
    next_w = w - learning_rate * dw / (torch.sqrt(v) + eps)
    config["cache"] = v
    return next_w, config


def adam(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-3)
    config.setdefault("beta1", 0.9)
    config.setdefault("beta2", 0.999)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("m", torch.zeros_like(w))
    config.setdefault("v", torch.zeros_like(w))
    config.setdefault("t", 0)
    next_w = None
    eps, learning_rate = config["epsilon"], config["learning_rate"]
    beta1, beta2 = config["beta1"], config["beta2"]
    m, v, t = config["m"], config["v"], config["t"]
    t = t + 1
    m = beta1 * m + (1 - beta1) * dw
    mt = m / (1 - beta1**t)
    v = beta2 * v + (1 - beta2) * (dw * dw)
    vt = v / (1 - beta2**t)
    next_w = w - learning_rate * mt / (torch.sqrt(vt) + eps)
    config["m"], config["v"], config["t"] = m, v, t
    return next_w, config


# not in cs231n


def l2_regularizer(w, strength, half=False):
    s = 0.5 * strength if half else strength
    return s * (w * w).sum(), 2 * s * w


def l1_regularizer(w, strength):
    return strength * torch.abs(w).sum(), strength * torch.sign(w)


def elastic_net(w, l1_strength, l2_strength):
    return l1_strength * torch.abs(w).sum() + l2_strength * (w * w).sum(), l1_strength * torch.sign(w) + 2 * l2_strength * w


def max_norm(w, c):
    s = (w * w).sum()
    if s > c:
        return w * torch.sqrt(c / s)
    return w


def sgd_weight_decay(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("weight_decay", 1e-4)
    if w.ndim > 1:
        dw = dw + config["weight_decay"] * w
    return w - config["learning_rate"] * dw, config
