"""Entries: what the top of a class folder holds, one for each hand-in of each student."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.intake.inventory import Inventory


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

    def inventory(self) -> Inventory:
        """List its files; raises Unreadable if that cannot be done."""
        if self.path is not None:
            found = Inventory.of_path(self.path.parent.resolve() / self.path.name)
        else:
            found = Inventory.of_files(self.files)
        for folder, path in self.parts.items():
            of_folder = path.is_dir() and not path.is_symlink()
            part = Inventory.of_path(path) if of_folder else Inventory.of_files({path.name: path})
            found = found.with_part(folder, part)
        return found


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


def modified(path: Path) -> tuple[int, str]:
    """Return the time of a path's last change and its name, to put attempts in order."""
    try:
        return path.lstat().st_mtime_ns, path.name
    except OSError:
        return 0, path.name
