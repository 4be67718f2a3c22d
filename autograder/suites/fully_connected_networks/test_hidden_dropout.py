"""Hidden tests of dropout. Bounds on random numbers are 6 standard deviations wide or more."""

import math
from functools import partial
from typing import Any

import fully_connected_networks as fcn
import pytest
import torch
from torch import Tensor

from autograder.hidden import hidden_generator
from helpers.testing import Hint, asking, checks

TURNED = "p is the probability of dropping, not of keeping"
BY_P = "divided by p, which is the probability of dropping; divide by 1 - p"
NORMAL = "torch.randn is normal; use torch.rand"
SEEDED = "a seed is set that nobody asked for"


def numbers(name: str, *shape: int) -> Tensor:
    """Return hidden numbers from 1 to 2, of either sign: none is 0."""
    generator = hidden_generator("dropout", name)
    values = torch.rand(*shape, generator=generator, dtype=torch.float64) + 1
    return values * (1 - 2 * torch.randint(2, shape, generator=generator))


def forward(x: Tensor, p: float, mode: str = "train", **more: int) -> Any:
    """Return out, checked for its form and to be finite, and the cache."""
    result = asking.ask(fcn.Dropout.forward, x, {"p": p, "mode": mode, **more})
    found = checks.parts(result, 2, what="the result of Dropout.forward")
    out = checks.tensor(found[0], what="the outputs of Dropout.forward", shape=x.shape, dtype=x.dtype)
    checks.holds(
        bool(out.isfinite().all()),
        what="the outputs of Dropout.forward",
        problem="some are NaN or infinite",
        likely_cause="a division by zero, or an overflow" if p else BY_P,
        slip=not p,
    )
    return out, found[1]


def check_scale(x: Tensor, out: Tensor, p: float) -> None:
    """Check that what was not dropped is x / (1 - p)."""
    share = float((out != 0).double().mean())
    what = "how much Dropout.forward drops"
    checks.holds(0 < share < 1, what=what, problem="everything or nothing")
    kept = torch.where(out != 0, x, torch.zeros_like(x))
    hints = [
        Hint(kept, says="the kept values were not scaled: divide by 1 - p, so that the expected value stays"),
        Hint(kept / p, says=BY_P),
        Hint(kept * (1 - p), says="multiplied by 1 - p; divide by it"),
        Hint(kept * p, says="multiplied by p; divide by 1 - p"),
    ]
    checks.close(out, kept / (1 - p), what="what Dropout.forward keeps", hints=hints)


def check_fraction(out: Tensor, p: float) -> None:
    """Check how much was dropped."""
    dropped = float((out == 0).double().mean())
    margin = 6 * math.sqrt(p * (1 - p) / out.numel())
    turned = abs(dropped - (1 - p)) <= margin
    below = 0.5 + 0.5 * math.erf(p / math.sqrt(2))  # how many normal numbers are
    normal = any(abs(dropped - one) <= margin for one in (below, 1 - below))
    checks.holds(
        abs(dropped - p) <= margin,
        what="how much Dropout.forward drops",
        problem="not a fraction of about p",
        likely_cause=TURNED if turned else NORMAL if normal else None,
        slip=turned,
    )


def drops_others(out: Tensor, dx: Tensor) -> bool:
    """Return whether a gradient is 0 at other entries than the outputs."""
    return bool(((dx != 0) & (out == 0)).any() and ((dx == 0) & (out != 0)).any())


@pytest.mark.task("dropout", weight=3)
@asking.one_slip()
def test_dropout_scale() -> None:
    """Dropout: what is kept is scaled so that the expected value stays."""
    x = numbers("scale", 200, 50).float()  # a mask may be float32, whatever x is
    for p in (0.3, 0.8):
        check_scale(x, forward(x.clone(), p)[0], p)


@pytest.mark.task("dropout", weight=2)
@asking.one_slip()
def test_dropout_fraction() -> None:
    """Dropout: p is the probability of dropping."""
    x = numbers("fraction", 400, 50)
    for p in (0.25, 0.7):
        check_fraction(forward(x.clone(), p)[0], p)


