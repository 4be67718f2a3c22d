"""What any server shows of a result: a row for each check, and some lines about the whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from autograder.exporters.servers.interface import Delivery, Verdict
from autograder.reports import feedback, plain

TIME_UP = "Time ran out before all checks had run. Those that are missing earn nothing here."


@dataclass(frozen=True)
class Row:
    """One check, as students may read it.

    Attributes
    ----------
    number : str
        Of the task and of the check in it: ``"2.1"``.
    task_id, task, title : str
        Id and title of the task, and title of the check.
    tier : {"public", "hidden"}
        Who may see the check itself.
    passed : bool
        Whether it passed.
    points, max_points : float
        What it earned and what it is worth.
    text : str
        What went wrong and why, in plain lines; empty if it passed.
    """

    number: str
    task_id: str
    task: str
    title: str
    tier: Literal["public", "hidden"]
    passed: bool
    points: float
    max_points: float
    text: str


def rows(verdict: Verdict) -> list[Row]:
    """Return every check of a result, task by task."""
    tests = {test.id: test for test in verdict.record.result.tests}
    found = []
    for place, (task, section) in enumerate(
        zip(verdict.record.tasks, _page(verdict).sections, strict=True), start=1
    ):
        for number, check in enumerate(section.marks, start=1):
            test = tests[check.id]
            found.append(
                Row(
                    number=f"{place}.{number}",
                    task_id=task.id,
                    task=task.title,
                    title=check.title,
                    tier=test.tier,
                    passed=check.look.tone == "good",
                    points=test.points,
                    max_points=test.max_points,
                    text=plain.check_text(check),
                )
            )
    return found


def split_rows(verdict: Verdict) -> tuple[list[Row], list[Row]]:
    """Return the checks that students see at once, and the others."""
    at_once: list[Row] = []
    later: list[Row] = []
    for row in rows(verdict):
        is_shown = row.tier == "public" or verdict.settings.hidden == "shown"
        (at_once if is_shown else later).append(row)
    return at_once, later


def summarize(verdict: Verdict) -> str:
    """Return what students may read at once about the whole: what was checked, and how the grade came about.

    Hidden checks are counted only where they are shown at once.
    """
    shown, others = split_rows(verdict)
    kind = "public " if others else ""
    counted = f"{sum(row.passed for row in shown)} of {len(shown)} {kind}checks passed."
    lines = [] if verdict.complete else [TIME_UP]
    lines.append(plain.page_text(_page(verdict), counted))
    late = lateness(verdict.delivery)
    if late is not None:
        lines.append(f"Handed in {_duration(late)} after the deadline. This score leaves that out.")
    if verdict.assignment.questions:
        lines.append("Answers in the notebook are read by people, and their points are not in this score.")
    return "\n".join(lines)


def lateness(delivery: Delivery) -> timedelta | None:
    """Return how long after the deadline a submission came, by the server's own times; None if in time."""
    if delivery.submitted_at is None or delivery.due_at is None or delivery.submitted_at <= delivery.due_at:
        return None
    return delivery.submitted_at - delivery.due_at


def _page(verdict: Verdict) -> feedback.Page:
    return feedback.page(verdict.record, title=verdict.assignment.title, course=verdict.course.name)


def _duration(late: timedelta) -> str:
    """Write a duration in its two largest units: ``"1 d 3 h"``."""
    minutes = max(1, int(late.total_seconds() // 60))
    parts = {"d": minutes // 1440, "h": minutes // 60 % 24, "min": minutes % 60}
    shown = [f"{count} {unit}" for unit, count in parts.items() if count]
    return " ".join(shown[:2])
