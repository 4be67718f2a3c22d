"""Train the networks whose weights `autograder calibrate two_layer_net` compares with the reference's.

Run as `python -m benchmarks.two_layer_weights`; it writes files into ``weak/`` and ``right/`` in
``autograder/suites/two_layer_net``, which `weak.toml` and `right.toml` there name. All are trained on the
notebook's pictures, the networks by the reference.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from helpers.data.pictures import tabletop

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "autograder" / "suites" / "two_layer_net"
STEPS, BATCH, RATE, REG = 600, 200, 3e-3, 0.3
"""Settings of the linear model, the best of a search by accuracy on 1,000 pictures."""
NETWORKS = {
    "right/sixteen_units.pt": (16, 0.1, 1e-2, 500),
    "weak/four_units.pt": (4, 0.1, 1e-3, 500),
    "weak/slow.pt": (16, 0.01, 1e-2, 500),
    "weak/short.pt": (16, 0.1, 1e-2, 125),
}
"""Files, and of each network its hidden units, learning rate, regularization and steps."""

Rows = tuple[Tensor, Tensor]
Settings = tuple[int, float, float, int]


def prepare_pictures() -> Rows:
    """Return the training pictures as the notebook prepares them, (4000, 3072), and their labels."""
    split = tabletop(4000, 0, 0)
    return ((split.x_train - split.x_train.mean(dim=0)) / 0.25).flatten(1), split.y_train


def train_linear(rows: Rows) -> dict[str, Tensor]:
    """Return a softmax classifier in the form of a network with one hidden layer.

    It has two hidden units for each class: one for the positive part of its score, one for the negative part.
    """
    x, labels = rows
    weights, bias = torch.zeros(x.shape[1], 10), torch.zeros(10)
    generator = torch.Generator().manual_seed(0)
    for _ in range(STEPS):
        chosen = torch.randint(len(x), (BATCH,), generator=generator)
        slope = (x[chosen] @ weights + bias).softmax(dim=1)
        slope[torch.arange(BATCH), labels[chosen]] -= 1
        weights -= RATE * (x[chosen].T @ slope / BATCH + 2 * REG * weights)
        bias -= RATE * slope.mean(dim=0)
    return {
        "W1": torch.cat([weights, -weights], dim=1),
        "b1": torch.cat([bias, -bias]),
        "W2": torch.cat([torch.eye(10), -torch.eye(10)]),
        "b2": torch.zeros(10),
    }


def train_network(reference: ModuleType, rows: Rows, settings: Settings) -> dict[str, Tensor]:
    """Return the parameters of a network that the reference trains."""
    units, rate, reg, steps = settings
    torch.manual_seed(0)
    net = reference.TwoLayerNet(rows[0].shape[1], units, 10, std=1e-2)
    net.train(*rows, rows[0][:10], rows[1][:10], rate, 0.98, reg, steps, BATCH)
    params: dict[str, Tensor] = net.params
    return params


def load_reference() -> ModuleType:
    """Return the reference solution as a module."""
    path = ROOT / "solutions" / "two_layer_net" / "two_layer_net.py"
    spec = importlib.util.spec_from_file_location("two_layer_net", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Train all, and write their weights in half precision."""
    rows, reference = prepare_pictures(), load_reference()
    made = {"weak/linear.pt": train_linear(rows)}
    for file, settings in NETWORKS.items():
        made[file] = train_network(reference, rows, settings)
    for file, params in made.items():
        path = FOLDER / file
        path.parent.mkdir(exist_ok=True)
        torch.save({name: value.half() for name, value in params.items()}, path)
        print(f"Written to {path}")


if __name__ == "__main__":
    main()
