"""The feedback page: everything one student may read about a graded submission, in a single HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import jinja2
from markupsafe import Markup

from autograder.graded import standing
from autograder.graded.records import Override, Record
from autograder.graded.results import Feedback, TaskResult, TestResult
from autograder.graded.standing import Standing
from autograder.reports import wording, written_answers
from autograder.reports.written_answers import Written
from autograder.untrusted import markdown, printable
from helpers import statuses
from helpers.credit import ONCE
from helpers.statuses import Status
from helpers.wording import number

NO_POINTS = "–"  # noqa: RUF001
"""What stands for points where there are none."""
EXCUSED, ABSENT = "You are excused", "Nothing was handed in"
_HAND_IN = (
    "If you did hand in something, tell your instructor that it did not arrive. If not, the last cells of "
    "the notebook pack your work into a zip file, finished or not; ask whether you can still hand it in."
)


@dataclass(frozen=True)
class Check:
    """One test as a student sees it; nothing for the instructor's eyes is carried over."""

    title: str
    hidden: bool
    points: str
    look: statuses.Word
    feedback: Feedback | None
    once: str = ""
    """Why a check that failed earns something."""
    id: str = ""
    """Of the test; no page shows it."""


@dataclass(frozen=True)
class DecidedPoints:
    """Points that a person decided, and why."""

    what: str
    by: str
    reason: str


@dataclass(frozen=True)
class Notice:
    """Why there are no points, or what 0 points come from: a headline, and what the student can do."""

    head: str
    text: str


@dataclass(frozen=True)
class Section:
    """One task with its checks, grouped by how they ended."""

    title: str
    points: str
    max_points: str
    extra: bool
    percent: float
    override: Override | None
    """Why the points are not those of the checks."""
    marks: tuple[Check, ...]
    """Every check, in the order of the suite."""
    wrong: tuple[Check, ...]
    set_aside: tuple[Check, ...]
    passed: tuple[Check, ...]


@dataclass(frozen=True)
class Page:
    """Everything that a student may read, in words; the page and its plain form show the same."""

    course: str
    title: str
    student: str
    score: str
    """Points, or a dash where there are none: the gradebook leaves these students as they are."""
    max_score: str
    percent: float
    counts: bool
    """Whether there are points."""
    notice: Notice | None
    stopped: str | None
    decided: tuple[DecidedPoints, ...]
    """About the score, and about tasks too if no check ran; others stand with their task."""
    notes: tuple[str, ...]
    sections: tuple[Section, ...]
    passed: int
    total: int
    graded_by: str
    files: dict[str, str]
    written: tuple[Written, ...] = ()
    """Answers that people score; `score` holds their points once all of them are scored."""
    sums: tuple[str, ...] = ()
    """What code and written answers earned, apart and together."""


def page(record: Record, *, title: str, course: str) -> Page:
    """Return what one student may read.

    The fields of a result that are for the instructor (details, output, machine) are not in it.

    Parameters
    ----------
    title, course : str
        Names of the assignment and of the course.
    """
    result = record.result
    counts = standing.has_points(record)
    sections = tuple(_section(task, record, counts=counts) for task in record.tasks)
    checks = [check for section in sections for check in section.marks]
    source = result.provenance
    stopped = result.stop_reason
    score, max_score = record.score, result.max_score
    if record.total is not None:
        score, max_score = record.total, record.max_total
    return Page(
        course=course,
        title=title,
        student=record.name or record.student,
        score=number(score) if counts else NO_POINTS,
        max_score=number(max_score),
        percent=_percent(score, max_score) if counts else 0.0,
        counts=counts,
        notice=_notice(record),
        stopped=stopped,
        decided=_decided_points(record, sections, whole=stopped is not None),
        notes=tuple(note for note in result.all_notes if note != stopped),
        sections=sections,
        passed=sum(check.look.tone == "good" for check in checks),
        total=len(checks),
        graded_by=(
            f"Graded by CourseGrad {source.kit} with Python {source.python} and PyTorch {source.torch}. "
            f"Sandbox: {result.sandbox.level}."
        ),
        files=result.files,
        written=() if result.handed_in == "nothing" else written_answers.sections(record),
        sums=written_answers.sums(record) if counts else (),
    )


