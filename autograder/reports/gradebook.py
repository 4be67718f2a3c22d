"""The gradebook: a class as a CSV table that any spreadsheet opens safely."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from autograder.reports import wording
from autograder.reports.untrusted import cell
from autograder.results import SubmissionResult


def render(results: Sequence[SubmissionResult]) -> str:
    """Return the gradebook of one assignment, a row per result in the order given.

    Columns: student, score, max_score, the points of each task under the task's id, status
    (``graded`` or ``not run``), what went wrong in a few words, and notes.
    """
    tasks = list(dict.fromkeys(task.id for result in results for task in result.tasks))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["student", "score", "max_score", *tasks, "status", "summary", "notes"])
    for result in results:
        gist = wording.gist(result)
        points = {task.id: task.points for task in result.tasks}
        writer.writerow(
            [
                cell(result.student),
                _exact(result.score),
                _exact(result.max_score),
                *(_exact(points[task]) if task in points else "" for task in tasks),
                "graded" if wording.stopped(result) is None else "not run",
                cell(gist),
                cell(" ".join(note for note in result.notes if note != gist)),
            ]
        )
    return text.getvalue()


def _exact(points: float) -> str:
    return f"{points:.4f}".rstrip("0").rstrip(".")
