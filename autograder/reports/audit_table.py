"""What an audit found, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autograder.untrusted import line
from helpers.wording import number


def verdicts(
    rows: Sequence[tuple[str, float, Sequence[tuple[str, float]], Sequence[str]]],
) -> RenderableType:
    """Return a table of how submissions fared.

    Parameters
    ----------
    rows : sequence of (student, score, tasks with the points that they lost, likely causes)
    """
    table = Table(
        "submission", "points", "lost in", "likely cause named", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for student, score, lost, causes in rows:
        tasks = ", ".join(f"{task} {number(points)}" for task, points in lost)
        table.add_row(Text(line(student)), number(score), Text(tasks), Text("; ".join(map(line, causes))))
    return table


def findings(
    unstable: Sequence[tuple[str, str, Sequence[str]]], tight: Sequence[tuple[str, float, float]]
) -> RenderableType:
    """Return tables of tests that end differently and of limits that are close.

    Parameters
    ----------
    unstable : sequence of (student, test, outcomes)
        The ways in which a test ended on the same submission.
    tight : sequence of (test, seconds of the reference, limit)
        CPU seconds.
    """
    parts: list[RenderableType] = []
    if unstable:
        table = Table("submission", "test", "ended", box=box.SIMPLE_HEAD, pad_edge=False)
        for student, test, outcomes in unstable:
            table.add_row(Text(line(student)), test, Text("\n".join(map(line, outcomes))))
        parts.append(table)
    if tight:
        table = Table("test", "reference, CPU s", "limit, CPU s", box=box.SIMPLE_HEAD, pad_edge=False)
        for test, seconds, limit in tight:
            table.add_row(test, f"{seconds:.3f}", f"{limit:g}")
        parts.append(table)
    return Group(*parts)
