"""Hidden tests of the settings that students choose: a network of the grader's own is trained with them.

So neither layers nor networks of a student matter here, and what is measured is what the settings are worth.
"""

import statistics
from collections.abc import Iterator
from typing import Any

import fully_connected_networks as fcn
import pytest
import torch
from torch import Tensor

from autograder.hidden import Thresholds, hidden_normal, hidden_seed
from helpers.data import tabletop_images
from helpers.testing import Hint, Untrained, checks, constructor, convention, substituted
from helpers.training.solver import Solver

THRESHOLDS = Thresholds("fully_connected_networks")
REGULARIZATION = float(convention("regularization"))
NETWORKS, LEAST_BY_HEART = 12, 48
"""So many networks are trained at most, until one knows so many of 50 pictures.

Whether one network learns depends on its first weights as well as on the settings. With settings that let
half of all networks learn, 12 of them fail once in 4,000 times; with settings that let none learn, always.
"""
TRIES = 3
"""So many networks are trained at most, until one recognizes enough new pictures."""
MAX_NETWORKS = 20
"""So many a student's function may make."""
MAX_HIDDEN, MAX_BATCH, MAX_STEPS = 400, 250, 1000
"""More would take too long. A public check asks for the first two; training stops at the third."""


def standardize(name: str, *sizes: int) -> list[tuple[Tensor, Tensor]]:
    """Return parts of hidden pictures, standardized by the first part, with their labels."""
    x, y = tabletop_images(hidden_seed("training", name), sum(sizes))
    parts = list(x.split(list(sizes)))
    mean, scale = parts[0].mean(dim=0), (parts[0] - parts[0].mean(dim=0)).std()
    return [((x - mean) / scale, y) for x, y in zip(parts, y.split(list(sizes)), strict=True)]


class AutodiffNet:
    """A fully connected network whose gradients come from automatic differentiation."""

    def __init__(self, sizes: list[int], weight_scale: float, reg: float, name: str) -> None:
        self.reg = reg
        self.params: dict[str, Tensor] = {}
        for i in range(1, len(sizes)):
            weights = hidden_normal(
                "training", f"{name}/{i}", shape=sizes[i - 1 : i + 1], dtype=torch.float32
            )
            self.params |= {f"W{i}": weight_scale * weights, f"b{i}": torch.zeros(sizes[i])}

    def loss(self, X: Tensor, y: Tensor | None = None) -> Any:
        """Return the scores, or loss and gradients."""
        leaves = {name: value.detach().requires_grad_(y is not None) for name, value in self.params.items()}
        depth, out = len(leaves) // 2, X.flatten(1)
        for i in range(1, depth + 1):
            out = torch.addmm(leaves[f"b{i}"], out, leaves[f"W{i}"])
            out = out.relu() if i < depth else out
        if y is None:
            return out
        loss = torch.nn.functional.cross_entropy(out, y)
        if self.reg:
            squares = sum((leaves[f"W{i}"] ** 2).sum() for i in range(1, depth + 1))
            loss = loss + REGULARIZATION * self.reg * squares
        grads = torch.autograd.grad(loss, list(leaves.values()))
        return loss.detach(), dict(zip(leaves, grads, strict=True))


def plain_sgd(w: Tensor, dw: Tensor, config: dict[str, Any]) -> tuple[Tensor, dict[str, Any]]:
    """Take a step against the gradient."""
    return w - config["learning_rate"] * dw, config


# Fifty pictures by heart

((FIFTY, FIFTY_LABELS),) = standardize("fifty", 50)


def learn_by_heart(sizes: list[int], scale: float, rate: float, name: str, draw: int) -> tuple[int, bool]:
    """Train a network on fifty pictures; return how many it knew at best, and if its loss fell."""
    network = AutodiffNet(sizes, scale, 0.0, f"{name} {draw}")
    torch.manual_seed(hidden_seed("training", f"{name} {draw}"))
    solver = Solver(
        network,
        {"X_train": FIFTY, "y_train": FIFTY_LABELS, "X_val": FIFTY[:1], "y_val": FIFTY_LABELS[:1]},
        num_epochs=1,
        update_rule=plain_sgd,
        verbose=False,
        batch_size=25,
        num_train_samples=1,
        optim_config={"learning_rate": rate},
    )
    before, best = float(network.loss(FIFTY, FIFTY_LABELS)[0]), 0
    for _ in range(20):
        solver.train(return_best_params=False)
        best = max(best, int((network.loss(FIFTY).argmax(dim=1) == FIFTY_LABELS).sum()))
        if best >= LEAST_BY_HEART:
            break
    return best, float(network.loss(FIFTY, FIFTY_LABELS)[0]) < before


