"""Tables for the terminal: a class at a glance, and one submission in full."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from autograder.graded import standing
from autograder.graded.records import Move, Record
from autograder.graded.results import SubmissionResult, TaskResult, TestResult
from autograder.reports import wording
from autograder.untrusted import line, printable
from helpers import statuses
from helpers.statuses import Status
from helpers.wording import number

STYLES: dict[statuses.Tone, str] = {"good": "green", "bad": "red", "quiet": "bright_black"}
MAX_GIST = 100
MAX_TESTS = 4
MIN_STUDENT, MIN_GIST = 20, 24
"""Columns that a name, and what went wrong, get at least."""
ANY_WIDTH = 10_000


@dataclass(frozen=True)
class ClassTable:
    """A table with a row per student, a legend of the tasks and the mean and median score.

    Where the terminal is too narrow for the points of every task, they are left out rather than cut off.
    """

    records: Sequence[Record]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the widest table that there is room for, and what stands below it."""
        tasks = self.records[0].tasks if self.records else ()
        table = self._rows(tasks)
        needed = table.__rich_measure__(console, options.update(max_width=ANY_WIDTH)).minimum
        if needed <= options.max_width:
            yield from (table, _legend(tasks), _statistics(self.records))
            yield from _note_on_texts(self.records)
            return
        yield from (self._rows(()), _statistics(self.records))
        yield from _note_on_texts(self.records)
        text = (
            f"The points of the {len(tasks)} tasks are in grades.csv; {needed} columns would show them here."
        )
        yield Text(text, style="bright_black")

    def _rows(self, tasks: Sequence[TaskResult]) -> Table:
        """Return a row per student, with a column for each of these tasks."""
        longest = max((len(line(record.student)) for record in self.records), default=0)
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("student", overflow="fold", min_width=min(longest, MIN_STUDENT))
        table.add_column("score", justify="right", no_wrap=True)
        for place, _ in enumerate(tasks, 1):
            table.add_column(str(place), justify="right", no_wrap=True)
        has_marks = any(one.mark is not None for record in self.records for one in record.written)
        for name in ("written", "total") if has_marks else ():
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("what went wrong", overflow="fold", min_width=MIN_GIST)
        for record in self.records:
            counts = standing.has_points(record)
            table.add_row(
                Text(line(record.student)),
                _score(record),
                *(_points(task) if counts else Text() for task in record.tasks[: len(tasks)]),
                *((_sum(record.written_score, counts), _sum(record.total, counts)) if has_marks else ()),
                _gist(record.result),
            )
        return table


