"""Recognise how a folder of submissions is laid out: by hand, or as a learning platform packs downloads."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from autograder.errors import IntakeError
from autograder.intake import snapshot
from autograder.intake.reading import holds_any, is_archive

GRADESCOPE_FILE = "submission_metadata.yml"
MAX_METADATA_BYTES = 200_000_000
_MAX_DEPTH = 50
_CANVAS = re.compile(r"(?P<name>[^_]+)_(?:(?P<late>LATE)_)?(?P<user>\d+)_(?P<file>\d+)_(?P<original>.+)")
_MOODLE = re.compile(r"(?P<name>.+)_(?P<user>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<original>.*)")
_AGAIN = re.compile(r"(?P<stem>.+)-(?P<number>\d+)(?P<suffix>\.\w+)")
_NBGRADER = frozenset({"source", "release", "gradebook.db", "nbgrader_config.py", "autograded"})


@dataclass(frozen=True)
class Entry:
    """One hand-in of one student.

    Attributes
    ----------
    identifiers : tuple of str
        What tells who it is: a folder's name, a number, an address.
    path : Path or None
        A folder or zip file.
    files : dict of str to Path
        Single files under the names that the student gave, where there is no `path`.
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
    called: str = ""
    name: str = ""
    order: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Where it lies, for messages."""
        return self.path.name if self.path is not None else " and ".join(p.name for p in self.files.values())


@dataclass(frozen=True)
class Layout:
    """What a folder holds, and what in it is nobody's.

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


def recognise(folder: Path, wanted: Sequence[str]) -> Layout:
    """Find the hand-ins in a folder, or in the only folder in it if that is where they are.

    Parameters
    ----------
    wanted : sequence of str
        Names of the files that the assignment asks for.

    Raises
    ------
    IntakeError
        The folder cannot be listed, or Gradescope's list of submissions is damaged.
    """
    while True:
        names = _listed(folder)
        if GRADESCOPE_FILE in names:
            return _gradescope(folder)
        if "submitted" in names and (len(names) == 1 or not _NBGRADER.isdisjoint(names)):
            return _by_name(folder / "submitted", "a course folder of nbgrader's")
        below = folder / names[0] if len(names) == 1 else None
        if below is None or not _holds_class(below, wanted):
            return _by_name(folder, "a folder or zip file per student")
        folder = below


def _holds_class(folder: Path, wanted: Sequence[str]) -> bool:
    """Tell whether the only entry of a folder is itself the class, rather than a student."""
    if folder.is_symlink() or not folder.is_dir() or holds_any(folder, wanted):
        return False
    names = _listed(folder)
    if GRADESCOPE_FILE in names or names == ["submitted"]:
        return True
    students = [name for name in names if is_archive(name) or (folder / name).is_dir()]
    if any(map(_match, names)) or len(students) > 1:
        return True
    return len(names) == 1 and _leads_on(folder / names[0], wanted)


def _leads_on(folder: Path, wanted: Sequence[str]) -> bool:
    """Tell whether the only folder in a folder leads on to a class."""
    return folder.is_dir() and not holds_any(folder, wanted) and _holds_class(folder, wanted)


def _listed(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(folder) if not snapshot.is_clutter(entry.name))
    except FileNotFoundError:
        raise IntakeError(str(folder), "there is no such folder", "check the path") from None
    except NotADirectoryError:
        mend = "expected a folder with one folder or zip file per student, or a zip file of that"
        raise IntakeError(str(folder), "is not a folder", mend) from None
    except OSError as error:
        raise IntakeError(
            str(folder), f"cannot be read ({error.strerror})", "check its permissions"
        ) from None


# By the names of entries


def _match(name: str) -> re.Match[str] | None:
    return _MOODLE.fullmatch(name) or _CANVAS.fullmatch(name)


