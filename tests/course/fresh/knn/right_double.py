"""KNN. Everything is computed in double precision and converted back at the end."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from statistics import mean

import torch
import torch.nn.functional as F  # noqa: F401


def as_rows(points: torch.Tensor) -> torch.Tensor:
    return points.reshape(len(points), -1).to(torch.float64)


def folds(x: torch.Tensor, y: torch.Tensor, n: int) -> Iterator[tuple]:
    numbers = torch.arange(len(x), device=x.device)
    for held in numbers.tensor_split(n):
        rest = numbers[(numbers < held[0]) | (numbers > held[-1])]
        yield (x[rest], y[rest]), (x[held], y[held])


def compute_distances_two_loops(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
    tr, te = as_rows(x_train), as_rows(x_test)
    pairs = [[float(torch.dot(p - q, p - q)) for q in te] for p in tr]
    return torch.tensor(pairs, dtype=x_train.dtype, device=x_train.device).view(len(tr), len(te))


def compute_distances_one_loop(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
    tr, te = as_rows(x_train), as_rows(x_test)
    return torch.stack([((te - p) ** 2).sum(dim=-1) for p in tr]).to(x_train.dtype)


def compute_distances_no_loops(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
    tr, te = as_rows(x_train), as_rows(x_test)
    middle = (tr.amin(0) + tr.amax(0)) / 2
    tr, te = tr - middle, te - middle
    squares = torch.add(tr.pow(2).sum(1).unsqueeze(1), te.pow(2).sum(1).unsqueeze(0))
    return torch.addmm(squares, tr, te.T, alpha=-2.0).clip(0).to(x_train.dtype)


def predict_labels(dists: torch.Tensor, y_train: torch.Tensor, k: int = 1) -> torch.Tensor:
    if k == 1:
        return y_train[dists.argmin(dim=0)]
    m, c = dists.size(1), int(y_train.max()) + 1
    nearest = dists.argsort(dim=0, stable=True)[:k, :]
    # one bincount for all test points: test point j has the bins j*c ... j*c + c-1
    bins = y_train[nearest] + c * torch.arange(m, device=y_train.device)
    counts = torch.bincount(bins.reshape(-1), minlength=m * c).view(m, c)
    return torch.argmax(counts, dim=1)


class KnnClassifier:
    def __init__(self, x_train: torch.Tensor, y_train: torch.Tensor) -> None:
        self.memory = (x_train, y_train)

    @property
    def num_train(self) -> int:
        return len(self.memory[1])

    def predict(self, x_test: torch.Tensor, k: int = 1) -> torch.Tensor:
        x_train, y_train = self.memory
        return predict_labels(compute_distances_no_loops(x_train, x_test), y_train, k=k)

    def check_accuracy(self, x_test: torch.Tensor, y_test: torch.Tensor, k: int = 1, quiet: bool = False) -> float:
        right = torch.count_nonzero(self.predict(x_test, k=k) == y_test).item()
        percent = 100 * right / len(y_test)
        if not quiet:
            print(f"k={k}: {right}/{len(y_test)} ({percent:.1f} %), {self.num_train} training points")
        return percent


def knn_cross_validate(
    x_train: torch.Tensor,
    y_train: torch.Tensor,
    num_folds: int = 5,
    k_choices: list[int] | None = None,
) -> dict[int, list[float]]:
    ks = [1, 3, 5, 8, 10, 12, 15, 20, 50, 100] if k_choices is None else k_choices
    scores: dict[int, list[float]] = defaultdict(list)
    for (x_rest, y_rest), (x_held, y_held) in folds(x_train, y_train, num_folds):
        clf = KnnClassifier(x_rest, y_rest)
        for k in ks:
            scores[k].append(clf.check_accuracy(x_held, y_held, k=k, quiet=True))
    return dict(scores)


def knn_get_best_k(k_to_accuracies: dict[int, list[float]]) -> int:
    return min(k_to_accuracies, key=lambda k: (-mean(k_to_accuracies[k]), k))
