"""The points of a student task by task, with what the student may read, for programs that keep both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.errors import ConfigError
from autograder.graded.records import Record
from autograder.reports import feedback, plain
from autograder.reports.feedback import Check, Page, Section
from autograder.reports.wording import describe_override
from autograder.untrusted import markdown

_PARENTHESIS = re.compile(r"(?<!\\)\\([()])")


@dataclass(frozen=True)
class TaskPoints:
    """What one task earned.

    Attributes
    ----------
    task : str
        Its id.
    points : float
        Those that count; together they are the score of the code.
    comment : str
        What went wrong, as Markdown.
    """

    task: str
    points: float
    comment: str


def read(record: Record, course: Course, assignment: Assignment) -> tuple[TaskPoints, ...]:
    """Return the points of every task, in the order of the assignment.

    Raises
    ------
    ConfigError
        The student was graded with other tasks than the assignment has now.
    """
    if [task.id for task in record.tasks] != [task.id for task in assignment.tasks]:
        found = f"was graded with other tasks than {assignment.name} has now"
        raise ConfigError(record.student, found, "grade the class again")
    points = spread(record)
    page = feedback.page(record, title=assignment.title, course=course.name)
    return tuple(
        TaskPoints(task.id, points[task.id], _comment(page, section, record, is_first=place == 0))
        for place, (task, section) in enumerate(zip(record.tasks, page.sections, strict=True))
    )


def spread(record: Record) -> Mapping[str, float]:
    """Return points of the tasks whose sum is the score, even where a person decided only the score.

    What such a decision adds goes to the first tasks that lack points, and beyond their maximum to the first
    one; what it takes away is taken from the last ones.
    """
    points = {task.id: task.points for task in record.tasks}
    rest = round(record.score - sum(points.values()), 4)
    if rest > 0:
        for task in record.tasks:
            more = round(min(rest, max(0.0, task.max_points - points[task.id])), 4)
            points[task.id], rest = points[task.id] + more, round(rest - more, 4)
        points[record.tasks[0].id] += rest
    for task in reversed(record.tasks):
        less = min(max(0.0, -rest), points[task.id])
        points[task.id], rest = points[task.id] - less, round(rest + less, 4)
    return {id: round(value, 4) for id, value in points.items()}


def _comment(page: Page, section: Section, record: Record, *, is_first: bool) -> str:
    lines = []
    if is_first:
        lines += [describe_override(one) for one in record.overrides[-1:] if one.task is None]
    if section.override is not None:
        lines.append(describe_override(section.override))
    if page.stopped is not None:
        lines.append(f"Nothing could be checked. {page.stopped}")
    elif len(section.passed) == len(section.marks):
        count = len(section.marks)
        lines.append("The check passed." if count == 1 else f"All {count} checks passed.")
    told = [_escape(line) for line in lines]
    if page.stopped is None:
        told += [_item(check) for check in (*section.wrong, *section.set_aside)]
    return "\n".join(told)


def _item(check: Check) -> str:
    """Return a check that did not pass, with what there is to say about it in items of its own."""
    said = [line for line in plain.check_text(check).split("\n") if line] or [check.look.word]
    head = f"- **{_escape(check.title.rstrip('.'))}** ({check.points}): {_escape(said[0])}"
    return "\n".join([head, *(f"  - {_escape(line)}" for line in said[1:])])


def _escape(text: str) -> str:
    """Return text for Markdown that people read as it is written, too: parentheses alone are no markup."""
    return _PARENTHESIS.sub(r"\1", markdown(text))
