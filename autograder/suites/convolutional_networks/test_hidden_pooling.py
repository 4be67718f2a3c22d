"""Hidden tests of max pooling, forward and backward.

Where several values of a window are the largest, the gradient may go to any of them or be shared: what is
checked is that it adds up, and that nobody else gets any.
"""

from functools import partial
from typing import Any

import convolutional_networks as cn
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.hidden import hidden_generator
from helpers.testing import Hint, asking, checks, scattered


def distinct(name: str, *shape: int) -> Tensor:
    """Return hidden numbers of both signs, no two alike and none zero."""
    generator = hidden_generator("pooling", name)
    count = torch.Size(shape).numel()
    return (torch.randperm(count, generator=generator).double() - 0.75 * count + 0.375).reshape(shape) / 8


def setting(height: int, width: int, stride: int) -> dict[str, int]:
    """Return a pool_param."""
    return {"pool_height": height, "pool_width": width, "stride": stride}


def pool(x: Tensor, param: dict[str, int]) -> Tensor:
    """Return the right result."""
    return F.max_pool2d(x, (param["pool_height"], param["pool_width"]), stride=param["stride"])


def gradient(x: Tensor, param: dict[str, int], dout: Tensor) -> Tensor:
    """Return the right gradient."""
    leaf = x.clone().requires_grad_()
    return torch.autograd.grad(pool(leaf, param), leaf, dout)[0]


# Images and windows are squares, but for OBLONG. Taking one side for the other is a single mistake: it often
# ends in an exception, and costs no more than that check and those that are public.
X = distinct("x", 3, 2, 8, 8)
APART = setting(2, 2, 2)
OVERLAPPING = {
    "windows of 3 x 3 with stride 2": setting(3, 3, 2),
    "windows of 2 x 2 with stride 1": setting(2, 2, 1),
}
WIDE = distinct("wide", 3, 2, 6, 10)
OBLONG = {
    "windows of 3 x 2 with stride 2": setting(3, 2, 2),
    "windows of 2 x 3 with stride 1": setting(2, 3, 1),
    "windows of 4 x 2 with stride 3": setting(4, 2, 3),
}
GAPS = setting(2, 2, 3)


def first(found: object) -> Any:
    """Return the result of a forward pass."""
    return checks.parts(found, 2, what="the result and the cache of MaxPool.forward")[0]


