"""The commands that grade a class and keep its results."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands.decisions import list_waiting
from autograder.commands.options import (
    CourseOption,
    Level,
    LevelOption,
    MissingOption,
    OutputArgument,
    RosterOption,
    WeakOption,
    cores,
    course_of,
    load_class,
    open_engine,
    roster_of,
    sandbox_of,
    say,
)
from autograder.errors import ConfigError

if TYPE_CHECKING:
    from autograder.commands.terminal import GradingProgress
    from autograder.course import Course
    from autograder.course.assignment import Assignment
    from autograder.graded.folder import GradedFolder
    from autograder.graded.results import SubmissionResult
    from autograder.grading.loop import GradedClass
    from autograder.intake import ClassHandin, Submission
    from autograder.intake.roster import Roster

STOPPED, UNDECIDED = 130, 3


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog="Example: autograder grade knn submissions/knn --output graded/knn")(grade)
    app.command(epilog="Example: autograder report graded/knn")(report)
    app.command(epilog="Example: autograder accept graded/knn")(accept)


def grade(
    ctx: typer.Context,
    assignment: Annotated[
        str, typer.Argument(metavar="ASSIGNMENT", help="Name of the assignment, such as knn.")
    ],
    class_folder: Annotated[
        Path, typer.Argument(metavar="CLASS_FOLDER", help="A folder or zip file per student, or a download.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for grades and feedback.")],
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            envvar="COURSEGRAD_JOBS",
            help="How many submissions to grade at a time.",
            show_default="one per core",
        ),
    ] = None,
    roster: RosterOption = None,
    missing_as_zero: MissingOption = False,
    force: Annotated[
        bool, typer.Option("--force", help="Grade everything again, even up-to-date results.")
    ] = False,
    accepted: Annotated[
        bool, typer.Option("--accept", help="Replace old points with changed ones without asking.")
    ] = False,
    sandbox: LevelOption = Level.full,
    allow_weak_sandbox: WeakOption = False,
    course: CourseOption = None,
) -> None:
    """Grade a class: write results, feedback and gradebooks. Results that are up to date are kept."""
    from autograder import intake
    from autograder.commands import summary, terminal
    from autograder.course.assignment import load
    from autograder.exporters import uploads
    from autograder.graded.folder import GradedFolder
    from autograder.grading import loop, views
    from autograder.intake import lookup
    from autograder.reports import wording

    current = course_of(course)
    chosen = load(current, assignment)
    current.require_packages()
    people = roster_of(current, roster)
    column_note = uploads.column_note(current, chosen, people)
    excused = uploads.find_excused(current, chosen, people)
    handin = intake.read_class(class_folder, chosen, people, excused=excused)
    lookup.require_match(handin, class_folder, people)
    if output.resolve().is_relative_to(class_folder.resolve()):
        raise ConfigError(str(output), "lies inside the folder of submissions", "choose one outside it")
    folder = GradedFolder(output)
    for note in handin.notes:
        terminal.warn(wording.shorten_list(note, str(folder.class_report)))
    if column_note:
        terminal.warn(column_note)
    with folder.lock():
        with _show_progress(folder, handin.submissions) as progress:
            graded = loop.grade_class(
                current,
                chosen,
                handin.submissions,
                folder,
                jobs=jobs or cores(),
                sandbox=sandbox_of(sandbox, allow_weak_sandbox),
                force=force,
                accept=accepted,
                open_engine=open_engine(ctx),
                progress=progress,
            )
        records = views.write_class(
            current,
            chosen,
            folder,
            roster=people,
            missing_as_zero=missing_as_zero,
            notes=handin.notes,
        )
        summary.show(current, chosen, folder, records, people)
        _warn(graded, handin, intake.find_changed(handin, class_folder, chosen, people))
        list_waiting(handin, chosen, class_folder, roster=roster, course=course)
        _settle(current, chosen, graded, people, missing_as_zero=missing_as_zero)


def report(
    output: OutputArgument,
    anonymous: Annotated[
        bool,
        typer.Option(
            "--anonymous", help="Write report and gradebook under pseudonyms into OUTPUT/anonymous."
        ),
    ] = False,
    roster: RosterOption = None,
    missing_as_zero: MissingOption = False,
    course: CourseOption = None,
) -> None:
    """Regenerate gradebooks, feedback and the class report from the results, and print the table."""
    from autograder.commands import summary, terminal
    from autograder.exporters import uploads
    from autograder.grading import views

    graded = load_class(output, course, roster, missing_as_zero=missing_as_zero)
    current, assignment, folder, people = graded.course, graded.assignment, graded.folder, graded.people
    if not anonymous and (note := uploads.column_note(current, assignment, people)):
        terminal.warn(note)
    with folder.lock():
        if anonymous:
            hidden = views.write_anonymous(
                current, assignment, folder, people, missing_as_zero=missing_as_zero
            )
            typer.echo(hidden.root)
            return
        summary.show(current, assignment, folder, graded.write(), people)


def accept(
    output: OutputArgument,
    roster: RosterOption = None,
    missing_as_zero: MissingOption = False,
    course: CourseOption = None,
) -> None:
    """Accept a regrade: its points, which wait in OUTPUT/pending, replace the old ones."""
    from autograder.grading import loop

    graded = load_class(output, course, roster, missing_as_zero=missing_as_zero)
    with graded.folder.lock():
        count = loop.accept_pending(graded.course, graded.assignment, graded.folder)
        graded.write()
    replaced = "1 result" if count == 1 else f"{count} results"
    typer.echo(f"{replaced} replaced" if count else "no regrade was waiting")
    graded.warn_about_uploads()


@contextlib.contextmanager
def _show_progress(folder: GradedFolder, submissions: Sequence[Submission]) -> Iterator[GradingProgress]:
    """Show progress; Ctrl-C ends the command and says what is on disk."""
    from autograder.commands import terminal

    with terminal.GradingProgress(len(submissions)) as progress:
        try:
            yield progress
        except KeyboardInterrupt:
            graded = f"{_count_graded(folder, submissions)} of {len(submissions)} submissions"
            say(f"stopped: {graded} are graded and kept; the same command continues from here")
            raise typer.Exit(STOPPED) from None


def _count_graded(folder: GradedFolder, submissions: Sequence[Submission]) -> int:
    """Count the submissions of which a result is on disk, from this run or an earlier one."""
    from autograder.grading.regrade import same_submission

    found = [folder.results(), folder.pending_results()]
    return sum(
        any(one.student in there and same_submission(there[one.student], one) for there in found)
        for one in submissions
    )


def _warn(graded: GradedClass, handin: ClassHandin, changed: Sequence[str]) -> None:
    """Say what the instructor should know about a run."""
    from autograder import scoring
    from autograder.commands import terminal
    from autograder.graded.results import collect_faults

    if graded.kept:
        say(f"{len(graded.kept)} of {len(handin.submissions)} results were up to date and kept")
    if graded.renamed:
        names = _join_names([f"{old} is {new}" for old, new in graded.renamed])
        say(f"the same hand-ins were graded before under other names, which were replaced: {names}")
    if graded.reweighted:
        say(
            f"points moved between tests of the same task; "
            f"{_count_students(graded.reweighted)} with the same submission keep their points"
        )
    if graded.older:
        command = f"to take one out: autograder remove {graded.folder.root} STUDENT"
        found = f"the gradebook still holds students who are not in this folder: {_join_names(graded.older)}"
        terminal.warn(f"{found}; {command}")
    results = graded.folder.results()
    unfinished = [student for student, result in results.items() if scoring.is_unfinished(result)]
    if unfinished:
        terminal.warn(
            f"some checks ended without a result; run the command again for: {_join_names(unfinished)}"
        )
    for fault, students in collect_faults(results.values()).items():
        terminal.warn(f"the suite failed at {fault}; correct it and grade again, on: {_join_names(students)}")
    for version, students in _group_by_python(results).items():
        terminal.warn(
            f"written for Python {version}, so grade again with it: make grade "
            f"PYTHON=python{version}, on: {_join_names(students)}"
            if version != "newer"
            else f"apparently written for a newer Python; look at: {_join_names(students)}"
        )
    if changed:
        terminal.warn(
            f"these changed while the class was graded; run the command again: {_join_names(changed)}"
        )
    terminal.warn_about(graded.sandbox)


def _group_by_python(results: Mapping[str, SubmissionResult]) -> dict[str, list[str]]:
    """Return the students whose files are written for a newer Python, by its version."""
    found: dict[str, list[str]] = {}
    for student, result in results.items():
        if result.needs_python:
            found.setdefault(result.needs_python, []).append(student)
    return found


def _settle(
    course: Course,
    assignment: Assignment,
    graded: GradedClass,
    people: Roster | None,
    *,
    missing_as_zero: bool,
) -> None:
    """Show what a regrade would change, and have somebody decide."""
    import sys

    from autograder.commands import terminal
    from autograder.files import write_private
    from autograder.grading import loop, views
    from autograder.reports import regrade_table, table

    folder, moves = graded.folder, graded.moves
    if not moves:
        return
    write_private(folder.changes, regrade_table.render(moves))
    terminal.show(table.moves_table(moves))
    question = f"The regrade changes the points of {_count_students(len(moves))} without a new submission"
    if sys.stdin.isatty() and sys.stdout.isatty() and typer.confirm(f"{question}. Replace them?"):
        loop.accept_pending(course, assignment, folder)
        views.write_class(course, assignment, folder, roster=people, missing_as_zero=missing_as_zero)
        return
    terminal.warn(f"{question}; the old points count until you run: autograder accept {folder.root}")
    raise typer.Exit(UNDECIDED)


def _count_students(count: int) -> str:
    return "1 student" if count == 1 else f"{count} students"


def _join_names(names: Sequence[str]) -> str:
    """List names, all of them: with semicolons, because a name may hold a comma."""
    return "; ".join(names)
