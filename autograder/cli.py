"""The command line, ``autograder``. It starts fast: each command imports what it needs when it runs."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

import autograder
from autograder.errors import AutograderError, ConfigError
from autograder.release import commands

if TYPE_CHECKING:
    from autograder.course import Course
    from autograder.grading import OpenPool, Sandbox

ERROR, STOPPED = 2, 130


class Level(StrEnum):
    """How student code is confined."""

    full = "full"
    none = "none"


class Commands(TyperGroup):
    """All commands: an error that the user can mend is one line, and so is Ctrl-C."""

    def invoke(self, ctx: Any) -> object:
        """Run the chosen command; ``ctx`` has a type that typer keeps to itself."""
        try:
            return super().invoke(ctx)
        except AutograderError as error:
            _say(f"error: {error}")
            raise typer.Exit(ERROR) from None
        except KeyboardInterrupt:
            _say("stopped")
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

CourseOption = Annotated[
    Path | None, typer.Option("--course", metavar="DIR", help="The course's folder, if not around this one.")
]
LevelOption = Annotated[Level, typer.Option("--sandbox", help="'none' is for authors of suites only.")]
WeakOption = Annotated[
    bool, typer.Option("--allow-weak-sandbox", help="Grade even if this machine cannot confine fully.")
]


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


@app.command(epilog="Example: autograder grade knn submissions/knn --output graded/knn")
def grade(
    ctx: typer.Context,
    assignment: Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="Its name, such as knn.")],
    class_folder: Annotated[
        Path, typer.Argument(metavar="CLASS_FOLDER", help="A folder or zip file per student.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where grades and feedback go.")],
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, help="Submissions at a time.  [default: one per core]"),
    ] = None,
    sandbox: LevelOption = Level.full,
    allow_weak_sandbox: WeakOption = False,
    course: CourseOption = None,
) -> None:
    """Grade a class into results, feedback pages and a gradebook."""
    from autograder import grading, intake, scoring, terminal
    from autograder.assignment import load

    current = _course(course)
    chosen = load(current, assignment)
    handin = intake.read_class(class_folder, chosen)
    if output.resolve().is_relative_to(class_folder.resolve()):
        raise ConfigError(str(output), "lies inside the folder of submissions", "choose one outside it")
    for note in handin.notes:
        terminal.warn(note)
    with terminal.GradingProgress(len(handin.submissions)) as progress:
        try:
            graded = grading.grade_class(
                current,
                chosen,
                handin.submissions,
                output,
                jobs=jobs or _cores(),
                sandbox=_level(sandbox, allow_weak_sandbox),
                open_pool=_pool(ctx),
                progress=progress,
            )
        except KeyboardInterrupt:
            _say(f"stopped: {progress} submissions are graded and kept; the same command starts afresh")
            raise typer.Exit(STOPPED) from None
    _show_class(graded.folder.root)
    if graded.older:
        named = ", ".join(graded.older[:5]) + (", …" if len(graded.older) > 5 else "")
        terminal.warn(f"the gradebook also holds {len(graded.older)} earlier results, of {named}")
    unfinished = [result.student for result in graded.results if scoring.unfinished(result)]
    if unfinished:
        terminal.warn(f"some checks ended without a result, so look at: {', '.join(unfinished)}")
    terminal.warn_about(graded.sandbox)


@app.command(epilog="Example: autograder check submissions/knn/ada/knn.py")
def check(
    ctx: typer.Context,
    target: Annotated[
        Path, typer.Argument(metavar="FILE_OR_FOLDER", help="A student's file, folder or zip file.")
    ],
    assignment: Annotated[
        str | None, typer.Option("--assignment", help="Name of the assignment, if the file does not tell.")
    ] = None,
    details: Annotated[
        bool, typer.Option("--details", help="Add what students never see: hidden values, printed output.")
    ] = False,
    sandbox: LevelOption = Level.full,
    allow_weak_sandbox: WeakOption = False,
    course: CourseOption = None,
) -> None:
    """Grade one submission and print the report; nothing is written."""
    from autograder import grading, intake, terminal
    from autograder.assignment import load
    from autograder.reports import table

    current = _course(course)
    chosen = load(current, assignment) if assignment else intake.infer_assignment(current, target)
    submission = intake.read_one(target, chosen)
    level = _level(sandbox, allow_weak_sandbox)
    with terminal.GradingProgress(1):
        result = grading.grade_one(current, chosen, submission, sandbox=level, open_pool=_pool(ctx))
    terminal.show(table.submission_report(result, title=chosen.title, details=details))
    terminal.warn_about(result.sandbox)


@app.command(epilog="Example: autograder report graded/knn")
def report(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Where an earlier run wrote to.")],
    course: CourseOption = None,
) -> None:
    """Write the gradebook and the feedback pages again from the results, and print the table."""
    from autograder import grading
    from autograder.assignment import load
    from autograder.storage import GradedFolder

    folder = GradedFolder(output)
    results = folder.results()
    if not results:
        raise ConfigError(str(output), "holds no results", "grade a class first: autograder grade --help")
    current = _course(course)
    grading.rewrite_reports(current, load(current, results[0].assignment), folder)
    _show_class(output)


@app.command(epilog="Example: autograder probe")
def probe() -> None:
    """Try to break out of this machine's sandbox and print what held; exit 1 unless everything did."""
    from rich.table import Table
    from rich.text import Text

    from autograder import sandbox, terminal

    plan = sandbox.choose_plan(weak=True)
    proofs = sandbox.prove(plan, thorough=True)
    table = Table("attempt", "layer", "outcome", box=None, pad_edge=False)
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

    from autograder.results import SubmissionResult

    typer.echo(json.dumps(SubmissionResult.model_json_schema(), indent=2))


commands.register(app)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(STOPPED)
    except BrokenPipeError:  # whoever read the table has seen enough; what it shows is in files
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _course(folder: Path | None) -> Course:
    from autograder.course import Course

    return Course.find(folder)


def _pool(ctx: typer.Context) -> OpenPool:
    """Return the engine to use: the one that the caller of the command line brought, or the kit's."""
    from autograder.engine.pool import Pool

    return ctx.obj or Pool


def _level(level: Level, weak_allowed: bool) -> Sandbox:
    if level is Level.none:
        return "none"
    return "weak" if weak_allowed else "full"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _show_class(output: Path) -> None:
    """Print the table of a graded class and where its files are."""
    from rich.text import Text

    from autograder import terminal
    from autograder.reports import table
    from autograder.storage import GradedFolder

    folder = GradedFolder(output)
    terminal.show(table.class_table(folder.results()))
    terminal.show(
        Text(
            f"\nGradebook  {folder.gradebook}\n"
            f"Feedback   {folder.feedback_file('STUDENT')}\n"
            f"Results    {folder.result_file('STUDENT')}"
        )
    )


def _say(text: str) -> None:
    from autograder.reports.untrusted import line

    typer.echo(line(text), err=True)
