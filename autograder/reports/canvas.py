"""The gradebook as Canvas imports it: the course's own columns and rows, and one column of points."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence

from autograder.records import Record
from autograder.reports.gradebook import exact

IDENTITY = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
_NUMBERED = re.compile(r"(?P<name>.*\S)\s+\((?P<id>\d+)\)")


def render(
    records: Sequence[Record],
    *,
    columns: Sequence[str],
    rows: Mapping[str, Mapping[str, str]],
    points_possible: Mapping[str, str],
    names: Sequence[str],
) -> str:
    """Return the CSV file to import.

    Parameters
    ----------
    records : sequence of Record
        Whoever is not in `rows` is left out: Canvas does not know them.
    columns : sequence of str
        Header of the course's gradebook export.
    rows : mapping
        The export's rows, by student.
    points_possible : mapping of str to str
        The export's row of that name.
    names : sequence of str
        What the assignment may be called in Canvas, the preferred name first. If the export has a column of
        that name, with Canvas' number behind it, points go there; otherwise Canvas adds an assignment.
    """
    identity = [column for column in IDENTITY if column in columns]
    column = find_column(columns, names) or names[0]
    top = max((record.result.max_score for record in records), default=0.0)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*identity, column])
    possible = points_possible.get(column) or exact(top)
    writer.writerow(["    Points Possible", *[""] * (len(identity) - 1), possible])
    for record in records:
        if record.student in rows:
            writer.writerow([*(rows[record.student][name] for name in identity), exact(record.score)])
    return text.getvalue()


def find_column(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the column of an assignment: ``knn (12345)`` for ``knn``; upper and lower case do not matter.

    Examples
    --------
    >>> find_column(["Student", "kNN (12345)", "knn 2 (12346)"], ["knn"])
    'kNN (12345)'
    """
    wanted = [name.casefold() for name in names]
    for column in columns:
        match = _NUMBERED.fullmatch(column)
        if match and match["name"].casefold() in wanted:
            return column
    return None
