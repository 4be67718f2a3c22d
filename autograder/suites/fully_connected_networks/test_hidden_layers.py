"""Hidden tests of the layers: linear and ReLU.

Expected values come from automatic differentiation in float64. Backward passes are given the caches that the
docstrings describe, so that they do not need the forward passes.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import fully_connected_networks as fcn
import pytest
import torch
from torch import Tensor

from autograder.hidden import hidden_normal
from helpers.testing import Hint, Measurement, asking, checks, measure, passes_in_part, scattered

normal = partial(hidden_normal, "layers")


def check_examples(call: Callable[[int], Measurement], what: str) -> None:
    """Check that 64 examples take hardly more tensor operations than 8."""
    few, many = call(8), call(64)
    for measured in (few, many):
        checks.parts(measured.result, 2 if "forward" in what else 3, what=f"the result of {what}")
    checks.holds(
        many.operations < 2.5 * max(1, few.operations),  # 1 without a loop, 6 or more with one
        what="the number of tensor operations",
        problem="grows with the number of examples, as that of a loop does",
        likely_cause="a loop over the examples; a matrix product takes them all at once",
    )


# Linear, forward

X, W, B = normal("x", shape=(5, 2, 3, 2)), normal("w", shape=(12, 7)), normal("b", shape=(7,))
FLAT = normal("flat", shape=(9, 12))
MANY = normal("many", shape=(64, 12))
DOUT, DOUT_FLAT = normal("dout", shape=(5, 7)), normal("dout flat", shape=(9, 7))


def true_out(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Return what the linear layer gives, in the dtype of x."""
    out = torch.einsum("nd,dm->nm", x.double().flatten(1), w.double()) + b.double()
    return out.to(x.dtype)


@asking.one_slip()
def check_linear_forward(x: Tensor, w: Tensor, b: Tensor) -> None:
    """Compare the outputs with the oracle."""
    right = true_out(x, w, b)
    hints = [
        Hint(right - b, says="the biases were forgotten"),
        Hint(right - 2 * b, says="the biases were subtracted"),
        Hint(right.clamp(min=0), says="a ReLU was applied; this layer is only linear"),
        Hint(right.T, says="transposed: rows are examples"),
    ]
    out, _ = checks.parts(asking.ask(fcn.Linear.forward, x, w, b), 2, what="the result of Linear.forward")
    checks.close(out, right, what="the outputs of Linear.forward", hints=hints)


@pytest.mark.task("linear_forward", weight=3)
def test_linear_forward() -> None:
    """Linear, forward: nine examples of twelve numbers, in float64."""
    check_linear_forward(FLAT.clone(), W.clone(), B.clone())


@pytest.mark.task("linear_forward", weight=1)
def test_linear_forward_of_images() -> None:
    """Linear, forward: examples with more than one dimension are flattened."""
    check_linear_forward(X.clone(), W.clone(), B.clone())


@asking.one_slip()
@pytest.mark.task("linear_forward", weight=1)
def test_linear_forward_one_by_one() -> None:
    """Linear, forward: an example alone, one row of numbers high, gives what it gives among others."""
    for n in range(3):
        right = true_out(FLAT[n : n + 1], W, B)
        hints = [
            Hint(right[:, None, None], says="flatten each example to a row first, whatever its shape"),
            Hint(right[0], says="the axis of the examples was lost; a single example is a row as well"),
            Hint(right - B, says="the biases were forgotten"),
        ]
        result = asking.ask(fcn.Linear.forward, FLAT[n].reshape(1, 1, 1, 12).clone(), W.clone(), B.clone())
        out, _ = checks.parts(result, 2, what="the result of Linear.forward")
        checks.close(out, right, what="the outputs of Linear.forward", hints=hints)


@pytest.mark.task("linear_forward", weight=1)
def test_linear_forward_in_float32() -> None:
    """Linear, forward: float32, and tensors whose memory is not contiguous."""
    x, w, b = (scattered(value.float()) for value in (FLAT, W, B))
    check_linear_forward(x, w, b)


@pytest.mark.task("linear_forward", weight=1)
@pytest.mark.constraint
def test_linear_forward_of_many() -> None:
    """Linear, forward: 64 examples take hardly more tensor operations than 8."""
    check_examples(
        lambda n: asking.ask(measure, fcn.Linear.forward, MANY[:n].clone(), W.clone(), B.clone()), "forward"
    )


# Linear, backward


def true_gradients(dout: Tensor, x: Tensor, w: Tensor, b: Tensor) -> list[Tensor]:
    """Return dx, dw and db by automatic differentiation, in the dtype of x."""
    leaves = [value.detach().double().requires_grad_() for value in (x, w, b)]
    out = leaves[0].flatten(1) @ leaves[1] + leaves[2]
    return [grad.to(x.dtype) for grad in torch.autograd.grad(out, leaves, dout.double())]


