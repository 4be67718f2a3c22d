"""Hidden tests of the networks, on layers that are right.

Losses and gradients come from automatic differentiation in float64. The student's layers are replaced while a
network is tested, so that a mistake in a layer is not counted twice; dropout drops what a hidden mask says.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import fully_connected_networks as fcn
import pytest
import torch
from suite.naming import own_name
from torch import Tensor

from autograder.hidden import hidden_generator, hidden_labels, hidden_normal
from helpers.testing import Hint, asking, checks, convention, regularization_causes, substituted

MAX_WORK = 5_000_000
"""More numbers than any test needs: student code that asks for more gets nothing."""

Params = dict[str, Tensor]

normal = partial(hidden_normal, "networks")


def hidden_params(name: str, *sizes: int) -> Params:
    """Return hidden parameters, biases included, of a network with scores of moderate size."""
    params = {}
    for i in range(1, len(sizes)):
        params[f"W{i}"] = normal(f"{name}/W{i}", shape=(sizes[i - 1], sizes[i])) * 1.4 / sizes[i - 1] ** 0.5
        params[f"b{i}"] = 0.3 * normal(f"{name}/b{i}", shape=(sizes[i],))
    return params


# The oracle


def mask_of(number: int, shape: tuple[int, ...], p: float) -> Tensor:
    """Return what the n-th dropout multiplies by."""
    generator = hidden_generator("mask", f"{number} {shape}")
    return (torch.rand(shape, generator=generator, dtype=torch.float64) >= p).double() / (1 - p)


def sums(params: Params, x: Tensor, dropout: float = 0.0, mistake: str = "") -> list[Tensor]:
    """Return what each linear layer gives, the scores last."""
    out, found = x.double().flatten(1), []
    depth = len(params) // 2
    for i in range(1, depth + 1):
        found.append(out @ params[f"W{i}"] + params[f"b{i}"])
        out = found[-1] if mistake == "no ReLU" else found[-1].relu()
        if dropout and mistake != "left out" and i < depth:
            kept = out * mask_of(i - 1, tuple(out.shape), dropout)
            out = out + (kept - out).detach() if mistake == "one way" else kept
    return found


def penalty(params: Params, reg: float, mistake: str) -> Tensor:
    """Return what regularization adds to the loss, or what a typical mistake makes of it."""
    weights = [name for name in params if name.startswith("W")]
    chosen = {
        "biases": list(params),
        "first": weights[:1],
        "last": weights[-1:],
        "all but first": weights[1:],
        "all but last": weights[:-1],
    }.get(mistake, weights)
    factor = FACTOR * {"halved": 0.5, "doubled": 2.0, "forgotten": 0.0}.get(mistake, 1.0)
    return torch.stack([factor * reg * (params[name] ** 2).sum() for name in chosen]).sum()


def true_result(
    params: Params, x: Tensor, y: Tensor, reg: float, dropout: float = 0.0, mistake: str = ""
) -> tuple[Tensor, Params]:
    """Return loss and gradients in the dtype of x, or what a typical mistake makes of them."""
    leaves = {name: value.detach().double().clone().requires_grad_() for name, value in params.items()}
    scores = sums(leaves, x, dropout, mistake)[-1]
    if mistake == "ReLU behind":
        scores = scores.relu()
    elif mistake == "ReLU behind, one way":
        scores = scores + (scores.relu() - scores).detach()
    data = torch.nn.functional.cross_entropy(scores, y)
    loss = (0.0 if mistake == "overwritten" else 1.0) * data + penalty(leaves, reg, mistake)
    grads = torch.autograd.grad(loss, list(leaves.values()))
    named = {name: grad.to(x.dtype) for name, grad in zip(leaves, grads, strict=True)}
    return loss.detach().to(x.dtype), named


FACTOR = float(convention("regularization"))
HALF, TWICE = regularization_causes()
LOSS_HINTS = {
    "forgotten": "the regularization was forgotten",
    "halved": HALF,
    "doubled": TWICE,
    "biases": "the biases were regularized too; only weights are",
    "all but last": "the last layer is not regularized",
    "first": "only the first layer is regularized",
    "last": "only the last layer is regularized",
    "all but first": "the first layer is not regularized",
    "ReLU behind": "no ReLU follows the last layer",
}
OVERWRITTEN = {"overwritten": "the gradient of the regularization took the place of the other; add them up"}
GRAD_HINTS = LOSS_HINTS | OVERWRITTEN
BEHIND = dict.fromkeys(("ReLU behind", "ReLU behind, one way"), LOSS_HINTS["ReLU behind"])
PLAIN_HINTS = OVERWRITTEN | BEHIND
"""Where nothing is regularized."""
DIVIDED = "divided by the number of examples; softmax_loss did that already"
DROPOUT_HINTS = {
    "left out": "dropout was left out",
    "one way": "dropout has a backward pass, too: call Dropout.backward for each hidden layer",
}


def away_from_kinks(params: Params, x: Tensor, count: int) -> Tensor:
    """Return examples for which no hidden unit is near 0, where rounding would decide about its gradient."""
    nearest = torch.stack([one.abs().amin(dim=1) for one in sums(params, x)[:-1]]).amin(dim=0)
    return x[nearest.argsort(descending=True)[:count]].clone()


class Layers:
    """Right layers, to put in the place of the student's; they note what dropout is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []
        self.dropped = 0

    def linear(self, x: Tensor, w: Tensor, b: Tensor) -> object:
        """Return what Linear.forward should."""
        if x.numel() * w.shape[1] > MAX_WORK:
            raise ValueError("too many examples")
        return x.flatten(1) @ w + b, (x, w, b)

    def linear_back(self, dout: Tensor, cache: Any) -> object:
        """Return what Linear.backward should."""
        x, w, _ = cache
        dx = torch.einsum("nm,dm->nd", dout, w).reshape(x.shape)
        return dx, torch.einsum("nd,nm->dm", x.flatten(1), dout), torch.einsum("nm->m", dout)

    def drop(self, x: Tensor, dropout_param: dict[str, Any]) -> object:
        """Return what Dropout.forward should, with a hidden mask."""
        mode, p = dropout_param["mode"], float(dropout_param["p"])
        self.asked.append((mode, p))
        mask = torch.ones_like(x)
        if mode == "train":
            mask = mask_of(self.dropped, tuple(x.shape), p).to(x.dtype)
            self.dropped += 1
        return x * mask, (dropout_param, mask)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Replace what the student's layers do for the length of a with block."""
        relu = {
            "forward": lambda x: (x.clamp(min=0), x),
            "backward": lambda dout, cache: torch.where(cache > 0, dout, torch.zeros_like(dout)),
        }
        with (
            substituted(fcn.Linear, forward=self.linear, backward=self.linear_back),
            substituted(fcn.ReLU, **relu),
            substituted(fcn.Dropout, forward=self.drop, backward=lambda dout, cache: dout * cache[1]),
        ):
            yield


