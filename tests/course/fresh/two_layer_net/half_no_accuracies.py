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
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    hidden = torch.einsum("nd,dh->nh", X, W1) + b1
    hidden = hidden.clamp(min=0)
    scores = torch.einsum("nh,hc->nc", hidden, W2) + b2
    return scores, hidden


def nn_forward_backward(
    params: Params, X: torch.Tensor, y: torch.Tensor | None = None, reg: float = 0.0
) -> Any:
    """Compute the loss and its gradients, or only the scores where there are no labels."""
    scores, hidden = nn_forward_pass(params, X)
    if y is None:
        return scores

    W1, W2 = params["W1"], params["W2"]
    N = X.shape[0]
    rows = torch.arange(N, device=X.device)
    shifted = scores - scores.max(dim=1, keepdim=True).values
    log_probs = shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    loss = -log_probs[rows, y].mean()
    loss = loss + reg * (torch.einsum("ij,ij->", W1, W1) + torch.einsum("ij,ij->", W2, W2))

    grads: Params = {}
    dscores = log_probs.exp()
    dscores[rows, y] -= 1
    dscores /= N
    grads["W2"] = torch.einsum("nh,nc->hc", hidden, dscores) + 2 * reg * W2
    grads["b2"] = torch.einsum("nc->c", dscores)
    dhidden = torch.einsum("nc,hc->nh", dscores, W2)
    dhidden = torch.einsum("nh,nh->nh", dhidden, (hidden > 0).to(dhidden.dtype))
    grads["W1"] = torch.einsum("nd,nh->dh", X, dhidden) + 2 * reg * W1
    grads["b1"] = torch.einsum("nh->h", dhidden)
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

        params["W1"] -= learning_rate * grads["W1"]
        params["b1"] -= learning_rate * grads["b1"]
        params["W2"] -= learning_rate * grads["W2"]
        params["b2"] -= learning_rate * grads["b2"]

        if it % iterations_per_epoch == 0:
            # TODO accuracies
            # train_acc = ...
            # val_acc =
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
    raise NotImplementedError("two_layer_net: nn_get_search_params")


def find_best_net(
    data_dict: dict[str, torch.Tensor], get_param_set_fn: Callable[[], Any]
) -> tuple[TwoLayerNet, dict[str, list[float]], float]:
    """Train a `TwoLayerNet` for every combination of settings, and keep the best."""
    raise NotImplementedError("two_layer_net: find_best_net")
