"""The command that overrides the points of a student."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands.options import (
    CourseOption,
    MissingOption,
    OutputArgument,
    RosterOption,
    load_class,
    user_name,
)
from autograder.errors import ConfigError
from helpers.wording import number

if TYPE_CHECKING:
    from autograder.course.assignment import Assignment


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(
        epilog="Example: autograder override graded/knn ada --task best_k --points 5 --reason 'a typo'"
    )(override)


def override(
    output: OutputArgument,
    student: Annotated[str, typer.Argument(metavar="STUDENT", help="The student, named as in grades.csv.")],
    points: Annotated[
        float | None, typer.Option("--points", min=0, help="Points that count from now on.")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option("--task", help="Task whose points you override.", show_default="the whole score"),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; the student reads this.")] = "",
    by: Annotated[
        str,
        typer.Option("--by", envvar=["USER", "USERNAME"], help="Who decides.", show_default="your user name"),
    ] = "",
    remove: Annotated[
        bool, typer.Option("--remove", help="Undo the override: the graded points count again.")
    ] = False,
    roster: RosterOption = None,
    missing_as_zero: MissingOption = False,
    course: CourseOption = None,
) -> None:
    """Override the points of a student; the override survives every regrade."""
    from autograder.graded.records import Override
    from autograder.grading import loop

    graded = load_class(output, course, roster, missing_as_zero=missing_as_zero)
    folder, assignment = graded.folder, graded.assignment
    if student not in graded.results:
        raise ConfigError(str(output), f"holds no result of {student!r}", "write the name as in grades.csv")
    most = _limit(assignment, task)
    by = by.strip() or user_name()
    if not remove:
        _require_complete(points, reason, by)
        _require_at_most(points or 0, most, task)
    with folder.lock():
        others = tuple(one for one in folder.overrides(student) if not remove or one.task != task)
        if remove and others == folder.overrides(student):
            what = f"the task {task}" if task else "the whole score"
            raise ConfigError(student, f"there is no override of {what} to remove", f"see {folder.gradebook}")
        now = datetime.now(UTC).replace(microsecond=0)
        new = () if remove else (Override(task=task, points=points or 0, reason=reason, by=by, at=now),)
        folder.decide(student, (*others, *new))
        loop.save(graded.course, assignment, folder, graded.results[student])
        records = graded.write()
    (record,) = (one for one in records if one.student == student)
    typer.echo(f"{student}: {number(record.score)} of {number(record.result.max_score)} points")
    graded.warn_about_uploads()


def _limit(assignment: Assignment, task: str | None) -> float:
    """Return what a task, or the whole assignment with its extra credit, is worth."""
    if task is None:
        return float(assignment.all_points)
    worth = {item.id: float(item.points) for item in assignment.tasks}
    if task in [question.id for question in assignment.questions]:
        remedy = "import a table of scores: autograder answers OUTPUT --import CSV"
        raise ConfigError(assignment.name, f"{task!r} is a question that people score", remedy)
    if task not in worth:
        raise ConfigError(assignment.name, f"has no task {task!r}", f"choose one of: {', '.join(worth)}")
    return worth[task]


def _require_complete(points: float | None, reason: str, by: str) -> None:
    """Raise ConfigError with the options of an override that are missing."""
    given = {"--points": points is not None, "--reason": reason.strip(), "--by": by.strip()}
    missing = [option for option, value in given.items() if not value]
    if missing:
        options = " and ".join((", ".join(missing[:-1]), missing[-1]) if len(missing) > 1 else missing)
        verb = "is" if len(missing) == 1 else "are"
        raise ConfigError("override", f"{options} {verb} missing", f"add {options}, or --remove to undo one")


def _require_at_most(points: float, most: float, task: str | None) -> None:
    """Raise ConfigError if more points are given than there are."""
    if points > most:
        from autograder.graded.results import write_exact

        what = f"the task {task} is worth" if task else "the assignment is worth, extra credit included"
        found = f"{write_exact(points)} points are more than {what}"
        raise ConfigError("override --points", found, f"give at most {write_exact(most)}")
