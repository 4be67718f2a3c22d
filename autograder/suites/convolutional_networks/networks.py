"""Right layers to stand for the student's, and checks of losses and weights: for the tests of both networks.

Expected values come from `torch.nn.functional` and automatic differentiation in float64.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import convolutional_networks as cn
import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.hidden import hidden_normal
from helpers.testing import Hint, Operation, checks, convention, substituted

Params = dict[str, Tensor]
DEEP: Operation = "deep gradient"
MAX_ENTRIES = 500_000
normal = partial(hidden_normal, "networks")


# Layers that are right, to stand for the student's


def norm(x: Tensor, gamma: Tensor, beta: Tensor, mode: object, eps: float = 1e-5) -> Tensor:
    """Normalize vectors or images; in mode "test" by running statistics of 0 and 1."""
    zeros = torch.zeros_like(gamma)
    return F.batch_norm(x, zeros.clone(), zeros + 1, gamma, beta, training=mode == "train", eps=eps)


def conv(x: Tensor, w: Tensor, b: Tensor, param: dict[str, int]) -> Tensor:
    """Convolve."""
    return F.conv2d(x, w, b, stride=param["stride"], padding=param["pad"])


def pool(x: Tensor, param: dict[str, int]) -> Tensor:
    """Pool."""
    return F.max_pool2d(x, (param["pool_height"], param["pool_width"]), stride=param["stride"])


def gradients_through(function: Callable[..., Tensor], dout: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
    """Return the gradients with respect to what a function takes."""
    leaves = [value.clone().requires_grad_() for value in tensors]
    return torch.autograd.grad(function(*leaves), leaves, dout)


def small(*tensors: Tensor) -> None:
    """Refuse more numbers than a right network has."""
    if sum(value.numel() for value in tensors) > MAX_ENTRIES:
        raise ValueError("too many numbers")


# The parameters of these have the names of the stub's, so that every legal call is taken.


def conv_forward(x: Tensor, w: Tensor, b: Tensor, conv_param: dict[str, int]) -> tuple[Tensor, Any]:
    """Stand for `Conv.forward`."""
    small(x, w, b)
    return conv(x, w, b, conv_param), (x, w, b, conv_param)


def conv_backward(dout: Tensor, cache: Any) -> tuple[Tensor, ...]:
    """Stand for `Conv.backward`."""
    *tensors, param = cache
    return gradients_through(lambda x, w, b: conv(x, w, b, param), dout, *tensors)


def pool_forward(x: Tensor, pool_param: dict[str, int]) -> tuple[Tensor, Any]:
    """Stand for `MaxPool.forward`."""
    small(x)
    return pool(x, pool_param), (x, pool_param)


def pool_backward(dout: Tensor, cache: Any) -> Tensor:
    """Stand for `MaxPool.backward`."""
    x, param = cache
    return gradients_through(lambda x: pool(x, param), dout, x)[0]


def norm_forward(x: Tensor, gamma: Tensor, beta: Tensor, bn_param: dict[str, Any]) -> tuple[Tensor, Any]:
    """Stand for the forward pass of both normalizations."""
    small(x, gamma, beta)
    mode, eps = bn_param["mode"], float(bn_param.get("eps", 1e-5))
    return norm(x, gamma, beta, mode, eps), (x, gamma, beta, mode, eps)


def norm_backward(dout: Tensor, cache: Any) -> tuple[Tensor, ...]:
    """Stand for the backward passes of both normalizations."""
    *tensors, mode, eps = cache
    return gradients_through(lambda x, gamma, beta: norm(x, gamma, beta, mode, eps), dout, *tensors)


@contextmanager
def with_true_layers() -> Iterator[list[object]]:
    """Replace all layers that students write; yields the mark of each bn_param that is used, see `mark`."""
    used: list[object] = []

    def forward(x: Tensor, gamma: Tensor, beta: Tensor, bn_param: dict[str, Any]) -> Any:
        used.append(bn_param.get(MARK))
        return norm_forward(x, gamma, beta, bn_param)

    spatial: dict[str, object] = {"forward": forward, "backward": norm_backward}
    layers: tuple[tuple[object, dict[str, object]], ...] = (
        (cn.Conv, {"forward": conv_forward, "backward": conv_backward}),
        (cn.MaxPool, {"forward": pool_forward, "backward": pool_backward}),
        (cn.BatchNorm, spatial | {"backward_alt": norm_backward}),
        (cn.SpatialBatchNorm, spatial),
    )
    with ExitStack() as stack:
        for cls, right in layers:
            stack.enter_context(substituted(cls, **right))
        yield used


MARK = "mark of this bn_param"


def mark(net: Any) -> None:
    """Give each bn_param of a student's network a mark of its own, if they are in a list, as in the stub."""
    for number, bn_param in enumerate(net.bn_params):
        if not isinstance(bn_param, int | str):
            bn_param[MARK] = number


