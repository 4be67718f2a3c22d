"""The oracles of the suite of convolutional networks agree with central differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from helpers.testing import CheckFailure
from helpers.training.gradients import compute_numeric_gradient, rel_error
from tests.support.imported_suites import CLOSE, importing

Load = Callable[[str], ModuleType]


@pytest.fixture(scope="module")
def suite(pytestconfig: pytest.Config) -> Iterator[Load]:
    """Return a function that imports a hidden test file."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so little work is slower with more
    with importing("convolutional_networks", pytestconfig) as load:
        yield load
    torch.set_num_threads(threads)


def normal(seed: int, *shape: int) -> Tensor:
    """Return normal numbers in float64."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def check(
    function: Callable[..., Tensor], given: tuple[Tensor, ...], dout: Tensor | None, right: tuple[Tensor, ...]
) -> None:
    """Compare gradients by all arguments with those that differences of the results give."""
    varied = [value.clone() for value in given]
    for value, gradient in zip(varied, right, strict=True):
        slopes = compute_numeric_gradient(lambda _: function(*varied), value, dout)
        assert rel_error(gradient, slopes) < CLOSE


def windows(x: Tensor, height: int, width: int, stride: int) -> Iterator[tuple[int, int, Tensor]]:
    """Yield row and column of each window that fits into images, and the window."""
    for i in range((x.shape[2] - height) // stride + 1):
        for j in range((x.shape[3] - width) // stride + 1):
            top, left = i * stride, j * stride
            yield i, j, x[:, :, top : top + height, left : left + width]


def plain_convolution(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    """Lay the filters on each window."""
    padded = x.new_zeros(*x.shape[:2], x.shape[2] + 2 * pad, x.shape[3] + 2 * pad)
    padded[:, :, pad : pad + x.shape[2], pad : pad + x.shape[3]] = x
    columns = {(i, j): v for i, j, v in windows(padded, w.shape[2], w.shape[3], stride)}
    rows, places = zip(*columns, strict=True)
    out = torch.stack([torch.einsum("nchw,fchw->nf", v, w) + b for v in columns.values()], dim=-1)
    return out.unflatten(-1, (max(rows) + 1, max(places) + 1))


def plain_pooling(x: Tensor, param: dict[str, int]) -> Tensor:
    """Take the largest value of each window."""
    found = {(i, j): v.amax(dim=(2, 3)) for i, j, v in windows(x, *param.values())}
    rows, places = zip(*found, strict=True)
    return torch.stack(list(found.values()), dim=-1).unflatten(-1, (max(rows) + 1, max(places) + 1))


def plain_normalization(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    """Give each channel mean 0 and variance 1, then scale and shift it."""
    axes = [axis for axis in range(x.dim()) if axis != 1]
    centered = x - x.mean(dim=axes, keepdim=True)
    std = ((centered**2).mean(dim=axes, keepdim=True) + eps) ** 0.5
    shape = [-1 if axis == 1 else 1 for axis in range(x.dim())]
    return gamma.reshape(shape) * centered / std + beta.reshape(shape)


CONVOLUTIONS = {
    "plain": ((2, 3, 5, 4), (2, 3, 3, 2), 1, 0),
    "padded": ((2, 2, 4, 5), (3, 2, 3, 3), 1, 1),
    "stride 2 with a remainder": ((2, 2, 6, 9), (2, 2, 3, 4), 2, 1),
    "gaps": ((1, 3, 8, 6), (2, 3, 2, 1), 3, 2),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution(suite: Load, name: str) -> None:
    images, filters, stride, pad = CONVOLUTIONS[name]
    x, w, b = normal(1, *images), normal(2, *filters), normal(3, filters[0])
    case = suite("convolutions").Convolution(x, w, b, stride, pad)

    def convolve(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return plain_convolution(x, w, b, stride, pad)

    assert rel_error(case.out(), convolve(x, w, b)) < 1e-12
    dout = normal(4, *case.out().shape)
    check(convolve, (x, w, b), dout, case.grads(dout))


@pytest.mark.parametrize("window", [(2, 2, 2), (3, 3, 2), (2, 3, 1), (4, 2, 3), (1, 2, 3)])
def test_max_pooling(suite: Load, window: tuple[int, int, int]) -> None:
    hidden = suite("test_hidden_pooling")
    x, param = hidden.distinct("differences", 2, 2, 6, 8), hidden.setting(*window)
    assert hidden.pool(x, param).equal(plain_pooling(x, param))
    dout = normal(5, *hidden.pool(x, param).shape)
    check(lambda x: plain_pooling(x, param), (x,), dout, (hidden.gradient(x, param, dout),))


@pytest.mark.parametrize("count", [2, 7])
def test_batch_normalization(suite: Load, count: int) -> None:
    hidden = suite("test_hidden_normalization")
    x, dout = hidden.X[:count], hidden.DOUT[:count]

    def normalize(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        return plain_normalization(x, gamma, beta, hidden.EPS)

    given = x, hidden.GAMMA, hidden.BETA
    assert rel_error(hidden.normalize(x), normalize(*given)) < 1e-12
    check(normalize, given, dout, hidden.gradients(x, dout))
    check(normalize, given, dout, hidden.of_formula(x, dout, ""))


def test_batch_normalization_of_images(suite: Load) -> None:
    hidden = suite("test_hidden_spatial")
    given = hidden.X, hidden.GAMMA, hidden.BETA
    param = {"mode": "train", "eps": hidden.EPS}
    out = hidden.true_norm(*given, param)

    def normalize(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        return plain_normalization(x, gamma, beta, hidden.EPS)

    assert rel_error(out, normalize(*given)) < 1e-12
    check(normalize, given, hidden.DOUT, hidden.true_backward(hidden.DOUT, (*given, hidden.EPS)))


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize("backwards", [False, True])
def test_windows_that_overwrite_one_another(suite: Load, name: str, backwards: bool) -> None:
    images, filters, stride, pad = CONVOLUTIONS[name]
    x, w, b = normal(1, *images), normal(2, *filters), normal(3, filters[0])
    case = suite("convolutions").Convolution(x, w, b, stride, pad)
    dout = normal(4, *case.out().shape)
    found = suite("test_hidden_convolution_backward").overwrite_windows(case, dout, backwards)
    last = case.grads(dout)[0]
    assert found.shape == last.shape
    assert (rel_error(found, last) < 1e-12) == (name == "gaps")
    if pad == 0:  # what was written last is there as it was written
        height, width = filters[2:]
        place = (0, 0) if backwards else (dout.shape[2] - 1, dout.shape[3] - 1)
        top, left = (index * stride for index in place)
        stamp = torch.einsum("nf,fchw->nchw", dout[:, :, place[0], place[1]], w)
        assert torch.equal(found[:, :, top : top + height, left : left + width], stamp)


def test_layers_that_share_running_statistics(suite: Load) -> None:
    networks = suite("networks")
    net = SimpleNamespace(bn_params=[{}, {}, {}])
    networks.mark(net)
    marks = [bn_param[networks.MARK] for bn_param in net.bn_params]
    networks.check_own_statistics(marks, layers=3)
    networks.check_own_statistics(marks * 2, layers=3)
    networks.check_own_statistics([None, *marks[:2]], layers=3)  # made elsewhere: nobody knows
    for shared in (marks[:1] * 3, [0, 1, 1]):
        with pytest.raises(CheckFailure, match="share one bn_param"):
            networks.check_own_statistics(shared, layers=3)


def test_layers_that_stand_for_the_students(suite: Load) -> None:
    hidden = suite("networks")
    conv, pool = {"stride": 2, "pad": 1}, {"pool_height": 3, "pool_width": 2, "stride": 2}
    x, w, b = normal(1, 2, 2, 6, 9), normal(2, 3, 2, 3, 4), normal(3, 3)
    layers: list[tuple[str, tuple[Tensor, ...], Any, Callable[..., Tensor]]] = [
        ("conv", (x, w, b), conv, lambda x, w, b: plain_convolution(x, w, b, 2, 1)),
        ("pool", (x,), pool, lambda x: plain_pooling(x, pool)),
    ]
    for values in (x, normal(4, 7, 2)):
        given, param = (values, normal(5, 2), normal(6, 2)), {"mode": "train", "eps": 0.3}
        layers.append(("norm", given, param, lambda *g: plain_normalization(*g, 0.3)))
    for name, given, param, plain in layers:
        out, cache = getattr(hidden, f"{name}_forward")(*given, param)
        assert rel_error(out, plain(*given)) < 1e-12
        dout = normal(7, *out.shape)
        found = getattr(hidden, f"{name}_backward")(dout, cache)
        check(plain, given, dout, (found,) if len(given) == 1 else found)


def regularized(scores: Tensor, y: Tensor, params: dict[str, Tensor], reg: float) -> Tensor:
    """Return the loss of a network; weights are named W and a number."""
    log_probs = scores - scores.exp().sum(dim=1, keepdim=True).log()
    squares = sum((value**2).sum() for name, value in params.items() if name.startswith("W"))
    return -log_probs[torch.arange(len(y)), y].mean() + reg * squares


def plain_three_layers(p: dict[str, Tensor], images: Tensor) -> Tensor:
    """Return scores: convolution, ReLU, pooling; linear, ReLU; linear."""
    maps = plain_convolution(images, p["W1"], p["b1"], 1, 1).clamp(min=0)
    maps = plain_pooling(maps, {"pool_height": 2, "pool_width": 2, "stride": 2})
    return (maps.flatten(1) @ p["W2"] + p["b2"]).clamp(min=0) @ p["W3"] + p["b3"]


def plain_deep_net(p: dict[str, Tensor], images: Tensor, pools: tuple[int, ...]) -> Tensor:
    """Return scores: convolution, batch normalization or none, ReLU, pooling or none; then linear."""
    out, depth = images, sum(name.startswith("W") for name in p)
    for n in range(1, depth):
        out = plain_convolution(out, p[f"W{n}"], p[f"b{n}"], 1, 1)
        if f"gamma{n}" in p:
            out = plain_normalization(out, p[f"gamma{n}"], p[f"beta{n}"], 1e-5)
        out = out.clamp(min=0)
        if n - 1 in pools:
            out = plain_pooling(out, {"pool_height": 2, "pool_width": 2, "stride": 2})
    return out.flatten(1) @ p[f"W{depth}"] + p[f"b{depth}"]


def slopes_of(function: Callable[[], Tensor], params: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the gradients by all parameters, from differences."""
    return {name: compute_numeric_gradient(lambda _: function(), value) for name, value in params.items()}


