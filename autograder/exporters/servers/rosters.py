"""Call students whom a server has graded as the roster of the class does."""

from __future__ import annotations

import csv
import io

from autograder.errors import ConfigError
from autograder.intake.owners import compose
from autograder.intake.roster import Roster
from autograder.untrusted import cell, line, undo_cell

_SHOWN = 3


def rename(table: str, roster: Roster) -> tuple[str, list[str]]:
    """Return a table with the roster's names of students, and the students that the roster does not know.

    Parameters
    ----------
    table : str
        CSV with the columns student and name, as `Website.fetch` returns it.

    Raises
    ------
    ConfigError
        The roster knows nobody in the table, so it is that of another class.
    """
    reader = csv.DictReader(io.StringIO(table))
    rows, strangers = list(reader), []
    for row in rows:
        person = roster.find(compose(undo_cell(row["student"])))
        if person is None:
            strangers.append(line(undo_cell(row["student"])))
        else:
            row |= {"student": cell(person.student), "name": cell(person.name)}
    if len(rows) > 1 and len(strangers) == len(rows):
        found = f"none of the {len(rows)} students on the server is on it ({_some(strangers)})"
        remedy = f"expected some of: {_some([one.student for one in roster.people])}; name the class's own"
        raise ConfigError(str(roster.path), found, f"{remedy} with --roster")
    text = io.StringIO()
    writer = csv.DictWriter(text, reader.fieldnames or (), lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: row["student"]))
    return text.getvalue(), strangers


def _some(names: list[str]) -> str:
    more = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return "; ".join([*names[:_SHOWN], *more])