def check_own_statistics(used: list[object], layers: int) -> None:
    """Check that each layer used a bn_param of its own, as far as those that were used had been marked."""
    marks = [number for number in used if type(number) is int]
    checks.holds(
        len(marks) < len(used) or len(set(marks)) == layers,
        what="the running statistics",
        problem="not kept apart for each layer",
        likely_cause="the layers share one bn_param; each needs its own running statistics",
    )


# What both networks have in common

REGULARIZATION = float(convention("regularization"))
Scores = Callable[[Params], Tensor]


def loss_of(scores: Tensor, y: Tensor, params: Params, reg: float, mistake: str = "") -> Tensor:
    """Return the loss, or what a typical mistake makes of it."""
    factor = {"halved": 0.5, "doubled": 2.0, "forgotten": 0.0}.get(mistake, 1.0) * REGULARIZATION
    names = [
        name
        for name in params
        if name.startswith("W")
        or (mistake == "biases" and name.startswith("b") and not name.startswith("beta"))
        or (mistake == "gamma" and name.startswith("gamma"))
        or (mistake == "gamma and beta" and name.startswith(("gamma", "beta")))
        or mistake == "all"
    ]
    if mistake == "convolutions":
        names = [name for name in names if params[name].dim() == 2]
    if mistake == "linear":
        names = [name for name in names if params[name].dim() == 4]
    return F.cross_entropy(scores, y) + factor * reg * sum((params[name] ** 2).sum() for name in names)


FACTOR = "the regularization is REGULARIZATION * reg * (the sum of squares); its factor is another one here"
LOSS_HINTS = {
    "halved": FACTOR,
    "doubled": FACTOR,
    "forgotten": "the regularization was forgotten",
    "biases": "the biases were regularized, too; only weights are",
    "gamma": "gamma was regularized, too; only weights are",
    "gamma and beta": "gamma and beta were regularized, too; only weights are",
    "all": "all parameters were regularized; only weights are",
    "convolutions": "the weights of convolutions were not regularized",
    "linear": "the weights of linear layers were not regularized",
}
TWO = "the factor 2 is missing: the gradient of REGULARIZATION * reg * W**2 is 2 * REGULARIZATION * reg * W"
GRADIENT_HINTS = {"halved": TWO, "forgotten": "the regularization has a gradient, too"}
"""What the same mistakes are where the loss is right."""


