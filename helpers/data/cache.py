"""The cache of data sets: arrays without pickle, in files that are complete or absent."""

from __future__ import annotations

import contextlib
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


def folder_of(named: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the folder named, or COURSEGRAD_CACHE, or one in the user's home; None if there is no home."""
    chosen = named or os.environ.get("COURSEGRAD_CACHE")
    if chosen:
        return Path(chosen)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "coursegrad").expanduser()
    except RuntimeError:  # a user without a home, such as one that only runs a worker
        return None


def load_or_make(file: Path, make: Callable[[], Arrays], is_sound: Callable[[Arrays], bool]) -> Arrays:
    """Return arrays from a file, which is made first if there is none, or one that is damaged.

    Where the file cannot be written, the arrays are made every time.

    Parameters
    ----------
    make : callable
        Makes the arrays.
    is_sound : callable
        Tells whether arrays that were read have the shapes and types of what `make` makes.
    """
    with contextlib.suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            arrays: Arrays = {name: stored[name] for name in stored.files}
        if is_sound(arrays):
            return arrays
    arrays = make()
    with contextlib.suppress(OSError):
        _write(file, arrays)
    return arrays


def _write(file: Path, arrays: Arrays) -> None:
    """Write a file so that at no time there is a part of it under its name."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".kept-")
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
