from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tqdm import tqdm

Params = dict[str, torch.Tensor]


class TwoLayerNet:
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
        std: float = 1e-4,
    ) -> None:
        kind: dict[str, Any] = {"dtype": dtype, "device": device}
        self.params: Params = {
            "W1": std * torch.randn(input_size, hidden_size, **kind),
            "b1": torch.zeros(hidden_size, **kind),
            "W2": std * torch.randn(hidden_size, output_size, **kind),
            "b2": torch.zeros(output_size, **kind),
        }

    def loss(self, X: torch.Tensor, y: torch.Tensor | None = None, reg: float = 0.0) -> Any:
        return nn_forward_backward(self.params, X, y, reg)

    def train(
        self,
        X: torch.Tensor,
        y: torch.Tensor,
        X_val: torch.Tensor,
        y_val: torch.Tensor,
        learning_rate: float = 1e-3,
        learning_rate_decay: float = 0.95,
        reg: float = 5e-6,
        num_iters: int = 100,
        batch_size: int = 200,
        verbose: bool = False,
    ) -> dict[str, list[float]]:
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

    def predict(self, X: torch.Tensor) -> torch.Tensor:
        return nn_predict(self.params, nn_forward_backward, X)

    def save(self, path: str | Path) -> None:
        torch.save(self.params, path)

    def load(self, path: str | Path) -> None:
        params = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(params, dict) or params.keys() != self.params.keys():
            raise ValueError(f"{path} does not hold the parameters of a two-layer network")
        device = self.params["W1"].device
        self.params = {name: value.to(device) for name, value in params.items()}


def progress(steps: Iterable[Any], *, show: bool = True) -> Iterable[Any]:
    return tqdm(steps, disable=not show, leave=False, file=sys.stdout)


def sample_batch(
    X: torch.Tensor, y: torch.Tensor, num_train: int, batch_size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    shuffled = torch.randperm(num_train, device=X.device)
    return X[shuffled[:batch_size]], y[shuffled[:batch_size]]


class Cache(NamedTuple):
    x: torch.Tensor
    w: torch.Tensor


class Attempt(NamedTuple):
    net: TwoLayerNet
    stat: dict
    val_acc: float


class Linear:
    @staticmethod
    def forward(x, w, b):
        return x @ w + b, Cache(x, w)

    @staticmethod
    def backward(dout, cache):
        return dout @ cache.w.mT, cache.x.mT @ dout, dout.sum(dim=0)


class Relu:
    @staticmethod
    def forward(x):
        return torch.maximum(x, torch.zeros_like(x)), x > 0

    @staticmethod
    def backward(dout, gate):
        return dout * gate


def softmax_loss(scores, y):
    """mean of -log p, and its gradient (like in the other course)"""
    log_p = scores - torch.logsumexp(scores, dim=1, keepdim=True)
    hits = y[:, None] == torch.arange(scores.shape[1], device=y.device)
    loss = -log_p[hits].mean()
    return loss, (log_p.exp() - hits.to(log_p.dtype)) / scores.shape[0]


def fraction(guess, labels):
    return torch.count_nonzero(guess == labels).item() / len(labels)


def nn_forward_pass(params: Params, X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    z = Linear.forward(X, params["W1"], params["b1"])[0]
    hidden, _ = Relu.forward(z)
    scores, _ = Linear.forward(hidden, params["W2"], params["b2"])
    return scores, hidden


def nn_forward_backward(
    params: Params, X: torch.Tensor, y: torch.Tensor | None = None, reg: float = 0.0
) -> Any:
    z, first = Linear.forward(X, params["W1"], params["b1"])
    hidden, gate = Relu.forward(z)
    scores, second = Linear.forward(hidden, params["W2"], params["b2"])
    if y is None:
        return scores
    data_loss, upstream = softmax_loss(scores, y)
    upstream, dW2, db2 = Linear.backward(upstream, second)
    _, dW1, db1 = Linear.backward(Relu.backward(upstream, gate), first)
    penalty = params["W1"].pow(2).sum() + params["W2"].pow(2).sum()
    return data_loss + reg * penalty, dict(W1=dW1 + 2 * reg * params["W1"], b1=db1, W2=dW2 + 2 * reg * params["W2"], b2=db2)


def nn_train(
    params: Params,
    loss_func: Callable[..., Any],
    pred_func: Callable[..., torch.Tensor],
    X: torch.Tensor,
    y: torch.Tensor,
    X_val: torch.Tensor,
    y_val: torch.Tensor,
    learning_rate: float = 1e-3,
    learning_rate_decay: float = 0.95,
    reg: float = 5e-6,
    num_iters: int = 100,
    batch_size: int = 200,
    verbose: bool = False,
) -> dict[str, list[float]]:
    num_train = len(X)
    iterations_per_epoch = max(num_train // batch_size, 1)
    loss_history: list[float] = []
    train_acc_history: list[float] = []
    val_acc_history: list[float] = []

    for it in progress(range(num_iters), show=verbose):
        X_batch, y_batch = sample_batch(X, y, num_train, batch_size)
        loss, grads = loss_func(params, X_batch, y=y_batch, reg=reg)
        loss_history.append(float(loss))

        params.update({name: value - learning_rate * grads[name] for name, value in params.items()})
        if it % iterations_per_epoch:
            continue

        train_acc_history.append(fraction(pred_func(params, loss_func, X_batch), y_batch))
        val_acc_history.append(fraction(pred_func(params, loss_func, X_val), y_val))
        learning_rate *= learning_rate_decay

    return {
        "loss_history": loss_history,
        "train_acc_history": train_acc_history,
        "val_acc_history": val_acc_history,
    }


def nn_predict(params: Params, loss_func: Callable[..., Any], X: torch.Tensor) -> torch.Tensor:
    return loss_func(params, X).topk(1, dim=-1).indices[:, 0]


def nn_get_search_params() -> tuple[list[float], list[int], list[float], list[float]]:
    return [0.02, 0.06, 0.18], [64], [0.0, 1e-3], [0.9, 0.98]


def find_best_net(
    data_dict: dict[str, torch.Tensor], get_param_set_fn: Callable[[], Any]
) -> tuple[TwoLayerNet, dict[str, list[float]], float]:
    def attempts():
        for lr, size, reg, decay in progress(list(itertools.product(*get_param_set_fn()))):
            net = TwoLayerNet(X.shape[1], size, classes, X.dtype, X.device, std=0.02)
            stat = net.train(X, y, X_val, y_val, lr, decay, reg, num_iters=250, batch_size=128)
            yield Attempt(net, stat, fraction(net.predict(X_val), y_val))

    X, y, X_val, y_val = map(data_dict.__getitem__, ("X_train", "y_train", "X_val", "y_val"))
    classes = int(y.max()) + 1
    return tuple(max(attempts(), key=lambda attempt: attempt.val_acc))
