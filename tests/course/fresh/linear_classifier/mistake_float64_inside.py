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

    def __init__(self) -> None:
        """Make a classifier without weights."""
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
        """Train on X_train (N, D) and y_train (N,), and return the loss at each iteration."""
        self.W, loss_history = train_linear_classifier(
            self.loss, self.W, X_train, y_train, learning_rate, reg, num_iters, batch_size, verbose
        )
        return loss_history

    def predict(self, X: Tensor) -> Tensor:
        """Return the predicted labels (N,) of X (N, D)."""
        if self.W is None:
            raise RuntimeError("there are no weights yet; call train or load first")
        return predict_linear_classifier(self.W, X)

    @abstractmethod
    def loss(self, W: Tensor, X_batch: Tensor, y_batch: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
        """Return the loss on a batch, and its gradient with respect to W."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the weights to a file."""
        torch.save({"W": self.W}, path)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Read the weights from a file that `save` wrote."""
        self.W = torch.load(path, map_location="cpu", weights_only=True)["W"]


class LinearSVM(LinearClassifier):
    """A linear classifier trained with the multiclass SVM loss."""

    def loss(self, W: Tensor, X_batch: Tensor, y_batch: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
        """Return the SVM loss on a batch, and its gradient with respect to W."""
        return svm_loss_vectorized(W, X_batch, y_batch, reg)


class Softmax(LinearClassifier):
    """A linear classifier trained with the softmax loss."""

    def loss(self, W: Tensor, X_batch: Tensor, y_batch: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
        """Return the softmax loss on a batch, and its gradient with respect to W."""
        return softmax_loss_vectorized(W, X_batch, y_batch, reg)


def svm_loss_naive(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    """Compute the multiclass SVM loss and its gradient, one example and one class at a time."""
    num_train, num_classes = len(X), W.size(1)
    grad_t = torch.zeros(num_classes, W.size(0), dtype=torch.float64)     # transposed, a row per class
    loss = W.new_zeros(())
    for x, t in zip(X, y.tolist()):
        scores = W.t().mv(x)
        margins = scores.sub(scores[t]).add_(1)
        for c in range(num_classes):
            if c == t or margins[c] <= 0: continue
            loss.add_(margins[c])
            grad_t[c].add_(x)
            grad_t[t].sub_(x)
    loss.div_(num_train).add_(reg * W.square().sum())
    grad_t.div_(num_train)
    return loss, grad_t.t().add(W, alpha=2 * reg)


def svm_loss_vectorized(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    """Compute the same SVM loss and gradient without any explicit loop."""
    target = y.view(-1, 1)
    M = X.mm(W)
    M.sub_(M.gather(1, target)).add_(1).clamp_(min=0).scatter_(1, target, 0)
    loss = M.sum().div(X.size(0)).add(W.square().sum(), alpha=reg)
    # from here on M is the gradient of the scores
    M = M.sign().double()
    M.scatter_(1, target, M.sum(1, keepdim=True).neg_())
    dW = torch.addmm(W, X.t(), M, beta=2 * reg, alpha=1 / X.size(0))
    return loss, dW


def softmax_loss_naive(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    """Compute the softmax (cross-entropy) loss and its gradient, one example and one class at a time."""
    num_train, num_classes = len(X), W.size(1)
    dW = W.mul(2 * reg)
    loss = W.pow(2).sum().mul(reg)
    for x, t in zip(X, y.tolist()):
        p = torch.mv(W.t().double(), x)
        p.sub_(p.max())
        shifted = p[t].clone()
        p.exp_()
        Z = p.sum()
        loss.add_(Z.log().sub_(shifted).div_(num_train))
        p.div_(Z)
        p[t].sub_(1)
        for c in range(num_classes):
            dW[:, c].add_(x * (p[c] / num_train))
    return loss, dW


def softmax_loss_vectorized(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    """Compute the same softmax loss and gradient without any explicit loop."""
    target = y.view(-1, 1)
    S = X.mm(W)
    S.sub_(S.amax(1, keepdim=True))
    own = S.gather(1, target)
    S.exp_()
    Z = S.sum(1, keepdim=True)
    loss = Z.log().sub_(own).mean().add(W.square().sum(), alpha=reg)
    S.div_(Z).scatter_add_(1, target, -torch.ones(own.shape, dtype=torch.float64)).div_(X.size(0))
    return loss, torch.addmm(W, X.t(), S, beta=2 * reg)


def sample_batch(X: Tensor, y: Tensor, num_train: int, batch_size: int) -> tuple[Tensor, Tensor]:
    """Choose examples at random, with their labels; each example is equally likely."""
    perm = torch.randperm(num_train)[:batch_size].to(X.device)
    return X.index_select(0, perm), y.index_select(0, perm)


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
    """Train weights by stochastic gradient descent."""
    if W is None:
        W = 1e-6 * torch.randn(X.shape[1], int(y.max()) + 1, dtype=X.dtype, device=X.device)
    loss_history: list[float] = []

    it = 0
    while it < num_iters:
        batch = sample_batch(X, y, X.size(0), batch_size)
        loss, dW = loss_func(W, *batch, reg)
        loss_history += [loss.item() if torch.is_tensor(loss) else loss]
        W.sub_(dW, alpha=learning_rate)
        it += 1
        if verbose: print(it, loss_history[-1])
    return W, loss_history


def predict_linear_classifier(W: Tensor, X: Tensor) -> Tensor:
    """Predict for each example the class with the largest score."""
    _, labels = torch.max(X.mm(W), 1)
    return labels


def svm_get_search_params() -> tuple[list[float], list[float]]:
    """Choose what to try for the SVM: every learning rate with every strength of regularization."""
    learning_rates = [0.005, 0.02, 0.08, 0.3]
    regularization_strengths = [0, 1e-3, 1e-2]
    return learning_rates, regularization_strengths


def softmax_get_search_params() -> tuple[list[float], list[float]]:
    """Choose what to try for the softmax classifier; the rules are those of `svm_get_search_params`."""
    learning_rates = [0.03, 0.1, 0.3, 1]
    regularization_strengths = [0, 1e-4, 1e-3, 1e-2]
    return learning_rates, regularization_strengths


def test_one_param_set(
    cls: LinearClassifier,
    data_dict: Mapping[str, Tensor],
    lr: float,
    reg: float,
    num_iters: int = 2000,
) -> tuple[LinearClassifier, float, float]:
    """Train a classifier with one choice of the settings, and measure how good it is."""
    X_train, y_train, X_val, y_val = (data_dict[k] for k in ("X_train", "y_train", "X_val", "y_val"))
    cls.train(X_train, y_train, learning_rate=lr, reg=reg, num_iters=num_iters)
    train_acc = cls.predict(X_train).eq(y_train).sum().item() / y_train.numel()
    val_acc = cls.predict(X_val).eq(y_val).sum().item() / y_val.numel()
    return cls, train_acc, val_acc


test_one_param_set.__test__ = False  # pytest: no test, despite its name
