"""The command for reading and scoring written answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands.options import (
    CourseOption,
    MissingOption,
    OutputArgument,
    RosterOption,
    StoredClass,
    load_class,
    say,
    user_name,
)
from autograder.errors import ConfigError

if TYPE_CHECKING:
    from autograder.course import Course
    from autograder.course.assignment import Assignment
    from autograder.graded.folder import GradedFolder
    from autograder.graded.records import Record
    from autograder.marking.score_table import ScoreRow


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog="Example: autograder answers graded/knn --import scores-thought-experiments.csv")(
        answers
    )


def answers(
    output: OutputArgument,
    names: Annotated[
        bool, typer.Option("--names", help="Name students on the pages; otherwise they have pseudonyms.")
    ] = False,
    tables: Annotated[
        list[Path] | None,
        typer.Option(
            "--import", metavar="FILE", help="Scores as CSV, or nbgrader's gradebook.db; repeatable."
        ),
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            "--by", envvar=["USER", "USERNAME"], help="Who gave the scores, if a table does not say."
        ),
    ] = "",
    roster: RosterOption = None,
    missing_as_zero: MissingOption = False,
    course: CourseOption = None,
) -> None:
    """Write a page per question for reading and scoring written answers, or import scores."""
    from autograder.grading import views
    from autograder.marking import written

    graded = load_class(output, course, roster, missing_as_zero=missing_as_zero)
    current, assignment, folder = graded.course, graded.assignment, graded.folder
    if not assignment.questions:
        remedy = f"state them in {assignment.file} as [[questions]]"
        raise ConfigError(assignment.name, "has no questions that people score", remedy)
    asked = written.questionnaire(current, assignment)
    with folder.lock():
        if tables:
            _import(current, assignment, folder, tables, by or user_name())
        records = graded.write()
        pages = views.write_questions(current, assignment, folder, records, asked, named=names)
    _tell(graded, records, () if tables else pages)


def _import(
    course: Course, assignment: Assignment, folder: GradedFolder, tables: Sequence[Path], by: str
) -> None:
    """Check all tables, then keep their scores and say what they change."""
    from autograder.commands import terminal
    from autograder.marking import points

    rows = [row for table in tables for row in _rows(table, assignment)]
    now = datetime.now(UTC).replace(microsecond=0)
    checked = points.check(rows, folder, key=course.secret(), by=by, at=now)
    points.keep(checked, folder)
    counts = {"new": checked.fresh, "replaced": checked.replaced, "as before": checked.same}
    typer.echo(f"scores: {', '.join(f'{count} {word}' for word, count in counts.items())}")
    if checked.outdated:
        named = "; ".join(checked.outdated)
        terminal.warn(f"the answer changed since it was read, so look again at: {named}")


def _rows(table: Path, assignment: Assignment) -> list[ScoreRow]:
    """Read scores, from a table or from nbgrader's database."""
    from autograder.marking import nbgrader_scores, score_table

    if nbgrader_scores.is_database(table):
        questions = [question.id for question in assignment.questions]
        return nbgrader_scores.read(table, assignment.name, questions)
    return score_table.read(table)


def _tell(graded: StoredClass, records: Sequence[Record], pages: Sequence[Path]) -> None:
    """Print where the pages are, and how many answers are scored."""
    from autograder.graded import standing

    for page in pages:
        typer.echo(page)
    say(standing.written_progress(records) or "no answers: grade the class again to find them")
    graded.warn_about_uploads()
