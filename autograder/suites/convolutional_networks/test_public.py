"""Public checks of convolutional networks: numbers that can be worked out by hand, and PyTorch's."""

from contextlib import ExitStack
from functools import partial
from typing import Any, cast

import convolutional_networks as cn
import pytest
import torch
from torch.nn.functional import conv2d

from helpers.testing import (
    CheckFailure,
    Hint,
    Untrained,
    asking,
    checks,
    constructor,
    convention,
    obeys,
    public_generator,
    require,
    require_any_device,
    substituted,
)
from helpers.training.layers import FastConv, FastMaxPool


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


def told(mistakes: dict[str, torch.Tensor]) -> list[Hint]:
    """Return hints: what is wrong, and what comes of it."""
    return [Hint(value, says) for says, value in mistakes.items()]


def numbers(name: str, *shape: int) -> torch.Tensor:
    """Return random numbers, the same every time."""
    return torch.randn(shape, generator=public_generator("convolutions", name), dtype=torch.float64)


IMAGE = torch.tensor([[[[1.0, 2.0, 0.0, 1.0], [0.0, 1.0, 3.0, 1.0], [2.0, 0.0, 1.0, 0.0]]]])
FILTER = torch.tensor([[[[1.0, 0.0], [2.0, -1.0]]]])
BIAS = torch.tensor([10.0])
DOUT = torch.tensor([[[[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]]]])
PLAIN = {"stride": 1, "pad": 0}
BATCH = (numbers("x", 2, 7, 8, 12), numbers("w", 4, 7, 5, 3), numbers("b", 4))
"""Two images of seven channels, and four filters; all sizes differ."""
SQUARE = (numbers("square x", 2, 3, 6, 6), numbers("square w", 4, 3, 5, 5), numbers("square b", 4))
STRIDED = {"stride": 2, "pad": 1}


AS_WIDE = "the result is as wide as it is high; H and W of the result differ"
FEW = "as many places along the width as along the height; dout tells how many there are of both"
BEYOND = "the filter runs over the edge; there are 1 + (H + 2 * pad - HH) // stride places along the height"
EMPTY = "with pad 0, pad:-pad is empty; write pad : pad + H"
NOTHING = "size of the tensor (0)"
UNLIKE = "backward needs another cache than (x, w, b, conv_param), as they came to forward"
KEPT = "forward keeps the padded x in the cache; the cache holds x as it came"


def conv_mistakes(x: Any, w: Any, b: Any, *how: Any) -> list[Hint]:
    """Return what typical mistakes make of a convolution, with this stride and pad."""
    stride, pad = how
    out = conv2d(x, w, b, stride, pad)
    edge = torch.nn.functional.pad(x, (pad,) * 4, "replicate")
    (H, W), (HH, WW) = x.shape[2:], w.shape[2:]
    of_image, of_filters = (
        out[..., : 1 + (size + 2 * pad - side) // stride] for size, side in ((H, WW), (W, HH))
    )
    return told(
        {
            "the filters were flipped; lay them on as they are": conv2d(x, w.flip((2, 3)), b, stride, pad),
            "the bias was forgotten": conv2d(x, w, stride=stride, padding=pad),
            "the bias was added once for each channel": out + b[:, None, None] * (w.shape[1] - 1),
            "the padding was forgotten": conv2d(x, w, b, stride),
            "the stride was forgotten": conv2d(x, w, b, 1, pad),
            "only the last channel counts; add up over all": conv2d(x[:, -1:], w[:, -1:], b, stride, pad),
            "the last place of each row and column is missing": out[..., :-1, :-1],
            "padded by copies of the border; pad by zeros": conv2d(edge, w, b, stride),
            AS_WIDE: out[..., : out.shape[2]],
            "the width of the result comes from the height of the image; take its width": of_image,
            "the width of the result comes from the height of the filters; take their width": of_filters,
        }
    )


def check_convolution(
    tensors: tuple[torch.Tensor, ...], param: dict[str, int], right: torch.Tensor | None = None
) -> None:
    """Check the result of a convolution, and whether an exception comes of a single slip.

    Filters of 3 x 3 do not run over the edge of 6 x 6 pixels with pad 1; pad:-pad does no harm with a pad.
    """
    how = param["stride"], param["pad"]

    @asking.one_slip()
    def compare(tensors: Any, how: Any, right: Any) -> None:
        out = convolve(tensors, {"stride": how[0], "pad": how[1]})
        checks.close(out, right, what="the result", hints=partial(conv_mistakes, *tensors, *how))

    small = SQUARE[0], SQUARE[1][:, :, 1:4, 1:4], SQUARE[2]
    wide = how[0], 1
    slips = [asking.Slip(BEYOND, lambda: compare(small, (2, 1), conv2d(*small, 2, 1)), "out of bounds")]
    if how[1] == 0:
        slips.append(asking.Slip(EMPTY, lambda: compare(tensors, wide, conv2d(*tensors, *wide)), NOTHING))
    asking.check_but_for(lambda: compare(tensors, how, right), *slips, what="Conv.forward")


def convolve(tensors: tuple[torch.Tensor, ...], param: dict[str, int]) -> Any:
    """Return the student's result for copies of images, filters and biases."""
    found = asking.ask(cn.Conv.forward, *(one.clone() for one in tensors), dict(param))
    return first(found, "Conv.forward")


@pytest.mark.task("conv_forward", weight=2)
def test_convolution_by_hand() -> None:
    """Convolution: an image of 3 x 4 and a filter of 2 x 2."""
    right = torch.tensor([[[[10.0, 11.0, 15.0], [14.0, 10.0, 15.0]]]])
    check_convolution((IMAGE, FILTER, BIAS), PLAIN, right)


@pytest.mark.task("conv_forward", weight=2)
def test_size_of_a_convolution() -> None:
    """Convolution: with pad 1 and stride 2, 7 x 7 pixels become 4 x 4."""
    x, w, b = torch.ones(2, 3, 7, 7), torch.ones(5, 3, 3, 3), torch.arange(5.0)
    line = torch.tensor([2.0, 3.0, 3.0, 2.0])
    right = (3 * line * line[:, None]).expand(2, 5, 4, 4) + b[:, None, None]
    check_convolution((x, w, b), STRIDED, right)


@pytest.mark.task("conv_forward", weight=2)
def test_convolution_of_a_batch() -> None:
    """Convolution: two images of 7 x 8 x 12, four filters of 7 x 5 x 3, stride 2, pad 1 and a remainder."""
    check_convolution(BATCH, STRIDED, conv2d(*BATCH, 2, 1))


ADD_UP = "averaged; the gradients of all places add up"
OVERLAP = "where windows overlap, gradients add up; one has taken the place of another"
AROUND = "the padding is still around dx; cut it off"
ONE_EACH = "one pixel is cut off on each side; cut off `pad` of them"
NO_WIDER = "dx is as wide as it is high; it has the shape of x"


def check_back(tensors: tuple[torch.Tensor, ...], param: dict[str, int], dout: Any, compare: Any) -> None:
    """Hand the gradients to `compare`; if they are wrong, those that come of the cache of forward.

    If this ends in an exception without a pad, and only then, the slip is told.
    """

    @asking.one_slip()
    def run(cache: Any, dout: Any, compare: Any) -> None:
        found = asking.ask(cn.Conv.backward, dout.clone(), cache)
        compare(three(found, "dx, dw, db of Conv.backward"))

    def keep(pad: int) -> tuple[Any, list[Any]]:
        """Return the cache of forward, and the shapes of what is in it."""
        found = asking.ask(cn.Conv.forward, *(one.clone() for one in tensors), {**param, "pad": pad})
        kept: Any = checks.parts(found, 2, what="the result and the cache of Conv.forward")[1]
        every = kept if type(kept) is tuple else ()
        return kept, [one.shape if type(one) is torch.Tensor else () for one in every]

    def own(is_padded: bool) -> Any:
        """Return the cache of forward, unless it is the given one."""
        kept, sizes = keep(param["pad"])
        pad = max(param["pad"], 1)  # without a pad nothing shows
        wide = keep(pad)[1]
        grown = bool(wide) and len(wide[0]) == 4 and wide[0][2] == tensors[0].shape[2] + 2 * pad
        same = len(sizes) == 4 and sizes[:3] == [one.shape for one in tensors]
        checks.holds(not same and grown == is_padded, what="the cache of forward", problem="is as given")
        return kept

    def padded() -> None:
        how = param["stride"], 1
        leaves = [one.clone().requires_grad_() for one in tensors]
        out = conv2d(*leaves, *how)
        right, cache = torch.autograd.grad(out.sum(), leaves), (*(one.clone() for one in tensors), wide)
        same = "the gradients with pad 1"
        run(cache, torch.ones_like(out), lambda found: checks.close(list(found), list(right), what=same))

    given, wide = (*(one.clone() for one in tensors), dict(param)), {**param, "pad": 1}
    slips = [
        asking.Slip(KEPT, lambda: run(own(True), dout, compare)),
        asking.Slip(UNLIKE, lambda: run(own(False), dout, compare)),
    ]
    slips += [asking.Slip(EMPTY, padded, NOTHING)] if param["pad"] == 0 else []
    asking.check_but_for(lambda: run(given, dout, compare), *slips, what="Conv.backward")


@pytest.mark.task("conv_backward", weight=2)
def test_gradients_of_images_by_hand() -> None:
    """Gradients of a convolution: those of an image of 3 x 4, and of one of 2 x 2 with pad 1."""
    right = torch.tensor([[[[1.0, 0.0, 2.0, 0.0], [2.0, 2.0, 4.0, -2.0], [0.0, 6.0, -3.0, 0.0]]]])
    flipped = torch.tensor([[[[-1.0, 2.0, -2.0, 4.0], [0.0, -2.0, 6.0, 2.0], [0.0, 0.0, 3.0, 0.0]]]])
    first_stays = [[1.0, 0.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    last_stays = [[1.0, 0.0, 2.0, 0.0], [0.0, 3.0, 0.0, 0.0], [0.0, 6.0, 0.0, 0.0]]
    hints = [Hint(torch.tensor([[one]]), OVERLAP) for one in (first_stays, last_stays)]
    few = torch.tensor([[[[1.0, 0.0, 0.0, 0.0], [2.0, 2.0, 0.0, 0.0], [0.0, 6.0, -3.0, 0.0]]]])
    hints += told({"the filters were flipped": flipped, EMPTY: right[:, :, :0, :0], FEW: few})
    hints += told({NO_WIDER: right[..., :3], ONE_EACH: right[:, :, 1:-1, 1:-1]})

    def compare(found: Any) -> None:
        checks.close(found[0], right, what="the gradient dx", hints=hints)

    check_back((IMAGE, FILTER, BIAS), PLAIN, DOUT, compare)
    # Every filter sees the whole image of 2 x 2, so that each pixel gets all that came.
    dout = torch.tensor([[[[1.0, 10.0], [100.0, 1000.0]]]])
    reach, every = torch.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 1.0], [0.0, 1.0]]), torch.full((2, 2), 1111.0)
    around = [Hint(reach @ dout @ reach.T, AROUND)]

    def compare_padded(found: Any) -> None:
        checks.close(found[0], every[None, None], what="dx with pad 1", hints=around)

    ones = IMAGE[:, :, :2, :2], torch.ones(1, 1, 3, 3), BIAS
    check_back(ones, {"stride": 1, "pad": 1}, dout, compare_padded)