# What is tested of either network


@dataclass(frozen=True)
class NetworkCase:
    """A network to make, the parameters that it gets, and examples with labels."""

    make: Callable[..., Any]
    params: Params
    examples: Tensor
    classes: Tensor

    def fill(self, **settings: Any) -> Any:
        """Return a network of the student's with copies of the parameters."""
        chosen: dict[str, Any] = {"dtype": torch.float64, **settings}
        net = self.make(**chosen)
        for name, value in self.params.items():
            net.params[own_name(net, name)] = value.to(chosen["dtype"], copy=True)
        return net

    def run(self, use: Callable[[Any, Tensor], Any], x: Tensor, **settings: Any) -> tuple["Layers", Any]:
        """Return the layers that a network used, and what it was used for; both in the precision of x."""

        def call(dtype: torch.dtype) -> tuple[Layers, Any]:
            layers = Layers()
            with layers.in_place():
                return layers, use(self.fill(dtype=dtype, **settings), x.to(dtype))

        layers, found = asking.ask_in(call, x.dtype)
        return layers, found

    def loss_and_grads(self, net: Any, x: Tensor) -> tuple[Any, Any]:
        """Return loss and gradients of a network, checked for their form."""
        loss, grads = checks.parts(net.loss(x, self.classes.clone()), 2, what="the result of loss")
        own = {name: own_name(net, name) for name in self.params}
        grads = checks.entries(grads, list(own.values()), what="the gradients")
        return loss, {name: grads[mine] for name, mine in own.items()}

    @asking.one_slip()
    def check_scores(self, x: Tensor, *, trained: bool = False, **settings: Any) -> None:
        """Compare the scores with the oracle, in the mode that is for tests, perhaps after a step."""

        def use(net: Any, x: Tensor) -> Any:
            if trained:
                self.loss_and_grads(net, x.clone())
            return net.loss(x)

        _, scores = self.run(use, x, **settings)
        right = sums(self.params, x)[-1]
        hints = [
            Hint(sums(self.params, x, 0.4)[-1], says="dropout drops; without labels its mode is test"),
            Hint(right.clamp(min=0), says="no ReLU follows the last layer"),
            Hint(sums(self.params, x, mistake="no ReLU")[-1], says="the ReLU between the layers is missing"),
        ]
        checks.close(scores, right, what="the scores", hints=hints)

    @asking.one_slip()
    def check_loss(self, reg: float) -> None:
        """Compare the loss with the oracle."""
        _, (loss, _) = self.run(self.loss_and_grads, self.examples.clone(), reg=reg)

        def compute(mistake: str) -> float:
            return float(true_result(self.params, self.examples, self.classes, reg, mistake=mistake)[0])

        def hints() -> list[Hint]:
            return [Hint(compute(mistake), says) for mistake, says in LOSS_HINTS.items()]

        checks.close(checks.scalar(loss, what="the loss"), compute(""), what="the loss", hints=hints)

    @asking.one_slip()
    def check_grads(self, x: Tensor, reg: float = 0.0, dropout: float = 0.0) -> Layers:
        """Compare all gradients with the oracle; return the layers that were used."""
        settings = {"dropout": dropout, "seed": 5} if dropout else {}
        layers, (_, grads) = self.run(self.loss_and_grads, x, reg=reg, **settings)
        says = (GRAD_HINTS if reg else PLAIN_HINTS) | (DROPOUT_HINTS if dropout else {})

        def compute(mistake: str) -> Params:
            return true_result(self.params, x, self.classes, reg, dropout, mistake)[1]

        def hints(name: str) -> list[Hint]:
            wrong = [(compute(mistake), cause) for mistake, cause in says.items()]
            wrong.sort(key=lambda one: not self._agree(grads, one[0]))  # what explains all comes first
            return [
                *(Hint(values[name], cause) for values, cause in wrong),
                Hint(right[name] / len(x), DIVIDED),
            ]

        right = compute("")
        for name in self.params:
            what, of_name = f'grads["{name}"]', partial(hints, name)
            checks.close(grads[name], right[name], what=what, hints=of_name, operation="gradient")
        return layers

    def _agree(self, grads: dict[str, Any], others: Params) -> bool:
        """Tell whether all gradients are these."""
        return all(checks.agrees(grads[name], others[name], operation="gradient") for name in self.params)

    @asking.one_slip()
    def check_regularized(self, reg: float) -> None:
        """Compare what regularization adds to the gradients with the oracle."""
        found = []
        for strength in (0.0, reg):
            found.append(self.run(self.loss_and_grads, self.examples.clone(), reg=strength)[1][1])
        added = {}
        for name in self.params:
            before, after = (checks.tensor(grads[name], what=f'grads["{name}"]') for grads in found)
            added[name] = after - before if after.shape == before.shape else after
        right = self._add(reg)
        if self._agree(added, right):
            return
        adds = {mistake: self._add(reg, mistake) for mistake in LOSS_HINTS}
        whole = [says for mistake, says in LOSS_HINTS.items() if self._agree(added, adds[mistake])]
        cause = (whole or [None])[0]
        checks.holds(
            cause is None, what="the gradients", problem="wrong values", likely_cause=cause, slip=True
        )
        for name in self.params:
            hints = [Hint(adds[mistake][name], says) for mistake, says in LOSS_HINTS.items()]
            what = f'what the regularization adds to grads["{name}"]'
            checks.close(added[name], right[name], what=what, operation="gradient", hints=hints)

    def _add(self, reg: float, mistake: str = "") -> Params:
        """Return what regularization adds to the gradients, or what a typical mistake makes of it."""
        data, grads = (
            true_result(self.params, self.examples, self.classes, strength, mistake=how)[1]
            for strength, how in ((0.0, ""), (reg, mistake))
        )
        return {name: grads[name] - data[name] for name in data}

    def check_float32(self) -> None:
        """Compare the gradients in float32, of images whose memory is not contiguous."""
        x = self.examples.float().reshape(-1, 3, 4).transpose(1, 2).contiguous().transpose(1, 2)
        self.check_grads(x)


