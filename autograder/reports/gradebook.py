"""The gradebook: a class as a CSV table that any spreadsheet opens safely."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from autograder.records import Record
from autograder.reports import standing, wording
from autograder.reports.untrusted import cell


def render(records: Sequence[Record]) -> str:
    """Return the gradebook of one assignment, a row per student in the order given.

    Columns: student, name, score, max_score, the points of each task under the task's id, status
    (see `autograder.reports.standing`), what went wrong in a few words, what people decided, and notes. Cells
    of points are empty for students who are excused, handed in nothing, or wait for a decision.
    """
    tasks = list(dict.fromkeys(task.id for record in records for task in record.tasks))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["student", "name", "score", "max_score", *tasks, "status", "summary", "overrides", "notes"]
    )
    for record in records:
        result = record.result
        gist = wording.gist(result)
        counts = standing.has_points(record)
        points = {task.id: task.points for task in record.tasks} if counts else {}
        writer.writerow(
            [
                cell(record.student),
                cell(record.name),
                exact(record.score) if counts else "",
                exact(result.max_score),
                *(exact(points[task]) if task in points else "" for task in tasks),
                standing.of(record).value,
                cell(gist),
                cell(" ".join(map(wording.decided, record.overrides))),
                cell(" ".join(note for note in result.notes if note != gist)),
            ]
        )
    return text.getvalue()


def exact(points: float) -> str:
    """Write points with up to four decimals, as they were rounded.

    Examples
    --------
    >>> exact(10.0), exact(1.4286)
    ('10', '1.4286')
    """
    return f"{points:.4f}".rstrip("0").rstrip(".")
