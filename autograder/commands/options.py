"""Options that commands share, and how they are turned into what the modules below take."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.errors import ConfigError
from autograder.untrusted import line

if TYPE_CHECKING:
    from autograder.course import Course
    from autograder.course.assignment import Assignment
    from autograder.engine.interface import OpenEngine, Sandbox
    from autograder.engine.pool import Pool
    from autograder.graded.folder import GradedFolder
    from autograder.graded.records import Record
    from autograder.graded.results import SubmissionResult
    from autograder.intake.roster import Roster


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
    typer.Option("--missing-as-zero", help="Give students without a submission 0 points instead of none."),
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
    """Find the course around a folder, or around the current one.

    Raises
    ------
    ConfigError
        There is none, or it lies in a bundle for a submission server, which holds a part of a course.
    """
    from autograder.course import Course

    found = Course.find(folder)
    if found.bundle is not None:
        remedy = "run this in the folder of the course; `autograder run` grades with a bundle"
        raise ConfigError(str(found.root), "is part of a bundle for a submission server", remedy)
    return found


@dataclass(frozen=True)
class StoredClass:
    """A class whose results are on disk, and what a command needs to change or show it.

    Attributes
    ----------
    results : dict of str to SubmissionResult
        As they were when the command began, by student.
    people : Roster or None
        Who is in the class.
    missing_as_zero : bool
        Whether students who handed in nothing have 0 points, rather than none.
    """

    folder: GradedFolder
    course: Course
    assignment: Assignment
    results: dict[str, SubmissionResult]
    people: Roster | None
    missing_as_zero: bool

    def write(self) -> list[Record]:
        """Write gradebooks, pages and the report again, while writing is reserved; return the records."""
        from autograder.grading import views

        return views.write_class(
            self.course,
            self.assignment,
            self.folder,
            roster=self.people,
            missing_as_zero=self.missing_as_zero,
        )

    def warn_about_uploads(self) -> None:
        """Warn if the file for a platform is older than the points."""
        from autograder.commands import summary

        summary.warn_about_uploads(self.folder, self.people)


def load_class(
    output: Path, course: Path | None, roster: Path | None, *, missing_as_zero: bool
) -> StoredClass:
    """Return the class that was graded into a folder.

    Raises
    ------
    ConfigError
        The folder holds no results, or the course has no such assignment.
    """
    from autograder.course.assignment import load
    from autograder.graded.folder import GradedFolder

    folder = GradedFolder(output)
    results = folder.results()
    if not results:
        raise ConfigError(str(output), "holds no results", "grade a class first: autograder grade --help")
    current = course_of(course)
    assignment = load(current, next(iter(results.values())).assignment)
    people = roster_of(current, roster)
    return StoredClass(folder, current, assignment, results, people, missing_as_zero)


def roster_of(course: Course, path: Path | None) -> Roster | None:
    """Read the roster that an option names, or `course.toml`; None if neither does."""
    from autograder.intake import roster

    chosen = path or course.roster
    return roster.read(chosen) if chosen is not None else None


def open_engine(ctx: typer.Context) -> OpenEngine:
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
