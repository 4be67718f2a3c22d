"""Read a class, or one submission, safely into memory."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from autograder.assignment import Assignment, load
from autograder.course import Course
from autograder.errors import IntakeError
from autograder.intake import archive, layouts, snapshot
from autograder.intake.layouts import Entry
from autograder.intake.reading import (
    ARCHIVE,
    NAMED_AT_MOST,
    are_missing,
    file_names,
    is_archive,
    read,
    read_files,
)
from autograder.intake.roster import Person, Roster
from autograder.intake.snapshot import Unreadable
from autograder.intake.submission import Handin, Submission
from autograder.reports.untrusted import file_name, line

NOTHING = "Nothing was handed in."


def read_class(folder: Path, assignment: Assignment, roster: Roster | None = None) -> Handin:
    """Read what a class handed in: folders and zip files, or a platform's download, also as a zip file.

    A submission that cannot be read carries its `Submission.problem`; the others are unaffected.

    Parameters
    ----------
    roster : Roster, optional
        Who is in the class. Then results are called as it says, and whoever handed in nothing gets a
        submission that says so.

    Raises
    ------
    IntakeError
        ``folder`` holds no submission to ``assignment``.
    """
    if folder.is_file() and is_archive(folder.name):
        with tempfile.TemporaryDirectory(prefix="coursegrad-") as place:
            notes = _unpack(folder, Path(place))
            handin = _read_class(Path(place), str(folder), assignment, roster)
            return replace(handin, notes=(*notes, *handin.notes))
    return _read_class(folder, str(folder), assignment, roster)


def _unpack(path: Path, place: Path) -> tuple[str, ...]:
    try:
        return archive.unpack(path, place)
    except Unreadable as error:
        mend = "unpack it yourself and name the folder"
        raise IntakeError(str(path), str(error).rstrip("."), mend) from None


def _read_class(folder: Path, shown: str, assignment: Assignment, roster: Roster | None) -> Handin:
    wanted = file_names(assignment)
    layout = layouts.recognise(folder, wanted)
    if not layout.entries:
        mend = f"expected {shown}/STUDENT/{_expected(assignment)}, or {shown}/STUDENT{ARCHIVE}"
        raise IntakeError(shown, "holds no folder or zip file of a student", mend)
    who, notes = _assign(layout.entries, roster)
    submissions = []
    for student, entries in who.items():
        *earlier, last = [_read(entry, student, assignment) for entry in _in_order(entries)]
        submissions.append(replace(last, earlier=tuple(earlier)))
        if earlier:
            notes.append(_said_twice(last, entries, assignment))
    if all(submission.problem == are_missing(wanted) for submission in submissions):
        found = f"nothing in it holds {_expected(assignment)}"
        raise IntakeError(shown, found, "check the assignment's name and the folder")
    notes += [f"{line(name)} is neither a folder nor a zip file and was left out." for name in layout.others]
    if roster is not None:
        named, more = _by_roster(submissions, roster)
        submissions, notes = named, [*roster.notes, *notes, *more]
    ordered = sorted(submissions, key=lambda submission: submission.student)
    return Handin(tuple(ordered), tuple(notes), layout.title)


def _assign(entries: Sequence[Entry], roster: Roster | None) -> tuple[dict[str, list[Entry]], list[str]]:
    """Map students to their hand-ins. Names that a file system might confuse become different ones."""
    found: dict[str, list[Entry]] = defaultdict(list)
    notes: list[str] = []
    taken: dict[str, str] = {}
    for entry in entries:
        person = roster.find(*entry.identifiers) if roster else None
        identity = person.student if person else entry.identifiers[0]
        wished = person.student if person else file_name(entry.called or identity)
        student = wished or "unnamed"
        number = 1
        while taken.setdefault(student.casefold(), identity) != identity:
            number += 1
            student = f"{wished or 'unnamed'}-{number}"
        if student != wished:
            notes.append(f"{line(entry.label)} is called {student} in the results.")
        found[student].append(entry)
    return found, notes


def _in_order(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: entry.order)


def _read(entry: Entry, student: str, assignment: Assignment) -> Submission:
    if entry.path is not None:
        path = entry.path.parent.resolve() / entry.path.name
        submission = read(path, student, assignment)
    else:
        submission = read_files(entry.files, student, assignment)
    return replace(submission, name=line(entry.name), notes=(*entry.notes, *submission.notes))


def _said_twice(submission: Submission, entries: Sequence[Entry], assignment: Assignment) -> str:
    listed = [line(entry.label) for entry in _in_order(entries)[:NAMED_AT_MOST]]
    who = submission.name or submission.student
    return f"{who} handed in {len(entries)} times ({'; '.join(listed)}), the {assignment.attempts} counts."


def _by_roster(submissions: Sequence[Submission], roster: Roster) -> tuple[list[Submission], list[str]]:
    """Give submissions the names of the roster, and add those that are missing."""
    people = {person.student: person for person in roster.people}
    named = [_named(one, people.get(one.student)) for one in submissions]
    present = {one.student for one in submissions}
    unknown = [one.name or one.student for one in submissions if one.student not in people]
    absent = [person for person in roster.people if person.student not in present]
    named += [
        Submission(person.student, roster.path, problem=NOTHING, absent=True, name=line(person.name))
        for person in absent
    ]
    notes = []
    if unknown:
        notes.append(f"Not on the roster, graded all the same: {'; '.join(map(line, unknown))}.")
    if absent:
        names = [line(person.name or person.student) for person in absent]
        notes.append(f"Nothing was handed in by {'; '.join(names)}.")
    return named, notes


def _named(submission: Submission, person: Person | None) -> Submission:
    if person is None or not person.name:
        return submission
    return replace(submission, name=line(person.name))


def read_one(target: Path, assignment: Assignment) -> Submission:
    """Read one submission: a folder, a zip file, or the assignment's only file.

    Raises
    ------
    IntakeError
        ``target`` does not exist, or is a file that the assignment does not know.
    """
    path = target.absolute()
    if path.is_dir():
        return read(path.resolve(), file_name(path.name) or "submission", assignment)
    if not path.exists() and not path.is_symlink():
        raise IntakeError(str(target), "there is no such file or folder", "check the path")
    if is_archive(path.name):
        return read(path.parent.resolve() / path.name, file_name(path.stem) or "submission", assignment)
    student = file_name(path.parent.name) or "submission"
    if assignment.modules != (path.stem,) or path.suffix != ".py":
        mend = f"expected {_expected(assignment)}, or the folder or zip file that holds it"
        raise IntakeError(str(target), f"is not a submission to {assignment.name!r}", mend)
    return read_files({path.name: path}, student, assignment)


def changed(before: Handin, folder: Path, assignment: Assignment, roster: Roster | None = None) -> list[str]:
    """Return the students whose files differ now from what was read before, or are gone or new."""
    try:
        now = {one.student: _state(one) for one in read_class(folder, assignment, roster).submissions}
    except IntakeError:
        now = {}
    then = {one.student: _state(one) for one in before.submissions}
    return sorted(student for student in then.keys() | now.keys() if then.get(student) != now.get(student))


def _state(submission: Submission) -> object:
    return submission.hashes, submission.problem, submission.attempts


def infer_assignment(course: Course, target: Path) -> Assignment:
    """Find the assignment that ``target``, a submission's file, zip file or folder, belongs to.

    Raises
    ------
    IntakeError
        No assignment has a file of that name, or more than one has.
    """
    assignments = [load(course, name) for name in course.assignments()]
    if not target.exists():
        raise IntakeError(str(target), "there is no such file or folder", "check the path")
    present = _visible_files(target)
    matching = [item for item in assignments if present.intersection(file_names(item))]
    if len(matching) == 1:
        return matching[0]
    if matching:
        found = f"could belong to {' or '.join(item.name for item in matching)}"
        raise IntakeError(str(target), found, "say which with --assignment")
    known = ", ".join(name for item in assignments for name in file_names(item)) or "none yet"
    raise IntakeError(str(target), "holds no file of any assignment", f"expected one of: {known}")


def _visible_files(target: Path) -> set[str]:
    """Return the names of the files that a target consists of."""
    if target.is_dir():
        entries = islice(target.glob("*"), snapshot.MAX_ENTRIES)
        return {path.name for path in entries if not path.is_dir()}
    if not is_archive(target.name):
        return {target.name}
    try:
        with snapshot.opened(target.absolute().parent.resolve()) as folder:
            return archive.names(target.name, folder)
    except Unreadable as error:
        raise IntakeError(
            str(target), str(error).rstrip("."), "say which assignment with --assignment"
        ) from None


def _expected(assignment: Assignment) -> str:
    return " and ".join(file_names(assignment))
