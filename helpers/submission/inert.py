"""Inert stand-ins for what only notebooks have, and notes on where they are used."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from helpers.source.imports import Import

MODULES = ("google.colab", "IPython")
"""Packages of notebooks; what is imported from them does nothing."""
NAMES = ("get_ipython", "display")
"""Functions that notebooks have without an import."""

_RETURNS: dict[str, object] = {"mount": None, "get": "", "upload": {}, "display": None}
"""What calls return of which the result is used; all others return a stand-in."""


class Inert:
    """An object that can be used in many ways, none of which does anything."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Named(name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return a function that was passed in, as a decorator would, or another stand-in."""
        return args[0] if len(args) == 1 and not kwargs and callable(args[0]) else Inert()

    def __getitem__(self, key: object) -> Any:
        return Inert()

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def __str__(self) -> str:
        return ""


class _Named(Inert):
    """A stand-in for an attribute, whose name says what a call returns."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._name in _RETURNS:
            return _RETURNS[self._name]
        return super().__call__(*args, **kwargs)


class InertModule(ModuleType):
    """A module in which every name can be had."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Named(name)


def is_inert(module: str) -> bool:
    """Tell whether a module is one of a notebook's.

    Examples
    --------
    >>> is_inert("google.colab.drive"), is_inert("google"), is_inert("IPython")
    (True, False, True)
    """
    return any(module == name or module.startswith(f"{name}.") for name in MODULES)


def make_module(name: str, *, whole: bool) -> ModuleType:
    """Return what an import statement gives in the place of a notebook's module.

    Parameters
    ----------
    whole : bool
        Return the module itself, as ``from google.colab import drive`` asks for, and not the package that
        it lies in, as ``import google.colab`` does.
    """
    return InertModule(name if whole else name.partition(".")[0])


def is_real(name: str) -> bool:
    """Tell whether the notebook's own module is loaded here, as on Colab and in Jupyter."""
    return any(name.startswith(top) and top in sys.modules for top in MODULES)


def bound_names() -> dict[str, object]:
    """Return the functions that notebooks have without an import, by name."""
    return {name: _Named(name) for name in NAMES}


def find_uses(imports: Iterable[Import], tree: ast.Module) -> dict[str, list[int]]:
    """Return what a file uses of a notebook's, and on which lines."""
    found: dict[str, list[int]] = {}
    bound = {name for one in imports for name in one.names}
    for one in imports:
        if is_inert(one.module) or (one.module == "google" and "colab" in one.names):
            found.setdefault(one.module, []).append(one.line)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in NAMES and node.id not in bound:
            found.setdefault(f"{node.id}()", []).append(node.lineno)
    return found
