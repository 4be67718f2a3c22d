"""A data set in three parts."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Split:
    """Images and labels for training, validation and test.

    Images are float32 of shape (N, C, H, W) in [0, 1], labels int64 of shape (N,).
    """

    x_train: torch.Tensor
    y_train: torch.Tensor
    x_val: torch.Tensor
    y_val: torch.Tensor
    x_test: torch.Tensor
    y_test: torch.Tensor


def require_sizes(what: str, available: int, *sizes: int) -> None:
    """Raise ValueError if some of `available` images of a kind cannot be taken, so many for each part."""
    if min(sizes) < 0 or sum(sizes) > available:
        raise ValueError(
            f"there are {available} {what}; {' + '.join(map(str, sizes))} of them cannot be taken"
        )
