"""Modules that stand for those of other kits: ``import eecs598`` gives helpers of this one.

`helpers.other_kits` says which names there are.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from helpers import other_kits
from helpers.other_kits import Names
from helpers.wording import enumerate_words


class StandIn(ModuleType):
    """A module that looks its names up in a table."""

    def __init__(self, name: str, names: Names) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self._names = names

    def __getattr__(self, wanted: str) -> Any:
        names: Names = self.__dict__["_names"]
        if wanted == "__all__" and "*" not in names:
            return list(names)
        if wanted.startswith("__") and wanted.endswith("__"):
            raise AttributeError(wanted)
        place = f"{names['*']}.{wanted}" if "*" in names else names.get(wanted)
        found = StandIn(f"{self.__name__}.{wanted}", place) if isinstance(place, Mapping) else _load(place)
        if found is None:
            raise AttributeError(explain_missing(self.__name__, names, wanted))
        setattr(self, wanted, found)
        return found


def is_one(module: str) -> bool:
    """Tell whether something of this kit stands for a module.

    Examples
    --------
    >>> is_one("eecs598.grad"), is_one("eecs598.nothing"), is_one("torch")
    (True, False, False)
    """
    return other_kits.table(module) is not None


def load(wanted: str, names: Sequence[str] | None) -> ModuleType:
    """Return what an import statement gives.

    Parameters
    ----------
    wanted : str
        The module that it names.
    names : sequence of str or None
        What it takes from the module: without any, it gives the package that the module lies in.

    Raises
    ------
    ImportError
        If something is not there, with a sentence that says what is.
    """
    top = wanted.partition(".")[0]
    module = base = StandIn(top, other_kits.table(top) or {})
    for part in wanted.split(".")[1:]:
        module = _inner(module, part)
    for name in names or ():
        if name != "*":
            _inner(module, name)
    return module if names else base


def explain_missing(module: str, names: Names, wanted: str) -> str:
    """Return a sentence on a name that nothing stands for."""
    top = module.partition(".")[0]
    known = enumerate_words(sorted(name for name in names if name != "*")) or names["*"]
    return f"no file {top}.py was handed in; this course stands in for {known}, and has no {wanted}"


class Finder(MetaPathFinder, Loader):
    """Finds stand-ins where Python finds no module: for notebooks."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find what something of this kit stands for."""
        return ModuleSpec(fullname, self, is_package=True) if is_one(fullname) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make the stand-in."""
        return StandIn(spec.name, other_kits.table(spec.name) or {})

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: names are looked up when they are asked for."""


def install() -> None:
    """Let Python find stand-ins in this process where it finds no other module."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.append(Finder())


def _inner(module: ModuleType, name: str) -> Any:
    try:
        return getattr(module, name)
    except AttributeError as error:
        raise ImportError(f"cannot import name {name!r}: {error}") from None


def _load(place: str | None) -> Any:
    """Return something of this kit by its dotted name, or None."""
    parts = place.split(".") if place else []
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part, None)
        return found
    return None
