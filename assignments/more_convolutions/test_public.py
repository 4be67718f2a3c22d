"""Public checks of the relatives of convolution: numbers that can be worked out by hand, and PyTorch's."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from functools import partial
from itertools import product
from typing import Any

import more_convolutions as more
import pytest
import torch
from torch.nn import functional

from helpers.testing import Hint, asking, checks, public_generator, require, substituted

Told = Iterator[tuple[str, torch.Tensor]]
"""What is wrong, and what comes of it."""


def numbers(name: str, *shape: int) -> torch.Tensor:
    """Return random numbers, the same every time."""
    return torch.randn(shape, generator=public_generator("relatives", name), dtype=torch.float64)


# What stands for the functions that another one may call: each takes the calls that the task describes.


def unfold(x: torch.Tensor, height: int, width: int, stride: int = 1, pad: int = 0) -> torch.Tensor:
    """Lay windows out as columns."""
    return functional.unfold(x, (height, width), 1, pad, stride)


def mean(x: torch.Tensor, height: int, width: int, stride: int) -> torch.Tensor:
    """Pool by the mean."""
    return functional.avg_pool2d(x, (height, width), stride)


def spread(x: Any, w: Any, b: Any, stride: int = 1, pad: int = 0, dilation: int = 1) -> torch.Tensor:
    """Convolve by filters with gaps."""
    return functional.conv2d(x, w, b, stride, pad, dilation)


def divide(x: Any, w: Any, b: Any, stride: int = 1, pad: int = 0, groups: int = 1) -> torch.Tensor:
    """Convolve in groups."""
    return functional.conv2d(x, w, b, stride, pad, 1, groups)


def enlarge(x: Any, w: Any, b: Any, stride: int = 1, pad: int = 0) -> torch.Tensor:
    """Stamp filters."""
    return functional.conv_transpose2d(x, w, b, stride, pad)


def along_time(x: Any, w: Any, b: Any, stride: int = 1, pad: int = 0) -> torch.Tensor:
    """Convolve sequences."""
    return functional.conv1d(x, w, b, stride, pad)


def in_space(x: Any, w: Any, b: Any, stride: int = 1, pad: int = 0) -> torch.Tensor:
    """Convolve volumes."""
    return functional.conv3d(x, w, b, stride, pad)


Known = Callable[..., torch.Tensor]
KNOWN: dict[str, Known] = {
    "im2col": unfold,
    "average_pool": mean,
    "dilated_conv": spread,
    "grouped_conv": divide,
    "transposed_conv": enlarge,
    "conv1d": along_time,
    "conv3d": in_space,
}


Given = tuple[torch.Tensor, ...]
Settings = dict[str, int]
PADDED = "there are 1 + ({} + 2 * pad - {}) // stride {}"
COUNTED = {
    unfold: PADDED.format("H", "height", "windows along the height"),
    mean: "there are 1 + (H - height) // stride windows along the height",
    spread: PADDED.format("H", "dilation * (HH - 1) - 1", "places along the height"),
    divide: PADDED.format("H", "HH", "places along the height"),
    enlarge: "stamps `stride` apart need (H - 1) * stride + HH rows, before any is cut off",
    along_time: PADDED.format("T", "K", "places along time"),
    in_space: PADDED.format("D", "DD", "places along the depth"),
}
"""What is forgotten by who counts places wrongly."""
FITTING = {
    spread: (((9, 10), (2, 1)), ((9, 11), (3, 2))),
    enlarge: (((3, 4), (3, 3)), ((3, 4), (3, 3))),
    along_time: (((9,), (3,)), ((9,), (3,))),
    in_space: (((9, 12, 9), (3, 2, 1)), ((9, 12, 15), (3, 4, 5))),
}
"""Sizes of images and filters where the usual ways to count places are right, without a pad and with 1."""
NEIGHBORS = "filter f belongs to group f // (F / groups); neighbors stay together"
ADD_UP = "stamps add up, over all channels and wherever they overlap; none takes the place of another"
FIRST = "only the first image was computed"
BIASES = "all is right but for the biases; each filter has its own, which is added once"
ORDER = "w has the shape (C, F, HH, WW): the channels of x come first, then those of the result"
EMPTY = "with pad 0, pad:-pad is empty; write pad : pad + H"


def in_turn(known: Known, run: Callable[[], object]) -> None:
    """Check one function beside the student's others; if that fails, beside right ones in their place."""
    failures: list[Exception] = []
    others = {name: right for name, right in KNOWN.items() if right is not known}
    for beside in (nullcontext(), substituted(more, **others)):
        try:
            with beside:
                run()
                return
        except Exception as error:
            failures.append(error)
    own, last = failures
    raise own if getattr(own, "slip", False) else last


