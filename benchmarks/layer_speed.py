"""How fast the layers that students write are, beside the given fast ones and beside PyTorch's own.

``python -m benchmarks.layer_speed`` times the reference solution forward and backward in one process, in turn
with the others, and prints the medians and their ratios.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table
from torch import Tensor

from helpers.training.layers import FastConv, FastMaxPool

SOLUTION = Path(__file__).parents[1] / "solutions" / "convolutional_networks"
KINDS = ("by hand", "given", "PyTorch")
IMAGES, CHANNELS, SIDE, FILTERS = 50, 16, 32, 32

Pass = Callable[[], object]
"""Goes forward and backward once."""


def by_hand(layer: Any, tensors: tuple[Tensor, ...], settings: dict[str, Any], back: str) -> Pass:
    """Return a pass through a layer with static functions."""

    def once() -> object:
        out, cache = layer.forward(*tensors, dict(settings))
        return getattr(layer, back)(torch.ones_like(out), cache)

    return once


def automatic(function: Callable[..., Tensor], tensors: tuple[Tensor, ...]) -> Pass:
    """Return a pass through a function of PyTorch."""

    def once() -> object:
        leaves = [value.detach().requires_grad_() for value in tensors]
        out = function(*leaves)
        return torch.autograd.grad(out, leaves, torch.ones_like(out))

    return once


def passes() -> dict[str, dict[str, Pass]]:
    """Return, for each layer, a pass of each kind that there is."""
    sys.path.insert(0, str(SOLUTION))
    cn = importlib.import_module("convolutional_networks")
    x = torch.randn(IMAGES, CHANNELS, SIDE, SIDE)
    rows = torch.randn(IMAGES * 20, 500)
    conv = x, torch.randn(FILTERS, CHANNELS, 3, 3), torch.randn(FILTERS)
    same = {"stride": 1, "pad": 1}
    halves = {"pool_height": 2, "pool_width": 2, "stride": 2}

    def norm(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        return F.batch_norm(x, None, None, gamma, beta, training=True)

    def scale(x: Tensor, width: int) -> tuple[Tensor, ...]:
        return x, torch.randn(width), torch.randn(width)

    train = {"mode": "train"}
    vectors, images = scale(rows, 500), scale(x, CHANNELS)
    return {
        f"convolution, {FILTERS} filters of 3 x 3": {
            "by hand": by_hand(cn.Conv, conv, same, "backward"),
            "given": by_hand(FastConv, conv, same, "backward"),
            "PyTorch": automatic(lambda x, w, b: F.conv2d(x, w, b, padding=1), conv),
        },
        "max pooling 2 x 2": {
            "by hand": by_hand(cn.MaxPool, (x,), halves, "backward"),
            "given": by_hand(FastMaxPool, (x,), halves, "backward"),
            "PyTorch": automatic(lambda x: F.max_pool2d(x, 2), (x,)),
        },
        "batch normalization, step by step": {
            "by hand": by_hand(cn.BatchNorm, vectors, train, "backward"),
            "PyTorch": automatic(norm, vectors),
        },
        "batch normalization, one formula": {
            "by hand": by_hand(cn.BatchNorm, vectors, train, "backward_alt"),
            "PyTorch": automatic(norm, vectors),
        },
        "batch normalization of images": {
            "by hand": by_hand(cn.SpatialBatchNorm, images, train, "backward"),
            "PyTorch": automatic(norm, images),
        },
    }


def seconds(kinds: dict[str, Pass], rounds: int) -> dict[str, float]:
    """Return the median CPU time of a pass of each kind; they take turns."""
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for turn in range(rounds + 1):
        for kind, once in kinds.items():
            start = time.process_time()
            once()
            if turn:  # the first turn warms up
                times[kind].append(time.process_time() - start)
    return {kind: statistics.median(values) for kind, values in times.items()}


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15, help="how many times each layer runs")
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    torch.manual_seed(0)
    title = f"Forward and backward, float32, {IMAGES} images of {CHANNELS} x {SIDE} x {SIDE}, 1 thread"
    table = Table("layer", *(f"{kind} (ms)" for kind in KINDS), "by hand / given", "by hand / PyTorch")
    table.title = title
    for name, kinds in passes().items():
        found = seconds(kinds, rounds)
        times = [f"{1e3 * found[kind]:.1f}" if kind in found else "" for kind in KINDS]
        ratios = [f"{found['by hand'] / found[kind]:.1f} x" if kind in found else "" for kind in KINDS[1:]]
        table.add_row(name, *times, *ratios)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
