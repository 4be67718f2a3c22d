"""A hint names the likely cause where a value is the one that the mistake gives."""

from __future__ import annotations

import pytest
import torch

from helpers.testing import CheckFailure, Hint, checks


def failure(check: object, *args: object, **kwargs: object) -> CheckFailure:
    """Return what a check reports."""
    with pytest.raises(CheckFailure) as caught:
        check(*args, what="the thing", **kwargs)  # type: ignore[operator]
    return caught.value


def test_a_mistake_without_a_value_is_recognized_by_a_function() -> None:
    seen = []

    def negative(x: torch.Tensor) -> bool:
        seen.append(x)
        return bool((x < 0).any())

    right, hints = torch.ones(2), [Hint(negative, says="the sign is wrong")]
    wrong = torch.tensor([1.0, -1.0], requires_grad=True)
    assert failure(checks.close, wrong, right, hints=hints).likely_cause == "the sign is wrong"
    assert not seen[0].requires_grad
    assert failure(checks.close, right + 1, right, hints=hints).likely_cause is None
    assert failure(checks.close, -2.0, 1.0, hints=[Hint(lambda x: x < 0, says="sign")]).likely_cause == "sign"


def test_what_recognizes_a_mistake_sees_plain_values_of_the_right_form_only() -> None:
    class Odd(float):
        pass

    hints = [Hint(lambda x: x > 0, says="never told")]
    for found in (torch.ones(3), torch.nn.Parameter(torch.ones(2)), 1.0, None, [1.0]):
        assert failure(checks.close, found, torch.zeros(2), hints=hints).likely_cause != "never told"
    assert failure(checks.close, Odd(2.0), 1.0, hints=hints).likely_cause != "never told"


def test_a_hint_tells_why_a_shape_is_wrong() -> None:
    hints = [Hint(lambda x: x.shape == (3, 2), says="rows and columns are swapped")]
    told = failure(checks.tensor, torch.ones(3, 2), shape=(2, 3), dtype=torch.float32, hints=hints)
    assert told.likely_cause == "rows and columns are swapped"
    assert failure(checks.tensor, torch.ones(4), shape=(2, 3), hints=hints).likely_cause is None
    assert failure(checks.tensor, None, shape=(2, 3), hints=hints).problem == "not a tensor"
    other = failure(checks.tensor, torch.ones(3, 2), shape=(3, 2), dtype=torch.float64, hints=hints)
    assert "without dtype=" in str(other.likely_cause)


def test_the_first_fitting_hint_names_the_cause() -> None:
    right = torch.tensor([[9.0, 16.0]])
    hints = [
        Hint(right / torch.zeros(1), says="no"),
        Hint(right.sqrt(), says="the root was taken"),
        Hint(right.T, says="rows and columns are swapped"),
    ]
    assert failure(checks.close, right.sqrt(), right, hints=hints).likely_cause == "the root was taken"
    swapped = failure(checks.close, right.T.clone(), right, hints=hints)
    assert swapped.likely_cause == "rows and columns are swapped"
    assert (swapped.expected_dims, swapped.actual_dims) == ((1, 2), (2, 1))
    assert failure(checks.close, right + 1, right, hints=hints).likely_cause is None
    assert failure(checks.equal, 4, 3, hints=[Hint(4, says="off by one")]).likely_cause == "off by one"


def test_a_hint_that_equals_the_right_value_is_no_cause() -> None:
    right = torch.tensor([1.0, 2.0])
    with pytest.raises(CheckFailure) as caught:
        checks.close(right.double(), right, what="x", hints=[Hint(right.clone(), says="sorted by mistake")])
    assert "sorted" not in (caught.value.likely_cause or "")
