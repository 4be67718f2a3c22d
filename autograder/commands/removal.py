"""The command that removes a student from a graded class."""

from __future__ import annotations

from typing import Annotated

import typer

from autograder.commands.options import (
    CourseOption,
    MissingOption,
    OutputArgument,
    RosterOption,
    load_class,
)


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog="Example: autograder remove graded/knn guestgerd_4799")(remove)


def remove(
    output: OutputArgument,
    student: Annotated[str, typer.Argument(metavar="STUDENT", help="The student, named as in grades.csv.")],
    roster: RosterOption = None,
    missing_as_zero: MissingOption = False,
    course: CourseOption = None,
) -> None:
    """Remove a student from a graded class; OUTPUT/removed keeps the files."""
    from autograder.grading import relocation
    from autograder.untrusted import line

    graded = load_class(output, course, roster, missing_as_zero=missing_as_zero)
    with graded.folder.lock():
        place = relocation.remove(graded.folder, student)
        graded.write()
    typer.echo(f"{line(student)} is no longer in the gradebook; the files are kept in {place}")
    graded.warn_about_uploads()
