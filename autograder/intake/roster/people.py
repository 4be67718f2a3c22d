"""The people of a roster: one for each student, found by any of their names and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder import platforms
from autograder.errors import ConfigError
from autograder.intake.roster.exclusions import Rest, name_in
from autograder.intake.roster.headers import CSV, Columns
from autograder.intake.roster.identifiers import fold_name, identifier, spellings
from autograder.intake.roster.table import Row, Table
from autograder.platforms.interface import Field
from autograder.untrusted import file_name, line

_PARTICIPANTS = tuple(one.participant for one in platforms.rosters().values() if one.participant is not None)
_STRONGEST = (Field.student, Field.id, Field.login, Field.email, Field.number, Field.name)
"""Whose value counts where the same text identifies one student here and another there."""


@dataclass(frozen=True)
class Person:
    """One student.

    Attributes
    ----------
    student : str
        What results are called; safe as a file name.
    name : str
        Name for people to read.
    row : dict of str to str
        The row as it is in the file, by column; of several columns of one name, the first.
    line : int
        Line of the file on which the row begins.
    """

    student: str
    name: str
    row: dict[str, str]
    line: int = 0

    def __str__(self) -> str:
        """Say who it is and where in the file."""
        return f"{line(self.name or self.student)} (line {self.line})"


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
        The platform's row of that name; empty where it has none.
    platform : str
        Whose export it is, such as ``"Canvas"``; ``"CSV"`` if nobody's.
    separator : str
        What stands between two cells.
    notes : tuple of str
        What was left out, merged or guessed.
    """

    path: Path
    columns: tuple[str, ...]
    people: tuple[Person, ...]
    points_possible: dict[str, str] = field(default_factory=dict)
    platform: str = CSV
    separator: str = ","
    notes: tuple[str, ...] = ()
    _known: dict[str, Person] = field(default_factory=dict, repr=False)

    def find(self, *identifiers: str) -> Person | None:
        """Return whom the first identifier that is known belongs to: a name, a number, an address."""
        for one in identifiers:
            for form in (fold_name(one), *sorted(spellings(one))):
                if form in self._known:
                    return self._known[form]
        return None


@dataclass(frozen=True)
class _Found:
    """A person, and the values that identify them by the place of the column."""

    person: Person
    keys: dict[int, str]

    @property
    def comparable_keys(self) -> list[tuple[int, str]]:
        """Identifiers as they are compared; the name where there is none."""
        keys = [(place, fold_name(text)) for place, text in self.keys.items()]
        return keys or [(-1, fold_name(self.person.name))]


def gather(table: Table, columns: Columns, rest: Rest) -> Roster:
    """Make people of the rows of students, and an index of everything that identifies them.

    Raises
    ------
    ConfigError
        No row is a student, a row identifies nobody, or two students cannot be told apart.
    """
    found: list[_Found] = []
    owners: dict[tuple[int, str], int] = {}
    merged: list[str] = []
    for row in rest.students:
        new = _read(table, columns, row)
        place = _same(table, found, owners, new)
        if place == len(found):
            found.append(new)
        else:
            merged.append(line(found[place].person.name or found[place].person.student))
            found[place] = _together(found[place], new)
        owners |= dict.fromkeys(found[place].comparable_keys, place)
    if not found:
        said = f"; {rest.note.rstrip('.')}" if rest.note else ""
        raise ConfigError(str(table.path), f"lists no student{said}", "export it again")
    _require_names_of_files(table.path, found)
    known, doubts = _index(table, columns, found)
    several = f"listed more than once, counted as one student each: {'; '.join(dict.fromkeys(merged))}."
    nameable = (
        "has no column of logins, addresses or numbers, so students are identified only by their names."
    )
    notes = [rest.note, several if merged else "", *doubts, "" if columns.keys else nameable]
    return Roster(
        table.path,
        table.header,
        tuple(one.person for one in found),
        rest.points_possible,
        columns.platform,
        table.separator,
        (*table.notes, *(f"{table.path.name}: {note}" for note in notes if note)),
        known,
    )


