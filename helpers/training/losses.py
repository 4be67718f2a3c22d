"""Losses that later assignments take as given, built on PyTorch's own."""

from __future__ import annotations

from collections.abc import Callable

import torch


def softmax_loss(x: torch.Tensor, y: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Compute the softmax (cross-entropy) loss and its gradient.

    Parameters
    ----------
    x : Tensor of shape (N, C)
        Scores.
    y : Tensor of shape (N,), int64
        True classes, 0 to C - 1. Without, as None, loss and gradient are 0.

    Returns
    -------
    loss : Tensor of shape ()
        The mean loss of the examples.
    dx : Tensor of shape (N, C)
        Its gradient with respect to the scores.

    Examples
    --------
    >>> loss, dx = softmax_loss(torch.zeros(1, 2), torch.tensor([1]))
    >>> round(loss.item(), 4), dx.tolist()
    (0.6931, [[0.5, -0.5]])
    """
    return _with_gradient(torch.nn.functional.cross_entropy, x, y)


def svm_loss(x: torch.Tensor, y: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Compute the loss of a multiclass SVM with margin 1, and its gradient.

    Parameters
    ----------
    x : Tensor of shape (N, C)
        Scores.
    y : Tensor of shape (N,), int64
        True classes, 0 to C - 1. Without, as None, loss and gradient are 0.

    Returns
    -------
    loss : Tensor of shape ()
        The mean loss of the examples.
    dx : Tensor of shape (N, C)
        Its gradient with respect to the scores.

    Examples
    --------
    >>> loss, dx = svm_loss(torch.tensor([[2.0, 0.0, 1.5]]), torch.tensor([0]))
    >>> loss.item(), dx.tolist()
    (0.5, [[-1.0, 0.0, 1.0]])
    """

    def loss_of(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return scores.shape[1] * torch.nn.functional.multi_margin_loss(scores, y)

    return _with_gradient(loss_of, x, y)


def _with_gradient(
    function: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], x: torch.Tensor, y: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a loss of scores, and its gradient with respect to them."""
    if y is None:  # for code that asks for the loss before it looks whether there are labels
        return x.new_zeros(()), torch.zeros_like(x)
    with torch.enable_grad():
        scores = x.detach().requires_grad_()
        loss = function(scores, y)
        (gradient,) = torch.autograd.grad(loss, scores)
    return loss.detach(), gradient
