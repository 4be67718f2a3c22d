"""Convolutions of hidden numbers and what is right for them: what the tests of both directions share.

Expected values come from `torch.nn.functional` and automatic differentiation, in float64.
"""

from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.hidden import hidden_normal

normal = partial(hidden_normal, "convolution")

EMPTY = "with pad 0, pad:-pad is empty; write pad : pad + H"
SHRUNK = "size of the tensor (0)"
"""What PyTorch says where pixels are to be written to such a slice."""


@dataclass(frozen=True)
class Convolution:
    """A convolution."""

    images: Tensor
    filters: Tensor
    biases: Tensor
    stride: int
    pad: int

    @property
    def param(self) -> dict[str, int]:
        """What the student's functions get."""
        return {"stride": self.stride, "pad": self.pad}

    def tensors(self) -> tuple[Tensor, ...]:
        """Return copies of images, filters and biases."""
        return self.images.clone(), self.filters.clone(), self.biases.clone()

    @property
    def is_square(self) -> bool:
        """Whether the filters are as wide as they are high."""
        return self.filters.shape[2] == self.filters.shape[3]

    def confused_sizes(self) -> tuple[int, int]:
        """Return how many places along the width the height of the images gives, and that of the filters."""
        (H, W), (HH, WW) = self.images.shape[2:], self.filters.shape[2:]
        of_image, of_filters = (
            1 + (size + 2 * self.pad - side) // self.stride for size, side in ((H, WW), (W, HH))
        )
        return of_image, of_filters

    def covered_size(self, dout: Tensor) -> tuple[int, int]:
        """Return height and width of the part of the padded image that filters cover."""
        rows, columns = (
            (places - 1) * self.stride + size
            for places, size in zip(dout.shape[2:], self.filters.shape[2:], strict=True)
        )
        return rows, columns

    def to(self, dtype: torch.dtype) -> "Convolution":
        """Return the same in another dtype."""
        x, w, b = (v.to(dtype) for v in (self.images, self.filters, self.biases))
        return Convolution(x, w, b, self.stride, self.pad)

    def out(self) -> Tensor:
        """Return the right result in the dtype of the images."""
        x, w, b = (v.double() for v in (self.images, self.filters, self.biases))
        return F.conv2d(x, w, b, stride=self.stride, padding=self.pad).to(self.images.dtype)

    def grads(self, dout: Tensor, stride: int | None = None) -> tuple[Tensor, ...]:
        """Return the right gradients, or those of the same number of places with another stride."""
        leaves = [v.double().requires_grad_() for v in (self.images, self.filters, self.biases)]
        out = F.conv2d(*leaves, stride=stride or self.stride, padding=self.pad)
        found = torch.autograd.grad(out[:, :, : dout.shape[2], : dout.shape[3]], leaves, dout.double())
        return tuple(v.to(self.images.dtype) for v in found)


def case(name: str, images: tuple[int, ...], filters: tuple[int, ...], stride: int, pad: int) -> Convolution:
    """Return a convolution of hidden numbers."""
    count, *size = filters
    x, w = normal(name, "x", shape=images), normal(name, "w", shape=(count, images[1], *size))
    return Convolution(x, w, normal(name, "b", shape=(count,)), stride, pad)


# Images and filters are squares, but for OBLONG. Taking one side for the other is a single mistake: it often
# ends in an exception, and costs no more than that check and those that are public.
PLAIN = case("plain", (2, 3, 6, 6), (4, 2, 2), 1, 0)
PADDED = case("pad", (2, 3, 5, 5), (4, 3, 3), 1, 1)
STRIDES = {
    "stride 2": case("stride", (2, 3, 7, 7), (4, 3, 3), 2, 0),
    "stride 2, pad 1 and a remainder": case("remainder", (3, 2, 8, 8), (4, 3, 3), 2, 1),
    "stride 3, larger than a filter": case("gaps", (1, 3, 6, 6), (2, 2, 2), 3, 2),
}
OBLONG = {
    "filters of 3 x 2": case("high", (2, 3, 5, 7), (4, 3, 2), 1, 0),
    "filters of 2 x 4, stride 2 and pad 1": case("wide", (3, 2, 6, 13), (4, 2, 4), 2, 1),
}
SAME = case("same", (1, 3, 32, 32), (10, 5, 5), 1, 2)
LAST = case("last", (2, 3, 6, 6), (4, 3, 3), 2, 1)
