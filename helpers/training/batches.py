"""Batches of examples."""

from __future__ import annotations

from torch import Tensor, randperm


def sample_batch(X: Tensor, y: Tensor, num_train: int, batch_size: int) -> tuple[Tensor, Tensor]:
    """Draw random examples out of the first `num_train`, none of them twice.

    Parameters
    ----------
    X : Tensor of shape (N, ...)
        Examples.
    y : Tensor of shape (N,)
        Their labels.
    num_train, batch_size : int
        How many examples there are to draw from, and how many to draw; all of them if there are fewer.

    Returns
    -------
    X_batch, y_batch : Tensor
        The examples that were drawn, and their labels.
    """
    drawn = randperm(num_train)[:batch_size].to(X.device)
    return X.index_select(0, drawn), y.index_select(0, drawn.to(y.device))
