"""Hidden tests of batch normalization.

Gradients are compared with those of `torch.nn.functional.batch_norm`. What `backward` needs comes from the
student's own forward pass; if that makes one of the known mistakes, its gradients are judged by what they
would be for that forward pass, so that one mistake loses one task.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import convolutional_networks as cn
import pytest
import torch
from torch import Tensor

from autograder.hidden import hidden_normal
from helpers.testing import Hint, asking, checks, scattered

normal = partial(hidden_normal, "normalization")
N, D, EPS = 7, 5, 0.25
X = 1.5 * normal("x", shape=(N, D)) + 2 * normal("means", shape=(D,))
GAMMA, BETA, DOUT = normal("gamma", shape=(D,)), normal("beta", shape=(D,)), normal("dout", shape=(N, D))
RUNNING_MEAN, RUNNING_VAR = normal("running", shape=(D,)), normal("running/var", shape=(D,)).abs() + 0.5
IMAGES = 1.5 * normal("images", shape=(3, D, 4, 2)) + 1


def standardize(x: Tensor, mistake: str = "") -> tuple[Tensor, Tensor]:
    """Return x with mean 0 and variance 1 in each column, and by what it was multiplied."""
    var = x.var(dim=0, unbiased=mistake == "unbiased")
    eps = 0.0 if mistake == "no eps" else EPS
    std = {"eps outside": var.sqrt() + eps, "no root": var + eps}.get(mistake, (var + eps).sqrt())
    return (x - x.mean(dim=0)) / std, 1 / std


def normalize(x: Tensor, gamma: Tensor = GAMMA, beta: Tensor = BETA, mistake: str = "") -> Tensor:
    """Return the right result in mode "train", or what a mistake makes of it."""
    z, _ = standardize(x, mistake)
    if mistake == "swapped":
        gamma, beta = beta, gamma
    if mistake == "nothing":
        return z
    return gamma * z + (0 if mistake == "no shift" else beta)


HINTS = {
    "swapped": "gamma and beta are swapped",
    "unbiased": "the variance was divided by N - 1; divide by N",
    "no eps": "eps was forgotten",
    "eps outside": "eps was added to the standard deviation; add it to the variance",
    "no root": "divided by the variance; divide by its square root",
    "no shift": "beta was forgotten",
    "nothing": "gamma and beta were forgotten",
}


TURNED = "the wrong way round: the momentum belongs to the old value"


def forward(x: Tensor, **param: Any) -> Any:
    """Return result and cache of the student's forward pass."""
    bn_param = {"mode": "train", "eps": EPS, **param}
    found = asking.ask(cn.BatchNorm.forward, x, GAMMA.to(x.dtype), BETA.to(x.dtype), bn_param)
    return pair(found), bn_param


def pair(found: object) -> Any:
    """Return result and cache."""
    return checks.parts(found, 2, what="the result and the cache of BatchNorm.forward")


def read_kept(bn_param: dict[str, Any], name: str) -> Any:
    """Return what the student's forward pass put into bn_param."""
    checks.holds(
        name in bn_param,
        what="bn_param after the call",
        problem=f"holds no {name}",
        likely_cause="put the new tensor into the given bn_param, not into another dict",
    )
    return bn_param[name]


def check_forward(x: Tensor, out: object) -> None:
    """Compare a result in mode "train" with the right one."""
    exact = x.double()
    hints = [Hint(normalize(exact, mistake=name).to(x.dtype), says) for name, says in HINTS.items()]
    checks.close(out, normalize(exact).to(x.dtype), what="the result", hints=hints)


@asking.one_slip()
@pytest.mark.task("batchnorm_forward", weight=3)
def test_training() -> None:
    """Batch normalization: mode "train", with an eps that counts."""
    check_forward(X, forward(X.clone())[0][0])


@asking.one_slip()
@pytest.mark.task("batchnorm_forward", weight=1)
def test_training_in_float32() -> None:
    """Batch normalization: in float32, and in memory that is not contiguous."""
    check_forward(X.float(), forward(X.float())[0][0])
    check_forward(X, forward(scattered(X))[0][0])


