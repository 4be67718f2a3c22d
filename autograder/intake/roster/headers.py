"""The meaning of a roster's columns, by the names that platforms or instructors give them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from autograder import platforms
from autograder.errors import ConfigError
from autograder.intake.roster.identifiers import fold_name
from autograder.intake.roster.table import Table
from autograder.platforms.interface import Field, RosterFormat

_SHOWN = 15


NAMING = (Field.student, Field.login, Field.email, Field.number, Field.id)
"""Fields that identify a student; the first that has a value names the results."""

CSV = "CSV"
"""In place of a platform: a table that nobody's export is."""
_COLUMNS = {
    Field.student: ("Student",),
    Field.login: (
        *("Login", "Login ID", "SIS Login ID", "User", "User name", "NetID", "UNI", "Account", "Kennung"),
        "GitHub username",
    ),
    Field.email: ("Email", "Mail", "Mail address"),
    Field.number: (
        *("SID", "SIS ID", "SIS User ID", "SIS", "Student number", "Student No", "University ID"),
        *("Matriculation number", "Matrikelnr", "Matrikel", "Matr.-Nr.", "Registration number"),
    ),
    Field.id: ("ID", "LMS user ID"),
    Field.name: ("Name", "Student name", "Display name", "Sortable name"),
    Field.first: ("Given name", "Forename", "Given names"),
    Field.last: ("Family name", "Lastname"),
    Field.section: ("Section", "Sections", "Class", "Tutorial"),
    Field.role: ("Role", "Roles"),
}
_ALL_COLUMNS = {one: (*names, *platforms.aliases(one)) for one, names in _COLUMNS.items()}
FORMATS = {**platforms.rosters(), CSV: RosterFormat(_ALL_COLUMNS)}
"""How rosters are written, by platform."""


@dataclass(frozen=True)
class Columns:
    """Which column of a table holds what.

    Attributes
    ----------
    platform : str
        Whose export it is; ``"CSV"`` if nobody's.
    fields : dict of int to Field
        By the place of the column.
    """

    platform: str
    fields: dict[int, Field]

    def of(self, *fields: Field) -> list[int]:
        """Return the places of the columns that hold these fields, in the order of the fields."""
        return [place for field in fields for place, own in self.fields.items() if own is field]

    @property
    def format(self) -> RosterFormat:
        """How whoever wrote the table writes lists of students."""
        return FORMATS[self.platform]

    @property
    def keys(self) -> list[int]:
        """Columns that identify a student, the one that names results first."""
        return self.of(*NAMING)


def count_familiar(header: Sequence[str]) -> int:
    """Return how many columns of a header are known."""
    return len(_recognize(header).fields)


def recognize(table: Table) -> Columns:
    """Return which column holds what; raises ConfigError if none of them could identify a student."""
    columns = _recognize(table.header)
    if not columns.of(*NAMING, Field.name, Field.first, Field.last):
        more = len(table.header) - _SHOWN
        listed = ", ".join(f"`{' '.join(name.split())}`" for name in table.header[:_SHOWN])
        found = f"has no column that identifies a student; its header is {listed}"
        found += f" and {more} more" if more > 0 else ""
        *others, last = sorted(platforms.rosters(), key=str.casefold)
        remedy = (
            "expected `student`, `login`, `email`, `sid`, `id` or `name`, or an export of "
            f"{', '.join(others)} or {last} as it is"
        )
        raise ConfigError(str(table.path), found, remedy)
    return columns


def _recognize(header: Sequence[str]) -> Columns:
    names = [name.strip() for name in header]
    for platform, known in FORMATS.items():
        if known.is_own is not None and known.is_own(names):
            return Columns(platform, _matches(names, platform))
    found = {name: _matches(names, name) for name, known in FORMATS.items() if known.is_own is None}
    together: dict[int, Field] = {}
    for matches in found.values():
        together = matches | together
    complete = [name for name, matches in found.items() if name != CSV and len(matches) == len(together)]
    return Columns(next(iter(complete), CSV), dict(sorted(together.items())))


def _matches(names: Sequence[str], platform: str) -> dict[int, Field]:
    """Return the columns that a platform knows; of several of the same name, the first."""
    known = {_plain(one): field for field, spelled in FORMATS[platform].columns.items() for one in spelled}
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(_plain(name), place)
    return {place: known[name] for name, place in places.items() if name in known}


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", fold_name(name).replace("’", "'"))  # noqa: RUF001
