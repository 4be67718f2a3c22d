"""Hidden tests of the three ways to compute squared distances."""

from collections.abc import Callable
from functools import partial

import knn
import pytest
import torch
from suite.neighbors import normal, true_distances
from torch import Tensor

from autograder.hidden import hidden_normal
from helpers.testing import Hint, asking, checks, measure

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


VECTORS = hidden_normal("vectors/a", shape=(11, 6)), hidden_normal("vectors/b", shape=(7, 6))
VECTOR_DISTS = true_distances(*VECTORS)
IMAGES = normal("images/a", shape=(6, 3, 4, 5)), normal("images/b", shape=(8, 3, 4, 5))
IMAGE_DISTS = true_distances(*IMAGES)
FEW_AND_MANY = normal("operations", shape=(64, 5))


@asking.one_slip()
def check_vectors(function: Callable[..., object]) -> None:
    """Compare with the oracle in float64, where no rounding excuses a difference."""
    found = asking.ask_points(function, *(x.clone() for x in VECTORS))
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
        points = FEW_AND_MANY[:size]
        measured = asking.ask_points(partial(measure, function), points.clone(), points.clone())
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
SMALL = 0.2
"""Far less than the distance of any two of the points, and more than the root of what rounding makes of 0."""
LARGE = normal("large/a", shape=(192, 3, 32, 32)), normal("large/b", shape=(190, 3, 32, 32))


@asking.one_slip()
@pytest.mark.task("distances_no_loops", weight=2)
def test_no_loops_not_negative() -> None:
    """No loops: no squared distance is negative in float32, not even that of a point to itself."""
    found = asking.ask_points(knn.compute_distances_no_loops, POINTS.clone(), POINTS.clone())
    what, right = "the squared distances", true_distances(POINTS, POINTS)

    def is_root(dists: Tensor) -> bool:
        near = (dists - right.sqrt()).abs() < SMALL
        return bool((near | (dists.isnan() & (right < SMALL))).all())

    hints = [
        Hint(is_root, says="the square root was taken", slip=True),
        *distance_hints(right, POINTS, POINTS),
    ]
    checks.close(found, right, what=what, operation="large numbers", hints=hints)
    dists = checks.tensor(found, shape=(80, 80), dtype=torch.float32, what=what)
    checks.holds(
        not bool((dists < 0).any()),
        what=what,
        problem="negative in places",
        likely_cause=BELOW,
        slip=True,
    )


@asking.one_slip()
@pytest.mark.task("distances_no_loops", weight=4)
def test_no_loops_far_from_zero() -> None:
    """No loops: points that share a large offset come out right to a thousandth in float32."""
    found = asking.ask_points(knn.compute_distances_no_loops, *(x.clone() for x in FAR))
    what = "the squared distances of points around 1000"
    dists = checks.tensor(found, shape=(15, 10), dtype=torch.float32, what=what)

    def hints() -> list[Hint]:
        says = "a², 2ab and b² are in the millions; shift all points by the same amount"
        near = [(dists, says), (dists.square(), "the square root was taken")]
        return [
            *distance_hints(FAR_DISTS, *FAR),
            *(Hint(dists, cause) for x, cause in near if bool(((x - FAR_DISTS).abs() < FAR_ROUNDING).all())),
        ]

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
