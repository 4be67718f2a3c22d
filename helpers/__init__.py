"""Code shared by student notebooks and test suites, and the short names that notebooks use."""

from __future__ import annotations

import importlib
from types import ModuleType

from helpers.places import PLACES


def check(name: str = "", task: str | int | None = None) -> None:
    """Run public checks of an assignment or a task, and show a table; see `helpers.notebook.runner.check`."""
    from helpers.notebook import runner

    runner.check(name, task)


def __getattr__(name: str) -> ModuleType:
    """Import a module by a short name, as ``from helpers import plots`` does."""
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"helpers.{PLACES[name]}")