def _read(table: Table, columns: Columns, row: Row) -> _Found:
    """Read one row; raises ConfigError if nothing in it identifies somebody."""
    places = columns.keys or columns.of(Field.name, Field.first, Field.last)
    name = name_in(row, columns)
    keys = {place: text for place in columns.keys if (text := _identifier(row.cells[place]))}
    student = next((called for text in keys.values() if (called := file_name(text))), "")
    if not columns.keys:
        student = file_name(name)
    if not student:
        wanted = " or ".join(table.header[place] for place in places)
        raise ConfigError(f"{table.path}:{row.line}", "identifies nobody", f"fill in {wanted}")
    cells = dict(zip(reversed(table.header), reversed(row.cells), strict=True))
    return _Found(Person(student, name, cells, row.line), keys)


def _identifier(cell: str) -> str:
    text = identifier(cell)
    return next((found[1] for one in _PARTICIPANTS if (found := one.fullmatch(text))), text)


def _same(table: Table, found: Sequence[_Found], owners: Mapping[tuple[int, str], int], new: _Found) -> int:
    """Return where the same person was found before; the place behind the last one if nowhere.

    Raises
    ------
    ConfigError
        Somebody else has the same identifier.
    """
    places = {owners[key] for key in new.comparable_keys if key in owners}
    if not places:
        return len(found)
    place = min(places)
    if places == {place} and new.keys and _agree(found[place], new):
        return place
    other = max(places) if new.keys and _agree(found[place], new) else place
    key = next(key for key in new.comparable_keys if owners.get(key) == other)
    column, value = (table.header[key[0]], new.keys[key[0]]) if new.keys else ("name", new.person.name)
    says = f"{found[other].person} and {new.person} have the same {column}, {value!r}"
    remedy = "give each student one row, and an identifier that nobody else has"
    raise ConfigError(f"{table.path}:{new.person.line}", says, remedy)


def _agree(old: _Found, new: _Found) -> bool:
    """Tell whether two rows may be one person: no identifier differs, nor does the name."""
    names = spellings(old.person.name), spellings(new.person.name)
    same_name = not all(names) or not names[0].isdisjoint(names[1])
    both = old.keys.keys() & new.keys.keys()
    return same_name and all(fold_name(old.keys[one]) == fold_name(new.keys[one]) for one in both)


def _together(old: _Found, new: _Found) -> _Found:
    """Return one person for two rows, with what only the second one says."""
    row = {
        column: cell if cell.strip() else new.person.row[column] for column, cell in old.person.row.items()
    }
    person = replace(old.person, name=old.person.name or new.person.name, row=row)
    return _Found(person, new.keys | old.keys)


def _require_names_of_files(path: Path, found: Sequence[_Found]) -> None:
    """Raise ConfigError where two students would have the same file."""
    names: dict[str, Person] = {}
    for one in found:
        other = names.setdefault(fold_name(one.person.student), one.person)
        if other is not one.person:
            says = f"the results of {other} and {one.person} would both be called {one.person.student!r}"
            raise ConfigError(str(path), says, "give each student an identifier that nobody else has")


def _index(
    table: Table, columns: Columns, found: Sequence[_Found]
) -> tuple[dict[str, Person], tuple[str, ...]]:
    """Map everything that identifies somebody to whom it identifies; names only where they are unique."""
    known: dict[str, Person] = {}
    column: dict[str, str] = {}
    doubts = []
    for place in columns.of(*_STRONGEST[:-1]):
        for one in found:
            text = fold_name(one.keys.get(place, ""))
            other = known.setdefault(text, one.person) if text else one.person
            if other is one.person:
                column.setdefault(text, table.header[place])
                continue
            doubts.append(
                f"{one.keys[place]} is the {column[text]} of {other} and the {table.header[place]} of "
                f"{one.person}, and is taken for that of {line(other.name or other.student)}."
            )
    called: dict[str, list[Person]] = {}
    for one in found:
        known.setdefault(fold_name(one.person.student), one.person)
        for form in _names(one.person, columns, table):
            called.setdefault(form, []).append(one.person)
    for form, persons in called.items():
        if len(persons) == 1:
            known.setdefault(form, persons[0])
    return known, tuple(doubts)


def _names(person: Person, columns: Columns, table: Table) -> set[str]:
    """Return every way in which somebody's name may be written."""
    cells = [person.row[table.header[place]] for place in columns.of(Field.name, Field.student)]
    first, last = (
        next((person.row[table.header[place]] for place in columns.of(one)), "")
        for one in (Field.first, Field.last)
    )
    both = f"{last}, {first}" if first.strip() and last.strip() else ""
    return {form for text in (person.name, both, *cells) for form in spellings(text)}
