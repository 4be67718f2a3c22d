"""A function that mixes float32 and float64 is asked in the other precision, and pays for one slip."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from helpers.testing import CheckFailure, Hint, asking, causes, checks, scattered
from helpers.testing.tolerances import coarse

GENERATOR = torch.Generator().manual_seed(4)
X = torch.randn(6, 3, generator=GENERATOR, dtype=torch.float64)
TO_FLOAT = {torch.float32: torch.Tensor.float, torch.float64: torch.Tensor.double}


def only_in(dtype: torch.dtype, change: Callable[[torch.Tensor], Any] = lambda x: x) -> Callable[..., Any]:
    """Return a function that gives ``change(x.T @ x)``, and stops where x is not in this precision."""
    return lambda x, **kwargs: change(x.T @ TO_FLOAT[dtype](x))


def judge(function: Callable[..., Any], x: torch.Tensor = X, **more: Any) -> None:
    """Check that a function gives ``x.T @ x``."""
    with asking.one_slip():
        found = asking.ask(function, x.clone())
        checks.close(found, x.T @ x, what="the products", operation="gradient", **more)


def test_a_function_that_mixes_nothing_is_asked_once() -> None:
    calls = []

    def product(x: torch.Tensor) -> torch.Tensor:
        calls.append(x.dtype)
        return x.T @ x

    judge(product)
    assert calls == [torch.float64]


@pytest.mark.parametrize("dtype", TO_FLOAT)
def test_what_is_right_in_the_other_precision_is_a_slip(dtype: torch.dtype) -> None:
    other = asking.OTHER[dtype]
    judge(only_in(dtype), X.to(dtype))
    with pytest.raises(CheckFailure) as caught:
        judge(only_in(dtype), X.to(other))
    failure = caught.value
    assert (failure.slip, failure.likely_cause) == (True, causes.MIXED)
    assert failure.what == f"the call in {str(other).removeprefix('torch.')}"
    assert "RuntimeError: expected m1 and m2 to have the same dtype" in str(failure)
    assert isinstance(failure.__cause__, RuntimeError)


@pytest.mark.parametrize("wrong", [torch.zeros_like, torch.rand_like, lambda x: None, lambda x: x[:2]])
def test_what_is_wrong_in_both_is_no_slip(wrong: Callable[[torch.Tensor], Any]) -> None:
    with pytest.raises(RuntimeError, match="have the same dtype") as caught:
        judge(only_in(torch.float32, wrong))
    assert not hasattr(caught.value, "slip")


def test_another_slip_is_told_as_it_is() -> None:
    hint = Hint(2 * X.T @ X, says="doubled")
    with pytest.raises(CheckFailure) as caught:
        judge(only_in(torch.float32, lambda x: 2 * x), hints=[hint])
    assert (caught.value.slip, caught.value.likely_cause) == (True, "doubled")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no"),
        RuntimeError("shapes cannot be multiplied"),
        RuntimeError("expected m1 and m2 to have the same dtype, but got: float != long int"),
    ],
)
def test_other_exceptions_are_raised_at_once(error: Exception) -> None:
    calls = []

    def stop(x: torch.Tensor) -> None:
        calls.append(x.dtype)
        raise error

    with pytest.raises(type(error), match=str(error)):
        judge(stop)
    assert calls == [torch.float64]


def test_the_first_exception_is_raised_where_both_stop() -> None:
    def stop(x: torch.Tensor) -> None:
        if x.dtype == torch.float32:
            raise ValueError("in float32")
        raise RuntimeError("expected scalar type Float but found Double")

    with pytest.raises(RuntimeError, match="expected scalar type"):
        judge(stop)


def test_nothing_is_asked_again_without_numbers_to_convert() -> None:
    with pytest.raises(RuntimeError, match="same dtype"):
        asking.ask(lambda y: torch.ones(2) @ torch.ones(2).double(), torch.tensor([1, 2]))


def test_every_tensor_is_converted_wherever_it_stands_and_labels_stay() -> None:
    seen = []

    def note(params: dict[str, Any], y: torch.Tensor, *, x: torch.Tensor) -> Any:
        seen.append([params["W"].dtype, params["more"][0].dtype, y.dtype, x.dtype])
        total = torch.ones(2) @ params["W"]
        return {"W": total, "more": (torch.ones(2), [torch.tensor([1])]), "number": 0.5}

    W = torch.ones(2).double()
    found = asking.ask(note, {"W": W, "more": [W]}, torch.tensor([1]), x=W)
    assert seen == [[kind, kind, torch.int64, kind] for kind in (torch.float64, torch.float32)]
    assert found["W"].dtype == found["more"][0].dtype == torch.float64
    assert (found["more"][1][0].dtype, found["number"]) == (torch.int64, 0.5)


def test_memory_layouts_are_kept() -> None:
    strides = []

    def note(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        strides.append((x.stride(), y.stride()))
        return x.float().T @ x

    asking.ask(note, scattered(X), X[:, 1:].T)
    assert strides[0] == strides[1] == ((6, 2), (1, 3))


def test_arguments_are_copied_before_the_first_call() -> None:
    def spoil(x: torch.Tensor) -> torch.Tensor:
        right = x.T @ x
        x.zero_()
        return right @ torch.eye(3)

    x = X.clone()
    found = asking.ask(spoil, x)
    checks.close(found.float(), (X.T @ X).float(), what="the products")
    assert not x.any()


def test_what_changes_in_the_second_call_is_changed_in_the_arguments() -> None:
    def spoil(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        right = x.T @ x.float()
        y.zero_()
        x.unsqueeze_(0)
        return right

    x, y, z = X.clone(), torch.arange(3), X.clone()
    asking.ask(spoil, x, y)
    assert not y.any()
    assert (x.shape, x.dtype) == ((1, 6, 3), torch.float64)
    asking.ask(only_in(torch.float32), z)
    checks.unchanged(X, z, what="x")


def test_what_the_second_call_puts_into_a_dict_is_put_into_that_of_the_arguments() -> None:
    def average(x: torch.Tensor, kept: dict[str, Any]) -> torch.Tensor:
        mean = torch.ones(1, len(x)) @ x / len(x)
        kept["mean"], kept["inner"]["steps"] = mean, 7
        return mean

    other = X[0].clone()
    kept: dict[str, Any] = {"mode": "train", "inner": {"steps": 6}, "other": other}
    asking.ask(average, X.clone(), kept)
    assert kept["mean"].dtype == torch.float64
    assert torch.allclose(kept["mean"], X.mean(dim=0), atol=1e-6)
    assert (kept["mode"], kept["inner"]) == ("train", {"steps": 7})
    assert kept["other"] is other
    checks.unchanged(X[0], other, what="the other entry")


def test_a_call_that_makes_everything_anew_is_asked_in_the_other_precision() -> None:
    @asking.one_slip()
    def check(factor: float) -> None:
        found = asking.ask_in(lambda dtype: factor * X.to(dtype).T @ X.float(), torch.float64)
        checks.close(found, X.T @ X, what="the products", operation="gradient")

    with pytest.raises(CheckFailure) as caught:
        check(1.0)
    assert (caught.value.slip, caught.value.likely_cause) == (True, causes.MIXED)
    with pytest.raises(RuntimeError, match="same dtype"):
        check(0.0)
    with pytest.raises(IndexError):
        asking.ask_in(lambda dtype: [][0], torch.float32)


class Net:
    """A network with one parameter, whose loss mixes precisions unless it is in this one."""

    def __init__(self, only: torch.dtype) -> None:
        self.params, self.dtype, self.only = {"W": X.clone()}, X.dtype, only

    def loss(self, x: torch.Tensor, y: torch.Tensor | None = None) -> Any:
        """Return a product, or with labels that and a dict."""
        product = x.to(self.dtype).T @ self.params["W"].to(self.only)
        return product if y is None else (product, {"W": self.params["W"].clone()})


def test_a_network_is_asked_with_parameters_in_the_other_precision_and_is_as_before() -> None:
    @asking.one_slip()
    def check(net: Net) -> None:
        scores, (_, grads) = asking.ask_loss(net, X), asking.ask_loss(net, X, torch.arange(6))
        checks.close(scores, X.T @ X, what="the scores", operation="gradient")
        checks.close(grads["W"], X, what="the gradient")

    check(Net(torch.float64))
    net = Net(torch.float32)
    with pytest.raises(CheckFailure) as caught:
        check(net)
    assert (caught.value.slip, caught.value.likely_cause) == (True, causes.MIXED)
    assert (net.dtype, net.params["W"].dtype) == (torch.float64, torch.float64)
    checks.unchanged(X, net.params["W"], what="W")


def test_a_block_may_settle_for_float32() -> None:
    right = torch.tensor([1 / 3, 2 / 3], dtype=torch.float64)
    asking.settle_for(torch.float32)
    assert not coarse.get()
    with asking.one_slip():
        asking.settle_for(torch.float64)
        assert not coarse.get()
        asking.settle_for(torch.float32)
        checks.close(right.float().double(), right, what="the parts")


def test_float32_need_only_be_right_as_such_in_its_block() -> None:
    right = torch.tensor([1 / 3, 2 / 3], dtype=torch.float64)

    @asking.one_slip()
    def compare(function: Callable[..., Any], x: torch.Tensor) -> None:
        asking.ask(function, x)
        checks.close(right.float().double(), right, what="x")
        checks.close([1.00001], [1.0], what="y", operation="steps")
        checks.close(right.float().double(), right, what="z", operation="float64")
        assert coarse.get()

    with pytest.raises(CheckFailure, match="the call in float64"):
        compare(only_in(torch.float32), X)
    assert not coarse.get()
    with pytest.raises(CheckFailure, match="x: wrong values"):
        compare(lambda x: x, X)
    with pytest.raises(CheckFailure, match="x: wrong values"):
        compare(only_in(torch.float64), X.float())


def test_blocks_do_not_see_one_another() -> None:
    with asking.one_slip():
        with pytest.raises(CheckFailure, match="the call in float64"), asking.one_slip():
            asking.ask(only_in(torch.float32), X)
        checks.close(asking.ask(lambda x: x, X), X, what="x")


def test_outside_of_a_block_the_answer_is_taken_as_it_is() -> None:
    found = asking.ask(only_in(torch.float32), X)
    assert found.dtype == torch.float64
    checks.close(found.float(), (X.T @ X).float(), what="the products", operation="gradient")


class Carried(Exception):
    """An exception as it comes from another process."""

    type_name = "RuntimeError"

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__("something else")


def test_an_exception_from_another_process_is_judged_by_what_it_carries() -> None:
    def stop(x: torch.Tensor) -> torch.Tensor:
        if x.dtype == torch.float64:
            raise Carried("self and mat2 must have the same dtype, but got Float and Double")
        return x.T @ x

    with pytest.raises(CheckFailure, match="found: RuntimeError: self and mat2"):
        judge(stop)


def square_distances(x_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
    """Return squared distances of points, if they are images."""
    return torch.stack([((x_train - x) ** 2).sum(dim=(1, 2, 3)) for x in x_test], dim=1)


POINTS = torch.rand(4, 3, generator=GENERATOR), torch.rand(2, 3, generator=GENERATOR)
APART = ((POINTS[0][:, None] - POINTS[1]) ** 2).sum(dim=2)


@asking.one_slip()
def check_points(function: Callable[..., Any]) -> None:
    """Compare with the squared distances of flat points."""
    checks.close(asking.ask_points(function, *(x.clone() for x in POINTS)), APART, what="the distances")


def test_a_function_that_is_right_for_images_alone_pays_for_one_slip() -> None:
    with pytest.raises(CheckFailure) as caught:
        check_points(square_distances)
    assert caught.value.slip
    assert caught.value.likely_cause == asking.SHAPED
    assert "IndexError: Dimension out of range" in str(caught.value)


def test_one_that_is_wrong_for_images_too_raises_what_it_raised() -> None:
    with pytest.raises(IndexError):
        check_points(lambda a, b: square_distances(a, b) * 0 - 5)


def test_one_that_takes_every_shape_pays_nothing() -> None:
    check_points(lambda a, b: square_distances(a.reshape(len(a), -1, 1, 1), b.reshape(len(b), -1, 1, 1)))


def test_a_rule_asks_about_images_without_a_word() -> None:
    assert asking.ask_points(square_distances, *POINTS).shape == (4, 2)


def test_what_raises_for_images_as_well_raises_as_it_did() -> None:
    with pytest.raises(ValueError, match="first"):
        asking.ask_points(
            lambda x: (_ for _ in ()).throw(ValueError("first" if x.dim() == 2 else "second")), POINTS[0]
        )


def stop(message: str) -> None:
    raise IndexError(message)


@asking.one_slip()
def check_backward(backward: Callable[[Any], Any], forward: Callable[[], Any]) -> None:
    """Check a backward pass that is given the cache (3,)."""
    found = asking.ask_backward(backward, (3,), forward, what="f.backward", says="the cache is (x,)")
    checks.equal(found, 3, what="dx")


def test_a_cache_of_another_form_is_a_slip() -> None:
    check_backward(lambda cache: cache[0], lambda: stop("forward"))
    with pytest.raises(CheckFailure) as caught:
        check_backward(lambda cache: cache["x"], lambda: (9, {"x": 3}))
    assert (caught.value.slip, caught.value.likely_cause) == (True, "the cache is (x,)")


@pytest.mark.parametrize(
    "forward", [lambda: stop("forward"), lambda: 3, lambda: (9, (3,)), lambda: (9, {"x": 4})]
)
def test_a_backward_pass_that_is_wrong_for_its_own_cache_raises_as_it_did(forward: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match="tuple indices"):
        check_backward(lambda cache: cache["x"], forward)


EXAMPLES = torch.arange(12.0).reshape(2, 3, 2)


@asking.one_slip()
def check_rows(gradients: Callable[[torch.Tensor], Any]) -> None:
    """Check gradients of which the first is twice the examples."""
    dx, sums = asking.ask_rows(gradients, EXAMPLES, what="f.backward")
    checks.close(dx, 2 * EXAMPLES, what="dx")
    checks.close(sums, EXAMPLES.sum(), what="the sum")


def test_a_backward_pass_of_rows_alone_is_a_slip() -> None:
    check_rows(lambda x: (2 * x, x.sum()))
    with pytest.raises(CheckFailure) as caught:
        check_rows(lambda x: ((2 * x).reshape(len(x), x.shape[1]), x.sum()))
    assert (caught.value.slip, caught.value.likely_cause) == (True, asking.OF_ROWS)


@pytest.mark.parametrize(
    "wrong", [lambda x: x * torch.tensor([1.0, -1.0]), lambda x: x * math.nan], ids=["signs", "nan"]
)
def test_one_that_is_wrong_for_rows_raises_as_it_did(
    wrong: Callable[[torch.Tensor], torch.Tensor],
) -> None:
    with pytest.raises(RuntimeError, match="invalid for input of size 12"):
        check_rows(lambda x: (wrong((2 * x).reshape(-1, 2)).reshape(len(x), x.shape[1]), x.sum()))
