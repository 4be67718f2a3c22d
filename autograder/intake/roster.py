"""The roster: who is in the class, and by which names and numbers other systems know them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder.errors import ConfigError
from autograder.reports.untrusted import file_name

_KEYS = ("student", "sis login id", "login", "email", "sis user id", "sis_id", "sid", "id")
"""Columns that identify a student, the one that names results first."""
_NAMES = ("name", "full name", "student")
_CANVAS = frozenset({"student", "id", "section"})
_NOBODY = frozenset({"points possible", "student, test", "test, student"})


@dataclass(frozen=True)
class Person:
    """One row of the roster.

    Attributes
    ----------
    student : str
        What results are called; safe as a file name.
    name : str
        Name for people to read.
    row : dict of str to str
        The row as it is in the file, by column.
    """

    student: str
    name: str
    row: dict[str, str]


@dataclass(frozen=True)
class Roster:
    """Everybody in the class.

    Attributes
    ----------
    path : Path
        Where it was read from.
    columns : tuple of str
        Header of the file.
    people : tuple of Person
        In the order of the file.
    points_possible : dict of str to str
        Canvas' row of that name; empty in other files.
    """

    path: Path
    columns: tuple[str, ...]
    people: tuple[Person, ...]
    points_possible: dict[str, str] = field(default_factory=dict)
    _known: dict[str, Person] = field(default_factory=dict, repr=False)

    @property
    def is_canvas(self) -> bool:
        """Whether it is Canvas' own gradebook export."""
        return {column.casefold() for column in self.columns} >= _CANVAS

    def find(self, *identifiers: str) -> Person | None:
        """Return whom the first identifier that is known belongs to: a name, a number, an address."""
        for identifier in identifiers:
            person = self._known.get(_plain(identifier))
            if person is not None:
                return person
        return None


def read(path: Path) -> Roster:
    """Read a roster: Canvas' gradebook export as it is, or a CSV file with a header.

    The columns ``student``, ``login``, ``email``, ``sis_id``, ``sid`` and ``id`` identify somebody; the first
    of them that has a value names the results. ``name`` is for people to read.

    Raises
    ------
    ConfigError
        The file cannot be read, has no such column, or two rows cannot be told apart.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})", "check the path") from None
    except UnicodeDecodeError:
        raise ConfigError(str(path), "is not UTF-8 text", "save it as CSV with the encoding UTF-8") from None
    rows = list(_rows(text))
    columns = tuple(rows[0]) if rows else ()
    plain = {column.strip().casefold(): column for column in columns}
    keys = [plain[key] for key in _KEYS if key in plain]
    is_canvas = plain.keys() >= _CANVAS
    if is_canvas:  # there, "Student" is a name for people to read
        keys = [key for key in keys if key.strip().casefold() != "student"]
    if not keys:
        mend = "expected a header with a column `student`, `login`, `email`, `sid` or `id`"
        raise ConfigError(str(path), "has no column that identifies a student", mend)
    names = [plain[key] for key in (_NAMES if is_canvas else _NAMES[:2]) if key in plain]
    people, possible = [], {}
    for number, values in enumerate(rows[1:], 2):
        row = dict(zip(columns, [*values, *[""] * len(columns)], strict=False))
        label = " ".join(row[columns[0]].split()).casefold()
        if label.startswith("points possible"):
            possible = row
        elif any(row[key].strip() for key in keys) if is_canvas else any(map(str.strip, values)):
            if label in _NOBODY:
                continue
            people.append(_person(path, number, row, keys, names))
    return Roster(path, columns, tuple(people), possible, _index(path, people, keys, names))


def _rows(text: str) -> Iterator[list[str]]:
    """Read a table whose cells are parted by commas, semicolons or tabs."""
    header = text.partition("\n")[0]
    parted = max(",;\t", key=header.count)
    yield from csv.reader(io.StringIO(text, newline=""), delimiter=parted)


def _person(path: Path, number: int, row: dict[str, str], keys: list[str], names: list[str]) -> Person:
    student = next((file_name(row[key].strip()) for key in keys if row[key].strip()), "")
    if not student:
        raise ConfigError(f"{path}:{number}", "identifies nobody", f"fill in {' or '.join(keys)}")
    name = next((" ".join(row[column].split()) for column in names if row[column].strip()), "")
    return Person(student, name, row)


def _index(path: Path, people: list[Person], keys: list[str], names: list[str]) -> dict[str, Person]:
    """Map everything that identifies somebody to whom it identifies; names only where they are unique."""
    known: dict[str, Person] = {}
    for person in people:
        for identifier in {_plain(person.student), *(_plain(person.row[key]) for key in keys)} - {""}:
            other = known.setdefault(identifier, person)
            if other is not person:
                found = f"{identifier!r} identifies both {other.student!r} and {person.student!r}"
                raise ConfigError(str(path), found, "give each student a row and an identifier of their own")
    called: dict[str, list[Person]] = {}
    for person in people:
        for column in names:
            for form in _spellings(person.row[column]):
                called.setdefault(form, []).append(person)
    for form, persons in called.items():
        if len(set(map(id, persons))) == 1:
            known.setdefault(form, persons[0])
    return known


def _spellings(name: str) -> set[str]:
    """Return a name as it is, and ``Last, First`` turned round."""
    last, comma, first = name.partition(",")
    turned = {_plain(f"{first} {last}")} if comma else set()
    return ({_plain(name)} | turned) - {""}


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