@pytest.mark.task("conv_backward", weight=2)
def test_gradients_of_filters_by_hand() -> None:
    """Gradients of a convolution: those of a filter of 2 x 2 and of its bias."""
    right = torch.tensor([[[[4.0, 13.0], [6.0, 6.0]]]])
    of_filters = told(
        {
            "the filters' gradients are flipped": right.flip((2, 3)),
            FEW: torch.tensor([[[[4.0, 11.0], [0.0, 4.0]]]]),
        }
    )
    of_biases = told(
        {
            ADD_UP: torch.tensor([1.0]),
            FEW: torch.tensor([4.0]),
            "summed over the filters; sum over images and places": torch.tensor([1.0, 3.0, 2.0]),
            "the result is a number; it holds one for each filter": torch.tensor(6.0),
            "the images were forgotten; sum over images and places": torch.tensor([[6.0]]),
        }
    )

    def compare(found: Any) -> None:
        checks.close(found[1], right, what="the gradient dw", hints=of_filters)
        checks.close(found[2], torch.tensor([6.0]), what="the gradient db", hints=of_biases)

    check_back((IMAGE, FILTER, BIAS), PLAIN, DOUT, compare)


@pytest.mark.task("conv_backward", weight=2)
def test_gradients_of_a_batch() -> None:
    """Gradients of a convolution: two images of 7 x 8 x 12, stride 2, pad 1 and a remainder."""
    out = conv2d(*BATCH, 2, 1)
    dout = numbers("dout", *out.shape)
    expected = conv_gradients(dout, 2, 1)

    def compare(found: Any) -> None:
        for n, name in enumerate(("dx", "dw", "db")):
            hints = partial(gradient_mistakes, dout, n)
            checks.close(found[n], expected[n], what=f"the gradient {name}", hints=hints)

    check_back(BATCH, STRIDED, dout, compare)


def gradient_mistakes(dout: torch.Tensor, n: int) -> list[Hint]:
    """Return what typical mistakes make of dx, dw or db of the batch."""
    expected, few = conv_gradients(dout, 2, 1), dout * (torch.arange(dout.shape[3]) < dout.shape[2])
    no_stride = "the stride was forgotten: neighbors in dout belong `stride` pixels apart"
    averaged, over_filters = "divided by the number of images; the loss does that", "summed over the filters"
    hints = told(
        {
            no_stride: conv_gradients(dout, 1, 1)[n],
            averaged: expected[n] / 2,
            FEW: conv_gradients(few, 2, 1)[n],
        }
    )
    if n == 0:
        wide = conv_gradients(dout, 2, 0, x=torch.nn.functional.pad(BATCH[0], (1, 1, 1, 1)))[0]
        turned = conv_gradients(dout, 2, 1, w=BATCH[1].flip((2, 3)))[0]
        reached = "dx has the shape of x; pixels that no filter reaches belong to it, too, with zeros"
        rows, columns = (2 * (size - 1) + width for size, width in zip(dout.shape[2:], (5, 3), strict=True))
        hints += told({AROUND: wide, "the filters were flipped": turned})
        hints += told({reached: wide[:, :, 1 : rows - 1, 1 : columns - 1], NO_WIDER: expected[0][..., :8]})
        hints += [Hint(one, OVERLAP) for one in overwrite_places(dout)]
    elif n == 1:
        hints += told({"the filters' gradients are flipped": expected[1].flip((2, 3))})
    else:
        over_filters += "; sum over images and places"
        hints += [Hint(dout.sum((0, 1, other)), over_filters) for other in (2, 3)]
        no_width = "the width was forgotten; sum over images and all places"
        hints += told({ADD_UP: dout.mean((0, 2, 3)), no_width: dout.sum((0, 2))})
    return hints


def conv_gradients(dout: Any, *how: int, x: Any = None, w: Any = None) -> tuple[torch.Tensor, ...]:
    """Return the gradients of a convolution of the batch, or of other images or filters."""
    leaves = [BATCH[0] if x is None else x, BATCH[1] if w is None else w, BATCH[2]]
    leaves = [one.clone().requires_grad_() for one in leaves]
    out = conv2d(*leaves, *how)
    return torch.autograd.grad(out[:, :, : dout.shape[2], : dout.shape[3]], leaves, dout)


def overwrite_places(dout: torch.Tensor) -> list[torch.Tensor]:
    """Return dx of the batch, if the gradient of each place takes that of others, in either order."""
    found = []
    for order in (1, -1):
        dx = torch.zeros_like(BATCH[0])
        for place in list(torch.ones(dout.shape[2:]).nonzero())[::order]:
            here = torch.zeros_like(dout)
            here[:, :, place[0], place[1]] = 1.0
            under = conv_gradients(here, 2, 1, w=torch.ones_like(BATCH[1]))[0] != 0
            dx = torch.where(under, conv_gradients(here * dout, 2, 1)[0], dx)
        found.append(dx)
    return found


WINDOWS = torch.tensor(
    [[[[1.0, 1.0, 2.0, 4.0], [5.0, 6.0, 7.0, 8.0], [3.0, 2.0, 1.0, 0.0], [1.0, 2.0, 3.0, 4.0]]]]
)
TIE = torch.tensor([[[[3.0, 1.0], [-2.0, 3.0]]], [[[1.0, 2.0], [5.0, 4.0]]]])
"""A window in which two values are the largest, and one without."""
TWO = {"pool_height": 2, "pool_width": 2, "stride": 2}
HIGH = {"pool_height": 6, "pool_width": 4, "stride": 2}
MAPS = numbers("maps", 8, 3, 9, 13) - 2
"""Mostly negative, so that a largest value is, too."""


def pool(x: Any, param: dict[str, int], **other: int) -> torch.Tensor:
    """Pool as PyTorch does, perhaps with a setting that is another one."""
    height, width, stride = (param | other).values()
    return torch.nn.functional.max_pool2d(x, (height, width), stride)


