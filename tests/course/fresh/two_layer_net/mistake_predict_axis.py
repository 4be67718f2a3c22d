from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import nn  # noqa
from tqdm import tqdm

Params = dict[str, torch.Tensor]


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, dtype=torch.float32, device='cpu', std=0.0001):
        kind: dict[str, Any] = {"dtype": dtype, "device": device}
        self.params: Params = {
            "W1": std * torch.randn(input_size, hidden_size, **kind),
            "b1": torch.zeros(hidden_size, **kind),
            "W2": std * torch.randn(hidden_size, output_size, **kind),
            "b2": torch.zeros(output_size, **kind),
        }

    def loss(self, X, y=None, reg=0.0):
        return nn_forward_backward(self.params, X, y, reg)

    def train(self, X, y, X_val, y_val, learning_rate=0.001, learning_rate_decay=0.95, reg=5e-06, num_iters=100, batch_size=200, verbose=False):
        return nn_train(
            self.params,
            nn_forward_backward,
            nn_predict,
            X,
            y,
            X_val,
            y_val,
            learning_rate,
            learning_rate_decay,
            reg,
            num_iters,
            batch_size,
            verbose,
        )

    def predict(self, X):
        return nn_predict(self.params, nn_forward_backward, X)

    def save(self, path):
        torch.save(self.params, path)

    def load(self, path):
        params = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(params, dict) or params.keys() != self.params.keys():
            raise ValueError(f"{path} does not hold the parameters of a two-layer network")
        device = self.params["W1"].device
        self.params = {name: value.to(device) for name, value in params.items()}


def progress(steps, *, show=True):
    return tqdm(steps, disable=not show, leave=False, file=sys.stdout)


def sample_batch(X, y, num_train, batch_size):
    shuffled = torch.randperm(num_train, device=X.device)
    return X[shuffled[:batch_size]], y[shuffled[:batch_size]]


def _ones(x):
    x = x.to(torch.float64)
    return torch.cat([x, torch.ones_like(x[:, :1])], dim=1)


def _stack(w, b):
    return torch.vstack([w, b]).to(torch.float64)


def _relu(z):
    return (z + z.abs()) / 2


def _accuracy(guess, truth):
    return int((guess == truth).sum()) / len(truth)


def nn_forward_pass(params, X):
    hidden = _relu(_ones(X) @ _stack(params["W1"], params["b1"]))
    scores = _ones(hidden) @ _stack(params["W2"], params["b2"])
    return scores.to(X.dtype), hidden.to(X.dtype)


def nn_forward_backward(params, X, y=None, reg=0.0):
    # biases are a last row of the weights, and everything is float64 until the end
    M1 = _stack(params["W1"], params["b1"])
    M2 = _stack(params["W2"], params["b2"])
    X1 = _ones(X)
    hidden = _relu(X1 @ M1)
    H1 = _ones(hidden)
    scores = H1 @ M2
    if y is None:
        return scores.to(X.dtype)

    N, C = scores.shape
    where = torch.arange(N, device=X.device) * C + y      # places of the right classes, if the rows are laid end to end
    scores = scores - scores.max(1)[0].unsqueeze(1)
    logZ = torch.log(torch.sum(torch.exp(scores), 1))
    loss = (logZ - scores.reshape(-1)[where]).sum() / N
    # only the weights, not the last row
    loss = loss + reg * (M1[:-1].pow(2).sum() + M2[:-1].pow(2).sum())

    G = torch.exp(scores - logZ.unsqueeze(1)).reshape(-1)
    G.index_put_((where,), torch.tensor(-1.0, dtype=G.dtype, device=G.device), accumulate=True)
    G = G.reshape(N, C) / N
    dM2 = H1.T @ G
    dM2[:-1] += 2 * reg * M2[:-1]
    G = (G @ M2.T)[:, :-1] * torch.sign(hidden)
    dM1 = X1.T @ G
    dM1[:-1] += 2 * reg * M1[:-1]
    grads = {}
    grads["W1"], grads["b1"] = dM1[:-1].to(X.dtype), dM1[-1].to(X.dtype)
    grads["W2"], grads["b2"] = dM2[:-1].to(X.dtype), dM2[-1].to(X.dtype)
    return loss.to(X.dtype), grads


def nn_train(params, loss_func, pred_func, X, y, X_val, y_val, learning_rate=0.001, learning_rate_decay=0.95, reg=5e-06, num_iters=100, batch_size=200, verbose=False):
    num_train = len(X)
    iterations_per_epoch = max(num_train // batch_size, 1)
    loss_history: list[float] = []
    train_acc_history: list[float] = []
    val_acc_history: list[float] = []

    for it in progress(range(num_iters), show=verbose):
        X_batch, y_batch = sample_batch(X, y, num_train, batch_size)
        loss, grads = loss_func(params, X_batch, y=y_batch, reg=reg)
        loss_history.append(float(loss))

        for k in ["W1", "b1", "W2", "b2"]:
            params[k].add_(grads[k], alpha=-learning_rate)

        if it % iterations_per_epoch != 0:
            continue
        train_acc_history.append(_accuracy(pred_func(params, loss_func, X_batch), y_batch))
        val_acc_history.append(_accuracy(pred_func(params, loss_func, X_val), y_val))
        learning_rate *= learning_rate_decay

    return {
        "loss_history": loss_history,
        "train_acc_history": train_acc_history,
        "val_acc_history": val_acc_history,
    }


def nn_predict(params, loss_func, X):
    scores = loss_func(params, X)
    y_pred = torch.argmax(scores, dim=0)
    return y_pred


def nn_get_search_params():
    learning_rates = [10 ** e for e in (-1.5, -1.1, -0.7)]
    hidden_sizes = [2 ** e for e in range(5, 7)]
    regularization_strengths = [1e-3, 3e-3]
    return learning_rates, hidden_sizes, regularization_strengths, [0.95]


def find_best_net(data_dict, get_param_set_fn):
    nets, stats, accs = [], [], []
    lrs, hs, regs, decays = get_param_set_fn()
    nc = int(data_dict["y_train"].max().item()) + 1
    for h in progress(hs):
        for lr in lrs:
            for r in regs:
                for d in decays:
                    net = TwoLayerNet(data_dict["X_train"].shape[1], h, nc, data_dict["X_train"].dtype, data_dict["X_train"].device, 0.05)
                    stats.append(net.train(data_dict["X_train"], data_dict["y_train"], data_dict["X_val"], data_dict["y_val"], lr, d, r, 300, 100))
                    accs.append(_accuracy(net.predict(data_dict["X_val"]), data_dict["y_val"]))
                    nets.append(net)
    i = accs.index(max(accs))
    return nets[i], stats[i], accs[i]
