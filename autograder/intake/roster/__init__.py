"""The roster: the students of a class, and their names and numbers in other systems."""

from __future__ import annotations

from pathlib import Path

from autograder.intake.roster import exclusions, headers, people, table
from autograder.intake.roster.identifiers import fold_name
from autograder.intake.roster.people import Person, Roster

__all__ = ["Person", "Roster", "fold_name", "read"]


def read(path: Path) -> Roster:
    """Read a roster as a platform exports it, or a CSV file with a header.

    `autograder.intake.roster.headers` lists the columns that are understood. Rows that are not students
    are left out, and two rows of one student become one person; `Roster.notes` says what was done.

    Raises
    ------
    ConfigError
        The file cannot be read as a table, no column identifies a student, nobody is in it, or two students
        cannot be told apart.
    """
    content = table.read(path, headers.count_familiar)
    columns = headers.recognize(content)
    rest = exclusions.sort_out(content, columns)
    return people.gather(content, columns, rest)
