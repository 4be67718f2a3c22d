"""Recognize how a folder of submissions is laid out: by hand, or as a learning platform packs downloads."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from autograder import platforms
from autograder.errors import IntakeError
from autograder.intake import decisions, plain
from autograder.intake.files import archive, snapshot
from autograder.intake.search import file_names
from autograder.intake.search.wanted import Wanted
from autograder.platforms.interface import Entry, IsKnown, Layout
from autograder.untrusted import line

_LISTS = (".csv", ".tsv", ".xlsx")


def recognize(
    folder: Path, wanted: Wanted, is_known: IsKnown, claimed: Collection[str] = frozenset()
) -> Layout:
    """Find the hand-ins in a folder, or in the only folder in it if that is where they are.

    Parameters
    ----------
    is_known : callable
        Tells whether somebody on the roster has a name or an id.
    claimed : collection of str
        Entries that people have given to students.

    Raises
    ------
    IntakeError
        The folder cannot be listed, or the list in a platform's export is damaged.
    """
    while True:
        listed = _list(folder)
        export = next((one for one in platforms.exports() if one.is_one(listed)), None)
        if export is not None and export.layout is not None:
            return export.layout(folder, listed)
        if export is not None:
            return _by_name(folder / export.folder, export.title, wanted, is_known, claimed)
        below = [folder / name for name in _without_lists(folder, listed)]
        if len(below) != 1 or not _holds_class(below[0], wanted):
            return _by_name(folder, plain.TITLE, wanted, is_known, claimed)
        folder = below[0]


def require_class(folder: Path, wanted: Wanted) -> None:
    """Refuse the folder around classes: what was decided about them lies in it, or a roster does.

    Raises
    ------
    IntakeError
        It is one, or cannot be listed.
    """
    listed = _list(folder)
    below = _without_lists(folder, listed)
    is_around = below != listed and (len(below) == 1 or decisions.FILE in listed)
    if is_around and below and all(_holds_class(folder / name, wanted) for name in below):
        named = " or ".join(str(folder / name) for name in below)
        raise IntakeError(str(folder), "contains the class folder, but is not one", f"did you mean {named}?")


def _without_lists(folder: Path, listed: Sequence[str]) -> list[str]:
    """Return the entries but for what lies beside classes: decisions, rosters, lists of grades."""
    beside = [
        name
        for name in listed
        if name == decisions.FILE or (name.casefold().endswith(_LISTS) and not (folder / name).is_dir())
    ]
    return [name for name in listed if name not in beside]


def _holds_class(folder: Path, wanted: Wanted) -> bool:
    """Tell whether the only entry of a folder is itself the class, rather than a student."""
    if folder.is_symlink() or not folder.is_dir() or _holds_any(folder, wanted):
        return False
    listed = _list(folder)
    if any(export.is_one(listed) for export in platforms.exports()):
        return True
    students = [name for name in listed if archive.is_archive(name) or (folder / name).is_dir()]
    named = {file_names.affix(name, file) for name in listed for file in wanted.files} - {""}
    if any(map(_is_platforms, listed)) or len(students) > 1 or len(named) > 1:
        return True
    return len(listed) == 1 and _leads_on(folder / listed[0], wanted)


def _leads_on(folder: Path, wanted: Wanted) -> bool:
    """Tell whether the only folder in a folder leads on to a class."""
    return folder.is_dir() and not _holds_any(folder, wanted) and _holds_class(folder, wanted)


def _holds_any(folder: Path, wanted: Wanted) -> bool:
    """Tell whether one of the files that are asked for lies directly in a folder."""
    return any(os.path.lexists(folder / name) for name in [*wanted.files, *wanted.weights])


def _is_platforms(name: str) -> bool:
    return any(one.is_one(name, is_folder) for one in platforms.downloads() for is_folder in (True, False))


def _list(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(folder) if not snapshot.is_clutter(entry.name))
    except FileNotFoundError:
        raise IntakeError(str(folder), "there is no such folder", "check the path") from None
    except NotADirectoryError:
        remedy = "expected a folder with one folder or archive per student, or an archive of that"
        raise IntakeError(str(folder), "is not a folder", remedy) from None
    except OSError as error:
        raise IntakeError(
            str(folder), f"cannot be read ({error.strerror})", "check its permissions"
        ) from None


def _by_name(folder: Path, title: str, wanted: Wanted, is_known: IsKnown, claimed: Collection[str]) -> Layout:
    """Take every entry for what its name says: Canvas and Moodle put the student before the file's name."""
    listed = [(name, folder / name, (folder / name).is_dir()) for name in _list(folder)]
    entries: dict[str, list[Entry]] = {}
    rest = listed
    for one in platforms.downloads():
        own = {name: path for name, path, is_folder in rest if one.is_one(name, is_folder)}
        entries[one.title] = list(one.entries(own, is_known))
        rest = [item for item in rest if item[0] not in own]
    of_students = [
        path for n, path, is_folder in rest if is_folder or archive.is_archive(n) or line(n) in claimed
    ]
    left = [n for n, path, _ in rest if path not in of_students]
    carrying = plain.take_loose(folder, left, wanted, is_known)
    entries |= {
        title: [plain.entry(path) for path in of_students],
        plain.LOOSE: list(plain.entries(carrying, folder)),
    }
    return Layout(
        " and ".join(sorted(kind for kind, found in entries.items() if found)) or title,
        tuple(entry for found in entries.values() for entry in found),
        tuple(name for name in left if name not in carrying),
    )
