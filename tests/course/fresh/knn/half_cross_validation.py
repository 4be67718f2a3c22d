"""k-nearest-neighbour classification, one small function at a time.

Shapes: N examples, D features per example. Every function works on any device and in any floating-point
dtype, and gives results in the dtype of its inputs. No function modifies its arguments.
"""

from __future__ import annotations

import torch


def compute_distances_two_loops(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
    """Compute the squared Euclidean distance of every training point to every test point, one pair at a time."""
    num_train = x_train.shape[0]
    num_test = x_test.shape[0]
    dists = torch.zeros(num_train, num_test).to(x_train)   # same dtype and device
    for i in range(num_train):
        for j in range(num_test):
            train_point = x_train[i].reshape(-1)
            test_point = x_test[j].reshape(-1)
            d = ((train_point - test_point) ** 2).sum()
            dists[i, j] = d.item()
    return dists


def compute_distances_one_loop(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
    """Compute the same squared distances with a single loop, over the training points."""
    num_train = x_train.shape[0]
    num_test = x_test.shape[0]
    dists = torch.zeros(num_train, num_test).to(x_train)
    for i in range(num_train):
        d = (x_train[i:i+1] - x_test) ** 2
        d = d.reshape(num_test, -1)
        dists[i, :] = torch.sum(d, dim=1)
    return dists


def compute_distances_no_loops(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
    """Compute the same squared distances without any explicit loop."""
    num_train = x_train.shape[0]
    num_test = x_test.shape[0]
    a = x_train.reshape(num_train, -1)
    b = x_test.reshape(num_test, -1)
    # move the middle of ALL points to 0
    everything = torch.cat((a, b), 0)
    center = everything.mean(0)
    a = a - center
    b = b - center
    # trick:  [a^2, a, 1] times [1, -2b, b^2]  is  a^2 - 2ab + b^2, one single matrix product
    a2 = (a * a).sum(1).reshape(num_train, 1)
    b2 = (b * b).sum(1).reshape(num_test, 1)
    left = torch.cat((a2, a, torch.ones_like(a2)), 1)
    right = torch.cat((torch.ones_like(b2), -2 * b, b2), 1)
    dists = torch.matmul(left, right.transpose(0, 1))
    #print(dists.min())
    dists = torch.where(dists < 0, torch.zeros_like(dists), dists)
    return dists


def predict_labels(dists: torch.Tensor, y_train: torch.Tensor, k: int = 1) -> torch.Tensor:
    """Predict the label of each test point by a majority vote of its k nearest training points."""
    num_train, num_test = dists.shape
    y_pred = torch.zeros(num_test, dtype=torch.int64)
    for j in range(num_test):
        column = dists[:, j].tolist()
        order = sorted(range(num_train), key=lambda i: column[i])
        counts = {}
        for i in order[:k]:
            label = y_train[i].item()
            if label in counts:
                counts[label] += 1
            else:
                counts[label] = 1
        best_label = None
        for label in sorted(counts):
            if best_label is None or counts[label] > counts[best_label]:
                best_label = label
        y_pred[j] = best_label
    return y_pred.to(y_train.device)


class KnnClassifier:
    """A k-nearest-neighbour classifier: it remembers its training data and looks them up."""

    def __init__(self, x_train: torch.Tensor, y_train: torch.Tensor) -> None:
        """Remember the training data."""
        self.x_train = x_train.clone()
        self.y_train = y_train.clone()

    def predict(self, x_test: torch.Tensor, k: int = 1) -> torch.Tensor:
        """Predict labels of test points with the functions above."""
        # dists = compute_distances_two_loops(self.x_train, x_test)   # too slow
        dists = compute_distances_one_loop(self.x_train, x_test)
        y_pred = predict_labels(dists, self.y_train, k)
        return y_pred

    def check_accuracy(
        self, x_test: torch.Tensor, y_test: torch.Tensor, k: int = 1, quiet: bool = False
    ) -> float:
        """Compute the percentage of test points whose predicted label is right."""
        y_pred = self.predict(x_test, k)
        num_correct = 0
        num_samples = len(y_test)
        for i in range(num_samples):
            if y_pred[i] == y_test[i]:
                num_correct += 1
        accuracy = 100.0 * num_correct / num_samples
        if not quiet:
            print("Got", num_correct, "/", num_samples, "correct; accuracy is", accuracy, "%")
        return accuracy


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
    k_to_accuracies = {}
    for k in k_choices:
        k_to_accuracies[k] = []
        for i in range(num_folds):
            x_val, y_val = x_folds[i], y_folds[i]
            # TODO: how do I get all the other folds?
            pass
    return k_to_accuracies


def knn_get_best_k(k_to_accuracies: dict[int, list[float]]) -> int:
    """Choose the k whose accuracy is best on average over the folds; of equally good ones the smallest."""
    raise NotImplementedError("knn: knn_get_best_k")
