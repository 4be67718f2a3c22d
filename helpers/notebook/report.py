"""A report of public checks as a table: HTML for notebooks, text for terminals."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from helpers.credit import ONCE
from helpers.notebook.outcomes import Failure, PublicOutcome, Report, word_of
from helpers.statuses import Status
from helpers.wording import number

_WIDTH = 96
_CODE = {"Expected", "Yours", "First wrong", "That line"}
LEFT = ' style="text-align:left"'
"""What notebooks keep of the style when they show a table that they do not trust, such as a saved one."""
# Text keeps the color of the page, so that it is legible on any; colors only mark edges, beside words.
_STYLE = """
.coursegrad{max-width:60rem;font-size:14px;line-height:1.5;color:inherit}
.coursegrad p{margin:0 0 .35rem}
.coursegrad .cg-head{font-size:1.1em}
.coursegrad .cg-small{opacity:.8;font-size:.93em}
.coursegrad .cg-note{border-left:4px solid #d18a00;background:rgba(209,138,0,.13);padding:.35rem .7rem}
.coursegrad .cg-open{border-left:4px solid #8a8f98;background:rgba(128,128,128,.12);padding:.35rem .7rem}
.coursegrad .cg-list{margin-bottom:.5rem}
.coursegrad ul{margin:.15rem 0;padding-left:1.2rem}
.coursegrad table.cg-table{width:100%;margin:.5rem 0 .6rem;border-collapse:collapse;border:0;
 table-layout:auto;font-size:1em;color:inherit}
.coursegrad table.cg-table tbody tr:nth-child(n),.coursegrad table.cg-table tbody tr:nth-child(n):hover{
 background:transparent}
.coursegrad .cg-table th,.coursegrad .cg-table td{text-align:left;vertical-align:top;white-space:normal;
 padding:.4rem .7rem;border:0;border-top:1px solid rgba(128,128,128,.35);max-width:none;color:inherit}
.coursegrad table.cg-files{width:auto}
.coursegrad .cg-table thead th{border-top:0;font-weight:600;opacity:.8}
.coursegrad .cg-table .cg-points{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.coursegrad .cg-table .cg-result{white-space:nowrap;font-weight:600}
.coursegrad .cg-table .cg-task{font-weight:600;min-width:8rem}
.coursegrad .cg-table .cg-good{box-shadow:inset 4px 0 #2e9e5b}
.coursegrad .cg-table .cg-bad{box-shadow:inset 4px 0 #e0492f}
.coursegrad .cg-table .cg-quiet{box-shadow:inset 4px 0 #8a8f98}
.coursegrad .cg-problem{margin:.25rem 0 .35rem;white-space:pre-line}
.coursegrad dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem .8rem;margin:.2rem 0 .3rem}
.coursegrad dt{font-weight:400;opacity:.8;margin:0;padding:0;float:none;width:auto;white-space:nowrap}
.coursegrad dd{margin:0;padding:0;float:none;width:auto;overflow-wrap:anywhere}
.coursegrad dd code{font-size:.93em;background:rgba(128,128,128,.16);color:inherit;padding:.05rem .3rem;
 border-radius:3px;white-space:pre-wrap}
"""


def as_html(report: Report, more: Sequence[str] = ()) -> str:
    """Return a report as HTML that stands on its own, and reads well without its style too.

    Parameters
    ----------
    more : sequence of str
        Paragraphs to close with.
    """
    parts = [f'<p class="cg-head">{_bold(_headline(report))}</p>']
    if report.checked:
        parts.append(f'<p class="cg-small">{escape(report.checked)}</p>')
    parts += [f'<p class="cg-note">{_bold("Note:")} {escape(note)}</p>' for note in report.notes]
    if report.problem is not None:
        parts.append(f'<div class="cg-note">{_failure_html(report.problem)}</div>')
    else:
        heads = ("Task", "Points", "Result", "Check")
        head = "".join(f'<th scope="col"{LEFT}>{name}</th>' for name in heads)
        rows = "".join(_group_html(report, *group) for group in _groups(report))
        parts.append(f'<table class="cg-table"><thead><tr>{head}</tr></thead>{rows}</table>')
    parts += [f'<p class="cg-small">{escape(line)}</p>' for line in (*_closing_lines(report), *more)]
    return frame("".join(parts))


def frame(body: str) -> str:
    """Return HTML with the style that all of the kit's output in notebooks shares."""
    return f'<div class="coursegrad"><style>{_STYLE}</style>{body}</div>'


def as_text(report: Report, more: Sequence[str] = ()) -> str:
    """Return a report as text of at most 96 columns, but for what the student's code says."""
    lines = [_headline(report), *(wrap(report.checked, "") if report.checked else [])]
    for note in report.notes:
        lines += wrap(f"Note: {note}", "  ")
    if report.problem is not None:
        lines += ["", *_failure_text(report.problem, "  ")]
    else:
        lines.append("")
        for task, outcomes in _groups(report):
            lines += _group_text(report, task, outcomes)
    closing = [part for line in (*_closing_lines(report), *more) for part in wrap(line, "")]
    return "\n".join([*lines, *(["", *closing] if closing else [])])


def _headline(report: Report) -> str:
    if report.problem is not None:
        return f"{report.handout.title}: no check ran"
    count = len(report.outcomes)
    what = f"{report.passed} of {count} public check{'s' if count != 1 else ''} passed"
    return f"{report.handout.title}: {what}"


def _closing_lines(report: Report) -> Iterator[str]:
    """Yield what these checks and the others are worth, and what grades, where this is another Python."""
    grader = report.handout.grader
    if grader and grader.get("python") != "{}.{}".format(*sys.version_info):
        yield (
            f"Your work is graded with Python {grader['python']} and PyTorch {grader['torch']}; "
            f"this notebook runs Python {sys.version_info[0]}.{sys.version_info[1]}."
        )
    if report.problem is not None:
        return
    tasks = {outcome.test.task for outcome in report.outcomes}
    whole = sum(task.points for task in report.handout.tasks if task.id in tasks)
    yield (
        f"{number(report.points)} of the {number(report.max_points)} points that these checks give. "
        f"The other {number(whole - report.max_points)} of {number(whole)} points "
        "come from checks that run when your work is graded."
    )


def _groups(report: Report) -> Iterator[tuple[str, list[PublicOutcome]]]:
    """Yield each task's id with its outcomes."""
    for task, outcomes in groupby(report.outcomes, key=lambda outcome: outcome.test.task):
        yield task, list(outcomes)


def _group_html(report: Report, task: str, outcomes: Sequence[PublicOutcome]) -> str:
    title = escape(_task_title(report, task))
    first = f'<th scope="rowgroup" rowspan="{len(outcomes)}" class="cg-task"{LEFT}>{title}</th>'
    rows = "</tr><tr>".join(map(_cells, outcomes))
    return f"<tbody><tr>{first}{rows}</tr></tbody>"


def _cells(outcome: PublicOutcome) -> str:
    look = word_of(outcome.status)
    tone = "quiet" if outcome.status is Status.not_run else look.tone  # the student chose what to run
    result = f'<span aria-hidden="true">{look.symbol}</span>&nbsp;{look.word}'
    details = _failure_html(outcome.failure) if outcome.failure else ""
    details += f'<p class="cg-small">{ONCE}</p>' if _is_eased(outcome) else ""
    return (
        f'<td class="cg-points">{_points(outcome)}</td>'
        f'<td class="cg-result cg-{tone}"{LEFT}>{result}</td>'
        f"<td{LEFT}>{escape(outcome.test.title)}{details}</td>"
    )


def _failure_html(failure: Failure) -> str:
    facts = "".join(
        f"<dt>{name}</dt><dd>{f'<code>{escape(text)}</code>' if name in _CODE else escape(text)}</dd>"
        for name, text in failure.facts()
    )
    listed = f"<dl>{facts}</dl>" if facts else ""
    problem = f'<p class="cg-problem">{_bold(failure.problem)}</p>' if failure.problem else ""
    return problem + listed


def _group_text(report: Report, task: str, outcomes: Sequence[PublicOutcome]) -> Iterator[str]:
    yield _task_title(report, task)
    for outcome in outcomes:
        look = word_of(outcome.status)
        result = f"{look.symbol} {look.word.lower()}"
        head = f"  {result:<18}{_points(outcome):>12}  "
        yield from wrap(head + outcome.test.title, " " * len(head))
        if outcome.failure:
            yield from _failure_text(outcome.failure, " " * 6)
        if _is_eased(outcome):
            yield from wrap(" " * 6 + ONCE, " " * 6)


def _failure_text(failure: Failure, indent: str) -> Iterator[str]:
    for line in failure.problem.splitlines():
        yield from wrap(indent + line, indent)
    for name, text in failure.facts():
        head = f"{indent}{name + ':':<14}"
        yield from wrap(head + text, " " * len(head))


def _is_eased(outcome: PublicOutcome) -> bool:
    """Tell whether a check failed and keeps points."""
    return outcome.status is not Status.passed and outcome.points > 0


def _points(outcome: PublicOutcome) -> str:
    return f"{number(outcome.points)} / {number(outcome.test.points)}"


def _task_title(report: Report, id: str) -> str:
    return {task.id: task.title for task in report.handout.tasks}.get(id, id)


def _bold(text: str) -> str:
    return f"<strong>{escape(text)}</strong>"


def wrap(text: str, indent: str) -> list[str]:
    """Break a line, keeping its own blanks and indenting what follows."""
    # Hyphens stay: paths that are broken at one cannot be copied.
    wrapper = textwrap.TextWrapper(
        _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return wrapper.wrap(text) or [""]
