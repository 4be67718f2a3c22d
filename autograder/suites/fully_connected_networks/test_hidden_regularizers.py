"""Hidden tests of the regularizers, with the factors that the docstrings state.

Where one may be made of others, those are right ones.
"""

from typing import Any

import fully_connected_networks as fcn
import pytest
import torch
from torch import Tensor

from autograder.hidden import hidden_normal
from helpers.testing import Hint, asking, checks, substituted

W = hidden_normal("regularizers", shape=(6, 5))
W[1, 2] = 0.0
DW = W.flip(0) + 0.1
SHORT = 3 * W / W.square().sum().sqrt()
"""Of a norm that exceeds a quarter of its square."""
SIGNS = (W > 0).double() - (W < 0).double()
SQUARES, ABSOLUTES = float((W * W).sum()), float(W.abs().sum())
RATES = {"learning_rate": 0.2, "weight_decay": 0.3}


def check_penalty(name: str, found: Any, penalty: float, gradient: Tensor, hints: list[Hint]) -> None:
    """Check the two results of a regularizer."""
    found = checks.parts(found, 2, what=f"the result of {name}")
    value = checks.scalar(found[0], what=f"the penalty of {name}")
    checks.close(value, penalty, what=f"the penalty of {name}", hints=hints)
    checks.close(found[1], gradient, what=f"the gradient of {name}", hints=hints)


def both(penalty: float, gradient: Tensor, says: str) -> list[Hint]:
    """Return hints for a mistake in the penalty or in the gradient."""
    return [Hint(penalty, says), Hint(gradient, says)]


@asking.one_slip()
@pytest.mark.task("l2_regularizer", weight=1)
def test_l2() -> None:
    """L2: strength * sum(w ** 2) without 1/2, and its gradient."""
    hints = both(0.15 * SQUARES, 0.3 * W, "there is no factor 1/2 unless half is True")
    hints += both(0.3 * SQUARES**0.5, 0.3 * W / SQUARES**0.5, "this is the norm, not its square")
    check_penalty(
        "l2_regularizer", asking.ask(fcn.l2_regularizer, W.clone(), 0.3), 0.3 * SQUARES, 0.6 * W, hints
    )


@asking.one_slip()
@pytest.mark.task("l2_regularizer", weight=1)
def test_half_of_l2() -> None:
    """L2 with 1/2: half of the penalty, and a gradient without the factor 2."""
    hints = [
        Hint(0.3 * SQUARES, "half was ignored"),
        Hint(0.6 * W, "the penalty was halved, but not its gradient"),
        Hint(0.15 * W, "the gradient was halved twice: that of w ** 2 / 2 is w"),
    ]
    found = asking.ask(fcn.l2_regularizer, W.clone(), 0.3, half=True)
    check_penalty("l2_regularizer", found, 0.15 * SQUARES, 0.3 * W, hints)


@asking.one_slip()
@pytest.mark.task("l1_regularizer", weight=2)
def test_l1() -> None:
    """L1: strength * sum(|w|), and its gradient, which is 0 where w is 0."""
    hints = both(0.3 * float(W.sum()), torch.full_like(W, 0.3), "the signs of w count")
    hints += both(0.3 * SQUARES, 0.6 * W, "this is L2; L1 adds up absolute values")
    hints += [Hint(0.3 * W.abs(), says="this is |w|; its gradient is the sign of w")]
    hints += [Hint(SIGNS, says="the gradient has to be multiplied by the strength, too")]
    hints += [Hint(0.3 * torch.where(W < 0, -1.0, 1.0).double(), says="where w is 0, the gradient is 0")]
    hints += [Hint(0.3 * torch.where(W > 0, 1.0, -1.0).double(), says="where w is 0, the gradient is 0")]
    check_penalty(
        "l1_regularizer", asking.ask(fcn.l1_regularizer, W.clone(), 0.3), 0.3 * ABSOLUTES, 0.3 * SIGNS, hints
    )


def right_penalties() -> Any:
    """Replace the penalties that elastic net may be made of."""

    def l2(w: Tensor, strength: float, half: bool = False) -> object:
        factor = strength / 2 if half else strength
        return factor * (w * w).sum(), 2 * factor * w

    def l1(w: Tensor, strength: float) -> object:
        return strength * w.abs().sum(), strength * w.sign()

    return substituted(fcn, l2_regularizer=l2, l1_regularizer=l1)