def forward_hints(x: Tensor, param: dict[str, int]) -> list[Hint]:
    """Return what typical mistakes make of pooling; the words are the same in every check."""
    right = pool(x, param)
    window = param["pool_height"], param["pool_width"]
    over_channels, over_images = (right.amax(dim=dim, keepdim=True) for dim in (1, 0))
    turned = {**param, "pool_height": window[1], "pool_width": window[0]}
    height, width = right.shape[2:]
    square = F.pad(right, (0, height - width)) if height > width else right[..., :height]
    low, narrow = right.clone(), right.clone()
    low[:, :, -1], narrow[..., -1] = 0, 0
    (H, W), stride = x.shape[2:], param["stride"]
    of_image, of_window = (
        right[..., : 1 + (size - side) // stride] for size, side in ((H, window[1]), (W, window[0]))
    )
    return [
        Hint(pool(x, turned), says="height and width of the window are swapped"),
        Hint(pool(x, {**param, "stride": 1}), says="the stride was forgotten"),
        Hint(F.max_pool2d(x, window), says="the stride is that of pool_param, not the size of a window"),
        Hint(right[:, :, :-1, :-1], says="the last window of each row and column is missing"),
        Hint(low, says="the last row of the result is never filled"),
        Hint(narrow, says="the last column of the result is never filled"),
        Hint(square, says="the result is as wide as it is high; H and W of the result differ"),
        Hint(of_image, says="the width of the result comes from the height of the image; take its width"),
        Hint(of_window, says="the width of the result comes from the height of the window; take its width"),
        Hint(as_large_as(right, x, stride), says=LARGE),
        Hint(-pool(-x, param), says="the smallest value was taken"),
        Hint(pool(x.abs(), param), says="the largest absolute value was taken; -3 is smaller than 1"),
        Hint(F.avg_pool2d(x, window, stride=param["stride"]), says="the mean was taken"),
        Hint(right.clamp(min=0), says="compared with 0 as well, but all values of a window may be negative"),
        Hint(over_channels.expand_as(right), says="the maximum went over the channels, too"),
        Hint(over_images.expand_as(right), says="the maximum went over the images, too"),
    ]


LARGE = "the windows are as large as the result, not as pool_height and pool_width say"


def as_large_as(right: Tensor, x: Tensor, stride: int) -> Tensor:
    """Return what comes of windows that are as large as the result, as far as they lie in the image."""
    rows, columns = right.shape[2:]
    wide = F.pad(x, (0, columns * (stride + 1), 0, rows * (stride + 1)), value=float("-inf"))
    return F.max_pool2d(wide, (rows, columns), stride=stride)[:, :, :rows, :columns]


@asking.one_slip()
def check_forward(x: Tensor, param: dict[str, int], what: str = "the result") -> None:
    """Compare the student's result with the right one."""
    found = first(asking.ask(cn.MaxPool.forward, x.clone(), dict(param)))
    checks.close(found, pool(x, param), what=what, hints=partial(forward_hints, x, param))


@pytest.mark.task("max_pool_forward", weight=1)
def test_forward() -> None:
    """Max pooling: windows of 2 x 2 that lie side by side."""
    check_forward(X, APART)


@pytest.mark.task("max_pool_forward", weight=1)
def test_forward_with_overlap() -> None:
    """Max pooling: windows that overlap, with a remainder."""
    for name, param in OVERLAPPING.items():
        check_forward(X, param, f"the result with {name}")


@pytest.mark.task("max_pool_forward", weight=1)
def test_forward_with_oblong_windows() -> None:
    """Max pooling: images that are wider than high, and windows that are higher than wide, or wider."""
    for name, param in OBLONG.items():
        check_forward(WIDE, param, f"the result with {name}")


@pytest.mark.task("max_pool_forward", weight=1)
def test_forward_with_gaps() -> None:
    """Max pooling: a single image, in float32, with gaps between windows."""
    check_forward(X[:1].float(), GAPS)


@asking.one_slip()
@pytest.mark.task("max_pool_forward", weight=1)
def test_forward_in_scattered_memory() -> None:
    """Max pooling: images may be non-contiguous in memory."""
    param = OVERLAPPING["windows of 3 x 3 with stride 2"]
    found = first(asking.ask(cn.MaxPool.forward, scattered(X), dict(param)))
    checks.close(found, pool(X, param), what="the result", hints=partial(forward_hints, X, param))


# Backward


def backward_hints(x: Tensor, param: dict[str, int], dout: Tensor) -> list[Hint]:
    """Return what typical mistakes make of the gradient; the words are the same in every check."""
    right, ones = gradient(x, param, dout), gradient(x, param, torch.ones_like(dout))
    last, early, shared, whole = (torch.zeros_like(x) for _ in range(4))
    height, width, stride = param.values()
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            place = (..., slice(i * stride, i * stride + height), slice(j * stride, j * stride + width))
            window, came = x[place], dout[:, :, i : i + 1, j : j + 1]
            mine = (window == window.amax(dim=(2, 3), keepdim=True)) * came
            last[place] = torch.where(mine != 0, mine, last[place])
            early[place] = torch.where(early[place] != 0, early[place], mine)
            whole[place] = mine
            shared[place] += came
    rows, columns = ((places - 1) * stride for places in dout.shape[2:])
    cut = right[:, :, : rows + height, : columns + width]
    reached = "dx has the shape of x; pixels that no window reaches belong to it, too, with zeros"
    overlap = "where windows overlap, gradients add up; write += instead of ="
    empty = "what torch.empty gives holds anything; where no window reaches, dx is 0: begin with zeros"
    within = gradient_of_all(param, dout, x) > 0

    def agrees(value: Tensor, dx: Tensor) -> bool:
        return checks.agrees(torch.where(within, dx, 0), value)

    side = "as many places along the width as along the height; dout tells how many there are of both"
    few = gradient(x, param, dout * (torch.arange(dout.shape[3]) < dout.shape[2]))
    forgotten = "the places are right, but the upstream gradient was forgotten"
    return [
        Hint(few, says=side),
        Hint(partial(agrees, right), says=empty, slip=True),
        *(Hint(partial(agrees, value), says=overlap, slip=True) for value in (last, early, whole)),
        *(Hint(value, says=BY_WIDTH) for value in divided_by_height(x, param, dout)),
        Hint(ones, says=forgotten),
        Hint(ones.sign(), says=forgotten),
        Hint(right.sign(), says="the size of the upstream gradient counts, too"),
        Hint(shared, says="the whole window got the gradient; only the largest value gets it"),
        Hint(shared / (height * width), says="shared by the whole window; only the largest value gets it"),
        Hint(cut, says=reached),
    ]


BY_WIDTH = "divide the index of the largest value by the width of the window, for its row and its column"


def gradient_of_all(param: dict[str, int], dout: Tensor, x: Tensor) -> Tensor:
    """Return in how many windows each pixel of x lies."""
    window = param["pool_height"], param["pool_width"]
    leaf = torch.zeros_like(x, requires_grad=True)
    size = window[0] * window[1]
    mean = F.avg_pool2d(leaf, window, stride=param["stride"])
    return torch.autograd.grad(size * mean, leaf, torch.ones_like(dout))[0].round()


def divided_by_height(x: Tensor, param: dict[str, int], dout: Tensor) -> list[Tensor]:
    """Return what comes of a row, or a row and a column, from the height of a window: added up, or not."""
    height, width, stride = param.values()
    largest = x.unfold(2, height, stride).unfold(3, width, stride).flatten(4).argmax(dim=4)
    found = []
    for divisor in (width, height):
        added, replaced = torch.zeros_like(x), torch.zeros_like(x)
        for n, c, i, j in torch.ones_like(dout).nonzero().tolist():
            index = int(largest[n, c, i, j])
            row, column = i * stride + index // height, j * stride + index % divisor
            if row < x.shape[2] and column < x.shape[3]:
                added[n, c, row, column] += dout[n, c, i, j]
                replaced[n, c, row, column] = dout[n, c, i, j]
        found += [added, replaced]
    return found


OTHER_CACHE = "backward needs another cache than (x, pool_param), as they came to forward"


def ask_backward(dout: Tensor, x: Tensor, param: dict[str, int]) -> Any:
    """Return what MaxPool.backward gives."""

    def forward() -> object:
        return asking.ask(cn.MaxPool.forward, x, dict(param))

    def backward(cache: object) -> object:
        return asking.ask(cn.MaxPool.backward, dout, cache)

    given = (x, dict(param))
    return asking.ask_backward(backward, given, forward, what="MaxPool.backward", says=OTHER_CACHE)


@asking.one_slip()
def check_backward(x: Tensor, param: dict[str, int], what: str = "the gradient dx") -> None:
    """Compare the student's gradient with the right one.

    Windows that run over the edge end in an exception. What comes of them is known if they get no gradient.
    """
    dout = distinct("dout", *pool(x, param).shape).to(x.dtype)

    def compare(given: Tensor) -> None:
        found = ask_backward(given.clone(), x.clone(), param)
        hints = partial(backward_hints, x, param, dout)
        checks.close(found, gradient(x, param, dout), what=what, hints=hints)

    more = [
        -(-size // param["stride"]) - count for size, count in zip(x.shape[2:], dout.shape[2:], strict=True)
    ]
    padded = F.pad(dout, (0, max(more[1], 0), 0, max(more[0], 0)))
    over = asking.Slip(OVER, partial(compare, padded), sign="out of bounds")
    asking.check_but_for(partial(compare, dout), over, what="MaxPool.backward")


OVER = "windows run over the edge of x; dout tells how many there are"


@pytest.mark.task("max_pool_backward", weight=2)
def test_backward() -> None:
    """Gradient of max pooling: windows of 2 x 2 that lie side by side."""
    check_backward(X, APART)


@pytest.mark.task("max_pool_backward", weight=1)
def test_backward_with_overlap() -> None:
    """Gradient of max pooling: where windows overlap, gradients add up."""
    for name, param in OVERLAPPING.items():
        check_backward(X, param, f"the gradient dx with {name}")


@pytest.mark.task("max_pool_backward", weight=1)
def test_backward_with_oblong_windows() -> None:
    """Gradient of max pooling: images wider than high, and windows that are higher or wider."""
    for name, param in OBLONG.items():
        check_backward(WIDE, param, f"the gradient dx with {name}")


@pytest.mark.task("max_pool_backward", weight=1)
def test_backward_with_gaps() -> None:
    """Gradient of max pooling: a single image, in float32, with gaps between windows."""
    check_backward(X[:1].float(), GAPS)


@asking.one_slip()
@pytest.mark.task("max_pool_backward", weight=1)
def test_backward_in_scattered_memory() -> None:
    """Gradient of max pooling: images and gradient may be non-contiguous in memory."""
    dout = distinct("scattered", *pool(X, APART).shape)
    found = ask_backward(scattered(dout), scattered(X), APART)
    hints = partial(backward_hints, X, APART, dout)
    checks.close(found, gradient(X, APART, dout), what="the gradient dx", hints=hints)


@pytest.mark.task("max_pool_backward", weight=2)
def test_backward_after_ties() -> None:
    """Gradient of max pooling: several largest values share the gradient, or one of them gets it."""
    one = asking.Slip(ONE_EACH, partial(check_backward, X, APART), sign="")
    asking.check_but_for(check_ties, one, what="MaxPool.backward")


ONE_EACH = "several values of a window are the largest; the code takes one per window for granted"


@asking.one_slip()
def check_ties() -> None:
    """Check what windows pass on in which several values are the largest."""
    x = distinct("ties", 2, 2, 6, 6).sign().clamp(min=0)  # zeros and ones: ties wherever one looks
    dout = distinct("ties/dout", 2, 2, 3, 3)
    found = ask_backward(dout.clone(), x.clone(), APART)
    dx = checks.tensor(found, shape=x.shape, dtype=x.dtype, what="the gradient dx")
    windows, shares = (v.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4) for v in (x, dx))
    largest = windows == windows.amax(dim=4, keepdim=True)
    hints = [
        Hint(dout * largest.sum(dim=4), says="each of several largest values got all of the gradient"),
        Hint(4 * dout, says="the whole window got the gradient; only the largest value gets it"),
        Hint(torch.zeros_like(dout), says="where several values are largest, none got any"),
    ]
    what, forgotten = "the gradient that a window passes on", bool((shares.sum(dim=4) == 1).all())
    if forgotten and not bool((shares * ~largest).any()):
        cause = "the places are right, but the upstream gradient was forgotten"
        checks.holds(False, what=what, problem="always 1", likely_cause=cause, slip=True)
    checks.close(shares.sum(dim=4), dout, what=what, hints=hints)
    stray, problem = shares * ~largest, "not zero where a value is smaller than the largest"
    even = checks.agrees(shares, (dout / 4)[..., None].expand_as(shares))
    cause = "shared by the whole window; only the largest value gets it" if even else None
    none = float(stray.abs().amax()) == 0
    checks.holds(none, what="the gradient dx", problem=problem, likely_cause=cause, slip=even)
