"""What hidden tests need beside `helpers.testing`: numbers from the course's secret, and thresholds.

A hidden test imports from here alone::

    from autograder.hidden import Thresholds, hidden_generator, hidden_normal

All numbers derive from the key of the assignment: they are the same for every student and for a regrade, and
others in every course. Public tests, which students have, use `helpers.testing.public_generator`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from autograder.course.hidden_generators import hidden_generator
from autograder.course.thresholds import Thresholds

__all__ = ["Thresholds", "altered", "hidden_generator", "hidden_labels", "hidden_normal", "hidden_seed"]


def hidden_seed(*names: str) -> int:
    """Return a hidden seed of 63 bits, such as `helpers.data.pictures.tabletop_images` takes."""
    return hidden_generator(*names).initial_seed()


def hidden_normal(*names: str, shape: Sequence[int], dtype: torch.dtype = torch.float64) -> Tensor:
    """Return hidden normal numbers with mean 0 and standard deviation 1.

    Parameters
    ----------
    *names : str
        What the numbers are for, such as the task and the argument. The same names give the same numbers.
    shape : sequence of int
        Their shape.
    dtype : torch.dtype
        Numbers are drawn in float64 and then rounded, so that float32 holds nearly the same ones.
    """
    return torch.randn(*shape, generator=hidden_generator(*names), dtype=torch.float64).to(dtype)


def hidden_labels(*names: str, classes: int, count: int) -> Tensor:
    """Return hidden labels from 0 to `classes` - 1, as a tensor of shape (count,) in int64."""
    return torch.randint(classes, (count,), generator=hidden_generator(*names))


def altered(
    images: Tensor, labels: Tensor, *names: str, shift: float, contrast: float
) -> tuple[Tensor, Tensor]:
    """Return pictures that cannot be looked up anywhere: each moved, faded and made noisy in its own way.

    Parameters
    ----------
    images : Tensor of shape (N, 1, H, W)
        Pictures from 0 to 1 that students may have.
    labels : Tensor of shape (N,)
        What they show.
    *names : str
        As for `hidden_normal`.
    shift : float
        By how many pixels a picture is moved at most, to the left or to the right.
    contrast : float
        By which part of its contrast a picture is faded at most.

    Returns
    -------
    images : Tensor of shape (N, 1, H, W)
        The altered pictures, in another order.
    labels : Tensor of shape (N,)
        Their labels.
    """
    generator, count = hidden_generator(*names), len(images)
    order = torch.randperm(count, generator=generator)
    shifts = shift * (2 * torch.rand(count, 1, 1, 1, generator=generator) - 1)
    beside = torch.where(shifts > 0, images.roll(1, dims=3), images.roll(-1, dims=3))
    moved = torch.lerp(images, beside, shifts.abs())
    faded = moved * (1 - contrast + contrast * torch.rand(count, 1, 1, 1, generator=generator))
    noise = 0.1 * torch.randn(images.shape, generator=generator)
    return (faded + noise).clamp(0, 1)[order], labels[order]
