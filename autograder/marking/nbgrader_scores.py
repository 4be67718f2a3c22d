"""Points that people gave in nbgrader's formgrader, read from its database without changing it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection
from pathlib import Path

from autograder.errors import ConfigError
from autograder.marking.score_table import ScoreRow

_MAGIC = b"SQLite format 3\0"
_QUERY = """
SELECT submitted_assignment.student_id, base_cell.name, grade.manual_score, grade.extra_credit,
    (SELECT comment.manual_comment FROM comment JOIN base_cell AS other ON other.id = comment.cell_id
     WHERE comment.notebook_id = grade.notebook_id AND other.name = base_cell.name
        AND comment.manual_comment <> '')
FROM grade
JOIN base_cell ON base_cell.id = grade.cell_id
JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
JOIN assignment ON assignment.id = submitted_assignment.assignment_id
WHERE assignment.name = ? AND grade.manual_score IS NOT NULL
ORDER BY submitted_assignment.student_id, base_cell.name
"""


def is_database(path: Path) -> bool:
    """Tell whether a file is a database of SQLite's, as nbgrader keeps one."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def read(path: Path, assignment: str, questions: Collection[str]) -> list[ScoreRow]:
    """Read what people gave for the answers to some questions of an assignment, with extra credit.

    Points that nbgrader gave by itself, such as 0 for an empty answer, are not among them.

    Raises
    ------
    ConfigError
        The file is not an nbgrader database, or nothing in it was scored.
    """
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            found = database.execute(_QUERY, [assignment]).fetchall()
    except sqlite3.Error as error:
        remedy = "expected the gradebook.db of nbgrader's course folder"
        raise ConfigError(str(path), f"is not an nbgrader database ({error})", remedy) from None
    rows = [
        ScoreRow(
            f"{path}, {student}", student, question, round(points + (extra or 0), 4), (comment or "").strip()
        )
        for student, question, points, extra, comment in found
        if question in questions
    ]
    if not rows:
        remedy = "score the answers in the formgrader first"
        raise ConfigError(
            str(path), f"holds no points that people gave for answers to {assignment!r}", remedy
        )
    return rows
