"""k-nearest-neighbour classification, one small function at a time.

Shapes: N examples, D features per example. Every function works on any device and in any floating-point
dtype, and gives results in the dtype of its inputs. No function modifies its arguments.
"""

from __future__ import annotations

import torch


def compute_distances_two_loops(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
    """Compute the squared Euclidean distance of every training point to every test point, one pair at a time.

    The squared distance of two points is the sum of the squares of their differences, over all features:
    no square root. A point may have any shape, such as (3, 32, 32) for an image; all its entries count.

    You may not use `torch.norm`, `torch.dist`, `torch.cdist` (or tensor methods of these names), `torch.nn`,
    `torch.linalg`, or SciPy and scikit-learn. This holds for all three functions of this kind.

    Parameters
    ----------
    x_train : Tensor of shape (num_train, ...)
        Training points.
    x_test : Tensor of shape (num_test, ...)
        Test points, each of the same shape as a training point.

    Returns
    -------
    Tensor of shape (num_train, num_test)
        Entry [i, j] is the squared distance of training point i and test point j; dtype as `x_train`.
    """
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
    """Compute the same squared distances with a single loop, over the training points.

    Use at most one explicit loop (a comprehension, `map` and the like count as loops). Let broadcasting
    compare one training point with all the test points at once. The same functions are off limits as in
    `compute_distances_two_loops`.

    Parameters
    ----------
    x_train : Tensor of shape (num_train, ...)
        Training points.
    x_test : Tensor of shape (num_test, ...)
        Test points.

    Returns
    -------
    Tensor of shape (num_train, num_test)
        Entry [i, j] is the squared distance of training point i and test point j; dtype as `x_train`.
    """
    num_train = x_train.shape[0]
    num_test = x_test.shape[0]
    dists = torch.zeros(num_train, num_test).to(x_train)
    for i in range(num_train):
        d = (x_train[i:i+1] - x_test) ** 2
        d = d.reshape(num_test, -1)
        dists[i, :] = torch.sum(d, dim=1)
    return dists


def compute_distances_no_loops(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
    """Compute the same squared distances without any explicit loop.

    The same functions are off limits as in `compute_distances_two_loops`, and no tensor with
    num_train * num_test * D entries may be built: for real data sets it does not fit into memory.

    Hint: (a - b)² = a² - 2ab + b², and ab for all pairs of points at once is one matrix product.

    Mind the precision: where a and b are large and close together, the three terms nearly cancel, and in
    float32 what remains is mostly rounding error. No result may be negative, and points that share a large
    offset, such as 1000 added to every feature, must still come out right to a thousandth. What happens to
    the distances when all points are shifted by the same amount?

    Parameters
    ----------
    x_train : Tensor of shape (num_train, ...)
        Training points.
    x_test : Tensor of shape (num_test, ...)
        Test points.

    Returns
    -------
    Tensor of shape (num_train, num_test)
        Entry [i, j] is the squared distance of training point i and test point j; dtype as `x_train`.
    """
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
    """Predict the label of each test point by a majority vote of its k nearest training points.

    When several labels get the same number of votes, the smallest of them wins.

    Parameters
    ----------
    dists : Tensor of shape (num_train, num_test)
        Squared distances, as the functions above return them.
    y_train : Tensor of shape (num_train,), int64
        Labels of the training points, 0 or larger.
    k : int
        How many neighbours vote, from 1 to num_train.

    Returns
    -------
    Tensor of shape (num_test,), int64
        The predicted labels.
    """
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
        """Remember the training data.

        Parameters
        ----------
        x_train : Tensor of shape (num_train, ...)
            Training points.
        y_train : Tensor of shape (num_train,), int64
            Their labels.
        """
        self.x_train = x_train.clone()
        self.y_train = y_train.clone()

    def predict(self, x_test: torch.Tensor, k: int = 1) -> torch.Tensor:
        """Predict labels of test points with the functions above.

        Parameters
        ----------
        x_test : Tensor of shape (num_test, ...)
            Test points.
        k : int
            How many neighbours vote.

        Returns
        -------
        Tensor of shape (num_test,), int64
            The predicted labels.
        """
        # dists = compute_distances_two_loops(self.x_train, x_test)   # too slow
        dists = compute_distances_one_loop(self.x_train, x_test)
        y_pred = predict_labels(dists, self.y_train, k)
        return y_pred

    def check_accuracy(
        self, x_test: torch.Tensor, y_test: torch.Tensor, k: int = 1, quiet: bool = False
    ) -> float:
        """Compute the percentage of test points whose predicted label is right.

        Parameters
        ----------
        x_test : Tensor of shape (num_test, ...)
            Test points.
        y_test : Tensor of shape (num_test,), int64
            Their true labels.
        k : int
            How many neighbours vote.
        quiet : bool
            Print nothing if True; else print the result for people.

        Returns
        -------
        float
            A plain number from 0 to 100.
        """
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
    """Measure by cross-validation how good each choice of k is.

    Cut the training data into `num_folds` folds, in the order in which they come. For each k, train on all
    folds but one and measure the accuracy on that one, with `KnnClassifier`; do this for each fold in turn.

    When num_train is no multiple of num_folds, the sizes of the folds differ by at most one and the larger
    ones come first, as `torch.tensor_split` cuts. The sizes of `torch.chunk` are accepted as well, as long as
    they give `num_folds` folds.

    Parameters
    ----------
    x_train : Tensor of shape (num_train, ...)
        Training points.
    y_train : Tensor of shape (num_train,), int64
        Their labels.
    num_folds : int
        How many folds to cut, from 2 to num_train.
    k_choices : list of int, optional
        The values of k to try, by default 1, 3, 5, 8, 10, 12, 15, 20, 50 and 100.

    Returns
    -------
    dict of int to list of float
        For each k the `num_folds` accuracies in percent; entry i is that of validating on fold i.
    """
    if k_choices is None:
        k_choices = [1, 3, 5, 8, 10, 12, 15, 20, 50, 100]
    x_folds = list(torch.chunk(x_train, num_folds, dim=0))
    y_folds = list(torch.chunk(y_train, num_folds, dim=0))
    if len(x_folds) != num_folds:
        # chunk makes too few folds sometimes (5 points, 4 folds -> 3 chunks!)
        x_folds = list(torch.tensor_split(x_train, num_folds, dim=0))
        y_folds = list(torch.tensor_split(y_train, num_folds, dim=0))
    k_to_accuracies = {}
    for k in k_choices:
        k_to_accuracies[k] = []
        for fold in range(num_folds):
            x_parts = []
            y_parts = []
            for other in range(num_folds):
                if other == fold:
                    continue
                x_parts.append(x_folds[other])
                y_parts.append(y_folds[other])
            classifier = KnnClassifier(torch.cat(x_parts, dim=0), torch.cat(y_parts, dim=0))
            accuracy = classifier.check_accuracy(x_folds[fold], y_folds[fold], k=k, quiet=True)
            k_to_accuracies[k].append(accuracy)
    return k_to_accuracies


def knn_get_best_k(k_to_accuracies: dict[int, list[float]]) -> int:
    """Choose the k whose accuracy is best on average over the folds; of equally good ones the smallest.

    Parameters
    ----------
    k_to_accuracies : dict of int to list of float
        Accuracies for each k, as `knn_cross_validate` returns them; the keys come in any order.

    Returns
    -------
    int
        The best k.
    """
    best_k = 0
    best_acc = None
    for k in k_to_accuracies:
        accs = k_to_accuracies[k]
        total = 0.0
        for a in accs:
            total += a
        avg = total / len(accs)
        # print(k, avg)
        if best_acc is None or avg > best_acc or (avg == best_acc and k < best_k):
            best_acc = avg
            best_k = k
    return best_k


if __name__ == "__main__":
    tr = torch.tensor([[1.0, 2.0], [4.0, 6.0], [5.0, 2.0]])
    te = torch.tensor([[2.0, 2.0], [4.0, 3.0]])
    print(compute_distances_two_loops(tr, te))
    print(compute_distances_one_loop(tr, te))
    print(compute_distances_no_loops(tr, te))
