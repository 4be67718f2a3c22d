"""Convolutions of hidden numbers and what is right for them: what the tests of both directions share.

Expected values come from `torch.nn.functional` and automatic differentiation, in float64.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.hidden import hidden_generator

BANNED = (
    *("torch.nn", "torch.autograd", "torch.func", "helpers", "scipy", ".cuda", ".requires_grad_"),
    *("torch.conv1d", "torch.conv2d", "torch.conv3d", "torch.convolution", "torch.conv_transpose2d"),
    *("torch.mkldnn_convolution", "torch.max_pool2d", "torch.max_pool2d_with_indices", "torch.avg_pool1d"),
)
ALLOWED = ("torch.nn.functional.pad",)


def normal(name: str, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return hidden normal numbers."""
    generator = hidden_generator("convolutional_networks", "convolution", name)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


@dataclass(frozen=True)
class Case:
    """A convolution."""

    b: Tensor
    stride: int
    x: Tensor
    pad: int
    w: Tensor

    @property
    def param(self) -> dict[str, int]:
        """What the student's functions get."""
        return {"stride": self.stride, "pad": self.pad}

    def tensors(self) -> tuple[Tensor, ...]:
        """Return copies of images, filters and biases."""
        return self.x.clone(), self.w.clone(), self.b.clone()

    def to(self, dtype: torch.dtype) -> "Case":
        """Return the same in another dtype."""
        return Case(self.b.to(dtype), self.stride, self.x.to(dtype), self.pad, self.w.to(dtype))

    def out(self) -> Tensor:
        """Return the right result in the dtype of the images."""
        x, w, b = (v.double() for v in (self.x, self.w, self.b))
        return F.conv2d(x, w, b, stride=self.stride, padding=self.pad).to(self.x.dtype)

    def grads(self, dout: Tensor, stride: int | None = None) -> tuple[Tensor, ...]:
        """Return the right gradients, or those of the same number of places with another stride."""
        leaves = [v.double().requires_grad_() for v in (self.x, self.w, self.b)]
        out = F.conv2d(*leaves, stride=stride or self.stride, padding=self.pad)
        found = torch.autograd.grad(out[:, :, : dout.shape[2], : dout.shape[3]], leaves, dout.double())
        return tuple(v.to(self.x.dtype) for v in found)


def case(name: str, images: tuple[int, ...], filters: tuple[int, ...], stride: int, pad: int) -> Case:
    """Return a convolution of hidden numbers."""
    shape = (filters[0], images[1], *filters[1:])
    return Case(
        normal(name, shape[0]), stride, normal(f"{name}/x", *images), pad, normal(f"{name}/w", *shape)
    )


PLAIN = case("plain", (2, 3, 5, 7), (4, 3, 2), 1, 0)
PADDED = case("pad", (2, 2, 4, 5), (3, 3, 3), 1, 1)
STRIDES = {
    "stride 2": case("stride", (2, 2, 7, 9), (3, 3, 3), 2, 0),
    "stride 2, pad 1 and a remainder": case("remainder", (3, 2, 6, 9), (2, 3, 4), 2, 1),
    "stride 3, larger than a filter": case("gaps", (1, 3, 8, 6), (2, 2, 1), 3, 2),
}
SAME = case("same", (1, 3, 32, 32), (10, 5, 5), 1, 2)
LAST = case("last", (2, 3, 6, 8), (4, 3, 2), 2, 1)
