"""Windows by index tensors: every convolution is one product of matrices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn


@dataclass(frozen=True)
class Geometry:
    """How windows lie on an image."""

    channels: int
    height: int
    width: int
    window: tuple[int, int]
    stride: int
    pad: int = 0

    @property
    def outer(self) -> tuple[int, int]:
        return self.height + 2 * self.pad, self.width + 2 * self.pad

    @property
    def places(self) -> tuple[int, int]:
        return tuple(1 + (size - k) // self.stride for size, k in zip(self.outer, self.window))

    def index(self, device: Any) -> torch.Tensor:
        """Return (C * h * w, H' * W') numbers of pixels in the padded image."""
        def ramp(n):
            return torch.arange(n, device=device)

        c = ramp(self.channels).reshape(-1, 1, 1, 1, 1)
        r = ramp(self.window[0]).reshape(-1, 1, 1, 1) + self.stride * ramp(self.places[0]).reshape(-1, 1)
        s = ramp(self.window[1]).reshape(-1, 1, 1) + self.stride * ramp(self.places[1])
        flat = (c * self.outer[0] + r) * self.outer[1] + s
        return flat.reshape(self.channels * self.window[0] * self.window[1], -1)

    def columns(self, x: torch.Tensor) -> torch.Tensor:
        p = self.pad
        return torch.nn.functional.pad(x, (p, p, p, p)).flatten(1)[:, self.index(x.device)]

    def fold(self, columns: torch.Tensor) -> torch.Tensor:
        n = len(columns)
        total = columns.new_zeros(n, self.channels * self.outer[0] * self.outer[1])
        index = self.index(columns.device).reshape(1, -1).expand(n, -1)
        total = total.scatter_add(1, index, columns.reshape(n, -1))
        total = total.reshape(n, self.channels, *self.outer)
        p = self.pad
        return total[..., p : p + self.height, p : p + self.width].clone()


class Conv:
    @staticmethod
    def forward(x, w, b, conv_param):
        geometry = _of(x, w, conv_param)
        out = w.flatten(1) @ geometry.columns(x) + b.unsqueeze(1)
        return out.reshape(len(x), len(w), *geometry.places), (x, w, b, conv_param)

    @staticmethod
    def backward(dout, cache):
        x, w, b, conv_param = cache
        geometry = _of(x, w, conv_param)
        rows = dout.flatten(2)
        dw = torch.zeros_like(w)
        dw += (rows @ geometry.columns(x).transpose(1, 2)).sum(dim=0).reshape(w.shape)
        return geometry.fold(w.flatten(1).t() @ rows), dw, rows.sum(dim=2).sum(dim=0)


def _of(x, w, conv_param) -> Geometry:
    return Geometry(*x.shape[1:], window=(w.shape[2], w.shape[3]), **conv_param)


class MaxPool:
    @staticmethod
    def forward(x, pool_param):
        cols, _ = _pooling(x, pool_param)
        values, _ = cols.max(dim=1)
        return values.reshape(*x.shape[:2], *_shape(x, pool_param).places), (x, pool_param)

    @staticmethod
    def backward(dout, cache):
        x, pool_param = cache
        cols, undo = _pooling(x, pool_param)
        best = cols.argmax(dim=1, keepdim=True)
        grad = torch.zeros_like(cols).scatter(1, best, dout.reshape(len(cols), 1, -1))
        return undo(grad)


def _shape(x: torch.Tensor, pool_param: Mapping[str, int]) -> Geometry:
    return Geometry(1, *x.shape[2:], (pool_param["pool_height"], pool_param["pool_width"]), pool_param["stride"])


def _pooling(x, pool_param) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]:
    geometry = _shape(x, pool_param)
    alone = x.reshape(-1, 1, *x.shape[2:])
    return geometry.columns(alone), lambda grad: geometry.fold(grad).reshape(x.shape)
