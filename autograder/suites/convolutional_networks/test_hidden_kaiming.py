"""Hidden tests of the weights that networks begin with: their spread, with wide margins."""

from typing import Any

import convolutional_networks as cn
import pytest
import torch

from helpers.testing import Hint, checks


def check_kaiming(shape: tuple[int, ...], variance: float, turned: float, **arguments: Any) -> None:
    """Check weights against their variance, and against `turned`, which counts what goes out."""
    swapped = (shape[1], shape[0], *shape[2:])
    turned_around = "Din and Dout are swapped: (Din, Dout), but (Dout, Din, K, K)"
    hints = [Hint(lambda w: w.shape == swapped, says=turned_around)]
    w = cn.kaiming_initializer(**arguments)
    found = checks.tensor(w, shape=shape, dtype=torch.float32, what="the weights", hints=hints).double()
    hints = [
        Hint(variance, says="that is the variance; the standard deviation is its square root"),
        Hint(0.5, says="the gain is 2 in front of a ReLU"),
        Hint(2.0, says="the gain is 1 where no ReLU follows"),
        Hint(
            turned / variance,
            says="fan_in is how many numbers go into one output, not how many outputs there are",
        ),
        Hint(lambda _: True, says="fan_in is how many numbers go into one output: Din, or Din * K * K"),
    ]
    what = "the variance of the weights, relative to gain / fan_in"
    relative = 10 * (2 / found.numel()) ** 0.5  # ten times the standard deviation of the sample variance
    checks.close(float((found**2).mean()) / variance, 1.0, what=what, rtol=relative, hints=hints)
    mean = float(found.mean()) / variance**0.5
    checks.number(mean, at_least=-0.03, at_most=0.03, what="the mean, relative")
    kurtosis = float((found**4).mean() / (found**2).mean() ** 2)
    checks.number(kurtosis, at_least=2.7, at_most=3.3, what="the fourth moment of the weights, 3 if normal")


@pytest.mark.task("kaiming", weight=2)
def test_kaiming_of_linear_layers() -> None:
    """Kaiming initialization: of a fully connected layer, with a ReLU and without."""
    check_kaiming((400, 250), 2 / 400, 2 / 250, Din=400, Dout=250)
    check_kaiming((250, 400), 1 / 250, 1 / 400, Din=250, Dout=400, relu=False)


@pytest.mark.task("kaiming", weight=2)
def test_kaiming_of_convolutions() -> None:
    """Kaiming initialization: of a convolution, with a ReLU and without."""
    check_kaiming((60, 40, 5, 5), 2 / (40 * 25), 2 / (60 * 25), Din=40, Dout=60, K=5)
    check_kaiming((130, 80, 3, 3), 1 / (80 * 9), 1 / (130 * 9), Din=80, Dout=130, K=3, relu=False)


@pytest.mark.task("kaiming", weight=1)
def test_kaiming_draws_anew() -> None:
    """Kaiming initialization: every call gives other weights, in the dtype that is asked for."""
    one, other = (cn.kaiming_initializer(30, 20, dtype=torch.float64) for _ in range(2))
    one = checks.tensor(one, shape=(30, 20), dtype=torch.float64, what="the weights")
    other = checks.tensor(other, shape=(30, 20), dtype=torch.float64, what="the weights")
    checks.holds(
        not torch.equal(one, other),
        what="the weights",
        problem="the same twice",
        likely_cause="the random numbers are seeded in every call",
    )
