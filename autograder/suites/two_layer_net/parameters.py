"""Hidden parameters, inputs and labels of the two-layer network, and what its tests ban."""

import torch
from torch import Tensor

from autograder.hidden import hidden_generator

BANNED = ("torch.nn", "torch.optim", "torch.autograd", "torch.func", ".backward", ".cuda", "helpers")
NAMES = ("W1", "b1", "W2", "b2")

Params = dict[str, Tensor]


def normal(name: str, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return hidden normal numbers."""
    generator = hidden_generator("two_layer_net", name)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


def labels_below(classes: int, name: str, count: int) -> Tensor:
    """Return hidden labels."""
    return torch.randint(classes, (count,), generator=hidden_generator("two_layer_net", name))


def hidden_params(name: str, d: int, h: int, c: int) -> Params:
    """Return hidden parameters, biases included, of a network with scores of moderate size."""
    shapes = {"W1": (d, h), "b1": (h,), "W2": (h, c), "b2": (c,)}
    return {key: 0.7 * normal(f"{name}/{key}", *shape) for key, shape in shapes.items()}


def copied(params: Params, dtype: torch.dtype = torch.float64) -> Params:
    """Return a copy of all parameters."""
    return {name: value.to(dtype, copy=True) for name, value in params.items()}
