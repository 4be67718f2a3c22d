"""k-nearest-neighbour classification, one small function at a time.

Shapes: N examples, D features per example. Every function works on any device and in any floating-point
dtype, and gives results in the dtype of its inputs. No function modifies its arguments.
"""

from __future__ import annotations

import torch


def compute_distances_two_loops(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
    n_tr = x_train.size(0)
    n_te = x_test.size(0)
    dists = torch.empty((n_tr, n_te), dtype=x_train.dtype, device=x_train.device)
    for i in range(n_tr):
        for j in range(n_te):
            delta = x_train[i].sub(x_test[j])
            dists[i][j] = delta.mul_(delta).sum()
    return dists


def compute_distances_one_loop(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
    rows = []
    flat_test = x_test.reshape(x_test.size(0), -1)
    for a in x_train.reshape(x_train.size(0), -1):
        # a: (D,)  flat_test: (M, D)
        rows.append(torch.sub(flat_test, a).pow_(2).sum(-1))
    return torch.stack(rows, 0)


def compute_distances_no_loops(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
    tr = x_train.reshape(x_train.shape[0], -1)
    te = x_test.reshape(x_test.shape[0], -1)
    # subtract the mean => small numbers
    tr = tr - tr.mean(dim=0)
    te = te - te.mean(dim=0)
    dists = (tr ** 2).sum(dim=1).view(-1, 1) + (te ** 2).sum(dim=1).view(1, -1) - 2 * tr @ te.t()
    return dists.clamp_(min=0)


def predict_labels(dists: torch.Tensor, y_train: torch.Tensor, k: int = 1) -> torch.Tensor:
    _, order = torch.sort(dists, dim=0, stable=True)
    neighbours = y_train[order[:k]].t()                # M x k
    C = y_train.max().item() + 1
    votes = torch.zeros(dists.shape[1], C, dtype=torch.int64, device=dists.device)
    votes.scatter_add_(1, neighbours, torch.ones_like(neighbours))
    most = votes.max(dim=1, keepdim=True).values
    # smallest label which has the most votes
    labels = torch.arange(C, device=dists.device).expand_as(votes)
    return labels.masked_fill(votes < most, C).min(dim=1).values


class KnnClassifier:
    def __init__(self, x_train: torch.Tensor, y_train: torch.Tensor) -> None:
        self.x = x_train
        self.y = y_train

    def predict(self, x_test: torch.Tensor, k: int = 1) -> torch.Tensor:
        D = compute_distances_no_loops(self.x, x_test)
        y_test_pred = predict_labels(D, self.y, k=k)
        assert y_test_pred.shape == (x_test.shape[0],)
        return y_test_pred

    def check_accuracy(
        self, x_test: torch.Tensor, y_test: torch.Tensor, k: int = 1, quiet: bool = False
    ) -> float:
        hits = self.predict(x_test, k=k).eq(y_test).sum().item()
        total = y_test.numel()
        if not quiet:
            print("%d of %d right" % (hits, total))
        return hits * 100.0 / total


def knn_cross_validate(
    x_train: torch.Tensor,
    y_train: torch.Tensor,
    num_folds: int = 5,
    k_choices: list[int] | None = None,
) -> dict[int, list[float]]:
    if k_choices is None:
        k_choices = [1, 3, 5, 8, 10, 12, 15, 20, 50, 100]
    N = x_train.shape[0]
    base, extra = divmod(N, num_folds)
    result = {}
    for k in k_choices:
        result[k] = []
        begin = 0
        for f in range(num_folds):
            end = begin + base + (1 if f < extra else 0)
            keep = torch.ones(N, dtype=torch.bool, device=x_train.device)
            keep[begin:end] = False
            clf = KnnClassifier(x_train[keep], y_train[keep])
            result[k].append(clf.check_accuracy(x_train[begin:end], y_train[begin:end], k=k, quiet=True))
            begin = end
    return result


def knn_get_best_k(k_to_accuracies: dict[int, list[float]]) -> int:
    means = {k: sum(v) / len(v) for k, v in k_to_accuracies.items()}
    top = max(means.values())
    return min(k for k in means if means[k] == top)