def pool_mistakes(x: torch.Tensor, param: dict[str, int], right: torch.Tensor) -> list[Hint]:
    """Return what typical mistakes make of pooling."""
    height, width, stride = param.values()
    channels, images = (right.amax(dim, keepdim=True).expand_as(right) for dim in (1, 0))
    sides = (x.shape[2], width), (x.shape[3], height)
    of_image, of_window = (right[..., : 1 + (size - side) // stride] for size, side in sides)
    return told(
        {
            "the mean was taken": torch.nn.functional.avg_pool2d(x, (height, width), stride),
            "height and width of the window are swapped": pool(
                x, param, pool_height=width, pool_width=height
            ),
            "the stride was forgotten": pool(x, param, stride=1),
            "the stride is that of pool_param, not the size of a window": torch.nn.functional.max_pool2d(
                x, (height, width)
            ),
            "the last window of each row and column is missing": right[..., :-1, :-1],
            "the windows are as large as the result, not as pool_height and pool_width say": pool_as_large(
                x, stride, right.shape[2:]
            ),
            "the smallest value was taken": -pool(-x, param),
            "the largest absolute value was taken; -3 is smaller than 1": pool(x.abs(), param),
            "compared with 0 as well, but all values of a window may be negative": right.relu(),
            "the maximum went over the channels, too": channels,
            "the maximum went over the images, too": images,
            AS_WIDE: right[..., : right.shape[2]],
            "the width of the result comes from the height of the image; take its width": of_image,
            "the width of the result comes from the height of the window; take its width": of_window,
        }
    )


def pool_as_large(x: torch.Tensor, stride: int, size: Any) -> torch.Tensor:
    """Return what comes of windows of the size of the result, cut off at the edge of the image."""
    rows, columns = size
    out = x.new_zeros(*x.shape[:2], rows, columns)
    for i, j in torch.ones(rows, columns).nonzero().tolist():
        window = x[:, :, i * stride :, j * stride :]
        out[:, :, i, j] = window[:, :, :rows, :columns].amax((2, 3))
    return out


@asking.one_slip()
def check_pooling(x: torch.Tensor, param: dict[str, int], right: torch.Tensor) -> None:
    """Check the result of pooling."""
    out = first(asking.ask(cn.MaxPool.forward, x.clone(), dict(param)), "MaxPool.forward")
    checks.close(out, right, what="the result", hints=partial(pool_mistakes, x, param, right))


@pytest.mark.task("max_pool_forward", weight=2)
def test_max_pooling_by_hand() -> None:
    """Max pooling: 4 x 4 numbers in windows of 2 x 2."""
    check_pooling(WINDOWS, TWO, torch.tensor([[[[6.0, 8.0], [3.0, 4.0]]]]))


@pytest.mark.task("max_pool_forward", weight=1)
def test_max_pooling_of_a_batch() -> None:
    """Max pooling: eight images of 3 x 9 x 13, windows of 6 x 4 that overlap, and many negative numbers."""
    check_pooling(MAPS, HIGH, pool(MAPS, HIGH))


def sizes_of(param: dict[str, int]) -> tuple[tuple[int, int], int]:
    """Return the size of a window, and the stride."""
    height, width, stride = param.values()
    return (height, width), stride


def under(place: torch.Tensor, param: dict[str, int], x: torch.Tensor) -> torch.Tensor:
    """Return which pixels lie in the window at a place."""
    (height, width), stride = sizes_of(param)
    top, left = (place * stride).tolist()
    found = torch.zeros_like(x, dtype=torch.bool)
    found[:, :, top : top + height, left : left + width] = True
    return found


def whole_windows(x: torch.Tensor, param: dict[str, int]) -> torch.Tensor:
    """Return what is not zero in pixels that some window reaches."""
    leaf = torch.zeros_like(x).requires_grad_()
    mean = torch.nn.functional.avg_pool2d(leaf, *sizes_of(param))
    return torch.autograd.grad(mean.sum(), leaf)[0]


def turn_windows(x: torch.Tensor, param: dict[str, int], dout: torch.Tensor) -> list[torch.Tensor]:
    """Return gradients where the height of a window takes the place of its width, for rows or for both."""
    (height, width), stride = sizes_of(param)
    chosen = torch.nn.functional.max_pool2d(x, (height, width), stride, return_indices=True)[1]
    shifts = [torch.arange(size) * stride for size in dout.shape[2:]]
    at = chosen - shifts[0][:, None] * x.shape[3] - shifts[1]
    flat = at // x.shape[3] * width + at % x.shape[3]  # as argmax numbers the values of a window
    found = []
    for side in (width, height):
        rows, columns = flat // height + shifts[0][:, None], flat % side + shifts[1]
        inside = (rows < x.shape[2]) & (columns < x.shape[3])
        where = (rows * x.shape[3] + columns).where(inside, torch.tensor(0)).flatten(2)
        came, empty = (dout * inside).flatten(2), torch.zeros_like(x).flatten(2)
        replaced = empty.clone()
        for n in range(came.shape[2]):
            one = (..., slice(n, n + 1))
            value = came[one].where(inside.flatten(2)[one], replaced.gather(2, where[one]))
            replaced.scatter_(2, where[one], value)
        found += [one.view_as(x) for one in (empty.scatter_add(2, where, came), replaced)]
    return found


def pool_gradient_mistakes(x: torch.Tensor, param: dict[str, int], dout: torch.Tensor) -> list[Hint]:
    """Return what typical mistakes make of the gradient of pooling."""
    leaf = x.clone().requires_grad_()
    out, mean = pool(leaf, param), torch.nn.functional.avg_pool2d(leaf, *sizes_of(param))
    shared = torch.autograd.grad(mean, leaf, dout)[0]
    whole = shared * param["pool_height"] * param["pool_width"]
    ones = torch.autograd.grad(out, leaf, torch.ones_like(dout), retain_graph=True)[0]
    few = torch.autograd.grad(
        out, leaf, dout * (torch.arange(dout.shape[3]) < dout.shape[2]), retain_graph=True
    )
    reached, right = whole_windows(x, param) > 0, torch.autograd.grad(out, leaf, dout, retain_graph=True)[0]

    def within(value: torch.Tensor, dx: torch.Tensor) -> bool:
        return checks.agrees(torch.where(reached, dx, 0), value)

    empty = "what torch.empty gives holds anything; where no window reaches, dx is 0: begin with zeros"
    overlap = [Hint(partial(within, right), empty, slip=True)]
    for order in (1, -1, 0):
        last = torch.zeros_like(x)
        for place in list(torch.ones(dout.shape[2:]).nonzero())[:: order or 1]:
            chosen = torch.zeros_like(dout)
            chosen[:, :, place[0], place[1]] = dout[:, :, place[0], place[1]]
            alone = torch.autograd.grad(out, leaf, chosen, retain_graph=True)[0]
            last = torch.where(under(place, param, x) if order == 0 else alone != 0, alone, last)
        says = "where windows overlap, gradients add up; write += instead of ="
        overlap.append(Hint(partial(within, last), says, slip=True))
    says = "divide the index of the largest value by the width of the window, for its row and its column"
    overlap += [Hint(one, says) for one in turn_windows(x, param, dout)]
    hints = told(
        {
            "the places are right, but the upstream gradient was forgotten": ones,
            "the whole window got the gradient; only the largest value gets it": whole,
            "shared by the whole window; only the largest value gets it": shared,
            FEW: few[0],
        }
    )
    hints.append(Hint(ones.sign(), "the places are right, but the upstream gradient was forgotten"))
    return [*hints, *overlap]


ONE_FOR_GRANTED = "several values of a window are the largest; the code takes one per window for granted"
OVER = "windows run over the edge of x; dout tells how many there are"


def pool_backward(dout: torch.Tensor, x: torch.Tensor, param: dict[str, int]) -> Any:
    """Return what MaxPool.backward gives."""
    return asking.ask_backward(
        lambda cache: asking.ask(cn.MaxPool.backward, dout, cache),
        (x, dict(param)),
        lambda: asking.ask(cn.MaxPool.forward, x, dict(param)),
        what="MaxPool.backward",
        says="backward needs another cache than (x, pool_param), as they came to forward",
    )


@asking.one_slip()
def check_pool_gradient(
    x: torch.Tensor, param: dict[str, int], dout: torch.Tensor, right: torch.Tensor
) -> None:
    """Check the gradient of pooling."""

    def compare(given: torch.Tensor) -> None:
        found = pool_backward(given.clone(), x.clone(), param)
        hints = partial(pool_gradient_mistakes, x, param, dout)
        checks.close(found, right, what="the gradient dx of MaxPool.backward", hints=hints)

    # Windows over the edge do no harm if there is a gradient of zero for each of them.
    wide = dout.new_zeros(*dout.shape[:2], *(-(-size // param["stride"]) for size in x.shape[2:]))
    wide[:, :, : dout.shape[2], : dout.shape[3]] = dout
    over = asking.Slip(OVER, lambda: compare(wide), "out of bounds")
    asking.check_but_for(lambda: compare(dout), over, what="MaxPool.backward")


@pytest.mark.task("max_pool_backward", weight=2)
def test_gradient_of_max_pooling_by_hand() -> None:
    """Gradient of max pooling: it goes to the largest number of each window."""
    dout = torch.tensor([[[[10.0, 20.0], [30.0, 40.0]]]])
    right = torch.zeros(1, 1, 4, 4)
    right[0, 0, [1, 1, 2, 3], [1, 3, 0, 3]] = torch.tensor([10.0, 20.0, 30.0, 40.0])
    check_pool_gradient(WINDOWS, TWO, dout, right)
    # Where two values are the largest, what they get adds up to what came.
    one = asking.Slip(ONE_FOR_GRANTED, lambda: check_sums(TIE + torch.tensor([[0.1, 0.2], [0.3, 0.4]])), "")
    asking.check_but_for(lambda: check_sums(TIE), one, what="MaxPool.backward")


@asking.one_slip()
def check_sums(x: torch.Tensor) -> None:
    """Check that the gradients of two windows of 2 x 2 add up to what came."""
    came = torch.tensor([10.0, 30.0])
    found = pool_backward(came.clone().view(2, 1, 1, 1), x.clone(), TWO)
    passed = checks.tensor(found, shape=(2, 1, 2, 2), what="the gradient dx of windows with a tie")
    hints = [Hint(torch.tensor([20.0, 30.0]), "each of several largest values got all of the gradient")]
    sums = passed.sum((1, 2, 3))
    checks.close(sums, came, what="what the largest values of two windows got", hints=hints)


@pytest.mark.task("max_pool_backward", weight=2)
def test_gradient_of_max_pooling_of_a_batch() -> None:
    """Gradient of max pooling: eight images of 3 x 9 x 13, with windows of 6 x 4 that overlap."""
    leaf = MAPS.clone().requires_grad_()
    out = pool(leaf, HIGH)
    dout = numbers("pooled", *out.shape)
    check_pool_gradient(MAPS, HIGH, dout, torch.autograd.grad(out, leaf, dout)[0])


# Networks

SUMMED = "the images' losses were added up; take their mean"
FACTOR = "the regularization is REGULARIZATION * reg * (the sum of squares); its factor is another one here"
TWO_FACTOR = (
    "the factor 2 is missing: the gradient of REGULARIZATION * reg * W**2 is 2 * REGULARIZATION * reg * W"
)
COUNTED = "max_pools counts layers from 0"


def right_layers() -> ExitStack:
    """Replace the layers of this file by PyTorch's, in case that a network is made of them."""
    stack = ExitStack()
    for own, fast in ((cn.Conv, FastConv), (cn.MaxPool, FastMaxPool)):
        stack.enter_context(substituted(own, forward=fast.forward, backward=fast.backward))
    return stack


def check_network(
    net: Any, own: dict[str, str], shapes: dict[str, tuple[int, ...]], scores_of: Any, wrong: dict[str, Any]
) -> None:
    """Give a network known parameters of these shapes, and check its scores, loss and gradients.

    `own` has the student's names of the parameters, `wrong` other scores and what leads to them.
    """
    reg = 0.3
    known = {name: 0.5 * numbers(name, *shape) for name, shape in shapes.items()}
    for name, mine in own.items():
        net.params[mine] = known[name].clone()
    images, labels = numbers("images", 5, 2, 8, 12), torch.tensor([3, 0, 4, 1, 1])
    with right_layers():
        scores = asking.ask_loss(net, images.clone())
        found = asking.ask_loss(net, images.clone(), labels.clone())
    hints = [Hint(other(known, images), says) for says, other in wrong.items()]
    checks.close(scores, scores_of(known, images), what="the scores", hints=hints, operation="deep gradient")
    leaves = {name: value.clone().requires_grad_() for name, value in known.items()}
    factor = float(convention("regularization"))
    squares = {name: (value**2).sum() for name, value in leaves.items()}
    decay = {name: reg * value for name, value in squares.items() if name.startswith("W")}
    data = torch.nn.functional.cross_entropy(scores_of(leaves, images), labels)
    penalty = sum(decay.values())
    right = data + factor * penalty
    biases = sum(reg * value for name, value in squares.items() if name.startswith("b"))
    filters = sum(value for name, value in decay.items() if known[name].dim() == 4)
    causes = {
        FACTOR: data + 0.5 * factor * penalty,
        "the regularization was forgotten": data,
        "the biases were regularized, too; only weights are": right + factor * biases,
        "the weights of convolutions were not regularized": right - factor * filters,
    }
    for says, scores in wrong.items():
        causes[says] = torch.nn.functional.cross_entropy(scores(leaves, images), labels) + factor * penalty
    loss, grads = loss_of(found)
    hints: Any = [Hint(value.item(), says) for says, value in causes.items()]
    hints += [Hint((data + 2 * factor * penalty).item(), FACTOR), Hint(5 * right.item(), SUMMED)]
    checks.close(loss, right.item(), what="the loss", hints=hints, operation="deep gradient")
    causes[TWO_FACTOR] = causes.pop(FACTOR)
    causes["the regularization has a gradient, too"] = causes.pop("the regularization was forgotten")

    expected = slopes_of(right, leaves)
    grads = checks.entries(grads, list(own.values()), what="the gradients")
    for name, mine in own.items():
        hints, what = partial(explain_gradients, causes, leaves, grads, own, name), f'grads["{mine}"]'
        checks.close(grads[mine], expected[name], what=what, hints=hints, operation="deep gradient")


def explain_gradients(
    causes: dict[str, torch.Tensor],
    leaves: dict[str, torch.Tensor],
    grads: dict[str, Any],
    own: dict[str, str],
    name: str,
) -> list[Hint]:
    """Return hints for a gradient, those first that explain all gradients."""
    gradients = {says: slopes_of(value, leaves) for says, value in causes.items()}
    whole = {
        says: all(checks.agrees(grads[own[one]], values[one], operation="deep gradient") for one in own)
        for says, values in gradients.items()
    }
    order = sorted(gradients, key=lambda says: not whole[says])
    return told({says: gradients[says][name] for says in order})


def slopes_of(loss: torch.Tensor, at: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return what PyTorch finds for each parameter."""
    names = list(at)
    values = torch.autograd.grad(loss, [at[name] for name in names], retain_graph=True)
    return {names[n]: value for n, value in enumerate(values)}


@pytest.mark.task("three_layer_net", weight=2)
@asking.one_slip()
def test_three_layers() -> None:
    """Network of three layers: shapes of its parameters, and a loss of log 10 with tiny weights."""
    net = cn.ThreeLayerConvNet(input_dims=(3, 8, 12), num_filters=10, filter_size=5, hidden_dim=20)
    shapes = {"W1": (10, 3, 5, 5), "b1": (10,), "W2": (240, 20), "b2": (20,), "W3": (20, 10), "b3": (10,)}
    usual = {
        "W1": "the filters of a convolution come first, then the channels, height and width",
        "W2": "the linear layer gets num_filters * (H // 2) * (W // 2) numbers, and H is not W",
    }
    for name, shape in shapes.items():
        hints = [Hint(lambda w: w.dim() in (2, 4), says=usual[name], slip=True)] if name in usual else []
        checks.tensor(
            net.params[name], shape=shape, dtype=torch.float32, what=f'params["{name}"]', hints=hints
        )
    convolution = sum(net.params[name].numel() for name in ("W1", "b1"))
    checks.equal(convolution, 760, what="the number of parameters of the convolution")
    require_any_device(cn.ThreeLayerConvNet)
    with right_layers():
        loss, _ = loss_of(asking.ask_loss(net, torch.ones(4, 3, 8, 12), torch.tensor([0, 1, 2, 3])))
    checks.close(loss, 2.302585, what="the loss", operation="small start", hints=[Hint(4 * 2.302585, SUMMED)])


@pytest.mark.task("three_layer_net", weight=2)
@asking.one_slip()
def test_three_layers_with_known_weights() -> None:
    """Network of three layers: scores, loss and gradients for images of 2 x 8 x 12."""
    settings = {
        "input_dims": (2, 8, 12),
        "num_filters": 4,
        "filter_size": 3,
        "hidden_dim": 7,
        "num_classes": 6,
    }
    net = cn.ThreeLayerConvNet(**settings, reg=0.3, dtype=torch.float64)

    def scores(p: dict[str, torch.Tensor], x: torch.Tensor, hidden: Any = torch.relu) -> torch.Tensor:
        maps = torch.nn.functional.max_pool2d(torch.relu(conv2d(x, p["W1"], p["b1"], padding=1)), 2)
        return hidden(maps.flatten(1) @ p["W2"] + p["b2"]) @ p["W3"] + p["b3"]

    shapes = {"W1": (4, 2, 3, 3), "b1": (4,), "W2": (96, 7), "b2": (7,), "W3": (7, 6), "b3": (6,)}
    wrong = {"the hidden layer has no ReLU": lambda p, x: scores(p, x, lambda h: h)}
    check_network(net, {name: name for name in shapes}, shapes, scores, wrong)


@pytest.mark.task("deep_net", weight=1)
@asking.one_slip()
def test_deep() -> None:
    """Deep network: a loss of log 10 with tiny weights, and a gradient for each, for images of 9 x 13."""
    net = cn.DeepConvNet(input_dims=(3, 9, 13), num_filters=[4, 5], max_pools=[1], weight_scale=1e-3)
    last = own_names(net, [f"{kind}{n}" for n in (1, 2, 3) for kind in "Wb"])["W3"]
    usual = (
        "the last layer gets filters * height * width numbers: H is not W, and each max pooling halves both"
    )
    down = "each max pooling rounds down; halve height and width once for each"
    hints = [Hint(lambda w: w.shape == (5 * 9 * 13 // 4, 10), says=down, slip=True)]
    hints.append(Hint(lambda w: w.dim() == 2, says=usual, slip=True))
    what = f'params["{last}"]'
    w = checks.tensor(net.params[last], shape=(120, 10), dtype=torch.float32, what=what, hints=hints)
    spread = float(w.square().mean().sqrt()) / 1e-3
    checks.number(spread, what=f"the spread of {what}, relative to weight_scale", at_least=0.8, at_most=1.2)
    asked: list[object] = []

    def initializer(
        Din: int,
        Dout: int,
        K: int | None = None,
        relu: bool = True,
        device: object = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> torch.Tensor:
        asked.append(K)
        return torch.full((Din, Dout) if K is None else (Dout, Din, K, K), 0.1, dtype=dtype)

    with substituted(cn, kaiming_initializer=initializer):
        cn.DeepConvNet(input_dims=(3, 9, 13), num_filters=[4, 5], max_pools=[1], weight_scale="kaiming")
    what = 'the calls of kaiming_initializer with weight_scale "kaiming"'
    checks.equal(len(asked), 3, what=what)
    require_any_device(cn.DeepConvNet)
    with right_layers():
        loss, grads = loss_of(asking.ask_loss(net, torch.ones(4, 3, 9, 13), torch.tensor([0, 1, 2, 3])))
    checks.close(loss, 2.302585, what="the loss", operation="small start", hints=[Hint(4 * 2.302585, SUMMED)])
    checks.holds(type(grads) is dict, what="the second result of loss", problem="not a dict")
    missing = ", ".join(str(name) for name in net.params if name not in grads)
    checks.holds(missing == "", what="its keys", problem=f"without {missing}")


@pytest.mark.task("deep_net", weight=2)
@asking.one_slip()
def test_deep_with_known_weights() -> None:
    """Deep network: scores, loss and gradients for images of 2 x 8 x 12, pooled after the second."""
    settings = {"num_filters": [4, 3], "max_pools": [1], "num_classes": 6, "reg": 0.3}
    net = cn.DeepConvNet(input_dims=(2, 8, 12), **settings, dtype=torch.float64)
    shapes = {"W1": (4, 2, 3, 3), "b1": (4,), "W2": (3, 4, 3, 3), "b2": (3,), "W3": (72, 6), "b3": (6,)}
    own = own_names(net, list(shapes))

    def scores(p: dict[str, torch.Tensor], x: torch.Tensor, pooled: int = 2) -> torch.Tensor:
        for n in (1, 2):
            x = torch.relu(conv2d(x, p[f"W{n}"], p[f"b{n}"], padding=1))
            x = torch.nn.functional.max_pool2d(x, 2) if n == pooled else x
        return x.flatten(1) @ p["W3"] + p["b3"]

    wrong = {COUNTED: lambda p, x: scores(p, x, 1)}
    check_network(net, own, shapes, scores, wrong)


def norm(x: Any, gamma: Any, beta: Any, bn_param: Any) -> torch.Tensor:
    """Normalize images; in mode "test" by running statistics of 0 and 1."""
    training, eps = bn_param["mode"] == "train", float(bn_param.get("eps", 1e-5))
    kept = torch.zeros_like(gamma), torch.ones_like(gamma)
    return torch.nn.functional.batch_norm(x, *kept, gamma, beta, training=training, eps=eps)


def norm_forward(x: Any, gamma: Any, beta: Any, bn_param: Any) -> tuple[torch.Tensor, Any]:
    """Do what `SpatialBatchNorm.forward` does, but for the running statistics."""
    settings = {"mode": bn_param["mode"], "eps": bn_param.get("eps", 1e-5)}
    return norm(x, gamma, beta, settings), (x, gamma, beta, settings)


def norm_backward(dout: Any, cache: Any) -> tuple[torch.Tensor, ...]:
    """Do what `SpatialBatchNorm.backward` does."""
    *tensors, settings = cache
    leaves = [one.clone().requires_grad_() for one in tensors]
    return torch.autograd.grad(norm(*leaves, settings), leaves, dout)


def right_norms() -> ExitStack:
    """Replace the layers of this file, batch normalization included."""
    stack, spatial = right_layers(), {"forward": norm_forward, "backward": norm_backward}
    stack.enter_context(substituted(cn.SpatialBatchNorm, **spatial))
    stack.enter_context(substituted(cn.BatchNorm, **spatial, backward_alt=norm_backward))
    return stack


def normalized_scores(
    p: dict[str, torch.Tensor],
    x: torch.Tensor,
    mode: str,
    eps: tuple[float, ...] = (1e-5, 1e-5),
    pooled: int = 2,
) -> torch.Tensor:
    """Return the scores of a network with two convolutions, batch normalization and one pooling."""
    for n in (1, 2):
        x = conv2d(x, p[f"W{n}"], p[f"b{n}"], padding=1)
        settings = {"mode": mode, "eps": eps[n - 1]}
        x = torch.relu(norm(x, p[f"gamma{n}"], p[f"beta{n}"], settings))
        x = torch.nn.functional.max_pool2d(x, 2) if n == pooled else x
    return x.flatten(1) @ p["W3"] + p["b3"]


@pytest.mark.task("deep_net", weight=1)
@asking.one_slip()
def test_deep_with_batch_normalization() -> None:
    """Deep network: what gamma and beta begin with, and scores, loss and gradients with them."""
    settings = {"num_filters": [4, 3], "max_pools": [1], "num_classes": 6, "reg": 0.3, "batchnorm": True}
    net = cn.DeepConvNet(input_dims=(2, 8, 12), **settings, dtype=torch.float64)
    shapes = {"W1": (4, 2, 3, 3), "b1": (4,), "W2": (3, 4, 3, 3), "b2": (3,), "W3": (72, 6), "b3": (6,)}
    shapes |= {"gamma1": (4,), "beta1": (4,), "gamma2": (3,), "beta2": (3,)}
    own = own_names(net, list(shapes))
    for name in ("gamma1", "beta1", "gamma2", "beta2"):
        value, zeros = float(name.startswith("gamma")), torch.zeros(shapes[name]).double()
        hints = [Hint(zeros + 1 - value, "gamma begins with ones, and beta with zeros")]
        checks.close(net.params[own[name]], zeros + value, what=f'params["{own[name]}"]', hints=hints)
    known = {name: 0.5 * numbers(name, *shape) for name, shape in shapes.items()}
    for name, mine in own.items():
        net.params[mine] = known[name].clone()
    images, labels = numbers("images", 5, 2, 8, 12), torch.tensor([3, 0, 4, 1, 1])
    with right_norms():
        scores = asking.ask_loss(net, images.clone())
        found = asking.ask_loss(net, images.clone(), labels.clone())
    hints = [
        Hint(normalized_scores(known, images, "train"), 'batch normalization stayed in mode "train"'),
        Hint(normalized_scores(known, images, "test", pooled=1), COUNTED),
    ]
    right = normalized_scores(known, images, "test")
    checks.close(scores, right, what="the scores without labels", hints=hints, operation="deep gradient")
    leaves = {name: value.clone().requires_grad_() for name, value in known.items()}
    strength = 0.3 * float(convention("regularization"))
    squares = {name: strength * (value**2).sum() for name, value in leaves.items()}
    data = torch.nn.functional.cross_entropy(normalized_scores(leaves, images, "train"), labels)
    decay, others, biases, gammas = (
        sum(value for name, value in squares.items() if name.startswith(kinds))
        for kinds in ("W", ("gamma", "beta"), ("b1", "b2", "b3"), "gamma")
    )
    loss = data + decay
    causes = {
        "gamma was regularized, too; only weights are": loss + gammas,
        "gamma and beta were regularized, too; only weights are": loss + others,
        "the biases were regularized, too; only weights are": loss + biases,
        "the regularization was forgotten": data,
        FACTOR: data + 0.5 * decay,
    }
    number, grads = loss_of(found)
    hints = [Hint(value.item(), says) for says, value in causes.items()]
    hints += [Hint((data + 2 * decay).item(), FACTOR), Hint(5 * loss.item(), SUMMED)]
    hints.append(Hint((5 * data + decay).item(), SUMMED))
    checks.close(number, loss.item(), what="the loss", hints=hints, operation="deep gradient")
    grads = checks.entries(grads, list(own.values()), what="the gradients")
    causes["the regularization has a gradient, too"] = causes.pop("the regularization was forgotten")
    causes[TWO_FACTOR] = causes.pop(FACTOR)
    expected = slopes_of(loss, leaves)
    for name, mine in own.items():
        what, hints = f'grads["{mine}"]', partial(explain_gradients, causes, leaves, grads, own, name)
        checks.close(grads[mine], expected[name], what=what, hints=hints, operation="deep gradient")

    with right_norms():
        check_apart(net, known, images)


def own_names(net: Any, names: list[str]) -> dict[str, str]:
    """Return what a student's network calls parameters: layers may be counted from 0, and gamma be g."""
    from_zero, short = "W0" in net.params, {"gamma": "g", "beta": "be"}
    found, missing = {}, ""
    for name in names:
        kind, number = name[:-1], int(name[-1]) - from_zero
        spelled = [f"{one}{line}{number}" for one in (kind, short.get(kind, kind)) for line in ("", "_")]
        found[name] = next((one for one in spelled if one in net.params), "")
        missing = missing if found[name] else missing or f'has no "{spelled[0]}"'
    if missing:
        found = names_in_order(net)
        checks.holds(set(found) == set(names), what="params", problem=missing)
        asking.note(CheckFailure("params", missing, likely_cause=CALLED, slip=True))
    return found


CALLED = "the parameters of a layer are called W1, b1, gamma1 and beta1, and so on, or with 0 for the first"


def names_in_order(net: Any) -> dict[str, str]:
    """Return what a network calls its parameters, by order and kind: W1 is the first that is no vector."""
    kinds: dict[str, list[str]] = {"W": [], "b": [], "gamma": [], "beta": []}
    for own in net.params:
        value, lower = net.params[own], str(own).lower()
        weights = type(value) is torch.Tensor and value.dim() > 1
        kinds["gamma" if "gamma" in lower else "beta" if "beta" in lower else "W" if weights else "b"] += [
            own
        ]
    return {f"{kind}{n}": own for kind, every in kinds.items() for n, own in enumerate(every, start=1)}


def check_apart(net: Any, known: dict[str, torch.Tensor], images: torch.Tensor) -> None:
    """Check that each layer has a bn_param of its own, which is told apart by its eps.

    Networks that keep them elsewhere than in `bn_params` have the usual eps.
    """
    every = (0.5, 2.0)
    for bn_param, eps in zip(net.bn_params, every, strict=False):
        bn_param["eps"] = eps
    found = asking.ask_loss(net, images.clone())
    says = "the layers share one bn_param; each needs its own running statistics"
    hints = [Hint(normalized_scores(known, images, "test", (eps, eps)), says) for eps in every]
    usual, right = (normalized_scores(known, images, "test", eps) for eps in ((1e-5, 1e-5), every))
    right = usual if checks.agrees(found, usual, operation="deep gradient") else right
    what = "the scores with another eps in each bn_param"
    checks.close(found, right, what=what, hints=hints, operation="deep gradient")


ONLY_SCALE = "this is the standard deviation alone; multiply normal numbers of the right shape by it"


@pytest.mark.task("kaiming", weight=1)
@asking.one_slip()
def test_kaiming() -> None:
    """Kaiming initialization: the shapes for linear layers and for convolutions."""
    turned = [
        Hint(lambda w: w.dim() == 0, ONLY_SCALE),
        Hint(
            lambda w: w.dim() > 1 and w.shape[0] != w.shape[1],
            "Din and Dout are swapped: (Din, Dout), but (Dout, Din, K, K)",
        ),
    ]
    w = cn.kaiming_initializer(4, 5)
    checks.tensor(w, shape=(4, 5), dtype=torch.float32, what="the weights", hints=turned)
    w = cn.kaiming_initializer(4, 5, K=3)
    checks.tensor(
        w, shape=(5, 4, 3, 3), dtype=torch.float32, what="the weights of a convolution", hints=turned
    )
    again = checks.tensor(cn.kaiming_initializer(4, 5, K=3), shape=(5, 4, 3, 3), what="other weights")
    cause = "the random numbers are seeded in every call"
    what, same = "the weights of two calls", torch.equal(w, again)
    checks.holds(not same, what=what, problem="the same", likely_cause=cause, slip=True)
    require_any_device(cn.kaiming_initializer)


@pytest.mark.task("kaiming", weight=1)
@asking.one_slip()
def test_spread_of_kaiming() -> None:
    """Kaiming initialization: the variance in front of a ReLU, 2 / 400 and 2 / 1000."""
    for K, channels, right in ((None, 400, 2 / 400), (5, 40, 2 / 1000)):
        w = cn.kaiming_initializer(channels, 60, K)
        shape = (channels, 60) if K is None else (60, channels, K, K)
        shape = tuple(w.shape) if type(w) is torch.Tensor and w.dim() == len(shape) else shape
        w = checks.tensor(
            w, shape=shape, what="the weights", hints=[Hint(lambda w: w.dim() == 0, ONLY_SCALE)]
        )
        causes = {
            "the gain is 2 in front of a ReLU": right / 2,
            "that is the variance; the standard deviation is its square root": right**2,
            "fan_in is how many numbers go into one output, not how many come out": right * channels / 60,
            "fan_in is how many numbers go into one output: Din, or Din * K * K": 25 * right if K else right,
        }
        hints = [Hint(value / right, says) for says, value in causes.items()]
        found = float((w.double() ** 2).mean()) / right
        relative = 0.15  # 4.5 standard deviations of the variance of 24,000 numbers would be 4 %
        checks.close(
            found, 1.0, what="the variance, relative to what it should be", rtol=relative, hints=hints
        )


# Batch normalization

COLUMNS = torch.tensor([[1.0, 25.0], [3.0, 15.0], [1.0, 21.0], [3.0, 19.0]])
"""Four examples of two features, with means 2 and 20 and variances 1 and 13."""
EPS = 3.0
"""So large that a square root is easily taken: those of 1 + 3 and 13 + 3 are 2 and 4."""
NORMAL = torch.tensor([[-0.5, 1.25], [0.5, -1.25], [-0.5, 0.25], [0.5, -0.25]])
GAMMA, BETA = torch.tensor([2.0, 1.0]), torch.tensor([5.0, -1.0])
RESULT = torch.tensor([[4.0, 0.25], [6.0, -2.25], [4.0, -0.75], [6.0, -1.25]])
UNBIASED = "the variance was divided by N - 1; divide by N"


def normalize(**param: Any) -> tuple[Any, dict[str, Any]]:
    """Return the student's result and cache for the columns, and what became of bn_param."""
    bn_param = {"eps": EPS, **param}
    found = asking.ask(cn.BatchNorm.forward, COLUMNS.clone(), GAMMA.clone(), BETA.clone(), bn_param)
    return checks.parts(found, 2, what="the result and the cache of BatchNorm.forward"), bn_param


def norm_mistakes(mean: torch.Tensor, var: torch.Tensor) -> list[Hint]:
    """Return what typical mistakes make of the columns, with these statistics."""
    apart, root = COLUMNS - mean, (var + EPS).sqrt()
    return told(
        {
            "gamma and beta are swapped": BETA * apart / root + GAMMA,
            "eps was forgotten": GAMMA * apart / var.sqrt() + BETA,
            "eps was added to the standard deviation; add it to the variance": apart
            / (var.sqrt() + EPS)
            * GAMMA
            + BETA,
            "divided by the variance; divide by its square root": apart / root**2 * GAMMA + BETA,
            "gamma and beta were forgotten": apart / root,
            "beta was forgotten": apart / root * GAMMA,
        }
    )


@pytest.mark.task("batchnorm_forward", weight=1)
@asking.one_slip()
def test_batch_normalization_by_hand() -> None:
    """Batch normalization: two features of four examples."""
    (out, _), _ = normalize(mode="train")
    mean, var = torch.tensor([2.0, 20.0]), torch.tensor([1.0, 13.0])
    unbiased = [Hint((COLUMNS - mean) / (4 / 3 * var + EPS).sqrt() * GAMMA + BETA, UNBIASED)]
    checks.close(out, RESULT, what="the result", hints=norm_mistakes(mean, var) + unbiased)


@pytest.mark.task("batchnorm_forward", weight=1)
@asking.one_slip()
def test_running_statistics_by_hand() -> None:
    """Batch normalization: running statistics after a first batch."""
    _, bn_param = normalize(mode="train")
    averages = {"running_mean": torch.tensor([0.2, 2.0]), "running_var": torch.tensor([0.1, 1.3])}
    lacking = " and ".join(name for name in averages if name not in bn_param)
    checks.holds(lacking == "", what="bn_param", problem=f"has no {lacking} after the call")
    for name, right in averages.items():
        hints = told(
            {
                "the wrong way round: the momentum belongs to the old value": 9 * right,
                "this is that of the batch alone": 10 * right,
                UNBIASED: right * 4 / 3,
            }
        )
        checks.close(bn_param[name], right, what=name, hints=hints)


@pytest.mark.task("batchnorm_forward", weight=1)
@asking.one_slip()
def test_batch_normalization_in_mode_test() -> None:
    """Batch normalization: in mode "test", running statistics take the place of those of the batch."""
    mean, var = torch.tensor([1.0, 15.0]), torch.tensor([6.0, 22.0])
    (out, _), _ = normalize(mode="test", running_mean=mean.clone(), running_var=var.clone())
    right = torch.tensor([[5.0, 1.0], [19 / 3, -1.0], [5.0, 0.2], [19 / 3, -0.2]])
    hints = [Hint(RESULT, "the statistics of the batch were used"), *norm_mistakes(mean, var)]
    checks.close(out, right, what="the result", hints=hints)


def check_gradients(backward: Any) -> None:
    """Check the gradients of batch normalization on two features.

    Where the forward pass is wrong, dout is one that does not get to the variance: then dx is known from how
    steep the result is.
    """
    (out, cache), _ = normalize(mode="train")
    usable = type(out) is torch.Tensor and out.shape == RESULT.shape and bool(out.isfinite().all())
    hints: dict[str, list[Hint]] = {"dx": []}
    if not usable or checks.agrees(out.float(), RESULT):
        dout = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
        right = other = slopes(dout)
        dgamma = torch.tensor([-0.5, 0.5])
        neither, mean, var = (slopes(dout, keep) for keep in ("neither", "mean", "var"))
        hints["dx"] = told(
            {
                "x has an influence through mean and variance, too": neither,
                "the way through the variance was forgotten": mean,
                "the way through the mean was forgotten": var,
                "gamma was forgotten": right / GAMMA,
                "the mean was taken over all features; take that of each feature (dim=0)": (
                    var - dout.mean() * torch.tensor([1.0, 0.25])
                ),
            }
        )
        power, roots = "the gradient of the variance has a wrong power of var + eps", torch.tensor([2.0, 4.0])
        hints["dx"] += [Hint(mean + (right - mean) * root, power) for root in (roots, 1 / roots)]
        summed = "a sum over the batch is used instead of a mean"
        hints["dx"] += [
            Hint(one + 4 * (other - neither), summed) for one, other in ((mean, var), (var, mean))
        ]
    else:
        dout = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
        right = (out[1] - out[0]) / (COLUMNS[1] - COLUMNS[0]) * (dout - dout.mean(dim=0))
        dgamma = torch.zeros(2)
        other = slopes(dout)
    swapped, averaged = "dgamma and dbeta are swapped", "averaged; the gradients of all examples add up"
    dbeta = dout.sum(dim=0)
    hints["dgamma"] = told({swapped: dbeta, averaged: dgamma / 4})
    hints["dbeta"] = told({swapped: dgamma, averaged: dbeta / 4})
    with asking.one_slip():
        found = three(asking.ask(backward, dout.clone(), cache), "dx, dgamma, dbeta")
        right = other if checks.agrees(found[0], other, operation="gradient") else right
        for (name, of_name), one, value in zip(hints.items(), found, (right, dgamma, dbeta), strict=True):
            checks.close(one, value, what=f"the gradient {name}", operation="gradient", hints=of_name)


def slopes(dout: torch.Tensor, keep: str = "both") -> torch.Tensor:
    """Return the gradient with respect to the columns, through mean and variance, one of them, or neither."""
    leaf = COLUMNS.clone().requires_grad_()
    mean, var = leaf.mean(dim=0), leaf.var(dim=0, unbiased=False)
    mean = mean if keep in ("both", "mean") else mean.detach()
    var = var if keep in ("both", "var") else var.detach()
    out = GAMMA * (leaf - mean) * (var + EPS) ** -0.5
    return torch.autograd.grad(out, leaf, dout)[0]


@pytest.mark.task("batchnorm_backward", weight=4)
def test_gradients_of_batch_normalization_by_hand() -> None:
    """Gradients of batch normalization: two features of four examples."""
    check_gradients(cn.BatchNorm.backward)


@pytest.mark.task("batchnorm_backward_alt", weight=2)
def test_gradients_by_one_formula_by_hand() -> None:
    """Batch normalization by one formula: the same two features."""
    check_gradients(cn.BatchNorm.backward_alt)


PIXELS = numbers("pixels", 2, 3, 4, 5)
"""Two images of three channels."""
SCALE, SHIFT = numbers("scale", 3), numbers("shift", 3)
MIXED = "reshape mixes up the channels; move them to the last dimension first"
SIDES = "height and width are swapped"


class TorchNorm:
    """Stands for `BatchNorm`, and notes whether channels came in the last dimension."""

    def __init__(self, dout: torch.Tensor) -> None:
        self.mixed = False
        self.dout = dout

    def compute(self, x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
        """Normalize vectors or images."""
        if x.numel() > 1000:
            raise ValueError("too many numbers")
        return torch.nn.functional.batch_norm(x, None, None, gamma, beta, training=True)

    def forward(self, x: Any, gamma: Any, beta: Any, bn_param: Any) -> tuple[torch.Tensor, Any]:
        """Do what `BatchNorm.forward` does in mode "train"."""
        self.mixed |= x.dim() == 2 and checks.agrees(x, PIXELS.reshape(-1, 3))
        return self.compute(x, gamma, beta), (x, gamma, beta)

    def backward(self, dout: Any, cache: Any) -> tuple[torch.Tensor, ...]:
        """Do what both backward passes of `BatchNorm` do."""
        self.mixed |= dout.dim() == 2 and checks.agrees(dout, self.dout.reshape(-1, 3))
        leaves = [one.clone().requires_grad_() for one in cache]
        return torch.autograd.grad(self.compute(*leaves), leaves, dout)

    def check(self, found: object, right: torch.Tensor, what: str) -> None:
        """Compare a tensor of images with the right one."""
        rows, (N, C, H, W) = right.permute(0, 2, 3, 1), right.shape
        turned = rows.reshape(N, W, H, C).permute(0, 3, 2, 1)
        hints = [Hint(rows.reshape(right.shape), MIXED), Hint(lambda _: self.mixed, MIXED, slip=True)]
        hints += [Hint(turned, SIDES), Hint(turned.transpose(2, 3), SIDES)]
        checks.close(found, right, what=what, operation="gradient", hints=hints)


def normalize_pixels(norm: TorchNorm, back: bool) -> Any:
    """Return the student's result for the images, or gradients if it goes back."""
    stand_ins = {"forward": norm.forward, "backward": norm.backward, "backward_alt": norm.backward}
    with substituted(cn.BatchNorm, **stand_ins):
        given = PIXELS.clone(), SCALE.clone(), SHIFT.clone(), {"mode": "train"}
        made = asking.ask(cn.SpatialBatchNorm.forward, *given)
        out, cache = checks.parts(made, 2, what="the result and the cache of SpatialBatchNorm.forward")
        if not back:
            return out
        found = asking.ask(cn.SpatialBatchNorm.backward, norm.dout.clone(), cache)
        return three(found, "dx, dgamma, dbeta")


@pytest.mark.task("spatial_batchnorm", weight=2)
@asking.one_slip()
def test_spatial_batch_normalization() -> None:
    """Batch normalization of images: two images of three channels, with 4 x 5 pixels."""
    norm = TorchNorm(PIXELS)
    norm.check(normalize_pixels(norm, False), norm.compute(PIXELS, SCALE, SHIFT), "the result")


@pytest.mark.task("spatial_batchnorm", weight=1)
@asking.one_slip()
def test_gradient_of_spatial_batch_normalization() -> None:
    """Batch normalization of images: the gradient with respect to the same images."""
    norm = TorchNorm(numbers("upstream", *PIXELS.shape))
    dx = normalize_pixels(norm, True)[0]
    right = norm.backward(norm.dout, (PIXELS, SCALE, SHIFT))[0]
    norm.check(dx, right, "the gradient dx")


@pytest.mark.task("overfit", weight=1)
def test_overfit_settings() -> None:
    """Overfitting: two positive numbers."""
    found = checks.parts(cn.find_overfit_parameters(), 2, what="weight_scale and learning_rate")
    for name, value in zip(("weight_scale", "learning_rate"), found, strict=True):
        checks.number(value, at_least=1e-9, what=name)


@pytest.mark.task("solver", weight=1)
def test_solver_is_made() -> None:
    """Settings: a Solver for a DeepConvNet, with a learning rate."""
    made: list[dict[str, Any]] = []
    blank = constructor(cn.DeepConvNet, None, lambda: {}, count=20)

    def make(*args: object, **settings: object) -> object:
        model, params = cast(Any, blank()), {"number": torch.tensor([float(len(made))])}
        model.params, untrained = params, Untrained(params)
        model.loss = untrained.loss
        made.append(dict(zip(SETTINGS, args, strict=False)) | settings | {"loss": untrained})
        return model

    data = {"X_train": torch.zeros(4, 3, 32, 32), "y_train": torch.arange(4)}
    data |= {"X_val": torch.zeros(2, 3, 32, 32), "y_val": torch.arange(2)}
    with substituted(cn, DeepConvNet=make):
        found = cn.create_convolutional_solver_instance(data, torch.float64, "cpu:0")
    kind, several = type(found), (list, tuple)
    others = (torch.Tensor, dict, str, float, bool, int, type(None))
    alone = "return the Solver alone" if kind in several else None
    checks.holds(kind not in (*several, *others), what="the result", problem="no Solver", likely_cause=alone)
    model_is_known = len(made) > 0 and "number" in found.model.params
    checks.holds(model_is_known, what="solver.model", problem="no DeepConvNet that was made by its name")
    there = "learning_rate" in found.optim_config
    checks.holds(there, what="solver.optim_config", problem="without a learning_rate")
    number = checks.tensor(found.model.params["number"], shape=(1,), what="the number of the network")
    net = made[round(float(number)) % len(made)]
    dtype, devices = net.get("dtype"), (net.get("device"), found.device)
    given = type(dtype) is torch.dtype and dtype == torch.float64
    given = given and all(type(one) in (str, torch.device) and str(one) == "cpu:0" for one in devices)
    cause = "pass the given dtype and device on to DeepConvNet, and the device to Solver"
    what, problem = "dtype and device of solver and network", "not those that were given"
    checks.holds(given, what=what, problem=problem, likely_cause=cause, slip=True)
    require_any_device(cn.create_convolutional_solver_instance)
    what, untrained = "create_convolutional_solver_instance", all(one["loss"].steps == 0 for one in made)
    why = "it only makes the Solver; whoever called it will train"
    checks.holds(untrained, what=what, problem="the network was trained", likely_cause=why, slip=True)


SETTINGS = (
    *("input_dims", "num_filters", "max_pools", "batchnorm", "num_classes", "weight_scale", "reg"),
    *("weight_initializer", "dtype", "device"),
)
"""The parameters of DeepConvNet, in order."""


# What is not allowed


def check_kept(**arguments: tuple[object, object]) -> None:
    """Check that arguments are as they were: each as it was before, and as it is now."""
    for name, (before, after) in arguments.items():
        checks.unchanged(before, after, what=f"the argument {name}")


@pytest.mark.constraint
@pytest.mark.task("conv_forward", weight=2)
def test_arguments_of_the_convolution_are_kept() -> None:
    """Convolution: neither images nor filters nor settings are modified."""
    (x, w, b), param = (one.clone() for one in SQUARE), dict(STRIDED)
    small = SQUARE[1][:, :, :3, :3].clone()  # with which nothing is beyond the edge
    asking.ask_again(
        lambda: first(asking.ask(cn.Conv.forward, x, w, b, param), "Conv.forward"),
        lambda: first(asking.ask(cn.Conv.forward, x, small, b, param), "Conv.forward"),
        lambda: first(asking.ask(cn.Conv.forward, x, w, b, dict(PLAIN)), "Conv.forward"),
    )
    check_kept(x=(SQUARE[0], x), w=(SQUARE[1], w), b=(SQUARE[2], b), conv_param=(STRIDED, param))


@pytest.mark.constraint
@pytest.mark.task("conv_backward", weight=2)
def test_arguments_of_gradients_of_the_convolution_are_kept() -> None:
    """Gradients of a convolution: neither the upstream gradient nor the cache is modified."""
    x, w, b = (one.clone() for one in SQUARE)

    def call(param: dict[str, int], dout: torch.Tensor) -> None:
        found = asking.ask_backward(
            lambda cache: asking.ask(cn.Conv.backward, dout, cache),
            (x, w, b, dict(param)),
            lambda: asking.ask(cn.Conv.forward, x, w, b, dict(param)),
            what="Conv.backward",
            says=UNLIKE,
        )
        three(found, "dx, dw, db")

    every = {"dout": (STRIDED, (2, 1)), "dout with stride 1": (PLAIN, (1, 0))}
    douts = {name: numbers("square dout", *conv2d(*SQUARE, *how).shape) for name, (_, how) in every.items()}
    given = {name: dout.clone() for name, dout in douts.items()}
    asking.ask_again(*(partial(call, param, given[name]) for name, (param, _) in every.items()))
    check_kept(x=(SQUARE[0], x), w=(SQUARE[1], w), **{name: (douts[name], given[name]) for name in every})


@pytest.mark.constraint
@pytest.mark.task("max_pool_forward", weight=1)
def test_arguments_of_max_pooling_are_kept() -> None:
    """Max pooling: the images are not modified."""
    x = WINDOWS.clone()
    first(asking.ask(cn.MaxPool.forward, x, dict(TWO)), "MaxPool.forward")
    check_kept(x=(WINDOWS, x))


@pytest.mark.constraint
@pytest.mark.task("max_pool_backward", weight=1)
def test_arguments_of_the_gradient_of_max_pooling_are_kept() -> None:
    """Gradient of max pooling: neither the upstream gradient nor the images are modified."""
    dout = numbers("windows", *pool(WINDOWS, TWO).shape).float()
    given, x = dout.clone(), WINDOWS.clone()
    pool_backward(given, x, TWO)
    check_kept(dout=(dout, given), x=(WINDOWS, x))


@pytest.mark.constraint
@pytest.mark.task("batchnorm_forward", weight=1)
def test_arguments_of_batch_normalization_are_kept() -> None:
    """Batch normalization: neither examples, gamma and beta nor the old running statistics are modified."""
    x, gamma, beta, mean, var = (one.clone() for one in (COLUMNS, GAMMA, BETA, BETA, GAMMA))
    bn_param = {"mode": "train", "eps": EPS, "running_mean": mean, "running_var": var}
    found = asking.ask(cn.BatchNorm.forward, x, gamma, beta, bn_param)
    checks.parts(found, 2, what="the result and the cache of BatchNorm.forward")
    check_kept(x=(COLUMNS, x), gamma=(GAMMA, gamma), beta=(BETA, beta))
    check_kept(running_mean=(BETA, mean), running_var=(GAMMA, var))


PADDING = ("torch.nn.functional.pad",)
"""What is allowed although it lies in torch.nn."""
NO_LAYERS = ("torch.nn", "torch.autograd", "torch.func", "helpers", "scipy", ".cuda", ".requires_grad_")
"""What holds layers, works out gradients, or is not for every device."""
NO_CONVOLUTIONS = (
    *("torch.conv1d", "torch.conv2d", "torch.conv3d", "torch.convolution", "torch.mkldnn_convolution"),
    *("torch.conv_transpose1d", "torch.conv_transpose2d", "torch.conv_transpose3d", "torch.avg_pool1d"),
)
NO_POOLING = (
    *("torch.max_pool1d", "torch.max_pool2d", "torch.max_pool2d_with_indices", "torch.max_pool3d"),
    *("torch.adaptive_max_pool1d", "torch.mkldnn_max_pool2d", "torch.quantized_max_pool2d"),
)
NO_NORMALIZATION = (
    *("torch.batch_norm", "torch.native_batch_norm", "torch.batch_norm_stats", "torch.layer_norm"),
    *("torch.native_layer_norm", "torch.instance_norm", "torch.group_norm"),
)
NO_NETWORKS = ("torch.nn", "torch.optim", "torch.autograd", "torch.func", ".cuda", ".requires_grad_")


@pytest.mark.constraint
@pytest.mark.task("conv_forward", weight=2)
def test_source_of_the_convolution() -> None:
    """Convolution: of torch.nn only the padding is used."""
    require(cn.Conv.forward, banned=(*NO_LAYERS, *NO_CONVOLUTIONS, *NO_POOLING), allowed=PADDING)


@pytest.mark.constraint
@pytest.mark.task("conv_backward", weight=2)
def test_source_of_gradients_of_the_convolution() -> None:
    """Gradients of a convolution: of torch.nn only the padding is used, and no automatic differentiation."""
    require(cn.Conv.backward, banned=(*NO_LAYERS, *NO_CONVOLUTIONS, *NO_POOLING), allowed=PADDING)


@pytest.mark.constraint
@pytest.mark.task("max_pool_forward", weight=1)
def test_source_of_max_pooling() -> None:
    """Max pooling: nothing of torch.nn but the padding is used."""
    require(cn.MaxPool.forward, banned=(*NO_LAYERS, *NO_POOLING), allowed=PADDING)


@pytest.mark.constraint
@pytest.mark.task("max_pool_backward", weight=1)
def test_source_of_the_gradient_of_max_pooling() -> None:
    """Gradient of max pooling: no automatic differentiation."""
    require(cn.MaxPool.backward, banned=(*NO_LAYERS, *NO_POOLING), allowed=PADDING)


def check_source_of_network(loss: Any) -> None:
    """Check that a loss uses no ready-made network and no automatic differentiation.

    What the student's layers use already is judged by their own tasks, and not held against the network. In
    other courses the fast layers stand in the students' file.
    """
    layers = [
        *(cn.Conv.forward, cn.Conv.backward, cn.MaxPool.forward, cn.MaxPool.backward),
        *(cn.BatchNorm.forward, cn.BatchNorm.backward, cn.BatchNorm.backward_alt),
        *(cn.SpatialBatchNorm.forward, cn.SpatialBatchNorm.backward),
    ]
    kept = [name for name in NO_NETWORKS if all(obeys(one, banned=[name], allowed=PADDING) for one in layers)]
    require(loss, banned=kept, allowed=PADDING, given=("FastConv", "FastMaxPool"))


@pytest.mark.constraint
@pytest.mark.task("three_layer_net", weight=2)
def test_source_of_three_layers() -> None:
    """Network of three layers: built of the layers of this assignment."""
    check_source_of_network(cn.ThreeLayerConvNet.loss)


@pytest.mark.constraint
@pytest.mark.task("deep_net", weight=2)
def test_source_of_the_deep_network() -> None:
    """Deep network: built of the layers of this assignment."""
    check_source_of_network(cn.DeepConvNet.loss)


@pytest.mark.constraint
@pytest.mark.task("batchnorm_forward", weight=2)
def test_source_of_batch_normalization() -> None:
    """Batch normalization: no loop, and no ready-made normalization."""
    require(cn.BatchNorm.forward, loops=0, banned=(*NO_LAYERS, *NO_NORMALIZATION))


@pytest.mark.constraint
@pytest.mark.task("batchnorm_backward", weight=2)
def test_source_of_gradients_of_batch_normalization() -> None:
    """Gradients of batch normalization: no loop, and no automatic differentiation."""
    require(cn.BatchNorm.backward, loops=0, banned=(*NO_LAYERS, *NO_NORMALIZATION))


@pytest.mark.constraint
@pytest.mark.task("batchnorm_backward_alt", weight=2)
def test_source_of_gradients_by_one_formula() -> None:
    """Batch normalization by one formula: no loop, and no automatic differentiation."""
    require(cn.BatchNorm.backward_alt, loops=0, banned=(*NO_LAYERS, *NO_NORMALIZATION))


@pytest.mark.constraint
@pytest.mark.task("spatial_batchnorm", weight=2)
def test_source_of_spatial_batch_normalization() -> None:
    """Batch normalization of images: no ready-made normalization, and no automatic differentiation."""
    inner = cn.BatchNorm.forward, cn.BatchNorm.backward, cn.BatchNorm.backward_alt
    off_limits = (*NO_LAYERS, *NO_NORMALIZATION)
    # What BatchNorm uses already is not held against this task.
    banned = [name for name in off_limits if all(obeys(one, banned=[name]) for one in inner)]
    for function in (cn.SpatialBatchNorm.forward, cn.SpatialBatchNorm.backward):
        require(function, banned=banned)
