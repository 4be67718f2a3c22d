"""The files that an assignment asks for and those it gave out, to recognize work by what it defines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autograder.course.assignment import Assignment
from helpers.submission.modules import Module

_MAX_BYTES = 2_000_000


@dataclass(frozen=True)
class Wanted:
    """What an assignment asks students for.

    Attributes
    ----------
    assignment : str
        Its name.
    modules : tuple of Module
        What is graded.
    weights : tuple of str
        Files of saved weights, which nobody has to hand in.
    release : Path
        Where the files that students received lie.
    """

    assignment: str
    modules: tuple[Module, ...]
    weights: tuple[str, ...]
    release: Path

    @classmethod
    def by(cls, assignment: Assignment) -> Wanted:
        """Return what `assignment` asks for."""
        release = assignment.folder.parent.parent / "assignments" / assignment.name
        files = [f"{name}.py" for name in assignment.modules]
        modules = tuple(
            Module.by(file, _read(release / file), _read(assignment.folder / file)) for file in files
        )
        return cls(assignment.name, modules, assignment.weights, release)

    @property
    def files(self) -> list[str]:
        """Names of the modules' files."""
        return [module.file for module in self.modules]

    @property
    def notebook(self) -> str:
        """Name of the notebook."""
        return f"{self.assignment}.ipynb"

    @property
    def everything(self) -> list[str]:
        """Names of all files that are looked for."""
        return [*self.files, *self.weights, self.notebook]

    @cached_property
    def released_notebook(self) -> bytes:
        """The notebook as students received it; empty if the assignment was never released."""
        return _read(self.release / self.notebook).encode()


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
