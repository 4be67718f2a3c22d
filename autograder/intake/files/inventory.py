"""The inventory of a hand-in: all files of it, from folders, archives and single files, in one list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from autograder.intake.files import archive, folders, members
from autograder.intake.files.members import Member
from autograder.intake.files.snapshot import MAX_ENTRIES, Unreadable
from autograder.platforms.interface import Entry

MAX_ARCHIVES, MAX_LEVELS = 20, 3
"""How many archives in a hand-in are opened, and how many in each other."""
MAX_OPENED_BYTES = 200_000_000
"""How large these may be, all together."""


class Inventory:
    """The files of a hand-in. Archives among them stay closed until somebody has to look into them.

    Parameters
    ----------
    found : sequence of Member
        Every file.
    refused : sequence of str
        What is known already to be of no use.

    Attributes
    ----------
    members : list of Member
        Those that a student may have written, the ones at the top first.
    refused : list of str
        Sentences about archives that could not be read, or are empty.
    """

    def __init__(self, found: Sequence[Member], refused: Sequence[str] = ()) -> None:
        self.members = members.without_clutter(found)
        self.refused = list(refused)
        self._opened: set[PurePosixPath] = set()
        self._left = MAX_OPENED_BYTES

    @classmethod
    def of_path(cls, path: Path) -> Inventory:
        """List a folder, or an archive that takes its place; raises Unreadable if it cannot be read."""
        if archive.is_archive(path.name) and not path.is_dir():
            return cls._of_archive(folders.file(path, path.name))
        return cls(folders.members(path))

    @classmethod
    def of_files(cls, files: Mapping[str, Path]) -> Inventory:
        """List single files under the names that a student gave them; the only one may be an archive."""
        found = [folders.file(path, name) for name, path in files.items()]
        if len(found) == 1 and archive.is_archive(found[0].name):
            return cls._of_archive(found[0])
        return cls(found)

    @classmethod
    def of_entry(cls, entry: Entry) -> Inventory:
        """List the files of an entry of a class folder; raises Unreadable if that cannot be done."""
        if entry.path is not None:
            found = cls.of_path(entry.path.parent.resolve() / entry.path.name)
        else:
            found = cls.of_files(entry.files)
        for folder, path in entry.parts.items():
            of_folder = path.is_dir() and not path.is_symlink()
            part = cls.of_path(path) if of_folder else cls.of_files({path.name: path})
            found = found.with_part(folder, part)
        return found

    @classmethod
    def _of_archive(cls, member: Member) -> Inventory:
        found = cls(archive.read(member))
        if not found.members:
            found.refused.append(_is_empty(member))
        return found

    def with_part(self, folder: str, other: Inventory) -> Inventory:
        """Return an inventory of this and another one, which gets a folder of its own."""
        found = [*self.members, *(one.below(PurePosixPath(folder)) for one in other.members)]
        return Inventory(found, [*self.refused, *other.refused])

    def expand(self) -> bool:
        """Open the archives among the files, and those in them; tell whether that brought new files."""
        before = len(self.members)
        for _ in range(MAX_LEVELS):
            closed = [one for one in self.members if self._is_closed(one)]
            if not closed:
                break
            for one in closed[: MAX_ARCHIVES - len(self._opened)]:
                self._open(one)
            self._opened.update(one.path for one in closed)
        return len(self.members) > before

    def _is_closed(self, member: Member) -> bool:
        return archive.is_archive(member.name) and member.path not in self._opened

    def _open(self, member: Member) -> None:
        try:
            content = archive.content(member, self._left)
            self._left -= len(content)
            found = [one.below(member.path) for one in archive.members(member.name, content)]
        except Unreadable as error:
            self.refused.append(str(error))
            return
        kept = members.without_clutter(found)
        if not kept:
            self.refused.append(_is_empty(member))
        self.members = members.without_clutter([*self.members, *kept])[:MAX_ENTRIES]


def _is_empty(member: Member) -> str:
    return f"{member.shown} is empty: it contains none of your files. Pack them again, and open it to check."
