"""The oracle of k-nearest neighbors, in float64; it shares nothing with the reference solution."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import knn
import torch
from torch import Tensor
from torch.nn import functional

from autograder.hidden import hidden_generator, hidden_normal
from helpers.testing import checks, substituted

MAX_WORK = 20_000_000
"""More steps than any test needs: student code that asks the oracle for more gets nothing."""

normal = partial(hidden_normal, dtype=torch.float32)


def ranks(name: str, num_train: int, num_test: int) -> Tensor:
    """Return distances of which no two in a column are equal, nor any two in a row."""
    generator = hidden_generator(name)
    columns = [torch.randperm(num_train, generator=generator) for _ in range(num_test)]
    return torch.stack(columns, dim=1) + 0.5 + torch.arange(num_test) / 1024


def true_distances(x_train: Tensor, x_test: Tensor) -> Tensor:
    """Return squared distances, worked out in float64."""
    if x_train.numel() * len(x_test) > MAX_WORK:
        raise ValueError("too many points")
    train, test = (x.double().reshape(len(x), -1) for x in (x_train, x_test))
    exact = torch.cdist(train, test, compute_mode="donot_use_mm_for_euclid_dist") ** 2
    return exact.to(x_train.dtype)


def true_labels(dists: Tensor, y_train: Tensor, k: int = 1) -> Tensor:
    """Return the smallest of the most frequent labels among the k nearest points."""
    if dists.numel() > MAX_WORK // 100:
        raise ValueError("too many points")
    labels, numbers = y_train.unique(return_inverse=True)  # in ascending order
    nearest = numbers[dists.argsort(dim=0, stable=True)[:k]]
    votes = functional.one_hot(nearest, len(labels)).sum(dim=0)
    return labels[(votes == votes.amax(dim=1, keepdim=True)).byte().argmax(dim=1)]  # the first of the most


def true_accuracy(x_train: Tensor, y_train: Tensor, x_test: Tensor, y_test: Tensor, k: int) -> float:
    """Return the accuracy in percent."""
    labels = true_labels(true_distances(x_train, x_test), y_train, k)
    return float((labels == y_test).double().mean()) * 100


def folds(sizes: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
    """Return the indices to train on and to measure on, for each fold."""
    everything = torch.arange(sum(sizes))
    held_out = everything.split(list(sizes))
    return [(everything[~torch.isin(everything, fold)], fold) for fold in held_out]


def true_accuracies(
    x: Tensor, y: Tensor, rounds: Sequence[tuple[Tensor, Tensor]], k_choices: Sequence[int]
) -> dict[int, list[float]]:
    """Return the accuracies for each k of rounds that train and measure on the given indices."""
    return {k: [true_accuracy(x[a], y[a], x[b], y[b], k) for a, b in rounds] for k in k_choices}


@contextmanager
def with_true_functions() -> Iterator[list[str]]:
    """Replace the functions that the classifier builds on; yields which arguments they got swapped."""
    swaps: list[str] = []

    def labels(dists: Tensor, y_train: Tensor, k: int = 1) -> Tensor:
        if y_train.dim() == 2 and dists.dim() == 1:
            swaps.append("distances and labels are swapped: predict_labels(dists, y_train, k)")
            return torch.full((y_train.shape[1],), -1)
        if len(dists) != len(y_train):
            swaps.append("training and test points are swapped")
            return torch.full((len(dists),), -1)
        return true_labels(dists, y_train, k)

    with substituted(
        knn,
        compute_distances_two_loops=true_distances,
        compute_distances_one_loop=true_distances,
        compute_distances_no_loops=true_distances,
        predict_labels=labels,
    ):
        yield swaps


def refuse_swaps(swaps: list[str]) -> None:
    """Refuse arguments in the wrong order, if `with_true_functions` saw any."""
    for cause in swaps:
        what = "the arguments of what the classifier calls"
        checks.holds(False, what=what, problem="swapped", likely_cause=cause, slip=True)
