"""Public checks of the k-nearest-neighbor assignment: small enough to be worked out by hand."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import knn
import pytest
import torch

from helpers.testing import (
    Hint,
    asking,
    checks,
    constructor,
    measure,
    public_generator,
    require,
    require_any_device,
    substituted,
)

X_TRAIN = torch.tensor([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]])
X_TEST = torch.tensor([[0.0, 0.0], [3.0, 0.0], [1.0, 7.0], [-3.0, 4.0]])
DISTS = torch.tensor([[0.0, 9.0, 50.0, 25.0], [25.0, 16.0, 13.0, 36.0], [100.0, 73.0, 26.0, 97.0]])
WRONG = {
    "the square root was taken": [
        [[0.0, 3.0, 7.0710678, 5.0], [5.0, 4.0, 3.6055513, 6.0], [10.0, 8.5440037, 5.0990195, 9.8488578]]
    ],
    "absolute differences were added, not squares": [
        [[0.0, 3.0, 8.0, 7.0], [7.0, 4.0, 5.0, 6.0], [14.0, 11.0, 6.0, 13.0]]
    ],
    "the differences were added before they were squared": [
        [[0.0, 9.0, 64.0, 1.0], [49.0, 16.0, 1.0, 36.0], [196.0, 121.0, 36.0, 169.0]]
    ],
    "the squares were averaged, not added": [
        [[0.0, 4.5, 25.0, 12.5], [12.5, 8.0, 6.5, 18.0], [50.0, 36.5, 13.0, 48.5]]
    ],
    # By a² - 2ab + b²: as it is, and with all points shifted so that the training points lie around 0.
    "the factor 2 of a² - 2ab + b² is missing": [
        [[0.0, 9.0, 50.0, 25.0], [25.0, 25.0, 44.0, 43.0], [100.0, 91.0, 88.0, 111.0]],
        [[25.0, 25.0, 44.0, 43.0], [25.0, 16.0, 13.0, 36.0], [75.0, 57.0, 32.0, 79.0]],
    ],
    "2ab was added; a² - 2ab + b² subtracts it": [
        [[0.0, 9.0, 50.0, 25.0], [25.0, 52.0, 137.0, 64.0], [100.0, 145.0, 274.0, 153.0]],
        [[100.0, 73.0, 26.0, 97.0], [25.0, 16.0, 13.0, 36.0], [0.0, 9.0, 50.0, 25.0]],
    ],
    "the squares of the test points are missing": [
        [[0.0, 0.0, 0.0, 0.0], [25.0, 7.0, -37.0, 11.0], [100.0, 64.0, -24.0, 72.0]],
        [[-25.0, -7.0, 37.0, -11.0], [0.0, 0.0, 0.0, 0.0], [75.0, 57.0, 13.0, 61.0]],
        [[0.0, 0.0, 0.0, 0.0], [25.0, 7.0, 0.0, 11.0], [100.0, 64.0, 0.0, 72.0]],
        [[0.0, 0.0, 37.0, 0.0], [0.0, 0.0, 0.0, 0.0], [75.0, 57.0, 13.0, 61.0]],
    ],
    "the squares of the training points are missing": [
        [[0.0, 9.0, 50.0, 25.0], [0.0, -9.0, -12.0, 11.0], [0.0, -27.0, -74.0, -3.0]],
        [[-25.0, -16.0, 25.0, 0.0], [25.0, 16.0, 13.0, 36.0], [75.0, 48.0, 1.0, 72.0]],
        [[0.0, 9.0, 50.0, 25.0], [0.0, 0.0, 0.0, 11.0], [0.0, 0.0, 0.0, 0.0]],
        [[0.0, 0.0, 25.0, 0.0], [25.0, 16.0, 13.0, 36.0], [75.0, 48.0, 1.0, 72.0]],
    ],
    "training and test points were shifted by different amounts": [
        [[9.125, 34.625, 82.125, 27.625], [7.625, 15.125, 18.625, 12.125], [56.125, 45.625, 5.125, 46.625]]
    ],
}
SWAPPED = Hint(DISTS.T, says="x_train and x_test are swapped")
EMPTY = Hint(torch.zeros(3, 4), says="the result was never filled in")
DIST_HINTS = [Hint(torch.tensor(one), says=says) for says, values in WRONG.items() for one in values]

DISTANCES = ("torch.norm", "torch.dist", "torch.cdist", "torch.pdist", "torch.pairwise_distance")
BANNED = (*DISTANCES, "torch.nn", "torch.linalg", "numpy.linalg", "scipy", "sklearn")

Distances = Callable[..., object]


@asking.one_slip()
def check_by_hand(function: Distances) -> None:
    """Check the distances of three training points and four test points."""
    found = asking.ask_points(function, X_TRAIN.clone(), X_TEST.clone())
    hints = [SWAPPED, EMPTY, *DIST_HINTS]
    checks.close(found, DISTS, what="the squared distances", operation="cancellation", hints=hints)


def check_images(function: Distances) -> None:
    """Check the same points as images of shape (1, 2, 1)."""
    found = function(X_TRAIN.reshape(3, 1, 2, 1).clone(), X_TEST.reshape(4, 1, 2, 1).clone())
    what = "the squared distances of images"
    checks.close(found, DISTS, what=what, operation="cancellation", hints=[SWAPPED, EMPTY, *DIST_HINTS])


def check_inputs_unchanged(function: Distances) -> None:
    """Check that both inputs are as before."""
    x_train, x_test = X_TRAIN.clone(), X_TEST.clone()
    asking.ask_points(function, x_train, x_test)
    checks.unchanged(X_TRAIN, x_train, what="x_train")
    checks.unchanged(X_TEST, x_test, what="x_test")
    require_any_device(function)


def check_source(function: Distances, loops: int | None = None, banned: Sequence[str] = ()) -> None:
    """Check that the function runs, then that its source keeps to the rules."""
    asking.ask_points(function, X_TRAIN.clone(), X_TEST.clone())
    require(function, loops=loops, banned=banned)


@pytest.mark.task("distances_two_loops", weight=4)
def test_two_loops_by_hand() -> None:
    """Two loops: three training points against four test points."""
    check_by_hand(knn.compute_distances_two_loops)


@pytest.mark.task("distances_two_loops", weight=2)
def test_two_loops_small_images() -> None:
    """Two loops: the same points as tiny images."""
    check_images(knn.compute_distances_two_loops)


@pytest.mark.task("distances_two_loops", weight=4)
@pytest.mark.constraint
def test_two_loops_inputs_unchanged() -> None:
    """Two loops: the inputs are not modified."""
    check_inputs_unchanged(knn.compute_distances_two_loops)


@pytest.mark.task("distances_two_loops", weight=4)
@pytest.mark.constraint
def test_two_loops_own_work() -> None:
    """Two loops: no ready-made norm or distance function is used."""
    check_source(knn.compute_distances_two_loops, banned=BANNED)


@pytest.mark.task("distances_one_loop", weight=6)
def test_one_loop_by_hand() -> None:
    """One loop: three training points against four test points."""
    check_by_hand(knn.compute_distances_one_loop)


@pytest.mark.task("distances_one_loop", weight=2)
def test_one_loop_small_images() -> None:
    """One loop: the same points as tiny images."""
    check_images(knn.compute_distances_one_loop)


@pytest.mark.task("distances_one_loop", weight=2)
@pytest.mark.constraint
def test_one_loop_inputs_unchanged() -> None:
    """One loop: the inputs are not modified."""
    check_inputs_unchanged(knn.compute_distances_one_loop)


@pytest.mark.task("distances_one_loop", weight=3)
@pytest.mark.constraint
def test_one_loop_own_work() -> None:
    """One loop: no ready-made norm or distance function is used."""
    check_source(knn.compute_distances_one_loop, banned=BANNED)


@pytest.mark.task("distances_one_loop", weight=3)
@pytest.mark.constraint
def test_one_loop_source() -> None:
    """One loop: the source holds at most one explicit loop."""
    check_source(knn.compute_distances_one_loop, loops=1)


@pytest.mark.task("distances_no_loops", weight=6)
def test_no_loops_by_hand() -> None:
    """No loops: three training points against four test points."""
    check_by_hand(knn.compute_distances_no_loops)


@pytest.mark.task("distances_no_loops", weight=2)
def test_no_loops_small_images() -> None:
    """No loops: the same points as tiny images."""
    check_images(knn.compute_distances_no_loops)


@pytest.mark.task("distances_no_loops", weight=4)
@pytest.mark.constraint
def test_no_loops_inputs_unchanged() -> None:
    """No loops: the inputs are not modified."""
    check_inputs_unchanged(knn.compute_distances_no_loops)


@pytest.mark.task("distances_no_loops", weight=4)
@pytest.mark.constraint
def test_no_loops_own_work() -> None:
    """No loops: no ready-made norm or distance function is used."""
    check_source(knn.compute_distances_no_loops, banned=BANNED)


@pytest.mark.task("distances_no_loops", weight=4)
@pytest.mark.constraint
def test_no_loops_source() -> None:
    """No loops: the source holds no explicit loop."""
    check_source(knn.compute_distances_no_loops, loops=0)


@pytest.mark.task("distances_no_loops", weight=4)
@asking.one_slip()
def test_no_loops_large_offset() -> None:
    """No loops: points around 1000 come out right to a thousandth."""
    points = X_TRAIN / 2 + 1000.1, X_TEST / 2 + 1000.1
    found = asking.ask_points(knn.compute_distances_no_loops, *points)
    what, right = "the squared distances of points around 1000", DISTS / 4
    dists = checks.tensor(found, shape=(3, 4), dtype=torch.float32, what=what)
    values = [(says, torch.tensor(one)) for says, group in WRONG.items() for one in group]
    hints = [EMPTY, *(Hint(value / part, says=says) for says, value in values for part in (2, 4))]
    for value, says in ((dists, FAR), (dists.square(), "the square root was taken")):
        if bool(((value - right).abs() < 3).all()):
            hints.append(Hint(dists, says=says))
    checks.close(dists, right, what=what, operation="gradient", hints=hints)


FAR = "a², 2ab and b² are in the millions; shift all points by the same amount"
MANY = torch.randn(60, 30, generator=public_generator("knn", "many"))


@pytest.mark.task("distances_no_loops", weight=2)
@asking.one_slip()
def test_no_loops_to_itself() -> None:
    """No loops: no point has a negative distance, not even to itself."""
    found = asking.ask_points(knn.compute_distances_no_loops, MANY.clone(), MANY.clone())
    dists = checks.tensor(found, shape=(60, 60), dtype=torch.float32, what="the squared distances")
    to_itself = dists.isfinite() | torch.eye(60, dtype=torch.bool)
    checks.holds(
        bool(dists.isfinite().all()),
        what="the squared distances",
        problem="infinite or NaN",
        likely_cause="the square root was taken",  # of what rounding led below zero
        slip=bool(to_itself.all()),
    )
    checks.holds(
        float(dists.diagonal().abs().max()) < 0.1 and float(dists.max()) > 1,
        what="the squared distances of points to themselves",
        problem="not 0",
        slip=True,
    )
    checks.holds(
        float(dists.min()) >= 0,
        slip=True,
        likely_cause="rounding may lead below zero, where no square can be: cut that off",
        problem="below 0",
        what="the smallest squared distance",
    )


@pytest.mark.task("distances_no_loops", weight=4)
@pytest.mark.constraint
def test_no_loops_small_tensors() -> None:
    """No loops: no tensor holds all features of all pairs of points."""
    measured = asking.ask_points(partial(measure, knn.compute_distances_no_loops), MANY.clone(), MANY.clone())
    checks.holds(
        measured.largest < 60 * 60 * 30,  # bytes, of which a number takes four
        what="the largest tensor that was built",
        problem="about as large as num_train * num_test * D",
        likely_cause="x_train[:, None] - x_test builds it; a² - 2ab + b² does not",
    )


VOTE_DISTS = torch.tensor(
    [
        [2.0, 10.0, 5.0, 1.0],
        [4.0, 9.0, 2.0, 4.5],
        [6.0, 8.0, 4.0, 1.5],
        [18.0, 2.0, 3.0, 5.0],
        [20.0, 1.0, 10.0, 0.5],
    ]
)
VOTE_LABELS = torch.tensor([2, 1, 2, 0, 3])
FARTHEST = "the farthest points voted, not the nearest"
ALONE = "the nearest point decided alone: k is ignored"
ROWS = "rows were sorted; a column holds one test point"


def in_rows(k: int) -> list[Hint]:
    """Return hints for shapes that come of sorting rows: a label for each row, or for each of k votes."""
    return [Hint(lambda labels: labels.shape in ((5,), (k,)), says=ROWS, slip=True)]


@pytest.mark.task("predict_labels", weight=2)
@asking.one_slip()
def test_nearest_neighbor() -> None:
    """With k = 1 the label of the nearest training point is predicted."""
    found = knn.predict_labels(VOTE_DISTS.clone(), VOTE_LABELS.clone(), k=1)
    what = "the labels for k = 1"
    checks.tensor(found, shape=(4,), what=what, hints=in_rows(1))
    hints = [
        Hint(torch.tensor([0, 2, 0, 1]), says=ROWS),
        Hint(torch.tensor([0, 4, 1, 4]), says="the index of the nearest point was returned, not its label"),
        Hint(torch.tensor([3, 2, 3, 0]), says=FARTHEST),
    ]
    checks.equal(found, torch.tensor([2, 3, 1, 3]), what=what, hints=hints)


@pytest.mark.task("predict_labels", weight=3)
@asking.one_slip()
def test_votes() -> None:
    """With k = 3 the majority wins, and after a tie the smallest label."""
    found = knn.predict_labels(VOTE_DISTS.clone(), VOTE_LABELS.clone(), k=3)
    what = "the labels for k = 3"
    checks.tensor(found, shape=(4,), what=what, hints=in_rows(3))
    mistakes = {
        ROWS: [2, 2, 2, 0],
        "after a tie the largest label was chosen; the smallest should win": [2, 3, 2, 2],
        "after a tie the nearest point decided; the smallest label should win": [2, 3, 1, 2],
        ALONE: [2, 3, 1, 3],
        FARTHEST: [0, 2, 2, 0],
    }
    hints = [Hint(torch.tensor(labels), says=says) for says, labels in mistakes.items()]
    checks.equal(found, torch.tensor([2, 0, 0, 2]), what=what, hints=hints)


@pytest.mark.task("predict_labels", weight=2)
@pytest.mark.constraint
def test_labels_inputs_unchanged() -> None:
    """Neither the distances nor the labels of the training points are modified."""
    dists, y_train = VOTE_DISTS.clone(), VOTE_LABELS.clone()
    knn.predict_labels(dists, y_train, k=3)
    checks.unchanged(VOTE_DISTS, dists, what="dists")
    checks.unchanged(VOTE_LABELS, y_train, what="y_train")
    require_any_device(knn.predict_labels)


LINE_TRAIN = torch.tensor([[0.0], [1.0], [10.0]])
LINE_TEST = torch.tensor([[9.0], [0.4]])
LINE_LABELS = torch.tensor([4, 4, 2])
LINE_DISTS = torch.tensor([[81.0, 0.16], [64.0, 0.36], [1.0, 92.16]])


@contextmanager
def given_functions() -> Iterator[list[str]]:
    """Replace the functions that the classifier builds on, so that it is checked on its own.

    Yields what is wrong about the arguments that they get.
    """
    wrong: list[str] = []

    def dists(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
        if len(x_train) == len(LINE_TEST):
            wrong.append("training and test points are swapped")
        return LINE_DISTS

    def labels(dists: torch.Tensor, y_train: torch.Tensor, k: int = 1) -> torch.Tensor:
        if y_train.dim() == 2:
            wrong.append("distances and labels are swapped: predict_labels(dists, y_train, k)")
        return torch.tensor({1: [2, 4], 3: [4, 4]}[k]).to(y_train.dtype)

    distances = {f"compute_distances_{how}": dists for how in ("two_loops", "one_loop", "no_loops")}
    with substituted(knn, **distances, predict_labels=labels):
        yield wrong


def check_arguments(wrong: list[str]) -> None:
    """Check that the functions that the classifier builds on got what they take."""
    what, cause = "the arguments of a function that the classifier calls", (wrong or [""])[0]
    checks.holds(not wrong, what=what, problem="not in order", likely_cause=cause, slip=True)


@pytest.mark.task("classifier", weight=2)
@asking.one_slip()
def test_classifier_predicts() -> None:
    """The classifier predicts labels from its training data, and passes k on."""
    with given_functions() as wrong:
        classifier = knn.KnnClassifier(LINE_TRAIN.clone(), LINE_LABELS.clone())
        one = classifier.predict(LINE_TEST.clone())
        three = classifier.predict(LINE_TEST.clone(), k=3)
    check_arguments(wrong)
    checks.equal(one, torch.tensor([2, 4]), what="the labels for k = 1")
    hints = [Hint(torch.tensor([2, 4]), says="k is not passed on")]
    checks.equal(three, torch.tensor([4, 4]), what="the labels for k = 3", hints=hints)


@pytest.mark.task("classifier", weight=2)
def test_classifier_accuracy() -> None:
    """The accuracy is a percentage."""
    with given_functions() as wrong:
        classifier = knn.KnnClassifier(LINE_TRAIN.clone(), LINE_LABELS.clone())
        accuracy = classifier.check_accuracy(LINE_TEST.clone(), torch.tensor([2, 5]), quiet=True)
    check_arguments(wrong)
    hints = [
        Hint(0.5, says="this is a fraction; multiply it by 100"),
        Hint(1.0, says="this is the number of right labels, not a percentage"),
    ]
    percent = checks.scalar(accuracy, what="the accuracy")
    checks.close(percent, 50.0, what="the accuracy", hints=hints)
    require_any_device(knn.KnnClassifier)


SEVEN = torch.tensor([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0]])
SEVEN_LABELS = torch.tensor([10, 11, 12, 13, 14, 15, 16])
OVERLAP = "the held-out fold is among the training data"
MIXED = "points and labels are not cut in the same way"
LEFT_OUT = "points are missing from the training data or from the folds"
MEASURED = "measured on the training data, not on the held-out fold"
ANEW = "the points were shuffled or cut anew in between; do that once, before all loops"

Round = tuple[tuple[int, ...], tuple[int, ...]]


def rounds_of_cross_validation(count: int) -> tuple[object, list[Round]]:
    """Cross-validate points in three folds; return the result, and what was trained and measured on.

    The classifier that is put in place knows the labels of points that k + 1 divides.
    """
    rounds: list[Round] = []
    wrong: list[tuple[str, str]] = []

    def numbers(x: torch.Tensor, y: torch.Tensor, what: str) -> tuple[int, ...]:
        listed = tuple(int(value) for value in x.flatten())
        if [10 + number for number in listed] != y.flatten().tolist():
            no_labels = y.dim() != 1 or bool(torch.isin(y, SEVEN.to(y.dtype)).all())
            cause = "points were handed over as labels" if no_labels else MIXED
            wrong.append((f"the labels of the {what} points", cause))
        return listed

    def methods(x_train: torch.Tensor, y_train: torch.Tensor) -> dict[str, Callable[..., object]]:
        known = numbers(x_train, y_train, "training")

        def predict(x_test: torch.Tensor, k: int = 1) -> torch.Tensor:
            there = tuple(int(value) for value in x_test.flatten())
            if (known, there) not in rounds:
                rounds.append((known, there))
            return torch.tensor([10 + number if number % (k + 1) == 0 else 0 for number in there])

        def check_accuracy(
            x_test: torch.Tensor, y_test: torch.Tensor, k: int = 1, quiet: bool = False
        ) -> float:
            numbers(x_test, y_test, "held-out")
            return 100 * float((predict(x_test, k) == y_test).double().mean())

        return {"predict": predict, "check_accuracy": check_accuracy}

    classifier = constructor(knn.KnnClassifier, None, methods, count=24)
    given = {"num_folds": 3, "k_choices": [2, 3]}
    with substituted(knn, KnnClassifier=classifier):
        data = SEVEN[:count].clone(), SEVEN_LABELS[:count].clone()
        found = asking.ask_points(knn.knn_cross_validate, *data, **given)
    what, cause = (wrong or [("", "")])[0]
    checks.holds(not wrong, what=what, problem="not theirs", likely_cause=cause, slip=True)
    return found, rounds


UNEVEN = "folds may differ in size by one; torch.stack takes parts of one size only, a list takes any"


@pytest.mark.task("cross_validate", weight=3)
def test_cross_validation_by_hand() -> None:
    """Seven points in three folds: each is held out once, and the classifier is trained on the others."""
    even = asking.Slip(UNEVEN, partial(check_folds, 6), sign="")
    asking.check_but_for(partial(check_folds, 7), even, what="knn_cross_validate")
    require_any_device(knn.knn_cross_validate)


@asking.one_slip()
def check_folds(count: int) -> None:
    """Check what classifiers are trained and measured on for so many points in three folds."""
    found, rounds = rounds_of_cross_validation(count)
    what = "what the classifiers were trained and measured on"
    for known, there in rounds:
        overlap, cause = bool(set(known) & set(there)), MEASURED if set(known) == set(there) else OVERLAP
        checks.holds(not overlap, what=what, problem="not different", likely_cause=cause, slip=True)
    held_out = sorted(number for _, there in rounds for number in there)
    whole = all(sorted(known + there) == list(range(count)) for known, there in rounds)
    checks.holds(
        held_out == list(range(count)) and whole,
        what=what,
        problem="not all points, each held out once",
        likely_cause=ANEW if whole and len(set(held_out)) < len(held_out) else LEFT_OUT,
        slip=True,
    )
    checks.equal(len(rounds), 3, what="the number of folds")
    known = {
        k: [100 * sum(one % (k + 1) == 0 for one in there) / len(there) for _, there in rounds]
        for k in (1, 2, 3)
    }
    right = {k: known[k] for k in (2, 3)}
    hints = [Hint(dict.fromkeys(right, known[k]), says="k is not passed on") for k in (1, 2)]
    for factor, says in (
        (1 / 100, "these are fractions; multiply them by 100"),
        (100, "multiplied by 100 twice; check_accuracy returns a percentage"),
    ):
        hints.append(Hint({k: [factor * v for v in right[k]] for k in right}, says=says))
    checks.close(to_numbers(found), right, what="the accuracies for each k", hints=hints)


def to_numbers(found: object) -> object:
    """Return accuracies with tensors in the place of numbers as plain numbers."""
    if type(found) is torch.Tensor:
        return found.tolist()
    if type(found) is dict:
        return {key: to_numbers(value) for key, value in found.items()}
    return [to_numbers(value) for value in found] if type(found) in (list, tuple) else found  # type: ignore[attr-defined]


@pytest.mark.task("best_k", weight=1)
def test_best_k_by_hand() -> None:
    """The k with the best average is chosen, and of two equally good ones the smaller."""
    best = knn.knn_get_best_k(
        {20: [75.0, 75.0], 3: [65.0, 75.0], 8: [70.0, 80.0], 5: [50.0, 60.0], 12: [85.0, 20.0]}
    )
    hints = [
        Hint(20, says="after a tie another key was chosen, not the smallest"),
        Hint(12, says="the best single fold decided"),
        Hint(0, says="the position of the best k, not k itself"),
        Hint(2, says="the position of the best k, not k itself"),
        Hint(5, says="the worst accuracies decided, not the best"),
        Hint(75.0, says="the accuracy was returned, not its k"),
    ]
    checks.equal(best, 8, what="the best k", hints=hints)
