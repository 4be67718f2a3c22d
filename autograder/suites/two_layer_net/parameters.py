"""Hidden parameters of the two-layer network, and the factor of its regularizer."""

import torch
from torch import Tensor

from autograder.hidden import hidden_normal
from helpers.testing import convention

FACTOR = float(convention("regularization"))
NAMES = ("W1", "b1", "W2", "b2")

Params = dict[str, Tensor]


def hidden_params(name: str, d: int, h: int, c: int) -> Params:
    """Return hidden parameters, biases included, of a network with scores of moderate size."""
    shapes = {"W1": (d, h), "b1": (h,), "W2": (h, c), "b2": (c,)}
    return {key: 0.7 * hidden_normal(f"{name}/{key}", shape=shape) for key, shape in shapes.items()}


def copy_params(params: Params, dtype: torch.dtype = torch.float64) -> Params:
    """Return a copy of all parameters."""
    return {name: value.to(dtype, copy=True) for name, value in params.items()}
