"""The words that rooms share."""

from __future__ import annotations

import pytest

from helpers.wording import number


@pytest.mark.parametrize(
    ("points", "text"), [(0.0, "0"), (100.0, "100"), (12.5, "12.5"), (1.4286, "1.43"), (0.001, "0")]
)
def test_numbers(points: float, text: str) -> None:
    assert number(points) == text
