"""The commands that begin something: a course, and an assignment of it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.options import CourseOption


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog="Example: autograder start deep-learning")(start)
    app.command(epilog="Example: autograder new softmax")(new)


def start(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A folder that is not there yet, or is empty.")
    ],
    name: Annotated[
        str, typer.Option("--name", help="Of the course, as students read it.", show_default="the folder's")
    ] = "",
) -> None:
    """Make a course in a folder of its own, with a first assignment that can be graded at once."""
    from autograder.authoring import course_folder

    for path in course_folder.write(folder, name):
        typer.echo(path)
    typer.echo(f"Next: cd {shlex.quote(str(folder))} && make check")


def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Of the assignment and its module, such as softmax.")
    ],
    course: CourseOption = None,
) -> None:
    """Begin an assignment that can be graded at once; course.toml lists it as a draft."""
    from autograder.authoring import scaffold
    from autograder.course import Course

    for path in scaffold.write(Course.find(course), name):
        typer.echo(path)
    run = f"autograder release && autograder check solutions/{name}/{name}.py"
    typer.echo(f"Next: write {name}, a draft until course.toml says that it is released, then run: {run}")
