"""The gradebook as Canvas imports it: the course's own columns and rows, and one column of points."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence

from autograder.graded import standing
from autograder.graded.records import Record
from autograder.graded.results import write_exact
from autograder.graded.standing import Standing
from autograder.platforms.interface import GradebookFile
from autograder.untrusted import line

FILE = "canvas.csv"
IDENTITY = (
    *("Student", "LastName", "FirstName", "ID", "SIS User ID", "SIS Login ID", "Integration ID"),
    *("Root Account", "Section"),
)
EXCUSED = frozenset({"ex", "excused"})
"""What Canvas has in the cell of a student who need not hand in, without capitals."""
_SHOWN = 10
_COUNTED = (Standing.graded, Standing.not_run)
_NUMBERED = re.compile(r"(?P<name>.*\S)\s*\((?P<id>\d+)\)\s*", re.DOTALL)


def render(
    records: Sequence[Record],
    *,
    columns: Sequence[str],
    rows: Mapping[str, Mapping[str, str]],
    points_possible: Mapping[str, str],
    names: Sequence[str],
    separator: str = ",",
) -> GradebookFile:
    """Return the file to import.

    Canvas does not change students who are not in the file, and deletes points where a cell is empty. So
    students without final points are left out, except excused ones: their cell stays as it was exported.

    Points are those of code and written answers together. As long as an answer of somebody in the file is not
    scored, they are those of the code alone, for everybody: one column never holds both.

    Parameters
    ----------
    records : sequence of Record
        Those that are not in `rows` are left out: Canvas does not know them.
    columns : sequence of str
        Header of the course's gradebook export.
    rows : mapping
        The export's rows, by student.
    points_possible : mapping of str to str
        The export's row of that name.
    names : sequence of str
        What the assignment may be called in Canvas, or Canvas' number of it, the preferred name first. If the
        export has such a column, points go there; otherwise Canvas adds an assignment.
    separator : str
        What the export has between two cells.
    """
    identity = [column for column in IDENTITY if column in columns]
    column = find_column(columns, names)
    known = {record.student: record for record in records}
    counted = [known[one] for one in rows if one in known and standing.standing_of(known[one]) in _COUNTED]
    complete = all(record.total is not None for record in counted)
    top = max((one.max_total if complete else one.result.max_score for one in records), default=0.0)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n", delimiter=separator)
    writer.writerow([*identity, column or names[0]])
    possible = points_possible.get(column or "") or write_exact(top)
    writer.writerow(["    Points Possible", *[""] * (len(identity) - 1), possible])
    points, left = 0, []
    for student, row in rows.items():
        record = known.get(student)
        stands = standing.standing_of(record) if record is not None else Standing.absent
        cells = [row[name] for name in identity]
        if record is not None and stands in _COUNTED:
            total = record.total if complete else None
            writer.writerow([*cells, write_exact(record.score if total is None else total)])
            points += 1
            continue
        left.append(stands)
        if column is not None and is_excused(row[column]):
            writer.writerow([*cells, row[column]])
    strangers = tuple(record.name or record.student for record in records if record.student not in rows)
    return GradebookFile(text.getvalue(), points, tuple(left), strangers, is_code_only=not complete)


def is_excused(cell: str) -> bool:
    """Tell whether the cell of an assignment says that the student need not hand in."""
    return cell.strip().casefold() in EXCUSED


def number(column: str) -> str:
    """Return the number that Canvas gave to the assignment of a column; empty if it is none.

    Examples
    --------
    >>> number("knn (12345)"), number("Section")
    ('12345', '')
    """
    match = _NUMBERED.fullmatch(column)
    return match["id"] if match else ""


def find_column(columns: Sequence[str], names: Sequence[str], *, numbered: bool = True) -> str | None:
    """Return the column of an assignment, if there is one; of several, the first.

    Examples
    --------
    >>> find_column(["Student", "kNN (12345)", "knn 2 (12346)"], ["knn"])
    'kNN (12345)'
    """
    return next(iter(find_columns(columns, names, numbered=numbered)), None)


def find_columns(columns: Sequence[str], names: Sequence[str], *, numbered: bool = True) -> list[str]:
    """Return the columns of an assignment: ``knn (12345)`` for ``knn`` and for ``12345``.

    The first name that any column has decides. Upper and lower case and repeated blanks do not matter.

    Parameters
    ----------
    numbered : bool
        Whether only columns with a number count, as Canvas has them.

    Examples
    --------
    >>> find_columns(["knn (1)", "kNN (2)", "Other (3)"], ["A title", "knn"])
    ['knn (1)', 'kNN (2)']
    >>> find_columns(["knn (1)"], ["1"])
    ['knn (1)']
    """
    called = {}
    for column in columns:
        match = _NUMBERED.fullmatch(column)
        if match:
            called[column] = {_plain(match["name"]), match["id"]}
        elif not numbered:
            called[column] = {_plain(column)}
    for name in names:
        found = [column for column, known in called.items() if _plain(name) in known]
        if found:
            return found
    return []


def missing(export: str, columns: Sequence[str], names: Sequence[str]) -> str:
    """Say that an export has no column of an assignment, what follows, and what the course can state."""
    wanted = " or ".join(f"`{name} (number)`" for name in names)
    others = _column_numbers(columns)
    more = f"; and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    listed = f" (it has {'; '.join(map(line, others[:_SHOWN]))}{more})" if others else ""
    return (
        f"{export} has no column {wanted}{listed}, so importing {FILE} adds an assignment, and nobody is "
        "known to be excused; if Canvas has it under another name, write its number"
    )


def setting(assignment: str, columns: Sequence[str]) -> str:
    """Return what to write into ``course.toml``, with the number of the first column as an example."""
    others = _column_numbers(columns)
    return f"[gradebook] {assignment} = {number(others[0]) if others else '12345'}"


def _column_numbers(columns: Sequence[str]) -> list[str]:
    return [column for column in columns if number(column)]


def _plain(title: str) -> str:
    return unicodedata.normalize("NFC", " ".join(title.split()).casefold())
