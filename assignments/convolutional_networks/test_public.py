"""Public checks of convolutional networks: numbers that can be worked out by hand."""

from typing import Any

import convolutional_networks as cn
import pytest
import torch

from helpers.testing import Hint, checks, constructor, substituted


def first(found: object, what: str) -> Any:
    """Return what comes before a cache."""
    return checks.parts(found, 2, what=f"the result and the cache of {what}")[0]


def three(found: object, names: str) -> Any:
    """Return three gradients."""
    return checks.parts(found, 3, what=f"the gradients {names}")


def loss_of(found: object) -> tuple[float, Any]:
    """Return a loss as a number, and its gradients."""
    loss, grads = checks.parts(found, 2, what="the loss and its gradients")
    return checks.scalar(loss, what="the loss"), grads


IMAGE = torch.tensor([[[[1.0, 2.0, 0.0, 1.0], [0.0, 1.0, 3.0, 1.0], [2.0, 0.0, 1.0, 0.0]]]])
FILTER = torch.tensor([[[[1.0, 0.0], [2.0, -1.0]]]])
BIAS = torch.tensor([10.0])
DOUT = torch.tensor([[[[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]]]])
PLAIN = {"stride": 1, "pad": 0}


@pytest.mark.task("conv_forward", weight=2)
def test_convolution_by_hand() -> None:
    """Convolution: an image of 3 x 4 and a filter of 2 x 2."""
    out = first(cn.Conv.forward(IMAGE.clone(), FILTER.clone(), BIAS.clone(), dict(PLAIN)), "Conv.forward")
    right = torch.tensor([[[[10.0, 11.0, 15.0], [14.0, 10.0, 15.0]]]])
    hints = [
        Hint(
            torch.tensor([[[[14.0, 11.0, 13.0], [12.0, 16.0, 9.0]]]]),
            says="the filters were flipped; lay them on as they are",
        ),
        Hint(torch.tensor([[[[0.0, 1.0, 5.0], [4.0, 0.0, 5.0]]]]), says="the bias was forgotten"),
        Hint(right[:, :, :-1, :-1], says="the last place of each row and column is missing"),
    ]
    checks.close(out, right, what="the result", hints=hints)


@pytest.mark.task("conv_forward", weight=1)
def test_size_of_a_convolution() -> None:
    """Convolution: with pad 1 and stride 2, 7 x 7 pixels become 4 x 4."""
    x, w = torch.ones(2, 3, 7, 7), torch.ones(5, 3, 3, 3)
    out = first(cn.Conv.forward(x, w, torch.zeros(5), {"stride": 2, "pad": 1}), "Conv.forward")
    line = torch.tensor([2.0, 3.0, 3.0, 2.0])
    right = (3 * line * line[:, None]).expand(2, 5, 4, 4)
    all_lines = torch.tensor([2.0, 3.0, 3.0, 3.0, 3.0, 3.0, 2.0])
    hints = [
        Hint(torch.full((2, 5, 3, 3), 27.0), says="the padding was forgotten"),
        Hint((3 * all_lines * all_lines[:, None]).expand(2, 5, 7, 7), says="the stride was forgotten"),
        Hint(right[:, :, :-1, :-1], says="the last place of each row and column is missing"),
    ]
    checks.close(out, right, what="the result", hints=hints)