@pytest.mark.task("dropout", weight=2)
@asking.one_slip()
def test_dropout_entries_are_independent() -> None:
    """Dropout: each entry is dropped for itself, and each call draws anew."""
    x = numbers("entries", 200, 100)
    out, again = forward(x.clone(), 0.5)[0], forward(x.clone(), 0.5)[0]
    kept = (out != 0).double()
    for axis, what in ((0, "unit"), (1, "example")):
        share = kept.mean(dim=axis)
        checks.holds(
            bool(((share > 0.05) & (share < 0.95)).all()),  # 10 standard deviations or more
            what="what is dropped",
            problem=f"a whole {what} is kept or dropped at once",
            likely_cause="draw a random number for each entry of x",
        )
    checks.holds(
        bool(((out != 0) != (again != 0)).any()),
        what="two calls without a seed",
        problem="dropped the same",
        likely_cause=SEEDED,
        slip=True,
    )


@pytest.mark.task("dropout", weight=4)
@asking.one_slip()
def test_dropout_backward() -> None:
    """Dropout, backward: the mask of the forward pass is used again, scale included."""
    x, dout = numbers("back", 60, 20), numbers("back dout", 60, 20)
    for p in (0.3, 0.6):
        out, cache = forward(x.clone(), p)
        dropped = bool((out == 0).any())
        checks.holds(dropped, what="how much Dropout.forward drops", problem="nothing")
        kept = torch.where(out != 0, dout, torch.zeros_like(dout))
        ratio = out / x  # what the forward pass multiplied by, right or wrong
        found = asking.ask(fcn.Dropout.backward, dout.clone(), cache)
        hints = [
            Hint(dout, says="the mask was not used"),
            Hint(kept, says="the mask was used without its scale"),
            Hint(dout - kept, says="the mask was turned around"),
            Hint(
                partial(drops_others, out), says="a new mask was drawn; use the one in the cache", slip=True
            ),
        ]
        checks.close(found, dout * ratio, what="dx of Dropout.backward", hints=hints)


@pytest.mark.task("dropout", weight=2)
@asking.one_slip()
def test_dropout_in_test_mode() -> None:
    """Dropout: in the mode "test" everything passes as it is, forward and backward."""
    x, dout = numbers("test", 30, 8), numbers("test dout", 30, 8)
    out, cache = forward(x.clone(), 0.4, "test")
    hints = [
        Hint(x * 0.6, says="inverted dropout scales while training; at test time nothing is scaled"),
        Hint(x / 0.6, says="scaled as while training; at test time nothing is scaled"),
        Hint(torch.zeros_like(x), says="everything was dropped; at test time nothing is"),
    ]
    checks.close(out, x, what="the outputs of Dropout.forward", hints=hints)
    hints = [Hint(dout * 0.6, says="scaled; at test time the gradient passes as it is")]
    hints += [Hint(dout / 0.6, says="scaled; at test time the gradient passes as it is")]
    checks.close(
        asking.ask(fcn.Dropout.backward, dout.clone(), cache),
        dout,
        what="dx of Dropout.backward",
        hints=hints,
    )


@pytest.mark.task("dropout", weight=1)
@asking.one_slip()
def test_dropout_of_nothing() -> None:
    """Dropout: with p = 0 nothing is dropped, and images in float32 stay images in float32."""
    x = numbers("nothing", 7, 3, 5, 2).float().transpose(1, 2)
    out, cache = forward(x, 0.0)
    what = "the outputs of Dropout.forward"
    everything = not bool((out != 0).any())
    checks.holds(not everything, what=what, problem="all are 0", likely_cause=TURNED, slip=True)
    half = 0.3 < float((out == 0).double().mean()) < 0.7
    checks.holds(not half, what=what, problem="about half are 0", likely_cause=NORMAL)
    checks.close(out, x, what=what)
    checks.close(asking.ask(fcn.Dropout.backward, x, cache), x, what="dx of Dropout.backward")


@pytest.mark.task("dropout", weight=1)
@asking.one_slip()
def test_dropout_with_a_seed() -> None:
    """Dropout: the same seed drops the same, another one something else."""
    x = numbers("seed", 60, 20)
    first, second, other = (forward(x.clone(), 0.5, seed=seed)[0] for seed in (11, 11, 12))
    checks.close(second, first, what="two calls with the same seed")
    checks.holds(
        bool((first != other).any()),
        what="calls with different seeds",
        problem="dropped the same",
        likely_cause=SEEDED,
        slip=True,
    )
    check_fraction(first, 0.5)
