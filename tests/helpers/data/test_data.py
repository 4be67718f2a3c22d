"""Tests of helpers.data."""

from __future__ import annotations

from dataclasses import astuple

import pytest
import torch

from helpers import data


def test_digits_have_the_promised_form() -> None:
    split = data.digits()
    for images, labels, size in (
        (split.x_train, split.y_train, 1197),
        (split.x_val, split.y_val, 300),
        (split.x_test, split.y_test, 300),
    ):
        assert images.shape == (size, 1, 8, 8)
        assert images.dtype == torch.float32
        assert images.min() >= 0
        assert images.max() == 1
        assert labels.shape == (size,)
        assert labels.dtype == torch.int64
        assert labels.unique().tolist() == list(range(10))


def test_digits_are_the_same_every_time_and_belong_to_the_caller() -> None:
    first, second = data.digits(100, 0, 50), data.digits(100, 0, 50)
    assert all(torch.equal(one, other) for one, other in zip(astuple(first), astuple(second), strict=True))
    first.x_train.zero_()
    assert data.digits(100, 0, 50).x_train.sum() > 0


def test_the_order_never_changes() -> None:
    assert data.digits(12, 0, 0).y_train.tolist() == [4, 7, 7, 6, 3, 0, 7, 7, 7, 0, 9, 6]


def test_parts_do_not_overlap() -> None:
    split = data.digits(1197, 300, 300)
    images = torch.cat([split.x_train, split.x_val, split.x_test]).flatten(1)
    assert len(images.unique(dim=0)) == 1797


@pytest.mark.parametrize("sizes", [(1797, 1, 0), (-1, 2, 3)])
def test_impossible_sizes_are_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="1797 digits"):
        data.digits(*sizes)
