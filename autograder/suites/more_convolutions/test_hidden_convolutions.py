"""Hidden tests of convolutions: with gaps, in groups, and in one and three dimensions."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from suite.comparing import check, compare, fitting, with_as_many_filters
from suite.relatives import convolution

from helpers.testing import scattered

dilated = partial(convolution, "dilated_conv")
grouped = partial(convolution, "grouped_conv")
sequences = partial(convolution, "conv1d")
volumes = partial(convolution, "conv3d")
FITTING_GROUPS = with_as_many_filters(fitting(grouped((2, 6, 6, 6), (9, 2, 3, 3), stride=3, pad=1, groups=3)))


@pytest.mark.task("dilated_conv", weight=1)
def test_no_gaps() -> None:
    """Dilated convolution: with dilation 1, it is a plain one."""
    check(dilated((2, 3, 6, 6), (4, 3, 3, 3), stride=1, pad=0, dilation=1))
    check(dilated((2, 3, 8, 8), (4, 3, 3, 3), stride=2, pad=1, dilation=1), "the result with stride 2, pad 1")


@pytest.mark.task("dilated_conv", weight=2)
def test_gaps() -> None:
    """Dilated convolution: entries of a filter two pixels apart."""
    check(dilated((2, 3, 7, 7), (4, 3, 3, 3), stride=1, pad=0, dilation=2))


@pytest.mark.task("dilated_conv", weight=2)
def test_wide_gaps_with_padding() -> None:
    """Dilated convolution: entries two and three pixels apart, and images that are padded by zeros."""
    check(dilated((2, 3, 7, 7), (4, 3, 3, 3), stride=1, pad=1, dilation=2), "the result with dilation 2")
    check(dilated((3, 2, 9, 9), (4, 2, 2, 2), stride=1, pad=2, dilation=3), "the result with dilation 3")


@pytest.mark.task("dilated_conv", weight=2)
def test_gaps_with_strides() -> None:
    """Dilated convolution: strides of 2 and 3, with a remainder."""
    check(dilated((2, 3, 10, 10), (4, 3, 3, 3), stride=2, pad=1, dilation=2), "the result with stride 2")
    check(dilated((2, 2, 12, 12), (3, 2, 2, 2), stride=3, pad=0, dilation=4), "the result with stride 3")


@pytest.mark.task("dilated_conv", weight=1)
def test_gaps_in_oblong_filters() -> None:
    """Dilated convolution: images wider than high, and filters higher than wide, or wider."""
    check(dilated((2, 3, 8, 9), (4, 3, 3, 2), stride=1, pad=0, dilation=2))
    check(dilated((3, 2, 9, 15), (4, 2, 2, 4), stride=2, pad=1, dilation=3))


@pytest.mark.task("dilated_conv", weight=1)
def test_gaps_in_float32() -> None:
    """Dilated convolution: the result is in the dtype of the images and close to that in float64."""
    case = fitting(dilated((2, 3, 7, 7), (4, 3, 3, 3), stride=1, pad=1, dilation=2))
    compare(case.to(torch.float32), "the result in float32")


@pytest.mark.task("dilated_conv", weight=1)
def test_gaps_in_scattered_memory() -> None:
    """Dilated convolution: images and filters may be non-contiguous in memory."""
    case = fitting(dilated((2, 3, 7, 7), (4, 3, 3, 3), stride=1, pad=1, dilation=2))
    compare(replace(case, tensors=tuple(map(scattered, case.tensors))), "the result for scattered memory")


@pytest.mark.task("dilated_conv", weight=1)
def test_one_by_one_filters_have_no_gaps() -> None:
    """Dilated convolution: with 1 x 1 filters, the dilation makes no difference."""
    for dilation in (1, 3):
        case = dilated((2, 3, 5, 5), (4, 3, 1, 1), stride=1, pad=1, dilation=dilation)
        compare(case, f"the result with dilation {dilation}")


@pytest.mark.task("grouped_conv", weight=1)
def test_one_group() -> None:
    """Grouped convolution: with one group, it is a plain one."""
    check(grouped((2, 3, 6, 6), (4, 3, 3, 3), stride=1, pad=0, groups=1))
    check(grouped((2, 3, 5, 5), (4, 3, 3, 3), stride=1, pad=1, groups=1), "the result with pad 1")


@pytest.mark.task("grouped_conv", weight=2)
def test_groups() -> None:
    """Grouped convolution: two and three groups, of several channels and filters."""
    check(grouped((2, 4, 6, 6), (6, 2, 3, 3), stride=1, pad=0, groups=2), "the result of two groups")
    check(grouped((2, 6, 5, 5), (9, 2, 2, 2), stride=1, pad=0, groups=3), "the result of three groups")


@pytest.mark.task("grouped_conv", weight=2)
def test_a_group_for_each_channel() -> None:
    """Grouped convolution: as many groups as channels, with two filters for each, and with one."""
    check(grouped((2, 3, 5, 5), (6, 1, 3, 3), stride=1, pad=1, groups=3), "the result of two filters each")
    check(grouped((2, 4, 5, 5), (4, 1, 3, 3), stride=1, pad=1, groups=4), "the result of one filter each")


@pytest.mark.task("grouped_conv", weight=2)
def test_groups_with_strides() -> None:
    """Grouped convolution: strides of 2 and 3, with a remainder or without."""
    check(grouped((2, 4, 7, 7), (6, 2, 3, 3), stride=2, pad=0, groups=2), "the result with stride 2")
    check(grouped((3, 6, 8, 8), (6, 2, 3, 3), stride=2, pad=1, groups=3), "the result with stride 2, pad 1")
    check(grouped((2, 4, 6, 6), (4, 2, 2, 2), stride=3, pad=2, groups=2), "the result with stride 3")


@pytest.mark.task("grouped_conv", weight=1)
def test_groups_of_oblong_filters() -> None:
    """Grouped convolution: images wider than high, and filters higher than wide, or wider."""
    check(grouped((2, 4, 5, 7), (6, 2, 3, 2), stride=1, pad=0, groups=2))
    check(grouped((3, 6, 6, 13), (6, 2, 2, 4), stride=2, pad=1, groups=3))


@pytest.mark.task("grouped_conv", weight=1)
def test_groups_in_float32() -> None:
    """Grouped convolution: the result is in the dtype of the images and close to that in float64."""
    compare(FITTING_GROUPS.to(torch.float32), "the result in float32")


@pytest.mark.task("grouped_conv", weight=1)
def test_groups_in_scattered_memory() -> None:
    """Grouped convolution: images and filters may be non-contiguous in memory."""
    tensors = tuple(map(scattered, FITTING_GROUPS.tensors))
    compare(replace(FITTING_GROUPS, tensors=tensors), "the result for scattered memory")


@pytest.mark.task("grouped_conv", weight=1)
def test_groups_of_one_image_at_a_time() -> None:
    """Grouped convolution: an image gives the same in a batch and alone."""
    images, *weights = FITTING_GROUPS.tensors
    for number, x in enumerate(images.split(1)):
        compare(replace(FITTING_GROUPS, tensors=(x, *weights)), f"the result for image {number} alone")


@pytest.mark.task("conv_1d_3d", weight=1)
def test_sequences() -> None:
    """Convolution of sequences: one step at a time."""
    check(sequences((2, 3, 9), (4, 3, 3), stride=1, pad=0))


@pytest.mark.task("conv_1d_3d", weight=1)
def test_sequences_with_strides() -> None:
    """Convolution of sequences: strides of 2 and 3, pads, and a remainder."""
    check(sequences((3, 4, 11), (6, 4, 3), stride=3, pad=1), "the result with stride 3, pad 1")
    check(sequences((2, 2, 8), (3, 2, 5), stride=2, pad=0), "the result with stride 2")
    check(sequences((2, 3, 6), (4, 3, 4), stride=1, pad=3), "the result with pad 3")


@pytest.mark.task("conv_1d_3d", weight=1)
def test_volumes() -> None:
    """Convolution of volumes: cubes, without padding."""
    check(volumes((2, 2, 5, 5, 5), (4, 2, 3, 3, 3), stride=1, pad=0))


@pytest.mark.task("conv_1d_3d", weight=1)
def test_volumes_with_padding() -> None:
    """Convolution of volumes: cubes that are padded by zeros on all six sides."""
    check(volumes((2, 3, 4, 4, 4), (4, 3, 2, 2, 2), stride=1, pad=1))


@pytest.mark.task("conv_1d_3d", weight=1)
def test_volumes_with_strides() -> None:
    """Convolution of volumes: cubes, strides of 2 and a remainder."""
    check(volumes((2, 2, 6, 6, 6), (3, 2, 3, 3, 3), stride=2, pad=0))
    check(volumes((2, 2, 6, 6, 6), (3, 2, 3, 3, 3), stride=2, pad=1), "the result with pad 1")


@pytest.mark.task("conv_1d_3d", weight=1)
def test_oblong_volumes() -> None:
    """Convolution of volumes: depth, height and width differ, and so do those of the filters."""
    check(volumes((2, 2, 5, 4, 7), (4, 2, 3, 1, 2), stride=1, pad=0))
    check(volumes((2, 3, 4, 7, 9), (3, 3, 1, 4, 3), stride=2, pad=1))


@pytest.mark.task("conv_1d_3d", weight=1)
def test_sequences_and_volumes_in_float32() -> None:
    """Convolution of sequences and volumes: in the dtype of x, which may be scattered in memory."""
    for case in (
        fitting(sequences((2, 3, 9), (4, 3, 3), stride=1, pad=1)),
        fitting(volumes((2, 3, 5, 5, 5), (4, 3, 3, 3, 3), stride=1, pad=1)),
    ):
        compare(case.to(torch.float32), f"the result of {case.name} in float32")
        scattered_x = (scattered(case.tensors[0]), *case.tensors[1:])
        compare(replace(case, tensors=scattered_x), f"the result of {case.name} for scattered memory")