# The two-layer network


def two_layers(**settings: Any) -> Any:
    """Return a student's network."""
    return fcn.TwoLayerNet(input_dim=12, hidden_dim=9, num_classes=5, **settings)


PARAMS = hidden_params("two", 12, 9, 5)
TWO = NetworkCase(
    two_layers,
    PARAMS,
    away_from_kinks(PARAMS, normal("x", shape=(80, 12)), 7),
    hidden_labels("y", classes=5, count=7),
)


@pytest.mark.task("two_layer_net", weight=4)
def test_two_layers_scores() -> None:
    """Two layers: without labels, the scores."""
    TWO.check_scores(TWO.examples.reshape(7, 3, 2, 2).clone(), reg=0.4)


@pytest.mark.task("two_layer_net", weight=3)
def test_two_layers_loss() -> None:
    """Two layers: the loss, with and without regularization."""
    TWO.check_loss(0.0)
    TWO.check_loss(0.37)


@pytest.mark.task("two_layer_net", weight=5)
def test_two_layers_gradients() -> None:
    """Two layers: all gradients, without regularization."""
    TWO.check_grads(TWO.examples.clone())


@pytest.mark.task("two_layer_net", weight=4)
def test_two_layers_regularized_gradients() -> None:
    """Two layers: regularization adds to the gradients of the weights, and to no others."""
    TWO.check_regularized(0.37)


