"""Right layers to stand for the student's, and checks of losses and weights: for the tests of both networks.

Expected values come from `torch.nn.functional` and automatic differentiation in float64.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import convolutional_networks as cn
import torch
import torch.nn.functional as F
from suite.rules import NETWORKS, PADDING
from torch import Tensor

from autograder.hidden import hidden_normal
from helpers.testing import Hint, Operation, checks, obeys, require, substituted

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


def both_ways(function: Callable[..., Tensor], tensors: int) -> dict[str, Callable[..., Any]]:
    """Return a layer's functions, forward and backward, by name; the first arguments are tensors."""

    def forward(*args: Any) -> tuple[Tensor, Any]:
        if sum(value.numel() for value in args[:tensors]) > MAX_ENTRIES:
            raise ValueError("too many numbers")
        return function(*args), args

    def backward(dout: Tensor, cache: Sequence[Any]) -> Any:
        leaves = [value.clone().requires_grad_() for value in cache[:tensors]]
        found = torch.autograd.grad(function(*leaves, *cache[tensors:]), leaves, dout)
        return found if tensors > 1 else found[0]

    return {"forward": forward, "backward": backward}


NORM = both_ways(lambda x, gamma, beta, p: norm(x, gamma, beta, p["mode"], float(p.get("eps", 1e-5))), 3)
CONV, POOL = both_ways(conv, 3), both_ways(pool, 1)


@contextmanager
def with_true_layers() -> Iterator[list[object]]:
    """Replace all layers that students write; yields the mark of each bn_param that is used, see `mark`."""
    used: list[object] = []

    def forward(*args: Any) -> Any:
        used.append(args[3].get(MARK))
        return NORM["forward"](*args)

    spatial = {"forward": forward, "backward": NORM["backward"]}
    flat = spatial | {"backward_alt": NORM["backward"]}
    layers = ((cn.Conv, CONV), (cn.MaxPool, POOL), (cn.BatchNorm, flat), (cn.SpatialBatchNorm, spatial))
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

LAYERS = (
    *(cn.Conv.forward, cn.Conv.backward, cn.MaxPool.forward, cn.MaxPool.backward),
    *(cn.BatchNorm.forward, cn.BatchNorm.backward, cn.BatchNorm.backward_alt),
    *(cn.SpatialBatchNorm.forward, cn.SpatialBatchNorm.backward),
)


def check_source(loss: Callable[..., object]) -> None:
    """Check that a loss uses no ready-made network and no automatic differentiation.

    What the student's layers use already is judged by their own tasks, and not held against the network. In
    other courses the fast layers stand in the students' file.
    """
    kept = [name for name in NETWORKS if all(obeys(one, banned=[name], allowed=PADDING) for one in LAYERS)]
    require(loss, banned=kept, allowed=PADDING, given=("FastConv", "FastMaxPool"))


def loss_of(scores: Tensor, y: Tensor, params: Params, reg: float, mistake: str = "") -> Tensor:
    """Return the loss, or what a typical mistake makes of it."""
    factor = {"halved": 0.5, "forgotten": 0.0}.get(mistake, 1.0)
    names = [
        name
        for name in params
        if name.startswith("W")
        or (mistake == "biases" and name.startswith("b") and not name.startswith("beta"))
        or (mistake == "gamma and beta" and name.startswith(("gamma", "beta")))
        or mistake == "all"
    ]
    if mistake == "convolutions":
        names = [name for name in names if params[name].dim() == 2]
    if mistake == "linear":
        names = [name for name in names if params[name].dim() == 4]
    return F.cross_entropy(scores, y) + factor * reg * sum((params[name] ** 2).sum() for name in names)


LOSS_HINTS = {
    "halved": "the regularization was halved; there is no factor 1/2",
    "forgotten": "the regularization was forgotten",
    "biases": "the biases were regularized, too; only weights are",
    "gamma and beta": "gamma and beta were regularized, too; only weights are",
    "all": "all parameters were regularized; only weights are",
    "convolutions": "the weights of convolutions were not regularized",
    "linear": "the weights of linear layers were not regularized",
}
GRADIENT_HINTS = LOSS_HINTS | {
    "halved": "the factor 2 is missing: the gradient of reg * W**2 is 2 * reg * W",
    "forgotten": "the regularization has a gradient, too: 2 * reg * W",
}
"""What the same mistakes are where the loss is right."""


def check_loss(
    found: object,
    params: Params,
    names: dict[str, str],
    forward: Callable[[Params], Tensor],
    reg: float,
    y: Tensor,
) -> None:
    """Compare loss and gradients with the right ones; `names` maps a right name to the student's."""
    loss, grads = checks.parts(found, 2, what="the loss and its gradients")
    leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
    scores = forward(leaves)
    losses = {mistake: loss_of(scores, y, leaves, reg, mistake) for mistake in ("", *LOSS_HINTS)}
    if type(loss) is float:
        loss = torch.tensor(loss, dtype=torch.float64)
    hints = [Hint(losses[mistake].detach(), says) for mistake, says in LOSS_HINTS.items()]
    hints.append(Hint(len(y) * losses[""].detach(), says="the images' losses were added up; take their mean"))
    checks.close(loss, losses[""].detach(), what="the loss", hints=hints, operation=DEEP)
    grads = checks.entries(grads, [], what="the gradients")
    checks.equal(sorted(map(str, grads)), sorted(names.values()), what="the names of the gradients")
    gradients = {mistake: gradients_of(losses[mistake], leaves) for mistake in losses}
    for name, own in names.items():
        hints = [Hint(gradients[mistake][name], says) for mistake, says in GRADIENT_HINTS.items()]
        checks.close(grads[own], gradients[""][name], what=f'grads["{own}"]', hints=hints, operation=DEEP)


def gradients_of(loss: Tensor, leaves: Params) -> Params:
    """Return the gradients of a loss with respect to parameters, by their names."""
    found = torch.autograd.grad(loss, list(leaves.values()), retain_graph=True)
    return dict(zip(leaves, found, strict=True))


def check_weights(value: object, shape: tuple[int, ...], std: float, what: str, usual: str = "") -> None:
    """Check shape and spread of weights; `usual` is what usually leads to another shape."""
    hints = [Hint(lambda w: w.dim() == len(shape), says=usual)] if usual else []
    w = checks.tensor(value, shape=shape, dtype=torch.float64, what=what, hints=hints)
    spread = checks.number(float((w**2).mean().sqrt()), what=f"the spread of {what}")
    slack = 5 / (2 * w.numel()) ** 0.5
    checks.holds(
        abs(spread / std - 1) <= slack,
        what=f"the spread of {what}",
        problem="not about weight_scale",
        likely_cause="weight_scale was forgotten" if abs(spread - 1) <= slack else None,
    )
