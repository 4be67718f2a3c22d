"""k-nearest-neighbor classification, one small function at a time.

Shapes: N examples, D features per example. Every function works on any device and in any floating-point
dtype, and gives results in the dtype of its inputs. No function modifies its arguments, or asks for a GPU
(`.cuda()`, `device="cuda"`): grading has none, and new tensors belong where the old ones are.
"""

from __future__ import annotations

import torch


def compute_distances_two_loops(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
    """Compute the squared Euclidean distance of every training point to every test point, one pair at a time.

    The squared distance of two points is the sum of the squares of their differences, over all features:
    no square root. A point may have any shape, such as (3, 32, 32) for an image; all its entries count.

    You may not use `torch.norm`, `torch.dist`, `torch.cdist` (or tensor methods of these names), `torch.nn`,
    `torch.linalg`, or SciPy and scikit-learn. This holds for all three functions of this kind, and for no
    other.

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
    ### BEGIN SOLUTION
    dists = x_train.new_empty(len(x_train), len(x_test))
    for i, train_point in enumerate(x_train):
        for j, test_point in enumerate(x_test):
            dists[i, j] = ((train_point - test_point) ** 2).sum()
    return dists
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    dists = x_train.new_empty(len(x_train), len(x_test))
    for i, train_point in enumerate(x_train):
        differences = (x_test - train_point).reshape(len(x_test), -1)
        dists[i] = (differences**2).sum(dim=1)
    return dists
    ### END SOLUTION


def compute_distances_no_loops(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
    """Compute the same squared distances without any explicit loop.

    The same functions are off limits as in `compute_distances_two_loops`, and no tensor with
    num_train * num_test * D entries may be built: for real data sets it does not fit into memory.

    Hint: (a - b)² = a² - 2ab + b², and ab for all pairs of points at once is one matrix product.

    Mind the precision: where a and b are large and close together, the three terms nearly cancel, and in
    float32 what remains is mostly rounding error. No result may be negative, and for points that share a
    large offset, such as 1000 added to every feature, results must be right to a thousandth of their size.
    What happens to the distances when all points are shifted by the same amount?

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
    ### BEGIN SOLUTION
    center = x_train.mean(dim=0)  # a common shift changes no distance, but keeps the squares small
    train = (x_train - center).reshape(len(x_train), -1)
    test = (x_test - center).reshape(len(x_test), -1)
    squares = (train**2).sum(dim=1)[:, None] + (test**2).sum(dim=1)
    return (squares - 2 * train @ test.T).clamp(min=0)
    ### END SOLUTION


def predict_labels(dists: torch.Tensor, y_train: torch.Tensor, k: int = 1) -> torch.Tensor:
    """Predict the label of each test point by a majority vote of its k nearest training points.

    When several labels get the same number of votes, the smallest of them wins. Of points at equal distances
    any may be taken for the nearer one.

    Parameters
    ----------
    dists : Tensor of shape (num_train, num_test)
        Squared distances, as the functions above return them.
    y_train : Tensor of shape (num_train,), int64
        Labels of the training points, 0 or larger.
    k : int
        How many neighbors vote, from 1 to num_train.

    Returns
    -------
    Tensor of shape (num_test,), int64
        The predicted labels.
    """
    ### BEGIN SOLUTION
    nearest = dists.topk(k, dim=0, largest=False).indices
    ballots = y_train[nearest].T  # (num_test, k)
    votes = ballots.new_zeros(len(ballots), int(y_train.max()) + 1)
    votes.scatter_add_(1, ballots, torch.ones_like(ballots))
    return votes.argmax(dim=1)  # the first of several largest counts
    ### END SOLUTION


class KnnClassifier:
    """A k-nearest-neighbor classifier: it remembers its training data and looks them up."""

    def __init__(self, x_train: torch.Tensor, y_train: torch.Tensor) -> None:
        """Remember the training data.

        Parameters
        ----------
        x_train : Tensor of shape (num_train, ...)
            Training points.
        y_train : Tensor of shape (num_train,), int64
            Their labels.
        """
        ### BEGIN SOLUTION
        self.x_train = x_train
        self.y_train = y_train
        ### END SOLUTION

    def predict(self, x_test: torch.Tensor, k: int = 1) -> torch.Tensor:
        """Predict labels of test points with the functions above.

        Parameters
        ----------
        x_test : Tensor of shape (num_test, ...)
            Test points.
        k : int
            How many neighbors vote.

        Returns
        -------
        Tensor of shape (num_test,), int64
            The predicted labels.
        """
        ### BEGIN SOLUTION
        dists = compute_distances_no_loops(self.x_train, x_test)
        return predict_labels(dists, self.y_train, k=k)
        ### END SOLUTION

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
            How many neighbors vote.
        quiet : bool
            Print nothing if True; else print the result for people.

        Returns
        -------
        float
            A number from 0 to 100.
        """
        ### BEGIN SOLUTION
        correct = int((self.predict(x_test, k=k) == y_test).sum())
        accuracy = 100 * correct / len(y_test)
        if not quiet:
            print(f"{correct} of {len(y_test)} labels are right: {accuracy:.2f} %")
        return accuracy
        ### END SOLUTION


def knn_cross_validate(
    x_train: torch.Tensor,
    y_train: torch.Tensor,
    num_folds: int = 5,
    k_choices: list[int] | None = None,
) -> dict[int, list[float]]:
    """Measure by cross-validation how good each choice of k is.

    Cut the training data into `num_folds` folds, once: every k is measured on the same folds. For each k,
    train on all folds but one and measure the accuracy on that one, with `KnnClassifier`; do this for each
    fold in turn.

    When num_train is no multiple of num_folds, some folds are larger: `torch.tensor_split` cuts like that.
    Other sizes are accepted, and so are shuffled points, as long as there are `num_folds` folds and every
    point is held out exactly once.

    Parameters
    ----------
    x_train : Tensor of shape (num_train, ...)
        Training points.
    y_train : Tensor of shape (num_train,), int64
        Their labels.
    num_folds : int
        How many folds to cut, from 2 to num_train.
    k_choices : list of int, optional
        The values of k to try, by default 1, 3, 5, 8, 10, 12, 15, 20, 50 and 100; none is larger than the
        number of points to train on.

    Returns
    -------
    dict of int to list of float
        For each k the `num_folds` accuracies in percent; entry i is that of holding out fold i.
    """
    if k_choices is None:
        k_choices = [1, 3, 5, 8, 10, 12, 15, 20, 50, 100]

    ### BEGIN SOLUTION
    x_folds = torch.tensor_split(x_train, num_folds)
    y_folds = torch.tensor_split(y_train, num_folds)
    accuracies: dict[int, list[float]] = {k: [] for k in k_choices}
    for i in range(num_folds):
        x_rest = torch.cat(x_folds[:i] + x_folds[i + 1 :])
        y_rest = torch.cat(y_folds[:i] + y_folds[i + 1 :])
        classifier = KnnClassifier(x_rest, y_rest)
        for k in k_choices:
            accuracies[k].append(classifier.check_accuracy(x_folds[i], y_folds[i], k=k, quiet=True))
    return accuracies
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    means = {k: sum(accuracies) / len(accuracies) for k, accuracies in k_to_accuracies.items()}
    best = max(means.values())
    return min(k for k in means if means[k] == best)
    ### END SOLUTION
