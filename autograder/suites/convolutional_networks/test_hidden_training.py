"""Hidden tests of the settings that students choose to train networks with.

Networks are trained here, in the grader, on the layers of PyTorch: whatever is wrong in the student's layers
costs nothing in these tasks. Only an update rule that a student wrote is the student's.
"""

import math
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import convolutional_networks as cn
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.hidden import Thresholds, hidden_generator, hidden_seed
from helpers.data.pictures import tabletop, tabletop_images
from helpers.testing import Untrained, checks, constructor, convention, substituted
from helpers.training import layers
from helpers.training.layers import adam
from helpers.training.solver import Solver

DEVICE = "cpu:0"
"""The CPU, but by a name that nobody has as a default."""
NO_SEQUENCE = (int, float, complex, bool, str, dict, type(None), Tensor)
MAX_PRODUCTS, MAX_LAYERS, SEEN = 6_000_000, 12, 12_000
MAX_NETWORKS = 20
"""So many a student's function may make."""
REGULARIZATION = float(convention("regularization"))
THRESHOLDS = Thresholds("convolutional_networks")
NETWORKS, LEAST_BY_HEART = 12, 90
"""So many networks are trained at most, until one knows so many percent of its 50 pictures after an epoch.

Whether one network learns depends on its first weights as well as on the settings. With settings that let
half of all networks learn, 12 of them fail once in 4,000 times; with settings that let none learn, always.
"""

TRIES, NEW = 3, 1000
"""So many networks are trained at most, until one recognizes enough of so many new pictures."""
Form = tuple[list[int], list[int], bool, object, float]
"""Filters, pools, whether to normalize batches, scale of the weights, and regularization."""


class TorchLayersNet:
    """A deep network, on the layers of PyTorch."""

    def __init__(
        self, filters: list[int], pools: list[int], batchnorm: bool, scale: object, reg: float, draw: int = 0
    ) -> None:
        generator = hidden_generator("training", "weights", str(draw))
        self.pools, self.batchnorm, self.reg = pools, batchnorm, reg
        self.layers, self.params, size, before = len(filters), {}, 32, 3
        shapes: list[tuple[int, ...]] = []
        self.products = 0
        for n, after in enumerate(filters):
            shapes.append((after, before, 3, 3))
            self.products += after * before * 9 * size * size
            size, before = size // 2 if n in pools else size, after
        shapes.append((before * size * size, 10))
        for n, shape in enumerate(shapes):
            linear = n == len(filters)
            fan_in = shape[0] if linear else math.prod(shape[1:])
            std = ((1 if linear else 2) / fan_in) ** 0.5 if scale == "kaiming" else float(scale)  # type: ignore[arg-type]
            width = shape[1] if linear else shape[0]
            self.params[f"W{n}"] = std * torch.randn(shape, generator=generator)
            self.params[f"b{n}"] = torch.zeros(width)
            if batchnorm and not linear:
                self.params[f"gamma{n}"], self.params[f"beta{n}"] = torch.ones(width), torch.zeros(width)
        self.bn_params = [
            {"running_mean": torch.zeros(width), "running_var": torch.ones(width)}
            for width in filters
            if batchnorm
        ]

    def scores(self, p: dict[str, Tensor], x: Tensor, training: bool) -> Tensor:
        """Return the scores of pictures."""
        x = x.contiguous(memory_format=torch.channels_last)  # convolutions on a CPU take half the time
        for n in range(self.layers):
            x = F.conv2d(x, p[f"W{n}"], p[f"b{n}"], padding=1)
            if self.batchnorm:
                kept = self.bn_params[n]
                statistics = kept["running_mean"], kept["running_var"]
                x = F.batch_norm(x, *statistics, p[f"gamma{n}"], p[f"beta{n}"], training=training)
            x = F.max_pool2d(F.relu(x), 2) if n in self.pools else F.relu(x)
        return x.flatten(1) @ p[f"W{self.layers}"] + p[f"b{self.layers}"]

    def loss(self, X: Tensor, y: Tensor | None = None) -> Any:
        """Return scores, or loss and gradients."""
        if y is None:
            with torch.no_grad():
                return self.scores(self.params, X, training=False)
        leaves = {name: value.detach().requires_grad_() for name, value in self.params.items()}
        decay = sum((leaves[f"W{n}"] ** 2).sum() for n in range(self.layers + 1))
        loss = F.cross_entropy(self.scores(leaves, X, training=True), y) + REGULARIZATION * self.reg * decay
        grads = torch.autograd.grad(loss, list(leaves.values()))
        return loss.detach(), dict(zip(leaves, grads, strict=True))

    def accuracy(self, images: Tensor, labels: Tensor) -> float:
        """Return how many percent of pictures are recognized; none if the network has come to grief."""
        scores = self.loss(images)
        right = float((scores.argmax(dim=1) == labels).double().mean())
        return 100 * right if scores.isfinite().all() else 0.0


