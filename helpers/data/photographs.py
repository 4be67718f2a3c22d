"""The photographs of the course: CIFAR-10 and PROPS, downloaded once and kept without pickle."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from helpers.data.cache import Arrays, folder_of, load_or_make
from helpers.data.downloads import DownloadError, RemoteFile
from helpers.data.splits import Split, require_sizes
from helpers.seeds import public_generator

CIFAR10: Final = RemoteFile(
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "cifar-10-python.tar.gz",
    "sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
)
PROPS: Final = RemoteFile(
    "https://drive.usercontent.google.com/download?id=1C8_JFsnPVm392C-S1rH0y4HFfNkdMlXi&export=download&confirm=t",
    "Progress-Objects-Sample.tar.gz",
    "md5:b32c587684bb54a9f918b6b081a18e28",
)
"""Its authors state an MD5 digest only."""

CIFAR10_CLASSES: Final = (
    *("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
)
PROPS_CLASSES: Final = (
    *("master_chef_can", "cracker_box", "sugar_box", "tomato_soup_can", "mustard_bottle"),
    *("tuna_fish_can", "gelatin_box", "potted_meat_can", "mug", "large_marker"),
)
_SIDE = 32
_PARTS = {"x_train", "y_train", "x_test", "y_test"}


def cifar10(
    num_train: int = 49_000,
    num_val: int = 1_000,
    num_test: int = 10_000,
    *,
    folder: str | os.PathLike[str] | None = None,
) -> Split:
    """Return CIFAR-10: 60,000 photographs of ten classes, `CIFAR10_CLASSES` (Krizhevsky, 2009).

    Parameters
    ----------
    num_train, num_val, num_test : int
        How many images each part has. The first two are taken from the 50,000 for training, in an order that
        is the same everywhere, the third from the 10,000 for test.
    folder : path, optional
        Where the file is kept, by default the course's cache.

    Returns
    -------
    Split
        Images float32 of shape (N, 3, 32, 32) in [0, 1], labels int64 of shape (N,).

    Raises
    ------
    DownloadError
        The file is not there and cannot be downloaded.
    ValueError
        If a part has a negative size, or more images are asked for than there are.
    """
    return _split("cifar10", CIFAR10, _read_cifar10, (num_train, num_val, num_test), folder)


def props(
    num_train: int = 49_000,
    num_val: int = 1_000,
    num_test: int = 10_000,
    *,
    folder: str | os.PathLike[str] | None = None,
) -> Split:
    """Return PROPS: 60,000 photographs of ten household objects, `PROPS_CLASSES` (Chen et al., 2022).

    The scenes of the test images are not among those of the training images. Parameters, returns and raises
    are those of `cifar10`.
    """
    return _split("props", PROPS, _read_props, (num_train, num_val, num_test), folder)


def _split(
    name: str,
    download: RemoteFile,
    read: Callable[[tarfile.TarFile], Arrays],
    sizes: tuple[int, int, int],
    folder: str | os.PathLike[str] | None,
) -> Split:
    place = folder_of(folder)
    if place is None:
        raise DownloadError(f"{download.name} needs a folder; name one with folder=.")
    arrays = load_or_make(place / f"{name}.npz", lambda: _convert(download.fetch(place), read), _is_sound)
    num_train, num_val, num_test = sizes
    require_sizes("images for training", len(arrays["y_train"]), num_train, num_val)
    require_sizes("images for test", len(arrays["y_test"]), num_test)
    order = torch.randperm(len(arrays["y_train"]), generator=public_generator(name)).numpy()
    tensors = []
    for part, chosen in (
        ("train", order[:num_train]),
        ("train", order[num_train : num_train + num_val]),
        ("test", slice(num_test)),
    ):
        tensors.append(torch.from_numpy(arrays[f"x_{part}"][chosen]).to(torch.float32).div_(255))
        tensors.append(torch.from_numpy(arrays[f"y_{part}"][chosen]).to(torch.int64))
    return Split(*tensors)


def _is_sound(arrays: Arrays) -> bool:
    """Tell whether arrays are those of a data set, images and labels in equal number."""
    return arrays.keys() == _PARTS and all(
        arrays[f"x_{part}"].dtype == np.uint8
        and arrays[f"x_{part}"].shape == (*arrays[f"y_{part}"].shape, 3, _SIDE, _SIDE)
        for part in ("train", "test")
    )


def _convert(path: Path, read: Callable[[tarfile.TarFile], Arrays]) -> Arrays:
    try:
        with tarfile.open(path) as archive:
            return read(archive)
    except (tarfile.TarError, KeyError, TypeError, ValueError, pickle.UnpicklingError, EOFError) as error:
        raise DownloadError(
            f"{path} does not have the expected content ({error}). Remove it and try again."
        ) from None


def _read_cifar10(archive: tarfile.TarFile) -> Arrays:
    """Read the batches; rows hold the red, then the green, then the blue values of an image, row by row."""
    inside = dict(_pickles(archive))
    batches = [inside[f"data_batch_{number}"] for number in range(1, 6)]
    return {
        "x_train": np.concatenate([_planes(batch["data"]) for batch in batches]),
        "y_train": np.concatenate([_labels(batch["labels"]) for batch in batches]),
        "x_test": _planes(inside["test_batch"]["data"]),
        "y_test": _labels(inside["test_batch"]["labels"]),
    }


def _read_props(archive: tarfile.TarFile) -> Arrays:
    """Read the objects, one file each, whose names begin with the class; the metadata name those for test."""
    inside = {name.removesuffix(".pkl"): content for name, content in _pickles(archive)}
    held_out = set(inside.pop("meta")["test_split"])
    arrays: Arrays = {}
    for part, names in (
        ("train", sorted(inside.keys() - held_out)),
        ("test", sorted(inside.keys() & held_out)),
    ):
        images = np.concatenate([_pixels(inside[name]["data"]) for name in names])
        labels = np.concatenate([np.full(len(inside[name]["data"]), _class_of(name)) for name in names])
        # The files are sorted by object; whoever takes the first images should get some of each.
        order = torch.randperm(len(labels), generator=public_generator("props", part)).numpy()
        arrays |= {f"x_{part}": images[order], f"y_{part}": labels[order]}
    return arrays


def _class_of(name: str) -> int:
    """Return the label of an object such as ``mug_3``."""
    return PROPS_CLASSES.index(name.rpartition("_")[0])


def _planes(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images (N, 3, 32, 32) from rows (N, 3072)."""
    return _bytes(data).reshape(-1, 3, _SIDE, _SIDE)


