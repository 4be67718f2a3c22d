"""What typical mistakes make of a case, in the words of the public checks."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import torch
import torch.nn.functional as F
from suite.relatives import Case
from torch import Tensor

from helpers.testing import Hint

Told = Iterator[tuple[str, Tensor]]
"""Mistakes in words for students, each with what comes of it."""

COUNTED = {
    "im2col": "there are 1 + (H + 2 * pad - height) // stride windows along the height",
    "average_pool": "there are 1 + (H - height) // stride windows along the height",
    "dilated_conv": "there are 1 + (H + 2 * pad - dilation * (HH - 1) - 1) // stride places along the height",
    "grouped_conv": "there are 1 + (H + 2 * pad - HH) // stride places along the height",
    "transposed_conv": "stamps `stride` apart need (H - 1) * stride + HH rows, before any is cut off",
    "conv1d": "there are 1 + (T + 2 * pad - K) // stride places along time",
    "conv3d": "there are 1 + (D + 2 * pad - DD) // stride places along the depth",
}
"""What is forgotten by who counts places wrongly."""
EMPTY = "with pad 0, pad:-pad is empty; write pad : pad + H"
ORDER = "w has the shape (C, F, HH, WW): the channels of x come first, then those of the result"
WIDE = "there are as many places along the width as along the height; count them apart"
FLIPPED = "the filters were flipped; lay them on as they are"
NO_BIAS, NO_PAD, NO_STRIDE = (f"the {what} was forgotten" for what in ("bias", "padding", "stride"))
SOME_AXES = "not all axes were padded; pad takes two numbers for each axis, the last axis first"
CHANNELS = "only the last channel counts; add up over all"
APART = "keep the images apart: the result has three axes, and images are the first"
SECOND = "images are the first axis of the result, and filters the second"
DIVIDED = "the sum of a window is divided by height * width"
WINDOW_ONLY = "the mean is that of one window, not of all channels or images"
BIASES = "all is right but for the biases; each filter has its own, which is added once"
FIRST_IMAGE = "only the first image was computed"
ADD_UP = "stamps add up, over all channels and wherever they overlap; none takes the place of another"
NEIGHBORS = "filter f belongs to group f // (F / groups); neighbors stay together"
OTHER_GROUP = "the filters of a group saw the channels of another"


def hints(case: Case) -> list[Hint]:
    """Return what to tell of a result that a typical mistake would give."""
    right = case.right()
    found = [Hint(value, says) for says, value in OF[case.name](case)]
    found.append(Hint(torch.cat([right[:1], torch.zeros_like(right[1:])]), FIRST_IMAGE))
    if len(case.tensors) > 1:
        found.append(Hint(partial(differs_by_biases, right), BIASES, slip=True))
    return found


def differs_by_biases(right: Tensor, found: Tensor) -> bool:
    """Tell whether a result differs from the right one by a number for each filter."""
    wrong = found.double() - right.double()
    spread = (wrong - wrong[:1].flatten(2).mean(dim=2)[(..., *[None] * (right.dim() - 2))]).abs().max()
    return bool(spread <= 1e-4 * wrong.abs().max())


def counts(case: Case, pad: int | None = None, stride: int | None = None) -> tuple[int, ...]:
    """Return how many places there are along each axis, or would be with another pad or stride."""
    around, step = 2 * (case.pad if pad is None else pad), stride or case.stride
    sizes = zip(case.tensors[0].shape[2:], case.window, strict=True)
    return tuple(max(0, 1 + (size + around - side) // step) for size, side in sizes)


def without_stride(case: Case) -> Told:
    """Yield all places, and as many of them as there should be."""
    dense = case.right(stride=1)
    yield NO_STRIDE, dense
    yield NO_STRIDE, dense[tuple(map(slice, case.right().shape))]


def miscounted(case: Case, right: Tensor) -> Told:
    """Yield results in which places are missing: the last ones, those of the padding, or along the width."""
    pixels = [-(-size // case.stride) for size in case.tensors[0].shape[2:]]
    for kept in ([count - 1 for count in counts(case)], counts(case, pad=0), pixels):
        yield COUNTED[case.name], right[(..., *(slice(count) for count in kept))]
    if right.dim() > 3:
        yield WIDE, right[..., : right.shape[-2]]


def of_columns(case: Case) -> Told:
    """Yield what mistakes make of windows as columns."""
    (x,), right, (height, width) = case.tensors, case.right(), case.window
    yield "rows and columns of the result are swapped", right.transpose(1, 2)
    inside = right.unflatten(1, (x.shape[1], height, width))
    yield "within a column, the channel comes first", inside.movedim(1, 3).flatten(1, 3)
    yield "within a column, numbers go row by row", inside.transpose(2, 3).flatten(1, 3)
    places = right.unflatten(2, counts(case))
    yield "windows go from left to right, then down", places.transpose(2, 3).flatten(2)
    joined = inside.unflatten(4, counts(case)).permute(0, 1, 4, 5, 2, 3)
    yield "move axes before they are joined: each column holds one window", joined.reshape(right.shape)
    yield APART, right.permute(1, 2, 0).flatten(1)
    yield APART, right.transpose(0, 1).flatten(1)
    yield NO_PAD, case.right(pad=0)
    dense = case.right(stride=1)
    yield NO_STRIDE, dense
    rows, columns = counts(case)
    every = dense.unflatten(2, counts(case, stride=1))
    yield NO_STRIDE, every[:, :, :rows, :columns].flatten(2)
    yield SOME_AXES, case.right(x=F.pad(x, (case.pad, case.pad)), pad=0)
    yield "height and width of the window are swapped", case.right(height=width, width=height)
    for says, value in miscounted(case, places):
        yield says, value.flatten(2)


def of_means(case: Case) -> Told:
    """Yield what mistakes make of average pooling."""
    (x,), right, (height, width) = case.tensors, case.right(), case.window
    for number in (1, case.stride**2, height**2, width**2):
        yield DIVIDED, right * (height * width) / number
    largest = F.max_pool2d(x.double(), (height, width), stride=case.stride).to(x.dtype)
    yield "the largest value was taken", largest
    yield "height and width of the window are swapped", case.right(height=width, width=height)
    yield from without_stride(case)
    side_by_side = F.avg_pool2d(x.double(), (height, width)).to(x.dtype)
    yield "windows are `stride` apart; they need not lie side by side", side_by_side
    for axis in (0, 1):
        yield WINDOW_ONLY, right.mean(dim=axis)
        yield WINDOW_ONLY, right.mean(dim=axis, keepdim=True).expand_as(right)
    rows, columns = (range(0, size, case.stride) for size in x.shape[2:])
    beyond = [x[:, :, i : i + height, j : j + width] for i, j in product(rows, columns)]
    for found in (
        [part.mean(dim=(2, 3)) for part in beyond],
        [part.sum(dim=(2, 3)) / (height * width) for part in beyond],
    ):
        yield COUNTED["average_pool"], torch.stack(found, dim=2).unflatten(2, (len(rows), len(columns)))
    yield from miscounted(case, right)


def of_any_convolution(case: Case) -> Told:
    """Yield what mistakes make of convolutions in any number of dimensions."""
    (x, w, b), right = case.tensors, case.right()
    axes, groups = tuple(range(2, w.dim())), case.settings.get("groups", 1)
    bias = b.reshape(-1, *(1 for _ in axes))
    yield FLIPPED, case.right(w=w.flip(axes))
    yield NO_BIAS, right - bias
    yield "the bias was added once for each channel", right + (w.shape[1] - 1) * bias
    yield NO_PAD, case.right(pad=0)
    yield from without_stride(case)
    last = x.unflatten(1, (groups, -1))[:, :, -1]
    yield CHANNELS, case.right(x=last, w=w[:, -1:])
    border = (case.pad,) * 2
    for count in range(1, len(axes)):
        yield SOME_AXES, case.right(x=F.pad(x, border * count), pad=0)
    edges = F.pad(x, border * len(axes), mode="replicate")
    yield "padded by copies of the border; pad by zeros", case.right(x=edges, pad=0)
    yield SECOND, right.movedim(1, -1)
    yield SECOND, right.transpose(0, 1)
    yield from miscounted(case, right)


def of_gaps(case: Case) -> Told:
    """Yield what mistakes make of a dilated convolution."""
    right, dilation = case.right(), case.settings["dilation"]
    dense = case.right(dilation=1)
    for places in (dense, dense[:, :, : right.shape[2], : right.shape[3]]):
        yield "the entries of a filter lie side by side; they are `dilation` pixels apart", places
    one_more = "with dilation 1 there is no gap; entries are `dilation` pixels apart"
    if all(size + 2 * case.pad > (dilation + 1) * 2 for size in case.tensors[0].shape[2:]):
        yield one_more, case.right(dilation=dilation + 1)
    for gaps in ((1, dilation), (dilation, 1)):
        yield "there are gaps along one axis only", case.right(dilation=gaps)
    yield "pad zeros surround an image, whatever the dilation", case.right(pad=dilation * case.pad)
    yield "places are `stride` apart, whatever the dilation", case.right(stride=dilation * case.stride)
    yield from of_any_convolution(case)


def of_groups(case: Case) -> Told:
    """Yield what mistakes make of a grouped convolution."""
    (x, w, b), right, groups = case.tensors, case.right(), case.settings["groups"]
    bias, each = b[:, None, None], len(w) // groups
    channels = x.unflatten(1, (groups, -1))
    turned = (right - bias).unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)
    yield "the filters are in another order: those of the first group come first", turned + bias
    for others in (channels.flip(1), channels.roll(1, dims=1), channels.roll(-1, dims=1)):
        yield OTHER_GROUP, case.right(x=others.flatten(1, 2))
    first = channels[:, :1].expand_as(channels).flatten(1, 2)
    yield "all filters saw the channels of the first group", case.right(x=first)
    mixed = x.unflatten(1, (-1, groups)).transpose(1, 2).flatten(1, 2)
    yield "channel c belongs to group c // (C / groups); neighbors stay together", case.right(x=mixed)
    for of_filter in ([f % groups for f in range(len(w))], [f // groups for f in range(len(w))]):
        if 0 < max(of_filter) < groups:
            seen = [channels[:, g].repeat(1, groups, 1, 1) for g in of_filter]
            results = [case.right(x=one)[:, f] for f, one in enumerate(seen)]
            yield NEIGHBORS, torch.stack(results, dim=1)
    repeated = w[:each].repeat(groups, 1, 1, 1)
    yield "all groups got the filters of the first", case.right(w=repeated)
    yield (
        "all groups got the biases of the first; each filter has its own",
        (right - bias + b[:each].repeat(groups)[:, None, None]),
    )
    yield "there are results of one group only; join those of all", right[:, :each]
    yield "there are results of one group only; join those of all", right[:, -each:]
    added = (right - bias).unflatten(1, (groups, -1)).sum(dim=1)
    yield "the results of groups were added up; join them", added + bias[:each]
    yield "the results of groups were added up; join them", right.unflatten(1, (groups, -1)).sum(dim=1)
    yield from of_any_convolution(case)


def of_stamps(case: Case) -> Told:
    """Yield what mistakes make of a transposed convolution."""
    (x, w, b), right, stride, pad = case.tensors, case.right(), case.stride, case.pad
    bias, whole = b[:, None, None], case.right(pad=0)
    (H, W), (rows, columns) = x.shape[2:], whole.shape[2:]
    yield FLIPPED, case.right(w=w.flip(2, 3))
    yield NO_BIAS, right - bias
    stamps = F.conv_transpose2d(torch.ones_like(x[:1, :1]), torch.ones_like(w[:1, :1]), stride=stride)
    times = stamps[:, :, pad : rows - pad, pad : columns - pad] - 1
    yield "the bias was added with each stamp; add it once", right + times * bias
    yield (
        "the bias was added with each stamp; add it once",
        right + (times * x.shape[1] + x.shape[1] - 1) * bias,
    )
    yield NO_STRIDE, case.right(stride=1)
    close = case.right(stride=1, pad=0) - bias
    missing = columns - close.shape[3], rows - close.shape[2]
    near = F.pad(close, (0, missing[0], 0, missing[1])) + bias
    yield NO_STRIDE, near[:, :, pad : rows - pad, pad : columns - pad]
    yield EMPTY, right[:, :, :0, :0]
    yield "nothing was cut off; `pad` pixels are, on all four sides", whole
    for start, end in ((pad, 0), (0, pad), (2 * pad, 0), (0, 2 * pad)):
        yield "cut off `pad` pixels on all four sides", whole[:, :, start : rows - end, start : columns - end]
    yield "`pad` pixels are cut off, not added", F.pad(whole - bias, (pad,) * 4) + bias
    yield ADD_UP, case.right(x=x[:, -1:], w=w[-1:])
    last = Case(case.name, (x[:, -1:], w[-1:], b), case.settings)
    for one, order in product((case, last), (1, -1)):
        yield ADD_UP, overwritten(one, order)
    if w.shape[0] == w.shape[1]:
        yield ORDER, case.right(w=w.transpose(0, 1))
    grown = F.pad(whole - bias, (0, W * stride - columns, 0, H * stride - rows)) + bias
    yield COUNTED[case.name], grown[:, :, pad : H * stride - pad, pad : W * stride - pad]
    yield SECOND, right.movedim(1, -1)
    yield SECOND, right.transpose(0, 1)


def overwritten(case: Case, order: int) -> Tensor:
    """Return the result if each stamp takes the place of those before it; the last one is first for -1."""
    (x, w, b), stride, pad = case.tensors, case.stride, case.pad
    out = torch.zeros_like(case.right(pad=0))
    for i, j in list(product(range(x.shape[2]), range(x.shape[3])))[::order]:
        top, left = i * stride, j * stride
        stamp = torch.einsum("nc,cfhw->nfhw", x[:, :, i, j], w)
        out[:, :, top : top + w.shape[2], left : left + w.shape[3]] = stamp
    return out[:, :, pad : out.shape[2] - pad, pad : out.shape[3] - pad] + b[:, None, None]


def of_volumes(case: Case) -> Told:
    """Yield what mistakes make of a convolution of volumes."""
    for strides in product((1, case.stride), repeat=3):
        if len({*strides}) > 1:
            yield "the stride is the same in all three directions", case.right(stride=strides)
    yield from of_any_convolution(case)


OF: dict[str, Callable[[Case], Told]] = {
    "im2col": of_columns,
    "average_pool": of_means,
    "dilated_conv": of_gaps,
    "grouped_conv": of_groups,
    "transposed_conv": of_stamps,
    "conv1d": of_any_convolution,
    "conv3d": of_volumes,
}
"""Mistakes by the function that makes them."""
