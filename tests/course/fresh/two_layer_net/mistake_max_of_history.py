"""A network of two fully connected layers, with gradients worked out by hand.

Shapes: N examples, D features, H hidden units, C classes. The parameters of a network are a dict of four
tensors: "W1" of shape (D, H), "b1" (H,), "W2" (H, C) and "b2" (C,). Every function works on any device and in
any floating-point dtype, and gives results in the dtype of its inputs.

You may use neither `torch.nn` nor `torch.optim`, nor let PyTorch work out gradients (`torch.autograd`,
`.backward()`), nor move tensors (`.cuda()`): new tensors belong where the old ones are. What `helpers` gives
to later assignments is off limits, too.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

Params = dict[str, torch.Tensor]


class TwoLayerNet:
    """A network of two layers: linear, ReLU, linear. It is given; the functions below do its work."""

    def __init__(self, input_size, hidden_size, output_size, dtype=torch.float32, device='cpu', std=0.0001):
        """Make a network with small random weights and biases of zero."""
        kind: dict[str, Any] = {"dtype": dtype, "device": device}
        self.params: Params = {
            "W1": std * torch.randn(input_size, hidden_size, **kind),
            "b1": torch.zeros(hidden_size, **kind),
            "W2": std * torch.randn(hidden_size, output_size, **kind),
            "b2": torch.zeros(output_size, **kind),
        }

    def loss(self, X, y=None, reg=0.0):
        """Return what `nn_forward_backward` returns."""
        return nn_forward_backward(self.params, X, y, reg)

    def train(self, X, y, X_val, y_val, learning_rate=0.001, learning_rate_decay=0.95, reg=5e-06, num_iters=100, batch_size=200, verbose=False):
        """Train with `nn_train` and return its statistics."""
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
        """Predict labels with `nn_predict`."""
        return nn_predict(self.params, nn_forward_backward, X)

    def save(self, path):
        """Write the parameters to a file."""
        torch.save(self.params, path)

    def load(self, path):
        """Read the parameters from a file that `save` wrote."""
        params = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(params, dict) or params.keys() != self.params.keys():
            raise ValueError(f"{path} does not hold the parameters of a two-layer network")
        device = self.params["W1"].device
        self.params = {name: value.to(device) for name, value in params.items()}


def progress(steps, *, show=True):
    """Return what a loop runs over, with a bar that shows how far it has come. This function is given."""
    return tqdm(steps, disable=not show, leave=False, file=sys.stdout)


def sample_batch(X, y, num_train, batch_size):
    """Draw a batch of the first `num_train` examples, none of them twice. This function is given."""
    shuffled = torch.randperm(num_train, device=X.device)
    return X[shuffled[:batch_size]], y[shuffled[:batch_size]]


def nn_forward_pass(params, X):
    """Compute the scores of all classes: a linear layer, ReLU, and another linear layer."""
    W1 = params["W1"]
    b1 = params["b1"]
    W2 = params["W2"]
    b2 = params["b2"]
    z = torch.mm(X, W1) + b1.reshape(1, -1)
    # relu
    mask = z > 0
    hidden = z * mask
    scores = torch.mm(hidden, W2) + b2.reshape(1, -1)
    # print(scores.shape)
    return scores, hidden


def nn_forward_backward(params, X, y=None, reg=0.0):
    """Compute the loss and its gradients, or only the scores where there are no labels."""
    W1 = params["W1"]
    b1 = params["b1"]
    W2 = params["W2"]
    b2 = params["b2"]
    N, D = X.shape
    scores, hidden = nn_forward_pass(params, X)
    if y is None:
        return scores

    # loss
    C = scores.shape[1]
    onehot = torch.eye(C, dtype=X.dtype, device=X.device)[y]
    biggest = torch.max(scores, dim=1)[0].reshape(N, 1)
    e = torch.exp(scores - biggest)
    s = torch.sum(e, dim=1).reshape(N, 1)
    correct = torch.sum(scores * onehot, dim=1).reshape(N, 1)
    losses = torch.log(s) + biggest - correct
    loss = torch.sum(losses) / N
    loss = loss + reg * torch.sum(W1 * W1)
    loss = loss + reg * torch.sum(W2 * W2)

    # gradients, one small step after the other
    grads: Params = {}
    dscores = (e / s - onehot) / N                    # N x C
    grads["b2"] = torch.ones(N, dtype=X.dtype, device=X.device) @ dscores
    grads["W2"] = torch.transpose(hidden, 0, 1) @ dscores
    dhidden = dscores @ torch.transpose(W2, 0, 1)     # N x H
    dz = torch.where(hidden > 0, dhidden, torch.zeros_like(dhidden))
    grads["b1"] = torch.ones(N, dtype=X.dtype, device=X.device) @ dz
    grads["W1"] = torch.transpose(X, 0, 1) @ dz
    grads["W1"] = grads["W1"] + 2 * reg * W1
    grads["W2"] = grads["W2"] + 2 * reg * W2
    assert grads["W1"].shape == W1.shape
    assert grads["b1"].shape == b1.shape
    assert grads["W2"].shape == W2.shape
    assert grads["b2"].shape == b2.shape
    return loss, grads


def nn_train(params, loss_func, pred_func, X, y, X_val, y_val, learning_rate=0.001, learning_rate_decay=0.95, reg=5e-06, num_iters=100, batch_size=200, verbose=False):
    """Train a network by stochastic gradient descent. The values in `params` change; they are the result."""
    num_train = len(X)
    iterations_per_epoch = max(num_train // batch_size, 1)
    loss_history: list[float] = []
    train_acc_history: list[float] = []
    val_acc_history: list[float] = []

    for it in progress(range(num_iters), show=verbose):
        X_batch, y_batch = sample_batch(X, y, num_train, batch_size)
        loss, grads = loss_func(params, X_batch, y=y_batch, reg=reg)
        loss_history.append(float(loss))

        # sgd step
        params["W1"] -= learning_rate * grads["W1"]
        params["b1"] -= learning_rate * grads["b1"]
        params["W2"] -= learning_rate * grads["W2"]
        params["b2"] -= learning_rate * grads["b2"]

        #if verbose and it % 100 == 0:
        #    print("iteration", it, "loss", float(loss))

        if it % iterations_per_epoch == 0:
            y_batch_pred = pred_func(params, loss_func, X_batch)
            right = 0
            for i in range(len(y_batch)):
                if y_batch_pred[i] == y_batch[i]:
                    right += 1
            train_acc_history.append(right / len(y_batch))
            y_val_pred = pred_func(params, loss_func, X_val)
            val_acc_history.append((y_val_pred == y_val).float().mean().item())
            learning_rate = learning_rate * learning_rate_decay

    return {
        "loss_history": loss_history,
        "train_acc_history": train_acc_history,
        "val_acc_history": val_acc_history,
    }


def nn_predict(params, loss_func, X):
    """Predict for each example the class with the highest score."""
    scores = loss_func(params, X)
    y_pred = torch.argmax(scores, dim=1)
    return y_pred


def nn_get_search_params():
    """Name the settings that `find_best_net` tries, in all combinations."""
    learning_rates = [0.05, 0.1]
    hidden_sizes = [16, 64]
    regularization_strengths = [0.001, 0.01]
    learning_rate_decays = [0.95]
    return learning_rates, hidden_sizes, regularization_strengths, learning_rate_decays


def find_best_net(data_dict, get_param_set_fn):
    """Train a `TwoLayerNet` for every combination of settings, and keep the best."""
    best_net = None
    best_stat = None
    best_val_acc = 0.0
    learning_rates, hidden_sizes, regularization_strengths, learning_rate_decays = get_param_set_fn()
    X_train = data_dict["X_train"]
    y_train = data_dict["y_train"]
    X_val = data_dict["X_val"]
    y_val = data_dict["y_val"]
    input_size = X_train.shape[1]
    num_classes = torch.max(y_train).item() + 1
    for lr in learning_rates:
        for hidden_size in hidden_sizes:
            for reg in regularization_strengths:
                for decay in learning_rate_decays:
                    net = TwoLayerNet(input_size, hidden_size, num_classes, dtype=X_train.dtype, device=X_train.device, std=0.01)
                    stat = net.train(X_train, y_train, X_val, y_val, learning_rate=lr, learning_rate_decay=decay, reg=reg, num_iters=500, batch_size=100, verbose=False)
                    val_acc = max(stat["val_acc_history"])
                    print("lr", lr, "hidden", hidden_size, "reg", reg, "decay", decay, "val acc", val_acc)
                    if best_net is None or val_acc > best_val_acc:
                        best_net = net
                        best_stat = stat
                        best_val_acc = val_acc
    print("best", best_val_acc)
    return best_net, best_stat, best_val_acc
