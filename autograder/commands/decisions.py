"""The command that decides about ambiguous hand-ins, and the list of those that wait for it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands.options import CourseOption, RosterOption, course_of, roster_of, say
from autograder.errors import ConfigError
from autograder.untrusted import line

if TYPE_CHECKING:
    from autograder.course.assignment import Assignment
    from autograder.intake import ClassHandin, Submission
    from autograder.intake.decisions import Decisions
    from autograder.intake.roster import Roster

NAMED = 10
"""Candidates that are listed; `autograder intake --json` has all."""
AssignmentArgument = Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="Its name, such as knn.")]
ClassArgument = Annotated[
    Path, typer.Argument(metavar="CLASS_FOLDER", help="A folder or archive per student, or a download.")
]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(name="map", epilog="Example: autograder map knn submissions/knn ada-park 'final/knn (1).py'")(
        decide
    )


def list_waiting(
    handin: ClassHandin,
    assignment: Assignment,
    class_folder: Path,
    *,
    roster: Path | None = None,
    course: Path | None = None,
) -> None:
    """Print the hand-ins that wait for a decision, and for each a command that makes it.

    Parameters
    ----------
    roster, course : Path, optional
        As the options of the command that was run say, so that the next one says the same.
    """
    waiting = [one for one in handin.submissions if one.undecided]
    if not waiting:
        return
    say(f"{len(waiting)} {'waits' if len(waiting) == 1 else 'wait'} for your decision:")
    options = [
        word
        for name, path in (("--roster", roster), ("--course", course))
        if path is not None
        for word in (name, str(path))
    ]
    for one in waiting:
        more = f" or {len(one.undecided) - NAMED} more" if len(one.undecided) > NAMED else ""
        say(f"- {one.student}: {' or '.join(map(shlex.quote, one.undecided[:NAMED]))}{more}")
        for file, candidates in one.open.items():
            as_file = [] if _near_names(assignment, candidates[0]) == [file] else ["--as", file]
            words = [one.student, candidates[0], *as_file, *options]
            command = shlex.join(["autograder", "map", assignment.name, str(class_folder), *words])
            typer.echo(f"  choose with: {command}", err=True)


def decide(
    assignment: AssignmentArgument,
    class_folder: ClassArgument,
    hand_in: Annotated[
        str,
        typer.Argument(
            metavar="STUDENT",
            help="As `autograder intake` or the roster names them, or a file of the class folder.",
        ),
    ],
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="Path of the file in the hand-in.")
    ] = None,
    wanted: Annotated[
        str | None, typer.Option("--as", help="Which module the file is, if its name does not say.")
    ] = None,
    student: Annotated[str | None, typer.Option("--student", help="Whose hand-in it is.")] = None,
    ignore: Annotated[bool, typer.Option("--ignore", help="The entry belongs to no student.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Undo the decisions about it.")] = False,
    roster: RosterOption = None,
    course: CourseOption = None,
) -> None:
    """Decide which file of a hand-in to grade, or whose it is; decisions.toml keeps this for every run."""
    from autograder.course.assignment import load
    from autograder.intake import decisions, read_class

    if sum((file is not None, student is not None, ignore, forget)) != 1:
        remedy = "give one of: FILE, --student, --ignore, --forget"
        raise ConfigError("map", "it is not clear what to decide", remedy)
    current = course_of(course)
    chosen = load(current, assignment)
    before = decisions.Decisions.of(class_folder)
    people = roster_of(current, roster)
    # What is ignored can be spoken of here, too.
    everything = read_class(class_folder, chosen, people, replace(before, ignore=()))
    subject = _Subject(before, everything, hand_in, people)
    if forget:
        after, said = subject.forget()
    elif ignore:
        after, said = subject.ignore(), f"{line(hand_in)} is ignored"
    elif student is not None:
        after, said = subject.give_to(student)
    else:
        assert file is not None
        module = wanted or _infer_file(chosen, file)
        after = subject.choose(module, file, lambda made: read_class(class_folder, chosen, people, made))
        said = f"of {line(hand_in)}, {line(file)} is graded"
    handin = read_class(class_folder, chosen, people, after)
    decisions.write(class_folder, after)
    typer.echo(f"{before.path}: {said}")
    list_waiting(handin, chosen, class_folder, roster=roster, course=course)


class _Subject:
    """The hand-in that is decided about, or the entry that is nobody's.

    Parameters
    ----------
    before : Decisions
        What was decided until now.
    handin : ClassHandin
        The class, with what is ignored.
    text : str
        What people call the hand-in.
    """

    def __init__(self, before: Decisions, handin: ClassHandin, text: str, roster: Roster | None) -> None:
        from autograder.intake import lookup

        self._before = before
        self._handin = handin
        self._text = text
        self._roster = roster
        self._found = lookup.find(handin, text, roster)
        self._names = {text, *(name for one in self._found for name in (*one.names, one.student))}

    def forget(self) -> tuple[Decisions, str]:
        """Return the decisions without those about it, and what to say."""
        after = self._before.change(forget=self._names)
        if after == self._before:
            self._keys()
            return after, f"there was no decision about {line(self._text)}"
        return after, f"there is no decision about {line(self._text)} now"

    def ignore(self) -> Decisions:
        """Return the decisions, in which it is nobody's."""
        return self._before.change(ignore=self._keys())

    def give_to(self, student: str) -> tuple[Decisions, str]:
        """Return the decisions, in which it is a student's, and what to say.

        Raises
        ------
        ConfigError
            The student is not on the roster.
        """
        from autograder.intake import lookup

        keys = self._keys()
        theirs = lookup.find(self._handin, student, self._roster)
        if self._roster is None:
            name, value = student, student
        else:
            name = lookup.on_roster(self._roster, student, theirs)
            own = [one for one in self._handin.submissions if one.student == name and one.key not in keys]
            # With or without a roster, another hand-in of theirs says who they are.
            value = own[0].alias if own and not own[0].absent else name
        others = {key: owner for key, owner in self._before.students.items() if key not in self._names}
        kept = tuple(name for name in self._before.ignore if name not in self._names)
        students = others | dict.fromkeys(keys, value)
        after = replace(self._before, students=students, ignore=kept)
        return after, f"{line(self._text)} is {line(name)}'s"

    def choose(self, module: str, file: str, read: Callable[[Decisions], ClassHandin]) -> Decisions:
        """Return the decisions, in which one of its files is meant: of the last attempt that has it.

        Raises
        ------
        ConfigError
            There is no such file.
        """
        self._keys()
        if not self._found:
            remedy = "say first whose it is: --student STUDENT"
            raise ConfigError("map", f"{line(self._text)} belongs to no student", remedy)
        listing: tuple[str, ...] = ()
        for attempt in reversed(self._found):
            others = {
                key: path
                for key, path in self._before.files.items()
                if key.rpartition("/")[0] not in self._names or key.rpartition("/")[2] != module
            }
            ignored = tuple(name for name in self._before.ignore if name not in self._names)
            after = replace(self._before, files=others | {f"{attempt.key}/{module}": file}, ignore=ignored)
            made = next(one for one in _attempts(read(after)) if one.key == attempt.key)
            if file not in made.stale:
                return after
            listing = listing or made.undecided or made.listing
        remedy = f"choose one of: {'; '.join(listing)}" if listing else "there is none in it"
        raise ConfigError("map", f"{self._found[-1].student} has no file {line(file)}", remedy)

    def _keys(self) -> list[str]:
        """Return the entries of the class folder that are meant; raises ConfigError if there are none."""
        if self._found:
            return [one.key for one in self._found]
        if self._text in self._handin.others:
            return [self._text]
        students = [one.student for one in self._handin.submissions if not one.absent]
        remedy = f"choose one of: {'; '.join([*students, *self._handin.others])}"
        raise ConfigError("map", f"no hand-in is called {line(self._text)}", remedy)


def _attempts(handin: ClassHandin) -> list[Submission]:
    return [attempt for one in handin.submissions for attempt in (*one.earlier, one)]


def _infer_file(assignment: Assignment, file: str) -> str:
    """Return what a file must be taken for: the only module, or the one whose name is near."""
    near = _near_names(assignment, file)
    if len(near) != 1:
        remedy = f"add --as, one of: {', '.join(_names(assignment))}"
        raise ConfigError(file, "its name does not say which module it is", remedy)
    return near[0]


def _names(assignment: Assignment) -> list[str]:
    from autograder.intake.search.wanted import Wanted

    wanted = Wanted.by(assignment)
    return [*wanted.files, *wanted.weights]


def _near_names(assignment: Assignment, file: str) -> list[str]:
    """Return what a file may be taken for by its name; the only module if the name says nothing."""
    from autograder.intake.search.file_names import measure_likeness
    from autograder.intake.search.wanted import Wanted

    near = [name for name in _names(assignment) if measure_likeness(Path(file).name, name)]
    files = Wanted.by(assignment).files
    return near or (list(files) if len(files) == 1 else [])
