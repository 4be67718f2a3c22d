"""What a regrade would change, as a CSV table: a row per student and test."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from autograder.graded.records import Move
from autograder.untrusted import cell


def render(moves: Sequence[Move]) -> str:
    """Return the table; columns: student, score before and after, test, its points before and after."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["student", "score_before", "score_after", "test", "title", "points_before", "points_after"]
    )
    for move in moves:
        start = [cell(move.student), move.before, move.after]
        for test in move.tests:
            points = ["" if points is None else points for points in (test.before, test.after)]
            writer.writerow([*start, test.id, cell(test.title), *points])
        if not move.tests:
            writer.writerow([*start, "", "", "", ""])
    return text.getvalue()
