"""The feedback page: what one student may read about a graded submission, as a single HTML file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import jinja2
from markupsafe import Markup

from autograder.reports import wording
from autograder.reports.untrusted import printable
from autograder.results import Feedback, Status, SubmissionResult, TaskResult, TestResult


@dataclass(frozen=True)
class Check:
    """One test as a student sees it; nothing for the instructor's eyes is carried over."""

    title: str
    hidden: bool
    points: str
    look: wording.Word
    feedback: Feedback | None


@dataclass(frozen=True)
class Section:
    """One task with its checks, grouped by how they ended."""

    title: str
    points: str
    max_points: str
    percent: float
    marks: tuple[Check, ...]
    """Every check, in the order of the suite."""
    wrong: tuple[Check, ...]
    set_aside: tuple[Check, ...]
    passed: tuple[Check, ...]


def render(result: SubmissionResult, *, title: str, course: str) -> str:
    """Return the page of one submission.

    The fields of a result that are for the instructor (details, output, machine) do not reach the page.

    Parameters
    ----------
    title, course : str
        Names of the assignment and of the course.
    """
    sections = [_section(task, result) for task in result.tasks]
    checks = [check for section in sections for check in section.marks]
    return _template().render(
        title=title,
        course=course,
        student=result.student,
        score=wording.number(result.score),
        max_score=wording.number(result.max_score),
        percent=_percent(result.score, result.max_score),
        stopped=wording.stopped(result),
        place_label=wording.place_label,
        notes=result.notes,
        sections=sections,
        passed=sum(check.look.tone == "good" for check in checks),
        total=len(checks),
        kit=result.provenance.kit,
        python=result.provenance.python,
        torch=result.provenance.torch,
        level=result.sandbox.level,
        files=result.files,
    )


def _section(task: TaskResult, result: SubmissionResult) -> Section:
    checks = tuple(_check(test) for test in result.tests if test.task == task.id)
    return Section(
        title=task.title,
        points=wording.number(task.points),
        max_points=wording.number(task.max_points),
        percent=_percent(task.points, task.max_points),
        marks=checks,
        wrong=tuple(check for check in checks if check.look.tone == "bad"),
        set_aside=tuple(check for check in checks if check.look.tone == "quiet"),
        passed=tuple(check for check in checks if check.look.tone == "good"),
    )


def _check(test: TestResult) -> Check:
    earned = test.points if test.status is Status.passed else 0.0
    points = f"{wording.number(earned)} / {wording.number(test.max_points)}"
    return Check(test.title, test.tier == "hidden", points, wording.WORDS[test.status], test.feedback)


def _percent(points: float, max_points: float) -> float:
    return round(100 * points / max_points, 2) if max_points else 0.0


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("autograder.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("feedback.html.j2")


def _shown(value: object) -> object:
    """Take every text on its way into the page through `printable`; escaping comes after."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
