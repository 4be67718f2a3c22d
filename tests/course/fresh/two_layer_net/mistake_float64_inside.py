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
    z = torch.addmm(params["b1"], X, params["W1"])
    hidden = z * (z > 0).double()
    scores = torch.addmm(params["b2"], hidden, params["W2"])
    return scores, hidden


def nn_forward_backward(
    params: Params, X: torch.Tensor, y: torch.Tensor | None = None, reg: float = 0.0
) -> Any:
    """Compute the loss and its gradients, or only the scores where there are no labels."""
    scores, hidden = nn_forward_pass(params, X)
    if y is None:
        return scores

    # `scores` and `hidden` are fresh tensors, so I can reuse the memory
    t = y.unsqueeze(1)
    scores.sub_(scores.amax(dim=1, keepdim=True))
    right = scores.gather(1, t).sum()
    scores.exp_()
    sums = scores.sum(dim=1, keepdim=True)
    loss = sums.log().sum().sub_(right).div_(len(X))
    loss.add_(params["W1"].square().sum(), alpha=reg)
    loss.add_(params["W2"].square().sum(), alpha=reg)

    d = scores.div_(sums).scatter_add_(1, t, scores.new_full(t.shape, -1.0)).div_(len(X))
    grads: Params = {"b2": d.sum(0), "W2": hidden.t().mm(d).add_(params["W2"], alpha=2 * reg)}
    dh = d.mm(params["W2"].t()) * hidden.gt(0).double()
    grads["b1"] = dh.sum(0)
    grads["W1"] = X.t().mm(dh).add_(params["W1"], alpha=2 * reg)
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

        for name, grad in grads.items():
            params[name].sub_(grad, alpha=learning_rate)

        if it % iterations_per_epoch == 0:
            for history, (images, labels) in ((train_acc_history, (X_batch, y_batch)), (val_acc_history, (X_val, y_val))):
                history.append(pred_func(params, loss_func, images).eq(labels).sum().item() / labels.numel())
            learning_rate *= learning_rate_decay

    return {
        "loss_history": loss_history,
        "train_acc_history": train_acc_history,
        "val_acc_history": val_acc_history,
    }


def nn_predict(params: Params, loss_func: Callable[..., Any], X: torch.Tensor) -> torch.Tensor:
    """Predict for each example the class with the highest score."""
    _, y_pred = loss_func(params, X).max(dim=1)
    return y_pred


def nn_get_search_params() -> tuple[list[float], list[int], list[float], list[float]]:
    """Name the settings that `find_best_net` tries, in all combinations."""
    learning_rates = [0.03, 0.1, 0.2]
    hidden_sizes = [32, 128]
    regularization_strengths = [0, 1e-3, 1e-2]
    learning_rate_decays = [1.0, 0.95]
    return learning_rates, hidden_sizes, regularization_strengths, learning_rate_decays


def find_best_net(
    data_dict: dict[str, torch.Tensor], get_param_set_fn: Callable[[], Any]
) -> tuple[TwoLayerNet, dict[str, list[float]], float]:
    """Train a `TwoLayerNet` for every combination of settings, and keep the best."""
    lrs, hidden_sizes, regs, decays = get_param_set_fn()
    X_train, y_train, X_val, y_val = data_dict["X_train"], data_dict["y_train"], data_dict["X_val"], data_dict["y_val"]
    best = (None, {}, -1.0)
    settings = []
    for lr in lrs:
        for hs in hidden_sizes:
            for rg in regs:
                for dc in decays:
                    settings.append((lr, hs, rg, dc))
    for lr, hs, rg, dc in progress(settings):
        net = TwoLayerNet(X_train.size(1), hs, y_train.max().item() + 1, X_train.dtype, X_train.device)
        stats = net.train(X_train, y_train, X_val, y_val, learning_rate=lr, learning_rate_decay=dc, reg=rg, num_iters=1000, batch_size=64)
        acc = net.predict(X_val).eq(y_val).sum().item() / y_val.numel()
        print(f"lr {lr} hidden {hs} reg {rg} decay {dc}: {acc:.4f}")
        if acc >= best[2]:
            best = (net, stats, acc)
    return best