def pictures(name: str, count: int) -> tuple[Tensor, Tensor]:
    """Return hidden pictures."""
    return tabletop_images(hidden_seed("training", name), count)


def solver_of(net: TorchLayersNet, images: Tensor, labels: Tensor, **settings: Any) -> Solver:
    """Return a solver that trains a network on pictures, and measures accuracies on one of them only."""
    data = {"X_train": images, "y_train": labels, "X_val": images[:1], "y_val": labels[:1]}
    return Solver(net, data, num_train_samples=1, verbose=False, **settings)


@contextmanager
def hidden_batches(draw: int = 0) -> Iterator[None]:
    """Have a secret decide which batches a solver draws."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(hidden_seed("training", "batches", str(draw)))
        yield


def cause_of(losses: list[float]) -> str:
    """Return why training has failed, if it has, by its losses."""
    last = sum(losses[-20:]) / len(losses[-20:])
    if not math.isfinite(last) or max(losses) > 10 * math.log(10):
        return "the loss explodes: the learning rate, or the weights at first, are too large"
    if last > 0.95 * math.log(10):
        return "the loss stays at log 10: the learning rate, or the weights at first, are too small"
    return "the loss falls too slowly: try another learning rate, or other weights at first"


def learn_by_heart(scale: float, rate: float, draw: int) -> tuple[float, str]:
    """Train one network until it knows 50 pictures; return how many percent it knew, and why no more."""
    images, labels = pictures(f"overfit {draw}", 50)
    net = TorchLayersNet([8, 16, 32, 64], [0, 1, 2, 3], False, scale, 1e-5, draw)
    training = {"update_rule": adam, "optim_config": {"learning_rate": rate}, "batch_size": 10}
    solver = solver_of(net, images, labels, num_epochs=1, **training)
    best = 0.0
    with hidden_batches(draw):
        for _ in range(30):
            solver.train(return_best_params=False)
            best = max(best, net.accuracy(images, labels))
            if best >= LEAST_BY_HEART or not math.isfinite(solver.loss_history[-1]):
                break
    return best, cause_of(solver.loss_history)


@pytest.mark.limits(cpu_seconds=30)
@pytest.mark.task("overfit", weight=3)
def test_overfit() -> None:
    """Overfitting: with the settings, 50 images are learned by heart in 30 epochs."""
    found = checks.parts(cn.find_overfit_parameters(), 2, what="weight_scale and learning_rate")
    scale = checks.number(found[0], at_least=1e-9, at_most=1e3, what="weight_scale")
    rate = checks.number(found[1], at_least=1e-9, at_most=1e3, what="learning_rate")
    best, causes = 0.0, []
    for draw in range(NETWORKS):
        known, cause = learn_by_heart(float(scale), float(rate), draw)
        best = max(best, known)
        causes.append(cause)
        if best >= LEAST_BY_HEART:
            break
    what, cause = "the percentage of the 50 images", statistics.mode(causes)
    checks.number(best, at_least=LEAST_BY_HEART, what=what, likely_cause=cause)


def integers(values: Any, what: str, **limits: int) -> list[int]:
    """Return what should be a sequence of integers as a list."""
    checks.holds(not isinstance(values, NO_SEQUENCE), what=what, problem="not a list of integers")
    return [int(checks.number(value, what=what, **limits)) for value in values]


def plan_of(settings: dict[str, Any]) -> tuple[Form, dict[str, Any]]:
    """Return the form of the network and the settings of its training, if they are within bounds."""
    whole = {"at_least": 1, "what": "a setting of the solver"}
    training = {
        "update_rule": settings["update_rule"],
        "optim_config": settings["optim_config"],
        "lr_decay": checks.number(settings["lr_decay"], at_least=0, at_most=1, what="lr_decay"),
        "batch_size": int(checks.number(settings["batch_size"], at_most=2000, **whole)),  # type: ignore[arg-type]
        "num_epochs": min(6, int(checks.number(settings["num_epochs"], **whole))),  # type: ignore[arg-type]
    }
    training["max_steps"] = max(SEEN // training["batch_size"], 1)
    shape = settings["net"]
    filters = integers(shape["num_filters"], "num_filters", at_least=1, at_most=4096)
    checks.number(len(filters), at_least=1, at_most=MAX_LAYERS, what="the number of convolutions")
    pools = integers(shape["max_pools"], "max_pools", at_least=0)
    scale = shape["weight_scale"]
    if scale != "kaiming":
        scale = checks.number(scale, at_least=0, at_most=1e3, what="weight_scale")
    reg = checks.number(shape["reg"], at_least=0, at_most=1e6, what="reg")
    size, before, products = 32, 3, 0
    for n, after in enumerate(filters):
        products, before = products + after * before * 9 * size * size, after
        size = size // 2 if n in pools else size
    checks.number(products, at_most=MAX_PRODUCTS, what="the multiplications in the convolutions per picture")
    checks.number(size, at_least=1, what="the height of the linear layer's input")
    return (filters, pools, shape["batchnorm"] is True, scale, reg), training


def rules_given() -> dict[str, object]:
    """Return the update rules that are given, to take their steps here and not in the student's process."""
    found = {}
    for name in ("adam", "sgd_momentum"):
        with suppress(Exception):  # a student may have deleted the import
            getattr(cn, name)
            found[name] = getattr(layers, name)
    return found


