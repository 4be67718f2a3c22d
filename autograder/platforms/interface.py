"""What a platform may tell: how it names hand-ins, how its rosters read, what it imports as a gradebook.

Every part is optional. `autograder.intake` asks for the first two, `autograder.exporters` for the third.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, auto
from pathlib import Path
from typing import Any, Protocol

from autograder.graded.records import Record
from autograder.graded.standing import Standing

IsKnown = Callable[[str], bool]
"""Tells whether somebody on the roster has a name or an id."""


@dataclass(frozen=True)
class Entry:
    """One hand-in of one student.

    Attributes
    ----------
    identifiers : tuple of str
        What tells who it is: a folder's name, a number, an address.
    path : Path or None
        A folder or an archive.
    files : dict of str to Path
        Single files under the names that the student gave, where there is no `path`.
    parts : dict of str to Path
        What belongs to it and lies elsewhere: a folder name to a file or folder.
    called : str
        What results are called where no roster says so; else the first identifier.
    name : str
        Name for people to read.
    order : tuple
        Earlier hand-ins of a student sort first.
    notes : tuple of str
        What the student should know.
    """

    identifiers: tuple[str, ...]
    path: Path | None = None
    files: dict[str, Path] = field(default_factory=dict)
    parts: dict[str, Path] = field(default_factory=dict)
    called: str = ""
    name: str = ""
    order: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Where it lies, for messages."""
        if self.path is not None:
            return self.path.name
        return " and ".join(path.name for path in (self.files or self.parts).values())

    @property
    def place(self) -> Path:
        """Where it lies."""
        return self.path or next(iter((self.files or self.parts).values()))


