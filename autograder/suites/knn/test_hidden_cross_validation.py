"""Hidden tests of cross-validation, on top of a right classifier, and of the choice of k."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import knn
import pytest
import torch
from suite.neighbors import (
    folds,
    normal,
    true_accuracies,
    true_accuracy,
    true_distances,
    true_labels,
    with_true_functions,
)
from torch import Tensor

from autograder.hidden import hidden_labels
from helpers.testing import Hint, asking, checks, constructor, substituted

OVERLAP = "the held-out fold is among the training data"
MIXED = "points and labels are not cut in the same way"
LEFT_OUT = "points are missing from the training data or from the folds"
ANEW = "the points were shuffled or cut anew in between; do that once, before all loops"


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
        "multiplied by 100 twice; check_accuracy returns a percentage": {
            k: [100 * v for v in right[k]] for k in right
        },
        "k is not passed on": {k: true_accuracies(x, y, rounds, [1])[1] for k in right},
    }
    means = {k: sum(right[k]) / len(right[k]) for k in right}
    return [
        *(Hint(value, says=says) for says, value in others.items()),
        Hint(means, says="the accuracies were averaged; there is one per fold"),
    ]


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
        x_train, y_train = torch.as_tensor(x_train), torch.as_tensor(y_train)  # arrays will do
        x_train = x_train.reshape(len(x_train), -1)
        self.labels.append((x_train.clone(), y_train.clone()))
        if y_train.shape != (len(x_train),):
            y_train = torch.zeros(len(x_train), dtype=torch.int64)

        def predict(x_test: Tensor, k: int = 1) -> Tensor:
            x_test = torch.as_tensor(x_test).reshape(len(x_test), -1)
            self._see(x_train, x_test)
            return true_labels(true_distances(x_train, x_test), y_train, k)

        def check_accuracy(x_test: Tensor, y_test: Tensor, k: int = 1, quiet: bool = False) -> float:
            x_test = torch.as_tensor(x_test).reshape(len(x_test), -1)
            self._see(x_train, x_test)
            return true_accuracy(x_train, y_train, x_test, torch.as_tensor(y_test), k)

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


DEFAULT_CHOICES = (1, 3, 5, 8, 10, 12, 15, 20, 50, 100)
X_FOLDS, Y_FOLDS = normal("folds", shape=(130, 3)), hidden_labels("folds/y", classes=3, count=130)


def as_numbers(found: object) -> object:
    """Return accuracies that came as tensors as plain numbers."""
    if type(found) is dict:
        return {k: as_numbers(values) for k, values in found.items()}
    if type(found) is Tensor:
        return found.tolist()
    if type(found) is list or type(found) is tuple:
        return [as_numbers(value) for value in found]
    return found


@asking.one_slip()
def check_cross_validation(
    x: Tensor, y: Tensor, folds_and_choices: tuple[int, Sequence[int]], **kwargs: object
) -> None:
    """Cross-validate, and compare with the accuracies for the folds that were used, whatever they are."""
    num_folds, k_choices = folds_and_choices
    calls = Calls()
    count = num_folds * len(k_choices) * 2
    classifier = constructor(knn.KnnClassifier, None, calls.methods, count=count)
    with with_true_functions(), substituted(knn, KnnClassifier=classifier):
        found = as_numbers(asking.ask_points(knn.knn_cross_validate, x, y, **kwargs))
    x, y = X_FOLDS[: len(x)], Y_FOLDS[: len(x)]  # as they were before
    what, everything = "the accuracies for each k", torch.arange(len(x))
    alike = all(labels.shape == points.shape[:1] for points, labels in calls.labels)
    for fine, problem, cause in (
        (alike, "one is not a number", "points were handed over as labels"),
        (not calls.mixes_labels(x, y), "belong to other points", MIXED),
    ):
        checks.holds(fine, what="the labels to train with", problem=problem, likely_cause=cause, slip=True)
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
            problem, anew = "not all points, each held out once", whole and len(parts.unique()) < len(parts)
            checks.holds(not anew, what=some, problem=problem, likely_cause=ANEW, slip=True)
            all_points = whole and len(parts) == len(x)
            checks.holds(all_points, what=some, problem=problem, likely_cause=LEFT_OUT, slip=True)
        checks.close(found, right, what=what, hints=hints)
        return
    hints = partial(fold_hints, x, y, rounds, k_choices)
    checks.close(found, true_accuracies(x, y, rounds, k_choices), what=what, hints=hints)


@pytest.mark.task("cross_validate", weight=4)
def test_cross_validation_with_equal_folds() -> None:
    """Every fold is held out once, for every k, and the accuracies come in the order of the folds."""
    x, y = X_FOLDS[:24].clone(), Y_FOLDS[:24].clone()
    check_cross_validation(x, y, (4, [1, 2, 6]), num_folds=4, k_choices=[1, 2, 6])


UNEVEN = "folds may differ in size by one; torch.stack takes parts of one size only, a list takes any"


@pytest.mark.task("cross_validate", weight=4)
def test_cross_validation_with_uneven_folds() -> None:
    """Twenty-two points in four folds: every point is held out once."""

    def check(count: int) -> None:
        x, y = X_FOLDS[:count].clone(), Y_FOLDS[:count].clone()
        check_cross_validation(x, y, (4, [1, 3]), num_folds=4, k_choices=[1, 3])

    of_one_size = asking.Slip(again=lambda: check(20), sign="", cause=UNEVEN)
    asking.check_but_for(lambda: check(22), of_one_size, what="the call with 22 points in 4 folds")


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
    nothing = [Hint(lambda k: k not in (1, 3), says="no accuracy is better than 0 here; begin below 0")]
    best = knn.knn_get_best_k({3: [0.0, 0.0], 1: [0.0, 0.0]})
    checks.equal(best, 1, what="the best k where all accuracies are 0", hints=nothing)
