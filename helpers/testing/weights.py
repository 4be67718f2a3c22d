"""Saved weights of students, loaded where they can do no harm."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from helpers.testing import backend, checks
from helpers.testing.failures import CheckFailure


class Unloadable(Exception):
    """Saved weights are damaged, or hold what would run code."""


def load(content: bytes) -> Any:
    """Return what ``torch.save`` wrote, if that is tensors in plain containers.

    Raises
    ------
    Unloadable
        If it is something else.
    """
    try:
        return torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:
        raise Unloadable(type(error).__name__) from error


def load_weights(module: ModuleType, name: str) -> dict[str, torch.Tensor]:
    """Return the weights that lie beside a student's module, loaded in whichever process it lives.

    Parameters
    ----------
    module : module
        A student module, as a suite imports it.
    name : str
        A file that ``weights`` of ``assignment.toml`` names.

    Returns
    -------
    dict of str to Tensor
        Plain tensors on the CPU, of any shape and dtype.

    Raises
    ------
    CheckFailure
        If there is no such file, or it holds something other than a dict of tensors.
    """
    there = backend.backend_of(module)
    try:
        found = load(_beside(module, name)) if there is None else there.weights(module, name)
    except FileNotFoundError:
        raise CheckFailure(name, "not handed in") from None
    except Unloadable:
        cause = "something other than tensors was saved, or the file is damaged; save a dict of tensors"
        raise CheckFailure(name, "cannot be loaded as plain weights", likely_cause=cause) from None
    checks.holds(
        type(found) is dict and all(type(key) is str for key in found),
        what=name,
        problem="not a dict of tensors by name",
        likely_cause="something other than a dict of parameters was saved",
    )
    return {key: checks.tensor(value, what=f'{name}, "{key}"') for key, value in found.items()}


def _beside(module: ModuleType, name: str) -> bytes:
    files = getattr(getattr(module.__spec__, "loader", None), "files", None)
    if files is None:
        return Path(module.__file__ or "").with_name(name).read_bytes()
    if name not in files:
        raise FileNotFoundError(name)
    content: bytes = files[name]
    return content
