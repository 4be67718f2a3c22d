"""Public checks of the k-nearest-neighbor assignment: small enough to be worked out by hand."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import knn
import pytest
import torch

from helpers.testing import Hint, checks, constructor, substituted

X_TRAIN = torch.tensor([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]])
X_TEST = torch.tensor([[0.0, 0.0], [3.0, 0.0]])
DISTS = torch.tensor([[0.0, 9.0], [25.0, 16.0], [100.0, 73.0]])
DIST_HINTS = [
    Hint(torch.tensor([[0.0, 3.0], [5.0, 4.0], [10.0, 8.5440037]]), says="the square root was taken"),
    Hint(torch.tensor([[0.0, 25.0, 100.0], [9.0, 16.0, 73.0]]), says="x_train and x_test are swapped"),
    Hint(
        torch.tensor([[0.0, 3.0], [7.0, 4.0], [14.0, 11.0]]),
        says="absolute differences were added, not squares",
    ),
    Hint(
        torch.tensor([[0.0, 9.0], [49.0, 16.0], [196.0, 121.0]]),
        says="the differences were added before they were squared",
    ),
    Hint(torch.tensor([[0.0, 4.5], [12.5, 8.0], [50.0, 36.5]]), says="the squares were averaged, not added"),
    *(
        Hint(torch.tensor(values), says="the factor 2 of a² - 2ab + b² is missing")
        for values in ([[0.0, 9.0], [25.0, 25.0], [100.0, 91.0]], [[25.0, 25.0], [25.0, 16.0], [75.0, 57.0]])
    ),
    *(
        Hint(torch.tensor(values), says="2ab was added; a² - 2ab + b² subtracts it")
        for values in ([[0.0, 9.0], [25.0, 52.0], [100.0, 145.0]], [[100.0, 73.0], [25.0, 16.0], [0.0, 9.0]])
    ),
    Hint(torch.zeros(3, 2), says="the result was never filled in"),
]


@pytest.mark.task("distances_two_loops", weight=1)
def test_two_loops_by_hand() -> None:
    """Two loops: three training points against two test points."""
    dists = knn.compute_distances_two_loops(X_TRAIN.clone(), X_TEST.clone())
    checks.close(dists, DISTS, what="the squared distances", hints=DIST_HINTS)


@pytest.mark.task("distances_one_loop", weight=2)
def test_one_loop_by_hand() -> None:
    """One loop: three training points against two test points."""
    dists = knn.compute_distances_one_loop(X_TRAIN.clone(), X_TEST.clone())
    checks.close(dists, DISTS, what="the squared distances", hints=DIST_HINTS)


@pytest.mark.task("distances_no_loops", weight=3)
def test_no_loops_by_hand() -> None:
    """No loops: three training points against two test points."""
    dists = knn.compute_distances_no_loops(X_TRAIN.clone(), X_TEST.clone())
    checks.close(dists, DISTS, what="the squared distances", operation="cancellation", hints=DIST_HINTS)


VOTE_DISTS = torch.tensor(
    [
        [0.0, 9.0, 4.0],
        [1.0, 8.0, 1.0],
        [2.0, 7.0, 3.0],
        [8.0, 1.0, 2.0],
        [9.0, 0.0, 9.0],
    ]
)
VOTE_LABELS = torch.tensor([2, 1, 2, 0, 3])


@pytest.mark.task("predict_labels", weight=2)
def test_nearest_neighbor() -> None:
    """With k = 1 the label of the nearest training point is predicted."""
    labels = knn.predict_labels(VOTE_DISTS.clone(), VOTE_LABELS.clone(), k=1)
    hints = [
        Hint(torch.tensor([0, 4, 1]), says="the index of the nearest point was returned, not its label"),
        Hint(torch.tensor([3, 2, 3]), says="the farthest point was taken, not the nearest"),
        Hint(
            torch.tensor([2, 2, 2, 1, 1]),
            says="rows were sorted; a column holds one test point",
        ),
    ]
    checks.equal(labels, torch.tensor([2, 3, 1]), what="the labels for k = 1", hints=hints)


@pytest.mark.task("predict_labels", weight=3)
def test_votes() -> None:
    """With k = 3 the majority wins, and after a tie the smallest label."""
    labels = knn.predict_labels(VOTE_DISTS.clone(), VOTE_LABELS.clone(), k=3)
    hints = [
        Hint(
            torch.tensor([2, 3, 2]), says="after a tie the largest label was chosen; the smallest should win"
        ),
        Hint(torch.tensor([2, 3, 1]), says="the nearest point decided alone"),
        Hint(torch.tensor([0, 2, 2]), says="the farthest points voted, not the nearest"),
        Hint(torch.tensor([2, 2, 2, 2, 2]), says="rows were sorted; a column holds one test point"),
    ]
    checks.equal(labels, torch.tensor([2, 0, 0]), what="the labels for k = 3", hints=hints)


LINE_TRAIN = torch.tensor([[0.0], [1.0], [10.0]])
LINE_TEST = torch.tensor([[9.0], [0.4]])
LINE_LABELS = torch.tensor([4, 4, 2])
LINE_DISTS = torch.tensor([[81.0, 0.16], [64.0, 0.36], [1.0, 92.16]])


def given_functions() -> AbstractContextManager[None]:
    """Replace the functions that the classifier builds on, so that it is checked on its own."""

    def dists(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
        return LINE_DISTS if len(x_train) == 3 else LINE_DISTS.T.contiguous()

    def labels(dists: torch.Tensor, y_train: torch.Tensor, k: int = 1) -> torch.Tensor:
        right = {1: [2, 4], 3: [4, 4]}
        return torch.tensor(right[k] if len(dists) == 3 else [-1, -1, -1])

    return substituted(
        knn,
        compute_distances_two_loops=dists,
        compute_distances_one_loop=dists,
        compute_distances_no_loops=dists,
        predict_labels=labels,
    )


@pytest.mark.task("classifier", weight=2)
def test_classifier_predicts() -> None:
    """The classifier predicts labels from its training data, and passes k on."""
    with given_functions():
        classifier = knn.KnnClassifier(LINE_TRAIN.clone(), LINE_LABELS.clone())
        one = classifier.predict(LINE_TEST.clone())
        three = classifier.predict(LINE_TEST.clone(), k=3)
    hints = [Hint(torch.tensor([-1, -1, -1]), says="training and test points are swapped")]
    checks.equal(one, torch.tensor([2, 4]), what="the labels for k = 1", hints=hints)
    hints = [Hint(torch.tensor([2, 4]), says="k is not passed on to predict_labels")]
    checks.equal(three, torch.tensor([4, 4]), what="the labels for k = 3", hints=hints)


@pytest.mark.task("classifier", weight=2)
def test_classifier_accuracy() -> None:
    """The accuracy is a percentage."""
    with given_functions():
        classifier = knn.KnnClassifier(LINE_TRAIN.clone(), LINE_LABELS.clone())
        accuracy = classifier.check_accuracy(LINE_TEST.clone(), torch.tensor([2, 5]), quiet=True)
    hints = [
        Hint(0.5, says="this is a fraction; multiply it by 100"),
        Hint(1.0, says="this is the number of right labels, not a percentage"),
    ]
    checks.close(accuracy, 50.0, what="the accuracy", hints=hints)


@pytest.mark.task("cross_validate", weight=3)
def test_cross_validation_by_hand() -> None:
    """Three folds of two points: each is held out once, and the classifier is trained on the other four."""
    x, y = torch.arange(6.0).reshape(6, 1), torch.tensor([1, 1, 1, 0, 0, 0])
    accuracy_of_fold = {0.0: 100.0, 2.0: 50.0, 4.0: 0.0}
    trained_on = []

    def methods(x_train: torch.Tensor, y_train: torch.Tensor) -> dict[str, Callable[..., object]]:
        trained_on.append(sorted(x_train.flatten().tolist()))
        return {
            "predict": lambda x_test, k=1: torch.ones(len(x_test), dtype=torch.int64),
            "check_accuracy": lambda x_test, y_test, k=1, quiet=False: accuracy_of_fold[float(x_test[0])],
        }

    classifier = constructor(knn.KnnClassifier, None, methods, count=24)
    with substituted(knn, KnnClassifier=classifier):
        found = knn.knn_cross_validate(x.clone(), y.clone(), num_folds=3, k_choices=[1, 3])
    checks.close(found, {1: [100.0, 50.0, 0.0], 3: [100.0, 50.0, 0.0]}, what="the accuracies for each k")
    rest = ([2.0, 3.0, 4.0, 5.0], [0.0, 1.0, 4.0, 5.0], [0.0, 1.0, 2.0, 3.0])
    sizes = [len(points) for points in trained_on]
    too_many = "the held-out fold is among the training data" if max(sizes, default=4) > 4 else None
    too_few = "points are missing from the training data" if min(sizes, default=4) < 4 else None
    checks.holds(
        all(points in rest for points in trained_on),
        what="the training data of the classifiers",
        problem="not exactly the folds that are not held out",
        likely_cause=too_many or too_few,
    )


@pytest.mark.task("best_k", weight=1)
def test_best_k_by_hand() -> None:
    """The k with the best accuracies is chosen."""
    best = knn.knn_get_best_k({3: [65.0, 75.0], 8: [70.0, 80.0], 5: [50.0, 60.0]})
    hints = [
        Hint(1, says="the position of the best k, not k itself"),
        Hint(5, says="the worst accuracies decided, not the best"),
        Hint(75.0, says="the accuracy was returned, not its k"),
    ]
    checks.equal(best, 8, what="the best k", hints=hints)
