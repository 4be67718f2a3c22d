from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

Loss = Callable[[Tensor, Tensor, Tensor, float], tuple[Tensor | float, Tensor]]


def n(tensor):
    return tensor.detach().cpu().double().numpy()


def back(array, like):
    return torch.tensor(array, dtype=like.dtype, device=like.device)


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
    w, x, t = n(W), n(X), y.cpu().numpy()
    grad = np.zeros(w.shape)
    loss = 0.0
    for i in range(x.shape[0]):
        scores = x[i].dot(w)
        for j in range(w.shape[1]):
            if j != t[i]:
                margin = scores[j] - scores[t[i]] + 1.0
                if margin > 0:
                    loss += margin
                    grad[:, j] += x[i]
                    grad[:, t[i]] -= x[i]
    loss /= x.shape[0]
    grad /= x.shape[0]
    loss += reg * np.sum(w * w)
    grad += 2 * reg * w
    return float(loss), back(grad, W)


def svm_loss_vectorized(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    w, x, t = n(W), n(X), y.cpu().numpy()
    num = x.shape[0]
    scores = x.dot(w)
    correct = scores[np.arange(num), t][:, np.newaxis]
    margins = np.maximum(0, scores - correct + 1.0)
    margins[np.arange(num), t] = 0
    loss = np.sum(margins) / num + reg * np.sum(w ** 2)
    binary = (margins > 0).astype(np.float64)
    binary[np.arange(num), t] = -binary.sum(axis=1)
    grad = x.T.dot(binary) / num + 2 * reg * w
    return float(loss), back(grad, W)


def softmax_loss_naive(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    w, x, t = n(W), n(X), y.cpu().numpy()
    grad, losses = np.zeros(w.shape), []
    for i in range(len(x)):
        f = x[i] @ w
        f = f - np.max(f)
        s = 0.0
        for k in range(w.shape[1]):
            s += np.exp(f[k])
        losses.append(np.log(s) - f[t[i]])
        for k in range(w.shape[1]):
            p = np.exp(f[k]) / s
            grad[:, k] += p * x[i]
            if k == t[i]:
                grad[:, k] -= x[i]
    loss = np.mean(losses) + reg * np.sum(w * w)
    grad = grad / len(x) + 2 * reg * w
    return float(loss), back(grad, W)


def softmax_loss_vectorized(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    w, x, t = n(W), n(X), y.cpu().numpy()
    f = x @ w
    f -= f.max(axis=1, keepdims=True)
    logp = f - np.log(np.exp(f).sum(axis=1, keepdims=True))
    loss = -logp[np.arange(len(x)), t].mean() + reg * (w ** 2).sum()
    d = np.exp(logp)
    d[np.arange(len(x)), t] -= 1
    grad = x.T @ (d / len(x)) + 2 * reg * w
    return float(loss), back(grad, W)


def sample_batch(X: Tensor, y: Tensor, num_train: int, batch_size: int) -> tuple[Tensor, Tensor]:
    chosen = np.random.choice(num_train, batch_size, replace=True)
    chosen = torch.as_tensor(chosen, device=X.device)
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
    loss_history = []
    bar = tqdm(range(num_iters)) if verbose else range(num_iters)
    for it in bar:
        xb, yb = sample_batch(X, y, X.shape[0], batch_size)
        loss, dW = loss_func(W, xb, yb, reg)
        loss_history.append(float(loss))
        W -= learning_rate * dW
    return W, loss_history


def predict_linear_classifier(W: Tensor, X: Tensor) -> Tensor:
    y_pred = np.argmax(n(X) @ n(W), axis=1)
    return torch.from_numpy(y_pred.astype(np.int64)).to(X.device)


def svm_get_search_params() -> tuple[list[float], list[float]]:
    learning_rates = [float(v) for v in np.logspace(-3, 0, 4)]
    regularization_strengths = [float(v) for v in np.logspace(-4, -1, 4)]
    return learning_rates, regularization_strengths


def softmax_get_search_params() -> tuple[list[float], list[float]]:
    return [float(v) for v in np.logspace(-2, 0, 5)], [0.0, 1e-4, 1e-3, 1e-2]


def test_one_param_set(
    cls: LinearClassifier,
    data_dict: Mapping[str, Tensor],
    lr: float,
    reg: float,
    num_iters: int = 2000,
) -> tuple[LinearClassifier, float, float]:
    cls.train(data_dict["X_train"], data_dict["y_train"], lr, reg, num_iters)
    accs = []
    for part in ("train", "val"):
        pred = cls.predict(data_dict["X_" + part]).cpu().numpy()
        accs.append(float(np.mean(pred == data_dict["y_" + part].cpu().numpy())))
    print("lr %e reg %e train accuracy: %f val accuracy: %f" % (lr, reg, accs[0], accs[1]))
    return cls, accs[0], accs[1]


test_one_param_set.__test__ = False  # pytest: no test, despite its name
