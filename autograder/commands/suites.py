"""The commands for authors of suites."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.options import (
    CourseOption,
    Level,
    LevelOption,
    WeakOption,
    course_of,
    open_engine,
    sandbox_of,
)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog="Example: autograder audit knn --repeat 5")(audit)
    app.command(epilog="Example: autograder calibrate linear_classifier")(calibrate)


def audit(
    ctx: typer.Context,
    assignment: Annotated[
        str, typer.Argument(metavar="ASSIGNMENT", help="Name of the assignment, such as knn.")
    ],
    repeat: Annotated[int, typer.Option("--repeat", min=2, help="How many times to grade everything.")] = 3,
    secrets: Annotated[
        int,
        typer.Option("--secrets", min=0, help="Grade everything once more under so many other secrets."),
    ] = 0,
    class_folder: Annotated[
        Path | None,
        typer.Option(
            "--class",
            metavar="CLASS_FOLDER",
            help="More submissions to grade.",
            show_default="examples/submissions/ASSIGNMENT, if it exists",
        ),
    ] = None,
    sandbox: LevelOption = Level.full,
    allow_weak_sandbox: WeakOption = False,
    course: CourseOption = None,
) -> None:
    """Grade the same code repeatedly; exit 1 if an outcome changes or a limit is tight."""
    from autograder import intake
    from autograder.authoring import audit as audits
    from autograder.commands import terminal
    from autograder.course.assignment import load
    from autograder.reports import audit_table

    current = course_of(course)
    chosen = load(current, assignment)
    examples = current.root / "examples" / "submissions" / assignment
    folder = class_folder or (examples if examples.is_dir() else None)
    others = intake.read_class(folder, chosen).submissions if folder else ()
    with terminal.GradingProgress((repeat + secrets) * (len(others) + 2)) as progress:
        found = audits.audit(
            current,
            chosen,
            others,
            repeat=repeat,
            secrets=secrets,
            sandbox=sandbox_of(sandbox, allow_weak_sandbox),
            open_engine=open_engine(ctx),
            progress=progress,
        )
    terminal.show(
        audit_table.verdicts([(one.student, one.score, one.lost, one.causes) for one in found.verdicts])
    )
    terminal.show(
        audit_table.findings(
            [
                *((one.student, one.test, one.outcomes) for one in found.unstable),
                *((one.student, one.test, one.ways) for one in found.by_chance),
            ],
            [(one.test, one.reference_seconds, one.limit_seconds) for one in found.tight],
        )
    )
    for fault in found.faults:
        typer.echo(fault)
    graded = f"{found.tests} tests on {found.submissions} submissions, {found.rounds} times"
    graded += f", and under {secrets} other secrets" if secrets else ""
    changed = len(found.unstable) + len(found.by_chance)
    verdict = f"{changed} outcomes changed" if changed else "no outcome changed"
    typer.echo(f"{graded}: {verdict}. Reference: {found.reference_seconds:.2f} CPU seconds.")
    if not found.is_sound:
        raise typer.Exit(1)


def calibrate(
    ctx: typer.Context,
    assignment: Annotated[
        str, typer.Argument(metavar="ASSIGNMENT", help="Name of the assignment, such as knn.")
    ],
    seeds: Annotated[
        int, typer.Option("--seeds", min=10, help="How many secrets to grade the solutions under.")
    ] = 20,
    sandbox: LevelOption = Level.full,
    allow_weak_sandbox: WeakOption = False,
    course: CourseOption = None,
) -> None:
    """Set the suite's thresholds from the results of right and weak solutions under other secrets."""
    from autograder.authoring import calibration, variants
    from autograder.commands import terminal
    from autograder.course import thresholds
    from autograder.course.assignment import load
    from autograder.files import write_private

    current = course_of(course)
    chosen = load(current, assignment)
    changed = sum(len(variants.read(chosen, file)) for file in (variants.RIGHT, variants.WEAK))
    total = 1 + seeds * (1 + changed)
    with terminal.GradingProgress(total, "Calibrating") as progress:
        found = calibration.calibrate(
            current,
            chosen,
            seeds=seeds,
            sandbox=sandbox_of(sandbox, allow_weak_sandbox),
            open_engine=open_engine(ctx),
            progress=progress,
        )
    if not found:
        typer.echo(f"{assignment}: the suite uses no thresholds.")
        return
    write_private(chosen.suite / thresholds.FILE, thresholds.render(assignment, found))
    for name, one in sorted(found.items()):
        typer.echo(f"{name}: {one.threshold} (mean {one.mean}, sd {one.sd}, normal p {one.normal_p})")
        for right in one.right:
            typer.echo(f"  {right.name}: {right.least} at least (mean {right.mean}, sd {right.sd})")
        for weak in one.weak:
            typer.echo(f"  {weak.name}: {weak.most} at most (mean {weak.mean}, sd {weak.sd})")
    typer.echo(f"Written to {chosen.suite / thresholds.FILE}")