NO_SOLVER = (*NO_SEQUENCE, tuple, list)


class Recipes:
    """Stand for the student's DeepConvNet, and note with what settings networks are made."""

    def __init__(self) -> None:
        self.made: list[dict[str, Any]] = []
        self._blank = constructor(cn.DeepConvNet, None, lambda: {}, count=MAX_NETWORKS)

    def make(
        self,
        input_dims: object = (3, 32, 32),
        num_filters: object = (8, 8, 8, 8, 8),
        max_pools: object = (0, 1, 2, 3, 4),
        batchnorm: object = False,
        num_classes: object = 10,
        weight_scale: object = 1e-3,
        reg: object = 0.0,
        weight_initializer: object = None,
        dtype: object = torch.float32,
        device: object = "cpu",
    ) -> object:
        """Return a network that a Solver takes; which one it is, its only parameter tells."""
        form = {"num_filters": num_filters, "max_pools": max_pools, "batchnorm": batchnorm}
        form |= {"weight_scale": weight_scale, "reg": reg, "classes": num_classes, "dims": input_dims}
        self.made.append({**form, "dtype": dtype, "device": device})
        model: Any = self._blank()
        params = {"number": torch.tensor(float(len(self.made) - 1))}
        model.params, model.loss = params, Untrained(params).loss
        return model

    def of(self, solver: Any) -> dict[str, Any]:
        """Return the settings of the network that a solver trains."""
        what = {"what": "the model of the solver", "problem": "not a DeepConvNet, made by this name"}
        checks.holds(len(self.made) > 0, **what)
        params = solver.model.params
        checks.holds("number" in params, **what)
        number = checks.tensor(params["number"], shape=(), dtype=torch.float32, what="the network's number")
        return self.made[round(float(number.nan_to_num())) % len(self.made)]


