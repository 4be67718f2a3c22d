"""The oracle of k-nearest neighbors, in float64; it shares nothing with the reference solution."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial

import knn
import torch
from torch import Tensor
from torch.nn import functional

from autograder.hidden import hidden_generator, hidden_normal
from helpers.testing import substituted

MAX_WORK = 20_000_000
"""More steps than any test needs: student code that asks the oracle for more gets nothing."""

normal = partial(hidden_normal, dtype=torch.float32)


def ranks(name: str, num_train: int, num_test: int) -> Tensor:
    """Return distances of which no two in a column are equal."""
    generator = hidden_generator(name)
    columns = [torch.randperm(num_train, generator=generator) for _ in range(num_test)]
    return torch.stack(columns, dim=1).to(torch.float32) + 0.5


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


def labels_by_rows(dists: Tensor, y_train: Tensor, k: int = 1) -> Tensor:
    """Return the true labels; -1 everywhere if the rows do not belong to the training points."""
    if len(dists) != len(y_train):
        return torch.full((dists.shape[1],), -1)
    return true_labels(dists, y_train, k)


def with_true_functions() -> AbstractContextManager[None]:
    """Replace the functions that the classifier builds on."""
    return substituted(
        knn,
        compute_distances_two_loops=true_distances,
        compute_distances_one_loop=true_distances,
        compute_distances_no_loops=true_distances,
        predict_labels=labels_by_rows,
    )
