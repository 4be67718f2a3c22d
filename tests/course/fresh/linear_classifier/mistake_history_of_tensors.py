from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F  # not used after all
from torch import Tensor

Loss = Callable[[Tensor, Tensor, Tensor, float], tuple[Tensor | float, Tensor]]

RATES = (0.01, 0.03, 0.1, 0.3)
STRENGTHS = (0.0, 1e-4, 1e-3, 1e-2)


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


def F_onehot(y: Tensor, num_classes: int) -> Tensor:
    """like torch's one_hot, but bool"""
    return y.unsqueeze(1) == torch.arange(num_classes, device=y.device)


def _hinge(scores: list[Tensor], t: int) -> tuple[Tensor, list[Tensor]]:
    """loss of one example, and the derivative by each of its scores"""
    zero = torch.zeros_like(scores[t])
    loss, d = zero.clone(), [zero.clone() for _ in scores]
    for j, s in enumerate(scores):
        if j != t and s - scores[t] + 1 > 0:
            loss = loss + s - scores[t] + 1
            d[j] = d[j] + 1
            d[t] = d[t] - 1
    return loss, d


def _cross_entropy(scores: list[Tensor], t: int) -> tuple[Tensor, list[Tensor]]:
    top = max(scores)
    exps = [(s - top).exp() for s in scores]
    total = sum(exps)
    d = [e / total for e in exps]
    d[t] = d[t] - 1
    return total.log() + top - scores[t], d


def _by_loops(W: Tensor, X: Tensor, y: Tensor, one: Callable) -> tuple[Tensor, Tensor]:
    total, dW = torch.zeros((), dtype=W.dtype, device=W.device), torch.zeros_like(W)
    for x, t in zip(X, y):
        loss, d = one([x @ w for w in W.unbind(1)], int(t))
        total = total + loss
        for j, dj in enumerate(d):
            dW[:, j] += dj * x
    return total, dW


def _finish(W: Tensor, total: Tensor, dW: Tensor, N: int, reg: float) -> tuple[Tensor, Tensor]:
    """sums over the examples -> means, plus the regularization"""
    return total / N + reg * W.pow(2).sum(), dW / N + 2 * reg * W


def svm_loss_naive(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    return _finish(W, *_by_loops(W, X, y, _hinge), len(X), reg)


def svm_loss_vectorized(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    scores = X @ W
    true = F_onehot(y, W.size(1))
    slack = (scores - scores[true].unsqueeze(-1) + 1).masked_fill(true, 0.0).relu()
    active = slack > 0
    dscores = torch.where(true, -active.sum(1, keepdim=True), active.long()).to(W.dtype)
    return _finish(W, slack.sum(), X.mT @ dscores, len(X), reg)


def softmax_loss_naive(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    return _finish(W, *_by_loops(W, X, y, _cross_entropy), len(X), reg)


def softmax_loss_vectorized(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    scores = X @ W
    true = F_onehot(y, W.size(1))
    lse = torch.logsumexp(scores, dim=1)
    dscores = torch.exp(scores - lse[:, None]) - true.to(W.dtype)
    return _finish(W, (lse - scores[true]).sum(), X.mT @ dscores, len(X), reg)


def sample_batch(X: Tensor, y: Tensor, num_train: int, batch_size: int) -> tuple[Tensor, Tensor]:
    weights = torch.ones(num_train, device=X.device)
    chosen = torch.multinomial(weights, batch_size, replacement=False)
    return X[chosen], y[chosen]


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
    batch_size = min(batch_size, len(X))   # multinomial cannot draw more than there are

    def step(W: Tensor) -> Tensor:
        loss, dW = loss_func(W, *sample_batch(X, y, len(X), batch_size), reg)
        loss_history.append(loss)
        return W.add(dW, alpha=-learning_rate)

    for i in range(num_iters):
        W = step(W)
        if verbose and (i + 1) % 50 == 0:
            print(f"{i + 1:>6} {loss_history[-1]:.5f}", flush=True)
    return W, loss_history


def predict_linear_classifier(W: Tensor, X: Tensor) -> Tensor:
    return (X @ W).topk(1, dim=1).indices.squeeze(1)


def svm_get_search_params() -> tuple[list[float], list[float]]:
    return list(RATES), list(STRENGTHS)


def softmax_get_search_params() -> tuple[list[float], list[float]]:
    return [3 * rate for rate in RATES], list(STRENGTHS)


def test_one_param_set(
    cls: LinearClassifier,
    data_dict: Mapping[str, Tensor],
    lr: float,
    reg: float,
    num_iters: int = 2000,
) -> tuple[LinearClassifier, float, float]:
    def accuracy(part: str) -> float:
        labels = data_dict[f"y_{part}"]
        return torch.count_nonzero(cls.predict(data_dict[f"X_{part}"]) == labels).item() / len(labels)

    cls.train(data_dict["X_train"], data_dict["y_train"], learning_rate=lr, reg=reg, num_iters=num_iters)
    return cls, accuracy("train"), accuracy("val")


test_one_param_set.__test__ = False  # pytest: no test, despite its name
