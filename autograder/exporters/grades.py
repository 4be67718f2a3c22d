"""The gradebook: a class as a CSV table that any spreadsheet opens safely."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from autograder.graded import standing
from autograder.graded.records import Record
from autograder.graded.results import write_exact
from autograder.reports import wording
from autograder.untrusted import cell

WRITTEN = ("written", "max_written", "total", "max_total")
REMARKS = ("status", "summary", "overrides", "notes")


def render(records: Sequence[Record]) -> str:
    """Return the gradebook of one assignment, a row per student in the order given.

    Columns: student, name, score, max_score, the points of each task under the task's id; where people score
    written answers, the points of each question under its id, written, max_written, total, max_total; status
    (see `autograder.graded.standing`), what went wrong in a few words, what people decided, and notes. Cells
    of points are empty for students who are excused, handed in nothing, or wait for a decision.
    """
    tasks = list(dict.fromkeys(task.id for record in records for task in record.tasks))
    questions = list(dict.fromkeys(one.answer.question for record in records for one in record.written))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    sums = [*questions, *(WRITTEN if questions else ())]
    writer.writerow(["student", "name", "score", "max_score", *tasks, *sums, *REMARKS])
    for record in records:
        result = record.result
        gist = wording.summarize(result)
        counts = standing.has_points(record)
        points = {task.id: task.points for task in record.tasks} if counts else {}
        notes = [
            *(note for note in result.all_notes if note != gist),
            *wording.describe_changed_answers(record),
        ]
        writer.writerow(
            [
                cell(record.student),
                cell(record.name),
                write_exact(record.score) if counts else "",
                write_exact(result.max_score),
                *(write_exact(points[task]) if task in points else "" for task in tasks),
                *(_answer_cells(record, questions, counts=counts) if questions else ()),
                standing.standing_of(record).value,
                cell(gist),
                cell(" ".join(map(wording.describe_override, record.overrides))),
                cell(" ".join(notes)),
            ]
        )
    return text.getvalue()


def _answer_cells(record: Record, questions: Sequence[str], *, counts: bool) -> list[str]:
    """Return the cells of the written answers; a word, unlike an empty cell, is never added up as 0."""
    marks = {one.answer.question: one.mark for one in record.written}
    points = {id: mark.points if mark is not None else None for id, mark in marks.items()}
    cells = [_points(points[id]) if id in points else "" for id in questions]
    written, total = _points(record.written_score), _points(record.total)
    if not counts:
        cells, written, total = [""] * len(questions), "", ""
    return [
        *cells,
        written,
        write_exact(record.max_written),
        total,
        write_exact(record.max_total),
    ]


def _points(points: float | None) -> str:
    return wording.NOT_SCORED if points is None else write_exact(points)
