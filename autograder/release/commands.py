"""The commands of the command line that release and publish assignments, and begin new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from autograder.options import CourseOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograder.assignment import Assignment
    from autograder.course import Course
    from autograder.release.leaks import LeakError
    from autograder.release.tree import Tree
    from autograder.scoring import PlannedTest

STALE = 1


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog="Example: autograder release --check")(release)
    app.command(epilog="Example: autograder publish")(publish)
    app.command(epilog="Example: autograder new softmax")(new)


def release(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if assignments/ is not up to date.")
    ] = False,
    course: CourseOption = None,
) -> None:
    """Make assignments/ and dist/ from solutions/, and prove that no solution is in them."""
    from autograder.course import Course
    from autograder.release import tree

    current = Course.find(course)
    built = _built(current)
    if check:
        stale = tree.stale(current, built)
        for line in stale:
            typer.echo(line)
        if stale:
            typer.echo("assignments/ is stale; run: make release")
            raise typer.Exit(STALE)
        typer.echo("assignments/ is up to date")
        return
    tree.write(current, built)
    for name, content in built.archives.items():
        typer.echo(f"{current.root / 'dist' / name}  {len(content) / 1000:.0f} kB")
    typer.echo(f"{current.root / 'dist' / 'student'}  {len(built.student)} files, no leak found")


def publish(course: CourseOption = None) -> None:
    """Push dist/student to the public repository of course.toml under the release's tag."""
    from autograder.course import Course
    from autograder.release import publishing

    current = Course.find(course)
    commit = publishing.publish(current, _built(current))
    typer.echo(f"{current.release.url}  {current.release.tag} is {commit[:12]}")


def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Of the assignment and its module, such as softmax.")
    ],
    course: CourseOption = None,
) -> None:
    """Begin an assignment that can be released and graded at once."""
    from autograder.course import Course
    from autograder.release import scaffold

    for path in scaffold.write(Course.find(course), name):
        typer.echo(path)
    typer.echo(f"Next: write {name}, then run: make release && autograder check solutions/{name}/{name}.py")


def _built(course: Course) -> Tree:
    """Build the release and refuse it if it leaks, saying all that was found."""
    from autograder.release import tree
    from autograder.release.leaks import LeakCheck, LeakError

    built = tree.build(course, lambda assignment: _plan(assignment, course))
    try:
        LeakCheck(course).require_clean(built.public)
    except LeakError as error:
        _say_all(error)
        raise
    return built


def _say_all(error: LeakError) -> None:
    for finding in error.findings:
        typer.echo(f"{finding.place}: {finding.says}", err=True)


def _plan(assignment: Assignment, course: Course) -> Sequence[PlannedTest]:
    """Collect the suite as the grader does; no student code is run."""
    from autograder.engine.pool import Pool

    with Pool(assignment, course, jobs=1, sandbox="none") as pool:
        return pool.plan