@asking.one_slip()
@pytest.mark.task("batchnorm_forward", weight=1)
def test_training_far_from_zero() -> None:
    """Batch normalization: features around 10,000 in float32 keep their digits."""
    x = (X + 10_000).float()
    (out, _), _ = forward(x.clone())
    exact = x.double()
    hints = [Hint(normalize(exact, mistake=name).float(), says) for name, says in HINTS.items()]
    right = normalize(exact).float()
    checks.close(out, right, what="the result", operation="large numbers", hints=hints)


@asking.one_slip()
@pytest.mark.task("batchnorm_forward", weight=2)
def test_running_statistics() -> None:
    """Batch normalization: running statistics after one batch and after two, with momentum and without."""
    var = X.var(dim=0, unbiased=False)
    for momentum in (0.75, 0.9):
        given = {} if momentum == 0.9 else {"momentum": momentum}
        mean = momentum * RUNNING_MEAN + (1 - momentum) * X.mean(dim=0)
        _, bn_param = forward(
            X.clone(), running_mean=RUNNING_MEAN.clone(), running_var=RUNNING_VAR.clone(), **given
        )
        turned = (1 - momentum) * RUNNING_VAR + momentum * var
        unbiased = momentum * RUNNING_VAR + (1 - momentum) * X.var(dim=0)
        hints = [
            Hint((1 - momentum) * RUNNING_MEAN + momentum * X.mean(dim=0), says=TURNED),
            Hint(X.mean(dim=0), says="this is the mean of the batch alone"),
            Hint(RUNNING_MEAN, says="not updated; put the new tensor into bn_param"),
        ]
        checks.close(read_kept(bn_param, "running_mean"), mean, what="running_mean", hints=hints)
        hints = [
            Hint(turned, says=TURNED),
            Hint(unbiased, says=HINTS["unbiased"]),
            Hint(RUNNING_VAR, says="not updated; put the new tensor into bn_param"),
            Hint((momentum * RUNNING_VAR.sqrt() + (1 - momentum) * var.sqrt()), says="standard deviations"),
        ]
        right = momentum * RUNNING_VAR + (1 - momentum) * var
        checks.close(read_kept(bn_param, "running_var"), right, what="running_var", hints=hints)


@asking.one_slip()
@pytest.mark.task("batchnorm_forward", weight=1)
def test_running_statistics_begin_at_zero() -> None:
    """Batch normalization: without running statistics in bn_param, they begin at zero."""
    _, bn_param = forward(X.clone())
    for name, value in (("mean", X.mean(dim=0)), ("var", X.var(dim=0, unbiased=False))):
        found = read_kept(bn_param, f"running_{name}")
        hints = [
            Hint(value, says="this is that of the batch alone"),
            Hint(0.9 * value, says=TURNED),
            Hint(0.1 * X.var(dim=0), says=HINTS["unbiased"]),
        ]
        checks.close(found, 0.1 * value, what=f"running_{name}", hints=hints)


@pytest.mark.task("batchnorm_forward", weight=1)
@pytest.mark.constraint
def test_running_statistics_are_not_shared() -> None:
    """Batch normalization: tensors of running statistics that someone else holds are not modified."""
    mean, var = RUNNING_MEAN.clone(), RUNNING_VAR.clone()
    _, bn_param = forward(X.clone(), running_mean=mean, running_var=var)
    checks.tensor(read_kept(bn_param, "running_mean"), shape=(D,), dtype=torch.float64, what="running_mean")
    checks.unchanged(RUNNING_MEAN, mean, what="the old running_mean")
    checks.unchanged(RUNNING_VAR, var, what="the old running_var")


