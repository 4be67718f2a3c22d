"""Hidden tests of the weights that networks begin with: their spread, with wide margins."""

import math
from typing import Any

import convolutional_networks as cn
import pytest
import torch
from torch import Tensor

from helpers.testing import Hint, asking, checks

TURNED = "Din and Dout are swapped: (Din, Dout), but (Dout, Din, K, K)"
SCALE = "this is the standard deviation alone; multiply normal numbers of the right shape by it"
FAN_IN = "fan_in is how many numbers go into one output: Din, or Din * K * K"


def weights(shape: tuple[int, ...], **arguments: Any) -> Tensor:
    """Return weights of the student's of a known shape.

    Swapped sides are told, and taken as they are where it is not the shape that is tested.
    """
    swapped = (shape[1], shape[0], *shape[2:])
    w = cn.kaiming_initializer(**arguments)
    is_swapped = type(w) is Tensor and w.shape == swapped
    form: dict[str, Any] = {"shape": swapped if is_swapped else shape, "dtype": torch.float32}
    return checks.tensor(w, **form, what="the weights", hints=[ALONE]).double()


ALONE = Hint(lambda w: w.dim() == 0, says=SCALE)


def check_variance(shape: tuple[int, ...], variance: float, turned: float, **arguments: Any) -> None:
    """Check weights against their variance, and against `turned`, which counts what goes out."""
    found = weights(shape, **arguments)
    without_size = float(math.prod(shape[2:]))
    hints = [
        Hint(variance, says="that is the variance; the standard deviation is its square root"),
        Hint(0.5, says="the gain is 2 in front of a ReLU"),
        Hint(2.0, says="the gain is 1 where no ReLU follows"),
        Hint(turned / variance, says="fan_in is how many numbers go into one output, not how many come out"),
        Hint(without_size, says=FAN_IN),
        Hint(without_size**0.5, says=FAN_IN),
        Hint(lambda _: True, says=FAN_IN),
    ]
    what = "the variance of the weights, relative to gain / fan_in"
    relative = 10 * (2 / found.numel()) ** 0.5  # ten times the standard deviation of the sample variance
    checks.close(float((found**2).mean()) / variance, 1.0, what=what, rtol=relative, hints=hints)


@asking.one_slip()
@pytest.mark.task("kaiming", weight=1)
def test_kaiming_of_linear_layers() -> None:
    """Kaiming initialization: the variance for a fully connected layer in front of a ReLU."""
    check_variance((400, 250), 2 / 400, 2 / 250, Din=400, Dout=250)


@asking.one_slip()
@pytest.mark.task("kaiming", weight=1)
def test_kaiming_of_linear_layers_without_relu() -> None:
    """Kaiming initialization: the variance for a fully connected layer with no ReLU behind it."""
    check_variance((250, 400), 1 / 250, 1 / 400, Din=250, Dout=400, relu=False)


@asking.one_slip()
@pytest.mark.task("kaiming", weight=1)
def test_kaiming_of_convolutions() -> None:
    """Kaiming initialization: the variance for a convolution, with a ReLU and without."""
    check_variance((60, 40, 5, 5), 2 / (40 * 25), 2 / (60 * 25), Din=40, Dout=60, K=5)
    check_variance((130, 80, 3, 3), 1 / (80 * 9), 1 / (130 * 9), Din=80, Dout=130, K=3, relu=False)


@pytest.mark.constraint
@pytest.mark.task("kaiming", weight=1)
def test_kaiming_is_normal() -> None:
    """Kaiming initialization: normal numbers, with mean 0."""
    found = weights((400, 250), Din=400, Dout=250)
    spread = float((found**2).mean()) ** 0.5
    checks.holds(spread > 0, what="the weights", problem="all zero")
    checks.number(float(found.mean()) / spread, at_least=-0.03, at_most=0.03, what="the mean, relative")
    kurtosis = float((found**4).mean()) / spread**4
    what, cause = (
        "the fourth moment of the weights, 3 if normal",
        "uniform numbers have 1.8; draw normal ones",
    )
    likely = cause if 1.7 < kurtosis < 1.9 else None
    checks.number(kurtosis, at_least=2.7, at_most=3.3, what=what, likely_cause=likely)


@asking.one_slip()
@pytest.mark.task("kaiming", weight=1)
def test_kaiming_shapes() -> None:
    """Kaiming initialization: the shapes for linear layers and convolutions, in the given dtype."""
    for K in (None, 3):
        shape = (30, 20) if K is None else (20, 30, K, K)
        hints = [Hint(lambda w, shape=shape: w.shape == (shape[1], shape[0], *shape[2:]), says=TURNED)]
        w = cn.kaiming_initializer(30, 20, K, dtype=torch.float64)
        checks.tensor(w, shape=shape, dtype=torch.float64, what="the weights", hints=[*hints, ALONE])


@pytest.mark.constraint
@pytest.mark.task("kaiming", weight=1)
def test_kaiming_draws_anew() -> None:
    """Kaiming initialization: every call gives other weights."""
    one, other = (weights((30, 20), Din=30, Dout=20) for _ in range(2))
    checks.holds(
        not torch.equal(one, other),
        what="the weights",
        problem="the same twice",
        likely_cause="the random numbers are seeded in every call",
        slip=True,
    )