def check_settings(found: Any, hidden: int, name: str) -> None:
    """Train networks on fifty pictures with a student's settings, until one knows nearly all of them."""
    what = ("weight_scale", "learning_rate")
    found = checks.parts(found, 2, what="the settings")
    scale, rate = (float(checks.number(value, what=name)) for value, name in zip(found, what, strict=True))
    sizes, falls = [3072, *[100] * hidden, 10], []
    for draw in range(NETWORKS):
        right, fell = learn_by_heart(sizes, scale, rate, name, draw)
        if right >= LEAST_BY_HEART:
            return
        falls.append(fell)
    too_slow = "the loss fell too slowly: try larger weights or a larger learning rate"
    too_fast = "the loss did not fall: try a smaller learning rate or smaller weights"
    checks.holds(
        False,
        what=f"{hidden + 1} layers, trained on 50 pictures",
        problem="fewer than 48 of them are right after each of 20 epochs",
        likely_cause=too_slow if statistics.mode(falls) else too_fast,
    )


@pytest.mark.task("overfit", weight=2)
def test_three_layers_by_heart() -> None:
    """Settings: three layers learn 50 hidden pictures by heart."""
    check_settings(fcn.get_three_layer_network_params(), 2, "three layers")


@pytest.mark.task("overfit", weight=2)
def test_five_layers_by_heart() -> None:
    """Settings: five layers learn 50 hidden pictures by heart."""
    check_settings(fcn.get_five_layer_network_params(), 4, "five layers")


# The solver

(TRAIN, TRAIN_LABELS), (VAL, VAL_LABELS), (TEST, TEST_LABELS) = standardize("solver", 4000, 1000, 3200)
PICTURES = {"X_train": TRAIN, "y_train": TRAIN_LABELS, "X_val": VAL, "y_val": VAL_LABELS}
"""As many as in the notebook."""


SETTINGS = ("input_dim", "hidden_dim", "num_classes", "weight_scale", "reg")
"""Of the student's TwoLayerNet."""
PLAIN = (type(None), int, float, str, tuple, list, dict, Tensor)


class Recipe:
    """Stands for the student's TwoLayerNet, and notes with what settings it is made."""

    def __init__(self) -> None:
        self.made: list[dict[str, object]] = []
        self.dtype: object = None
        blank = constructor(fcn.TwoLayerNet, None, lambda: {}, count=MAX_NETWORKS)
        self.spare: list[Any] = [blank() for _ in range(MAX_NETWORKS)]

    def make(
        self,
        input_dim: int = 3 * 32 * 32,
        hidden_dim: int = 100,
        num_classes: int = 10,
        weight_scale: float = 1e-3,
        reg: float = 0.0,
        dtype: torch.dtype = torch.float32,
        device: object = "cpu",
    ) -> object:
        """Return a network of the student's class with parameters, of which only the form matters."""
        self.dtype = dtype
        chosen = (input_dim, hidden_dim, num_classes, weight_scale, reg)
        self.made.append(dict(zip(SETTINGS, chosen, strict=True)))
        model = self.spare.pop()
        model.number = len(self.made) - 1
        units = hidden_dim if type(hidden_dim) is int and 1 <= hidden_dim <= MAX_HIDDEN else 1
        shapes = {"W1": (3072, units), "b1": (units,), "W2": (units, 10), "b2": (10,)}
        params = {name: torch.zeros(shape) for name, shape in shapes.items()}
        model.params, model.loss = params, Untrained(params).loss
        model.reg, model.dtype = reg, dtype
        return model

    def check_settings(self, solver: Any) -> tuple[int, float, float]:
        """Return hidden units, weight_scale and reg of the network of a solver, if they are allowed."""
        number = int(checks.number(solver.model.number, what="the number of the network"))
        made = self.made[number % len(self.made)]
        for name, right in (("input_dim", 3072), ("num_classes", 10)):
            checks.equal(made[name], right, what=f"{name} of the TwoLayerNet")
        hidden = checks.number(made["hidden_dim"], at_least=1, what="hidden_dim of the TwoLayerNet")
        checks.holds(
            hidden <= MAX_HIDDEN,
            what="hidden_dim of the TwoLayerNet",
            problem=f"more than {MAX_HIDDEN}",
            likely_cause=f"more hidden units than the {MAX_HIDDEN} that are allowed; take fewer",
        )
        scale, reg = (checks.number(made[name], what=name) for name in ("weight_scale", "reg"))
        return int(hidden), scale, reg


RULES = ("sgd", "sgd_momentum", "rmsprop", "adam")


