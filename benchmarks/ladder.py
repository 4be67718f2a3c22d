"""How far each kind of classifier of the course gets on `tabletop`, from neighbours to a deep network.

``python -m benchmarks.ladder`` prints a table and, with ``--pictures FOLDER``, draws it. Every seed stands
for another set of pictures, other first weights and another order of batches.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import torch
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.nn import functional

from helpers import plots
from helpers.splits import Split
from helpers.tabletop import CLASSES, tabletop

BATCH = 100
FLAT = 3 * 32 * 32


@dataclass(frozen=True)
class Rung:
    """A kind of classifier: its test accuracies in percent, and how long training and testing took."""

    name: str
    accuracies: list[float]
    seconds: list[float]

    @property
    def mean(self) -> float:
        """Return the mean accuracy, in percent."""
        return statistics.mean(self.accuracies)

    @property
    def deviation(self) -> float:
        """Return the standard deviation of the accuracy over the seeds, in percentage points."""
        return statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else 0.0


def neighbours(split: Split) -> float:
    """Return the test accuracy of k-nearest neighbours, in percent; k is chosen on the validation set."""
    train = split.x_train.flatten(1)
    shares = {}
    for k in (1, 3, 5, 10, 20, 50):
        shares[k] = _vote(train, split.y_train, split.x_val, split.y_val, k)
    best = max(shares, key=lambda k: shares[k])
    return _vote(train, split.y_train, split.x_test, split.y_test, best)


def _vote(train: torch.Tensor, labels: torch.Tensor, x: torch.Tensor, y: torch.Tensor, k: int) -> float:
    """Return the percentage of points whose k nearest neighbours elect the right class."""
    nearest = torch.cdist(x.flatten(1), train).topk(k, largest=False).indices
    return _percent(labels[nearest].mode(1).values == y)


def linear() -> nn.Module:
    """Return a softmax classifier."""
    return nn.Sequential(nn.Flatten(), nn.Linear(FLAT, 10))


def two_layers() -> nn.Module:
    """Return a network with 200 hidden units."""
    return nn.Sequential(nn.Flatten(), nn.Linear(FLAT, 200), nn.ReLU(), nn.Linear(200, 10))


def three_layers() -> nn.Module:
    """Return a network of one convolution, 32 filters of 7 by 7, and two affine layers."""
    return nn.Sequential(
        *(nn.Conv2d(3, 32, 7, padding=3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(32 * 16 * 16, 100), nn.ReLU(), nn.Linear(100, 10)),
    )


def deep() -> nn.Module:
    """Return a network of six convolutions with batch normalisation and one affine layer."""
    layers: list[nn.Module] = []
    channels = 3
    for filters, pool in ((16, False), (32, True), (32, False), (64, True), (64, True), (64, True)):
        layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if pool else []
        channels = filters
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * 4, 10))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], int, float, float]] = {
    "linear": (linear, 15, 1e-3, 0.1),
    "two layers": (two_layers, 20, 1e-3, 1.0),
    "three layers, one convolution": (three_layers, 8, 1e-3, 0.1),
    "deep, batch normalisation": (deep, 8, 4e-3, 0.05),
}
"""Maker, epochs, learning rate and weight decay of each network."""


def train(
    network: nn.Module, x: torch.Tensor, y: torch.Tensor, epochs: int, rate: float, decay: float
) -> None:
    """Train a network with AdamW; the learning rate rises, then falls to zero."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, epochs * (len(y) // BATCH))
    for _ in range(epochs):
        for batch in torch.randperm(len(y))[: len(y) // BATCH * BATCH].split(BATCH):
            optimizer.zero_grad()
            functional.cross_entropy(network(x[batch]), y[batch]).backward()
            optimizer.step()
            schedule.step()


def accuracy(network: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Return the accuracy of a network, in percent."""
    network.eval()
    with torch.no_grad():
        scores = torch.cat([network(part) for part in x.split(500)])
    return _percent(scores.argmax(1) == y)


def _percent(right: torch.Tensor) -> float:
    return 100 * right.float().mean().item()


def climb(seeds: int, num_train: int) -> list[Rung]:
    """Measure every rung with each seed."""
    rungs = [Rung(name, [], []) for name in ("nearest neighbours", *NETWORKS)]
    for seed in range(seeds):
        split = tabletop(num_train, 1000, 2000, seed=seed, cache=False)
        mean = split.x_train.mean(0)
        x_train, x_test = split.x_train - mean, split.x_test - mean
        for rung in rungs:
            torch.manual_seed(seed)
            begin = time.perf_counter()
            if rung.name in NETWORKS:
                make, epochs, rate, decay = NETWORKS[rung.name]
                network = make()
                train(network, x_train, split.y_train, epochs, rate, decay)
                rung.accuracies.append(accuracy(network, x_test, split.y_test))
            else:
                rung.accuracies.append(neighbours(split))
            rung.seconds.append(time.perf_counter() - begin)
            print(
                f"seed {seed}, {rung.name}: {rung.accuracies[-1]:.1f} %, {rung.seconds[-1]:.0f} s", flush=True
            )
    return rungs


def bars(rungs: list[Rung], title: str) -> Figure:
    """Draw the accuracies as bars, with their standard deviations."""
    with mpl.rc_context({"figure.constrained_layout.use": True, "axes.spines.top": False}):
        figure = Figure(figsize=(7.2, 3.0), dpi=100)
        axes = figure.subplots()
        places = range(len(rungs))
        axes.barh(
            places,
            [rung.mean for rung in rungs],
            xerr=[rung.deviation for rung in rungs],
            color=plots.COLORS[0],
            ecolor="#222222",
            capsize=4,
        )
        for place, rung in zip(places, rungs, strict=True):
            axes.text(rung.mean + rung.deviation + 1.5, place, f"{rung.mean:.1f}", va="center")
        axes.axvline(10, color="#777777", linestyle=":", label="guessing")
        axes.set_yticks(places, [rung.name for rung in rungs])
        axes.invert_yaxis()
        axes.spines["right"].set_visible(False)
        axes.set(xlim=(0, 105), xlabel="test accuracy in percent", title=title)
        axes.legend(frameon=False, loc="upper right")
    return figure


def main() -> None:
    """Measure, print the table, and draw the pictures of the documents if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=5, help="how many sets and first weights")
    parser.add_argument("--quick", action="store_true", help="one seed and 2000 pictures for training")
    parser.add_argument(
        "--pictures", type=Path, metavar="FOLDER", help="where tabletop.png and ladder.png go"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    seeds, num_train = (1, 2000) if options.quick else (options.seeds, 8000)
    rungs = climb(seeds, num_train)
    title = f"tabletop: {num_train} training pictures, {seeds} seed{'s' * (seeds > 1)}"
    table = Table("classifier", "test accuracy (%)", "seconds on one core", title=title)
    for rung in rungs:
        seconds = f"{statistics.mean(rung.seconds):.0f}"
        table.add_row(rung.name, f"{rung.mean:.1f} ± {rung.deviation:.1f}", seconds)
    Console(width=110).print(table)
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
        bars(rungs, title).savefig(options.pictures / "ladder.png")
        examples = tabletop(400, 0, 0, cache=False)
        grid = plots.sample_grid(
            examples.x_train, examples.y_train, per_class=8, names=CLASSES, title="tabletop: ten classes"
        )
        grid.savefig(options.pictures / "tabletop.png", dpi=150)


if __name__ == "__main__":
    main()