FLAT_DX = "dx has the shape of the flattened x; give it the shape of x"
DIVIDED = "divided by the number of examples; softmax_loss did that already"
TRANSPOSED = "transposed: dw has the shape of w"
OVER_OUTPUTS = "added up over the outputs; add up over the examples, dim=0"
MEAN = "the mean over the examples; add up instead"
EXTRA_AXIS = "db has the shape of b, without an axis of length 1"


OTHER_CACHE = "backward needs another cache than (x, w, b), as they came to forward"


def ask_linear(dout: Tensor, x: Tensor, w: Tensor, b: Tensor, *, measured: bool = False) -> Any:
    """Return what Linear.backward gives, or what is measured of it."""
    call = (measure,) if measured else ()

    def backward(cache: object) -> object:
        return asking.ask(*call, fcn.Linear.backward, dout, cache)

    def forward() -> object:
        return asking.ask(fcn.Linear.forward, x, w, b)

    return asking.ask_backward(backward, (x, w, b), forward, what="Linear.backward", says=OTHER_CACHE)


def linear_gradients(dout: Tensor, x: Tensor, w: Tensor, b: Tensor) -> Any:
    """Return what the student's code gives."""
    what = "Linear.backward"

    def gradients(of: Tensor) -> Any:
        return checks.parts(ask_linear(dout, of, w, b), 3, what=f"the result of {what}")

    return asking.ask_rows(gradients, x, what=what)


@asking.one_slip()
@pytest.mark.task("linear_backward", weight=3)
def test_linear_dx() -> None:
    """Linear, backward: dx, of the shape of x."""
    right = true_gradients(DOUT, X, W, B)[0]
    found = linear_gradients(DOUT.clone(), X.clone(), W.clone(), B.clone())[0]
    hints = [
        Hint(right.flatten(1), says=FLAT_DX),
        Hint(right / len(X), says=DIVIDED),
    ]
    checks.close(found, right, what="dx of Linear.backward", hints=hints)


@asking.one_slip()
@pytest.mark.task("linear_backward", weight=3)
def test_linear_dw() -> None:
    """Linear, backward: dw, of examples with more than one dimension and of flat ones."""
    for dout, x in ((DOUT, X), (DOUT_FLAT, FLAT)):
        right = true_gradients(dout, x, W, B)[1]
        found = linear_gradients(dout.clone(), x.clone(), W.clone(), B.clone())[1]
        hints = [
            Hint(right.T, says=TRANSPOSED),
            Hint(right / len(x), says=DIVIDED),
        ]
        checks.close(found, right, what="dw of Linear.backward", hints=hints)


@asking.one_slip()
@pytest.mark.task("linear_backward", weight=3)
def test_linear_db() -> None:
    """Linear, backward: db, also where there are as many examples as outputs."""
    square = normal("square", shape=(7, 7))
    for dout, x in ((DOUT, X), (square, MANY[:7])):
        right = true_gradients(dout, x, W, B)[2]
        found = linear_gradients(dout.clone(), x.clone(), W.clone(), B.clone())[2]
        hints = [
            Hint(dout.sum(dim=1), says=OVER_OUTPUTS),
            Hint(dout.mean(dim=0), says=MEAN),
            Hint(dout.sum(dim=0, keepdim=True), says=EXTRA_AXIS),
            Hint(dout, says="not added up over the examples"),
        ]
        checks.close(found, right, what="db of Linear.backward", hints=hints)


@asking.one_slip()
@pytest.mark.task("linear_backward", weight=1)
def test_linear_backward_in_float32() -> None:
    """Linear, backward: float32, memory that is not contiguous, and a single example."""
    for count in (1, 5):
        x, w, b, dout = (scattered(value.float()) for value in (X[:count], W, B, DOUT[:count]))
        right = true_gradients(dout, x, w, b)
        found = linear_gradients(dout, x, w, b)
        dx, dw, db = right
        of_biases = {OVER_OUTPUTS: dout.sum(dim=1), MEAN: dout.mean(dim=0), EXTRA_AXIS: db[None]}
        mistakes: dict[str, dict[str, Tensor]] = {
            "dx": {FLAT_DX: dx.flatten(1), DIVIDED: dx / count},
            "dw": {TRANSPOSED: dw.T, DIVIDED: dw / count},
            "db": of_biases,
        }
        for (name, made), value, expected in zip(mistakes.items(), found, right, strict=True):
            hints = [Hint(wrong, says) for says, wrong in made.items()]
            checks.close(value, expected, what=f"{name} of Linear.backward", hints=hints)


