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

import random
import torch
from torch import Tensor

Loss = Callable[[Tensor, Tensor, Tensor, float], tuple[Tensor | float, Tensor]]
"""Takes W (D, C), X (N, D), y (N,) and reg; returns the loss and its gradient with respect to W, (D, C)."""


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


def svm_loss_naive(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    dW = torch.zeros(W.shape, dtype=W.dtype, device=W.device) # initialize the gradient as zero
    num_classes = W.shape[1]
    num_train = X.shape[0]
    loss = 0.0
    for i in range(num_train):
        scores = []
        for j in range(num_classes):
            scores.append(torch.sum(X[i] * W[:, j]))
        how_many = 0
        for j in range(num_classes):
            if j == y[i]:
                continue
            margin = scores[j] - scores[int(y[i])] + 1 # note delta = 1
            if margin > 0:
                loss = loss + margin.item()
                how_many = how_many + 1
                dW[:, j] = dW[:, j] + X[i] / num_train
        dW[:, y[i]] = dW[:, y[i]] - how_many * X[i] / num_train
    loss = loss / num_train
    loss = loss + reg * torch.sum(W * W).item()
    dW = dW + reg * W
    return loss, dW


def svm_loss_vectorized(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    num_classes = W.shape[1]
    num_train = X.shape[0]
    # one hot matrix of the labels
    onehot = torch.eye(num_classes, dtype=X.dtype, device=X.device)[y]
    scores = torch.matmul(X, W)
    correct = torch.sum(scores * onehot, dim=1).reshape(num_train, 1)
    margins = scores - correct + 1
    margins = margins * (1 - onehot)             # true class is out
    zero = torch.zeros_like(margins)
    margins = torch.where(margins > 0, margins, zero)
    #print(margins.shape)
    loss = torch.sum(torch.sum(margins, dim=1)) / num_train
    loss = loss + reg * torch.sum(W * W)
    mask = (margins > 0).type(X.dtype)
    count = torch.sum(mask, dim=1).reshape(num_train, 1)
    dscores = mask - onehot * count
    dW = torch.matmul(X.transpose(0, 1), dscores)
    dW = dW / num_train
    dW = dW + reg * 2 * W
    return loss, dW


def softmax_loss_naive(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    loss = 0.0
    dW = torch.zeros_like(W)
    num_classes = W.shape[1]
    num_train = X.shape[0]
    for i in range(num_train):
        scores = torch.zeros(num_classes, dtype=W.dtype, device=W.device)
        for j in range(num_classes):
            scores[j] = torch.dot(X[i], W[:, j])
        biggest = scores[0]
        for j in range(num_classes):
            if scores[j] > biggest:
                biggest = scores[j]
        scores = scores - biggest
        exp_sum = 0
        for j in range(num_classes):
            exp_sum = exp_sum + torch.exp(scores[j])
        loss = loss - scores[y[i]].item() + torch.log(exp_sum).item()
        for j in range(num_classes):
            p = torch.exp(scores[j]) / exp_sum
            if j == y[i]:
                dW[:, j] += (p - 1) * X[i]
            else:
                dW[:, j] += p * X[i]
    loss = loss / num_train + reg * torch.sum(W ** 2).item()
    dW /= num_train
    dW += 2 * reg * W
    return loss, dW


def softmax_loss_vectorized(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    num_classes = W.shape[1]
    num_train = X.shape[0]
    onehot = torch.eye(num_classes, dtype=X.dtype, device=X.device)[y]
    scores = torch.matmul(X, W)
    max_scores, _ = torch.max(scores, dim=1)
    scores = scores - max_scores.reshape(num_train, 1)
    exp_scores = torch.exp(scores)
    sums = torch.sum(exp_scores, dim=1).reshape(num_train, 1)
    probs = exp_scores / sums
    log_probs = scores - torch.log(sums)
    loss = -torch.sum(log_probs * onehot) / num_train
    loss = loss + reg * torch.sum(W * W)
    dscores = (probs - onehot) / num_train
    dW = torch.matmul(X.transpose(0, 1), dscores) + 2 * reg * W
    return loss, dW


def sample_batch(X: Tensor, y: Tensor, num_train: int, batch_size: int) -> tuple[Tensor, Tensor]:
    indices = random.sample(range(num_train), batch_size)
    X_batch = X[indices]
    y_batch = y[indices]
    return X_batch, y_batch


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
    if W is None:
        W = 1e-6 * torch.randn(X.shape[1], int(y.max()) + 1, dtype=X.dtype, device=X.device)
    loss_history: list[float] = []
    num_train = X.shape[0]
    for it in range(num_iters):
        X_batch, y_batch = sample_batch(X, y, num_train, min(batch_size, num_train))
        loss, dW = loss_func(W, X_batch, y_batch, reg)
        loss_history.append(float(loss))
        W = W - learning_rate * dW
        if verbose == True:
            if it % 100 == 0:
                print("iteration", it, "of", num_iters, "loss", float(loss))
    return W, loss_history


def predict_linear_classifier(W: Tensor, X: Tensor) -> Tensor:
    scores = torch.matmul(X, W)
    y_pred = torch.zeros(X.shape[0], dtype=torch.int64, device=X.device)
    for i in range(X.shape[0]):
        y_pred[i] = torch.argmax(scores[i])
    return y_pred


def svm_get_search_params() -> tuple[list[float], list[float]]:
    learning_rates = [0.001, 0.01, 0.05, 0.1, 0.5]
    regularization_strengths = [0.0001, 0.001, 0.01, 0.1, 1.0]
    return learning_rates, regularization_strengths


def softmax_get_search_params() -> tuple[list[float], list[float]]:
    learning_rates = [0.01, 0.05, 0.1, 0.5, 1.0]
    regularization_strengths = [0.0001, 0.001, 0.01]
    return learning_rates, regularization_strengths


def test_one_param_set(
    cls: LinearClassifier,
    data_dict: Mapping[str, Tensor],
    lr: float,
    reg: float,
    num_iters: int = 2000,
) -> tuple[LinearClassifier, float, float]:
    loss_hist = cls.train(data_dict["X_train"], data_dict["y_train"], learning_rate=lr, reg=reg, num_iters=num_iters, verbose=False)
    y_train_pred = cls.predict(data_dict["X_train"])
    y_val_pred = cls.predict(data_dict["X_val"])
    # in percent
    train_acc = 100.0 * torch.sum(y_train_pred == data_dict["y_train"]).item() / len(y_train_pred)
    val_acc = 100.0 * torch.sum(y_val_pred == data_dict["y_val"]).item() / len(y_val_pred)
    print("lr", lr, "reg", reg, "train", train_acc, "val", val_acc, "last loss", loss_hist[-1] if loss_hist else None)
    return cls, train_acc, val_acc


test_one_param_set.__test__ = False  # pytest: no test, despite its name
