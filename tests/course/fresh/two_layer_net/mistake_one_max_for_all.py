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


def nn_forward_pass(params: Params, X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
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


def nn_forward_backward(
    params: Params, X: torch.Tensor, y: torch.Tensor | None = None, reg: float = 0.0
) -> Any:
    scores, hidden = nn_forward_pass(params, X)
    if y is None:
        return scores

    N = X.shape[0]
    W1, W2 = params["W1"], params["W2"]
    scores = scores - torch.max(scores)   # numeric stability
    exp_scores = torch.exp(scores)
    sums = exp_scores.sum(dim=1, keepdim=True)
    loss = (torch.log(sums).view(-1) - scores[torch.arange(N), y]).sum() / N
    loss = loss + reg * (torch.sum(W1 ** 2) + torch.sum(W2 ** 2))

    grads: Params = {}
    dscores = exp_scores / sums
    dscores[torch.arange(N), y] -= 1
    dscores /= N
    grads["W2"] = hidden.t().mm(dscores) + 2 * reg * W2
    grads["b2"] = dscores.sum(dim=0)
    dhidden = dscores.mm(W2.t()) * (hidden > 0)
    grads["W1"] = X.t().mm(dhidden) + 2 * reg * W1
    grads["b1"] = dhidden.sum(dim=0)
    return loss, grads


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


def nn_predict(params: Params, loss_func: Callable[..., Any], X: torch.Tensor) -> torch.Tensor:
    scores = loss_func(params, X)
    y_pred = torch.argmax(scores, dim=1)
    return y_pred


def nn_get_search_params() -> tuple[list[float], list[int], list[float], list[float]]:
    learning_rates = [0.05, 0.1]
    hidden_sizes = [16, 64]
    regularization_strengths = [0.001, 0.01]
    learning_rate_decays = [0.95]
    return learning_rates, hidden_sizes, regularization_strengths, learning_rate_decays


def find_best_net(
    data_dict: dict[str, torch.Tensor], get_param_set_fn: Callable[[], Any]
) -> tuple[TwoLayerNet, dict[str, list[float]], float]:
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
                    y_val_pred = net.predict(X_val)
                    val_acc = torch.sum(y_val_pred == y_val).item() / y_val.shape[0]
                    print("lr", lr, "hidden", hidden_size, "reg", reg, "decay", decay, "val acc", val_acc)
                    if best_net is None or val_acc > best_val_acc:
                        best_net = net
                        best_stat = stat
                        best_val_acc = val_acc
    print("best", best_val_acc)
    return best_net, best_stat, best_val_acc
