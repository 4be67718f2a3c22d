"""Hidden tests of the k-nearest-neighbor assignment.

Expected values come from an oracle in float64 that shares nothing with the reference solution. Classifier and
cross-validation are tested on top of the oracle, so that a mistake in an earlier task is not counted twice.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial

import knn
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from autograder.hidden import altered, hidden_generator, hidden_labels, hidden_normal
from helpers import data
from helpers.testing import Hint, checks, constructor, measure, substituted

MAX_WORK = 20_000_000
"""More steps than any test needs: student code that asks the oracle for more gets nothing."""


normal = partial(hidden_normal, dtype=torch.float32)


def ranks(name: str, num_train: int, num_test: int) -> Tensor:
    """Return distances of which no two in a column are equal."""
    generator = hidden_generator(name)
    columns = [torch.randperm(num_train, generator=generator) for _ in range(num_test)]
    return torch.stack(columns, dim=1).to(torch.float32) + 0.5


# The oracle


def true_distances(x_train: Tensor, x_test: Tensor) -> Tensor:
    """Return squared distances, worked out in float64."""
    if x_train.numel() * len(x_test) > MAX_WORK:
        raise ValueError("too many points")
    train, test = (x.double().reshape(len(x), -1) for x in (x_train, x_test))
    exact = torch.cdist(train, test, compute_mode="donot_use_mm_for_euclid_dist") ** 2
    return exact.to(x_train.dtype)


def true_labels(dists: Tensor, y_train: Tensor, k: int = 1) -> Tensor:
    """Return the smallest of the most frequent labels among the k nearest points."""
    if dists.numel() > MAX_WORK // 100:
        raise ValueError("too many points")
    labels, numbers = y_train.unique(return_inverse=True)  # in ascending order
    nearest = numbers[dists.argsort(dim=0, stable=True)[:k]]
    votes = functional.one_hot(nearest, len(labels)).sum(dim=0)
    return labels[(votes == votes.amax(dim=1, keepdim=True)).byte().argmax(dim=1)]  # the first of the most


def true_accuracy(x_train: Tensor, y_train: Tensor, x_test: Tensor, y_test: Tensor, k: int) -> float:
    """Return the accuracy in percent."""
    labels = true_labels(true_distances(x_train, x_test), y_train, k)
    return float((labels == y_test).double().mean()) * 100


def folds(sizes: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
    """Return the indices to train on and to measure on, for each fold."""
    everything = torch.arange(sum(sizes))
    held_out = everything.split(list(sizes))
    return [(everything[~torch.isin(everything, fold)], fold) for fold in held_out]


def true_accuracies(
    x: Tensor, y: Tensor, rounds: Sequence[tuple[Tensor, Tensor]], k_choices: Sequence[int]
) -> dict[int, list[float]]:
    """Return the accuracies for each k of rounds that train and measure on the given indices."""
    return {k: [true_accuracy(x[a], y[a], x[b], y[b], k) for a, b in rounds] for k in k_choices}


# Typical mistakes

BELOW = "rounding may lead below zero, where no square can be: cut that off"


def distance_hints(right: Tensor, x_train: Tensor, x_test: Tensor) -> list[Hint]:
    """Return what typical mistakes give in the place of squared distances."""
    train, test = (x.double().reshape(len(x), -1) for x in (x_train, x_test))
    apart = train[:, None] - test
    mistakes = {
        "the square root was taken": right.sqrt(),
        "x_train and x_test are swapped": right.T,
        "absolute differences were added, not squares": apart.abs().sum(dim=2),
        "the differences were added before they were squared": apart.sum(dim=2).square(),
        "the squares were averaged, not added": right / apart.shape[2],
        "the result was never filled in": torch.zeros_like(right),
    }
    hints = [Hint(value.to(right.dtype), says=says) for says, value in mistakes.items()]
    for shift in (torch.zeros(train.shape[1]), train.mean(dim=0)):
        a, b = train - shift, test - shift
        aa, ab, bb = a.square().sum(dim=1)[:, None], a @ b.T, b.square().sum(dim=1)
        expanded = {
            "the factor 2 of a² - 2ab + b² is missing": aa - ab + bb,
            "2ab was added; a² - 2ab + b² subtracts it": aa + 2 * ab + bb,
            "the squares of the test points are missing": aa - 2 * ab,
            "the squares of the training points are missing": bb - 2 * ab,
        }
        for says, value in expanded.items():
            rounded = value.to(right.dtype)
            hints += [Hint(rounded, says=says), Hint(rounded.clamp(min=0), says=says)]
    a, b = train - train.mean(dim=0), test - test.mean(dim=0)
    says = "training and test points were shifted by different amounts"
    return [*hints, Hint((a[:, None] - b).square().sum(dim=2).to(right.dtype), says=says)]


def labels_if_largest_wins(dists: Tensor, y_train: Tensor, k: int) -> Tensor:
    """Return what a vote gives when ties go to the largest label."""
    top = int(y_train.max())
    return top - true_labels(dists, top - y_train, k)


def labels_if_nearest_wins(dists: Tensor, y_train: Tensor, k: int) -> Tensor:
    """Return what a vote gives when ties go to the label of the nearest point."""
    nearest = y_train[dists.argsort(dim=0, stable=True)[:k]]
    # A Counter lists what is equally common in the order in which it came.
    return torch.tensor([Counter(column.tolist()).most_common(1)[0][0] for column in nearest.mT])


def label_hints(dists: Tensor, y_train: Tensor, k: int) -> list[Hint]:
    """Return what typical mistakes give in the place of labels."""
    mistakes = {
        "after a tie the largest label was chosen; the smallest should win": labels_if_largest_wins,
        "after a tie the nearest point decided; the smallest label should win": labels_if_nearest_wins,
        "the farthest points voted, not the nearest": lambda dists, y, k: true_labels(-dists, y, k),
        "the first training points voted, not the nearest": lambda dists, y, k: true_labels(0 * dists, y, k),
    }
    hints = [Hint(mistake(dists, y_train, k), says=says) for says, mistake in mistakes.items()]
    return [
        *hints,
        Hint(true_labels(dists, y_train, 1), says="the nearest point decided alone: k is ignored"),
        Hint(dists.argmin(dim=0), says="the index of the nearest point was returned, not its label"),
    ]


OVERLAP = "the held-out fold is among the training data"
MIXED = "points and labels are not cut in the same way"
LEFT_OUT = "points are missing from the training data or from the folds"


def fold_hints(
    x: Tensor, y: Tensor, rounds: Sequence[tuple[Tensor, Tensor]], k_choices: Sequence[int]
) -> list[Hint]:
    """Return what typical mistakes give in the place of the accuracies of cross-validation."""
    right = true_accuracies(x, y, rounds, k_choices)
    everything = torch.arange(len(x))
    other_rounds = {
        OVERLAP: [(everything, b) for _, b in rounds],
        "measured on the training data, not on the held-out fold": [(a, a) for a, _ in rounds],
        "trained on the held-out fold, measured on the others": [(b, a) for a, b in rounds],
        "always the same fold is held out": [rounds[0]] * len(rounds),
    }
    others = {says: true_accuracies(x, y, wrong, k_choices) for says, wrong in other_rounds.items()}
    others |= {
        "these are fractions; multiply them by 100": {k: [v / 100 for v in right[k]] for k in right},
        "k is not passed on": {k: true_accuracies(x, y, rounds, [1])[1] for k in right},
    }
    means = {k: sum(right[k]) / len(right[k]) for k in right}
    return [
        *(Hint(value, says=says) for says, value in others.items()),
        Hint(means, says="the accuracies were averaged; there is one per fold"),
    ]


# Right versions of what a task builds on


def labels_by_rows(dists: Tensor, y_train: Tensor, k: int = 1) -> Tensor:
    """Return the true labels; -1 everywhere if the rows do not belong to the training points."""
    if len(dists) != len(y_train):
        return torch.full((dists.shape[1],), -1)
    return true_labels(dists, y_train, k)


def with_true_functions() -> AbstractContextManager[None]:
    """Replace the functions that the classifier builds on."""
    return substituted(
        knn,
        compute_distances_two_loops=true_distances,
        compute_distances_one_loop=true_distances,
        compute_distances_no_loops=true_distances,
        predict_labels=labels_by_rows,
    )


def rows(part: Tensor, x: Tensor) -> Tensor | None:
    """Return which rows of `x` these are; None if one is not among them."""
    if part.dim() != 2 or part.shape[1] != x.shape[1]:
        return None
    same = (part[:, None] == x).all(dim=2)
    return same.double().argmax(dim=1) if bool(same.any(dim=1).all()) else None


@dataclass
class Calls:
    """A classifier that is right, and the points that it was trained and measured on.

    Attributes
    ----------
    rounds : list of tuple
        Points to train on and points to measure on, each pair once, in the order of the calls.
    labels : list of tuple
        Points and labels that classifiers were made with.
    """

    rounds: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    labels: list[tuple[Tensor, Tensor]] = field(default_factory=list)

    def methods(self, x_train: Tensor, y_train: Tensor) -> dict[str, Callable[..., object]]:
        """Return the methods of a classifier with these training data."""
        self.labels.append((x_train.clone(), y_train.clone()))

        def predict(x_test: Tensor, k: int = 1) -> Tensor:
            self._see(x_train, x_test)
            return true_labels(true_distances(x_train, x_test), y_train, k)

        def check_accuracy(x_test: Tensor, y_test: Tensor, k: int = 1, quiet: bool = False) -> float:
            self._see(x_train, x_test)
            return true_accuracy(x_train, y_train, x_test, y_test, k)

        return {"predict": predict, "check_accuracy": check_accuracy}

    def _see(self, x_train: Tensor, x_test: Tensor) -> None:
        for train, test in self.rounds:
            if torch.equal(train, x_train) and torch.equal(test, x_test):
                return
        self.rounds.append((x_train.clone(), x_test.clone()))

    def numbers(self, x: Tensor) -> list[tuple[Tensor, Tensor]] | None:
        """Return the rounds as indices of rows of `x`; None if a point is not among them."""
        pairs = [(rows(train, x), rows(test, x)) for train, test in self.rounds]
        whole = [(train, test) for train, test in pairs if train is not None and test is not None]
        return whole if len(whole) == len(pairs) else None

    def mixes_labels(self, x: Tensor, y: Tensor) -> bool:
        """Tell whether a classifier was made with labels that belong to other points."""
        pairs = ((rows(train, x), labels) for train, labels in self.labels)
        return any(numbers is not None and not torch.equal(y[numbers], labels) for numbers, labels in pairs)


# Distances

VECTORS = hidden_normal("vectors/a", shape=(11, 6)), hidden_normal("vectors/b", shape=(7, 6))
VECTOR_DISTS = true_distances(*VECTORS)
IMAGES = normal("images/a", shape=(6, 3, 4, 5)), normal("images/b", shape=(8, 3, 4, 5))
IMAGE_DISTS = true_distances(*IMAGES)
FEW_AND_MANY = normal("operations", shape=(64, 5))


def check_vectors(function: Callable[..., object]) -> None:
    """Compare with the oracle in float64, where no rounding excuses a difference."""
    found = function(*(x.clone() for x in VECTORS))
    hints = partial(distance_hints, VECTOR_DISTS, *VECTORS)
    checks.close(found, VECTOR_DISTS, what="the squared distances", operation="cancellation", hints=hints)


def check_images(function: Callable[..., object]) -> None:
    """Compare with the oracle on points with three dimensions each."""
    found = function(*(x.clone() for x in IMAGES))
    hints = partial(distance_hints, IMAGE_DISTS, *IMAGES)
    what = "the squared distances of images"
    checks.close(found, IMAGE_DISTS, what=what, operation="cancellation", hints=hints)


def growth_of_operations(function: Callable[..., object]) -> float:
    """Return how many times more tensor operations 64 points take than 8."""
    counts = []
    for size in (8, 64):
        measured = measure(function, FEW_AND_MANY[:size].clone(), FEW_AND_MANY[:size].clone())
        checks.tensor(measured.result, shape=(size, size), what="the squared distances")
        counts.append(max(1, measured.operations))
    return counts[1] / counts[0]


@pytest.mark.task("distances_two_loops", weight=4)
def test_two_loops_vectors() -> None:
    """Two loops: vectors in float64."""
    check_vectors(knn.compute_distances_two_loops)


@pytest.mark.task("distances_two_loops", weight=2)
def test_two_loops_images() -> None:
    """Two loops: images in float32, whose points have more than one dimension."""
    check_images(knn.compute_distances_two_loops)


@pytest.mark.task("distances_one_loop", weight=6)
def test_one_loop_vectors() -> None:
    """One loop: vectors in float64."""
    check_vectors(knn.compute_distances_one_loop)


@pytest.mark.task("distances_one_loop", weight=4)
def test_one_loop_images() -> None:
    """One loop: images in float32, whose points have more than one dimension."""
    check_images(knn.compute_distances_one_loop)


@pytest.mark.constraint
@pytest.mark.task("distances_one_loop", weight=4)
def test_one_loop_operations() -> None:
    """One loop: the number of tensor operations grows with the points, not with the pairs of points."""
    growth = growth_of_operations(knn.compute_distances_one_loop)
    checks.holds(
        growth < 20,  # 8 times the points: about 8 for one loop, 64 for two
        what="the number of tensor operations",
        problem="grows as if there were a loop over all pairs of points",
    )


@pytest.mark.task("distances_no_loops", weight=6)
def test_no_loops_vectors() -> None:
    """No loops: vectors in float64."""
    check_vectors(knn.compute_distances_no_loops)


@pytest.mark.task("distances_no_loops", weight=4)
def test_no_loops_images() -> None:
    """No loops: images in float32, whose points have more than one dimension."""
    check_images(knn.compute_distances_no_loops)


POINTS = normal("points", shape=(80, 100))
FAR = normal("far/a", shape=(15, 64)) + 1000, normal("far/b", shape=(10, 64)) + 1000
FAR_DISTS = true_distances(*FAR)
FAR_ROUNDING = 2.0**-22 * max(float(x.double().square().sum(dim=1).max()) for x in FAR) * 4
"""How far rounding in float32 may take a² - 2ab + b² of these points; other mistakes go further."""
LARGE = normal("large/a", shape=(192, 3, 32, 32)), normal("large/b", shape=(190, 3, 32, 32))


@pytest.mark.task("distances_no_loops", weight=2)
def test_no_loops_not_negative() -> None:
    """No loops: no squared distance is negative in float32, not even that of a point to itself."""
    found = knn.compute_distances_no_loops(POINTS.clone(), POINTS.clone())
    what, right = "the squared distances", true_distances(POINTS, POINTS)
    hints = partial(distance_hints, right, POINTS, POINTS)
    checks.close(found, right, what=what, operation="large numbers", hints=hints)
    dists = checks.tensor(found, shape=(80, 80), dtype=torch.float32, what=what)
    checks.holds(
        not bool((dists < 0).any()),
        what=what,
        problem="negative in places",
        likely_cause=BELOW,
        slip=True,
    )


@pytest.mark.task("distances_no_loops", weight=4)
def test_no_loops_far_from_zero() -> None:
    """No loops: points that share a large offset come out right to a thousandth in float32."""
    found = knn.compute_distances_no_loops(*(x.clone() for x in FAR))
    what = "the squared distances of points around 1000"
    dists = checks.tensor(found, shape=(15, 10), dtype=torch.float32, what=what)

    def hints() -> list[Hint]:
        says = "a², 2ab and b² are in the millions; shift all points by the same amount"
        is_near = bool(((dists.double() - FAR_DISTS).abs() < FAR_ROUNDING).all())
        return [*distance_hints(FAR_DISTS, *FAR), *([Hint(dists, says=says)] if is_near else [])]

    checks.close(dists, FAR_DISTS, what=what, operation="gradient", hints=hints)


@pytest.mark.constraint
@pytest.mark.task("distances_no_loops", weight=2)
def test_no_loops_operations() -> None:
    """No loops: the number of tensor operations does not grow with the points."""
    growth = growth_of_operations(knn.compute_distances_no_loops)
    checks.holds(
        growth < 2.5,  # 8 times the points: 1 without a loop, about 6 with one
        what="the number of tensor operations",
        problem="grows with the number of points, as that of a loop does",
    )


@pytest.mark.constraint
@pytest.mark.limits(memory_mb=160)
@pytest.mark.task("distances_no_loops", weight=2)
def test_no_loops_memory() -> None:
    """No loops: images of real size fit into memory."""
    found = knn.compute_distances_no_loops(*(x.clone() for x in LARGE))
    checks.tensor(found, shape=(192, 190), dtype=torch.float32, what="the squared distances")


# Labels

VOTE_DISTS, VOTE_LABELS = ranks("votes", 13, 60), hidden_labels("votes/y", classes=4, count=13)
VOTES = {k: true_labels(VOTE_DISTS, VOTE_LABELS, k) for k in range(1, 14)}
# Points whose label for k = 5 hangs neither on a tie nor on the nearest neighbor alone.
CLEAR = (VOTES[5] == labels_if_largest_wins(VOTE_DISTS, VOTE_LABELS, 5)) & (VOTES[5] != VOTES[1])
CLEAR_DISTS, CLEAR_VOTES = VOTE_DISTS[:, CLEAR], VOTES[5][CLEAR]
NAMES = torch.tensor([3, 17, 40, 99])
TIE_POOL = ranks("ties", 14, 500)
TIE_LABELS = torch.arange(14)[torch.randperm(14, generator=hidden_generator("ties/y"))] % 5


def draw_ties(k: int) -> Tensor:
    """Return distances of points with ties, where rules other than the smallest label give another one."""
    nearest = labels_if_nearest_wins(TIE_POOL, TIE_LABELS, k)
    largest = labels_if_largest_wins(TIE_POOL, TIE_LABELS, k)
    right, alone = (true_labels(TIE_POOL, TIE_LABELS, number) for number in (k, 1))
    some = (nearest != right) & (alone != nearest) & (alone != right)
    others = (nearest == right) & (largest != right)
    return torch.cat([TIE_POOL[:, some][:, :6], TIE_POOL[:, others][:, :6]], dim=1)


@pytest.mark.task("predict_labels", weight=5)
def test_labels_for_every_k() -> None:
    """Labels are right for every k from 1 to the number of training points."""
    for k in sorted(VOTES, key=lambda k: k not in (1, 5)):  # k = 2 does not tell mistakes from one another
        found = knn.predict_labels(VOTE_DISTS.clone(), VOTE_LABELS.clone(), k=k)
        what = f"the labels for k = {k}"
        checks.tensor(found, shape=(60,), dtype=torch.int64, what=what)
        checks.equal(found, VOTES[k], what=what, hints=partial(label_hints, VOTE_DISTS, VOTE_LABELS, k))


@pytest.mark.task("predict_labels", weight=4)
def test_labels_after_ties() -> None:
    """After a tie between several labels the smallest of them wins."""
    for k in (5, 6):
        dists = draw_ties(k)
        found = knn.predict_labels(dists.clone(), TIE_LABELS.clone(), k=k)
        what, hints = f"the labels for k = {k}", partial(label_hints, dists, TIE_LABELS, k)
        checks.equal(found, true_labels(dists, TIE_LABELS, k), what=what, hints=hints)


@pytest.mark.task("predict_labels", weight=2)
def test_labels_with_gaps() -> None:
    """Labels need not be consecutive, and k = 1 is the default."""
    y_train = NAMES[VOTE_LABELS]
    found = knn.predict_labels(VOTE_DISTS.clone(), y_train.clone())
    hints = [
        Hint(VOTES[1], says="the position among the labels that occur was returned, not the label"),
        Hint(VOTE_DISTS.argmin(dim=0), says="the index of the nearest point was returned, not its label"),
        Hint(true_labels(-VOTE_DISTS, y_train), says="the farthest points voted, not the nearest"),
    ]
    checks.equal(found, NAMES[VOTES[1]], what="the labels", hints=hints)
    found = knn.predict_labels(CLEAR_DISTS.clone(), y_train.clone(), k=5)
    hints = partial(label_hints, CLEAR_DISTS, y_train, 5)
    checks.equal(found, NAMES[CLEAR_VOTES], what="the labels for k = 5", hints=hints)


@pytest.mark.task("predict_labels", weight=2)
def test_labels_of_one_point() -> None:
    """A single test point, with distances in float64, gets a tensor with one label."""
    labels = []
    for dists in CLEAR_DISTS.split(1, dim=1):
        found = knn.predict_labels(dists.double(), VOTE_LABELS.clone(), k=5)
        labels.append(checks.tensor(found, shape=(1,), dtype=torch.int64, what="the label for k = 5"))
    hints = partial(label_hints, CLEAR_DISTS, VOTE_LABELS, 5)
    checks.equal(torch.cat(labels), CLEAR_VOTES, what="the labels of one point each", hints=hints)


# The classifier

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


@pytest.mark.task("classifier", weight=2)
def test_classifier_on_hidden_points() -> None:
    """The classifier predicts what distances and votes give, for the k that is asked for."""
    with with_true_functions():
        classifier = knn.KnnClassifier(X_TRAIN.clone(), Y_TRAIN.clone())
        found = {k: classifier.predict(X_TEST.clone(), k=k) for k in (1, 7)}
    hints = [Hint(torch.full((30,), -1), says="training and test points are swapped")]
    checks.equal(found[1], PREDICTED[1], what="the labels for k = 1", hints=hints)
    hints = [Hint(PREDICTED[1], says="k is not passed on")]
    checks.tensor(found[7], shape=(40,), dtype=torch.int64, what="the labels for k = 7")
    checks.equal(found[7], PREDICTED[7], what="the labels for k = 7", hints=hints)


@pytest.mark.task("classifier", weight=2)
def test_classifier_accuracy_on_hidden_points() -> None:
    """The accuracy is the percentage of right labels, for the k that is asked for."""
    with with_true_functions():
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
            what = f"the accuracy for k = {k}"
            checks.close(checks.scalar(found, what=what), right, what=what, hints=hints[k])


@pytest.mark.task("classifier", weight=2)
def test_classifier_on_digits() -> None:
    """Handwritten digits that nobody has seen are recognized."""
    with with_true_functions():
        classifier = knn.KnnClassifier(DIGITS.x_train.clone(), DIGITS.y_train.clone())
        found = classifier.predict(X_CHANGED.clone(), k=3)
    labels = checks.tensor(found, shape=(NUM_DIGITS,), dtype=torch.int64, what="the labels of the digits")
    accuracy = float((labels == Y_CHANGED).double().mean()) * 100
    checks.number(accuracy, at_least=80, what="the percentage of digits recognized")


# Cross-validation

DEFAULT_CHOICES = (1, 3, 5, 8, 10, 12, 15, 20, 50, 100)
X_FOLDS, Y_FOLDS = normal("folds", shape=(130, 3)), hidden_labels("folds/y", classes=3, count=130)
X_ODD, Y_ODD = X_FOLDS[:22], Y_FOLDS[:22]


def as_numbers(found: object) -> object:
    """Return accuracies that came as tensors as plain numbers."""
    if type(found) is dict:
        return {k: as_numbers(values) for k, values in found.items()}
    if type(found) is Tensor:
        return found.tolist()
    if type(found) is list or type(found) is tuple:
        return [as_numbers(value) for value in found]
    return found


def check_cross_validation(
    x: Tensor, y: Tensor, folds_and_choices: tuple[int, Sequence[int]], **kwargs: object
) -> None:
    """Cross-validate, and compare with the accuracies for the folds that were used, whatever they are."""
    num_folds, k_choices = folds_and_choices
    calls = Calls()
    count = num_folds * len(k_choices) * 2
    classifier = constructor(knn.KnnClassifier, None, calls.methods, count=count)
    with with_true_functions(), substituted(knn, KnnClassifier=classifier):
        found = as_numbers(knn.knn_cross_validate(x, y, **kwargs))
    x, y = X_FOLDS[: len(x)], Y_FOLDS[: len(x)]  # as they were before
    what, everything = "the accuracies for each k", torch.arange(len(x))
    checks.holds(
        not calls.mixes_labels(x, y),
        what="the labels to train with",
        problem="belong to other points",
        likely_cause=MIXED,
        slip=True,
    )
    split = [len(part) for part in everything.tensor_split(num_folds)]
    rounds = calls.numbers(x) or folds(split)
    parts = torch.cat([test for _, test in rounds]).sort().values
    whole = all(torch.equal(torch.cat(pair).sort().values, everything) for pair in rounds)
    if not whole or not torch.equal(parts, everything) or len(rounds) != num_folds:
        hints = fold_hints(x, y, folds(split), k_choices)
        right = true_accuracies(x, y, folds(split), k_choices)
        if not any(checks.agrees(found, hint.expected) for hint in hints):
            overlap = any(bool(torch.isin(test, train).any()) for train, test in rounds)
            some = "what the classifiers were trained and measured on"
            checks.holds(not overlap, what=some, problem="not different", likely_cause=OVERLAP, slip=True)
            problem = "not all points, each held out once"
            checks.holds(
                whole and len(parts) == len(x), what=some, problem=problem, likely_cause=LEFT_OUT, slip=True
            )
        checks.close(found, right, what=what, hints=hints)
        return
    hints = partial(fold_hints, x, y, rounds, k_choices)
    checks.close(found, true_accuracies(x, y, rounds, k_choices), what=what, hints=hints)


@pytest.mark.task("cross_validate", weight=4)
def test_cross_validation_with_equal_folds() -> None:
    """Every fold is held out once, for every k, and the accuracies come in the order of the folds."""
    x, y = X_FOLDS[:24].clone(), Y_FOLDS[:24].clone()
    check_cross_validation(x, y, (4, [1, 2, 6]), num_folds=4, k_choices=[1, 2, 6])


@pytest.mark.task("cross_validate", weight=4)
def test_cross_validation_with_uneven_folds() -> None:
    """Twenty-two points in four folds: every point is held out once."""
    check_cross_validation(X_ODD.clone(), Y_ODD.clone(), (4, [1, 3]), num_folds=4, k_choices=[1, 3])


@pytest.mark.task("cross_validate", weight=2)
def test_cross_validation_by_default() -> None:
    """By default there are five folds and ten values of k."""
    check_cross_validation(X_FOLDS.clone(), Y_FOLDS.clone(), (5, DEFAULT_CHOICES))


@pytest.mark.task("cross_validate", weight=2)
def test_cross_validation_inputs_unchanged() -> None:
    """Neither the training data nor the list of values of k is modified."""
    x, y, choices = X_FOLDS[:24].clone(), Y_FOLDS[:24].clone(), [6, 1, 2]
    check_cross_validation(x, y, (4, [1, 2, 6]), num_folds=4, k_choices=choices)
    checks.unchanged(X_FOLDS[:24], x, what="x_train")
    checks.unchanged(Y_FOLDS[:24], y, what="y_train")
    checks.unchanged([6, 1, 2], choices, what="k_choices")


# The best k

ANY_KEY = "after a tie another key was chosen, not the smallest"


@pytest.mark.task("best_k", weight=2)
def test_best_k_on_average() -> None:
    """The average over the folds decides, not a single fold."""
    best = knn.knn_get_best_k(
        {2: [10.0, 95.0, 15.0], 9: [60.0, 50.0, 40.0], 30: [20.0, 20.0, 90.0], 5: [70.0, 0.0, 0.0]}
    )
    hints = [
        Hint(2, says="the best single fold decided"),
        Hint(30, says="the last fold decided"),
        Hint(1, says="the position of the best k, not k itself"),
        Hint(5, says="the first fold or the worst average decided"),
        Hint(50.0, says="the accuracy was returned, not its k"),
        Hint(95.0, says="the accuracy was returned, not its k"),
    ]
    checks.equal(best, 9, what="the best k", hints=hints)


@pytest.mark.task("best_k", weight=2)
def test_best_k_after_a_tie() -> None:
    """Of equally good values the smallest is chosen, in whatever order they come."""
    pairs = [
        (12, [60.0, 65.0]),
        (8, [62.5, 62.5]),
        (30, [50.0, 75.0]),
        (100, [70.0, 55.0]),
        (5, [25.0, 25.0]),
        (40, [90.0, 10.0]),
    ]
    hints = [
        Hint(1, says="the position of the best k, not k itself"),
        Hint(12, says=ANY_KEY),
        Hint(30, says=ANY_KEY),
        Hint(40, says="the best single fold decided"),
        Hint(100, says=ANY_KEY),
    ]
    for order in (pairs, pairs[::-1]):
        checks.equal(knn.knn_get_best_k(dict(order)), 8, what="the best k", hints=hints)
