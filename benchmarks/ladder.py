"""How far each kind of classifier of the course gets on `tabletop`, from neighbors to a deep network.

They are the reference solutions of the assignments. ``python -m benchmarks.ladder`` prints a table and, with
``--pictures FOLDER``, draws it. Every seed stands for another set of pictures, other first weights and
another order of batches.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
import torch
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from helpers.data.pictures import CLASSES, tabletop
from helpers.data.splits import Split
from helpers.figures import plots
from helpers.training.solver import Solver

SOLUTIONS = Path(__file__).parents[1] / "solutions"
FLAT, CLASS_COUNT, BATCH = 3 * 32 * 32, len(CLASSES), 100


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


@dataclass(frozen=True)
class ReferenceModules:
    """The reference solutions, as modules."""

    knn: Any
    linear_classifier: Any
    two_layer_net: Any
    convolutional_networks: Any

    @classmethod
    def load(cls) -> ReferenceModules:
        """Import them from `solutions/`."""
        names = [field.name for field in fields(cls)]
        sys.path[:0] = [str(SOLUTIONS / name) for name in names]
        return cls(*map(importlib.import_module, names))


def neighbors(course: ReferenceModules, split: Split) -> torch.Tensor:
    """Predict by k-nearest neighbors; k is chosen on the validation set."""
    classifier = course.knn.KnnClassifier(split.x_train, split.y_train)
    distances = course.knn.compute_distances_no_loops(split.x_train, split.x_val)
    shares = {
        k: percent(course.knn.predict_labels(distances, split.y_train, k), split.y_val)
        for k in (1, 3, 5, 10, 20, 50)
    }
    return cast(torch.Tensor, classifier.predict(split.x_test, k=max(shares, key=lambda k: shares[k])))


def linear(kind: str, rate: float, reg: float) -> Classifier:
    """Return a linear classifier, "LinearSVM" or "Softmax"."""

    def predict(course: ReferenceModules, split: Split) -> torch.Tensor:
        classifier = getattr(course.linear_classifier, kind)()
        settings = {"learning_rate": rate, "reg": reg, "num_iters": steps(split, 15), "batch_size": BATCH}
        classifier.train(_with_bias(split.x_train), split.y_train, **settings)
        return cast(torch.Tensor, classifier.predict(_with_bias(split.x_test)))

    return predict


def two_layers(course: ReferenceModules, split: Split) -> torch.Tensor:
    """Predict by 200 hidden units, trained by gradient descent."""
    net = course.two_layer_net.TwoLayerNet(FLAT, 200, CLASS_COUNT, std=0.01)
    net.train(
        split.x_train.flatten(1),
        split.y_train,
        split.x_val.flatten(1),
        split.y_val,
        learning_rate=0.4,
        learning_rate_decay=0.95,
        reg=1e-3,
        num_iters=steps(split, 30),
        batch_size=BATCH,
    )
    return cast(torch.Tensor, net.predict(split.x_test.flatten(1)))


def three_layers(course: ReferenceModules, split: Split) -> torch.Tensor:
    """Predict by one convolution, 32 filters of 7 by 7, and two linear layers."""
    net = course.convolutional_networks.ThreeLayerConvNet(weight_scale=0.02, reg=1e-3)
    solver = Solver(
        net,
        _parts(split),
        update_rule=course.convolutional_networks.adam,
        optim_config={"learning_rate": 1e-3},
        lr_decay=0.8,
        batch_size=BATCH,
        num_epochs=8,
        verbose=False,
    )
    return train(solver, split)


def deep(course: ReferenceModules, split: Split) -> torch.Tensor:
    """Predict by the network that the assignment's solution trains."""
    make = course.convolutional_networks.create_convolutional_solver_instance
    return train(make(_parts(split), torch.float32, "cpu"), split)


Classifier = Callable[[ReferenceModules, Split], torch.Tensor]
"""Trains, and returns the predicted labels of the test pictures."""

CLASSIFIERS: dict[str, Classifier] = {
    "nearest neighbors": neighbors,
    "linear SVM": linear("LinearSVM", 3e-3, 1e-3),
    "softmax": linear("Softmax", 3e-2, 1e-3),
    "two layers": two_layers,
    "three layers, one convolution": three_layers,
    "deep, batch normalization": deep,
}


def steps(split: Split, epochs: int) -> int:
    """Return how many batches make so many epochs."""
    return epochs * len(split.y_train) // BATCH


def train(solver: Solver, split: Split) -> torch.Tensor:
    """Train a network, and return what it predicts."""
    solver.train()
    scores = [solver.model.loss(part) for part in torch.split(split.x_test, 500)]
    return torch.cat(scores).argmax(dim=1)


def percent(predicted: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the accuracy in percent."""
    return 100 * (predicted == labels).float().mean().item()


def _parts(split: Split) -> dict[str, torch.Tensor]:
    parts = {"X_train": split.x_train, "X_val": split.x_val}
    return parts | {"y_train": split.y_train, "y_val": split.y_val}


def _with_bias(x: torch.Tensor) -> torch.Tensor:
    return torch.cat([x.flatten(1), torch.ones(len(x), 1)], dim=1)


def climb(seeds: int, num_train: int) -> list[Rung]:
    """Measure every rung with each seed."""
    course = ReferenceModules.load()
    rungs = [Rung(name, [], []) for name in CLASSIFIERS]
    for seed in range(seeds):
        split = center(tabletop(num_train, 1000, 2000, seed=seed, cache=False))
        for rung in rungs:
            torch.manual_seed(seed)
            begin = time.process_time()
            rung.accuracies.append(percent(CLASSIFIERS[rung.name](course, split), split.y_test))
            rung.seconds.append(time.process_time() - begin)
            print(
                f"seed {seed}, {rung.name}: {rung.accuracies[-1]:.1f} %, {rung.seconds[-1]:.0f} s", flush=True
            )
    return rungs


def center(split: Split) -> Split:
    """Return the pictures minus the mean training picture."""
    mean = split.x_train.mean(dim=0)
    parts = {name: getattr(split, name) - mean for name in ("x_train", "x_val", "x_test")}
    return replace(split, **parts)


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
