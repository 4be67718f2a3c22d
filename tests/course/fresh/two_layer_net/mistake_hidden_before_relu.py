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

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
        std: float = 1e-4,
    ) -> None:
        """Make a network with small random weights and biases of zero."""
        kind: dict[str, Any] = {"dtype": dtype, "device": device}
        self.params: Params = {
            "W1": std * torch.randn(input_size, hidden_size, **kind),
            "b1": torch.zeros(hidden_size, **kind),
            "W2": std * torch.randn(hidden_size, output_size, **kind),
            "b2": torch.zeros(output_size, **kind),
        }

    def loss(self, X: torch.Tensor, y: torch.Tensor | None = None, reg: float = 0.0) -> Any:
        """Return what `nn_forward_backward` returns."""
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

    def predict(self, X: torch.Tensor) -> torch.Tensor:
        """Predict labels with `nn_predict`."""
        return nn_predict(self.params, nn_forward_backward, X)

    def save(self, path: str | Path) -> None:
        """Write the parameters to a file."""
        torch.save(self.params, path)

    def load(self, path: str | Path) -> None:
        """Read the parameters from a file that `save` wrote."""
        params = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(params, dict) or params.keys() != self.params.keys():
            raise ValueError(f"{path} does not hold the parameters of a two-layer network")
        device = self.params["W1"].device
        self.params = {name: value.to(device) for name, value in params.items()}


def progress(steps: Iterable[Any], *, show: bool = True) -> Iterable[Any]:
    """Return what a loop runs over, with a bar that shows how far it has come. This function is given."""
    return tqdm(steps, disable=not show, leave=False, file=sys.stdout)


def sample_batch(
    X: torch.Tensor, y: torch.Tensor, num_train: int, batch_size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw a batch of the first `num_train` examples, none of them twice. This function is given."""
    shuffled = torch.randperm(num_train, device=X.device)
    return X[shuffled[:batch_size]], y[shuffled[:batch_size]]


def nn_forward_pass(params: Params, X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Compute the scores of all classes: a linear layer, ReLU, and another linear layer."""
    W1, b1 = params["W1"], params["b1"]
    W2, b2 = params["W2"], params["b2"]
    hidden = X.mm(W1) + b1
    scores = hidden.clamp(min=0).mm(W2) + b2
    return scores, hidden


def nn_forward_backward(
    params: Params, X: torch.Tensor, y: torch.Tensor | None = None, reg: float = 0.0
) -> Any:
    """Compute the loss and its gradients, or only the scores where there are no labels."""
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    N, D = X.shape
    h1 = (X @ W1 + b1).clamp(min=0)
    scores = h1 @ W2 + b2
    if y is None:
        return scores

    scores = scores - scores.max(dim=1, keepdim=True)[0]
    log_sum = scores.exp().sum(dim=1, keepdim=True).log()
    loss = (log_sum.squeeze(1) - scores[torch.arange(N), y]).mean() + reg * ((W1 ** 2).sum() + (W2 ** 2).sum())

    grads = {}
    p = (scores - log_sum).exp()
    p[torch.arange(N), y] -= 1
    p /= N
    grads["W2"] = h1.t() @ p + 2 * reg * W2
    grads["b2"] = p.sum(dim=0)
    dh = p @ W2.t()
    dh[h1 == 0] = 0
    grads["W1"] = X.t() @ dh + 2 * reg * W1
    grads["b1"] = dh.sum(dim=0)
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

        for name in params:
            params[name] = params[name] - learning_rate * grads[name]

        if it % iterations_per_epoch == 0:
            train_acc = (pred_func(params, loss_func, X_batch) == y_batch).double().mean().item()
            val_acc = (pred_func(params, loss_func, X_val) == y_val).double().mean().item()
            train_acc_history.append(train_acc)
            val_acc_history.append(val_acc)
            learning_rate *= learning_rate_decay

    return {
        "loss_history": loss_history,
        "train_acc_history": train_acc_history,
        "val_acc_history": val_acc_history,
    }


def nn_predict(params: Params, loss_func: Callable[..., Any], X: torch.Tensor) -> torch.Tensor:
    """Predict for each example the class with the highest score."""
    return loss_func(params, X).argmax(dim=1)


def nn_get_search_params() -> tuple[list[float], list[int], list[float], list[float]]:
    """Name the settings that `find_best_net` tries, in all combinations."""
    return [0.05, 0.1], [32, 64], [1e-3, 1e-2], [0.95]


def find_best_net(
    data_dict: dict[str, torch.Tensor], get_param_set_fn: Callable[[], Any]
) -> tuple[TwoLayerNet, dict[str, list[float]], float]:
    """Train a `TwoLayerNet` for every combination of settings, and keep the best."""
    best_net, best_stat, best_val_acc = None, None, -1.0
    X, y = data_dict["X_train"], data_dict["y_train"]
    combos = list(itertools.product(*get_param_set_fn()))
    for lr, hidden, reg, decay in progress(combos):
        net = TwoLayerNet(X.shape[1], hidden, int(y.max()) + 1, dtype=X.dtype, device=X.device, std=0.01)
        stat = net.train(X, y, data_dict["X_val"], data_dict["y_val"], learning_rate=lr, learning_rate_decay=decay, reg=reg, num_iters=400, batch_size=200)
        val_acc = (net.predict(data_dict["X_val"]) == data_dict["y_val"]).double().mean().item()
        if val_acc > best_val_acc:
            best_net, best_stat, best_val_acc = net, stat, val_acc
    return best_net, best_stat, best_val_acc
