"""Rows of a roster that are not students: what platforms add, staff, test students, empty rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from autograder.intake.roster.headers import Columns, Field
from autograder.intake.roster.names import comparable, identifier
from autograder.intake.roster.table import Row, Table
from autograder.reports.untrusted import line

_POINTS_POSSIBLE = "points possible"
_POSTING = re.compile(r"\s*(muted|manual posting.*)\s*", re.IGNORECASE)
"""What Canvas writes under assignments whose grades are not posted, into a row that names nobody."""
_TEST_STUDENTS = frozenset({"student, test", "test student", "test, student"})
STAFF = frozenset(
    {
        *("instructor", "ta", "reader", "teaching assistant", "grader", "observer", "designer", "staff"),
        *("teacher", "non-editing teacher", "manager", "course creator", "guest", "auditor", "parent"),
        *("trainer/in", "trainer/in ohne bearbeitungsrecht", "dozent/in", "tutor/in", "tutor", "gast"),
        *("enseignant", "enseignant non éditeur", "gestionnaire", "créateur de cours"),
        *("profesor", "profesor sin permiso de edición", "gestor", "docente", "docente non editor"),
        *("leraar", "docent", "leraar zonder bewerkingsrechten", "beheerder", "professor", "moderador"),
    }
)
"""Roles of staff and guests. A person with any other role, known or not, or with none, is a student."""


@dataclass
class Rest:
    """What is in a table besides its header.

    Attributes
    ----------
    students : list of Row
        Rows that stand for students.
    points_possible : dict of str to str
        Canvas' row of that name, by column.
    empty, nameless, tests : int
        How many rows were left out because they are empty, identify nobody, or are Canvas' test student.
    staff : list of str
        People who are not students, each with the role: ``"Kim Lee (Instructor)"``.
    """

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
            (self.tests, "test student of Canvas", "test students of Canvas"),
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
    rest = Rest()
    for row in table.rows:
        if row.is_blank:
            rest.empty += 1
        elif columns.platform == "Canvas" and comparable(name_in(row, columns)).startswith(_POINTS_POSSIBLE):
            rest.points_possible = dict(zip(table.header, row.cells, strict=True))
        elif columns.platform == "Canvas" and _is_posting(row, columns):
            continue
        elif columns.platform == "Canvas" and comparable(name_in(row, columns)) in _TEST_STUDENTS:
            rest.tests += 1
        elif role := _staff_role(row, columns):
            rest.staff.append(f"{line(name_in(row, columns) or _label(row, columns))} ({line(role)})")
        elif columns.platform != "CSV" and not _label(row, columns) and columns.keys:
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
    if columns.platform == "Canvas" and last:
        return f"{last}, {first}" if first else last
    return written(Field.name) or f"{first} {last}".strip()


def _is_posting(row: Row, columns: Columns) -> bool:
    """Tell whether Canvas wrote a row about what students may see yet."""
    return not _label(row, columns) and any(map(_POSTING.fullmatch, row.cells))


def _staff_role(row: Row, columns: Columns) -> str:
    """Return somebody's roles if they are those of staff only; otherwise nothing."""
    for place in columns.of(Field.role):
        roles = _roles(row.cells[place])
        if roles and all(comparable(role) in STAFF for role in roles):
            return ", ".join(roles)
    return ""


def _roles(cell: str) -> Sequence[str]:
    return [role for part in re.split(r"[,;\n]", cell) if (role := " ".join(part.split()))]


def _label(row: Row, columns: Columns) -> str:
    return next((text for place in columns.keys if (text := identifier(row.cells[place]))), "")
