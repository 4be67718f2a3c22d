"""The commands for submission servers."""

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
    say,
)

ServerArgument = Annotated[
    str, typer.Argument(metavar="SERVER", help="Submission server, such as gradescope.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog="Example: autograder bundle knn gradescope")(bundle)
    app.command(epilog="Example: autograder run /autograder/source/bundle")(run)


def bundle(
    ctx: typer.Context,
    assignment: Annotated[
        str, typer.Argument(metavar="ASSIGNMENT", help="Name of the assignment, such as knn.")
    ],
    server: ServerArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="File or folder to write.", show_default="dist/ASSIGNMENT-SERVER"
        ),
    ] = None,
    sandbox: LevelOption = Level.full,
    allow_weak_sandbox: WeakOption = False,
    course: CourseOption = None,
) -> None:
    """Package the hidden suite of an assignment for a submission server, which then grades by itself."""
    from autograder.commands import terminal
    from autograder.course.assignment import load
    from autograder.exporters.servers import bundles, find_server

    current = course_of(course)
    chosen, target = load(current, assignment), find_server(server)
    place = output or current.root / "dist" / f"{assignment}-{target.name}{target.archive}"
    with terminal.GradingProgress(1) as progress:
        contents, room = bundles.gather(
            current,
            chosen,
            target,
            sandbox=sandbox_of(sandbox, allow_weak_sandbox),
            open_engine=open_engine(ctx),
            stage=progress.stage,
        )
    bundles.write(target.pack(contents), target, place)
    say(room)
    typer.echo(place)


def run(
    folder: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder of a bundle with its manifest.")],
    root: Annotated[
        Path, typer.Option("--root", help="Root of the folders that the server has made.")
    ] = Path("/"),
    preparing: Annotated[
        bool, typer.Option("--prepare", help="Grade nothing; do what need be done only once.")
    ] = False,
) -> None:
    """Grade one submission on a submission server; the scripts of a bundle call it."""
    import os
    import time

    started = time.monotonic()
    from autograder.exporters.servers import on_server
    from helpers.wording import number

    found = on_server.Bundle(folder)
    if preparing:
        say(on_server.prepare(found))
        return
    verdict = on_server.grade(found, root, os.environ, started=started, write=on_server.write_below(root))
    result = verdict.record.result
    points = f"{number(result.score)} of {number(result.max_score)} points"
    end = "" if verdict.complete else ", not all checks ran"
    say(f"{result.assignment}: {points} in {verdict.seconds:.0f} s, sandbox: {result.sandbox.level}{end}")