def render(record: Record, *, title: str, course: str) -> str:
    """Return the feedback of one student as HTML; parameters are those of `page`."""
    shown = page(record, title=title, course=course)
    return environment().get_template("feedback.html.j2").render(page=shown, place_label=wording.place_label)


def render_markdown(record: Record, *, title: str, course: str) -> str:
    """Return the same as Markdown; parameters are those of `page`."""
    shown = page(record, title=title, course=course)
    template = environment("md").get_template("feedback.md.j2")
    return template.render(page=shown, place_label=wording.place_label)


def _notice(record: Record) -> Notice | None:
    """Say why a student has no points, or that 0 points are for nothing handed in."""
    match standing.standing_of(record):
        case Standing.excused:
            return Notice(EXCUSED, "You are excused from this assignment; it does not count for you.")
        case Standing.undecided:
            text = record.result.stop_reason or "Your instructor has to decide about your files first."
            return Notice("Your instructor has to decide", text)
        case Standing.absent:
            return Notice(ABSENT, f"There are no points for you yet. {_HAND_IN}")
        case Standing.not_run if record.result.handed_in == "nothing":
            return Notice(ABSENT, f"This counts as 0 points. {_HAND_IN}")
    return None


def _section(task: TaskResult, record: Record, *, counts: bool) -> Section:
    checks = tuple(_check(test, counts=counts) for test in record.result.tests if test.task == task.id)
    return Section(
        title=task.title,
        points=number(task.points) if counts else NO_POINTS,
        max_points=number(task.max_points),
        extra=task.extra,
        percent=_percent(task.points, task.max_points) if counts else 0.0,
        override=_override(record, task.id),
        marks=checks,
        wrong=tuple(check for check in checks if check.look.tone == "bad"),
        set_aside=tuple(check for check in checks if check.look.tone == "quiet"),
        passed=tuple(check for check in checks if check.look.tone == "good"),
    )


def _decided_points(record: Record, sections: Sequence[Section], *, whole: bool) -> tuple[DecidedPoints, ...]:
    """Return the overrides that a page begins with; those about tasks if the page has to be about these."""
    total = _override(record, None)
    found = []
    if total is not None:
        points = f"{number(total.points)} of {number(record.result.max_score)} points"
        found.append(DecidedPoints(points, total.by, total.reason))
    for section in sections if whole else ():
        if section.override is not None:
            points = f"{section.title}: {section.points} of {section.max_points} points"
            found.append(DecidedPoints(points, section.override.by, section.override.reason))
    return tuple(found)


def _override(record: Record, task: str | None) -> Override | None:
    """Return the override of a task, or of the total, that counts."""
    about = [override for override in record.overrides if override.task == task]
    return about[-1] if about else None


def _check(test: TestResult, *, counts: bool) -> Check:
    points = f"{number(test.points) if counts else NO_POINTS} / {number(test.max_points)}"
    once = ONCE if test.status is not Status.passed and test.points else ""
    look = statuses.WORDS[test.status]
    return Check(test.title, test.tier == "hidden", points, look, test.feedback, once, test.id)


def _percent(points: float, max_points: float) -> float:
    """Return how much of a bar is full; extra credit makes it no longer."""
    return min(100.0, round(100 * points / max_points, 2)) if max_points else 0.0


@cache
def environment(form: str = "html") -> jinja2.Environment:
    """Return what makes pages of templates, for ``html`` or ``md``; every text in them is made harmless."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("autograder.reports"),
        autoescape=form == "html",
        undefined=jinja2.StrictUndefined,
        finalize=_escape_text if form == "html" else _escape_markdown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _escape_text(value: object) -> object:
    """Take every text on its way into the page through `printable`; escaping comes after."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _escape_markdown(value: object) -> object:
    return markdown(value) if isinstance(value, str) else value
