"""Hidden tests of the gradients of a convolution.

Expected values come from `torch.nn.functional` and automatic differentiation, in float64. The backward pass
gets its cache from the test, so that it does not hang on the forward pass. One that is right only with the
cache of its own forward pass shows a slip.
"""

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import convolutional_networks as cn
import pytest
import torch
import torch.nn.functional as F
from suite.convolutions import EMPTY, LAST, OBLONG, PADDED, PLAIN, SHRUNK, STRIDES, Convolution, case, normal
from torch import Tensor

from helpers.testing import Hint, asking, checks, scattered


def overwrite_windows(c: Convolution, dout: Tensor, backwards: bool) -> Tensor:
    """Return dx as it becomes if each window, from first to last or backwards, overwrites earlier ones.

    Backwards is what comes of a loop over the entries of a filter.
    """
    dx, (height, width) = torch.zeros_like(F.pad(c.images, (c.pad,) * 4)), c.filters.shape[2:]
    for i, j in sorted(itertools.product(*map(range, dout.shape[2:])), reverse=backwards):
        top, left = i * c.stride, j * c.stride
        stamp = torch.einsum("nf,fchw->nchw", dout[:, :, i, j], c.filters)
        dx[:, :, top : top + height, left : left + width] = stamp
    return dx[:, :, c.pad : c.pad + c.images.shape[2], c.pad : c.pad + c.images.shape[3]]


def backward_hints(c: Convolution, dout: Tensor, name: str) -> list[Hint]:
    """Return what typical mistakes make of one gradient; the words are the same in every check."""
    right = dict(zip(("dx", "dw", "db"), c.grads(dout), strict=True))
    flipped = replace(c, filters=c.filters.flip(2, 3)).grads(dout)[0]
    padded = replace(c, images=F.pad(c.images, (c.pad,) * 4), pad=0).grads(dout)[0]
    side_by_side = c.grads(dout, stride=1)
    turned = c.filters.transpose(2, 3) if c.is_square else c.filters
    transposed = replace(c, filters=turned).grads(dout)[0]
    (height, width), (rows, columns) = c.images.shape[2:], c.covered_size(dout)
    cut = padded[:, :, c.pad : min(rows, c.pad + height), c.pad : min(columns, c.pad + width)]
    overlap = "where windows overlap, gradients add up; one has taken the place of another"
    no_stride = "the stride was forgotten: neighbors in dout belong `stride` pixels apart"
    reached = "dx has the shape of x; pixels that no filter reaches belong to it, too, with zeros"
    averaged = "divided by the number of images; the loss does that"
    side = "as many places along the width as along the height; dout tells how many there are of both"
    few = c.grads(dout * (torch.arange(dout.shape[3]) < dout.shape[2]))
    hints = {
        "dx": [
            Hint(few[0], says=side),
            Hint(right["dx"][..., :height], says="dx is as wide as it is high; it has the shape of x"),
            Hint(padded, says="the padding is still around dx; cut it off"),
            Hint(flipped, says="the filters were flipped"),
            Hint(transposed, says="height and width of the filters are swapped"),
            Hint(side_by_side[0], says=no_stride),
            Hint(right["dx"] / len(c.images), says=averaged),
            Hint(overwrite_windows(c, dout, backwards=False), says=overlap),
            Hint(overwrite_windows(c, dout, backwards=True), says=overlap),
            Hint(right["dx"][:, :, :0, :0], says=EMPTY),
            Hint(padded[:, :, 1:-1, 1:-1], says="one pixel is cut off on each side; cut off `pad` of them"),
            Hint(right["dx"][:, :, c.pad : height - c.pad, c.pad : width - c.pad], says="cut off twice"),
            Hint(cut, says=reached),
            Hint(padded[:, :, c.pad : rows - c.pad, c.pad : columns - c.pad], says=reached),
        ],
        "dw": [
            Hint(few[1], says=side),
            Hint(right["dw"].flip(2, 3), says="the filters' gradients are flipped"),
            Hint(side_by_side[1], says=no_stride),
            Hint(right["dw"] / len(c.images), says=averaged),
            Hint(last_place(c, dout), says="only the last place counts; add up over all"),
        ],
        "db": [
            Hint(few[2], says=side),
            Hint(dout.sum(dim=(0, 1, 2)), says="summed over the filters; sum over images and places"),
            Hint(dout.sum(dim=(1, 2, 3)), says="summed over the filters; sum over images and places"),
            Hint(dout.sum(dim=(0, 2)), says="the width was forgotten; sum over images and all places"),
            Hint(dout.sum(dim=0), says="the places were forgotten; sum over images and all places"),
            Hint(dout.sum(dim=(2, 3)), says="the images were forgotten; sum over images and places"),
            Hint(dout.mean(dim=(0, 2, 3)), says="averaged; the gradients of all places add up"),
            Hint(right["db"] / len(c.images), says=averaged),
            Hint(dout[:, :, 0, 0].sum(dim=0), says="only one place counted"),
            Hint(dout[-1, :, -1, -1], says="only the last place counts; add up over all"),
        ],
    }
    return hints[name]


