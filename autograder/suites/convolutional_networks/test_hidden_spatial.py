"""Hidden tests of batch normalization of images.

`BatchNorm` is replaced by a right one while values and gradients are compared. Running statistics are
compared with those of the student's own `BatchNorm`: what the replacement writes stays in the grader.
"""

import itertools
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import convolutional_networks as cn
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.hidden import hidden_normal
from helpers.testing import Hint, asking, checks, substituted

MAX_ENTRIES = 100_000
normal = partial(hidden_normal, "spatial")
C, EPS = 3, 0.25
# Images are squares: that H is not W is what the public checks ask for.
X = 1.5 * normal("x", shape=(4, C, 5, 5)) + normal("means", shape=(C, 1, 1))
DOUT = normal("dout", shape=(4, C, 5, 5))
GAMMA, BETA = normal("gamma", shape=(C,)), normal("beta", shape=(C,))
MEAN, VAR = normal("running", shape=(C,)), normal("running/var", shape=(C,)).abs() + 0.5


def true_norm(x: Tensor, gamma: Tensor, beta: Tensor, param: dict[str, Any]) -> Tensor:
    """Return the right result for vectors or images."""
    if x.numel() > MAX_ENTRIES:
        raise ValueError("too many numbers")
    eps = float(param.get("eps", 1e-5))
    if param["mode"] == "train":
        return F.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)
    zeros = torch.zeros(x.shape[1], dtype=x.dtype)
    statistics = param.get("running_mean", zeros), param.get("running_var", zeros)
    return F.batch_norm(x, *statistics, gamma, beta, training=False, eps=eps)


def true_forward(x: Tensor, gamma: Tensor, beta: Tensor, bn_param: dict[str, Any]) -> tuple[Tensor, Any]:
    """Do what the student's forward pass should, but for the running statistics."""
    eps = float(bn_param.get("eps", 1e-5))
    return true_norm(x, gamma, beta, bn_param), (x, gamma, beta, eps)


def true_backward(dout: Tensor, cache: tuple[Tensor, Tensor, Tensor, float]) -> tuple[Tensor, ...]:
    """Do what the student's backward pass should."""
    leaves = [v.clone().requires_grad_() for v in cache[:3]]
    out = true_norm(*leaves, {"mode": "train", "eps": cache[3]})
    return torch.autograd.grad(out, leaves, dout)


def with_true_norm() -> AbstractContextManager[None]:
    """Replace the functions of the student's BatchNorm."""
    right = {"forward": true_forward, "backward": true_backward, "backward_alt": true_backward}
    return substituted(cn.BatchNorm, **right)


def forward(x: Tensor, **param: Any) -> Any:
    """Return result and cache of the student's forward pass."""
    settings = {"mode": "train", "eps": EPS, **param}
    found = asking.ask(cn.SpatialBatchNorm.forward, x, GAMMA.clone(), BETA.clone(), settings)
    return checks.parts(found, 2, what="the result and the cache of SpatialBatchNorm.forward")


MIXED = "reshape mixes up the channels; move them to the last dimension first"
TURNED = "height and width are swapped"


def list_pixels(x: Tensor) -> Tensor:
    """Return the pixels of images as rows."""
    return x.permute(0, 2, 3, 1).reshape(-1, C)


def back(rows: Tensor, x: Tensor) -> Tensor:
    """Return images made of rows of pixels, in the shape of x."""
    return rows.reshape(x.permute(0, 2, 3, 1).shape).permute(0, 3, 1, 2)


def check_forward(x: Tensor, out: object, **param: Any) -> None:
    """Compare a result with the right one."""
    settings = {"mode": "train", "eps": EPS, **param}
    mixed, right = true_norm(x.reshape(-1, C), GAMMA, BETA, settings), true_norm(x, GAMMA, BETA, settings)
    instance = F.instance_norm(x, weight=GAMMA, bias=BETA, eps=EPS)
    scale, shift = GAMMA[:, None, None], BETA[:, None, None]
    layer = (x - x.mean(0)) / (x.var(0, unbiased=False) + EPS).sqrt() * scale + shift
    hints = [
        Hint(mixed.reshape(x.shape), says=MIXED),
        Hint(back(mixed, x), says=MIXED),
        Hint(right.permute(0, 2, 3, 1).reshape(x.shape), says=MIXED),
        Hint(right.transpose(2, 3), says=TURNED),
        Hint(instance, says="each image has its own statistics; take them over all images of the batch"),
        Hint(layer, says="each pixel has its own statistics; take them over all pixels of a channel"),
    ]
    checks.close(out, right, what="the result", hints=hints)


@asking.one_slip()
@pytest.mark.task("spatial_batchnorm", weight=2)
def test_training() -> None:
    """Batch normalization of images: mode "train"."""
    with with_true_norm():
        out, _ = forward(X.clone())
    check_forward(X, out)