@dataclass(frozen=True)
class Losses:
    """Loss and gradients of a network at known parameters, and what typical mistakes make of them.

    Attributes
    ----------
    params : dict of str to Tensor
        The parameters, by their right names.
    names : dict of str to str
        Those names to the student's.
    scores : callable
        Takes the parameters and returns the scores.
    y : Tensor
        The labels.
    mistaken : dict of str to callable
        What can be wrong with the scores, in words, and the scores that this gives.
    """

    params: Params
    names: dict[str, str]
    scores: Scores
    y: Tensor
    mistaken: dict[str, Scores] = field(default_factory=dict)

    def _right(self, reg: float, leaves: Params) -> Tensor:
        """Return the right loss."""
        return loss_of(self.scores(leaves), self.y, leaves, reg)

    def _wrong(self, reg: float, leaves: Params) -> dict[str, Tensor]:
        """Return the loss that each mistake gives."""
        scores = self.scores(leaves)
        found = {says: loss_of(wrong(leaves), self.y, leaves, reg) for says, wrong in self.mistaken.items()}
        return found | {mistake: loss_of(scores, self.y, leaves, reg, mistake) for mistake in LOSS_HINTS}

    def check_loss(self, found: object, reg: float) -> None:
        """Compare the loss with the right one; it may be a number, or a tensor of either dtype."""
        loss = checks.parts(found, 2, what="the loss and its gradients")[0]
        if type(loss) is Tensor and loss.shape in ((), (1,)) and loss.is_floating_point():
            loss = float(loss)
        right = float(self._right(reg, self.params))

        def hints() -> list[Hint]:
            wrong = self._wrong(reg, self.params).items()
            summed = "the images' losses were added up; take their mean"
            decay = right - float(F.cross_entropy(self.scores(self.params), self.y))
            return [
                *(Hint(float(value), LOSS_HINTS.get(cause, cause)) for cause, value in wrong),
                Hint(len(self.y) * right, summed),
                Hint(len(self.y) * (right - decay) + decay, summed),
            ]

        checks.close(loss, right, what="the loss", hints=hints, operation=DEEP)

    def check_gradients(self, found: object, reg: float) -> None:
        """Compare the gradients with the right ones; whether the loss fits tells what a mistake is."""
        loss, grads = checks.parts(found, 2, what="the loss and its gradients")
        grads = checks.entries(grads, [], what="the gradients")
        own = [str(name) for name in grads]
        lacking = [name for name in self.names.values() if name not in own]
        missing = ", ".join(f'"{name}"' for name in lacking[:3])
        checks.holds(not lacking, what="the gradients", problem=f"none for {missing}")
        leaves = {name: value.clone().requires_grad_() for name, value in self.params.items()}
        right = self._right(reg, leaves)
        loss_is_right = type(loss) in (float, Tensor) and checks.agrees(
            float(loss) if type(loss) is float or loss.numel() == 1 else loss,  # type: ignore[arg-type, attr-defined]
            float(right.detach()),
            operation=DEEP,
        )
        told = LOSS_HINTS | (GRADIENT_HINTS if loss_is_right else {})

        def explain(name: str) -> list[Hint]:
            """Return hints for one gradient; what explains all of them comes first."""
            wrong = [(cause, gradients_of(loss, leaves)) for cause, loss in self._wrong(reg, leaves).items()]
            wrong.sort(key=lambda one: not self._agree(grads, one[1]))
            return [Hint(values[name], told.get(cause, cause)) for cause, values in wrong]

        expected = gradients_of(right, leaves)
        for name, key in self.names.items():
            hints, what = partial(explain, name), f'grads["{key}"]'
            checks.close(grads[key], expected[name], what=what, hints=hints, operation=DEEP)

    def _agree(self, grads: dict[str, Any], others: Params) -> bool:
        """Tell whether all of the student's gradients are these."""
        return all(
            checks.agrees(grads[key], others[name], operation=DEEP) for name, key in self.names.items()
        )


def gradients_of(loss: Tensor, leaves: Params) -> Params:
    """Return the gradients of a loss with respect to parameters, by their names."""
    found = torch.autograd.grad(loss, list(leaves.values()), retain_graph=True)
    return dict(zip(leaves, found, strict=True))


def check_weights(
    value: object, shape: tuple[int, ...], std: float, what: str, usual: str = "", others: Sequence[Hint] = ()
) -> None:
    """Check shape and spread of weights; `usual` is what usually leads to another shape, and a slip."""
    hints = [*others, *([Hint(lambda w: w.dim() == len(shape), says=usual, slip=True)] if usual else [])]
    w = checks.tensor(value, shape=shape, dtype=torch.float64, what=what, hints=hints)
    spread = checks.number(float((w**2).mean().sqrt()), what=f"the spread of {what}")
    slack = 5 / (2 * w.numel()) ** 0.5
    checks.holds(
        abs(spread / std - 1) <= slack,
        what=f"the spread of {what}",
        problem="not about weight_scale",
        likely_cause="weight_scale was forgotten" if abs(spread - 1) <= slack else None,
    )
