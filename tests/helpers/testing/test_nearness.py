"""Nearly right: close to the right answer in a way that only a solution is."""

from __future__ import annotations

import pytest
import torch

from helpers.testing import CheckFailure, Hint, checks
from helpers.testing.comparison import Tolerance
from helpers.testing.nearness import is_nearly_right

GENERATOR = torch.Generator().manual_seed(8)
X = torch.randn(6, 5, generator=GENERATOR)
LABELS = torch.tensor([0, 1, 2, 2, 1, 0, 1, 2, 0, 1])


def near(actual: object, expected: object, **more: object) -> bool:
    return is_nearly_right(actual, expected, Tolerance(), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "actual",
    [
        3 * X,
        -X,
        X + 2,
        X.double(),
        X[:, :, None],
        torch.cat([X[:4], torch.zeros(2, 5)]),
        (X * X).sqrt() * X.sign(),
    ],
    ids=["scaled", "other sign", "shifted", "other dtype", "one more dimension", "rows left out", "same"],
)
def test_slips_are_near(actual: torch.Tensor) -> None:
    assert near(actual, X)


@pytest.mark.parametrize(
    "actual",
    [
        torch.zeros(6, 5),
        torch.ones(6, 5),
        torch.randn(6, 5, generator=GENERATOR),
        X.reshape(5, 6),
        X.t(),
        X[:4],
        X.clone().fill_(float("nan")),
        torch.full((6, 5), float("inf")),
        None,
        1.0,
        [X],
        X.to_sparse(),
    ],
    ids=repr,
)
def test_useless_answers_are_not_near(actual: object) -> None:
    assert not near(actual, X)


def test_zeros_are_not_near_where_most_entries_are_zero() -> None:
    sparse = torch.zeros(10, 10)
    sparse[0] = torch.arange(10.0)
    assert not near(torch.zeros(10, 10), sparse)
    assert near(torch.cat([sparse[:1, :8], torch.zeros(1, 2)], dim=1), sparse[:1])


def test_few_numbers_in_float32_are_near_those_in_float64() -> None:
    third = torch.tensor([1 / 3, 2 / 3], dtype=torch.float64)
    assert near(third.float(), third)
    assert not near(third.float() + 0.01, third)
    assert not near(third.float().double() + 0.01, third)


def test_what_does_nothing_is_not_near() -> None:
    step = 0.01 * torch.randn(6, 5, generator=GENERATOR)
    assert near(X, X - step)
    assert not near(X, X - step, origin=X)
    assert near(X + step, X - step, origin=X)


def test_labels_have_to_agree_beyond_chance() -> None:
    wrong_twice = LABELS.clone()
    wrong_twice[:2] = 2
    assert near(wrong_twice, LABELS)
    assert not near(torch.full_like(LABELS, 1), LABELS)
    assert not near((LABELS + 1) % 3, LABELS)


def test_every_part_of_an_answer_has_to_be_near() -> None:
    assert near((1.0, 2 * X), (1.0, X))
    assert not near((2.0, X), (1.0, X))
    assert near({"W": 2 * X, "b": 1.0}, {"W": X, "b": 1.0})
    assert not near({"W": X}, {"W": X, "b": 1.0})
    assert near([torch.tensor(1.0)], [1.0])


def test_a_failed_check_tells_whether_it_met_a_slip() -> None:
    def slip(actual: object, *hints: Hint, **more: object) -> tuple[bool, str | None]:
        with pytest.raises(CheckFailure) as caught:
            checks.close(actual, X, what="x", hints=hints, **more)  # type: ignore[arg-type]
        return caught.value.slip, caught.value.likely_cause

    assert slip(2 * X) == (True, None)
    assert slip(torch.zeros(6, 5)) == (False, None)
    assert slip(X**2, Hint(X**2, says="squared")) == (True, "squared")
    assert slip(X**2, Hint(X**2, says="squared", slip=False)) == (False, "squared")
    assert slip(2 * X, Hint(lambda x: bool((x > 3).any()), says="too large")) == (False, "too large")
    step = X - 0.01 * X**2
    with pytest.raises(CheckFailure) as caught:
        checks.close(X, step, what="x", origin=X)
    assert not caught.value.slip


def test_a_shape_with_a_known_cause_is_a_slip_if_the_hint_says_so() -> None:
    def slip(*hints: Hint) -> tuple[bool, str | None]:
        with pytest.raises(CheckFailure) as caught:
            checks.tensor(X, what="x", shape=(5, 6), hints=hints)
        return caught.value.slip, caught.value.likely_cause

    assert slip() == (False, None)
    assert slip(Hint(lambda x: x.dim() == 2, says="turned")) == (False, "turned")
    assert slip(Hint(lambda x: x.dim() == 2, says="turned", slip=True)) == (True, "turned")