@asking.one_slip()
@pytest.mark.task("spatial_batchnorm", weight=1)
def test_scattered_images() -> None:
    """Batch normalization of images: of one image, and in memory that is not contiguous."""
    with with_true_norm():
        one, _ = forward(X[:1].clone())
        scattered, _ = forward(X.permute(0, 1, 3, 2).contiguous().permute(0, 1, 3, 2))
    check_forward(X[:1], one)
    check_forward(X, scattered)


@asking.one_slip()
@pytest.mark.task("spatial_batchnorm", weight=2)
def test_testing() -> None:
    """Batch normalization of images: mode "test" takes the running statistics."""
    given = {"mode": "test", "running_mean": MEAN, "running_var": VAR}
    with with_true_norm():
        out, _ = forward(X.clone(), **given)
    check_forward(X, out, **given)


@pytest.mark.task("spatial_batchnorm", weight=1)
def test_running_statistics() -> None:
    """Batch normalization of images: running statistics are those of all pixels, and stay in bn_param."""
    own = statistics_of_rows(X.permute(0, 2, 3, 1).reshape(-1, C).contiguous())
    pixels = X.permute(1, 0, 2, 3).flatten(1)
    right = {"running_mean": 0.1 * pixels.mean(dim=1), "running_var": 0.1 * pixels.var(dim=1, unbiased=False)}
    param: dict[str, Any] = {"mode": "train", "eps": EPS}
    try:
        asking.ask(cn.SpatialBatchNorm.forward, X.clone(), GAMMA.clone(), BETA.clone(), param)
    except Exception:
        if own:
            raise
        with with_true_norm():
            forward(X.clone())
        return
    mixed = statistics_of_rows(X.reshape(-1, C).contiguous())
    for name, value in right.items():
        if not own and name not in param:
            continue  # the student's BatchNorm keeps none
        checks.holds(
            name in param,
            what="bn_param after the call",
            problem=f"holds no {name}",
            likely_cause="pass the given bn_param to BatchNorm, not a copy of it",
        )
        if not own or not checks.agrees(param[name], own[name]):
            hints = [Hint(mixed[name], says=MIXED)] if mixed else []
            checks.close(param[name], value, what=name, hints=hints)


def statistics_of_rows(rows: Tensor) -> dict[str, Tensor]:
    """Return the running statistics that the student's BatchNorm keeps, none if it cannot tell.

    What is wrong with it is not held against the tasks that build on it.
    """
    param: dict[str, Any] = {"mode": "train", "eps": EPS}
    try:
        found = asking.ask(cn.BatchNorm.forward, rows, GAMMA.clone(), BETA.clone(), param)
        checks.parts(found, 2, what="")
    except Exception:
        return {}
    kept = {name: param.get(name) for name in ("running_mean", "running_var")}
    good = all(type(value) is Tensor and bool(value.isfinite().all()) for value in kept.values())
    return kept if good else {}


def check_backward(*names: str) -> None:
    """Compare some of the student's gradients with the right ones."""
    with with_true_norm():
        _, cache = forward(X.clone())
        found = asking.ask(cn.SpatialBatchNorm.backward, DOUT.clone(), cache)
    found = checks.parts(found, 3, what="the gradients dx, dgamma, dbeta of SpatialBatchNorm.backward")
    right = true_backward(DOUT, (X, GAMMA, BETA, EPS))
    hints: dict[str, list[Hint]] = {
        "dx": [
            Hint(right[0].permute(0, 2, 3, 1).reshape(X.shape), says=MIXED),
            Hint(right[0].transpose(2, 3), says=TURNED),
        ],
        "dgamma": [Hint(right[2], says="dgamma and dbeta are swapped")],
        "dbeta": [Hint(right[1], says="dgamma and dbeta are swapped")],
    }
    orders = (list_pixels(X), X.reshape(-1, C)), (list_pixels(DOUT), DOUT.reshape(-1, C))
    for kept, came in itertools.product(*orders):
        mixed = true_backward(came, (kept, GAMMA, BETA, EPS))
        hints["dx"] += [Hint(v, says=MIXED) for v in (mixed[0].reshape(X.shape), back(mixed[0], X))]
        hints["dgamma"].append(Hint(mixed[1], says=MIXED))
        hints["dbeta"].append(Hint(mixed[2], says=MIXED))
    for name, one, expected in zip(hints, found, right, strict=True):
        if name in names:
            checks.close(one, expected, what=f"the gradient {name}", hints=hints[name])


@asking.one_slip()
@pytest.mark.task("spatial_batchnorm", weight=2)
def test_backward() -> None:
    """Batch normalization of images: the gradient with respect to x."""
    check_backward("dx")


@asking.one_slip()
@pytest.mark.task("spatial_batchnorm", weight=1)
def test_backward_of_scale_and_shift() -> None:
    """Batch normalization of images: the gradients with respect to gamma and beta."""
    check_backward("dgamma", "dbeta")