def last_place(c: Convolution, dout: Tensor) -> Tensor:
    """Return dw as it becomes if each place overwrites the one before."""
    padded, (height, width) = F.pad(c.images, (c.pad,) * 4), c.filters.shape[2:]
    top, left = ((size - 1) * c.stride for size in dout.shape[2:])
    window = padded[-1, :, top : top + height, left : left + width]
    return dout[-1, :, -1, -1, None, None, None] * window


NAMES = ("dx", "dw", "db")


def check_backward(c: Convolution, dout: Tensor, what: str = "", names: tuple[str, ...] = NAMES) -> None:
    """Compare the student's gradients with the right ones."""

    @asking.one_slip()
    def check(cache: object) -> None:
        check_gradients(c, dout, asking.ask(cn.Conv.backward, dout.clone(), cache), what, names)

    check_caches(check, (*c.tensors(), c.param), partial(own_cache, c), *without_pad(c, what, names))


KEPT = "forward keeps the padded x in the cache; the cache holds x as it came"
OTHER = "backward needs another cache than (x, w, b, conv_param), as they came to forward"


def check_caches(
    check: Callable[[Any], None], given: Any, own: Callable[[bool], Any], *slips: asking.Slip
) -> None:
    """Check backward with the cache that is given; if it fails, with that of the student's forward pass."""
    of_forward = [asking.Slip(KEPT, lambda: check(own(True))), asking.Slip(OTHER, lambda: check(own(False)))]
    asking.check_but_for(partial(check, given), *of_forward, *slips, what="Conv.backward")


def own_cache(c: Convolution, is_padded: bool, spread: Callable[[Tensor], Tensor] = Tensor.clone) -> Any:
    """Return the cache of the student's forward pass, if it is another one than that which is given.

    Images and filters are spread in memory like this, and whether images are padded in it must be known.
    """
    cache, shapes = keep(c, spread)
    usual = [tuple(one.shape) for one in c.tensors()]
    another = len(shapes) != 4 or shapes[:3] != usual
    wide = c if c.pad else replace(c, pad=1)  # without a pad nothing shows
    padded = (*usual[0][:2], *(size + 2 * wide.pad for size in usual[0][2:]))
    pads = (shapes if c.pad else keep(wide, spread)[1])[:1] == [padded]
    checks.holds(another and is_padded == pads, what="the cache", problem="the one that is given")
    return cache


def keep(c: Convolution, spread: Callable[[Tensor], Tensor]) -> tuple[Any, list[tuple[int, ...]]]:
    """Return the cache of the student's forward pass, and the shapes of what is in it."""
    found = asking.ask(cn.Conv.forward, spread(c.images), spread(c.filters), c.biases.clone(), c.param)
    cache: Any = checks.parts(found, 2, what="the result and the cache of Conv.forward")[1]
    several = type(cache) in (tuple, list) and len(cache) > 0
    return cache, [tuple(one.shape) if type(one) is Tensor else () for one in (cache if several else ())]


def without_pad(c: Convolution, what: str, names: tuple[str, ...]) -> list[asking.Slip]:
    """Return what may be wrong without padding: a backward pass that is right with it."""
    wide = replace(c, pad=1)
    dout = normal("without pad", shape=wide.out().shape, dtype=c.images.dtype)
    again = partial(check_backward, wide, dout, what, names)
    return [asking.Slip(EMPTY, again, sign=SHRUNK)] if c.pad == 0 else []


