"""What one slip is all that is wrong with is told from what is wrong: functions are asked once more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from helpers.testing import CheckFailure, checks, slips


def fail(message: str, *, slip: bool = False) -> None:
    raise CheckFailure("the sum", message, expected="a tensor", likely_cause="another one", slip=slip)


def stop(message: str) -> None:
    raise IndexError(message)


def caught_by(check: Callable[[], None], *every: slips.Slip) -> BaseException:
    """Return what comes of a check and the slips that may be all that is wrong."""
    with pytest.raises((CheckFailure, IndexError)) as caught:
        slips.check_but_for(check, *every, what="the call")
    return caught.value


def test_a_check_that_holds_asks_for_no_slip() -> None:
    slips.check_but_for(lambda: None, slips.Slip("never", lambda: stop("asked")), what="the call")


@pytest.mark.parametrize("sign", [None, "", "row 3"])
def test_an_exception_that_one_slip_explains_is_that_slip(sign: str | None) -> None:
    found = caught_by(lambda: stop("no row 3"), slips.Slip("a row too many", lambda: None, sign))
    assert isinstance(found, CheckFailure)
    assert (found.slip, found.likely_cause, found.what) == (True, "a row too many", "the call")
    assert "IndexError: no row 3" in str(found)
    assert isinstance(found.__cause__, IndexError)


def test_wrong_values_that_one_slip_explains_keep_their_report() -> None:
    found = caught_by(lambda: fail("wrong"), slips.Slip("the cache", lambda: None))
    assert isinstance(found, CheckFailure)
    assert (found.slip, found.likely_cause) == (True, "the cache")
    assert (found.what, found.problem, found.expected) == ("the sum", "wrong", "a tensor")


@pytest.mark.parametrize("sign", ["", "wrong"])
def test_a_slip_that_ends_in_exceptions_explains_no_wrong_values(sign: str) -> None:
    found = caught_by(lambda: fail("wrong"), slips.Slip("a row too many", lambda: None, sign))
    assert (getattr(found, "slip", None), getattr(found, "likely_cause", "")) == (False, "another one")


def test_what_no_slip_explains_is_reported_as_it_was() -> None:
    wrong = slips.Slip("one", lambda: fail("wrong")), slips.Slip("two", lambda: stop("as well"))
    other = slips.Slip("three", lambda: None, sign="column")
    assert str(caught_by(lambda: stop("first"), *wrong, other)) == "first"


def test_another_slip_that_remains_is_reported_unless_there_was_one_before() -> None:
    remains = slips.Slip("one", lambda: fail("remains", slip=True))
    assert "remains" in str(caught_by(lambda: stop("first"), remains))
    assert "remains" in str(caught_by(lambda: fail("wrong"), remains))
    assert "before" in str(caught_by(lambda: fail("before", slip=True), remains))


def test_calls_are_asked_in_turn() -> None:
    assert slips.ask_again(lambda: stop("first"), lambda: stop("second"), lambda: 3) == 3
    with pytest.raises(IndexError, match="first"):
        slips.ask_again(lambda: stop("first"), lambda: stop("second"))


def test_a_slip_that_is_noted_fails_a_block_in_which_all_else_is_right() -> None:
    noted = CheckFailure("the names", "others", slip=True)
    with pytest.raises(CheckFailure, match="names"), slips.one_slip():
        slips.note(noted)
    slips.note(noted)


@slips.one_slip()
def note_and_fail() -> None:
    """Note a slip, and be wrong besides."""
    slips.note(CheckFailure("the names", "others", slip=True))
    fail("wrong")


def test_a_slip_that_is_noted_hides_nothing_else_that_is_wrong() -> None:
    with pytest.raises(CheckFailure, match="wrong"):
        note_and_fail()


@slips.one_slip()
def check_labels(found: torch.Tensor) -> None:
    """Check labels by their dtype first."""
    labels = checks.tensor(found, shape=(3,), dtype=torch.int64, what="the labels")
    assert labels.dtype == torch.int64
    checks.equal(labels, torch.tensor([2, 0, 1]), what="the labels")


def test_a_dtype_alone_is_a_slip_in_a_block() -> None:
    check_labels(torch.tensor([2, 0, 1]))
    for dtype in (torch.float32, torch.int32):
        with pytest.raises(CheckFailure, match="wrong dtype") as caught:
            check_labels(torch.tensor([2, 0, 1]).to(dtype))
        assert caught.value.slip
        with pytest.raises(CheckFailure, match="wrong values") as caught:
            check_labels(torch.tensor([2, 2, 2]).to(dtype))
        assert not caught.value.slip


@pytest.mark.parametrize("found", [torch.tensor([2.4, 0.0, 1.0]), torch.tensor([2 + 1j, 0, 1])])
def test_numbers_that_the_right_dtype_cannot_hold_are_wrong(found: torch.Tensor) -> None:
    with pytest.raises(CheckFailure, match="wrong dtype") as caught:
        check_labels(found)
    assert not caught.value.slip


def test_without_a_block_a_wrong_dtype_is_a_failure_at_once() -> None:
    with pytest.raises(CheckFailure, match="wrong dtype") as caught:
        checks.tensor(torch.ones(3), shape=(3,), dtype=torch.float64, what="the weights")
    assert not caught.value.slip


def ask_twice(first: Callable[[], Any], again: Callable[[], Any], right: object = 3) -> None:
    """Check what one of two calls gives."""
    with slips.one_slip():
        found = slips.ask_again(first, again, what="the call", problem="an exception", says="of one kind")
        checks.equal(found, right, what="the number")


def test_a_call_that_is_right_in_another_way_is_a_slip() -> None:
    ask_twice(lambda: 3, lambda: 4)
    with pytest.raises(CheckFailure) as caught:
        ask_twice(lambda: [][0], lambda: 3)
    assert (caught.value.slip, caught.value.likely_cause) == (True, "of one kind")


@pytest.mark.parametrize("again", [lambda: 4, lambda: None, lambda: {}[0]])
def test_a_call_that_is_wrong_in_either_way_is_no_slip(again: Callable[[], Any]) -> None:
    with pytest.raises(IndexError):
        ask_twice(lambda: [][0], again)
