"""Linear classifiers (Kofi Boateng)."""

from __future__ import annotations

from typing import Callable, Dict, List, Optional, Tuple

import torch
from torch import Tensor


class LinearClassifier:
    def __init__(self) -> None:
        self.W: Optional[Tensor] = None

    def train(self, X_train, y_train, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False):
        settings = dict(learning_rate=learning_rate, reg=reg, num_iters=num_iters, batch_size=batch_size)
        self.W, history = train_linear_classifier(self.loss, self.W, X_train, y_train, verbose=verbose, **settings)
        return history

    def predict(self, X):
        return predict_linear_classifier(self.W, X)


class LinearSVM(LinearClassifier):
    def loss(self, W, X_batch, y_batch, reg):
        return svm_loss_vectorized(W, X_batch, y_batch, reg)


class Softmax(LinearClassifier):
    def loss(self, W, X_batch, y_batch, reg):
        return softmax_loss_vectorized(W, X_batch, y_batch, reg)


def _double(W: Tensor, X: Tensor) -> Tuple[Tensor, Tensor]:
    return W.double(), X.double()


def _regularized(loss: Tensor, grad: Tensor, W: Tensor, reg: float) -> Tuple[Tensor, Tensor]:
    W64 = W.double()
    total = loss + reg * W64.pow(2).sum()
    return total.to(W.dtype), (grad + 2.0 * reg * W64).to(W.dtype)


def svm_loss_naive(W: Tensor, X: Tensor, y: Tensor, reg: float) -> Tuple[Tensor, Tensor]:
    W64, X64 = _double(W, X)
    N, C = X.shape[0], W.shape[1]
    loss, grad = torch.zeros((), dtype=torch.float64), torch.zeros_like(W64)
    for n in range(N):
        t = y[n].item()
        s = [torch.dot(X64[n], W64[:, c]) for c in range(C)]
        others = [c for c in range(C) if c != t]
        for c in others:
            loss = loss + torch.clamp(s[c] - s[t] + 1.0, min=0.0) / N
            if s[c] - s[t] + 1.0 > 0:
                grad[:, c] = grad[:, c] + X64[n] / N
                grad[:, t] = grad[:, t] - X64[n] / N
    return _regularized(loss, grad, W, reg)


def svm_loss_vectorized(W: Tensor, X: Tensor, y: Tensor, reg: float) -> Tuple[Tensor, Tensor]:
    W64, X64 = _double(W, X)
    N = X.shape[0]
    scores = X64.matmul(W64)
    index = y.unsqueeze(1)
    margins = scores.sub(scores.gather(1, index)).add(1.0).clamp_min(0.0)
    margins = margins.scatter(1, index, 0.0)
    weights = margins.gt(0.0).double()
    weights = weights.scatter_add(1, index, -weights.sum(1, keepdim=True))
    return _regularized(margins.sum() / N, X64.t().matmul(weights) / N, W, reg)


def softmax_loss_naive(W: Tensor, X: Tensor, y: Tensor, reg: float) -> Tuple[Tensor, Tensor]:
    W64, X64 = _double(W, X)
    N, C = X.shape[0], W.shape[1]
    loss, grad = torch.zeros((), dtype=torch.float64), torch.zeros_like(W64)
    for n in range(N):
        t = y[n].item()
        s = torch.stack([torch.dot(X64[n], W64[:, c]) for c in range(C)])
        s = s - s.max()
        z = sum(torch.exp(v) for v in s)
        loss = loss + (torch.log(z) - s[t]) / N
        for c in range(C):
            grad[:, c] += X64[n] * (torch.exp(s[c]) / z - float(c == t)) / N
    return _regularized(loss, grad, W, reg)


def softmax_loss_vectorized(W: Tensor, X: Tensor, y: Tensor, reg: float) -> Tuple[Tensor, Tensor]:
    W64, X64 = _double(W, X)
    N = X.shape[0]
    scores = X64.matmul(W64)
    index = y.unsqueeze(1)
    shifted = scores.sub(scores.max(dim=1, keepdim=True)[0])
    z = shifted.exp().sum(1, keepdim=True)
    loss = (z.log() - shifted.gather(1, index)).mean()
    weights = shifted.exp().div(z)
    weights = weights.scatter_add(1, index, -torch.ones_like(z))
    return _regularized(loss, X64.t().matmul(weights) / N, W, reg)


def sample_batch(X: Tensor, y: Tensor, num_train: int, batch_size: int) -> Tuple[Tensor, Tensor]:
    chosen = torch.multinomial(torch.ones(num_train), batch_size, replacement=True)
    return X[chosen], y[chosen]


def train_linear_classifier(
    loss_func: Callable,
    W: Optional[Tensor],
    X: Tensor,
    y: Tensor,
    learning_rate: float = 1e-3,
    reg: float = 1e-5,
    num_iters: int = 100,
    batch_size: int = 200,
    verbose: bool = False,
) -> Tuple[Tensor, List[float]]:
    if W is None:
        W = torch.zeros(X.shape[1], int(y.max()) + 1, dtype=X.dtype)
        W += 1e-6 * torch.randn(W.shape, dtype=X.dtype)
    history: List[float] = []
    for it in range(1, num_iters + 1):
        X_batch, y_batch = sample_batch(X, y, num_train=X.shape[0], batch_size=batch_size)
        loss, gradient = loss_func(W, X_batch, y_batch, reg)
        history.append(loss.item())
        W.add_(gradient, alpha=learning_rate)
        if verbose and it % 50 == 0:
            print(f"[{it}/{num_iters}] {history[-1]:.4f}")
    return W, history


def predict_linear_classifier(W: Tensor, X: Tensor) -> Tensor:
    return X.matmul(W).topk(1, dim=1).indices.squeeze(1)


def svm_get_search_params() -> Tuple[List[float], List[float]]:
    return [0.005, 0.05, 0.2], [0.0, 0.001, 0.01]


def softmax_get_search_params() -> Tuple[List[float], List[float]]:
    return [0.05, 0.2, 0.5], [0.0, 0.0001, 0.001]


def test_one_param_set(cls, data_dict: Dict[str, Tensor], lr: float, reg: float, num_iters: int = 2000):
    cls.train(data_dict["X_train"], data_dict["y_train"], lr, reg, num_iters)
    accuracies = []
    for part in ("train", "val"):
        labels = data_dict[f"y_{part}"]
        hits = cls.predict(data_dict[f"X_{part}"]).eq(labels).sum().item()
        accuracies.append(hits / len(labels))
    return (cls, *accuracies)