@asking.one_slip()
@pytest.mark.task("elastic_net", weight=2)
def test_elastic_net() -> None:
    """Elastic net: both penalties together, the squares without 1/2."""
    hints = both(0.3 * ABSOLUTES + 0.35 * SQUARES, 0.3 * SIGNS + 0.7 * W, "the squares have no factor 1/2")
    hints += both(0.7 * ABSOLUTES + 0.3 * SQUARES, 0.7 * SIGNS + 0.6 * W, "the strengths are swapped")
    hints += both(0.3 * ABSOLUTES, 0.3 * SIGNS, "the squares are missing")
    hints += both(0.7 * SQUARES, 1.4 * W, "the absolute values are missing")
    right = 0.3 * ABSOLUTES + 0.7 * SQUARES, 0.3 * SIGNS + 1.4 * W
    with right_penalties():
        found = asking.ask(fcn.elastic_net, W.clone(), 0.3, 0.7)
    check_penalty("elastic_net", found, *right, hints)


@asking.one_slip()
@pytest.mark.task("max_norm", weight=1)
def test_max_norm_within_bound() -> None:
    """Max-norm: weights within the bound stay, also those on it."""
    for factor in (1.0, 1.01, 100.0):
        stretched = "weights within the bound were stretched to it; they stay as they are"
        hints = [Hint(W * factor**0.5, says=stretched), Hint(W * factor, says=stretched)]
        found = asking.ask(fcn.max_norm, W.clone(), factor * SQUARES)
        checks.close(found, W, what="weights within the bound, from max_norm", hints=hints)


@asking.one_slip()
@pytest.mark.task("max_norm", weight=1)
def test_max_norm() -> None:
    """Max-norm: weights beyond the bound are shrunk until the sum of their squares is c."""
    hints = [
        Hint(SHORT / 4, says="shrunk by c / sum(w ** 2); the norm has to shrink by its square root"),
        Hint(SHORT * 0.75, says="shrunk to the norm c; the bound is for the sum of the squares"),
        Hint(SHORT / 3, says="shrunk to the bound 1; c was left out"),
        Hint(SHORT / 6, says="divided by sum(w ** 2); the norm is its square root"),
        Hint(SHORT, says="not shrunk", slip=False),
    ]
    found = asking.ask(fcn.max_norm, SHORT.clone(), 9 / 4)
    checks.close(found, SHORT / 2, what="weights beyond the bound, from max_norm", hints=hints)


def decay(w: Tensor, dw: Tensor) -> Any:
    """Return what the student's rule makes of a parameter, beside a right sgd."""

    def sgd(w: Tensor, dw: Tensor, config: dict[str, Any] | None = None) -> object:
        config = config or {}
        return w - float(config.get("learning_rate", 1e-2)) * dw, config

    with substituted(fcn, sgd=sgd):
        found = asking.ask(fcn.sgd_weight_decay, w.clone(), dw.clone(), dict(RATES))
    return checks.parts(found, 2, what="the result of sgd_weight_decay")[0]


@asking.one_slip()
@pytest.mark.task("weight_decay", weight=1)
def test_weight_decay() -> None:
    """Weight decay: the learning rate is a factor of both terms; 0.01 and 0.0001 by default."""
    hints = [
        Hint(W - 0.06 * W - DW, says="the gradient has to be multiplied by the learning rate, too"),
        Hint(W - 0.3 * W - 0.2 * DW, says="the decay has to be multiplied by the learning rate, too"),
        Hint(W - 0.12 * W - 0.2 * DW, says="weight decay has no factor 2"),
        Hint(W - 0.2 * DW, says="the weights did not decay"),
        Hint(W + 0.06 * W - 0.2 * DW, says="the weights grew; they are to decay"),
        Hint(W - 0.06 * (W - 0.2 * DW) - 0.2 * DW, says="the decay is for w as it was before the step"),
        Hint(W - 0.06 * W + 0.2 * DW, says="the step goes uphill; subtract it"),
    ]
    what = "next_w of sgd_weight_decay"
    checks.close(decay(W, DW), 0.94 * W - 0.2 * DW, what=what, hints=hints, origin=W)
    result = asking.ask(fcn.sgd_weight_decay, W.clone(), DW.clone())
    found = checks.parts(result, 2, what="the result of sgd_weight_decay")
    checks.close(found[0], W - 1e-6 * W - 1e-2 * DW, what=what, origin=W)


@asking.one_slip()
@pytest.mark.task("weight_decay", weight=1)
def test_weight_decay_of_biases() -> None:
    """Weight decay: biases, which have one dimension, do not decay."""
    hints = [
        Hint(0.94 * W[0] - 0.2 * DW[0], says="biases, of one dimension, do not decay"),
        Hint(W[0] - DW[0], says="the gradient has to be multiplied by the learning rate, too"),
        Hint(0.7 * W[0] - 0.2 * DW[0], says="the decay has to be multiplied by the learning rate, too"),
    ]
    checks.close(decay(W[0], DW[0]), W[0] - 0.2 * DW[0], what="the bias", hints=hints, origin=W[0])
