"""k-nearest neighbors.

Author: Emeka Obi
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor

DEBUG = True


def debug(*parts: object) -> None:
    """Print something while I am still looking for bugs."""
    if DEBUG:
        print("[debug]", *parts)


def to_matrix(points: Tensor) -> Tensor:
    """One row per point."""
    return points.reshape(points.shape[0], -1)


def squared_length(vectors: Tensor) -> Tensor:
    """The squared length of each row."""
    return (vectors * vectors).sum(dim=-1)


@dataclass
class PairOfSets:
    """Training and test points as matrices around the same center."""

    train: Tensor
    test: Tensor

    @classmethod
    def centered(cls, x_train: Tensor, x_test: Tensor) -> "PairOfSets":
        train, test = to_matrix(x_train), to_matrix(x_test)
        center = train.mean(dim=0)
        debug("center", center.shape)
        return cls(train - center, test - center)

    def distances(self) -> Tensor:
        products = self.train.matmul(self.test.transpose(0, 1))
        result = squared_length(self.train).unsqueeze(1) + squared_length(self.test).unsqueeze(0) - 2 * products
        result[result < 0] = 0
        return result


def compute_distances_two_loops(x_train: Tensor, x_test: Tensor) -> Tensor:
    debug("two loops", tuple(x_train.shape), tuple(x_test.shape))
    result = torch.zeros((len(x_train), len(x_test)), dtype=x_train.dtype)
    for row, train_point in enumerate(x_train):
        for column, test_point in enumerate(x_test):
            result[row][column] = squared_length((train_point - test_point).reshape(-1))
    return result


def compute_distances_one_loop(x_train: Tensor, x_test: Tensor) -> Tensor:
    debug("one loop", tuple(x_train.shape), tuple(x_test.shape))
    test = to_matrix(x_test)
    return torch.stack([squared_length(test - train_point) for train_point in to_matrix(x_train)])


def compute_distances_no_loops(x_train: Tensor, x_test: Tensor) -> Tensor:
    debug("no loops", tuple(x_train.shape), tuple(x_test.shape))
    return PairOfSets.centered(x_train, x_test).distances()


def majority(labels: list[int]) -> int:
    """The most frequent label, the smallest of several."""
    votes = Counter(labels)
    most = max(votes.values())
    return min(label for label, count in votes.items() if count == most)


def predict_labels(dists: Tensor, y_train: Tensor, k: int = 1) -> Tensor:
    debug("k =", k)
    nearest = dists.topk(k, dim=0, largest=False, sorted=False).indices
    return torch.tensor([majority(y_train[column].tolist()) for column in nearest.t()])


class KnnClassifier:
    """Remembers everything, understands nothing."""

    def __init__(self, x_train: Tensor, y_train: Tensor) -> None:
        self._x_train = x_train
        self._y_train = y_train
        debug("classifier with", len(x_train), "points")

    def predict(self, x_test: Tensor, k: int = 1) -> Tensor:
        return predict_labels(self._distances_to(x_test), self._y_train, k)

    def check_accuracy(self, x_test: Tensor, y_test: Tensor, k: int = 1, quiet: bool = False) -> float:
        hits = self.predict(x_test, k).eq(y_test).sum().item()
        percentage = hits / y_test.numel() * 100.0
        if not quiet:
            print(f"{percentage:.1f} % of {y_test.numel()} labels are right", file=sys.stderr)
        return percentage

    def _distances_to(self, x_test: Tensor) -> Tensor:
        return compute_distances_no_loops(self._x_train, x_test)


class Folds:
    """The training data, cut into folds."""

    def __init__(self, x: Tensor, y: Tensor, number: int) -> None:
        sizes = [len(x) // number + (1 if i < len(x) % number else 0) for i in range(number)]
        debug("folds", sizes)
        self.x = x.split(sizes)
        self.y = y.split(sizes)
        self.number = number

    def without(self, i: int) -> tuple[Tensor, Tensor]:
        others = [j for j in range(self.number) if j != i]
        return torch.cat([self.x[j] for j in others]), torch.cat([self.y[j] for j in others])


def knn_cross_validate(
    x_train: Tensor, y_train: Tensor, num_folds: int = 5, k_choices: list[int] | None = None
) -> dict[int, list[float]]:
    if k_choices is None:
        k_choices = [1, 3, 5, 8, 10, 12, 15, 20, 50, 100]
    folds = Folds(x_train, y_train, num_folds)
    accuracies: dict[int, list[float]] = {}
    for k in k_choices:
        accuracies[k] = []
        for i in range(num_folds):
            classifier = KnnClassifier(*folds.without(i))
            accuracies[k].append(classifier.check_accuracy(folds.x[i], folds.y[i], k=k, quiet=True))
    debug(accuracies)
    return accuracies


def knn_get_best_k(k_to_accuracies: dict[int, list[float]]) -> int:
    averages = [(sum(values) / len(values), -k) for k, values in k_to_accuracies.items()]
    debug("averages", averages)
    return -max(averages)[1]
