"""The command line, ``autograder``. It starts fast: each command imports what it needs when it runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import autograder
from autograder.commands import (
    answers,
    beginnings,
    classes,
    decisions,
    gradebooks,
    overrides,
    releases,
    removal,
    servers,
    suites,
)
from autograder.commands import intake as intake_commands
from autograder.commands.classes import STOPPED
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
from autograder.errors import AutograderError

ERROR = 2
_UsageError: Any = typer.BadParameter.__base__
"""What a command line is refused with; typer has no public name for it."""


class Commands(TyperGroup):
    """All commands: an error that the user can fix is one line, and so is Ctrl-C."""

    def invoke(self, ctx: Any) -> object:
        """Run the chosen command; ``ctx`` has a type that typer keeps to itself."""
        try:
            return super().invoke(ctx)
        except AutograderError as error:
            say(f"error: {error}")
            raise typer.Exit(ERROR) from None
        except _UsageError as error:
            command = (error.ctx or ctx).command_path
            found = error.format_message()
            say(f"error: {command}: {found}{'' if found.endswith(('.', '?')) else '.'} See: {command} --help")
            raise typer.Exit(ERROR) from None
        except KeyboardInterrupt:
            say("stopped")
            raise typer.Exit(STOPPED) from None


app = typer.Typer(
    cls=Commands,
    name="autograder",
    help="Grade student code with hidden tests, fairly and safely.",
    epilog="Example: autograder grade knn submissions/knn --output graded/knn",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"autograder {autograder.__version__} (CourseGrad)")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command(epilog="Example: autograder check submissions/knn/ada/knn.py")
def check(
    ctx: typer.Context,
    target: Annotated[
        Path, typer.Argument(metavar="FILE_OR_FOLDER", help="A student's file, folder or zip file.")
    ],
    assignment: Annotated[
        str | None, typer.Option("--assignment", help="Name of the assignment, if the file does not show it.")
    ] = None,
    details: Annotated[
        bool,
        typer.Option(
            "--details", help="Also show what students never see: hidden values and printed output."
        ),
    ] = False,
    sandbox: LevelOption = Level.full,
    allow_weak_sandbox: WeakOption = False,
    course: CourseOption = None,
) -> None:
    """Grade one submission and print the report; nothing is written."""
    from autograder import intake
    from autograder.commands import terminal
    from autograder.course.assignment import load
    from autograder.grading import loop
    from autograder.reports import table

    current = course_of(course)
    chosen = load(current, assignment) if assignment else intake.infer_assignment(current, target)
    submission = intake.read_one(target, chosen)
    level = sandbox_of(sandbox, allow_weak_sandbox)
    with terminal.GradingProgress(1):
        result = loop.grade_one(current, chosen, submission, sandbox=level, open_engine=open_engine(ctx))
    terminal.show(table.submission_report(result, title=chosen.title, details=details))
    terminal.warn_about(result.sandbox)


@app.command(epilog="Example: autograder probe")
def probe() -> None:
    """Try to break out of this machine's sandbox and print what held; exit 1 unless everything did."""
    from rich.table import Table
    from rich.text import Text

    from autograder import sandbox
    from autograder.commands import terminal

    plan = sandbox.choose_plan(weak=True)
    proofs = sandbox.prove(plan, thorough=True)
    table = Table("escape", "layer", "outcome", box=None, pad_edge=False)
    for row in sandbox.rows(proofs):
        table.add_row(*map(Text, row))
    terminal.show(table)
    summary = sandbox.report(plan, proofs)
    for layer, words in summary.layers.items():
        terminal.show(Text(f"{layer}: {words}", style="green" if words.startswith("proved") else "yellow"))
    terminal.show(Text(f"Sandbox: {summary.level}", style="bold"))
    if summary.level != "full":
        raise typer.Exit(1)


@app.command(epilog="Example: autograder schema > docs/schemas/result-v1.json")
def schema() -> None:
    """Print the JSON schema of a result file."""
    import json

    from autograder.graded.results import SubmissionResult

    typer.echo(json.dumps(SubmissionResult.model_json_schema(), indent=2))


classes.register(app)
overrides.register(app)
answers.register(app)
gradebooks.register(app)
intake_commands.register(app)
decisions.register(app)
removal.register(app)
beginnings.register(app)
suites.register(app)
releases.register(app)
servers.register(app)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(STOPPED)
    except BrokenPipeError:  # whoever read the table has seen enough; what it shows is in files
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
