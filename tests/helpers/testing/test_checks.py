"""Tests of helpers.testing.checks and helpers.testing.comparison."""

from __future__ import annotations

import math
from collections import Counter, defaultdict, namedtuple
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from helpers.testing import CheckFailure, causes, checks


class AlwaysEqual:
    """Claim to be equal to everything and true."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class AgreeableType(type):
    """Claim that its instances' type is every type."""

    def __eq__(cls, other: object) -> bool:
        return True

    def __hash__(cls) -> int:
        return hash(float)


class Chameleon(metaclass=AgreeableType):
    """Pass for a number wherever types are compared with ``==``."""

    def __float__(self) -> float:
        return 1.0


class SlyTensor(torch.Tensor):
    """Agree with every comparison."""

    def __eq__(self, other: object) -> torch.Tensor:  # type: ignore[override]
        return torch.ones(3, dtype=torch.bool)

    __hash__ = torch.Tensor.__hash__


class SlyFloat(float):
    """A float with a mind of its own."""

    def __sub__(self, other: object) -> float:
        return 0.0

    __rsub__ = __sub__


def failure(check: object, *args: object, **kwargs: object) -> CheckFailure:
    """Return what a check reports."""
    with pytest.raises(CheckFailure) as caught:
        check(*args, what="the thing", **kwargs)  # type: ignore[operator]
    return caught.value


def test_close_accepts_what_is_within_the_tolerance() -> None:
    expected = torch.tensor([1.0, 100.0])
    checks.close(expected + 1e-5, expected, what="x")
    checks.close(expected + 0.5, expected, what="x", atol=0.5)
    checks.close(1.0000001, 1.0, what="x")
    checks.close([1, 2.0], [1, 2.0], what="x")
    checks.close(np.float32(0.5), 0.5, what="x")
    checks.close(np.array([1.0]), np.array([1.0]), what="x")
    checks.close({3: [torch.zeros(2)]}, {3: [torch.zeros(2)]}, what="x")
    checks.close(defaultdict(list, {3: [1.0]}), {3: [1.0]}, what="x")


def test_close_reports_where_and_how_many() -> None:
    expected = torch.zeros(3, 4)
    actual = expected.clone()
    actual[1, 2] = 5
    actual[2, 0] = 1
    report = failure(checks.close, actual, expected)
    assert report.first_wrong == "[1, 2]; 2 of 12 entries are wrong"
    assert (report.expected_value, report.actual_value) == ("0", "5")
    assert report.expected == report.actual == "float32 tensor of shape (3, 4)"
    assert "5" not in report.problem
    assert str(report).splitlines()[0] == "the thing: wrong values"


def test_texts_keep_close_values_apart() -> None:
    report = failure(
        checks.close, torch.tensor([1.00000001], dtype=torch.float64), torch.ones(1).double(), rtol=0
    )
    assert report.expected_value != report.actual_value


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_nonfinite_never_passes(bad: float, dtype: torch.dtype) -> None:
    expected = torch.ones(2, dtype=dtype)
    actual = torch.tensor([1.0, bad], dtype=dtype)
    report = failure(checks.close, actual, expected, rtol=math.inf, atol=math.inf)
    assert "NaN or infinite" in str(report.likely_cause)
    failure(checks.close, bad, 1.0)
    failure(checks.equal, actual, expected)
    failure(checks.number, bad)
    with pytest.raises(ValueError, match="nothing can be close"):
        checks.close(expected, actual, what="x")


@pytest.mark.parametrize(
    "sly",
    [
        AlwaysEqual(),
        Chameleon(),
        SlyFloat(1.0),
        True,
        "1.0",
        None,
        torch.tensor(1.0),
        [1.0],
        SlyTensor([1.0, 1, 1]),  # type: ignore[call-arg]
    ],
)
def test_only_numbers_are_numbers(sly: object) -> None:
    failure(checks.close, sly, 1.0)
    failure(checks.equal, sly, 1)
    failure(checks.number, sly)


@pytest.mark.parametrize(
    "sly",
    [
        SlyTensor([1.0, 1, 1]),  # type: ignore[call-arg]
        torch.nn.Parameter(torch.ones(3)),
        AlwaysEqual(),
        np.ones(3, dtype=np.float32),
        [1.0, 1.0, 1.0],
        torch.ones(3).to_sparse(),
        torch.ones(3, device="meta"),
        torch.ones(3, dtype=torch.float64),
        torch.ones(3, 1),
        torch.ones(3, dtype=torch.int64),
    ],
)
def test_only_the_very_tensor_passes(sly: object) -> None:
    expected = torch.ones(3)
    failure(checks.close, sly, expected)
    failure(checks.equal, sly, expected)
    failure(checks.tensor, sly, shape=(3,), dtype=torch.float32)


