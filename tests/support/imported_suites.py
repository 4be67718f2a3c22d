"""Modules of a suite, test files or not, with the reference solution in the place of student code."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from autograder.course import hidden_generators
from autograder.course.assignment import shared_modules
from autograder.engine.package import importable
from helpers.testing.collection import register_markers
from helpers.testing.conventions import use_conventions

ROOT = Path(__file__).parents[2]
SECRET = b"d"
"""One under which no ReLU is so close to 0 that a small step switches it."""
CLOSE = 1e-7
"""How close central differences come to a gradient in float64, relative to its largest entry."""


@contextlib.contextmanager
def importing(name: str, config: pytest.Config) -> Iterator[Callable[[str], ModuleType]]:
    """Yield a function that imports a module of the suite `name`."""
    solution, suite = ROOT / "solutions" / name, ROOT / "autograder" / "suites" / name
    handed_in = [path.stem for path in solution.glob("*.py")]
    register_markers(config)
    settings = tomllib.loads((solution / "assignment.toml").read_text(encoding="utf-8"))
    use_conventions(settings.get("conventions", {}))

    @functools.cache
    def load(file: str) -> ModuleType:
        if file in shared_modules(suite):
            return importlib.import_module(f"suite.{file}")
        spec = importlib.util.spec_from_file_location(f"{name} {file}", suite / f"{file}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # where dataclasses look themselves up
        loaded.append(spec.name)
        spec.loader.exec_module(module)
        return module

    loaded: list[str] = []
    with pytest.MonkeyPatch.context() as patch, importable(suite):
        patch.setattr(hidden_generators, "_key", lambda: SECRET)
        patch.syspath_prepend(solution)
        _forget(handed_in)
        try:
            yield load
        finally:
            _forget([*handed_in, *loaded])


def _forget(names: list[str]) -> None:
    for name in names:
        sys.modules.pop(name, None)