@asking.one_slip()
@pytest.mark.task("batchnorm_forward", weight=3)
def test_testing() -> None:
    """Batch normalization: mode "test" takes the running statistics, for one example as for many."""
    centered = X - RUNNING_MEAN
    right = GAMMA * centered / (RUNNING_VAR + EPS).sqrt() + BETA
    hints = [
        Hint(normalize(X), says="the statistics of the batch were used"),
        Hint(GAMMA * centered / RUNNING_VAR.sqrt() + BETA, says=HINTS["no eps"]),
        Hint(centered / (RUNNING_VAR + EPS).sqrt(), says=HINTS["nothing"]),
        Hint(BETA * centered / (RUNNING_VAR + EPS).sqrt() + GAMMA, says=HINTS["swapped"]),
        Hint(GAMMA * centered / (RUNNING_VAR.sqrt() + EPS) + BETA, says=HINTS["eps outside"]),
        Hint(GAMMA * centered / (RUNNING_VAR + EPS) + BETA, says=HINTS["no root"]),
        Hint(GAMMA * centered / (RUNNING_VAR + EPS).sqrt(), says=HINTS["no shift"]),
    ]
    given = {"mode": "test", "running_mean": RUNNING_MEAN.clone(), "running_var": RUNNING_VAR.clone()}
    (out, _), bn_param = forward(X.clone(), **given)
    checks.close(out, right, what="the result", hints=hints)
    checks.close(read_kept(bn_param, "running_mean"), RUNNING_MEAN, what="running_mean after it")
    checks.close(read_kept(bn_param, "running_var"), RUNNING_VAR, what="running_var after it")
    (one, _), _ = forward(X[:1].clone(), **given)
    told = [Hint(hint.expected[:1], hint.says) for hint in hints if isinstance(hint.expected, Tensor)]
    checks.close(one, right[:1], what="the result for one example", hints=told)


# Backward


def gradients(x: Tensor, dout: Tensor, mistake: str = "") -> tuple[Tensor, ...]:
    """Return the gradients through a forward pass, right or with a mistake."""
    leaves = [v.clone().requires_grad_() for v in (x, GAMMA, BETA)]
    found = torch.autograd.grad(normalize(*leaves, mistake), leaves, dout, allow_unused=True)
    return *found[:2], dout.sum(dim=0)


def of_formula(x: Tensor, dout: Tensor, mistake: str) -> tuple[Tensor, ...]:
    """Return what the right formula makes of the values that a forward pass with a mistake keeps."""
    z, scale = standardize(x, mistake)
    dx = GAMMA * scale * (dout - dout.mean(dim=0) - z * (dout * z).mean(dim=0))
    return dx, (dout * z).sum(dim=0), dout.sum(dim=0)


NAMES = ("dx", "dgamma", "dbeta")


def check_backward(function: Callable[..., Any], x: Tensor, dout: Tensor, *names: str) -> None:
    """Compare some of the student's gradients with the right ones, or with those of the forward pass."""
    # A forward pass that answers in float32 alone is another task's.
    dtype, (out, cache) = asking.ask_in(lambda dtype: (dtype, go_forward(x.to(dtype))), torch.float64)
    with asking.one_slip():
        asking.settle_for(dtype)
        check_gradients(out, asking.ask(function, dout.clone(), cache), x, dout, names)


def go_forward(x: Tensor) -> Any:
    """Return result and cache of the student's forward pass, which is asked once."""
    settings = {"mode": "train", "eps": EPS}
    return pair(cn.BatchNorm.forward(x.clone(), GAMMA.to(x.dtype), BETA.to(x.dtype), settings))


def check_gradients(out: object, found: Any, x: Tensor, dout: Tensor, names: tuple[str, ...]) -> None:
    """Compare gradients with the right ones for what the forward pass gave."""
    found = dict(zip(NAMES, checks.parts(found, 3, what="the gradients dx, dgamma, dbeta"), strict=True))
    for mistake in HINTS:
        if checks.agrees(out, normalize(x, mistake=mistake)):
            for accepted in (gradients(x, dout, mistake), of_formula(x, dout, mistake)):
                right = dict(zip(NAMES, accepted, strict=True))
                if all(checks.agrees(found[name], right[name]) for name in names):
                    return
    right = dict(zip(NAMES, gradients(x, dout), strict=True))
    hints = gradient_hints(x, dout, right)
    for name in names:
        checks.close(found[name], right[name], what=f"the gradient {name}", hints=hints[name])


