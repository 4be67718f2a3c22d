"""The package `suite`: what the test files of a suite share, in modules beside them.

It is found while a suite is collected and at no other time, so that student code that runs in the same
process cannot import it. Workers never see it: the folder of the suite is hidden from them.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from autograder.course.assignment import SHARED_PACKAGE, shared_modules


@contextlib.contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Let `import suite.NAME` find NAME.py in the folder of a suite, before anything else of that name.

    Afterwards the package is forgotten; what was imported from it stays alive where it is used.
    """
    finder = _SuiteFinder(folder)
    kept = _forget()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _forget()
        sys.modules.update(kept)


class _SuiteFinder(importlib.abc.MetaPathFinder):
    """Finds the package, whose path is empty, and the modules of one folder in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.partition(".")
        if package != SHARED_PACKAGE:
            return None
        if not name:
            return ModuleSpec(fullname, None, is_package=True)
        if name not in shared_modules(self._folder):
            return None
        place = str(self._folder / f"{name}.py")
        return importlib.util.spec_from_file_location(fullname, place, loader=_SuiteLoader(fullname, place))


class _SuiteLoader(SourceFileLoader):
    """Compiles the source that is there now, which the hash of the suite covers, and no cache of it."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def _forget() -> dict[str, ModuleType]:
    """Take the package and its modules out of what is imported; return them."""
    names = [name for name in sys.modules if name.partition(".")[0] == SHARED_PACKAGE]
    return {name: sys.modules.pop(name) for name in names}