def compare(
    function: Any,
    known: Known,
    tensors: Given,
    how: Settings,
    right: torch.Tensor,
    mistakes: Callable[[], Told],
) -> None:
    """Compare what one function of the student's gives with what is right."""

    @asking.one_slip()
    def run() -> None:
        found = asking.ask(function, *(one.clone() for one in tensors), **how)
        if is_larger(found, right) and checks.agrees(found[tuple(map(slice, right.shape))], right):
            causes = [*(says for says, value in mistakes() if checks.agrees(found, value)), COUNTED[known]]
            what, problem = "the result", "has too many places"
            checks.holds(False, what=what, problem=problem, likely_cause=causes[0], slip=True)
        hints = [Hint(value, says) for says, value in mistakes()]
        hints += [Hint(right * (torch.arange(len(right)) < 1)[(...,) + (None,) * (right.dim() - 1)], FIRST)]
        if len(tensors) > 1:
            hints += [Hint(partial(is_right_but_for_biases, right), BIASES, slip=True)]
        checks.close(found, right, what="the result", hints=hints)

    in_turn(known, run)


def is_right_but_for_biases(right: torch.Tensor, found: torch.Tensor) -> bool:
    """Tell whether there is one number for each filter that makes a result right."""
    extra = (found - right).transpose(0, 1).flatten(1)
    return bool((extra - extra[:, :1]).abs().max() <= 1e-4 * extra.abs().max())


def is_larger(found: object, right: torch.Tensor) -> bool:
    """Tell whether there are more places than in the right result."""
    if type(found) is not torch.Tensor or found.dim() != right.dim() or found.shape == right.shape:
        return False
    pairs = zip(found.shape, right.shape, strict=True)
    return found.shape[:2] == right.shape[:2] and all(size >= least for size, least in pairs)


def check_relative(
    function: Any,
    known: Known,
    tensors: Given,
    how: Settings,
    mistakes: Callable[[], Told],
    right: torch.Tensor | None = None,
) -> None:
    """Check what one function gives; if it ends in an exception, look for known slips.

    `known` is the right function, and `right` what it should give, where that is worked out by hand.
    """
    wanted = known(*tensors, **how) if right is None else right
    again = [
        asking.Slip(
            COUNTED[known], lambda: compare(function, known, *fitting(known, how), no_mistakes), sign=""
        )
    ]
    if known is enlarge:
        x, w, b = tensors
        turned = x, w.transpose(0, 1), b
        other = asking.Slip(ORDER, lambda: compare(function, known, turned, how, wanted, mistakes))
        again.insert(0, other)
    elif how.get("pad") == 0:
        one = how | {"pad": 1}
        padded = known(*tensors, **one)
        other = asking.Slip(
            EMPTY,
            lambda: compare(function, known, tensors, one, padded, mistakes),
            sign="size of the tensor (0)",
        )
        again.insert(0, other)
    if known is divide:
        square = (tensors[0], *filters_of_squares(tensors[1], how["groups"]))
        of_square = known(*square, **how)
        other = asking.Slip(
            NEIGHBORS, lambda: compare(function, known, square, how, of_square, no_mistakes), sign=""
        )
        again.insert(0, other)
    what = next(name for name, right_one in KNOWN.items() if right_one is known)
    asking.check_but_for(lambda: compare(function, known, tensors, how, wanted, mistakes), *again, what=what)


def filters_of_squares(w: torch.Tensor, groups: int) -> Given:
    """Return as many filters for each group as there are groups, and their biases."""
    return numbers("square", groups**2, *w.shape[1:]).to(w.dtype), numbers("nine", groups**2).to(w.dtype)


def no_mistakes() -> Told:
    """Yield nothing."""
    yield from ()


def fitting(known: Known, how: Settings, *, square: bool = False) -> tuple[Given, Settings, torch.Tensor]:
    """Return images, settings and the result where the usual ways to count places are right."""
    like_others = ((9, 12), (3, 2)), ((9, 12), (3, 4))
    sizes, sides = FITTING.get(known, like_others)[how.get("pad", 0) > 0]
    if square:
        sizes, sides = sizes[:1] * len(sizes), sides[:1] * len(sides)
    groups, (each, filters) = how.get("groups", 1), (3, 3) if known is enlarge else (4, 5)
    x = numbers("fitting x", 2, each * groups, *sizes)
    w = numbers("fitting w", filters * groups, each, *sides)
    fit = {"height": 3, "width": sides[-1], "stride": 3, "dilation": 2, "groups": groups, "pad": 1}
    fit = {key: min(value, fit[key]) if key == "pad" else fit[key] for key, value in how.items()}
    tensors = (x,) if "height" in how else (x, w, numbers("fitting b", len(w)))
    return tensors, fit, known(*tensors, **fit)


