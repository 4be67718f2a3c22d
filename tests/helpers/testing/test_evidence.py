"""Tests of helpers.testing.evidence."""

from __future__ import annotations

import torch

from helpers.testing import Measurement, measure


def test_operations_grow_with_the_number_of_rows() -> None:
    def rows(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([row * 2 for row in x])

    counts = [measure(rows, torch.ones(n, 3)).operations for n in (10, 100)]
    assert 5 < counts[1] / counts[0] <= 10
    assert measure(torch.mul, torch.ones(100, 3), 2).operations == 1


def test_the_result_and_keyword_arguments_pass_through() -> None:
    found = measure(torch.sum, torch.ones(2, 3), dim=0)
    assert found.result.tolist() == [2, 2, 2]


def test_views_and_changes_in_place_make_nothing_new() -> None:
    x = torch.ones(10, 10)
    assert measure(lambda y: y.view(100).expand(50, 100).add(0)[0], x).largest == 50 * 100 * 4
    assert measure(lambda y: y.view(100)[:3].add_(1), x).largest == 0
    assert measure(lambda y: (y[:, None] - y[None]).sum(), x).largest == 10 * 10 * 10 * 4
    assert measure(lambda y: torch.max(y, dim=0), x).largest == 10 * 8


def test_sparse_tensors_count_too() -> None:
    assert measure(lambda y: y.to_sparse(), torch.ones(4, 4)).largest >= 4 * 4 * 4


def test_cpu_seconds_are_counted() -> None:
    assert measure(lambda: sum(range(300_000))).cpu_seconds > 0


def test_a_stand_in_measures_for_itself() -> None:
    class Elsewhere:
        def measure(self, fn: object, args: tuple[object, ...], kwargs: dict[str, object]) -> Measurement:
            return Measurement((args, kwargs), 1, 2, 3.0)

    class StandIn:
        __backend__ = Elsewhere()

        def __call__(self) -> None:
            raise AssertionError

    assert measure(StandIn(), 5, k=6).result == ((5,), {"k": 6})