def _by_name(folder: Path, title: str) -> Layout:
    """Take every entry for what its name says: Canvas and Moodle put the student before the file's name."""
    entries: list[Entry] = []
    others: list[str] = []
    attached: dict[tuple[bool, str], list[tuple[re.Match[str], Path]]] = defaultdict(list)
    kinds: set[str] = set()
    for name in _listed(folder):
        path = folder / name
        is_folder = path.is_dir()
        moodle, canvas = _MOODLE.fullmatch(name), _CANVAS.fullmatch(name)
        if moodle and is_folder:
            kinds.add("a Moodle download")
            entries.append(_plain(path, moodle["user"], moodle["name"]))
        elif (found := moodle or canvas) and not is_folder and found["original"]:
            kinds.add("a Moodle download" if moodle else "a Canvas download")
            attached[moodle is not None, found["user"]].append((found, path))
        elif is_folder or is_archive(name):
            kinds.add(title)
            entries.append(_plain(path, Path(name).stem if is_archive(name) else name))
        else:
            others.append(name)
    for (_, user), files in attached.items():
        entries.extend(_attempts(user, files))
    return Layout(" and ".join(sorted(kinds)) or title, tuple(entries), tuple(others))


def _plain(path: Path, identifier: str, name: str = "") -> Entry:
    try:
        modified = path.lstat().st_mtime_ns
    except OSError:
        modified = 0
    order = (modified, path.name)
    if not name:
        return Entry((identifier,), path, order=order)
    return Entry((identifier, name), path, called=f"{name}_{identifier}", name=name, order=order)


def _attempts(user: str, attached: Sequence[tuple[re.Match[str], Path]]) -> Iterator[Entry]:
    """Group the files of one student by attempt: a file handed in again carries a number, ``knn-1.py``."""
    numbered: dict[int, dict[str, Path]] = defaultdict(dict)
    for match, path in attached:
        again = _AGAIN.fullmatch(match["original"])
        number = int(again["number"]) if again else 0
        original = f"{again['stem']}{again['suffix']}" if again else match["original"]
        numbered[number][original] = path
    name = attached[0][0]["name"]
    is_late = any(match.groupdict().get("late") for match, _ in attached)
    notes = ("Canvas marks it as late.",) if is_late else ()
    files: dict[str, Path] = {}
    for number in sorted(numbered):
        files = files | numbered[number]
        called = f"{name}_{user}"
        yield Entry((user, name), files=files, called=called, name=name, order=(number,), notes=notes)


# Gradescope


def _gradescope(folder: Path) -> Layout:
    """Read Gradescope's list; a submission of a group is one of each of its members."""
    path = folder / GRADESCOPE_FILE
    try:
        if path.stat().st_size > MAX_METADATA_BYTES:
            raise IntakeError(str(path), "is larger than 200 MB", "export the submissions anew")
        content = _parsed(path.read_bytes())
    except OSError as error:
        raise IntakeError(str(path), f"cannot be read ({error.strerror})", "check its permissions") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise IntakeError(str(path), "is damaged", "export the submissions anew") from None
    listed = content if isinstance(content, dict) else {}
    entries = [entry for key, item in listed.items() for entry in _members(folder, str(key), item)]
    if not entries:
        raise IntakeError(str(path), "lists no submission", "export the submissions anew")
    known = {str(key) for key in listed} | {GRADESCOPE_FILE}
    return Layout("a Gradescope export", tuple(entries), tuple(n for n in _listed(folder) if n not in known))


def _parsed(text: bytes) -> Any:
    """Parse YAML into texts, lists and mappings, and nothing else; raises YAMLError where it is too deep."""
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    depth = 0
    for event in yaml.parse(text, Loader=loader):  # what follows recurses, in C, until the stack is used up
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise yaml.YAMLError("nested too deeply")
    return yaml.load(text, Loader=loader)


def _members(folder: Path, key: str, item: Any) -> Iterator[Entry]:
    """Yield the submission under one key of the list for every student who made it."""
    is_name = re.fullmatch(r"[\w-]+", key)
    people = item.get(":submitters") if isinstance(item, dict) else None
    if not is_name or not isinstance(people, list):
        return
    for person in people:
        if isinstance(person, dict):
            name, email, sid = (str(person.get(f":{part}") or "") for part in ("name", "email", "sid"))
            identifiers = tuple(part for part in (sid, email, name) if part) or (key,)
            order = (str(item.get(":created_at") or ""), key)
            yield Entry(identifiers, folder / key, name=name, order=order)