def settings_of_student() -> dict[str, Any]:
    """Return what the student's function chooses for DeepConvNet and Solver, and what it passes on."""
    recipes = Recipes()
    images, labels = pictures("few", 20)
    data = {"X_train": images, "y_train": labels, "X_val": images[:10].clone(), "y_val": labels[:10].clone()}
    with substituted(cn, DeepConvNet=recipes.make, **rules_given()):
        found = cn.create_convolutional_solver_instance(data, torch.float64, DEVICE)
    checks.holds(
        type(found) not in NO_SOLVER,
        what="what create_convolutional_solver_instance returns",
        problem="not a Solver",
        likely_cause="return the Solver alone" if type(found) in (tuple, list) else None,
    )
    net = recipes.of(found)
    checks.holds(
        net["classes"] == 10 and integers(net["dims"], "input_dims") == [3, 32, 32],
        what="the network",
        problem="not for pictures of 3 x 32 x 32 and ten classes",
    )
    as_given = type(net["dtype"]) is torch.dtype and net["dtype"] == torch.float64
    for device in (net["device"], found.device):
        as_given = as_given and type(device) in (str, torch.device) and str(device) == DEVICE
    checks.equal(tuple(found.X_train.shape[1:]), (3, 32, 32), what="the shape of a picture of the solver")
    names = ("lr_decay", "batch_size", "num_epochs", "update_rule")
    config = dict(found.optim_config.items())
    chosen = {name: getattr(found, name) for name in names}
    return {**chosen, "optim_config": config, "net": net, "as given": as_given}


PASS_ON = "pass the given dtype and device on to DeepConvNet, and the device to Solver"


def guard(rule: Callable[..., Any]) -> Callable[[Tensor, Tensor, Any], tuple[Tensor, Any]]:
    """Return the student's update rule, with its results checked."""

    def step(w: Tensor, dw: Tensor, config: Any) -> tuple[Tensor, Any]:
        next_w, config = checks.parts(rule(w, dw, config), 2, what="what the update rule returns")
        return checks.tensor(next_w, shape=w.shape, dtype=w.dtype, what="the updated parameter"), config

    return step


def recognize(form: Form, training: dict[str, Any], causes: list[str]) -> Iterator[float]:
    """Train networks; yield how many percent of new pictures each recognizes, and add why no more."""
    learned, new = tabletop(2000, 0, 0), pictures("accuracy", NEW)
    for draw in range(TRIES):
        net = TorchLayersNet(*form, draw)
        solver = solver_of(net, learned.x_train, learned.y_train, **training)
        with hidden_batches(draw):
            solver.train(return_best_params=False)
        causes.append(cause_of(solver.loss_history))
        yield net.accuracy(*new)


@pytest.mark.limits(cpu_seconds=120)
@pytest.mark.task("solver", weight=4)
def test_solver() -> None:
    """Settings: after 12,000 pictures, a network recognizes things on a table that nobody has seen."""
    settings = settings_of_student()
    form, training = plan_of(settings)
    training["update_rule"] = guard(training["update_rule"])
    causes: list[str] = []
    accuracies, what = recognize(form, training, causes), "the percentage of pictures recognized"
    THRESHOLDS.require_best("accuracy", accuracies, what=what, causes=causes)
    what, problem = "dtype and device of network and solver", "not the given ones"
    checks.holds(settings["as given"], what=what, problem=problem, likely_cause=PASS_ON, slip=True)
