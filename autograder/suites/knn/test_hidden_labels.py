"""Hidden tests of the vote, on distances that are given."""

from collections import Counter
from functools import partial
from typing import Any

import knn
import pytest
import torch
from suite.neighbors import ranks, true_labels
from torch import Tensor

from autograder.hidden import hidden_generator, hidden_labels
from helpers.testing import Hint, asking, checks


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
    if k <= FEW:
        rows = [true_labels(part.T, y_train, k)[: part.shape[1]] for part in dists.split(FEW, dim=1)]
        hints.append(Hint(torch.cat(rows), says=ROWS))
    return [
        *hints,
        Hint(true_labels(dists, y_train, 1), says="the nearest point decided alone: k is ignored"),
        Hint(dists.argmin(dim=0), says="the index of the nearest point was returned, not its label"),
    ]


ROWS = "rows were sorted; a column holds one test point"
FEW = 12
"""So many test points at a time: no more than there are training points, or sorting rows is an exception."""


def in_rows(y_train: Tensor, k: int) -> list[Hint]:
    """Return hints for shapes that come of sorting rows: a label for each row, or for each of k votes."""
    return [Hint(lambda labels: labels.shape in ((len(y_train),), (k,)), says=ROWS, slip=True)]


def check_labels(dists: Tensor, y_train: Tensor, k: int, right: Tensor) -> None:
    """Compare the labels of all test points, of which the student's function gets a few at a time."""
    found, what = [], f"the labels for k = {k}"
    for part in dists.split(FEW, dim=1):
        labels, shape = knn.predict_labels(part.clone(), y_train.clone(), k=k), (part.shape[1],)
        hints = in_rows(y_train, k)
        found.append(checks.tensor(labels, shape=shape, dtype=torch.int64, what=what, hints=hints))
    checks.equal(torch.cat(found), right, what=what, hints=partial(label_hints, dists, y_train, k))


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


@asking.one_slip()
@pytest.mark.task("predict_labels", weight=5)
def test_labels_for_every_k() -> None:
    """Labels are right for every k from 1 to the number of training points."""
    for k in sorted(VOTES, key=lambda k: k not in (1, 5)):  # k = 2 does not tell mistakes from one another
        check_labels(VOTE_DISTS, VOTE_LABELS, k, VOTES[k])


@asking.one_slip()
@pytest.mark.task("predict_labels", weight=4)
def test_labels_after_ties() -> None:
    """After a tie between several labels the smallest of them wins."""
    for k in (5, 6):
        dists = draw_ties(k)
        check_labels(dists, TIE_LABELS, k, true_labels(dists, TIE_LABELS, k))


@asking.one_slip()
@pytest.mark.task("predict_labels", weight=2)
def test_labels_with_gaps() -> None:
    """Labels need not be consecutive, and k = 1 is the default."""
    y_train, dists, votes = NAMES[VOTE_LABELS], VOTE_DISTS[:, :FEW], VOTES[1][:FEW]
    found = knn.predict_labels(dists.clone(), y_train.clone())
    form: dict[str, Any] = {"shape": (FEW,), "dtype": torch.int64}
    found = checks.tensor(found, what="the labels", hints=in_rows(y_train, 1), **form)
    hints = [
        Hint(votes, says="the position among the labels that occur was returned, not the label"),
        Hint(dists.argmin(dim=0), says="the index of the nearest point was returned, not its label"),
        Hint(true_labels(-dists, y_train), says="the farthest points voted, not the nearest"),
        Hint(true_labels(dists.T, y_train)[:FEW], says=ROWS),
    ]
    checks.equal(found, NAMES[votes], what="the labels", hints=hints)
    check_labels(CLEAR_DISTS[:, :FEW], y_train, 5, NAMES[CLEAR_VOTES[:FEW]])


@asking.one_slip()
@pytest.mark.task("predict_labels", weight=2)
def test_labels_of_one_point() -> None:
    """A single test point, with distances in float64, gets a tensor with one label; twelve get twelve."""
    check_labels(VOTE_DISTS[:, :FEW].double(), VOTE_LABELS, 1, VOTES[1][:FEW])
    labels = []
    for dists in CLEAR_DISTS.split(1, dim=1):
        found = knn.predict_labels(dists.double(), VOTE_LABELS.clone(), k=5)
        labels.append(checks.tensor(found, shape=(1,), dtype=torch.int64, what="the label for k = 5"))
    hints = partial(label_hints, CLEAR_DISTS, VOTE_LABELS, 5)
    checks.equal(torch.cat(labels), CLEAR_VOTES, what="the labels of one point each", hints=hints)
