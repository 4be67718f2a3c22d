"""Gradients by finite differences, to check those that were worked out by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch


def compute_numeric_gradient(
    f: Callable[[torch.Tensor], torch.Tensor | float],
    x: torch.Tensor,
    dldf: torch.Tensor | None = None,
    h: float = 1e-5,
) -> torch.Tensor:
    """Estimate the gradient of a function by central differences, ``(f(x + h) - f(x - h)) / 2h``.

    `torch.autograd.gradcheck` says yes or no about a function that PyTorch differentiates; these are numbers
    to compare with gradients that were worked out by hand.

    Stay away from kinks: where a ReLU or a maximum switches within h of `x`, the estimate is no gradient.

    Parameters
    ----------
    f : callable
        Takes `x` and returns a number or a tensor, and is deterministic. It may as well ignore its argument
        and use `x` from outside: `x` itself is varied, entry by entry, and holds its old values afterwards.
    x : Tensor, float64
        Where to estimate; of any shape and strides.
    dldf : Tensor, optional
        Gradient of a loss with respect to the values of `f`, of their shape; all ones by default.
    h : float
        Step; in float64, 1e-5 balances rounding against the error of the difference.

    Returns
    -------
    Tensor of the shape of `x`, float64
        The gradient of ``(dldf * f(x)).sum()``.

    Raises
    ------
    TypeError
        If `x` or a tensor that `f` returns is not float64: rounding in float32 hides so small a step.
    ValueError
        If entries of `x` share memory, as after `expand`, so that one cannot be varied alone.

    Examples
    --------
    >>> compute_numeric_gradient(lambda x: (x**2).sum(), torch.tensor([1.0, -3.0], dtype=torch.float64))
    tensor([ 2.0000, -6.0000], dtype=torch.float64)
    """
    if x.dtype != torch.float64:
        found = str(x.dtype).removeprefix("torch.")
        raise TypeError(f"x is {found}; use x.double(), and float64 for everything that f computes with")
    if any(stride == 0 and size > 1 for stride, size in zip(x.stride(), x.shape, strict=True)):
        raise ValueError("entries of x share memory, as after expand(); use x.clone()")
    gradient = torch.zeros(x.shape, dtype=torch.float64, device=x.device)
    with torch.no_grad():
        for place in itertools.product(*map(range, x.shape)):
            gradient[place] = _slope(f, x, place, dldf, h)
    return gradient


def grad_check_sparse(
    f: Callable[[torch.Tensor], torch.Tensor | float],
    x: torch.Tensor,
    analytic_grad: torch.Tensor,
    num_checks: int = 10,
    h: float = 1e-5,
) -> float:
    """Compare a gradient with central differences in a few random entries, and print both.

    Parameters
    ----------
    f : callable
        Takes `x` and returns a number; see `compute_numeric_gradient`.
    x : Tensor, float64
        Where to compare; it holds its old values afterwards.
    analytic_grad : Tensor of the shape of `x`
        The gradient to check.
    num_checks : int
        In how many entries.
    h : float
        Step.

    Returns
    -------
    float
        The largest relative error.

    Examples
    --------
    >>> x = torch.tensor([3.0], dtype=torch.float64)
    >>> round(grad_check_sparse(lambda x: (x**2).sum(), x, 2 * x, num_checks=1), 6)
    numerical: 6.000000 analytic: 6.000000, relative error: 0.000000e+00
    0.0
    """
    generator, worst = torch.Generator().manual_seed(0), 0.0
    for _ in range(num_checks):
        place = tuple(int(torch.randint(size, (), generator=generator)) for size in x.shape)
        with torch.no_grad():
            numeric = torch.tensor(_slope(f, x, place, None, h), dtype=torch.float64)
        analytic = analytic_grad[place].detach().to("cpu", torch.float64)
        error = rel_error(numeric, analytic)
        worst = max(worst, error)
        print(f"numerical: {numeric:f} analytic: {analytic:f}, relative error: {error:e}")
    return worst


def rel_error(x: torch.Tensor, y: torch.Tensor, floor: float = 1e-8) -> float:
    """Compare two gradients by their largest difference, relative to their largest entry.

    Parameters
    ----------
    x, y : Tensor
        Of one shape.
    floor : float
        Differences up to this count as none. A gradient that is truly zero, such as that of a bias in front
        of batch normalization, comes out of finite differences as something like 1e-11; without a floor its
        relative error would be 1.

    Returns
    -------
    float
        ``max|x - y| / max(|x| + |y|)``, from 0 to 1; infinity if an entry is NaN or infinite.

    Raises
    ------
    ValueError
        If the shapes differ; they are not broadcast.

    Examples
    --------
    >>> rel_error(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0]))
    0.0
    >>> rel_error(torch.tensor([0.0]), torch.tensor([1e-11]))
    0.0
    """
    if x.shape != y.shape:
        raise ValueError(f"the shapes differ: {tuple(x.shape)} and {tuple(y.shape)}")
    one, other = x.detach().to("cpu", torch.float64), y.detach().to("cpu", torch.float64)
    if not bool(torch.isfinite(one).all() and torch.isfinite(other).all()):
        return float("inf")
    difference = float((one - other).abs().amax()) if one.numel() else 0.0
    if difference <= floor:
        return 0.0
    return difference / float((one.abs() + other.abs()).amax())


def _slope(
    f: Callable[[torch.Tensor], torch.Tensor | float],
    x: torch.Tensor,
    place: tuple[int, ...],
    dldf: torch.Tensor | None,
    h: float,
) -> float:
    """Return the derivative along one entry of `x`, which gets its value back whatever happens."""
    before = float(x[place])
    try:
        x[place] = before + h
        right = _values(f(x))
        x[place] = before - h
        left = _values(f(x))
    finally:
        x[place] = before
    if right.shape != left.shape or (dldf is not None and dldf.shape != right.shape):
        wanted = tuple(right.shape) if dldf is None else tuple(dldf.shape)
        raise ValueError(f"f returned a tensor of shape {tuple(left.shape)}, expected {wanted}")
    slope = (right - left) / (2 * h)
    return float((slope if dldf is None else slope * dldf.to(slope)).sum())


def _values(result: torch.Tensor | float) -> torch.Tensor:
    """Return a copy: `f` may return one of its own tensors, or `x` itself."""
    if isinstance(result, torch.Tensor) and result.dtype != torch.float64:
        found = str(result.dtype).removeprefix("torch.")
        raise TypeError(f"f returned {found}; use float64 for everything that it computes with")
    return torch.as_tensor(result, dtype=torch.float64).detach().clone()
