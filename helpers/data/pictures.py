"""`tabletop`, a set of color pictures of ten things on a table, drawn rather than downloaded."""

from __future__ import annotations

import os
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from helpers import seeds
from helpers.data.cache import Arrays, folder_of, load_or_make
from helpers.data.drawing import scenes
from helpers.data.drawing.draws import Draws
from helpers.data.drawing.objects import OBJECTS
from helpers.data.splits import Split

CLASSES = tuple(OBJECTS)
"""Names of the classes, by label."""

EDITION = 1
"""Grows whenever any picture changes, so that no older file in a cache is taken for a new one."""


def tabletop(
    num_train: int = 8000,
    num_val: int = 1000,
    num_test: int = 1000,
    *,
    seed: int = 0,
    cache: bool | str | os.PathLike[str] = True,
) -> Split:
    """Return pictures of things on a table, 32 by 32 pixels, the same on every machine.

    There are ten classes, `CLASSES`, equally many pictures of each where sizes are multiples of 200. Nothing
    occurs twice: every picture has a thing, a wall, a table and a light of its own, and every part draws them
    from a stream of random numbers of its own. Fewer pictures are the first ones of more.

    Parameters
    ----------
    num_train, num_val, num_test : int
        How many pictures each part has.
    seed : int
        Which set: another number gives other pictures.
    cache : bool or path
        Whether to keep the pictures in a file, or in which folder, by default that of
        `helpers.data.cache.folder_of`. A file that is missing or damaged, or a folder that cannot be written,
        costs a second and no more.

    Returns
    -------
    Split
        Images float32 of shape (N, 3, 32, 32) in [0, 1], labels int64 of shape (N,).

    Raises
    ------
    ValueError
        If a size is negative.

    Examples
    --------
    >>> split = tabletop(40, 10, 10, cache=False)
    >>> split.x_train.shape, split.y_test.dtype
    (torch.Size([40, 3, 32, 32]), torch.int64)
    """
    folder = None if cache is False else folder_of(None if cache is True else cache)
    parts: list[torch.Tensor] = []
    for name, count in (("train", num_train), ("val", num_val), ("test", num_test)):
        key = _public_key(seed, name)
        if folder is None:
            parts += _tensors(*_draw(key, count))
        else:
            file = folder / f"tabletop-{EDITION}-{seed}-{name}-{count}.npz"
            parts += _tensors(**load_or_make(file, partial(_arrays, key, count), partial(_is_sound, count)))
    return Split(*parts)


def tabletop_images(seed: int | bytes, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pictures that are in no part of `tabletop`, such as those of a hidden test.

    Parameters
    ----------
    seed : bytes or int
        Bytes, such as the secret of a course, give pictures that only who has them can make again.
    count : int
        How many pictures.

    Returns
    -------
    images : torch.Tensor, float32, (count, 3, 32, 32)
        In [0, 1].
    labels : torch.Tensor, int64, (count,)

    Raises
    ------
    ValueError
        If `count` is negative.
    """
    key = seed if isinstance(seed, bytes) else _public_key(seed, "images")
    return _tensors(*_draw(key, count))


def _public_key(seed: int, part: str) -> bytes:
    """Return the key of a part of a public set."""
    return seeds.seed(seeds.PUBLIC_KEY, "tabletop", str(int(seed)), part).to_bytes(8, "big")


def _tensors(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images as float32 in [0, 1], and labels."""
    return torch.from_numpy(images).to(torch.float32) / 255, torch.from_numpy(labels)


def _arrays(key: bytes, count: int) -> Arrays:
    """Return what is kept of so many pictures."""
    images, labels = _draw(key, count)
    return {"images": images, "labels": labels}


def _is_sound(count: int, arrays: Arrays) -> bool:
    """Tell whether arrays hold so many pictures."""
    forms = {name: (array.dtype.name, array.shape) for name, array in arrays.items()}
    images = ("uint8", (count, 3, scenes.SIZE, scenes.SIZE))
    return forms == {"images": images, "labels": ("int64", (count,))}


def _draw(key: bytes, count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images, uint8 (count, 3, 32, 32), and labels, int64 (count,)."""
    if count < 0:
        raise ValueError(f"there cannot be {count} pictures")
    images = np.empty((count, 3, scenes.SIZE, scenes.SIZE), np.uint8)
    labels = np.empty(count, np.int64)
    for start in range(0, count, scenes.BLOCK):
        part = slice(start, start + scenes.BLOCK)
        drawn, named = scenes.draw_block(Draws(key, "tabletop", start // scenes.BLOCK))
        images[part], labels[part] = drawn[: count - start], named[: count - start]
    return images, labels
