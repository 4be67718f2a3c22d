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
    raise NotImplementedError("knn: compute_distances_two_loops")


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
    raise NotImplementedError("knn: compute_distances_one_loop")


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
    raise NotImplementedError("knn: compute_distances_no_loops")


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
    raise NotImplementedError("knn: predict_labels")


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
        raise NotImplementedError("knn: KnnClassifier.__init__")

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
        raise NotImplementedError("knn: KnnClassifier.predict")

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
        raise NotImplementedError("knn: KnnClassifier.check_accuracy")


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

    raise NotImplementedError("knn: knn_cross_validate")


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
    raise NotImplementedError("knn: knn_get_best_k")
