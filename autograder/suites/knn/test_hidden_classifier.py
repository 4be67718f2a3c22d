"""Hidden tests of the classifier, on top of the oracle: a mistake in an earlier task is not counted twice."""

import knn
import pytest
import torch
from suite.neighbors import normal, refuse_swaps, true_distances, true_labels, with_true_functions
from torch import Tensor

from autograder.hidden import altered, hidden_labels
from helpers import data
from helpers.testing import Hint, asking, checks

X_TRAIN, Y_TRAIN = normal("train", shape=(30, 2, 2)), hidden_labels("train/y", classes=3, count=30)
X_TEST = normal("test", shape=(40, 2, 2))
PREDICTED = {k: true_labels(true_distances(X_TRAIN, X_TEST), Y_TRAIN, k) for k in (1, 7)}


def accuracies(labels: Tensor) -> dict[int, float]:
    """Return the accuracy in percent for each k, if these are the labels of the test points."""
    return {k: float((found == labels).double().mean()) * 100 for k, found in PREDICTED.items()}


# The first labels for which one k does not happen to do as well as the other.
Y_TEST = next(
    labels
    for labels in (hidden_labels("test/y", str(number), classes=3, count=40) for number in range(1000))
    if len(set(accuracies(labels).values())) == 2
)
ACCURACY = accuracies(Y_TEST)


NUM_DIGITS = 150
DIGITS = data.digits(num_train=600, num_val=0, num_test=NUM_DIGITS)
X_CHANGED, Y_CHANGED = altered(DIGITS.x_test, DIGITS.y_test, "digits", shift=0.5, contrast=0.3)


@asking.one_slip()
@pytest.mark.task("classifier", weight=2)
def test_classifier_on_hidden_points() -> None:
    """The classifier predicts what distances and votes give, for the k that is asked for."""
    with with_true_functions() as swaps:
        classifier = knn.KnnClassifier(X_TRAIN.clone(), Y_TRAIN.clone())
        found = {k: classifier.predict(X_TEST.clone(), k=k) for k in (1, 7)}
    refuse_swaps(swaps)
    one = checks.tensor(found[1], shape=(40,), dtype=torch.int64, what="the labels for k = 1")
    checks.equal(one, PREDICTED[1], what="the labels for k = 1")
    hints = [Hint(PREDICTED[1], says="k is not passed on")]
    seven = checks.tensor(found[7], shape=(40,), dtype=torch.int64, what="the labels for k = 7")
    checks.equal(seven, PREDICTED[7], what="the labels for k = 7", hints=hints)


@asking.one_slip()
@pytest.mark.task("classifier", weight=2)
def test_classifier_accuracy_on_hidden_points() -> None:
    """The accuracy is the percentage of right labels, for the k that is asked for."""
    with with_true_functions() as swaps:
        classifier = knn.KnnClassifier(X_TRAIN.clone(), Y_TRAIN.clone())
        for k, right in ACCURACY.items():
            found = classifier.check_accuracy(X_TEST.clone(), Y_TEST.clone(), k=k, quiet=True)
            hints = {
                1: [
                    Hint(right / 100, says="this is a fraction; multiply it by 100"),
                    Hint(right * 0.4, says="this is the number of right labels, not a percentage"),
                    Hint(100 - right, says="this is the percentage of wrong labels"),
                ],
                7: [Hint(ACCURACY[1], says="k is not passed on")],
            }
            refuse_swaps(swaps)
            what = f"the accuracy for k = {k}"
            checks.close(checks.scalar(found, what=what), right, what=what, hints=hints[k])


@asking.one_slip()
@pytest.mark.task("classifier", weight=2)
def test_classifier_on_digits() -> None:
    """Handwritten digits that nobody has seen are recognized."""
    with with_true_functions() as swaps:
        classifier = knn.KnnClassifier(DIGITS.x_train.clone(), DIGITS.y_train.clone())
        found = classifier.predict(X_CHANGED.clone(), k=3)
    refuse_swaps(swaps)
    labels = checks.tensor(found, shape=(NUM_DIGITS,), dtype=torch.int64, what="the labels of the digits")
    accuracy = float((labels == Y_CHANGED).double().mean()) * 100
    checks.number(accuracy, at_least=80, what="the percentage of digits recognized")
