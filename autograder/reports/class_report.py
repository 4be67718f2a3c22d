"""The report on a class, for the instructor: one HTML file that explains the scores and the suite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, pstdev

from markupsafe import Markup

from autograder.graded import standing
from autograder.graded.records import Move, Record
from autograder.graded.results import SubmissionResult
from autograder.graded.standing import Standing
from autograder.reports import charts, looks, statistics, wording
from autograder.reports.feedback import environment
from helpers.wording import number

ROWS, FEW_NAMES = 8, 3
"""Causes, and names, that stand open; more are folded, none is left out."""
NONE = "–"  # noqa: RUF001
"""What stands for points where there are none."""


@dataclass(frozen=True)
class Timing:
    """Seconds that grading took, per submission."""

    total: str
    middle: str
    most: str
    slowest: tuple[tuple[str, str], ...]


def render(
    records: Sequence[Record],
    *,
    title: str,
    course: str,
    notes: Sequence[str] = (),
    moves: Sequence[Move] = (),
) -> str:
    """Return the report.

    Parameters
    ----------
    records : sequence of Record
        At least one, of one assignment.
    title, course : str
        Names of the assignment and of the course.
    notes : sequence of str
        What intake said about the class.
    moves : sequence of Move
        What a regrade that waits to be accepted would change.
    """
    counted = [record for record in records if standing.has_points(record)]
    scores = [record.score for record in counted]
    top = max(record.result.max_score for record in records)
    tasks = list(dict.fromkeys((task.id, task.title) for record in records for task in record.tasks))
    items = statistics.items(records)
    return (
        environment()
        .get_template("class_report.html.j2")
        .render(
            title=title,
            course=course,
            count=len(records),
            top=number(top),
            mean=number(fmean(scores)) if scores else NONE,
            median=number(median(scores)) if scores else NONE,
            spread=number(pstdev(scores)) if scores else NONE,
            perfect=sum(score >= top for score in scores),
            not_run=sum(standing.standing_of(record) is Standing.not_run for record in records),
            without=standing.count_standings(
                standing.standing_of(one) for one in records if not standing.has_points(one)
            ),
            histogram=charts.histogram(scores, top),
            shares=_shares(counted, tasks),
            looks=looks.looks(records, items, moves),
            notes=notes,
            file_notes=looks.notes(records),
            tasks=[(name, [item for item in items if item.task == id]) for id, name in tasks],
            few=len(records) < statistics.FEW,
            least=statistics.FEW,
            causes=statistics.causes(records),
            timing=_timing(records),
            students=[
                (record, _score(record), wording.summarize(record.result)) for record in _rank(records)
            ],
            number=number,
            written=standing.written_progress(records),
            sums=_sums,
            rows=ROWS,
            few_names=FEW_NAMES,
            graded_by=_count_graders(records),
        )
    )


def _shares(records: Sequence[Record], tasks: Sequence[tuple[str, str]]) -> Markup:
    parts = []
    for id, _ in tasks:
        own = [task for record in records for task in record.tasks if task.id == id and task.max_points]
        parts.append(fmean(task.points / task.max_points for task in own) if own else 0.0)
    return charts.shares([name for _, name in tasks], parts)


def _timing(records: Sequence[Record]) -> Timing:
    seconds = [record.result.seconds for record in records]
    slowest = sorted(records, key=lambda record: -record.result.seconds)[:5]
    return Timing(
        total=f"{sum(seconds):.1f}",
        middle=f"{median(seconds):.2f}",
        most=f"{statistics.quantile(seconds, 0.95):.2f}",
        slowest=tuple((one.name or one.student, f"{one.result.seconds:.2f}") for one in slowest),
    )


def _rank(records: Sequence[Record]) -> list[Record]:
    def rank(record: Record) -> tuple[bool, float, str]:
        return not standing.has_points(record), -record.score, record.student

    return sorted(records, key=rank)


def _score(record: Record) -> str:
    """Return the points of a student; what there is instead where there are none."""
    if standing.has_points(record):
        return number(record.score)
    return "excused" if record.excused else NONE


def _sums(record: Record) -> tuple[str, str]:
    """Return the points of a student's written answers, and of code and answers together."""
    if not standing.has_points(record):
        return NONE, NONE
    written, total = record.written_score, record.total
    return (
        wording.NOT_SCORED if written is None else number(written),
        NONE if total is None else number(total),
    )


def _count_graders(records: Sequence[Record]) -> list[tuple[str, int]]:
    """Say by what the results were made, and how many by each; more than one line is worth a regrade."""
    made = Counter(_describe_grader(record.result) for record in records)
    return made.most_common()


def _describe_grader(result: SubmissionResult) -> str:
    source = result.provenance
    versions = f"Python {source.python}, PyTorch {source.torch}, NumPy {source.numpy}"
    made = f"CourseGrad {source.kit}, suite {source.suite[:12]}, {versions}, {source.machine}"
    return f"{made}, {_limits(source.limits)}, sandbox {result.sandbox.level}"


def _limits(limits: dict[str, float]) -> str:
    named = {"cpu_seconds": "CPU s", "wall_seconds": "s", "memory_mb": "MiB"}
    return (
        " / ".join(f"{limits[key]:g} {unit}" for key, unit in named.items() if key in limits) or "no limits"
    )