def test_a_float_is_no_integer_and_the_reverse_is_fine() -> None:
    failure(checks.equal, 1.0, 1)
    checks.equal(1, 1.0, what="x")
    checks.equal(np.int64(3), 3, what="x")


def test_equal_compares_integers_beyond_float_precision() -> None:
    failure(checks.equal, 2**60 + 1, 2**60)
    failure(checks.close, torch.tensor([2**60 + 1]), torch.tensor([2**60]))


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        ((1, 2), [1, 2]),
        ([1], [1, 2]),
        ({1: 2}, {True: 2}),
        ({1: 2}, {2: 2}),
        ({1: 2, 3: 4}, {1: 2}),
        (Counter({1: 2}), {1: 2}),
        ({AgreeableType: 2}, {1: 2}),
        ([[1, 2], [3, 5]], [[1, 2], [3, 4]]),
        (1, True),
        ("a", "b"),
        (0, None),
        (torch.Size([1]), (1,)),
        (torch.float64, torch.float32),
        (np.array([None]), np.array([1])),
    ],
)
def test_equal_is_strict_about_structure(actual: object, expected: object) -> None:
    failure(checks.equal, actual, expected)


def test_dicts_compare_without_order_and_name_the_path() -> None:
    checks.equal({1: "a", 2: "b"}, {2: "b", 1: "a"}, what="x")
    report = failure(checks.close, {5: [1.0, 2.0]}, {5: [1.0, 3.0]})
    assert report.first_wrong == "[5][1]"


def test_an_author_cannot_compare_with_anything() -> None:
    with pytest.raises(TypeError, match="cannot compare"):
        checks.equal(1, object(), what="x")


def test_a_number_out_of_bounds_has_the_cause_that_the_author_knows() -> None:
    told = failure(checks.number, 3.0, at_least=4, likely_cause="too few steps")
    assert (told.problem, told.likely_cause) == ("too small", "too few steps")
    told = failure(checks.number, 3.0, at_most=2, likely_cause="too many steps")
    assert (told.problem, told.likely_cause) == ("too large", "too many steps")
    assert failure(checks.number, "3", at_least=4, likely_cause="too few steps").likely_cause is None


def test_one_can_ask_whether_values_agree() -> None:
    right = torch.tensor([1.0, 100.0])
    assert checks.agrees(right + 1e-5, right)
    assert checks.agrees({1: [0.5]}, {1: [0.5]})
    for wrong in (right + 1, right.double(), right[:1], None, torch.tensor([1.0, float("nan")])):
        assert not checks.agrees(wrong, right)


def test_entries_are_those_of_a_dict() -> None:
    assert checks.entries({"a": 1, "b": 2}, ["a"], what="x") == {"a": 1, "b": 2}
    assert failure(checks.entries, {"a": 1}, ["a", "b", "c"]).problem == "nothing is named b or c"
    assert failure(checks.entries, [("a", 1)], ["a"]).problem == "not a dict"
    assert failure(checks.entries, None, ["a"]).likely_cause == "the function ends without a return statement"


def test_a_missing_return_is_explained() -> None:
    assert "return" in str(failure(checks.tensor, None).likely_cause)


def test_tensor_returns_it_detached() -> None:
    found = checks.tensor(torch.ones(2, requires_grad=True) * 2, shape=(2,), what="x")
    assert not found.requires_grad


def test_unchanged() -> None:
    before = torch.tensor([1.0, math.nan, math.inf])
    checks.unchanged(before, before.clone(), what="x")
    checks.unchanged([torch.ones(2), 3], [torch.ones(2), 3], what="x")
    for after in (
        torch.tensor([1.0, 2.0, math.inf]),
        torch.tensor([1.0, math.nan, 3e38]),
        before[:2],
        before.double(),
    ):
        assert failure(checks.unchanged, before, after).problem == "modified by the call"
    failure(checks.unchanged, torch.tensor([1, 2]), torch.tensor([1, 3]))


def test_number_bounds() -> None:
    assert checks.number(3, at_least=3, at_most=3, what="x") == 3.0
    assert failure(checks.number, 2.5, at_least=3).problem == "too small"
    assert failure(checks.number, 3.5, at_most=3).problem == "too large"


def test_holds_takes_nothing_but_a_bool() -> None:
    checks.holds(True, what="x", problem="no")
    assert failure(checks.holds, False, problem="no", likely_cause="why").likely_cause == "why"
    for sly in (torch.tensor(True), AlwaysEqual(), 1, np.True_):
        with pytest.raises(TypeError, match="needs a bool"):
            checks.holds(sly, what="x", problem="no")  # type: ignore[arg-type]


