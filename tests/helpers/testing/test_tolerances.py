"""Tests of the table of tolerances, and that suites take theirs from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from helpers.testing import CheckFailure, checks, tolerances

SUITES = Path(__file__).parents[3] / "autograder" / "suites"


@pytest.mark.parametrize("operation", tolerances.TABLE)
def test_a_row_bounds_every_dtype_that_it_lists(operation: tolerances.Operation) -> None:
    for kind, (rtol, atol) in tolerances.TABLE[operation].bounds.items():
        tiny = torch.finfo(kind).eps if isinstance(kind, torch.dtype) else 0.0
        assert tiny < rtol < 1, kind
        assert atol >= 0, kind
        assert tolerances.bounds(operation, kind) == (rtol, atol)


def test_whole_numbers_are_exact() -> None:
    assert tolerances.bounds("arithmetic", torch.int64) is None
    with pytest.raises(CheckFailure):
        checks.close(torch.tensor([7]), torch.tensor([8]), what="x", operation="small start")


def test_the_operation_decides() -> None:
    right = torch.tensor([0.0])
    checks.close(right + 9e-4, right, what="x", operation="cancellation")
    with pytest.raises(CheckFailure):
        checks.close(right + 9e-4, right, what="x")


def test_numbers_have_a_tolerance_of_their_own() -> None:
    checks.close(1.00005, 1.0, what="x")
    with pytest.raises(CheckFailure):
        checks.close(1.00005, 1.0, what="x", operation="float64")


@pytest.mark.parametrize(
    "path", sorted(SUITES.glob("*/*.py")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_suites_take_tolerances_from_the_table(path: Path) -> None:
    stated = re.findall(r"\b[ar]tol=(?!relative\b).*", path.read_text(encoding="utf-8"))
    assert not stated, "the margin of a statistic may be worked out; all else names its operation"
