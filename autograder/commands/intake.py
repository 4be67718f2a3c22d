"""The command that shows a class's submissions before they are graded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands.decisions import AssignmentArgument, ClassArgument, list_waiting
from autograder.commands.options import CourseOption, RosterOption, course_of, roster_of
from autograder.untrusted import line

if TYPE_CHECKING:
    from autograder.intake.overview import OverviewRow


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog="Example: autograder intake knn submissions/knn")(intake)


def intake(
    assignment: AssignmentArgument,
    class_folder: ClassArgument,
    roster: RosterOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    course: CourseOption = None,
) -> None:
    """Show what was found in a class folder, and what waits for a decision; nothing is graded."""
    import json

    from autograder.commands import terminal
    from autograder.course.assignment import load
    from autograder.exporters import uploads
    from autograder.intake import lookup, overview, read_class

    current = course_of(course)
    chosen = load(current, assignment)
    people = roster_of(current, roster)
    excused = uploads.find_excused(current, chosen, people)
    handin = read_class(class_folder, chosen, people, excused=excused)
    lookup.require_match(handin, class_folder, people)
    found = overview.rows(handin)
    if as_json:
        students = [vars(row) for row in found]
        document = {"layout": handin.layout, "students": students, "notes": handin.notes}
        typer.echo(json.dumps(document, indent=2))
        return
    typer.echo(f"{line(str(class_folder))} is read as {handin.layout}.")
    _show(found)
    typer.echo(overview.summary(found))
    for note in handin.notes:
        terminal.warn(note)
    list_waiting(handin, chosen, class_folder, roster=roster, course=course)


def _show(found: Sequence[OverviewRow]) -> None:
    """Print a table at a terminal, and a line for each student elsewhere."""
    import sys

    from rich import box
    from rich.table import Table
    from rich.text import Text

    from autograder.commands import terminal
    from autograder.intake.overview import IntakeStatus

    if not sys.stdout.isatty():
        for row in found:
            typer.echo(line(f"{row.student}: {row.outcome}: {' '.join(row.remarks) or _files(row)}"))
        return
    styles = {IntakeStatus.asked: "green", IntakeStatus.found: "cyan", IntakeStatus.partial: "yellow"}
    table = Table("student", "outcome", "what", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in found:
        what = "\n".join(map(line, row.remarks)) or _files(row)
        table.add_row(Text(line(row.student)), Text(row.outcome, styles.get(row.outcome, "red")), Text(what))
    terminal.show(table)


def _files(row: OverviewRow) -> str:
    return line(", ".join(row.files))
