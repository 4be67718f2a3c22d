"""What an assignment asks students for, and what it gave them: to recognise work by what it defines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autograder.assignment import Assignment
from autograder.intake import outline
from autograder.intake.outline import Block

_MAX_BYTES = 2_000_000


@dataclass(frozen=True)
class Module:
    """A module that students hand in.

    Attributes
    ----------
    file : str
        ``"knn.py"``.
    stub : str
        Its source as students received it; empty if the assignment was never released.
    names : frozenset of str
        The functions and classes that students find in it.
    """

    file: str
    stub: str
    names: frozenset[str]

    @cached_property
    def given(self) -> dict[str, Block]:
        """The functions and classes of the stub, by name."""
        return definitions(outline.blocks(self.stub))

    def defines(self, blocks: list[Block]) -> frozenset[str]:
        """Return which of the names some source defines."""
        return self.names & definitions(blocks).keys()

    def untouched(self, blocks: list[Block]) -> frozenset[str]:
        """Return which of the names are in some source as students received them."""
        found = definitions(blocks)
        return frozenset(
            name for name in self.given if name in found and found[name].bare == self.given[name].bare
        )

    def worked_on(self, blocks: list[Block]) -> frozenset[str]:
        """Return which of the names some source defines otherwise than the stub."""
        return self.defines(blocks) - self.untouched(blocks)

    def is_stub(self, blocks: list[Block]) -> bool:
        """Tell whether a source is what students received, but for comments and white space."""
        return bool(self.given) and self.untouched(blocks) == definitions(blocks).keys()


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
        modules = tuple(_module(f"{name}.py", release, assignment.folder) for name in assignment.modules)
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


def definitions(blocks: list[Block]) -> dict[str, Block]:
    """Return the functions and classes of a source by name; of several of one name, the last."""
    return {block.names[0]: block for block in blocks if block.kind == "definition"}


def _module(file: str, release: Path, solutions: Path) -> Module:
    stub = _read(release / file)
    found = definitions(outline.blocks(stub or _read(solutions / file)))
    return Module(file, stub, frozenset(name for name in found if not name.startswith("_")))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
