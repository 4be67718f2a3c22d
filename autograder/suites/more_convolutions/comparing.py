"""Compare a student's result with the right one; find out which slip ends in an exception.

Taking one side for the other is a single mistake that often ends in an exception. So most cases are of square
images and windows, and it costs no more than the few that are not, and the public checks.
"""

from collections.abc import Iterator
from functools import partial

import more_convolutions as more
from suite.known_slips import COUNTED, EMPTY, NEIGHBORS, ORDER, hints
from suite.relatives import Case, convolution, windows_of, with_right_ones
from torch import Tensor

from helpers.testing import asking, checks

NOTHING = "size of the tensor (0)"
"""What PyTorch says where pixels are to be written to an empty slice."""


def check(case: Case, what: str = "the result") -> None:
    """Check the student's result; if it ends in an exception, look for known slips."""
    asking.check_but_for(partial(compare, case, what), *exceptional_slips(case, what), what=case.name)


def compare(case: Case, what: str, right: Tensor | None = None) -> None:
    """Compare the student's result with the right one, once.

    A function may call the others of the student's, which may be wrong, or right in their own way. So it is
    right if it is so with them, or with right ones in their place.
    """
    expected = case.right() if right is None else right
    try:
        compare_as_it_is(case, what, expected)
        return
    except Exception as failure:
        own = failure
    try:
        with with_right_ones(case.name):
            compare_as_it_is(case, what, expected)
    except Exception:
        if getattr(own, "slip", False):
            raise own from None
        raise


@asking.one_slip()
def compare_as_it_is(case: Case, what: str, right: Tensor) -> None:
    """Compare the student's result with the right one, whatever functions it calls."""
    tensors = (value.clone() for value in case.tensors)
    found = asking.ask(getattr(more, case.name), *tensors, **case.settings)
    if type(found) is Tensor and found.shape[:2] == right.shape[:2] and found.dim() == right.dim() > 2:
        inner = found[tuple(map(slice, right.shape))]
        too_large = inner.shape == right.shape != found.shape
        if too_large and checks.agrees(inner, right, operation="gradient"):
            told = (hint for hint in hints(case) if not callable(hint.expected))
            known = [hint.says for hint in told if checks.agrees(found, hint.expected)]
            cause = [*known, COUNTED[case.name]][0]
            checks.holds(False, what=what, problem="too many places", likely_cause=cause, slip=True)
    checks.close(found, right, what=what, operation="gradient", hints=partial(hints, case))


def exceptional_slips(case: Case, what: str) -> Iterator[asking.Slip]:
    """Yield slips that end in exceptions."""
    if case.name == "transposed_conv":
        x, w, b = case.tensors
        turned = Case(case.name, (x, w.transpose(0, 1), b), case.settings)
        yield asking.Slip(ORDER, partial(compare, turned, what, case.right()))
    elif case.settings.get("pad") == 0:
        padded = Case(case.name, case.tensors, case.settings | {"pad": 1})
        yield asking.Slip(EMPTY, partial(compare, padded, what), sign=NOTHING)
    if "groups" in case.settings:
        yield asking.Slip(NEIGHBORS, partial(compare, with_as_many_filters(case), what), sign="")
    yield asking.Slip(COUNTED[case.name], partial(compare, fitting(case), what), sign="")


def with_as_many_filters(case: Case) -> Case:
    """Return the same case with as many filters in each group as there are groups."""
    x, w, _ = case.tensors
    count = case.settings["groups"] ** 2
    return convolution(case.name, tuple(x.shape), (count, *w.shape[1:]), **case.settings)


def fitting(case: Case) -> Case:
    """Return a case of the same form, padded if that is, in which the usual ways to count places are right.

    Those are a place at every `stride`-th pixel, as many places as a filter without gaps has, and `stride`
    times as many rows as the image has.
    """
    padded, count = case.pad > 0, case.tensors[0].dim() - 2
    dilation, groups = (
        min(case.settings.get(name, 1), most) for name, most in (("dilation", 2), ("groups", 3))
    )
    sizes, sides = ([9, 12, 12], [3, 4, 3]) if padded else ([9, 12, 9], [3, 2, 1])
    if dilation == 2:
        sizes, sides = ([9, 11], [3, 2]) if padded else ([9, 10], [2, 1])
    elif case.name == "transposed_conv":
        sizes, sides = [3, 4], [3, 3]
    if case.is_square:
        sizes, sides = sizes[:1] * count, sides[:1] * count
    own = {"stride": 3, "pad": int(padded), "dilation": dilation, "groups": groups}
    settings = {name: value for name, value in own.items() if name in case.settings}
    if len(case.tensors) == 1:
        return windows_of(case.name, (2, 3, *sizes[:2]), *sides[:2], **settings)
    channels, filters = (3, 3) if case.name == "transposed_conv" else (4 * groups, 5 * groups)
    x, w = (2, channels, *sizes[:count]), (filters, channels // groups, *sides[:count])
    return convolution(case.name, x, w, **settings)