@pytest.mark.parametrize("name", ["three layers", "deep", "deep with batch normalization"])
def test_networks(suite: Load, name: str) -> None:
    reg, deep, batchnorm = 0.3, name != "three layers", name.endswith("normalization")
    hidden, networks = suite("test_hidden_deep" if deep else "test_hidden_networks"), suite("networks")
    given = hidden.deep_params(batchnorm) if deep else hidden.THREE_PARAMS
    forward = hidden.deep_scores if deep else hidden.three_scores
    params = {name: value.clone() for name, value in given.items()}
    images, y = hidden.IMAGES, hidden.LABELS
    plain = plain_deep_net(params, images, hidden.POOLS) if deep else plain_three_layers(params, images)
    loss = regularized(plain, y, params, reg)
    assert rel_error(forward(params), plain) < 1e-12
    assert float(networks.loss_of(forward(params), y, params, reg)) == pytest.approx(float(loss), rel=1e-12)
    slopes = slopes_of(lambda: networks.loss_of(forward(params), y, params, reg), params)
    losses = networks.Losses(params, {name: name for name in params}, forward, y)
    losses.check_loss((loss, slopes), reg)
    losses.check_gradients((loss, slopes), reg)
    with pytest.raises(CheckFailure, match="the loss"):
        losses.check_loss((1.001 * loss, slopes), reg)
    for name in ("W1", "b3"):
        wrong = slopes[name].clone()
        wrong.view(-1)[-1] += 1e-4
        with pytest.raises(CheckFailure, match=name):
            losses.check_gradients((loss, slopes | {name: wrong}), reg)


