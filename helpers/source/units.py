"""What is written down of one definition in a source file: plain marks, each with its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

MODULE = "<module>"
Mark = tuple[str, int]
OWN = "own:"
"""Stands before the name of a unit of the same file, in `Unit.values`."""
RESULT = "="
"""Stands before the name of a function whose result is called, in `Unit.loose`."""
PROGRAM = "<program>"
"""What runs only where the file is not imported."""
READ = "-"
"""Stands before the name of an attribute that is only read, in `Unit.loose`."""
FIELD = "field."
"""Stands before the name of a field that a class declares, in `Unit.stores`."""
OBJECT = "an object of its own class"
BY_NAME = "arguments by ** whose names are not written out"
VALUE_CALL = "a call of a value"
PARAMETER_CALL = "a call of a parameter"

Aliases = dict[str, list[str]]
"""Name in a module to the dotted names that it may stand for; ``*`` to modules that all is imported from."""


@dataclass
class Unit:
    """One definition: a function, method, lambda or class, or a name that a module or class assigns.

    Attributes
    ----------
    name : str
        Qualified name, as Python's ``__qualname__``.
    line : int
        Where it begins.
    kind : {"function", "class", "value"}
        What it is.
    loops, uses, in_place : list of (str, int)
        What was seen there and on which line: kinds of loops; dotted names; operations on arguments.
    constructs : list of (str, int)
        Statements and expressions that not every reader of Python code takes for granted.
    values : list of (str, int)
        Names that are passed on instead of called: dotted names, and functions of this file as ``own:name``.
    stores : list of (str, int)
        Attributes that are set: ``self.x``, ``torch.Tensor.x``, or ``.x`` of an unknown object.
    calls : dict of str to None
        Other units that it names, or that run where it does, in order.
    parts : dict of str to None
        Units defined inside it.
    loose : dict of str to None
        Attributes of unknown objects, which may be methods of any class in the file.
    """

    name: str
    line: int
    kind: str = "value"
    loops: list[Mark] = field(default_factory=list)
    uses: list[Mark] = field(default_factory=list)
    in_place: list[Mark] = field(default_factory=list)
    constructs: list[Mark] = field(default_factory=list)
    values: list[Mark] = field(default_factory=list)
    stores: list[Mark] = field(default_factory=list)
    calls: dict[str, None] = field(default_factory=dict)
    parts: dict[str, None] = field(default_factory=dict)
    loose: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True)
class Sighting:
    """Something seen in the source: a kind of loop or a dotted name, its line, the definition around it.

    `file` is empty for the file that is judged; it names another one that this one imports.
    """

    what: str
    line: int
    where: str
    file: str = ""


def sightings(unit: Unit, marks: Sequence[Mark]) -> Iterator[Sighting]:
    """Yield marks of a unit with its name and file."""
    return (Sighting(what, line, local(unit.name), file_of(unit.name)) for what, line in marks)


def local(name: str) -> str:
    """Return the name of a unit within its file.

    Examples
    --------
    >>> local("nets.blocks:Block.forward"), local("f")
    ('Block.forward', 'f')
    """
    return name.rpartition(":")[2]


def file_of(name: str) -> str:
    """Return the file of a unit; empty for the one that is judged."""
    module = name.rpartition(":")[0]
    return f"{module.replace('.', '/')}.py" if module else ""