def check_gradients(
    c: Convolution, dout: Tensor, found: object, what: str = "", names: tuple[str, ...] = NAMES
) -> None:
    """Compare what backward returned with the right gradients, or with some of them."""
    for name, one, right in zip(NAMES, three(found), c.grads(dout), strict=True):
        if name in names:
            hints = partial(backward_hints, c, dout, name)
            checks.close(one, right, what=f"the gradient {name}{what}", hints=hints)


def three(found: object) -> tuple[Any, ...]:
    """Return the gradients."""
    return checks.parts(found, 3, what="the gradients dx, dw, db of Conv.backward")


def check_all(cases: dict[str, Convolution], *names: str) -> None:
    """Compare some of the gradients with the right ones, for several convolutions."""
    for name, c in cases.items():
        check_backward(c, normal(f"dout/{name}", shape=c.out().shape), f" with {name}", names)


PADS = {"pad 0": PLAIN, "pad 1": PADDED}


@pytest.mark.task("conv_backward", weight=3)
def test_backward() -> None:
    """Gradients of a convolution: those of the images, at stride 1."""
    check_all({"pad 0": PLAIN}, "dx")


@pytest.mark.task("conv_backward", weight=2)
def test_backward_with_padding() -> None:
    """Gradients of a convolution: those of the images, where the padding gets none."""
    check_all({"pad 1": PADDED}, "dx")


@pytest.mark.task("conv_backward", weight=2)
def test_backward_with_strides() -> None:
    """Gradients of a convolution: those of the images, with strides of 2 and 3; a remainder gets none."""
    check_all(STRIDES, "dx")


@pytest.mark.task("conv_backward", weight=2)
def test_backward_of_filters() -> None:
    """Gradients of a convolution: those of the filters."""
    check_all(PADS, "dw")


@pytest.mark.task("conv_backward", weight=2)
def test_backward_of_filters_with_strides() -> None:
    """Gradients of a convolution: those of the filters, with strides of 2 and 3."""
    check_all(STRIDES, "dw")


@pytest.mark.task("conv_backward", weight=2)
def test_backward_of_biases() -> None:
    """Gradients of a convolution: those of the biases."""
    check_all(PADS | STRIDES, "db")


@pytest.mark.task("conv_backward", weight=1)
def test_backward_of_oblong_filters() -> None:
    """Gradients of a convolution: images wider than high, and filters that are higher or wider."""
    check_all(OBLONG, *NAMES)


@pytest.mark.task("conv_backward", weight=2)
def test_backward_in_float32() -> None:
    """Gradients of a convolution: in the dtype of the images and close to those in float64."""
    check_backward(LAST.to(torch.float32), normal("float", shape=LAST.out().shape, dtype=torch.float32))


@pytest.mark.task("conv_backward", weight=1)
def test_backward_in_scattered_memory() -> None:
    """Gradients of a convolution: a gradient may be non-contiguous in memory."""
    dout = normal("scattered", shape=LAST.out().shape)
    given = (scattered(LAST.images), scattered(LAST.filters), LAST.biases.clone(), LAST.param)

    @asking.one_slip()
    def check(cache: object) -> None:
        check_gradients(LAST, dout, asking.ask(cn.Conv.backward, scattered(dout), cache))

    check_caches(check, given, partial(own_cache, LAST, spread=scattered))


@pytest.mark.task("conv_backward", weight=1)
def test_backward_of_two_batches() -> None:
    """Gradients of a convolution: the given cache is used, not that of another call."""
    dout = normal("batches", shape=LAST.out().shape)
    other = case(
        "other", tuple(LAST.images.shape), tuple(LAST.filters.shape[:1] + LAST.filters.shape[2:]), 2, 1
    )

    def hints(place: int) -> list[Hint]:
        says = "these are the gradients of an earlier call; use the given cache"
        return [Hint(other.grads(dout)[place], says), *backward_hints(LAST, dout, NAMES[place])]

    @asking.one_slip()
    def check(caches: tuple[Any, Any]) -> None:
        _, found = (three(asking.ask(cn.Conv.backward, dout.clone(), cache)) for cache in caches)
        for place, (one, right) in enumerate(zip(found, LAST.grads(dout), strict=True)):
            checks.close(one, right, what=f"the gradient {NAMES[place]}", hints=partial(hints, place))

    given = (*other.tensors(), other.param), (*LAST.tensors(), LAST.param)
    check_caches(check, given, lambda padded: (own_cache(other, padded), own_cache(LAST, padded)))