@dataclass(frozen=True)
class Layout:
    """The hand-ins in a folder, and the entries that belong to no student.

    Attributes
    ----------
    title : str
        ``"a Canvas download"``.
    entries : tuple of Entry
        Every hand-in.
    others : tuple of str
        Names that were left out.
    """

    title: str
    entries: tuple[Entry, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Download:
    """A download in which the name of each file or folder says whose it is.

    Attributes
    ----------
    title : str
        ``"a Canvas download"``.
    is_one : callable
        `is_one(name, is_folder)` tells whether the platform gave a name.
    entries : callable
        `entries(parts, is_known)` yields the attempts of all students; `parts` maps names that the platform
        gave to files and folders.
    anonymous : str
        How `Entry.called` begins where the platform hides who it is.
    """

    title: str
    is_one: Callable[[str, bool], bool]
    entries: Callable[[Mapping[str, Path], IsKnown], Iterator[Entry]]
    anonymous: str = ""


@dataclass(frozen=True)
class Export:
    """A folder that holds more than hand-ins, by which it is known.

    Attributes
    ----------
    title : str
        ``"a Gradescope export"``.
    is_one : callable
        `is_one(names)` tells whether a folder that holds these is one.
    layout : callable or None
        `layout(folder, names)` returns the hand-ins in it.
    folder : str
        Where there is no `layout`: the folder in it in which each student has an entry.
    """

    title: str
    is_one: Callable[[Sequence[str]], bool]
    layout: Callable[[Path, Sequence[str]], Layout] | None = None
    folder: str = ""


class Field(StrEnum):
    """What a column of a roster says about a student."""

    student = "student"
    """What results are to be called."""
    login = "login"
    email = "email"
    number = "number"
    """What the university knows somebody by."""
    id = "id"
    """What the platform itself knows somebody by, which its downloads have in the names of files."""
    name = "name"
    first = "first name"
    last = "last name"
    section = "section"
    role = "role"


class RowKind(StrEnum):
    """What a row of a platform's gradebook stands for."""

    student = auto()
    points_possible = auto()
    remark = auto()
    """The platform's own remark about columns."""
    test_student = auto()


@dataclass(frozen=True)
class RosterFormat:
    """How a platform writes lists of students.

    Attributes
    ----------
    columns : mapping of Field to tuple of str
        The names of columns. Blanks, hyphens, underscores and upper case do not matter.
    is_own : callable or None
        `is_own(header)` tells by the very names whether an export is the platform's; where there is such a
        function, its columns mean something else than the same names elsewhere.
    roles : frozenset of str
        Roles of staff and guests, without capitals.
    participant : re.Pattern or None
        An identifier in which the platform writes words around the number, which is its first group.
    kind : callable or None
        `kind(name, cells, is_labeled)` says what a row stands for: by its name as it is compared, its cells,
        and whether anything in it identifies somebody. Without it, every row stands for a student.
    is_last_name_first : bool
        Whether names are written ``Park, Ada``, also where the parts are in columns of their own.
    """

    columns: Mapping[Field, tuple[str, ...]]
    is_own: Callable[[Sequence[str]], bool] | None = None
    roles: frozenset[str] = frozenset()
    participant: re.Pattern[str] | None = None
    kind: Callable[[str, Sequence[str], bool], RowKind] | None = None
    is_last_name_first: bool = False


@dataclass(frozen=True)
class GradebookFile:
    """What a platform is to import, and what it is not.

    Attributes
    ----------
    text : str
        The file.
    points : int
        How many students get points.
    left : tuple of Standing
        Of every student in the export who is left as they are on the platform.
    strangers : tuple of str
        Who has a result, but is not in the export.
    is_code_only : bool
        Whether written answers are not in the points, because one of them is not scored.
    """

    text: str
    points: int
    left: tuple[Standing, ...]
    strangers: tuple[str, ...]
    is_code_only: bool = False


class Gradebook(Protocol):
    """A gradebook that a platform exports, and imports with points in it. Modules are its implementations."""

    @property
    def FILE(self) -> str:
        """Name of the file to import, in the folder of a graded class."""

    def render(
        self,
        records: Sequence[Record],
        *,
        columns: Sequence[str],
        rows: Mapping[str, Mapping[str, str]],
        points_possible: Mapping[str, str],
        names: Sequence[str],
        separator: str = ",",
    ) -> GradebookFile:
        """Return the file to import, for the header and the rows of an export."""

    def find_columns(
        self, columns: Sequence[str], names: Sequence[str], *, numbered: bool = True
    ) -> list[str]:
        """Return the columns of an assignment; `numbered` is False in a table of somebody else's."""

    def is_excused(self, cell: str) -> bool:
        """Tell whether the cell of an assignment says that the student need not hand in."""

    def missing(self, export: str, columns: Sequence[str], names: Sequence[str]) -> str:
        """Say that an export has no column of an assignment, what follows, and what the course can state."""

    def setting(self, assignment: str, columns: Sequence[str]) -> str:
        """Return what to write into ``course.toml`` so that an assignment has the first of some columns."""


@dataclass(frozen=True)
class Platform:
    """All that the kit knows of a platform.

    Attributes
    ----------
    name : str
        ``"Canvas"``.
    download : Download or None
        Hand-ins, each under a name that says whose it is.
    export : Export or None
        Hand-ins in a folder that is known by what else lies in it.
    roster : RosterFormat or None
        Lists of students.
    gradebook : Gradebook or None
        What it imports.
    aliases : mapping of Field to tuple of str
        Columns that people name after it in tables of their own, such as ``"Canvas ID"``.
    """

    name: str
    download: Download | None = None
    export: Export | None = None
    roster: RosterFormat | None = None
    gradebook: Gradebook | None = None
    aliases: Mapping[Field, tuple[str, ...]] = field(default_factory=dict)

    @property
    def possessive(self) -> str:
        """The name as it stands before what is the platform's: ``"Canvas'"``, ``"Moodle's"``."""
        return f"{self.name}'" if self.name.endswith("s") else f"{self.name}'s"


def last_change(path: Path) -> tuple[int, str]:
    """Return the time of a path's last change and its name, to put attempts in order."""
    try:
        return path.lstat().st_mtime_ns, path.name
    except OSError:
        return 0, path.name