@pytest.mark.task("conv_backward", weight=2)
def test_gradients_of_a_convolution_by_hand() -> None:
    """Gradients of a convolution: an image of 3 x 4, and one of 2 x 2 with pad 1."""
    cache = (IMAGE.clone(), FILTER.clone(), BIAS.clone(), dict(PLAIN))
    dx, dw, db = three(cn.Conv.backward(DOUT.clone(), cache), "dx, dw, db of Conv.backward")
    right = torch.tensor([[[[1.0, 0.0, 2.0, 0.0], [2.0, 2.0, 4.0, -2.0], [0.0, 6.0, -3.0, 0.0]]]])
    checks.close(dx, right, what="the gradient dx")
    checks.close(dw, torch.tensor([[[[4.0, 13.0], [6.0, 6.0]]]]), what="the gradient dw")
    hints = [
        Hint(torch.tensor([1.0]), says="averaged; the gradients of all places add up"),
        Hint(torch.tensor(6.0), says="summed over the filters; sum over images and places"),
        Hint(torch.tensor([[6.0]]), says="the images were forgotten; sum over images and places"),
    ]
    checks.close(db, torch.tensor([6.0]), what="the gradient db", hints=hints)
    # Every filter sees the whole image of 2 x 2, so that each pixel gets all that came.
    cache = (IMAGE[:, :, :2, :2].clone(), torch.ones(1, 1, 3, 3), BIAS.clone(), {"stride": 1, "pad": 1})
    dout = torch.tensor([[[[1.0, 10.0], [100.0, 1000.0]]]])
    dx = three(cn.Conv.backward(dout, cache), "dx, dw, db of Conv.backward")[0]
    reach = torch.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 1.0], [0.0, 1.0]])
    hints = [Hint(reach @ dout @ reach.T, says="the padding is still around dx; cut it off")]
    checks.close(dx, torch.full((1, 1, 2, 2), 1111.0), what="dx with pad 1", hints=hints)


WINDOWS = torch.tensor(
    [[[[1.0, 1.0, 2.0, 4.0], [5.0, 6.0, 7.0, 8.0], [3.0, 2.0, 1.0, 0.0], [1.0, 2.0, 3.0, 4.0]]]]
)
TWO = {"pool_height": 2, "pool_width": 2, "stride": 2}


@pytest.mark.task("max_pool_forward", weight=1)
def test_max_pooling_by_hand() -> None:
    """Max pooling: 4 x 4 numbers in windows of 2 x 2."""
    hints = [Hint(torch.tensor([[[[3.25, 5.25], [2.0, 2.0]]]]), says="the mean was taken")]
    out = first(cn.MaxPool.forward(WINDOWS.clone(), dict(TWO)), "MaxPool.forward")
    checks.close(out, torch.tensor([[[[6.0, 8.0], [3.0, 4.0]]]]), what="the result", hints=hints)


@pytest.mark.task("max_pool_backward", weight=1)
def test_gradient_of_max_pooling_by_hand() -> None:
    """Gradient of max pooling: it goes to the largest number of each window."""
    dout = torch.tensor([[[[10.0, 20.0], [30.0, 40.0]]]])
    right = torch.zeros(1, 1, 4, 4)
    right[0, 0, [1, 1, 2, 3], [1, 3, 0, 3]] = torch.tensor([10.0, 20.0, 30.0, 40.0])
    found = cn.MaxPool.backward(dout, (WINDOWS.clone(), dict(TWO)))
    spread = dout.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    hints = [
        Hint(spread, says="the whole window got the gradient; only the largest value gets it"),
        Hint(spread / 4, says="shared by the whole window; only the largest value gets it"),
    ]
    checks.close(found, right, what="the gradient dx of MaxPool.backward", hints=hints)


@pytest.mark.task("three_layer_net", weight=1)
def test_three_layers() -> None:
    """Network of three layers: shapes of its parameters, and a loss of log 10 with tiny weights."""
    net = cn.ThreeLayerConvNet(input_dims=(3, 8, 8), num_filters=10, filter_size=5, hidden_dim=20)
    shapes = {"W1": (10, 3, 5, 5), "b1": (10,), "W2": (160, 20), "b2": (20,), "W3": (20, 10), "b3": (10,)}
    for name, shape in shapes.items():
        checks.tensor(net.params[name], shape=shape, dtype=torch.float32, what=f'params["{name}"]')
    convolution = sum(net.params[name].numel() for name in ("W1", "b1"))
    checks.equal(convolution, 760, what="the number of parameters of the convolution")
    loss, _ = loss_of(net.loss(torch.ones(4, 3, 8, 8), torch.tensor([0, 1, 2, 3])))
    checks.close(loss, 2.302585, what="the loss", operation="small start")


@pytest.mark.task("deep_net", weight=1)
def test_deep() -> None:
    """Deep network: a loss of log 10 with tiny weights, and a gradient for each parameter."""
    net = cn.DeepConvNet(input_dims=(3, 8, 8), num_filters=[4, 4], max_pools=[1], weight_scale=1e-3)
    loss, grads = loss_of(net.loss(torch.ones(4, 3, 8, 8), torch.tensor([0, 1, 2, 3])))
    checks.close(loss, 2.302585, what="the loss", operation="small start")
    checks.holds(type(grads) is dict, what="the second result of loss", problem="not a dict")
    checks.equal(sorted(str(name) for name in grads), sorted(net.params), what="its keys")