@pytest.mark.parametrize("batchnorm", [False, True])
def test_network_that_is_trained(suite: Load, batchnorm: bool) -> None:
    net = suite("test_hidden_training").TorchLayersNet(
        [2, 3, 1, 2, 2], [0, 1, 2, 3, 4], batchnorm, "kaiming", 0.2
    )
    params = net.params = {name: value.double() + 0.05 for name, value in net.params.items()}
    net.bn_params = [{name: v.double() for name, v in kept.items()} for kept in net.bn_params]
    images, y = normal(8, 3, 3, 32, 32), torch.tensor([4, 0, 9])
    renamed = {f"{name[:-1]}{int(name[-1]) + 1}": value for name, value in params.items()}
    loss, grads = net.loss(images, y)
    plain = regularized(plain_deep_net(renamed, images, (0, 1, 2, 3, 4)), y, renamed, 0.2)
    assert float(loss) == pytest.approx(float(plain), rel=1e-10)

    def loss_now() -> Tensor:
        with torch.enable_grad():
            found: Tensor = net.loss(images, y)[0]
        return found

    for name, right in grads.items():
        value, direction = params[name].clone(), normal(len(name), *params[name].shape)

        def along(step: Tensor, name: str = name, start: Tensor = value, way: Tensor = direction) -> Tensor:
            params[name] = start + step * way
            return loss_now()

        # A small step: of some 7,000 ReLUs, some are close to 0.
        slope = compute_numeric_gradient(along, torch.zeros(1, dtype=torch.float64), h=1e-7)
        params[name] = value
        assert rel_error((right * direction).sum().reshape(1), slope, floor=1e-7) < CLOSE, name