def _pixels(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images (N, 3, 32, 32) from (N, 32, 32, 3)."""
    return np.ascontiguousarray(_bytes(data).reshape(-1, _SIDE, _SIDE, 3).transpose(0, 3, 1, 2))


def _bytes(data: object) -> NDArray[np.uint8]:
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8:
        raise TypeError("the images are not an array of bytes")
    return data


def _labels(labels: object) -> NDArray[np.int64]:
    found = np.asarray(labels, dtype=np.int64)
    if found.ndim != 1 or (found.size and not 0 <= found.min() <= found.max() < 10):
        raise ValueError("the labels are not numbers from 0 to 9")
    return found


# Pickles


class _Arrays(pickle.Unpickler):
    """Read arrays and plain values, and refuse everything else that a pickle could do."""

    _allowed: Final[Mapping[tuple[str, str], str]] = {
        ("numpy.core.multiarray", "_reconstruct"): "numpy._core.multiarray",
        ("numpy._core.multiarray", "_reconstruct"): "numpy._core.multiarray",
        ("numpy", "ndarray"): "numpy",
        ("numpy", "dtype"): "numpy",
        ("_codecs", "encode"): "_codecs",
    }

    def find_class(self, module: str, name: str) -> Any:
        """Find what makes an array; raise UnpicklingError for anything else."""
        try:
            return super().find_class(self._allowed[module, name], name)
        except KeyError:
            raise pickle.UnpicklingError(f"it names {module}.{name}") from None


def _pickles(archive: tarfile.TarFile) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and content of each file that holds a dictionary, texts decoded."""
    for member in archive:
        stream = archive.extractfile(member) if member.isfile() else None
        name = Path(member.name).name
        if stream is not None and not name.endswith((".html", ".txt")):
            content = _Arrays(io.BytesIO(stream.read()), encoding="bytes").load()
            yield name, {key.decode() if isinstance(key, bytes) else key: content[key] for key in content}