def right_rule(name: str) -> Any:
    """Return a rule of PyTorch's: for `sgd`, which is given, and for those that another task asks for."""

    def rule(w: Tensor, dw: Tensor, config: dict[str, Any] | None = None) -> object:
        config = dict(config or {})
        rate = float(config.setdefault("learning_rate", 1e-3 if name == "adam" else 1e-2))
        leaf = w.clone()
        leaf.grad = dw
        optimizer: torch.optim.Optimizer
        if name == "sgd":
            return plain_sgd(w, dw, config)
        if name == "sgd_momentum":
            optimizer = torch.optim.SGD([leaf], lr=1.0, momentum=float(config.get("momentum", 0.9)))
            leaf.grad = dw * rate
        elif name == "rmsprop":
            alpha, epsilon = float(config.get("decay_rate", 0.99)), float(config.get("epsilon", 1e-8))
            optimizer = torch.optim.RMSprop([leaf], lr=rate, alpha=alpha, eps=epsilon)
        else:
            betas = float(config.get("beta1", 0.9)), float(config.get("beta2", 0.999))
            optimizer = torch.optim.Adam([leaf], lr=rate, betas=betas, eps=float(config.get("epsilon", 1e-8)))
        if "state" in config:
            optimizer.state[leaf] = config["state"]
        optimizer.step()
        config["state"] = dict(optimizer.state[leaf])
        return leaf, config

    return rule


def settings_of(found: Any) -> dict[str, Any]:
    """Return how a student's solver trains, up to as many steps as are taken at most."""
    settings = {
        "batch_size": int(checks.number(found.batch_size, at_least=1, at_most=MAX_BATCH, what="batch_size")),
        "num_epochs": int(checks.number(found.num_epochs, at_least=1, what="num_epochs")),
        "lr_decay": checks.number(found.lr_decay, at_least=0, at_most=1, what="lr_decay"),
    }
    own = MAX_STEPS if found.max_steps is None else int(checks.number(found.max_steps, what="max_steps"))
    settings["max_steps"] = min(own, MAX_STEPS)
    return {**settings, "optim_config": dict(found.optim_config.items()), "update_rule": found.update_rule}


@pytest.mark.limits(cpu_seconds=60)
@pytest.mark.task("solver", weight=4)
def test_solver_on_hidden_pictures() -> None:
    """Solver: with its settings, a network learns to recognize pictures that nobody has seen."""
    recipe = Recipe()
    rules = {name: right_rule(name) for name in RULES}
    with substituted(fcn, TwoLayerNet=recipe.make, **rules):
        found = fcn.create_solver_instance(PICTURES, torch.float32, "cpu")
        made = len(recipe.made) > 0
        checks.holds(made, what="the solver", problem="made without a TwoLayerNet")
        checks.holds(
            type(found) not in PLAIN,
            what="the result of create_solver_instance",
            problem=f"not a Solver, but of the type {type(found).__name__}",
        )
        percentages = recognize(recipe.check_settings(found), settings_of(found))
        THRESHOLDS.require_best("accuracy", percentages, what="the percentage of hidden pictures recognized")


def recognize(form: tuple[int, float, float], training: dict[str, Any]) -> Iterator[float]:
    """Train networks; yield how many percent of hidden pictures each recognizes, 0 if it learned nothing.

    They are trained as in the notebook: on 4,000 pictures, and in the end they get the parameters that were
    best on 1,000 others.
    Hidden units, weight_scale and reg are the form. If none has learned anything, that is told in the end.
    """
    hidden, scale, reg = form
    learned = False
    for draw in range(TRIES):
        network = AutodiffNet([3072, hidden, 10], scale, reg, f"solver {draw}")
        torch.manual_seed(hidden_seed("training", f"solver {draw}"))
        solver = Solver(network, PICTURES, verbose=False, num_train_samples=10, **training)
        solver.train()
        first, last = map(statistics.fmean, (solver.loss_history[:20], solver.loss_history[-20:]))
        right = float((network.loss(TEST).argmax(dim=1) == TEST_LABELS).double().mean()) * 100
        learned |= last < 0.95 * first
        yield right if last < 0.95 * first else 0.0
    checks.holds(
        learned,
        what=f"the loss after {len(solver.loss_history)} steps",
        problem="has hardly fallen",
        likely_cause="nothing is learned: try another learning rate, or another scale of the weights",
    )


@pytest.mark.task("solver", weight=2)
def test_solver_with_another_dtype() -> None:
    """Solver: the network gets the dtype that is asked for."""
    recipe = Recipe()
    with substituted(fcn, TwoLayerNet=recipe.make, **{name: right_rule(name) for name in RULES}):
        fcn.create_solver_instance(PICTURES, torch.float64, "cpu")
    hints = [Hint(torch.float32, says="float32 is written into the code; pass dtype on")]
    what = "the dtype that the TwoLayerNet is made with"
    checks.equal(recipe.dtype, torch.float64, what=what, hints=hints)