def check_kept(function: Any, known: Known) -> None:
    """Check that a function modifies none of its arguments."""
    how = {unfold: SIZE | {"pad": 1}, mean: SIZE}.get(known, {"stride": 3, "pad": 1})
    more_of = {spread: {"dilation": 2}, divide: {"groups": 2}}
    before, fit, _ = fitting(known, how | more_of.get(known, {}), square=True)
    if known is divide:
        before = before[0], *filters_of_squares(before[1], 2)
    after = [one.clone() for one in before]
    in_turn(known, lambda: checks.tensor(asking.ask(function, *after, **fit), what="the result"))
    for argument, was, now in zip("xwb", before, after, strict=False):
        checks.unchanged(was, now, what=f"the argument {argument}")


NO_LAYERS = ("torch.nn", "torch.autograd", "torch.func", "helpers", "scipy", ".cuda", ".requires_grad_")
"""What holds layers, works out gradients, or is not for every device."""
NO_CONVOLUTIONS = (
    *("torch.conv1d", "torch.conv2d", "torch.conv3d", "torch.convolution", "torch.mkldnn_convolution"),
    *("torch.conv_transpose1d", "torch.conv_transpose2d", "torch.conv_transpose3d", "torch.conv_tbc"),
    *("torch.avg_pool1d", "torch.adaptive_avg_pool1d"),
)
PADDING = ("torch.nn.functional.pad",)
"""What is allowed although it lies in torch.nn."""


def check_source(**functions: Any) -> None:
    """Check that functions use of torch.nn only the padding; other tasks judge what they call of those."""
    others = [name for name in KNOWN if name not in functions]
    for function in functions.values():
        banned = (*NO_LAYERS, *NO_CONVOLUTIONS)
        require(function, banned=banned, allowed=PADDING, given=others)


SIZE = {"height": 3, "width": 2, "stride": 2}
STRIDED = {"stride": 2, "pad": 1}
PLAIN = {"stride": 1, "pad": 0}
IMAGE = torch.tensor([[[[1.0, 2.0, 0.0, 1.0], [0.0, 1.0, 3.0, 1.0], [2.0, 0.0, 1.0, 0.0]]]])
FILTER = torch.tensor([[[[1.0, 0.0], [2.0, -1.0]]]])
BIAS = torch.tensor([10.0])
WINDOWS = torch.tensor(
    [[[[1.0, 1.0, 2.0, 4.0], [5.0, 6.0, 7.0, 8.0], [3.0, 2.0, 1.0, 0.0], [1.0, 2.0, 3.0, 4.0]]]]
)
COLUMN = torch.tensor([[[[0.0], [1.0], [2.0], [3.0]]]])
WIDE = "there are as many places along the width as along the height; count them apart"
SOME_AXES = "not all axes were padded; pad takes two numbers for each axis, the last axis first"
NO_BIAS, NO_PAD, NO_STRIDE = (f"the {part} was forgotten" for part in ("bias", "padding", "stride"))


