"""Read a class, or one submission, safely into memory."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from autograder.course.assignment import Assignment
from autograder.errors import IntakeError
from autograder.intake import layouts, owners
from autograder.intake.decisions import Decisions
from autograder.intake.files import archive
from autograder.intake.files.inventory import Inventory
from autograder.intake.files.members import shorten_path
from autograder.intake.files.snapshot import Unreadable
from autograder.intake.reading import read, say_missing
from autograder.intake.roster import Roster
from autograder.intake.search.file_names import measure_likeness
from autograder.intake.search.wanted import Wanted
from autograder.intake.submission import ClassHandin, Submission
from autograder.platforms.interface import Entry, Layout
from autograder.untrusted import file_name, line


def read_class(
    folder: Path,
    assignment: Assignment,
    roster: Roster | None = None,
    decisions: Decisions | None = None,
    excused: Collection[str] = (),
) -> ClassHandin:
    """Read a class's submissions: folders and archives, or a platform's download, also as an archive.

    A submission that cannot be read carries its `Submission.problem`; the others are unaffected.

    Parameters
    ----------
    roster : Roster, optional
        Who is in the class. Then results are called as it says, and students without a hand-in get a
        submission that says so.
    decisions : Decisions, optional
        What people have decided; without it, what ``decisions.toml`` beside the folder says.
    excused : collection of str
        Students who need not hand in, so that nobody is told if they did not.

    Raises
    ------
    IntakeError
        ``folder`` holds no submission to ``assignment``.
    ConfigError
        The decisions cannot be read.
    """
    known = decisions or Decisions.of(folder)
    reader = _Reader(str(folder), Wanted.by(assignment), assignment.attempts, roster, known, excused)
    if folder.is_file() and archive.is_archive(folder.name):
        with tempfile.TemporaryDirectory(prefix="coursegrad-") as place:
            notes = _unpack(folder, Path(place))
            handin = reader.read(Path(place), is_unpacked=True)
            return replace(handin, notes=(*notes, *handin.notes))
    return reader.read(folder)


def _unpack(path: Path, place: Path) -> tuple[str, ...]:
    try:
        return archive.unpack(path, place)
    except Unreadable as error:
        remedy = "unpack it yourself and name the folder"
        raise IntakeError(str(path), str(error).rstrip("."), remedy) from None


class _Reader:
    """Reads one class."""

    def __init__(
        self,
        shown: str,
        wanted: Wanted,
        attempts: str,
        roster: Roster | None,
        decisions: Decisions,
        excused: Collection[str],
    ) -> None:
        self._shown = shown
        self._wanted = wanted
        self._attempts = attempts
        self._roster = roster
        self._decisions = decisions
        self._excused = excused

    def read(self, folder: Path, *, is_unpacked: bool = False) -> ClassHandin:
        """Read the class that lies in a folder."""
        if not is_unpacked:
            layouts.require_class(folder, self._wanted)
        layout = layouts.recognize(folder, self._wanted, self._is_known, self._decisions.students)
        entries = [one for one in layout.entries if not owners.is_ignored(one, self._decisions)]
        if not entries:
            names = " and ".join(self._wanted.files)
            remedy = f"expected {self._shown}/STUDENT/{names}, or {self._shown}/STUDENT.zip"
            raise IntakeError(self._shown, "holds no folder or zip file of a student", remedy)
        assigned = owners.assign(entries, self._roster, self._decisions)
        submissions, notes = [], [*assigned.notes]
        keys = {id(entry): key for entry, key in zip(entries, owners.keys(entries), strict=True)}
        for student, of_student in assigned.entries.items():
            *earlier, last = [
                replace(self._submission(entry, student), key=keys[id(entry)])
                for entry in _in_order(of_student)
            ]
            submissions.append(replace(last, earlier=tuple(earlier)))
            if earlier:
                notes.append(_describe_attempts(last, of_student, self._attempts))
        self._require_work(submissions)
        others = [name for name in layout.others if line(name) not in self._decisions.ignore]
        notes += [f"{shorten_path(name)} belongs to no student and was left out." for name in others]
        stale = self._stale(layout, submissions)
        if self._roster is not None:
            submissions, more = owners.match_roster(submissions, self._roster, self._excused)
            notes = [*self._roster.notes, *notes, *more]
        ordered = sorted(submissions, key=lambda submission: submission.student)
        return ClassHandin(
            tuple(ordered), (*notes, *stale), layout.title, tuple(stale), tuple(map(line, others))
        )

    def _is_known(self, identifier: str) -> bool:
        return self._roster is not None and self._roster.find(owners.compose(identifier)) is not None

    def _submission(self, entry: Entry, student: str) -> Submission:
        names = owners.names(entry)
        submission = _read(entry, student, self._wanted, self._decisions.chosen_files(student, *names))
        return replace(
            submission,
            name=line(entry.name),
            notes=(*entry.notes, *submission.notes),
            names=frozenset(names),
            entries=tuple(sorted(owners.labels(entry))),
            alias=owners.alias(entry),
        )

    def _require_work(self, submissions: Sequence[Submission]) -> None:
        """Refuse a folder in which nobody has anything of this assignment."""
        missing = say_missing(self._wanted.files)
        if all((one.problem or "").startswith(missing) for one in submissions):
            found = f"nothing in it holds {' and '.join(self._wanted.files)}"
            raise IntakeError(self._shown, found, "check the assignment's name and the folder")

    def _stale(self, layout: Layout, submissions: Sequence[Submission]) -> list[str]:
        """Say which decisions are about nobody, or about files that are not there."""
        students = {one.student for one in submissions}
        known = students.union(map(line, layout.others), *map(owners.names, layout.entries))
        keys = [*(key.rpartition("/")[0] for key in self._decisions.files), *self._decisions.students]
        gone = [name for name in dict.fromkeys([*keys, *self._decisions.ignore]) if name not in known]
        path = self._decisions.path
        notes = [f"{path}: no hand-in is called {line(name)}; correct or remove it." for name in gone]
        for one in submissions:
            notes += [f"{path}: {one.student} has no file {line(file)}; correct it." for file in one.stale]
        return notes


def _in_order(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: entry.order)


def _describe_attempts(submission: Submission, entries: Sequence[Entry], attempts: str) -> str:
    """Name the attempts in their order, each with the files that the one before did not have."""
    known: list[str] = []
    places = []
    for entry in _in_order(entries):
        own = owners.file_names(entry)
        places.append(" and ".join(name for name in own if name not in known) or " and ".join(own))
        known += own
    if attempts == "best":
        which = f"the best of these counts: {'; '.join(places)}"
    else:
        which = f"the latest counts: {places[-1]}; before: {'; '.join(places[:-1])}"
    return f"{submission.student} handed in {len(entries)} times; {which}."


def read_one(target: Path, assignment: Assignment) -> Submission:
    """Read one submission: a folder, an archive, or a single file.

    Raises
    ------
    IntakeError
        ``target`` does not exist, or is a file that the assignment does not know.
    ConfigError
        The decisions about the class that it lies in cannot be read.
    """
    path, wanted = target.absolute(), Wanted.by(assignment)
    if not path.exists() and not path.is_symlink():
        raise IntakeError(str(target), "there is no such file or folder", "check the path")
    if path.is_dir() or archive.is_archive(path.name):
        whole = path.resolve() if path.is_dir() else path.parent.resolve() / path.name
        name = whole.name if path.is_dir() else archive.stem(whole.name)
        return _one(Entry((name,), whole), wanted, Decisions.of(whole.parent))
    likely = [file for file in [*wanted.files, wanted.notebook] if measure_likeness(path.name, file)]
    if len(wanted.modules) != 1 or not likely:
        remedy = f"expected {' and '.join(wanted.files)}, or the folder or archive that holds it"
        raise IntakeError(str(target), f"is not a submission to {assignment.name!r}", remedy)
    return _one(Entry((path.parent.name,), files={path.name: path}), wanted, Decisions(path))


def _one(entry: Entry, wanted: Wanted, decisions: Decisions) -> Submission:
    student = file_name(entry.identifiers[0]) or "submission"
    return _read(entry, student, wanted, decisions.chosen_files(student, *owners.names(entry)))


def _read(entry: Entry, student: str, wanted: Wanted, chosen: Mapping[str, str]) -> Submission:
    try:
        return read(Inventory.of_entry(entry), student, entry.place, wanted, chosen)
    except Unreadable as error:
        return Submission(student, entry.place, problem=str(error))
    except Exception as error:  # what is hostile enough shall cost nobody else anything
        found = f"The hand-in cannot be read ({type(error).__name__}): a bug in the kit, please report it."
        return Submission(student, entry.place, problem=found)


def find_changed(
    before: ClassHandin, folder: Path, assignment: Assignment, roster: Roster | None = None
) -> list[str]:
    """Return the students whose files differ now from what was read before, or are gone or new."""
    try:
        now = {one.student: _state(one) for one in read_class(folder, assignment, roster).submissions}
    except IntakeError:
        now = {}
    then = {one.student: _state(one) for one in before.submissions}
    return sorted(student for student in then.keys() | now.keys() if then.get(student) != now.get(student))


def _state(submission: Submission) -> object:
    return submission.hashes, submission.problem, submission.attempts