@pytest.mark.task("two_layer_net", weight=1)
def test_two_layers_in_float32() -> None:
    """Two layers: float32, from images whose memory is not contiguous."""
    TWO.check_float32()


# Networks of any depth


def deep(*dims: int) -> NetworkCase:
    """Return a network with these hidden layers, 12 inputs and 4 classes."""
    params = hidden_params(f"deep {dims}", 12, *dims, 4)

    def make(**settings: Any) -> Any:
        return fcn.FullyConnectedNet(list(dims), input_dim=12, num_classes=4, **settings)

    x = away_from_kinks(params, normal(f"x {dims}", shape=(200, 12)), 8)
    return NetworkCase(make, params, x, hidden_labels("deep", classes=4, count=8))


SHALLOW, DEEP, DEEPER = deep(8), deep(9, 7), deep(8, 10, 7, 9, 6)


@pytest.mark.task("fully_connected", weight=2)
def test_deep_scores_of_one_hidden_layer() -> None:
    """Any depth: without labels, the scores; one hidden layer."""
    SHALLOW.check_scores(SHALLOW.examples.clone(), reg=0.3)


@pytest.mark.task("fully_connected", weight=4)
def test_deep_scores() -> None:
    """Any depth: without labels, the scores; two and five hidden layers."""
    for case in (DEEP, DEEPER):
        case.check_scores(case.examples.clone(), reg=0.3)


@pytest.mark.task("fully_connected", weight=4)
def test_deep_loss() -> None:
    """Any depth: the loss, with and without regularization."""
    DEEP.check_loss(0.0)
    DEEP.check_loss(0.21)
    DEEPER.check_loss(0.13)


@pytest.mark.task("fully_connected", weight=3)
def test_deep_gradients_of_one_hidden_layer() -> None:
    """Any depth: all gradients, without regularization; one hidden layer."""
    SHALLOW.check_grads(SHALLOW.examples.clone())


@pytest.mark.task("fully_connected", weight=7)
def test_deep_gradients() -> None:
    """Any depth: all gradients, without regularization; two and five hidden layers."""
    DEEP.check_grads(DEEP.examples.clone())
    DEEPER.check_grads(DEEPER.examples.clone())


@pytest.mark.task("fully_connected", weight=4)
def test_deep_regularized_gradients() -> None:
    """Any depth: regularization adds to the gradients of all weights, and to no others."""
    DEEP.check_regularized(0.21)
    DEEPER.check_regularized(0.21)


@pytest.mark.task("fully_connected", weight=3)
def test_deep_dropout() -> None:
    """Any depth: with labels, dropout follows each ReLU, and its backward pass comes in the right place."""
    layers = DEEP.check_grads(DEEP.examples.clone(), 0.0, 0.4)
    checks.holds(
        layers.asked == [("train", 0.4)] * 2, what="dropout", problem="not once behind each hidden layer"
    )


@pytest.mark.task("fully_connected", weight=2)
def test_deep_dropout_without_labels() -> None:
    """Any depth: without labels, nothing is dropped, also after a step of training."""
    DEEP.check_scores(DEEP.examples.clone(), trained=True, dropout=0.4)


@pytest.mark.task("fully_connected", weight=1)
def test_deep_in_float32() -> None:
    """Any depth: float32, from images whose memory is not contiguous."""
    DEEP.check_float32()
