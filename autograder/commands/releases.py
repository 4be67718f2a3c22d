"""The commands that release and publish assignments."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands.options import CourseOption, cores
from autograder.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autograder.commands.terminal import GradingProgress
    from autograder.course import Course
    from autograder.course.assignment import Assignment
    from autograder.release.leaks import LeakError
    from autograder.release.tree import Tree
    from autograder.scoring import PlannedTest

STALE = 1
NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAMES]...", help="Names of assignments; all of them by default."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog="Example: autograder release --check")(release)
    app.command(epilog="Example: autograder publish")(publish)


def release(
    names: NamesArgument = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if assignments/ is not up to date.")
    ] = False,
    course: CourseOption = None,
) -> None:
    """Make assignments/ and dist/ from solutions/, and prove that no solution is in them.

    With NAMES, files of other assignments stay as they are. Drafts get into assignments/ only.
    """
    from autograder.course import Course
    from autograder.release import origins, student, tree
    from autograder.release.handout import released_tag

    current = Course.find(course)
    found = tree.load_assignments(current, names or ())
    tags = {one.name: released_tag(current.root / "assignments" / one.name) for one in found} if check else {}
    built = _build(current, found, {name: tag for name, tag in tags.items() if tag})
    if check:
        _tell_stale(tree.find_stale(current, built))
        return
    ledger, now = origins.Ledger(current), {one.name: origins.find_origins(current, one) for one in found}
    for line in origins.describe_changes(current, built, ledger, now):
        typer.echo(line)
    tree.write(current, built)
    ledger.put(now)
    for name, content in built.archives.items():
        typer.echo(f"{current.root / 'dist' / name}  {len(content) / 1000:.0f} kB")
    typer.echo(f"{current.root / 'dist' / 'student'}  {len(built.student)} files, no leak found")
    for name in sorted(set(built.names).difference(student.released_names(current, built.names))):
        typer.echo(f"{name} is a draft: it is in assignments/{name}/ for you, and students do not get it")


def publish(names: NamesArgument = None, course: CourseOption = None) -> None:
    """Push dist/student to the public repository of course.toml under the release's tag.

    With NAMES, what was published before of other assignments stays.
    """
    from autograder.commands.terminal import GradingProgress
    from autograder.course import Course
    from autograder.release import publishing, tree
    from autograder.release.plans import SuitePlans

    current = Course.find(course)
    found = tree.load_assignments(current, names or ())
    publishing.require_publishable(current, [one.name for one in found])
    drafts = [one.name for one in found if current.status(one.name) == "draft"]
    if names and drafts:
        raise ReleaseError(drafts[0], "is a draft", 'set its `status` to "released" in course.toml')
    plans = SuitePlans(current)
    planned = {one.name: plans.get(one) for one in found}
    if missing := [name for name, plan in planned.items() if plan is None]:
        raise ReleaseError("dist", f"is older than {missing[0]} or the kit", "run: make release")
    with GradingProgress(1, "Publishing") as progress:
        built = tree.build(
            current, lambda one: planned[one.name] or (), [one.name for one in found] if names else ()
        )
        commit = publishing.publish(current, built, progress.stage)
    typer.echo(f"{current.release.url}  {current.release.tag} is {commit[:12]}")


def _build(course: Course, found: Sequence[Assignment], tags: Mapping[str, str]) -> Tree:
    """Build the release of some assignments, and refuse it if it leaks, saying all that was found."""
    from autograder.commands.terminal import GradingProgress, warn
    from autograder.release import tree
    from autograder.release.leaks import LeakCheck, LeakError

    for name in course.unlisted_assignments():
        warn(f"{name} is not listed in course.toml, so it is a draft; add it under [[assignments]]")
    names = () if len(found) == len(course.assignments()) else [one.name for one in found]
    with GradingProgress(len(found) + 2, "Releasing") as progress:
        planned = _collect_plans(course, found, progress)
        built = tree.build(course, lambda one: planned[one.name], names, tags=tags)
        progress()
        progress.stage("Looking for leaks")
        try:
            LeakCheck(course).require_clean(built.public)
        except LeakError as error:
            _say_all(error)
            raise
    return built


def _collect_plans(
    course: Course, found: Sequence[Assignment], progress: GradingProgress
) -> dict[str, Sequence[PlannedTest]]:
    """Return the plans of suites; those that have changed are collected, one per core at a time."""
    from autograder.release.plans import SuitePlans

    plans = SuitePlans(course)
    known = {one.name: plans.get(one) for one in found}
    planned = {name: plan for name, plan in known.items() if plan is not None}
    new = [one for one in found if one.name not in planned]
    for _ in planned:
        progress()
    with ThreadPoolExecutor(max_workers=cores()) as executor:
        at_work = {executor.submit(_plan, one, course): one for one in new}
        progress.stage(
            f"Collecting the suite of {', '.join(one.name for one in new)}" if new else "Releasing"
        )
        for done in as_completed(at_work):
            planned[at_work[done].name] = done.result()
            progress()
    if new:
        plans.put(planned, new)
    return planned


def _tell_stale(stale: Sequence[str]) -> None:
    for line in stale:
        typer.echo(line)
    if stale:
        typer.echo("assignments/ is stale; run: make release")
        raise typer.Exit(STALE)
    typer.echo("assignments/ is up to date")


def _say_all(error: LeakError) -> None:
    for finding in error.findings:
        typer.echo(f"{finding.place}: {finding.says}", err=True)


def _plan(assignment: Assignment, course: Course) -> Sequence[PlannedTest]:
    """Collect the suite as the grader does; no student code is run."""
    from autograder.engine.pool import Pool

    with Pool(assignment, course, jobs=1, sandbox="none") as pool:
        return pool.plan
