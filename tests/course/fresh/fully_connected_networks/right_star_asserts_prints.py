from __future__ import annotations
import os
from torch import *
import torch
from builtins import range  # torch has a range too, and that one makes floats (cost me 1 hour...)
from typing import *
from helpers.training.losses import softmax_loss
from helpers.training.solver import Solver
from tqdm import tqdm
import time
import random

print("fully_connected_networks.py loaded")

DEBUG = False


class Linear:
    @staticmethod
    def forward(x, w, b):
        batchSize = x.size(0)
        inputDim = w.size(0)
        numbers_in_one_example = 1
        for d in x.shape[1:]:
            numbers_in_one_example = numbers_in_one_example * d
        assert numbers_in_one_example == inputDim, "x and w do not fit: %s and %s" % (tuple(x.shape), tuple(w.shape))
        x_flat = x.contiguous().view(batchSize, inputDim)
        out = matmul(x_flat, w)
        out = out + b.unsqueeze(0).expand(batchSize, -1)
        assert out.shape == (batchSize, w.size(1))
        cache = (x, w, b)
        return out, cache

    @staticmethod
    def backward(dout, cache):
        x, w, b = cache
        batchSize = x.size(0)
        x_flat = x.contiguous().view(batchSize, w.size(0))
        dx_flat = matmul(dout, transpose(w, 0, 1))
        dx = dx_flat.view(*x.shape)
        dw = matmul(transpose(x_flat, 0, 1), dout)
        ones_row = ones(1, batchSize, dtype=dout.dtype, device=dout.device)
        db = matmul(ones_row, dout).squeeze(0)
        assert dx.shape == x.shape
        assert dw.shape == w.shape
        assert db.shape == b.shape
        if DEBUG:
            print("dx", dx.mean(), "dw", dw.mean(), "db", db.mean())
        return dx, dw, db


class ReLU:
    @staticmethod
    def forward(x):
        mask = x > 0
        out = where(mask, x, zeros_like(x))
        # out = (x + x.abs()) / 2
        cache = x
        return out, cache

    @staticmethod
    def backward(dout, cache):
        x = cache
        mask = x > 0
        dx = where(mask, dout, zeros_like(dout))
        return dx


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


class TwoLayerNet:
    def __init__(self, input_dim=3 * 32 * 32, hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0, dtype=torch.float32, device="cpu"):
        self.params = {}
        self.reg = reg
        self.dtype = dtype
        self.params["W1"] = weight_scale * torch.randn(input_dim, hidden_dim, device=device, dtype=dtype)
        self.params["b1"] = torch.zeros(hidden_dim, device=device, dtype=dtype)
        self.params["W2"] = weight_scale * torch.randn(hidden_dim, num_classes, device=device, dtype=dtype)
        self.params["b2"] = torch.zeros(num_classes, device=device, dtype=dtype)
        # print("TwoLayerNet with", sum(p.numel() for p in self.params.values()), "parameters")

    def loss(self, X, y=None):
        X = X.to(self.dtype)
        # forward
        out1, cache1 = Linear_ReLU.forward(X, self.params["W1"], self.params["b1"])
        out2, cache2 = Linear.forward(out1, self.params["W2"], self.params["b2"])
        scores = out2
        if y is None:
            return scores
        else:
            # backward
            grads = {}
            loss, dout2 = softmax_loss(scores, y)
            reg_loss = self.reg * (self.params["W1"] * self.params["W1"]).sum() + self.reg * (self.params["W2"] * self.params["W2"]).sum()
            loss = loss + reg_loss
            dout1, dW2, db2 = Linear.backward(dout2, cache2)
            dX, dW1, db1 = Linear_ReLU.backward(dout1, cache1)
            dW1 = dW1 + self.reg * self.params["W1"] + self.reg * self.params["W1"]
            dW2 = dW2 + self.reg * self.params["W2"] + self.reg * self.params["W2"]
            grads["W1"] = dW1
            grads["W2"] = dW2
            grads["b1"] = db1
            grads["b2"] = db2
            for key in grads:
                assert grads[key].shape == self.params[key].shape, key
            return loss.item(), grads

    def save(self, path):
        torch.save(self.params, path)

    def load(self, path):
        self.params = torch.load(path, map_location="cpu", weights_only=True)


