"""The layers and update rules that students are given agree with PyTorch's, and raise their errors."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from helpers.training import layers
from helpers.training.gradients import compute_numeric_gradient, rel_error

GENERATOR = torch.Generator().manual_seed(3)


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=GENERATOR, dtype=torch.float64)


POOL = {"pool_height": 2, "pool_width": 3, "stride": 2}
CASES: dict[str, tuple[Any, tuple[torch.Tensor, ...], tuple[object, ...]]] = {
    "linear": (layers.Linear, (normal(3, 2, 2), normal(4, 5), normal(5)), ()),
    "linear and ReLU": (layers.Linear_ReLU, (normal(3, 2, 2), normal(4, 5), normal(5)), ()),
    "ReLU": (layers.ReLU, (normal(3, 4),), ()),
    "convolution": (
        layers.FastConv,
        (normal(2, 3, 5, 6), normal(4, 3, 3, 2), normal(4)),
        ({"stride": 2, "pad": 1},),
    ),
    "convolution and ReLU": (
        layers.Conv_ReLU,
        (normal(2, 3, 5, 6), normal(4, 3, 3, 2), normal(4)),
        ({"stride": 2, "pad": 1},),
    ),
    "convolution, ReLU and pooling": (
        layers.Conv_ReLU_Pool,
        (normal(2, 3, 6, 7), normal(4, 3, 3, 2), normal(4)),
        ({"stride": 1, "pad": 1}, POOL),
    ),
    "pooling": (layers.FastMaxPool, (normal(2, 3, 5, 7),), (POOL,)),
}


@pytest.mark.parametrize("case", CASES)
def test_gradients_agree_with_finite_differences(case: str) -> None:
    layer, tensors, settings = CASES[case]
    out, cache = layer.forward(*tensors, *settings)
    assert not out.requires_grad
    dout = normal(*out.shape)
    found = layer.backward(dout, cache)
    again = layer.backward(dout, cache)
    found, again = ((v,) if isinstance(v, torch.Tensor) else v for v in (found, again))
    for one, other, x in zip(found, again, tensors, strict=True):
        assert torch.equal(one, other)
        numeric = compute_numeric_gradient(lambda _: layer.forward(*tensors, *settings)[0], x, dout)
        assert rel_error(one, numeric) < 1e-8


def test_the_cache_of_a_linear_layer_is_what_went_in() -> None:
    given = normal(3, 2, 2), normal(4, 5), normal(5)
    _, cache = layers.Linear.forward(*given)
    x, w, b = cache
    assert all(one is other for one, other in zip(given, (x, w, b), strict=True))


@pytest.mark.parametrize(
    ("rule", "optimizer", "settings"),
    [
        (layers.sgd_momentum, torch.optim.SGD, {"momentum": 0.9}),
        (layers.adam, torch.optim.Adam, {}),
    ],
)
def test_update_rules_follow_optimizers(rule: Any, optimizer: Any, settings: dict[str, float]) -> None:
    w = normal(4, 3)
    theirs, config = w.clone().requires_grad_(), {"learning_rate": 0.05}
    other = optimizer([theirs], lr=0.05, **settings)
    for _ in range(5):
        dw = normal(4, 3)
        before = w.clone(), dw.clone()
        next_w, config = rule(w, dw, config)
        assert torch.equal(w, before[0])
        assert torch.equal(dw, before[1])
        theirs.grad = dw
        other.step()
        w = next_w
        assert torch.allclose(w, theirs.detach(), rtol=1e-12, atol=1e-12)


def test_the_learning_rate_of_the_config_counts_at_every_step() -> None:
    w, config = torch.ones(2), {"learning_rate": 1.0, "momentum": 0.0}
    w, config = layers.sgd_momentum(w, torch.ones(2), config)
    config["learning_rate"] = 0.5
    assert layers.sgd_momentum(w, torch.ones(2), config)[0].tolist() == [-0.5, -0.5]


def test_fast_layers_raise_what_pytorch_raises() -> None:
    with pytest.raises(RuntimeError, match="channels"):
        layers.FastConv.forward(
            torch.ones(1, 2, 4, 4), torch.ones(1, 3, 2, 2), torch.ones(1), {"stride": 1, "pad": 0}
        )
    out, cache = layers.FastMaxPool.forward(
        torch.ones(1, 1, 4, 4), {"pool_height": 2, "pool_width": 2, "stride": 2}
    )
    with pytest.raises(RuntimeError):
        layers.FastMaxPool.backward(torch.ones(1, 1, 3, 3), cache)
    assert F.max_pool2d(torch.ones(1, 1, 4, 4), 2).equal(out)
