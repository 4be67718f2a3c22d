from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from builtins import range
from random import shuffle
import numpy as np
import torch
from torch import Tensor

Loss = Callable[[Tensor, Tensor, Tensor, float], tuple[Tensor | float, Tensor]]


class LinearClassifier(ABC):
    def __init__(self) -> None:
        self.W: Tensor | None = None

    def train(
        self,
        X_train: Tensor,
        y_train: Tensor,
        learning_rate: float = 1e-3,
        reg: float = 1e-5,
        num_iters: int = 100,
        batch_size: int = 200,
        verbose: bool = False,
    ) -> list[float]:
        self.W, loss_history = train_linear_classifier(
            self.loss, self.W, X_train, y_train, learning_rate, reg, num_iters, batch_size, verbose
        )
        return loss_history

    def predict(self, X: Tensor) -> Tensor:
        if self.W is None:
            raise RuntimeError("there are no weights yet; call train or load first")
        return predict_linear_classifier(self.W, X)

    @abstractmethod
    def loss(self, W: Tensor, X_batch: Tensor, y_batch: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
        ...

    def save(self, path: str | os.PathLike[str]) -> None:
        torch.save({"W": self.W}, path)

    def load(self, path: str | os.PathLike[str]) -> None:
        self.W = torch.load(path, map_location="cpu", weights_only=True)["W"]


class LinearSVM(LinearClassifier):
    def loss(self, W: Tensor, X_batch: Tensor, y_batch: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
        return svm_loss_vectorized(W, X_batch, y_batch, reg)


class Softmax(LinearClassifier):
    def loss(self, W: Tensor, X_batch: Tensor, y_batch: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
        return softmax_loss_vectorized(W, X_batch, y_batch, reg)


def to_numpy(W, X, y):
    """numpy versions, and a function which makes tensors again"""
    def wrap(a):
        return torch.from_numpy(a).to(W.dtype).to(W.device)
    return W.detach().cpu().double().numpy(), X.detach().cpu().double().numpy(), y.cpu().numpy(), wrap


def svm_loss_naive(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    W, X, y, wrap = to_numpy(W, X, y)
    dW = np.zeros(W.shape)
    num_classes = W.shape[1]
    num_train = X.shape[0]
    loss = 0.0
    for i in range(num_train):
        scores = X[i].dot(W)
        correct_class_score = scores[y[i]]
        for j in range(num_classes):
            if j == y[i]:
                continue
            margin = scores[j] - correct_class_score + 1  # note delta = 1
            if margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    loss /= num_train
    dW /= num_train
    loss += 0.5 * reg * np.sum(W * W)
    dW += reg * W
    return loss, wrap(dW)


def svm_loss_vectorized(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    W, X, y, wrap = to_numpy(W, X, y)
    num_train = X.shape[0]
    scores = X.dot(W)
    margins = np.maximum(0, scores - scores[np.arange(num_train), y].reshape(-1, 1) + 1)
    margins[np.arange(num_train), y] = 0
    loss = margins.sum() / num_train + 0.5 * reg * np.sum(W * W)
    margins[margins > 0] = 1
    margins[np.arange(num_train), y] = -margins.sum(axis=1)
    dW = X.T.dot(margins) / num_train + reg * W
    return loss, wrap(dW)


def softmax_loss_naive(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    W, X, y, wrap = to_numpy(W, X, y)
    loss = 0.0
    dW = np.zeros_like(W)
    for i in range(X.shape[0]):
        f = X[i].dot(W)
        f -= np.max(f)
        loss += np.log(np.sum(np.exp(f))) - f[y[i]]
        for j in range(W.shape[1]):
            p = np.exp(f[j]) / np.sum(np.exp(f))
            dW[:, j] += (p - (j == y[i])) * X[i]
    loss = loss / X.shape[0] + 0.5 * reg * np.sum(W * W)
    dW = dW / X.shape[0] + reg * W
    return loss, wrap(dW)


def softmax_loss_vectorized(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    W, X, y, wrap = to_numpy(W, X, y)
    num_train = X.shape[0]
    f = X.dot(W)
    f -= np.max(f, axis=1, keepdims=True)
    sum_f = np.sum(np.exp(f), axis=1, keepdims=True)
    p = np.exp(f) / sum_f
    loss = np.mean(np.log(sum_f)[:, 0] - f[np.arange(num_train), y])
    loss += 0.5 * reg * np.sum(W * W)
    p[np.arange(num_train), y] -= 1
    dW = X.T.dot(p) / num_train + reg * W
    return loss, wrap(dW)


def sample_batch(X: Tensor, y: Tensor, num_train: int, batch_size: int) -> tuple[Tensor, Tensor]:
    indices = np.random.choice(num_train, batch_size)
    return X[indices], y[indices]


def train_linear_classifier(
    loss_func: Loss,
    W: Tensor | None,
    X: Tensor,
    y: Tensor,
    learning_rate: float = 1e-3,
    reg: float = 1e-5,
    num_iters: int = 100,
    batch_size: int = 200,
    verbose: bool = False,
) -> tuple[Tensor, list[float]]:
    num_train, dim = X.shape
    num_classes = int(y.max()) + 1  # assume y takes values 0...K-1 where K is number of classes
    if W is None:
        # lazily initialize W
        W = 0.001 * torch.randn(dim, num_classes, dtype=X.dtype, device=X.device)
    loss_history = []
    for it in range(num_iters):
        X_batch, y_batch = sample_batch(X, y, num_train, batch_size)
        loss, grad = loss_func(W, X_batch, y_batch, reg)
        loss_history.append(float(loss))
        W = W - learning_rate * grad
        if verbose and it % 100 == 0:
            print("iteration %d / %d: loss %f" % (it, num_iters, loss))
    return W, loss_history


def predict_linear_classifier(W: Tensor, X: Tensor) -> Tensor:
    scores = X @ W
    return torch.argmax(scores, axis=1)


def svm_get_search_params() -> tuple[list[float], list[float]]:
    learning_rates = [1e-7, 5e-5]
    regularization_strengths = [2.5e4, 5e4]
    return learning_rates, regularization_strengths


def softmax_get_search_params() -> tuple[list[float], list[float]]:
    learning_rates = [1e-7, 5e-7]
    regularization_strengths = [2.5e4, 5e4]
    return learning_rates, regularization_strengths


def test_one_param_set(
    cls: LinearClassifier,
    data_dict: Mapping[str, Tensor],
    lr: float,
    reg: float,
    num_iters: int = 2000,
) -> tuple[LinearClassifier, float, float]:
    cls.train(data_dict["X_train"], data_dict["y_train"], learning_rate=lr, reg=reg, num_iters=num_iters)
    train_acc = np.mean((data_dict["y_train"] == cls.predict(data_dict["X_train"])).cpu().numpy())
    val_acc = np.mean((data_dict["y_val"] == cls.predict(data_dict["X_val"])).cpu().numpy())
    print("lr %e reg %e train accuracy: %f val accuracy: %f" % (lr, reg, train_acc, val_acc))
    return cls, float(train_acc), float(val_acc)


test_one_param_set.__test__ = False  # pytest: no test, despite its name
