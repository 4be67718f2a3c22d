"""The command that writes points into the gradebook of another program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.options import CourseOption, OutputArgument, RosterOption, load_class, say


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog="Example: autograder export graded/knn dist/nbgrader/gradebook.db")(export)


def export(
    output: OutputArgument,
    database: Annotated[
        Path, typer.Argument(metavar="DATABASE", help="The gradebook.db of nbgrader's course folder.")
    ],
    roster: RosterOption = None,
    course: CourseOption = None,
) -> None:
    """Write the points for code into nbgrader's gradebook, beside those given in its formgrader."""
    from autograder.commands import terminal
    from autograder.exporters import gradebook_db
    from autograder.graded import standing
    from autograder.grading import views

    graded = load_class(output, course, roster, missing_as_zero=False)
    with graded.folder.lock():
        records = views.class_records(graded.course, graded.assignment, graded.folder, graded.people)
        done = gradebook_db.write(database, graded.course, graded.assignment, records)
    left = f"; {len(done.left)} left as they are: {standing.count_standings(done.left)}" if done.left else ""
    typer.echo(f"{database}: points for {done.points}, {done.changed} of them new or changed{left}")
    if done.overruled:
        say(f"points that people gave for code in the formgrader count there: {'; '.join(done.overruled)}")
    if done.ungraded:
        command = "grade the class again, and then export it"
        terminal.warn(f"handed in there, and not in {output}: {'; '.join(done.ungraded)}; {command}")
