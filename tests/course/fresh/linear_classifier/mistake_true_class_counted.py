"""Linear classifiers: a score per class, two losses, and gradient descent on minibatches.

Shapes: N examples, D features per example, C classes. The scores of a batch are `X @ W`, of shape (N, C).
There is no bias: an extra feature that is always 1 does its work. Every function works on any device and in
any floating-point dtype, and gives tensors in the dtype of its inputs. The losses do not modify their
arguments.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

Loss = Callable[[Tensor, Tensor, Tensor, float], tuple[Tensor | float, Tensor]]
"""Takes W (D, C), X (N, D), y (N,) and reg; returns the loss and its gradient with respect to W, (D, C)."""


class LinearClassifier(ABC):
    """A linear classifier: weights `W` of shape (D, C), None before training. Subclasses choose the loss."""

    def __init__(self):
        """Make a classifier without weights."""
        self.W: Tensor | None = None

    def train(self, X_train, y_train, learning_rate=0.001, reg=1e-05, num_iters=100, batch_size=200, verbose=False):
        """Train on X_train (N, D) and y_train (N,), and return the loss at each iteration."""
        self.W, loss_history = train_linear_classifier(
            self.loss, self.W, X_train, y_train, learning_rate, reg, num_iters, batch_size, verbose
        )
        return loss_history

    def predict(self, X):
        """Return the predicted labels (N,) of X (N, D)."""
        if self.W is None:
            raise RuntimeError("there are no weights yet; call train or load first")
        return predict_linear_classifier(self.W, X)

    @abstractmethod
    def loss(self, W, X_batch, y_batch, reg):
        """Return the loss on a batch, and its gradient with respect to W."""

    def save(self, path):
        """Write the weights to a file."""
        torch.save({"W": self.W}, path)

    def load(self, path):
        """Read the weights from a file that `save` wrote."""
        self.W = torch.load(path, map_location="cpu", weights_only=True)["W"]


class LinearSVM(LinearClassifier):
    """A linear classifier trained with the multiclass SVM loss."""

    def loss(self, W, X_batch, y_batch, reg):
        """Return the SVM loss on a batch, and its gradient with respect to W."""
        return svm_loss_vectorized(W, X_batch, y_batch, reg)


class Softmax(LinearClassifier):
    """A linear classifier trained with the softmax loss."""

    def loss(self, W, X_batch, y_batch, reg):
        """Return the softmax loss on a batch, and its gradient with respect to W."""
        return softmax_loss_vectorized(W, X_batch, y_batch, reg)


def svm_loss_naive(W, X, y, reg):
    """Compute the multiclass SVM loss and its gradient, one example and one class at a time."""
    D, C = W.shape
    N = X.shape[0]
    dW = torch.zeros_like(W)
    loss = 0.0
    for i in range(N):
        scores = torch.einsum("d,dc->c", X[i], W)
        correct = scores[y[i]]
        for j in range(C):
            if j == y[i]:
                continue
            margin = scores[j] - correct + 1
            if margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    loss = loss / N + reg * torch.einsum("dc,dc->", W, W)
    dW = dW / N + 2 * reg * W
    return loss, dW


def svm_loss_vectorized(W, X, y, reg):
    """Compute the same SVM loss and gradient without any explicit loop."""
    num_train = X.shape[0]
    scores = X.mm(W)                                             # N x C
    correct_class_scores = scores[torch.arange(num_train), y].view(-1, 1)
    margin = (scores - correct_class_scores + 1).clamp(min=0)    # N x C
    loss = margin.sum() / num_train
    loss += reg * (W * W).sum()

    # gradient
    mask = torch.zeros_like(margin)
    mask[margin > 0] = 1
    mask[torch.arange(num_train), y] = 0
    mask[torch.arange(num_train), y] -= mask.sum(dim=1)
    dW = X.t().mm(mask) / num_train
    dW += 2 * reg * W
    return loss, dW


def softmax_loss_naive(W, X, y, reg):
    """Compute the softmax (cross-entropy) loss and its gradient, one example and one class at a time."""
    N, C = X.shape[0], W.shape[1]
    loss = torch.zeros((), dtype=W.dtype, device=W.device)
    dW = torch.zeros_like(W)
    for i in range(N):
        s = torch.einsum("d,dc->c", X[i], W)
        s = s - s.max()
        e = s.exp()
        total = e.sum()
        # -log(e_t / total) = log(total) - s_t, no log of 0
        loss += total.log() - s[y[i]]
        for j in range(C):
            dW[:, j] += (e[j] / total - (1 if j == y[i] else 0)) * X[i]
    return loss / N + reg * (W * W).sum(), dW / N + 2 * reg * W


def softmax_loss_vectorized(W, X, y, reg):
    """Compute the same softmax loss and gradient without any explicit loop."""
    N = X.shape[0]
    rows = torch.arange(N, device=X.device)
    S = torch.einsum("nd,dc->nc", X, W)
    S = S - S.max(dim=1, keepdim=True).values
    E = S.exp()
    Z = E.sum(dim=1, keepdim=True)
    loss = (Z.log().squeeze(1) - S[rows, y]).mean() + reg * torch.einsum("dc,dc->", W, W)
    P = E / Z
    P[rows, y] -= 1
    return loss, torch.einsum("nd,nc->dc", X, P / N) + 2 * reg * W


def sample_batch(X, y, num_train, batch_size):
    """Choose examples at random, with their labels; each example is equally likely."""
    idx = torch.randint(num_train, (batch_size,), device=X.device)
    return X[idx], y[idx]


def train_linear_classifier(loss_func, W, X, y, learning_rate=0.001, reg=1e-05, num_iters=100, batch_size=200, verbose=False):
    """Train weights by stochastic gradient descent."""
    if W is None:
        W = 1e-6 * torch.randn(X.shape[1], int(y.max()) + 1, dtype=X.dtype, device=X.device)
    loss_history: list[float] = []

    for it in range(num_iters):
        X_batch, y_batch = sample_batch(X, y, X.shape[0], batch_size)
        loss, grad = loss_func(W, X_batch, y_batch, reg)
        loss_history.append(float(loss))
        W = W - learning_rate * grad
        if verbose and it % 100 == 0:
            print(f"iteration {it} / {num_iters}: loss {float(loss):.4f}")
    return W, loss_history


def predict_linear_classifier(W, X):
    """Predict for each example the class with the largest score."""
    return torch.einsum("nd,dc->nc", X, W).argmax(dim=1)


def svm_get_search_params():
    """Choose what to try for the SVM: every learning rate with every strength of regularization."""
    return [1e-2, 3e-2, 1e-1, 3e-1], [1e-4, 1e-3, 1e-2]


def softmax_get_search_params():
    """Choose what to try for the softmax classifier; the rules are those of `svm_get_search_params`."""
    return [3e-2, 1e-1, 3e-1, 1.0], [1e-5, 1e-4, 1e-3]


def test_one_param_set(cls, data_dict, lr, reg, num_iters=2000):
    """Train a classifier with one choice of the settings, and measure how good it is."""
    cls.train(data_dict["X_train"], data_dict["y_train"], learning_rate=lr, reg=reg, num_iters=num_iters)
    train_acc = (cls.predict(data_dict["X_train"]) == data_dict["y_train"]).double().mean().item()
    val_acc = (cls.predict(data_dict["X_val"]) == data_dict["y_val"]).double().mean().item()
    return cls, train_acc, val_acc


test_one_param_set.__test__ = False  # pytest: no test, despite its name
