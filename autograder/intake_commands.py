"""The commands of the command line that show and settle what a class handed in, before it is graded."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.errors import ConfigError
from autograder.options import CourseOption, RosterOption, course_of, roster_of, say
from autograder.reports.untrusted import line

if TYPE_CHECKING:
    from autograder.assignment import Assignment
    from autograder.intake import Handin
    from autograder.intake.decisions import Decisions
    from autograder.intake.overview import Row

NAMED = 10
"""Candidates that are listed; `autograder intake --json` has all."""
AssignmentArgument = Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="Its name, such as knn.")]
ClassArgument = Annotated[
    Path, typer.Argument(metavar="CLASS_FOLDER", help="A folder or archive per student, or a download.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog="Example: autograder intake knn submissions/knn")(intake)
    app.command(name="map", epilog="Example: autograder map knn submissions/knn ada-park 'final/knn (1).py'")(
        decide
    )


def intake(
    assignment: AssignmentArgument,
    class_folder: ClassArgument,
    roster: RosterOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    course: CourseOption = None,
) -> None:
    """Show what was found in a class folder, and what waits for a decision; nothing is graded."""
    import json

    from autograder import terminal
    from autograder.assignment import load
    from autograder.intake import overview, read_class

    current = course_of(course)
    chosen = load(current, assignment)
    handin = read_class(class_folder, chosen, roster_of(current, roster))
    found = overview.rows(handin)
    if as_json:
        students = [vars(row) for row in found]
        document = {"layout": handin.layout, "students": students, "notes": handin.notes}
        typer.echo(json.dumps(document, indent=2))
        return
    typer.echo(f"{line(str(class_folder))} is read as {handin.layout}.")
    _show(found)
    typer.echo(overview.summary(found))
    for note in handin.notes:
        terminal.warn(note)
    list_waiting(handin, assignment, class_folder)


def _show(found: Sequence[Row]) -> None:
    """Print a table at a terminal, and a line for each student elsewhere."""
    import sys

    from rich import box
    from rich.table import Table
    from rich.text import Text

    from autograder import terminal
    from autograder.intake.overview import Outcome

    if not sys.stdout.isatty():
        for row in found:
            typer.echo(line(f"{row.student}: {row.outcome}: {' '.join(row.remarks) or _files(row)}"))
        return
    styles = {Outcome.asked: "green", Outcome.found: "cyan", Outcome.partial: "yellow"}
    table = Table("student", "outcome", "what", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in found:
        what = "\n".join(map(line, row.remarks)) or _files(row)
        table.add_row(Text(line(row.student)), Text(row.outcome, styles.get(row.outcome, "red")), Text(what))
    terminal.show(table)


def _files(row: Row) -> str:
    return line(", ".join(row.files))


def list_waiting(handin: Handin, assignment: str, class_folder: Path) -> None:
    """Print the hand-ins that wait for a decision, and the command that makes one."""
    waiting = [one for one in handin.submissions if one.undecided]
    if not waiting:
        return
    say(f"{len(waiting)} {'waits' if len(waiting) == 1 else 'wait'} for your decision:")
    for one in waiting:
        more = f" or {len(one.undecided) - NAMED} more" if len(one.undecided) > NAMED else ""
        say(f"- {one.student}: {' or '.join(map(shlex.quote, one.undecided[:NAMED]))}{more}")
    command = shlex.join(["autograder", "map", assignment, str(class_folder)])
    say(f"choose with: {command} STUDENT FILE")


def decide(
    assignment: AssignmentArgument,
    class_folder: ClassArgument,
    hand_in: Annotated[
        str, typer.Argument(metavar="STUDENT", help="As `autograder intake` names them, or an entry.")
    ],
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="The path in the hand-in that is meant.")
    ] = None,
    wanted: Annotated[
        str | None, typer.Option("--as", help="The module that it is, if its name does not say.")
    ] = None,
    student: Annotated[str | None, typer.Option("--student", help="Whose hand-in it is.")] = None,
    ignore: Annotated[bool, typer.Option("--ignore", help="The entry belongs to no student.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Undo what was decided about it.")] = False,
    roster: RosterOption = None,
    course: CourseOption = None,
) -> None:
    """Decide which file of a hand-in is meant, or whose it is; decisions.toml keeps that for every run."""
    from autograder.assignment import load
    from autograder.intake import decisions, read_class

    if sum((file is not None, student is not None, ignore, forget)) != 1:
        remedy = "give one of: FILE, --student, --ignore, --forget"
        raise ConfigError("map", "it is not clear what to decide", remedy)
    current = course_of(course)
    chosen = load(current, assignment)
    before = decisions.Decisions.of(class_folder)
    after = _changed(before, chosen, hand_in, file, wanted, student, ignore, forget)
    people = roster_of(current, roster)
    handin = read_class(class_folder, chosen, people, after)
    wrong = [
        note for note in handin.stale if note not in read_class(class_folder, chosen, people, before).stale
    ]
    if wrong and not forget:
        raise ConfigError("map", wrong[0].partition(": ")[2].partition(";")[0], _known(handin, hand_in))
    decisions.write(class_folder, after)
    typer.echo(f"{before.path}: {_said(hand_in, file, student, ignore)}")
    list_waiting(handin, assignment, class_folder)


def _changed(
    before: Decisions,
    assignment: Assignment,
    hand_in: str,
    file: str | None,
    wanted: str | None,
    student: str | None,
    ignore: bool,
    forget: bool,
) -> Decisions:
    """Return the decisions with the new one among them."""
    if file is not None:
        return before.changed(files={f"{hand_in}/{wanted or _meant(assignment, file)}": file})
    if student is not None:
        return before.changed(students={hand_in: student})
    return before.changed(ignore=[hand_in] if ignore else [], forget=[hand_in] if forget else [])


def _meant(assignment: Assignment, file: str) -> str:
    """Return what a file must be taken for: the only module, or the one whose name is near."""
    from autograder.intake.names import likeness
    from autograder.intake.wanted import Wanted

    wanted = Wanted.by(assignment)
    names = [*wanted.files, *wanted.weights]
    near = [name for name in names if likeness(Path(file).name, name)]
    if len(near) == 1 or (not near and len(wanted.files) == 1):
        return near[0] if near else wanted.files[0]
    raise ConfigError(
        file, "its name does not say which module it is", f"add --as, one of: {', '.join(names)}"
    )


def _known(handin: Handin, hand_in: str) -> str:
    """Return what could have been meant."""
    one = next((one for one in handin.submissions if one.student == hand_in), None)
    if one is None:
        return f"choose one of: {'; '.join(item.student for item in handin.submissions)}"
    files = "; ".join(one.undecided) or "what `autograder intake` lists"
    return f"choose one of: {files}"


def _said(hand_in: str, file: str | None, student: str | None, ignore: bool) -> str:
    if file is not None:
        return f"of {line(hand_in)}, {line(file)} is graded"
    if student is not None:
        return f"{line(hand_in)} is {line(student)}'s"
    return f"{line(hand_in)} is ignored" if ignore else f"nothing is decided about {line(hand_in)} now"
