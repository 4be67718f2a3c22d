"""k-nearest-neighbour classification, one small function at a time.

Shapes: N examples, D features per example. Every function works on any device and in any floating-point
dtype, and gives results in the dtype of its inputs. No function modifies its arguments.
"""

from __future__ import annotations

import torch


def compute_distances_two_loops(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
    """Compute the squared Euclidean distance of every training point to every test point, one pair at a time."""
    n, m = x_train.shape[0], x_test.shape[0]
    dists = x_train.new_zeros(n, m)
    A = x_train.reshape(n, -1)
    B = x_test.reshape(m, -1)
    for i in range(n):
        for j in range(m):
            diff = A[i] - B[j]
            dists[i, j] = torch.einsum("d,d->", diff, diff)
    return dists


def compute_distances_one_loop(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
    """Compute the same squared distances with a single loop, over the training points."""
    num_train, num_test = len(x_train), len(x_test)
    dists = torch.zeros((num_train, num_test), dtype=x_train.dtype, device=x_train.device)
    for i in range(num_train):
        dists[i] = torch.sum((x_test - x_train[i]) ** 2, dim=1)
    return dists


def compute_distances_no_loops(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
    """Compute the same squared distances without any explicit loop."""
    A = x_train.reshape(x_train.shape[0], -1)
    B = x_test.reshape(x_test.shape[0], -1)
    # distances don't change when everything is moved -> move the mean of the training data to the origin
    mu = A.mean(dim=0, keepdim=True)
    A = A - mu
    B = B - mu
    aa = torch.einsum("nd,nd->n", A, A)
    bb = torch.einsum("md,md->m", B, B)
    ab = torch.einsum("nd,md->nm", A, B)
    dists = aa[:, None] - 2 * ab + bb[None, :]
    return dists.clamp(min=0)


def predict_labels(dists: torch.Tensor, y_train: torch.Tensor, k: int = 1) -> torch.Tensor:
    """Predict the label of each test point by a majority vote of its k nearest training points."""
    num_classes = int(y_train.max()) + 1
    idx = dists.topk(k, dim=0, largest=False).indices          # (k, num_test)
    labels = y_train[idx]                                        # (k, num_test)
    onehot = labels.unsqueeze(-1) == torch.arange(num_classes, device=labels.device)   # (k, num_test, C)
    votes = torch.einsum("kmc->mc", onehot.long())
    # argmax gives the first maximum = smallest label
    return votes.argmax(dim=1)


class KnnClassifier:
    """A k-nearest-neighbour classifier: it remembers its training data and looks them up."""

    def __init__(self, x_train: torch.Tensor, y_train: torch.Tensor) -> None:
        """Remember the training data."""
        self.x_train = x_train
        self.y_train = y_train

    def predict(self, x_test: torch.Tensor, k: int = 1) -> torch.Tensor:
        """Predict labels of test points with the functions above."""
        dists = compute_distances_no_loops(self.x_train, x_test)
        return predict_labels(dists, self.y_train, k)

    def check_accuracy(
        self, x_test: torch.Tensor, y_test: torch.Tensor, k: int = 1, quiet: bool = False
    ) -> float:
        """Compute the percentage of test points whose predicted label is right."""
        y_pred = self.predict(x_test, k=k)
        acc = 100.0 * (y_pred == y_test).double().mean().item()
        if not quiet:
            print(f"accuracy with k={k}: {acc:.2f}%")
        return acc


def knn_cross_validate(
    x_train: torch.Tensor,
    y_train: torch.Tensor,
    num_folds: int = 5,
    k_choices: list[int] | None = None,
) -> dict[int, list[float]]:
    """Measure by cross-validation how good each choice of k is."""
    if k_choices is None:
        k_choices = [1, 3, 5, 8, 10, 12, 15, 20, 50, 100]
    x_folds = torch.tensor_split(x_train, num_folds)
    y_folds = torch.tensor_split(y_train, num_folds)
    k_to_accuracies = {k: [] for k in k_choices}
    for i in range(num_folds):
        x_tr = torch.cat(x_folds[:i] + x_folds[i + 1:])
        y_tr = torch.cat(y_folds[:i] + y_folds[i + 1:])
        model = KnnClassifier(x_tr, y_tr)
        for k in k_choices:
            k_to_accuracies[k].append(model.check_accuracy(x_folds[i], y_folds[i], k=k, quiet=True))
    return k_to_accuracies


def knn_get_best_k(k_to_accuracies: dict[int, list[float]]) -> int:
    """Choose the k whose accuracy is best on average over the folds; of equally good ones the smallest."""
    best_k, best_mean = None, -1.0
    for k in sorted(k_to_accuracies):
        mean = sum(k_to_accuracies[k]) / len(k_to_accuracies[k])
        if mean > best_mean:
            best_k, best_mean = k, mean
    return best_k
