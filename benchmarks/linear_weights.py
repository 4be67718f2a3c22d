"""Train the linear model whose weights `autograder calibrate two_layer_net` must find too weak.

Run as `python -m benchmarks.linear_weights`; it writes ``autograder/suites/two_layer_net/weak/linear.pt``.
In the form of a network with one hidden layer, a linear model has two hidden units for each class: one for
the positive part of its score, one for the negative part.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from helpers.data.pictures import tabletop

FILE = Path(__file__).parents[1] / "autograder" / "suites" / "two_layer_net" / "weak" / "linear.pt"
STEPS, BATCH, RATE, REG = 600, 200, 3e-3, 0.3
"""The best of a search, by accuracy on 1,000 pictures."""


def train() -> tuple[Tensor, Tensor]:
    """Return weights (3072, 10) and bias (10,) of a softmax classifier of the notebook's pictures."""
    split = tabletop(4000, 0, 0)
    x = ((split.x_train - split.x_train.mean(dim=0)) / 0.25).flatten(1)
    weights, bias = torch.zeros(x.shape[1], 10), torch.zeros(10)
    generator = torch.Generator().manual_seed(0)
    for _ in range(STEPS):
        chosen = torch.randint(len(x), (BATCH,), generator=generator)
        slope = (x[chosen] @ weights + bias).softmax(dim=1)
        slope[torch.arange(BATCH), split.y_train[chosen]] -= 1
        weights -= RATE * (x[chosen].T @ slope / BATCH + 2 * REG * weights)
        bias -= RATE * slope.mean(dim=0)
    return weights, bias


def as_network(weights: Tensor, bias: Tensor) -> dict[str, Tensor]:
    """Return the parameters of a network with one hidden layer that computes the same scores."""
    parts = torch.cat([torch.eye(10), -torch.eye(10)])
    params = {
        "W1": torch.cat([weights, -weights], dim=1),
        "b1": torch.cat([bias, -bias]),
        "W2": parts,
        "b2": torch.zeros(10),
    }
    return {name: value.half() for name, value in params.items()}


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    torch.save(as_network(*train()), FILE)
    print(f"Written to {FILE}")