def moves_table(moves: Sequence[Move]) -> RenderableType:
    """Return a table of the students whose points a regrade changes, by how much, and by which tests."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("student", overflow="fold")
    for name in ("before", "after", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("by which checks", overflow="fold")
    for move in moves:
        change = move.after - move.before
        shown = [f"{line(test.title)} {_change(test.before, test.after)}" for test in move.tests[:MAX_TESTS]]
        left = len(move.tests) - MAX_TESTS
        more = [f"and {left} more, named in pending/changes.csv"] if left > 0 else []
        table.add_row(
            Text(line(move.student)),
            number(move.before),
            number(move.after),
            Text(f"{'' if change < 0 else '+'}{number(change)}", style="red" if change < 0 else "green"),
            Text("; ".join([*shown, *more])),
        )
    return table


def _change(before: float | None, after: float | None) -> str:
    """Say how the points of one test changed; one that only one side has is gone or new."""
    old = "new" if before is None else number(before)
    return f"{old} → {'gone' if after is None else number(after)}"


def submission_report(result: SubmissionResult, *, title: str, details: bool = False) -> RenderableType:
    """Return everything about one submission, the failing checks spelled out.

    Parameters
    ----------
    title : str
        Name of the assignment.
    details : bool
        Whether to add what only an instructor may see: full failures and printed output.
    """
    score = f"{number(result.score)} of {number(result.max_score)} points"
    parts: list[RenderableType] = [Text.assemble((line(title), "bold"), "  ", (score, "bold"))]
    reason = result.stop_reason
    if reason is not None:
        parts.append(Text(f"Nothing could be checked: {line(reason)}", style="red"))
    parts += [Text(f"Note: {line(note)}", style="yellow") for note in result.all_notes if note != reason]
    for task in result.tasks:
        tests = [test for test in result.tests if test.task == task.id]
        heading = Text.assemble((line(task.title), "bold"), "  ", _points(task, of_max=True))
        parts += [Text(), heading, *(part for test in tests for part in _test(test, reason, details))]
    return Group(*parts)


def _score(record: Record) -> Text:
    """Return the points of a student; what there is instead where there are none."""
    if standing.has_points(record):
        return Text(f"{number(record.score)}{'*' if record.overrides else ''}", style="bold")
    return Text("excused" if record.excused else "–", style="bright_black")  # noqa: RUF001


def _points(task: TaskResult, *, of_max: bool = False) -> Text:
    text = number(task.points) + (f" / {number(task.max_points)}" if of_max else "")
    text += " extra" if of_max and task.extra else ""
    full = task.points >= task.max_points
    return Text(text, style="green" if full else "red" if task.points == 0 else "yellow")


def _sum(points: float | None, counts: bool) -> Text:
    """Return points with written answers in them; a dash as long as one of these is not scored."""
    if not counts:
        return Text()
    return Text("–", style="bright_black") if points is None else Text(number(points))  # noqa: RUF001


def _gist(result: SubmissionResult) -> Text:
    text = Text(line(wording.summarize(result)))
    text.truncate(MAX_GIST, overflow="ellipsis")
    if result.score >= result.max_score:
        text.stylize("green")
    return text


def _note_on_texts(records: Sequence[Record]) -> Iterator[Text]:
    """Say where the texts are whole that the table shortens."""
    if any(len(line(wording.summarize(record.result))) > MAX_GIST for record in records):
        yield Text("Texts that end in … are complete in report.html.", style="bright_black")


def _legend(tasks: Sequence[TaskResult]) -> RenderableType:
    legend = Table.grid(padding=(0, 1))
    for place, task in enumerate(tasks, 1):
        points = f"{number(task.max_points)} points{', extra' if task.extra else ''}"
        legend.add_row(Text(str(place)), Text(line(task.title)), Text(points), style="bright_black")
    return legend


def _statistics(records: Sequence[Record]) -> Text:
    if not records:
        return Text("no results", style="yellow")
    students = "1 student" if len(records) == 1 else f"{len(records)} students"
    without = standing.count_standings(
        standing.standing_of(one) for one in records if not standing.has_points(one)
    )
    students += f" ({without})" if without else ""
    scores = [record.score for record in records if standing.has_points(record)]
    if not scores:
        return Text(f"\n{students}, nobody has points")
    mean, median = number(statistics.fmean(scores)), number(statistics.median(scores))
    top = number(records[0].result.max_score)
    overridden = "\n* decided by a person" if any(record.overrides for record in records) else ""
    written = standing.written_progress(records)
    more = f"\n{written}" if written else ""
    return Text(f"\n{students}, mean {mean}, median {median} of {top} points{overridden}{more}")


def _test(test: TestResult, reason: str | None, details: bool) -> Iterator[RenderableType]:
    word = statuses.WORDS[test.status]
    hidden = "  (hidden)" if test.tier == "hidden" else ""
    ending = "" if test.status is Status.passed else f"  {word.word.lower()}"
    yield Text.assemble(
        (f"  {word.symbol} ", STYLES[word.tone]),
        line(test.title),
        (ending, STYLES[word.tone]),
        (hidden, "bright_black"),
    )
    if test.feedback is not None and reason is None:
        yield Padding(_feedback(test), (0, 0, 0, 6))
    if details:
        for name, text in (("detail", test.detail), ("output", test.output)):
            if text.strip():
                yield Padding(
                    Text(f"{name}:\n{printable(text.rstrip())}", style="bright_black"), (0, 0, 0, 6)
                )


def _feedback(test: TestResult) -> RenderableType:
    feedback = test.feedback
    assert feedback is not None
    place = feedback.location
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bright_black", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in (
        ("expected", feedback.expected),
        ("actual", feedback.actual),
        (wording.place_label(feedback.first_wrong).lower(), feedback.first_wrong),
        ("likely cause", feedback.likely_cause),
        ("line", f"{place.file}:{place.line}, in {place.function}" if place else None),
    ):
        if text:
            grid.add_row(name, Text(printable(text)))
    return (
        Group(Text(printable(feedback.summary)), grid)
        if grid.row_count
        else Text(printable(feedback.summary))
    )
