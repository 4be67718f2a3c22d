"""Relatives of convolution that are right: what stands for the student's, and cases with their results.

Expected values come from `torch.nn.functional`, in float64.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import more_convolutions as more
import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.hidden import hidden_normal
from helpers.testing import substituted

MAX_ENTRIES = 1_000_000
"""More numbers than any test needs: student code that asks for more gets nothing."""
Function = Callable[..., Tensor]
normal = partial(hidden_normal, "relatives")


def in_float64(function: Function, x: Tensor, *weights: Tensor, **settings: Any) -> Tensor:
    """Return what a function of PyTorch gives in float64, in the dtype of x."""
    if sum(value.numel() for value in (x, *weights)) > MAX_ENTRIES:
        raise ValueError("too many numbers")
    return function(x.double(), *(value.double() for value in weights), **settings).to(x.dtype)


# The parameters of these have the names of the stub's, so that every legal call is taken.


def im2col(x: Tensor, height: int, width: int, stride: int = 1, pad: int = 0) -> Tensor:
    """Stand for `im2col`."""
    return in_float64(F.unfold, x, kernel_size=(height, width), stride=stride, padding=pad)


def average_pool(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    """Stand for `average_pool`."""
    return in_float64(F.avg_pool2d, x, kernel_size=(height, width), stride=stride)


def dilated_conv(x: Tensor, w: Tensor, b: Tensor, stride: int = 1, pad: int = 0, dilation: int = 1) -> Tensor:
    """Stand for `dilated_conv`."""
    return in_float64(F.conv2d, x, w, b, stride=stride, padding=pad, dilation=dilation)


def grouped_conv(x: Tensor, w: Tensor, b: Tensor, stride: int = 1, pad: int = 0, groups: int = 1) -> Tensor:
    """Stand for `grouped_conv`."""
    return in_float64(F.conv2d, x, w, b, stride=stride, padding=pad, groups=groups)


def transposed_conv(x: Tensor, w: Tensor, b: Tensor, stride: int = 1, pad: int = 0) -> Tensor:
    """Stand for `transposed_conv`."""
    return in_float64(F.conv_transpose2d, x, w, b, stride=stride, padding=pad)


def conv1d(x: Tensor, w: Tensor, b: Tensor, stride: int = 1, pad: int = 0) -> Tensor:
    """Stand for `conv1d`."""
    return in_float64(F.conv1d, x, w, b, stride=stride, padding=pad)


def conv3d(x: Tensor, w: Tensor, b: Tensor, stride: int = 1, pad: int = 0) -> Tensor:
    """Stand for `conv3d`."""
    return in_float64(F.conv3d, x, w, b, stride=stride, padding=pad)


RIGHT: dict[str, Function] = {
    function.__name__: function
    for function in (im2col, average_pool, dilated_conv, grouped_conv, transposed_conv, conv1d, conv3d)
}


def with_right_ones(name: str) -> AbstractContextManager[None]:
    """Replace all functions of the student's but one, which may call them."""
    return substituted(more, **{other: right for other, right in RIGHT.items() if other != name})


@dataclass(frozen=True)
class Case:
    """A call of one function.

    Attributes
    ----------
    name : str
        Of the function.
    tensors : tuple of Tensor
        Its first arguments: x, and w and b if it takes them.
    settings : dict of str to int
        Its other arguments.
    """

    name: str
    tensors: tuple[Tensor, ...]
    settings: dict[str, int]

    def right(self, **others: Any) -> Tensor:
        """Return what the function should give, or gives for other arguments."""
        given = dict(zip("xwb", self.tensors, strict=False))
        return RIGHT[self.name](**{**given, **self.settings, **others})

    def to(self, dtype: torch.dtype) -> "Case":
        """Return the same in another dtype."""
        return replace(self, tensors=tuple(value.to(dtype) for value in self.tensors))

    @property
    def stride(self) -> int:
        """How far places are apart."""
        return self.settings.get("stride", 1)

    @property
    def pad(self) -> int:
        """How many zeros surround an image."""
        return self.settings.get("pad", 0)

    @property
    def window(self) -> tuple[int, ...]:
        """What a window spans along each axis."""
        if len(self.tensors) == 1:
            return self.settings["height"], self.settings["width"]
        return tuple(self.settings.get("dilation", 1) * (side - 1) + 1 for side in self.tensors[1].shape[2:])

    @property
    def is_square(self) -> bool:
        """Whether images, and windows, have the same size along each axis."""
        return len({*self.tensors[0].shape[2:]}) == len({*self.window}) == 1


def windows_of(name: str, x: tuple[int, ...], height: int, width: int, **settings: int) -> Case:
    """Return a case of hidden images, and windows."""
    return Case(name, (normal(name, "x", str(x), shape=x),), {"height": height, "width": width, **settings})


def convolution(name: str, x: tuple[int, ...], w: tuple[int, ...], **settings: int) -> Case:
    """Return a case of hidden images, filters and biases."""
    filters = w[1] if name == "transposed_conv" else w[0]
    images, weights = normal(name, "x", str(x), shape=x), normal(name, "w", str(w), shape=w)
    return Case(name, (images, weights, normal(name, "b", str(filters), shape=(filters,))), settings)