@asking.one_slip()
@pytest.mark.task("linear_backward", weight=1)
def test_linear_backward_is_adjoint() -> None:
    """Linear, backward: <dout, x w> = <dx, x> = <dw, w>, and <dout, b> = <db, b>, whatever the numbers."""
    dx, dw, db = linear_gradients(DOUT.clone(), X.clone(), W.clone(), B.clone())
    product = float((DOUT * (X.flatten(1) @ W)).sum())
    of_biases = float((DOUT * B).sum())
    for name, value, x, right in (("dx", dx, X, product), ("dw", dw, W, product), ("db", db, B, of_biases)):
        grad = checks.tensor(value, what=f"{name} of Linear.backward")
        what = f"the inner product with {name} of Linear.backward"
        over_outputs = name == "db" and grad.shape == (len(X),)
        problem = "the sum has a wrong shape"
        checks.holds(not over_outputs, what=what, problem=problem, likely_cause=OVER_OUTPUTS, slip=True)
        checks.holds(grad.numel() == x.numel(), what=what, problem="not as many numbers as there should be")
        hints = [Hint(right / len(X), MEAN if name == "db" else DIVIDED)]
        grad = grad.T if grad.dim() == 2 and grad.T.shape == x.shape else grad
        product = float((grad.double().reshape(x.shape) * x).sum())  # other checks look at the shape
        checks.close(product, right, what=what, operation="arithmetic", hints=hints)


@pytest.mark.task("linear_backward", weight=1)
@pytest.mark.constraint
def test_linear_backward_of_many() -> None:
    """Linear, backward: 64 examples take hardly more tensor operations than 8."""
    dout = normal("dout many", shape=(64, 7))

    def call(count: int) -> Measurement:
        given = dout[:count].clone(), MANY[:count].clone(), W.clone(), B.clone()
        measured: Measurement = ask_linear(*given, measured=True)
        return measured

    check_examples(call, "the backward pass")


# ReLU

SUMS = normal("sums", shape=(6, 4, 3))
SUMS = SUMS + SUMS.sign() * 0.01  # away from the kink
UPSTREAM = normal("upstream", shape=(6, 4, 3))


LEAKS = "where x is below 0, a part passes"
NOT_X = "backward needs another cache than x, as it came to forward"


@asking.one_slip()
@pytest.mark.task("relu", weight=2)
def test_relu_forward() -> None:
    """ReLU, forward: numbers below 0 become 0, in tensors of any shape and layout."""
    for x in (SUMS.clone(), scattered(SUMS.float()), SUMS[0, 0].clone()):
        right = torch.where(x > 0, x, torch.zeros_like(x))
        out, _ = checks.parts(asking.ask(fcn.ReLU.forward, x), 2, what="the result of ReLU.forward")
        hints = [
            Hint(x.abs(), says="the absolute value was taken"),
            Hint(passes_in_part(x, x <= 0), says=LEAKS, slip=True),
        ]
        checks.close(out, right, what="the outputs of ReLU.forward", hints=hints, origin=x)


def ask_relu(dout: Tensor, x: Tensor) -> Any:
    """Return what ReLU.backward gives."""

    def forward() -> object:
        return asking.ask(fcn.ReLU.forward, x)

    def backward(cache: object) -> object:
        return asking.ask(fcn.ReLU.backward, dout, cache)

    return asking.ask_backward(backward, x, forward, what="ReLU.backward", says=NOT_X)


@asking.one_slip()
@pytest.mark.task("relu", weight=4)
def test_relu_backward() -> None:
    """ReLU, backward: the gradient passes where x is above 0."""
    for x, dout in ((SUMS, UPSTREAM), (SUMS.float(), scattered(UPSTREAM.float()))):
        nothing = torch.zeros_like(dout)
        hints = [
            Hint(torch.where(dout > 0, dout, nothing), says="based on the signs of dout; those of x count"),
            Hint(torch.where(x > 0, nothing, dout), says="turned around: it passes where x is above 0"),
            Hint(dout, says="everything passed; nothing may pass where x is below 0"),
            Hint(passes_in_part(dout, x <= 0), says=LEAKS, slip=True),
            Hint((x > 0).to(x.dtype), says="not multiplied by dout"),
            Hint(torch.where(x > 0, x, nothing), says="this is the forward pass"),
            *(Hint(dout * mask, says=NOT_X) for mask in (x, x[0] > 0)),
        ]
        found = ask_relu(dout.clone(), x.clone())
        checks.close(found, torch.where(x > 0, dout, nothing), what="dx of ReLU.backward", hints=hints)