@pytest.mark.task("kaiming", weight=1)
def test_kaiming() -> None:
    """Kaiming initialization: the shapes for linear layers and for convolutions."""
    checks.tensor(cn.kaiming_initializer(4, 5), shape=(4, 5), dtype=torch.float32, what="the weights")
    w = cn.kaiming_initializer(4, 5, K=3)
    checks.tensor(w, shape=(5, 4, 3, 3), dtype=torch.float32, what="the weights of a convolution")


COLUMNS = torch.tensor([[1.0, 10.0], [3.0, 30.0], [1.0, 20.0], [3.0, 20.0]])
GAMMA, BETA = torch.tensor([2.0, 1.0]), torch.tensor([5.0, 0.0])


@pytest.mark.task("batchnorm_forward", weight=1)
def test_batch_normalization_by_hand() -> None:
    """Batch normalization: two features of four examples, and their running statistics."""
    bn_param = {"mode": "train", "eps": 0.0}
    out = first(
        cn.BatchNorm.forward(COLUMNS.clone(), GAMMA.clone(), BETA.clone(), bn_param),
        "BatchNorm.forward",
    )
    root = 2**0.5
    normal = torch.tensor([[-1.0, -root], [1.0, root], [-1.0, 0.0], [1.0, 0.0]])
    hints = [
        Hint(normal * BETA + GAMMA, says="gamma and beta are swapped"),
        Hint(normal * 0.75**0.5 * GAMMA + BETA, says="the variance was divided by N - 1; divide by N"),
        Hint(normal, says="gamma and beta were forgotten"),
        Hint(normal * GAMMA, says="beta was forgotten"),
    ]
    right = torch.tensor([[3.0, -root], [7.0, root], [3.0, 0.0], [7.0, 0.0]])
    checks.close(out, right, what="the result", hints=hints)
    averages = {"running_mean": torch.tensor([0.2, 2.0]), "running_var": torch.tensor([0.1, 5.0])}
    lacking = " and ".join(name for name in averages if name not in bn_param)
    checks.holds(lacking == "", what="bn_param", problem=f"has no {lacking} after the call")
    for name, right in averages.items():
        hints = [
            Hint(9 * right, says="the wrong way round: the momentum belongs to the old value"),
            Hint(10 * right, says="this is that of the batch alone"),
            Hint(right * 4 / 3, says="the variance of the batch was divided by N - 1; divide by N"),
        ]
        checks.close(bn_param[name], right, what=name, hints=hints)


def check_gradients(backward: Any) -> None:
    """Check the gradients of batch normalization on two features.

    Where the forward pass is wrong, dout is one that does not get to the variance: then dx is known from how
    steep the result is.
    """
    forward = cn.BatchNorm.forward
    found = forward(COLUMNS.clone(), GAMMA.clone(), GAMMA.clone(), {"mode": "train", "eps": 0.0})
    out, cache = checks.parts(found, 2, what="the result and the cache of BatchNorm.forward")
    root = 2**0.5
    true = torch.tensor([[0.0, 1 - root], [4.0, 1 + root], [0.0, 1.0], [4.0, 1.0]])
    usable = type(out) is torch.Tensor and out.shape == true.shape and bool(out.isfinite().all())
    if not usable or torch.allclose(out.float(), true):  # type: ignore[attr-defined]
        dout = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
        right = torch.tensor([[1.0, -0.0353553], [0.0, -0.0353553], [-1.0, 0.1060660], [0.0, -0.0353553]])
        dgamma = torch.tensor([-1.0, 0.0])
    else:
        dout = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
        right = (out[1] - out[0]) / (COLUMNS[1] - COLUMNS[0]) * (dout - dout.mean(dim=0))
        dgamma = torch.zeros(2)
    found = three(backward(dout.clone(), cache), "dx, dgamma, dbeta")
    expected = (right, dgamma, dout.sum(dim=0))
    hints = {
        "dx": [],
        "dgamma": [Hint(expected[2], says="dgamma and dbeta are swapped")],
        "dbeta": [Hint(dgamma, says="dgamma and dbeta are swapped")],
    }
    for (name, told), one, value in zip(hints.items(), found, expected, strict=True):
        checks.close(one, value, what=f"the gradient {name}", operation="gradient", hints=told)


