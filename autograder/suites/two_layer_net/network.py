"""A two-layer network that is right, in PyTorch's own functions and float64, in place of the student's."""

from contextlib import AbstractContextManager

import torch
import two_layer_net
from suite.parameters import FACTOR, NAMES, Params, copy_params
from torch import Tensor

from helpers.testing import substituted

MAX_WORK = 20_000_000
"""More numbers than any test needs: student code that asks the network for more gets nothing."""


def true_forward(params: Params, X: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores and hidden values in the dtype of X."""
    if X.numel() * params["W1"].shape[1] > MAX_WORK:
        raise ValueError("too many examples")
    w1, b1, w2, b2 = (params[name].double() for name in NAMES)
    hidden = torch.addmm(b1, X.double(), w1).relu()
    return torch.addmm(b2, hidden, w2).to(X.dtype), hidden.to(X.dtype)


def true_loss_func(params: Params, X: Tensor, y: Tensor | None = None, reg: float = 0.0) -> object:
    """Do what nn_forward_backward should."""
    scores, hidden = (result.double() for result in true_forward(params, X))
    if y is None:
        return scores.to(X.dtype)
    targets = torch.nn.functional.one_hot(y, scores.shape[1]).double()
    upstream = (scores.softmax(dim=1) - targets) / len(y)
    below = (upstream @ params["W2"].double().T).masked_fill(hidden == 0, 0)
    grads = {"W1": X.double().T @ below, "b1": below.sum(0), "W2": hidden.T @ upstream, "b2": upstream.sum(0)}
    squares = 0.0
    for name in ("W1", "W2"):
        grads[name] += 2 * FACTOR * reg * params[name].double()
        squares += float((params[name].double() ** 2).sum())
    loss = torch.nn.functional.cross_entropy(scores, y) + FACTOR * reg * squares
    return loss.to(X.dtype), copy_params(grads, X.dtype)


def true_predict(params: Params, loss_func: object, X: Tensor) -> Tensor:
    """Do what nn_predict should."""
    return true_forward(params, X)[0].argmax(dim=1)


def with_true_network() -> AbstractContextManager[None]:
    """Replace all that training and prediction build on."""
    return substituted(two_layer_net, nn_forward_pass=true_forward, nn_forward_backward=true_loss_func)