def places(size: int, side: int, how: Settings, pad: int | None = None) -> int:
    """Return how many places there are along an axis, or would be with another pad."""
    room = size + 2 * (how.get("pad", 0) if pad is None else pad) - side
    return max(0, 1 + room // how["stride"])


def fewer(
    known: Known, right: torch.Tensor, sizes: Iterable[int], sides: Iterable[int], how: Settings
) -> Told:
    """Yield results in which places are missing: the last ones, those of the padding, or along the width."""
    unpadded = [places(size, side, how, 0) for size, side in zip(sizes, sides, strict=True)]
    by_pixels = [len(range(0, size, how["stride"])) for size in sizes]
    for left in ([count - 1 for count in right.shape[2:]], unpadded, by_pixels):
        yield COUNTED[known], right[(..., *map(slice, left))]
    if right.dim() == 3:
        return
    *_, height, width = right.shape
    yield WIDE, right[..., : min(height, width)]


def close_places(every: torch.Tensor, right: torch.Tensor) -> Told:
    """Yield the places that are there without a stride, and as many of them as there should be."""
    for value in (every, every[tuple(slice(size) for size in right.shape)]):
        yield NO_STRIDE, value


# Windows as columns


def column_mistakes(x: torch.Tensor, how: Settings) -> Told:
    """Yield what typical mistakes make of windows as columns."""
    right, (height, width, stride, pad) = unfold(x, **how), how.values()
    shape = [places(size, side, how) for size, side in zip(x.shape[2:], (height, width), strict=True)]
    whole = right.reshape(len(x), x.shape[1], height, width, *shape)
    yield "rows and columns of the result are swapped", right.mT
    yield "within a column, the channel comes first", whole.movedim(1, 3).reshape(right.shape)
    yield "within a column, numbers go row by row", whole.transpose(2, 3).reshape(right.shape)
    yield "windows go from left to right, then down", whole.transpose(4, 5).reshape(right.shape)
    joined = whole.permute(0, 1, 4, 5, 2, 3).reshape(right.shape)
    yield "move axes before they are joined: each column holds one window", joined
    for flat in (right.permute(1, 2, 0), right.transpose(0, 1)):
        yield "keep the images apart: the result has three axes, and images are the first", flat.flatten(1)
    yield NO_PAD, unfold(x, height, width, stride)
    every = unfold(x, height, width, 1, pad)
    yield NO_STRIDE, every
    dense = [
        places(size, side, how | {"stride": 1})
        for size, side in zip(x.shape[2:], (height, width), strict=True)
    ]
    yield NO_STRIDE, every.reshape(len(x), -1, *dense)[..., : shape[0], : shape[1]].flatten(2)
    yield SOME_AXES, unfold(functional.pad(x, (pad, pad)), height, width, stride)
    yield "height and width of the window are swapped", unfold(x, width, height, stride, pad)
    of_image = whole.flatten(1, 3)
    for says, value in fewer(unfold, of_image, x.shape[2:], (height, width), how):
        yield says, value.flatten(2)


@pytest.mark.task("im2col", weight=1)
def test_columns_by_hand() -> None:
    """Columns: the windows of 2 x 2 of an image of 3 x 4, with stride 2."""
    how = {"height": 2, "width": 2, "stride": 2, "pad": 0}
    right = torch.tensor([[[1.0, 0.0], [2.0, 1.0], [0.0, 3.0], [1.0, 1.0]]])
    check_relative(more.im2col, unfold, (IMAGE,), how, partial(column_mistakes, IMAGE, how), right)


@pytest.mark.task("im2col", weight=1)
def test_columns_of_a_batch() -> None:
    """Columns: two images of 7 x 8 x 13, windows of 5 x 3, stride 2, pad 1 and a remainder."""
    x, how = numbers("x", 2, 7, 8, 13), {"height": 5, "width": 3, **STRIDED}
    check_relative(more.im2col, unfold, (x,), how, partial(column_mistakes, x, how))


# Average pooling


def mean_mistakes(x: torch.Tensor, how: Settings) -> Told:
    """Yield what typical mistakes make of average pooling."""
    right, (height, width, stride) = mean(x, **how), how.values()
    for divisor in (1, stride**2, height**2, width**2):
        yield "the sum of a window is divided by height * width", right * height * width / divisor
    yield "the largest value was taken", functional.max_pool2d(x, (height, width), stride)
    yield "height and width of the window are swapped", mean(x, width, height, stride)
    yield from close_places(mean(x, height, width, 1), right)
    yield (
        "windows are `stride` apart; they need not lie side by side",
        functional.avg_pool2d(x, (height, width)),
    )
    over = right.mean(0), right.mean(1)
    for value in (*over, over[0][None].expand_as(right), over[1][:, None].expand_as(right)):
        yield "the mean is that of one window, not of all channels or images", value
    starts = [range(0, size, stride) for size in x.shape[2:]]
    cut = [x[:, :, i : i + height, j : j + width] for i, j in product(*starts)]
    sums, means = (torch.stack(of, 2) for of in ([c.sum((2, 3)) for c in cut], [c.mean((2, 3)) for c in cut]))
    for value in (means, sums / (height * width)):
        yield COUNTED[mean], value.unflatten(2, tuple(map(len, starts)))
    yield from fewer(mean, right, x.shape[2:], (height, width), how)


@pytest.mark.task("average_pool", weight=1)
def test_average_pooling_by_hand() -> None:
    """Average pooling: 4 x 4 numbers in windows of 2 x 2."""
    how = {"height": 2, "width": 2, "stride": 2}
    right = torch.tensor([[[[3.25, 5.25], [2.0, 2.0]]]])
    check_relative(more.average_pool, mean, (WINDOWS,), how, partial(mean_mistakes, WINDOWS, how), right)


@pytest.mark.task("average_pool", weight=1)
def test_average_pooling_of_a_batch() -> None:
    """Average pooling: two images of 3 x 9 x 13, windows of 6 x 4 that overlap, and a remainder."""
    x, how = numbers("maps", 2, 3, 9, 13), {"height": 6, "width": 4, "stride": 2}
    check_relative(more.average_pool, mean, (x,), how, partial(mean_mistakes, x, how))


# Convolutions


def convolution_mistakes(conv: Known, x: Any, w: Any, b: Any, how: Settings) -> Told:
    """Yield what typical mistakes make of a convolution, in any number of dimensions."""
    right, pad = conv(x, w, b, **how), how["pad"]
    axes, dilation, groups = range(2, w.dim()), how.get("dilation", 1), how.get("groups", 1)
    bias = b.reshape(-1, *(1 for _ in axes))
    yield "the filters were flipped; lay them on as they are", conv(x, w.flip(tuple(axes)), b, **how)
    yield NO_BIAS, conv(x, w, 0 * b, **how)
    yield "the bias was added once for each channel", right + bias * (w.shape[1] - 1)
    yield NO_PAD, conv(x, w, b, **how | {"pad": 0})
    yield from close_places(conv(x, w, b, **how | {"stride": 1}), right)
    channel = x[:, w.shape[1] - 1 :: w.shape[1]] if groups > 1 else x[:, -1:]
    yield "only the last channel counts; add up over all", conv(channel, w[:, -1:], b, **how)
    for count in axes[:-1]:
        around = functional.pad(x, (pad,) * 2 * (count - 1))
        yield SOME_AXES, conv(around, w, b, **how | {"pad": 0})
    border = functional.pad(x, (pad,) * 2 * len(axes), "replicate")
    yield "padded by copies of the border; pad by zeros", conv(border, w, b, **how | {"pad": 0})
    for turned in (right.movedim(1, -1), right.transpose(0, 1)):
        yield "images are the first axis of the result, and filters the second", turned
    sides = [dilation * (side - 1) + 1 for side in w.shape[2:]]
    yield from fewer(conv, right, x.shape[2:], sides, how)


def gap_mistakes(x: Any, w: Any, b: Any, how: Settings) -> Told:
    """Yield what typical mistakes make of filters with gaps."""
    right, (stride, pad, dilation) = spread(x, w, b, **how), how.values()
    dense, (rows, columns) = spread(x, w, b, stride, pad), right.shape[2:]
    for neighbors in (dense, dense[..., :rows, :columns]):
        yield "the entries of a filter lie side by side; they are `dilation` pixels apart", neighbors
    if all(
        (dilation + 1) * (side - 1) < size + 2 * pad
        for size, side in zip(x.shape[2:], w.shape[2:], strict=True)
    ):
        wider = spread(x, w, b, stride, pad, dilation + 1)
        yield "with dilation 1 there is no gap; entries are `dilation` pixels apart", wider
    for gaps in ([1, dilation], [dilation, 1]):
        yield "there are gaps along one axis only", functional.conv2d(x, w, b, stride, pad, gaps)
    yield (
        "pad zeros surround an image, whatever the dilation",
        spread(x, w, b, stride, dilation * pad, dilation),
    )
    farther = spread(x, w, b, dilation * stride, pad, dilation)
    yield "places are `stride` apart, whatever the dilation", farther
    yield from convolution_mistakes(spread, x, w, b, how)


@pytest.mark.task("dilated_conv", weight=2)
def test_dilated_convolution_by_hand() -> None:
    """Dilated convolution: a filter of 2 x 2 that sees 3 x 3 of 4 x 5 numbers."""
    given, how = (torch.cat([WINDOWS, COLUMN], dim=3), FILTER, BIAS), PLAIN | {"dilation": 2}
    right = torch.tensor([[[[16.0, 15.0, 12.0], [14.0, 16.0, 20.0]]]])
    check_relative(more.dilated_conv, spread, given, how, partial(gap_mistakes, *given, how), right)


@pytest.mark.task("dilated_conv", weight=2)
def test_dilated_convolution_of_a_batch() -> None:
    """Dilated convolution: two images of 7 x 8 x 14, four filters of 7 x 3 x 5, dilation 2."""
    given = numbers("x", 2, 7, 8, 14), numbers("w", 4, 7, 3, 5), numbers("b", 4)
    how = STRIDED | {"dilation": 2}
    check_relative(more.dilated_conv, spread, given, how, partial(gap_mistakes, *given, how))


def group_mistakes(x: Any, w: Any, b: Any, how: Settings) -> Told:
    """Yield what typical mistakes make of groups."""
    right, groups, bias = divide(x, w, b, **how), how["groups"], b[:, None, None]
    each, channels = len(w) // groups, x.reshape(len(x), groups, -1, *x.shape[2:])

    def seen(groups_of_channels: torch.Tensor) -> torch.Tensor:
        return divide(groups_of_channels.reshape(x.shape), w, b, **how)

    order = torch.arange(len(w)).reshape(groups, -1).T.flatten()
    another = "the filters are in another order: those of the first group come first"
    yield another, (right - bias)[:, order] + bias
    for others in (channels.flip(1), channels.roll(1, 1), channels.roll(-1, 1)):
        yield "the filters of a group saw the channels of another", seen(others)
    yield "all filters saw the channels of the first group", seen(channels[:, [0] * groups])
    strided = x.reshape(len(x), -1, groups, *x.shape[2:]).transpose(1, 2)
    yield "channel c belongs to group c // (C / groups); neighbors stay together", seen(strided)
    every = range(len(w))
    for mixed_up in ([f % groups for f in every], [f // groups for f in every]):
        if 0 < max(mixed_up) < groups:
            found = [seen(channels[:, [g] * groups])[:, f] for f, g in enumerate(mixed_up)]
            yield NEIGHBORS, torch.stack(found, 1)
    yield "all groups got the filters of the first", divide(x, torch.cat([w[:each]] * groups), b, **how)
    biases = torch.cat([b[:each]] * groups)[:, None, None]
    yield "all groups got the biases of the first; each filter has its own", right - bias + biases
    for one in (right[:, :each], right[:, -each:]):
        yield "there are results of one group only; join those of all", one
    for extra in (sum(b.split(each)) - b[:each], 0 * b[:each]):
        added = sum((right - bias).split(each, 1)) + (b[:each] + extra)[:, None, None]
        yield "the results of groups were added up; join them", added
    yield from convolution_mistakes(divide, x, w, b, how)


@pytest.mark.task("grouped_conv", weight=2)
def test_grouped_convolution_by_hand() -> None:
    """Grouped convolution: an image of two channels, and two filters of one weight for each of them."""
    x = torch.cat([IMAGE, 2 * IMAGE], dim=1)
    w, b = torch.tensor([2.0, 3.0, 5.0, -1.0]).reshape(4, 1, 1, 1), torch.tensor([0.0, 10.0, 20.0, 30.0])
    right = torch.cat([2 * IMAGE, 3 * IMAGE + 10, 10 * IMAGE + 20, -2 * IMAGE + 30], dim=1)
    how = PLAIN | {"groups": 2}
    check_relative(more.grouped_conv, divide, (x, w, b), how, partial(group_mistakes, x, w, b, how), right)


@pytest.mark.task("grouped_conv", weight=2)
def test_grouped_convolution_of_a_batch() -> None:
    """Grouped convolution: five images of 6 x 7 x 11, twelve filters of 2 x 4 x 3, and three groups."""
    given = numbers("five", 5, 6, 7, 11), numbers("twelve", 12, 2, 4, 3), numbers("twelve biases", 12)
    how = STRIDED | {"groups": 3}
    check_relative(more.grouped_conv, divide, given, how, partial(group_mistakes, *given, how))


# Transposed convolution


def stamp_mistakes(x: Any, w: Any, b: Any, how: Settings) -> Told:
    """Yield what typical mistakes make of a transposed convolution."""
    right, bias, (stride, pad) = enlarge(x, w, b, **how), b[:, None, None], how.values()
    full = enlarge(x, w, b, stride)
    rows, columns = full.shape[2:]
    yield "the filters were flipped; lay them on as they are", enlarge(x, w.flip((2, 3)), b, **how)
    yield NO_BIAS, right - bias
    once = "the bias was added with each stamp; add it once"
    for part in (w[:1, :1], w[:, :1]):
        ones = torch.ones_like(x[:1, : len(part)])
        yield once, right + (enlarge(ones, torch.ones_like(part), 0 * b[:1], **how) - 1) * bias
    yield NO_STRIDE, enlarge(x, w, b, 1, pad)
    near = torch.zeros_like(full)
    step_one = enlarge(x, w, 0 * b)
    near[:, :, : step_one.shape[2], : step_one.shape[3]] = step_one
    yield NO_STRIDE, near[..., pad : rows - pad, pad : columns - pad] + bias
    yield EMPTY, right[..., :0, :0]
    yield "nothing was cut off; `pad` pixels are, on all four sides", full
    for start, end in ((pad, 0), (0, pad), (2 * pad, 0), (0, 2 * pad)):
        one_end = full[..., start : rows - end, start : columns - end]
        yield "cut off `pad` pixels on all four sides", one_end
    yield "`pad` pixels are cut off, not added", functional.pad(full - bias, (pad,) * 4) + bias
    yield ADD_UP, enlarge(x[:, -1:], w[-1:], b, **how)
    for channel, order in product((0, -1), (1, -1)):
        out = overwrite(x[:, channel:], w[channel:], stride, order)
        yield ADD_UP, out[..., pad : rows - pad, pad : columns - pad] + bias
    high, wide = (stride * size for size in x.shape[2:])
    small = functional.pad(full - bias, (0, wide - columns, 0, high - rows)) + bias
    yield COUNTED[enlarge], small[..., pad : high - pad, pad : wide - pad]
    for turned in (right.movedim(1, -1), right.transpose(0, 1)):
        yield "images are the first axis of the result, and filters the second", turned


def overwrite(x: torch.Tensor, w: torch.Tensor, stride: int, order: int) -> torch.Tensor:
    """Return the result without biases if each stamp takes the place of others, in either order."""
    out = enlarge(x, 0 * w, None, stride)
    for row, column in torch.ones(x.shape[2:]).nonzero().tolist()[::order]:
        stamp = torch.tensordot(x[:, :, row, column], w, 1)
        out[:, :, row * stride :, column * stride :][:, :, : w.shape[2], : w.shape[3]] = stamp
    return out


@pytest.mark.task("transposed_conv", weight=2)
def test_transposed_convolution_by_hand() -> None:
    """Transposed convolution: two pixels, stamped side by side, and so that they overlap."""
    given = torch.tensor([[[[1.0, 3.0]]]]), FILTER, torch.tensor([0.0])
    apart, over = PLAIN | {"stride": 2}, PLAIN
    right = torch.tensor([[[[1.0, 0.0, 3.0, 0.0], [2.0, -1.0, 6.0, -3.0]]]])
    check_relative(more.transposed_conv, enlarge, given, apart, partial(stamp_mistakes, *given, apart), right)
    right = torch.tensor([[[[1.0, 3.0, 0.0], [2.0, 5.0, -3.0]]]])
    check_relative(more.transposed_conv, enlarge, given, over, partial(stamp_mistakes, *given, over), right)


@pytest.mark.task("transposed_conv", weight=2)
def test_transposed_convolution_of_a_batch() -> None:
    """Transposed convolution: two images of 6 x 4 x 8, seven filters of 5 x 3, stride 2, pad 1."""
    given = numbers("small", 2, 6, 4, 8), numbers("stamps", 6, 7, 5, 3), numbers("seven", 7)
    check_relative(more.transposed_conv, enlarge, given, STRIDED, partial(stamp_mistakes, *given, STRIDED))


# One and three dimensions

LINE = torch.tensor([[[1.0, 4.0, 9.0, 16.0]]])
DIFFERENCE = torch.tensor([[[-1.0, 1.0]]])
STEPS = torch.tensor([[[3.0, 5.0, 7.0]]])


@pytest.mark.task("conv_1d_3d", weight=1)
def test_convolution_of_a_sequence_by_hand() -> None:
    """Convolution of a sequence: the differences of neighbors."""
    given = LINE, DIFFERENCE, torch.zeros(1)
    check_relative(
        more.conv1d, along_time, given, PLAIN, partial(convolution_mistakes, along_time, *given, PLAIN), STEPS
    )


@pytest.mark.task("conv_1d_3d", weight=1)
def test_convolution_of_sequences() -> None:
    """Convolution of sequences: two of 5 x 11, four filters of 5 x 3, stride 3, pad 1 and a remainder."""
    given, how = (
        (numbers("time", 2, 5, 11), numbers("short", 4, 5, 3), numbers("four", 4)),
        {"stride": 3, "pad": 1},
    )
    check_relative(
        more.conv1d, along_time, given, how, partial(convolution_mistakes, along_time, *given, how)
    )


def volume_mistakes(x: Any, w: Any, b: Any, how: Settings) -> Told:
    """Yield what typical mistakes make of volumes."""
    for strides in list(product((1, how["stride"]), repeat=3))[1:-1]:
        same = "the stride is the same in all three directions"
        yield same, functional.conv3d(x, w, b, strides, how["pad"])
    yield from convolution_mistakes(in_space, x, w, b, how)


@pytest.mark.task("conv_1d_3d", weight=1)
def test_convolution_of_a_volume_by_hand() -> None:
    """Convolution of a volume: the differences of neighbors in depth."""
    x, w = LINE.reshape(1, 1, 4, 1, 1), DIFFERENCE.reshape(1, 1, 2, 1, 1)
    given, right = (x, w, torch.zeros(1)), STEPS.reshape(1, 1, 3, 1, 1)
    check_relative(more.conv3d, in_space, given, PLAIN, partial(volume_mistakes, *given, PLAIN), right)


@pytest.mark.task("conv_1d_3d", weight=1)
def test_convolution_of_volumes() -> None:
    """Convolution of volumes: two of 7 x 6 x 8 x 11, nine filters of 7 x 4 x 3 x 5, stride 2 and pad 1."""
    given = numbers("scans", 2, 7, 6, 8, 11), numbers("cuboids", 9, 7, 4, 3, 5), numbers("nine biases", 9)
    check_relative(more.conv3d, in_space, given, STRIDED, partial(volume_mistakes, *given, STRIDED))


# Rules


@pytest.mark.constraint
@pytest.mark.task("im2col", weight=1)
def test_arguments_of_columns_are_kept() -> None:
    """Columns: the images are not modified."""
    check_kept(more.im2col, unfold)


@pytest.mark.constraint
@pytest.mark.task("im2col", weight=3)
def test_source_of_columns() -> None:
    """Columns: of torch.nn only the padding is used."""
    check_source(im2col=more.im2col)


@pytest.mark.constraint
@pytest.mark.task("average_pool", weight=1)
def test_arguments_of_average_pooling_are_kept() -> None:
    """Average pooling: the images are not modified."""
    check_kept(more.average_pool, mean)


@pytest.mark.constraint
@pytest.mark.task("average_pool", weight=2)
def test_source_of_average_pooling() -> None:
    """Average pooling: of torch.nn only the padding is used."""
    check_source(average_pool=more.average_pool)


@pytest.mark.constraint
@pytest.mark.task("dilated_conv", weight=1)
def test_arguments_of_the_dilated_convolution_are_kept() -> None:
    """Dilated convolution: neither images nor filters nor biases are modified."""
    check_kept(more.dilated_conv, spread)


@pytest.mark.constraint
@pytest.mark.task("dilated_conv", weight=4)
def test_source_of_the_dilated_convolution() -> None:
    """Dilated convolution: of torch.nn only the padding is used."""
    check_source(dilated_conv=more.dilated_conv)


@pytest.mark.constraint
@pytest.mark.task("grouped_conv", weight=1)
def test_arguments_of_the_grouped_convolution_are_kept() -> None:
    """Grouped convolution: neither images nor filters nor biases are modified."""
    check_kept(more.grouped_conv, divide)


@pytest.mark.constraint
@pytest.mark.task("grouped_conv", weight=4)
def test_source_of_the_grouped_convolution() -> None:
    """Grouped convolution: of torch.nn only the padding is used."""
    check_source(grouped_conv=more.grouped_conv)


@pytest.mark.constraint
@pytest.mark.task("transposed_conv", weight=1)
def test_arguments_of_the_transposed_convolution_are_kept() -> None:
    """Transposed convolution: neither images nor filters nor biases are modified."""
    check_kept(more.transposed_conv, enlarge)


@pytest.mark.constraint
@pytest.mark.task("transposed_conv", weight=4)
def test_source_of_the_transposed_convolution() -> None:
    """Transposed convolution: of torch.nn only the padding is used."""
    check_source(transposed_conv=more.transposed_conv)


@pytest.mark.constraint
@pytest.mark.task("conv_1d_3d", weight=1)
def test_arguments_of_convolutions_in_one_and_three_dimensions_are_kept() -> None:
    """Convolution of sequences and volumes: neither x nor filters nor biases are modified."""
    check_kept(more.conv1d, along_time)
    check_kept(more.conv3d, in_space)


@pytest.mark.constraint
@pytest.mark.task("conv_1d_3d", weight=3)
def test_source_of_convolutions_in_one_and_three_dimensions() -> None:
    """Convolution of sequences and volumes: of torch.nn only the padding is used."""
    check_source(conv1d=more.conv1d, conv3d=more.conv3d)
