"""Finite differences agree with automatic differentiation, whatever the memory layout."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from helpers.seeds import public_generator
from helpers.training.gradients import compute_numeric_gradient, rel_error


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=public_generator("gradients", str(shape)), dtype=torch.float64)


def exact(f: object, x: torch.Tensor, dldf: torch.Tensor | None = None) -> torch.Tensor:
    """Return the gradient by automatic differentiation."""
    leaf = x.clone().requires_grad_()
    out = f(leaf)  # type: ignore[operator]
    out.backward(torch.ones_like(out) if dldf is None else dldf)
    assert leaf.grad is not None
    return leaf.grad


LAYOUTS = {
    "plain": random(3, 4),
    "transposed": random(4, 3).T,
    "strided": random(6, 8)[::2, ::2],
    "permuted": random(2, 3, 2).permute(2, 0, 1),
    "channels last": random(2, 3, 2, 2).to(memory_format=torch.channels_last),
    "scalar": random(1)[0],
    "empty": random(0, 3),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_agrees_with_autograd(layout: str) -> None:
    x = LAYOUTS[layout]
    before = x.clone()

    def f(x: torch.Tensor) -> torch.Tensor:
        return (torch.sin(x) * x**2).sum() + x.prod()

    found = compute_numeric_gradient(f, x)
    assert found.shape == x.shape
    assert rel_error(found, exact(f, x)) < 1e-8
    assert torch.equal(x, before)


def test_an_upstream_gradient() -> None:
    x, w, upstream = random(4, 3), random(3, 5), random(4, 5)

    def f(x: torch.Tensor) -> torch.Tensor:
        return (x @ w).tanh()

    assert rel_error(compute_numeric_gradient(f, x, upstream), exact(f, x, upstream)) < 1e-8
    assert rel_error(compute_numeric_gradient(f, x, upstream.float()), exact(f, x, upstream)) < 1e-6
    with pytest.raises(ValueError, match=r"shape \(4, 5\), expected \(4, 1\)"):
        compute_numeric_gradient(f, x, upstream[:, :1])


def test_a_function_that_uses_x_from_outside_or_returns_it() -> None:
    x = random(3)
    assert rel_error(compute_numeric_gradient(lambda _: (x**2).sum(), x), 2 * x) < 1e-8
    assert rel_error(compute_numeric_gradient(lambda x: x, x), torch.ones(3)) < 1e-8
    assert rel_error(compute_numeric_gradient(lambda x: float(x[0]), x), torch.tensor([1.0, 0, 0])) < 1e-8


def test_a_leaf_of_a_graph_can_be_varied() -> None:
    x = random(3).requires_grad_()
    assert rel_error(compute_numeric_gradient(lambda x: (x**3).sum(), x), 3 * x**2) < 1e-8


def test_x_survives_an_exception() -> None:
    x = random(3)
    before = x.clone()
    with pytest.raises(ZeroDivisionError):
        compute_numeric_gradient(lambda x: 1 / 0, x)
    assert torch.equal(x, before)


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(TypeError, match=r"x is float32; use x\.double\(\)"):
        compute_numeric_gradient(lambda x: x.sum(), torch.ones(2))
    with pytest.raises(TypeError, match="f returned float32"):
        compute_numeric_gradient(lambda x: x.float().sum(), random(2))
    with pytest.raises(ValueError, match=r"use x\.clone\(\)"):
        compute_numeric_gradient(lambda x: x.sum(), random(1).expand(3))


def test_a_gradient_that_is_truly_zero() -> None:
    """A constant shift vanishes behind a subtraction of the mean; rounding noise must not count."""
    x = random(8, 3) * 100

    def f(shift: torch.Tensor) -> torch.Tensor:
        shifted = x + shift
        return ((shifted - shifted.mean(0)) / shifted.std(0)).pow(3).sum()

    found = compute_numeric_gradient(f, random(3))
    assert rel_error(found, torch.zeros(3)) == 0.0


def test_rel_error() -> None:
    assert rel_error(torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 0.0])) == 1.0
    assert rel_error(torch.tensor([3.0]), torch.tensor([1.0])) == 0.5
    assert rel_error(torch.tensor([1e-6]), torch.tensor([0.0])) == 1.0
    assert rel_error(torch.zeros(0), torch.zeros(0)) == 0.0
    assert rel_error(torch.tensor([math.nan]), torch.tensor([math.nan])) == math.inf
    assert rel_error(torch.tensor([math.inf]), torch.tensor([math.inf])) == math.inf
    with pytest.raises(ValueError, match=r"\(2,\) and \(2, 1\)"):
        rel_error(torch.ones(2), torch.ones(2, 1))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), st.floats(-1e-2, 1e-2))
def test_rel_error_is_symmetric_and_within_bounds(values: list[float], shift: float) -> None:
    x = torch.tensor(values, dtype=torch.float64)
    error = rel_error(x, x + shift)
    assert error == rel_error(x + shift, x)
    assert 0 <= error <= 1
