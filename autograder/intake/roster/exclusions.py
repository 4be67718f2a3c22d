"""Rows of a roster that are not students: additions of platforms, staff, test students, empty rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from autograder import platforms
from autograder.intake.roster.headers import CSV, Columns
from autograder.intake.roster.identifiers import fold_name, identifier
from autograder.intake.roster.table import Row, Table
from autograder.platforms.interface import Field, RowKind
from autograder.untrusted import line

STAFF = frozenset({"teaching assistant", "staff", "auditor", "parent"}).union(
    *(one.roles for one in platforms.rosters().values())
)
"""Roles of staff and guests. A person with any other role, known or not, or with none, is a student."""


@dataclass
class Rest:
    """What is in a table besides its header.

    Attributes
    ----------
    platform : str
        Whose export the table is.
    students : list of Row
        Rows that stand for students.
    points_possible : dict of str to str
        The platform's row of that name, by column.
    empty, nameless, tests : int
        How many rows were left out: empty ones, those that identify nobody, the platform's test student.
    staff : list of str
        People who are not students, each with the role: ``"Kim Lee (Instructor)"``.
    """

    platform: str
    students: list[Row] = field(default_factory=list)
    points_possible: dict[str, str] = field(default_factory=dict)
    empty: int = 0
    nameless: int = 0
    tests: int = 0
    staff: list[str] = field(default_factory=list)

    @property
    def note(self) -> str:
        """Say how many rows were left out and why; empty if none was."""
        counted = [
            (self.empty, "empty row", "empty rows"),
            (self.tests, f"test student of {self.platform}", f"test students of {self.platform}"),
            (self.nameless, "row without an identifier", "rows without an identifier"),
            (len(self.staff), "person who is not a student", "people who are not students"),
        ]
        reasons = [f"{count} {one if count == 1 else more}" for count, one, more in counted if count]
        who = f" ({'; '.join(self.staff)})" if self.staff else ""
        return f"left out {', '.join(reasons)}{who}." if reasons else ""


def sort_out(table: Table, columns: Columns) -> Rest:
    """Tell the rows of students from the others.

    In a table that no platform wrote, a row that identifies nobody is kept: it is a mistake to report.
    """
    rest = Rest(columns.platform)
    for row in table.rows:
        if row.is_blank:
            rest.empty += 1
        elif (kind := _kind(row, columns)) is RowKind.points_possible:
            rest.points_possible = dict(zip(table.header, row.cells, strict=True))
        elif kind is RowKind.remark:
            continue
        elif kind is RowKind.test_student:
            rest.tests += 1
        elif role := _staff_role(row, columns):
            rest.staff.append(f"{line(name_in(row, columns) or _label(row, columns))} ({line(role)})")
        elif columns.platform != CSV and not _label(row, columns) and columns.keys:
            rest.nameless += 1
        else:
            rest.students.append(row)
    return rest


def name_in(row: Row, columns: Columns) -> str:
    """Return the name in a row: the whole one, or else the first and the last name."""

    def written(*fields: Field) -> str:
        return next(
            (text for place in columns.of(*fields) if (text := " ".join(row.cells[place].split()))), ""
        )

    first, last = written(Field.first), written(Field.last)
    if columns.format.is_last_name_first and last:
        return f"{last}, {first}" if first else last
    return written(Field.name) or f"{first} {last}".strip()


def _kind(row: Row, columns: Columns) -> RowKind:
    """Say what a row stands for, by what its platform writes into gradebooks besides students."""
    if columns.format.kind is None:
        return RowKind.student
    return columns.format.kind(fold_name(name_in(row, columns)), row.cells, bool(_label(row, columns)))


def _staff_role(row: Row, columns: Columns) -> str:
    """Return somebody's roles if they are those of staff only; otherwise nothing."""
    for place in columns.of(Field.role):
        roles = _roles(row.cells[place])
        if roles and all(fold_name(role) in STAFF for role in roles):
            return ", ".join(roles)
    return ""


def _roles(cell: str) -> Sequence[str]:
    return [role for part in re.split(r"[,;\n]", cell) if (role := " ".join(part.split()))]


def _label(row: Row, columns: Columns) -> str:
    return next((text for place in columns.keys if (text := identifier(row.cells[place]))), "")
