"""Hidden tests of the regularizers, with the factors that the docstrings state."""

from typing import Any

import fully_connected_networks as fcn
import pytest
import torch
from torch import Tensor

from autograder.seeds import hidden_generator
from helpers import checks
from helpers.checks import Hint
from helpers.constraints import require

BANNED = ("torch.nn", "torch.optim", "torch.autograd", "torch.func", ".backward", ".cuda", "helpers.layers")
W = torch.randn(
    6, 5, generator=hidden_generator("fully_connected_networks", "regularizers"), dtype=torch.float64
)
W[1, 2] = 0.0
SQUARES, ABSOLUTES = float((W * W).sum()), float(W.abs().sum())


def check_penalty(found: Any, penalty: float, gradient: Tensor, hints: list[Hint]) -> None:
    """Check the two results of a regularizer."""
    found = checks.parts(found, 2, what="the result")
    checks.close(
        checks.scalar(found[0], what="the penalty"),
        penalty,
        what="the penalty",
        hints=hints,
    )
    checks.close(found[1], gradient, what="the gradient", hints=hints)


def both(penalty: float, gradient: Tensor, says: str) -> list[Hint]:
    """Return hints for a mistake in the penalty or in the gradient."""
    return [Hint(penalty, says), Hint(gradient, says)]


@pytest.mark.task("regularizers", weight=2)
def test_l2() -> None:
    """L2: strength * sum(w ** 2) without 1/2, and its gradient, in float64 and float32."""
    hints = both(0.15 * SQUARES, 0.3 * W, "there is no factor 1/2 unless half is True")
    hints += both(0.3 * SQUARES**0.5, 0.3 * W / SQUARES**0.5, "this is the norm, not its square")
    check_penalty(fcn.l2_regularizer(W.clone(), 0.3), 0.3 * SQUARES, 0.6 * W, hints)
    single = W.float().T  # memory that is not contiguous
    found = fcn.l2_regularizer(single, 0.3, half=False)
    check_penalty(found, 0.3 * SQUARES, (0.6 * W.T).float(), hints)


@pytest.mark.task("regularizers", weight=1)
def test_half_of_l2() -> None:
    """L2 with 1/2: half of the penalty, and a gradient without the factor 2."""
    hints = both(0.3 * SQUARES, 0.6 * W, "half was ignored")
    check_penalty(fcn.l2_regularizer(W.clone(), 0.3, half=True), 0.15 * SQUARES, 0.3 * W, hints)


@pytest.mark.task("regularizers", weight=2)
def test_l1() -> None:
    """L1: strength * sum(|w|), and its gradient, which is 0 where w is 0."""
    gradient = 0.3 * torch.where(W > 0, 1.0, torch.where(W < 0, -1.0, 0.0)).double()
    hints = both(0.3 * float(W.sum()), torch.full_like(W, 0.3), "the signs of w count")
    hints += [Hint(0.3 * W.abs(), says="this is |w|; its gradient is the sign of w")]
    check_penalty(fcn.l1_regularizer(W.clone(), 0.3), 0.3 * ABSOLUTES, gradient, hints)


@pytest.mark.task("regularizers", weight=2)
def test_elastic_net() -> None:
    """Elastic net: both penalties together, the squares without 1/2."""
    signs = (W > 0).double() - (W < 0).double()
    right = 0.3 * ABSOLUTES + 0.7 * SQUARES, 0.3 * signs + 1.4 * W
    hints = both(0.3 * ABSOLUTES + 0.35 * SQUARES, 0.3 * signs + 0.7 * W, "the squares have no factor 1/2")
    hints += both(0.7 * ABSOLUTES + 0.3 * SQUARES, 0.7 * signs + 0.6 * W, "the strengths are swapped")
    check_penalty(fcn.elastic_net(W.clone(), 0.3, 0.7), *right, hints)


@pytest.mark.task("regularizers", weight=2)
def test_max_norm() -> None:
    """Max-norm: weights within the bound stay; others are shrunk until the sum of their squares is c."""
    checks.close(fcn.max_norm(W.clone(), 1.01 * SQUARES), W, what="weights within the bound")
    hints = [
        Hint(W * 0.25, says="shrunk by c / sum(w ** 2); the norm has to shrink by its square root"),
        Hint(W * 0.25 * SQUARES**0.5, says="shrunk to the norm c; the bound is for the sum of the squares"),
        Hint(W, says="not shrunk"),
    ]
    found = fcn.max_norm(W.clone(), 0.25 * SQUARES)
    checks.close(found, 0.5 * W, what="weights out of bounds", hints=hints)


@pytest.mark.task("regularizers", weight=2)
def test_weight_decay() -> None:
    """Weight decay: the learning rate is a factor of both terms, and biases do not decay."""
    dw = W.flip(0) + 0.1
    found = fcn.sgd_weight_decay(W.clone(), dw.clone(), {"learning_rate": 0.2, "weight_decay": 0.3})
    found = checks.parts(found, 2, what="the result")
    hints = [
        Hint(W - 0.06 * W - dw, says="the gradient has to be multiplied by the learning rate, too"),
        Hint(W - 0.3 * W - 0.2 * dw, says="the decay has to be multiplied by the learning rate, too"),
        Hint(W - 0.12 * W - 0.2 * dw, says="weight decay has no factor 2"),
        Hint(W - 0.2 * dw, says="the weights did not decay"),
        Hint(W + 0.06 * W - 0.2 * dw, says="the weights grew; they are to decay"),
    ]
    checks.close(found[0], 0.94 * W - 0.2 * dw, what="next_w", hints=hints)
    bias, _ = fcn.sgd_weight_decay(W[0].clone(), dw[0].clone(), {"learning_rate": 0.2, "weight_decay": 0.3})
    hints = [Hint(0.94 * W[0] - 0.2 * dw[0], says="biases, of one dimension, do not decay")]
    checks.close(bias, W[0] - 0.2 * dw[0], what="the bias", hints=hints)


@pytest.mark.constraint
@pytest.mark.task("regularizers", weight=1)
def test_regularizer_rules() -> None:
    """Regularizers: arguments are not modified; no loop, nothing that is off limits."""
    w, dw = W.clone(), W.clone()
    fcn.l2_regularizer(w, 0.3)
    fcn.l1_regularizer(w, 0.3)
    fcn.elastic_net(w, 0.3, 0.2)
    fcn.max_norm(w, 0.5)
    fcn.sgd_weight_decay(w, dw, {"learning_rate": 0.1, "weight_decay": 0.1})
    checks.unchanged(W, w, what="w")
    checks.unchanged(W, dw, what="dw")
    for function in (fcn.l2_regularizer, fcn.l1_regularizer, fcn.elastic_net, fcn.max_norm):
        require(function, loops=0, banned=BANNED)
    require(fcn.sgd_weight_decay, loops=0, banned=BANNED)