def test_raises_goes_by_the_very_type() -> None:
    with checks.raises("ValueError", "TypeError"):
        raise TypeError
    with pytest.raises(NotImplementedError), checks.raises("RuntimeError"):
        raise NotImplementedError
    with pytest.raises(CheckFailure, match="nothing was raised"), checks.raises("ValueError"):
        pass


def test_raises_believes_the_carried_type_name() -> None:
    error = RuntimeError()
    error.type_name = "ValueError"  # type: ignore[attr-defined]
    with checks.raises("ValueError"):
        raise error


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.floats(width=32))
def test_close_agrees_with_its_definition(expected: float, actual: float) -> None:
    right = math.isfinite(actual) and abs(actual - expected) <= 1e-5 + 1e-4 * abs(expected)
    for one, other in ((actual, expected), (torch.tensor([actual]), torch.tensor([expected]))):
        try:
            checks.close(one, other, what="x")
            passed = True
        except CheckFailure:
            passed = False
        assert passed == right


@pytest.mark.parametrize("value", [2, 2.0, torch.tensor(2.0), torch.tensor(2, dtype=torch.float64)])
def test_a_scalar_is_a_number_or_a_tensor_without_dimensions(value: object) -> None:
    assert checks.scalar(value, what="the loss") == 2.0


@pytest.mark.parametrize("value", [None, "2", torch.tensor([2.0]), torch.tensor(float("nan")), float("inf")])
def test_nothing_else_is_a_scalar(value: object) -> None:
    with pytest.raises(CheckFailure):
        checks.scalar(value, what="the loss")


def test_parts_are_a_tuple_or_a_list_of_the_right_length() -> None:
    assert checks.parts([1, "a"], 2, what="both") == (1, "a")
    for value in ((1,), (1, 2, 3), {1: 2, 3: 4}, "ab", None, torch.zeros(2)):
        with pytest.raises(CheckFailure, match="both: not returned as 2 values"):
            checks.parts(value, 2, what="both")


class Sly(namedtuple("Pair", "scale rate")):
    """A tuple with named entries whose methods a student could define."""

    def __iter__(self) -> Iterator[Any]:
        return iter((666, 666))

    def __len__(self) -> int:
        return 2


@pytest.mark.parametrize("value", [namedtuple("Pair", "scale rate")(1, 2), Sly(1, 2)])
def test_a_tuple_with_named_entries_is_a_tuple(value: object) -> None:
    found = checks.parts(value, 2, what="both")
    assert (type(found), found[0], found[1]) == (tuple, 1, 2)
    checks.equal(value, (1, 2), what="both")
    with pytest.raises(CheckFailure):
        checks.parts(value, 3, what="both")


@pytest.mark.parametrize("value", [type("T", (tuple,), {})([1, 2]), torch.Size([1, 2])])
def test_another_subclass_of_tuple_is_none(value: object) -> None:
    with pytest.raises(CheckFailure):
        checks.parts(value, 2, what="both")
    with pytest.raises(CheckFailure):
        checks.equal(value, (1, 2), what="both")


def test_parts_say_that_one_of_them_came_alone() -> None:
    with pytest.raises(CheckFailure) as caught:
        checks.parts(torch.zeros(3), 2, what="out and cache")
    assert caught.value.likely_cause == "one value is returned, but 2 are expected"


def test_parts_say_what_came() -> None:
    with pytest.raises(CheckFailure) as caught:
        checks.parts(None, 2, what="both")
    assert (caught.value.expected, caught.value.actual) == ("2 values", "NoneType")
    assert caught.value.likely_cause == "the function ends without a return statement"


@pytest.mark.parametrize("right", [torch.zeros(2), 1.0, 3])
@pytest.mark.parametrize(
    ("found", "cause"),
    [
        ((1.0, torch.zeros(2)), "several values are returned, but one is expected"),
        ((torch.zeros(2),), "a comma at the end of a line makes a tuple"),
    ],
)
def test_a_tuple_in_the_place_of_one_value_has_a_cause(right: object, found: object, cause: str) -> None:
    with pytest.raises(CheckFailure) as caught:
        checks.close(found, right, what="x")
    assert caught.value.likely_cause == cause


@pytest.mark.parametrize("size", [0.5, 2, 1e6])
def test_float64_that_was_float32_on_the_way_is_a_slip_with_a_cause(size: float) -> None:
    right = size * torch.tensor([1 / 3, -2 / 3], dtype=torch.float64)
    for wrong, slip in ((right.float().double(), True), (right * 1.001, False), (0 * right, False)):
        with pytest.raises(CheckFailure) as caught:
            checks.close(wrong, right, what="x")
        assert caught.value.slip is slip
        assert (caught.value.likely_cause == causes.NO_DTYPE) is slip
    with pytest.raises(CheckFailure) as caught:
        checks.equal(right.float().double(), right, what="x")
    assert caught.value.likely_cause is None