@pytest.mark.task("batchnorm_backward", weight=1)
def test_gradients_of_batch_normalization_by_hand() -> None:
    """Gradients of batch normalization: two features of four examples."""
    check_gradients(cn.BatchNorm.backward)


@pytest.mark.task("batchnorm_backward_alt", weight=1)
def test_gradients_by_one_formula_by_hand() -> None:
    """Batch normalization by one formula: the same two features."""
    check_gradients(cn.BatchNorm.backward_alt)


PIXELS = COLUMNS.reshape(2, 1, 2, 2).permute(0, 3, 1, 2).contiguous()
"""Two images of two channels, with the pixels of COLUMNS."""


def on_lines(x: torch.Tensor, *_: object) -> tuple[torch.Tensor, None]:
    """Stand for `BatchNorm.forward`, which maps COLUMNS to the numbers of the test above, along two lines."""
    return x * torch.tensor([2.0, 0.1414214]) + torch.tensor([1.0, -2.828427]), None


@pytest.mark.task("spatial_batchnorm", weight=1)
def test_spatial_batch_normalization() -> None:
    """Batch normalization of images: the same as that of a matrix with a row for each pixel."""
    bn_param = {"mode": "train", "eps": 0.0}
    with substituted(cn.BatchNorm, forward=on_lines):
        found = cn.SpatialBatchNorm.forward(PIXELS.clone(), GAMMA.clone(), BETA.clone(), bn_param)
    right = torch.tensor([[[[3.0, 7.0]], [[-(2**0.5), 2**0.5]]], [[[3.0, 7.0]], [[0.0, 0.0]]]])
    mixed, _ = on_lines(PIXELS.reshape(4, 2))
    hints = [
        Hint(value, says="reshape mixes up the channels; move them to the last dimension first")
        for value in (mixed.reshape(PIXELS.shape), mixed.reshape(2, 1, 2, 2).permute(0, 3, 1, 2))
    ]
    what = "the result and the cache of SpatialBatchNorm.forward"
    checks.close(checks.parts(found, 2, what=what)[0], right, what="the result", hints=hints)


@pytest.mark.task("overfit", weight=1)
def test_overfit_settings() -> None:
    """Overfitting: two positive numbers."""
    found = checks.parts(cn.find_overfit_parameters(), 2, what="weight_scale and learning_rate")
    for name, value in zip(("weight_scale", "learning_rate"), found, strict=True):
        checks.number(value, at_least=1e-9, what=name)


@pytest.mark.task("solver", weight=1)
def test_solver_is_made() -> None:
    """Settings: a Solver for a DeepConvNet, with a learning rate."""
    made = []
    blank = constructor(cn.DeepConvNet, None, lambda: {}, count=20)

    def make(*args: object, **settings: object) -> object:
        model: Any = blank()
        model.params = {"number": torch.tensor(len(made))}
        made.append(settings)
        return model

    data = {"X_train": torch.zeros(4, 3, 32, 32), "y_train": torch.arange(4)}
    data |= {"X_val": torch.zeros(2, 3, 32, 32), "y_val": torch.arange(2)}
    with substituted(cn, DeepConvNet=make):
        found = cn.create_convolutional_solver_instance(data, torch.float32, "cpu")
    kind, several = type(found), (list, tuple)
    others = (torch.Tensor, dict, str, float, bool, int, type(None))
    alone = "return the Solver alone" if kind in several else None
    checks.holds(kind not in (*several, *others), what="the result", problem="no Solver", likely_cause=alone)
    model_is_known = len(made) > 0 and "number" in found.model.params
    checks.holds(model_is_known, what="solver.model", problem="no DeepConvNet that was made by its name")
    there = "learning_rate" in found.optim_config
    checks.holds(there, what="solver.optim_config", problem="without a learning_rate")
