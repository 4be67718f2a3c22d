"""The data sets of the notebooks."""

from __future__ import annotations

import torch

from helpers.data.downloads import DownloadError
from helpers.data.photographs import CIFAR10_CLASSES, PROPS_CLASSES, cifar10, props
from helpers.data.pictures import CLASSES as TABLETOP_CLASSES
from helpers.data.pictures import tabletop, tabletop_images
from helpers.data.splits import Split, require_sizes
from helpers.seeds import public_generator

__all__ = [
    "CIFAR10_CLASSES",
    "PROPS_CLASSES",
    "TABLETOP_CLASSES",
    "DownloadError",
    "Split",
    "cifar10",
    "digits",
    "props",
    "tabletop",
    "tabletop_images",
]


def digits(num_train: int = 1197, num_val: int = 300, num_test: int = 300) -> Split:
    """Return handwritten digits, 8 by 8 pixels, in an order that is the same everywhere.

    The 1797 images are those that come with scikit-learn, so that no download is needed: the test set of
    "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998, UCI Machine Learning Repository).

    Parameters
    ----------
    num_train, num_val, num_test : int
        How many images to take for each part; the parts never overlap.

    Raises
    ------
    ValueError
        If the parts need more than the 1797 images, or a negative number of them.

    Examples
    --------
    >>> digits().x_train.shape
    torch.Size([1197, 1, 8, 8])
    """
    images, labels = _all_digits()
    sizes = (num_train, num_val, num_test)
    require_sizes("digits", len(labels), *sizes)
    order = torch.randperm(len(labels), generator=public_generator("digits"))
    parts = torch.split(order[: sum(sizes)], list(sizes))
    return Split(*(source[part] for part in parts for source in (images, labels)))


def _all_digits() -> tuple[torch.Tensor, torch.Tensor]:
    """Return all images (1797, 1, 8, 8) and labels (1797,), in the order of their file."""
    from sklearn.datasets import load_digits  # takes long to import, and most need other data

    raw = load_digits()
    images = torch.from_numpy(raw.images).to(torch.float32).unsqueeze(1) / 16
    return images, torch.from_numpy(raw.target).to(torch.int64)