class FullyConnectedNet:
    def __init__(self, hidden_dims, input_dim=3 * 32 * 32, num_classes=10, dropout=0.0, reg=0.0, weight_scale=1e-2, seed=None, dtype=torch.float32, device="cpu"):
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

        assert len(hidden_dims) >= 1
        # first layer
        self.params["W1"] = weight_scale * torch.randn(input_dim, hidden_dims[0], device=device, dtype=dtype)
        self.params["b1"] = torch.zeros(hidden_dims[0], device=device, dtype=dtype)
        # middle layers
        for l in range(2, self.num_layers):
            self.params["W{}".format(l)] = weight_scale * torch.randn(hidden_dims[l - 2], hidden_dims[l - 1], device=device, dtype=dtype)
            self.params["b{}".format(l)] = torch.zeros(hidden_dims[l - 1], device=device, dtype=dtype)
        # last layer
        self.params["W{}".format(self.num_layers)] = weight_scale * torch.randn(hidden_dims[-1], num_classes, device=device, dtype=dtype)
        self.params["b{}".format(self.num_layers)] = torch.zeros(num_classes, device=device, dtype=dtype)

    def loss(self, X, y=None):
        X = X.to(self.dtype)
        if self.use_dropout:
            self.dropout_param["mode"] = "test" if y is None else "train"

        linear_caches = {}
        relu_caches = {}
        dropout_caches = {}
        A = X
        for l in range(1, self.num_layers):
            Z, linear_caches[l] = Linear.forward(A, self.params["W{}".format(l)], self.params["b{}".format(l)])
            A, relu_caches[l] = ReLU.forward(Z)
            if self.use_dropout:
                A, dropout_caches[l] = Dropout.forward(A, self.dropout_param)
        scores, linear_caches[self.num_layers] = Linear.forward(A, self.params["W{}".format(self.num_layers)], self.params["b{}".format(self.num_layers)])
        if y is None:
            return scores

        grads = {}
        loss, dscores = softmax_loss(scores, y)
        dA, grads["W{}".format(self.num_layers)], grads["b{}".format(self.num_layers)] = Linear.backward(dscores, linear_caches[self.num_layers])
        l = self.num_layers - 1
        while l >= 1:
            if self.use_dropout:
                dA = Dropout.backward(dA, dropout_caches[l])
            dZ = ReLU.backward(dA, relu_caches[l])
            dA, grads["W{}".format(l)], grads["b{}".format(l)] = Linear.backward(dZ, linear_caches[l])
            l -= 1
        # regularization
        reg_loss = 0
        for key, value in self.params.items():
            if "W" in key:
                reg_loss += self.reg * (value**2).sum()
                grads[key] = grads[key] + 2 * self.reg * value
        loss = loss + reg_loss
        return loss.item(), grads

    def save(self, path):
        torch.save(self.params, path)

    def load(self, path):
        self.params = torch.load(path, map_location="cpu", weights_only=True)


def get_three_layer_network_params():
    # tried: (1e-2, 1e-2) 40%, (1e-1, 1e-3) slow, (1e-1, 1e-1) nan
    weight_scale = 0.09
    learning_rate = 0.02
    return weight_scale, learning_rate


def get_five_layer_network_params():
    weight_scale = 0.13
    learning_rate = 0.01
    return weight_scale, learning_rate


def create_solver_instance(data_dict, dtype, device):
    start = time.time()
    # best_val, best_setting = -1, None
    # for lr in tqdm([1e-4, 3e-4, 1e-3, 3e-3]):
    #     for h in [100, 200, 400]:
    #         model = TwoLayerNet(hidden_dim=h, weight_scale=1e-2, dtype=dtype, device=device)
    #         solver = Solver(model, data_dict, update_rule=adam, optim_config={"learning_rate": lr}, num_epochs=5, device=device)
    #         solver.train()
    #         if solver.best_val_acc > best_val: best_val, best_setting = solver.best_val_acc, (lr, h)
    # print(best_val, best_setting)
    solver = None
    H = 300
    input_dim = data_dict["X_train"][0].numel()
    model = TwoLayerNet(input_dim=input_dim, hidden_dim=H, num_classes=10, weight_scale=0.01, reg=0.0, dtype=dtype, device=device)
    solver = Solver(model, data_dict, update_rule=adam, optim_config={"learning_rate": 5e-4}, lr_decay=0.95, batch_size=250, num_epochs=25, verbose=False, device=device)
    print("made a solver in", time.time() - start, "seconds")
    return solver


def sgd(w, dw, config=None):
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    return w - config["learning_rate"] * dw, config