def gradient_hints(x: Tensor, dout: Tensor, right: dict[str, Tensor]) -> dict[str, list[Hint]]:
    """Return what typical mistakes make of the gradients; the words are the same in every check."""
    z, scale = standardize(x)
    centered, along = dout - dout.mean(dim=0), z * (dout * z).mean(dim=0)
    summed = "a sum over the batch is used instead of a mean"
    all_features = "the mean was taken over all features; take that of each feature (dim=0)"
    power = "the gradient of the variance has a wrong power of var + eps"
    averaged, swapped = "averaged; the gradients of all examples add up", "dgamma and dbeta are swapped"
    return {
        "dx": [
            Hint(GAMMA * scale * dout, says="x has an influence through mean and variance, too"),
            Hint(GAMMA * scale * centered, says="the way through the variance was forgotten"),
            Hint(GAMMA * scale * (dout - along), says="the way through the mean was forgotten"),
            Hint(GAMMA * scale * (centered - len(x) * along), says=summed),
            Hint(GAMMA * scale * (dout - dout.sum(dim=0) - along), says=summed),
            Hint(GAMMA * scale * (dout - dout.mean() - along), says=all_features),
            Hint(GAMMA * scale * (centered - along / scale), says=power),
            Hint(GAMMA * scale * (centered - along * scale), says=power),
            Hint(GAMMA * scale * (centered - z * (dout * z).mean()), says=all_features),
            Hint(right["dx"] / GAMMA, says="gamma was forgotten"),
            Hint(right["dx"] / scale, says="the division by the standard deviation was forgotten"),
            Hint(right["dx"] / len(x), says=averaged),
        ],
        "dgamma": [
            Hint(right["dbeta"], says=swapped),
            Hint((dout * x).sum(dim=0), says="computed with x; use the normalized x"),
            Hint((dout * z).mean(dim=0), says=averaged),
            Hint((dout * z).sum(dim=1), says="summed over the features; sum over the examples (dim=0)"),
        ],
        "dbeta": [
            Hint(right["dgamma"], says=swapped),
            Hint(dout.mean(dim=0), says=averaged),
            Hint(dout.sum(dim=1), says="summed over the features; sum over the examples (dim=0)"),
        ],
    }


@pytest.mark.task("batchnorm_backward", weight=4)
def test_backward() -> None:
    """Gradients of batch normalization: with respect to x."""
    check_backward(cn.BatchNorm.backward, X, DOUT, "dx")


@pytest.mark.task("batchnorm_backward", weight=3)
def test_backward_of_scale_and_shift() -> None:
    """Gradients of batch normalization: with respect to gamma and beta."""
    check_backward(cn.BatchNorm.backward, X, DOUT, "dgamma", "dbeta")


@pytest.mark.task("batchnorm_backward", weight=3)
def test_backward_of_two_examples() -> None:
    """Gradients of batch normalization: for a batch of two."""
    check_backward(cn.BatchNorm.backward, X[:2], DOUT[:2], *NAMES)


@pytest.mark.task("batchnorm_backward_alt", weight=2)
def test_backward_alt() -> None:
    """Batch normalization by one formula: the gradient with respect to x."""
    check_backward(cn.BatchNorm.backward_alt, X, DOUT, "dx")


@pytest.mark.task("batchnorm_backward_alt", weight=1)
def test_backward_alt_of_scale_and_shift() -> None:
    """Batch normalization by one formula: the gradients with respect to gamma and beta."""
    check_backward(cn.BatchNorm.backward_alt, X, DOUT, "dgamma", "dbeta")


@pytest.mark.task("batchnorm_backward_alt", weight=1)
def test_backward_alt_of_two_examples() -> None:
    """Batch normalization by one formula: for a batch of two."""
    check_backward(cn.BatchNorm.backward_alt, X[:2], DOUT[:2], *NAMES)
