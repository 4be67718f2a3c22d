"""Options that commands share, and how they are turned into what the modules below take."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.errors import ConfigError
from autograder.reports.untrusted import line

if TYPE_CHECKING:
    from autograder.assignment import Assignment
    from autograder.course import Course
    from autograder.engine.pool import Pool
    from autograder.grading import OpenPool, Sandbox
    from autograder.intake.roster import Roster
    from autograder.storage import GradedFolder


class Level(StrEnum):
    """How student code is confined."""

    full = "full"
    none = "none"


CourseOption = Annotated[
    Path | None,
    typer.Option("--course", metavar="DIR", help="Folder of the course.", show_default="around this folder"),
]
MissingOption = Annotated[
    bool,
    typer.Option("--missing-as-zero", help="Give students who handed in nothing 0 points, not none."),
]
OutputArgument = Annotated[Path, typer.Argument(metavar="OUTPUT", help="Folder of an earlier run.")]
LevelOption = Annotated[
    Level, typer.Option("--sandbox", help="How student code is confined; 'none' is for suite authors only.")
]
RosterOption = Annotated[
    Path | None,
    typer.Option("--roster", metavar="CSV", help="Roster of the class.", show_default="of course.toml"),
]
WeakOption = Annotated[
    bool,
    typer.Option(
        "--allow-weak-sandbox", help="Grade even if this machine cannot confine student code fully."
    ),
]


def course_of(folder: Path | None) -> Course:
    """Find the course around a folder, or around the current one."""
    from autograder.course import Course

    return Course.find(folder)


def graded_folder(output: Path) -> GradedFolder:
    """Return the folder of a graded class; raises ConfigError if it holds no results."""
    from autograder.storage import GradedFolder

    folder = GradedFolder(output)
    if not folder.results():
        raise ConfigError(str(output), "holds no results", "grade a class first: autograder grade --help")
    return folder


def assignment_of(folder: GradedFolder, course: Path | None) -> tuple[Course, Assignment]:
    """Return the course, and the assignment that the results in a folder belong to."""
    from autograder.assignment import load

    current = course_of(course)
    name = next(iter(folder.results().values())).assignment
    return current, load(current, name)


def roster_of(course: Course, path: Path | None) -> Roster | None:
    """Read the roster that an option names, or `course.toml`; None if neither does."""
    from autograder.intake import roster

    chosen = path or course.roster
    return roster.read(chosen) if chosen is not None else None


def open_pool(ctx: typer.Context) -> OpenPool:
    """Return the engine to use: the one that the caller of the command line brought, or the kit's."""
    return ctx.obj or _pool


def _pool(
    assignment: Assignment,
    course: Course,
    *,
    jobs: int,
    sandbox: Sandbox,
    tasks: Iterable[str] | None = None,
) -> Pool:
    """Return the kit's engine, with the stubs that take the place of modules which cannot be imported."""
    from autograder.engine.pool import Pool
    from autograder.release.handout import stubs

    return Pool(assignment, course, jobs=jobs, sandbox=sandbox, tasks=tasks, stubs=stubs(assignment))


def sandbox_of(level: Level, weak_allowed: bool) -> Sandbox:
    """Return what the engine calls the level that the options ask for."""
    if level is Level.none:
        return "none"
    return "weak" if weak_allowed else "full"


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def user_name() -> str:
    """Return the name that the system knows the user by, or "" if it knows none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run under a number without a name
        return ""


def say(text: str) -> None:
    """Print one line on standard error."""
    typer.echo(line(text), err=True)