def sgd_momentum(w, dw, config=None):
    if config is None:
        config = {}
    if not "learning_rate" in config:
        config["learning_rate"] = 1e-2
    if not "momentum" in config:
        config["momentum"] = 0.9
    if not "velocity" in config:
        config["velocity"] = zeros_like(w)
    # with the other sign: u = -v
    u = -config["velocity"]
    u = config["momentum"] * u + config["learning_rate"] * dw
    next_w = w - u
    config["velocity"] = -u
    return next_w, config


def rmsprop(w, dw, config=None):
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("decay_rate", 0.99)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("cache", zeros_like(w))
    learning_rate, decay_rate, epsilon, cache = config["learning_rate"], config["decay_rate"], config["epsilon"], config["cache"]
    cache = cache * decay_rate
    cache = cache + (1 - decay_rate) * (dw ** 2)
    config["cache"] = cache
    next_w = w - learning_rate * dw / (sqrt(cache) + epsilon)
    return next_w, config


def adam(w, dw, config=None):
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-3)
    config.setdefault("beta1", 0.9)
    config.setdefault("beta2", 0.999)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("m", zeros_like(w))
    config.setdefault("v", zeros_like(w))
    config.setdefault("t", 0)
    next_w = None
    config["t"] = config["t"] + 1
    first_moment = config["beta1"] * config["m"] + (1 - config["beta1"]) * dw
    second_moment = config["beta2"] * config["v"] + (1 - config["beta2"]) * dw * dw
    first_unbias = first_moment / (1 - config["beta1"] ** config["t"])
    second_unbias = second_moment / (1 - config["beta2"] ** config["t"])
    next_w = w - config["learning_rate"] * first_unbias / (sqrt(second_unbias) + config["epsilon"])
    config["m"] = first_moment
    config["v"] = second_moment
    return next_w, config


class Dropout:
    @staticmethod
    def forward(x, dropout_param):
        p, mode = dropout_param["p"], dropout_param["mode"]
        if "seed" in dropout_param:
            torch.manual_seed(dropout_param["seed"])
        mask = None
        out = None
        if mode == "train":
            keep_prob = 1 - p
            mask = rand(x.shape, device=x.device) < keep_prob
            out = where(mask, x / keep_prob, torch.zeros((), dtype=x.dtype, device=x.device))
        elif mode == "test":
            out = x
        else:
            assert False, "unknown mode"
        return out, (dropout_param, mask)

    @staticmethod
    def backward(dout, cache):
        dropout_param, mask = cache
        mode = dropout_param["mode"]
        dx = None
        if mode == "train":
            keep_prob = 1 - dropout_param["p"]
            dx = dout * mask / keep_prob
        elif mode == "test":
            dx = dout
        return dx


def l2_regularizer(w, strength, half=False):
    loss = strength * (w ** 2).sum()
    grad = strength * 2 * w
    if half == True:
        return loss / 2, grad / 2
    return loss, grad


def l1_regularizer(w, strength):
    loss = strength * w.abs().sum()
    # d|w|/dw is 1 for w > 0 and -1 for w < 0
    grad = strength * ((w > 0).to(w.dtype) - (w < 0).to(w.dtype))
    return loss, grad


def elastic_net(w, l1_strength, l2_strength):
    l1 = w.abs().sum()
    l2 = (w * w).sum()
    loss = l1_strength * l1 + l2_strength * l2
    safe = where(w == 0, torch.ones_like(w), w.abs())
    grad = l1_strength * w / safe + 2 * l2_strength * w
    return loss, grad


def max_norm(w, c):
    squares = (w ** 2).sum().item()
    if squares > c:
        w = w / (squares / c) ** 0.5
    return w


def sgd_weight_decay(w, dw, config=None):
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("weight_decay", 1e-4)
    lr = config["learning_rate"]
    wd = config["weight_decay"]
    if len(w.shape) == 1:
        # bias: no decay
        return w - lr * dw, config
    else:
        return w - lr * wd * w - lr * dw, config


if __name__ == "__main__":
    torch.manual_seed(0)
    x = torch.randn(3, 2, 2)
    w = torch.randn(4, 5)
    b = torch.randn(5)
    out, cache = Linear.forward(x, w, b)
    print(out.shape)
    net = FullyConnectedNet([7, 6], 12, 4, dropout=0.3, seed=1)
    print(net.loss(torch.randn(5, 12), torch.randint(4, (5,)))[0])
