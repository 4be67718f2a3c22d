"""The commands for submission servers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands.options import (
    CourseOption,
    Level,
    LevelOption,
    RosterOption,
    WeakOption,
    course_of,
    open_engine,
    roster_of,
    sandbox_of,
    say,
)

if TYPE_CHECKING:
    from autograder.exporters.servers.interface import Server, Website

ServerArgument = Annotated[
    str, typer.Argument(metavar="SERVER", help="Submission server: one of those in the README.")
]
AssignmentArgument = Annotated[
    str, typer.Argument(metavar="ASSIGNMENT", help="Name of the assignment, such as knn.")
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        metavar="FILE",
        help="File with the token of the server, or its name in this folder or one above.",
        show_default=".agtoken for autograder_io, .submitty_token for submitty",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog="Example: autograder bundle knn gradescope")(bundle)
    app.command(epilog="Example: autograder run /autograder/source/bundle")(run)
    app.command(epilog="Example: autograder upload knn autograder_io")(upload)
    app.command(epilog="Example: autograder fetch knn autograder_io --output grades.csv")(fetch)


def bundle(
    ctx: typer.Context,
    assignment: AssignmentArgument,
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
    bundles.require_place(place, target)
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
    tasks: Annotated[
        list[str] | None,
        typer.Option("--task", metavar="ID", help="Grade this task alone; give it again for more."),
    ] = None,
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
    verdict = on_server.grade(
        found, root, os.environ, started=started, write=on_server.write_below(root), tasks=tasks or None
    )
    result = verdict.record.result
    points = f"{number(result.score)} of {number(result.max_score)} points"
    end = "" if verdict.complete else ", not all checks ran"
    say(f"{result.assignment}: {points} in {verdict.seconds:.0f} s, sandbox: {result.sandbox.level}{end}")


def upload(
    assignment: AssignmentArgument,
    server: ServerArgument,
    folder: Annotated[
        Path | None,
        typer.Option("--bundle", help="Folder of the bundle.", show_default="dist/ASSIGNMENT-SERVER"),
    ] = None,
    token: TokenOption = None,
    course: CourseOption = None,
) -> None:
    """Take a bundle to a submission server, or bring what is there up to date."""
    from autograder.course.assignment import load
    from autograder.exporters.servers import bundles, find_server

    current, target = course_of(course), find_server(server)
    chosen, website = load(current, assignment), _website(target)
    place = folder or current.root / "dist" / f"{assignment}-{target.name}{target.archive}"
    settings = bundles.settings_of(current, target)
    typer.echo(website.upload(current, chosen, settings, place, token or website.token_file))


def fetch(
    assignment: AssignmentArgument,
    server: ServerArgument,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write.", show_default="standard output"),
    ] = None,
    token: TokenOption = None,
    roster: RosterOption = None,
    course: CourseOption = None,
) -> None:
    """Fetch the scores that a submission server has given, as a table like grades.csv."""
    from autograder.course.assignment import load
    from autograder.errors import ConfigError
    from autograder.exporters.servers import bundles, find_server, rosters
    from autograder.files import check_place, write_private

    current, target = course_of(course), find_server(server)
    if output is not None:
        check_place(output)
    chosen, website = load(current, assignment), _website(target)
    if website.fetch is None:
        remedy = "export them from the web page of the server"
        raise ConfigError(target.name, "gives the scores to no program", remedy)
    settings, people = bundles.settings_of(current, target), roster_of(current, roster)
    text = website.fetch(current, chosen, settings, token or website.token_file)
    if people is not None:
        text, strangers = rosters.rename(text, people)
        if strangers:
            say(f"warning: not on {people.path}, and called as on the server: {'; '.join(strangers)}")
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_private(output, text)
        say(f"{output}: the scores of {len(text.splitlines()) - 1} students")


def _website(server: Server) -> Website:
    """Return what talks to a server; raises ConfigError where the server lets no program do that."""
    from autograder.errors import ConfigError

    if server.website is None:
        raise ConfigError(server.name, "lets no program upload or fetch", "use the web page of the server")
    return server.website
