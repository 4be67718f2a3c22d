"""Submissions: what students handed in, read safely into memory."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from autograder import archive, snapshot
from autograder.assignment import Assignment, load
from autograder.course import Course
from autograder.errors import IntakeError
from autograder.reports.untrusted import file_name, line
from autograder.snapshot import Unreadable

NAMED_AT_MOST = 5
ARCHIVE = ".zip"
MANIFEST = "manifest.json"
"""What the zip that `helpers.submit` builds says about itself."""


@dataclass(frozen=True)
class Submission:
    """What one student handed in, as bytes; nothing of it is read from disk again.

    Attributes
    ----------
    student : str
        Safe as a file name, unique within the class.
    path : Path
        The folder or file it came from, for messages.
    files : Mapping of str to bytes
        File name, such as ``"knn.py"``, to its content.
    problem : str or None
        Why it cannot run: ``"knn.py is missing."``
    notes : tuple of str
        Plain sentences that do not stop it from running.
    name : str
        Name for people to read, if the folder tells one.
    earlier : tuple of Submission
        What the same student handed in before, the oldest first.
    """

    student: str
    path: Path
    files: Mapping[str, bytes] = field(default_factory=dict)
    problem: str | None = None
    notes: tuple[str, ...] = ()
    name: str = ""
    earlier: tuple[Submission, ...] = ()

    @property
    def hashes(self) -> dict[str, str]:
        """Name of each file to the SHA-256 of its bytes, in hexadecimal."""
        return {name: hashlib.sha256(content).hexdigest() for name, content in self.files.items()}

    @property
    def attempts(self) -> list[str]:
        """A SHA-256 for everything that the student handed in, the oldest first; empty if it was one."""
        if not self.earlier:
            return []
        return [
            hashlib.sha256(repr((sorted(one.hashes.items()), one.problem)).encode()).hexdigest()
            for one in (*self.earlier, self)
        ]


@dataclass(frozen=True)
class Handin:
    """A class: the submissions in order of name, and sentences about what was left out."""

    submissions: tuple[Submission, ...]
    notes: tuple[str, ...] = ()


def read_class(folder: Path, assignment: Assignment) -> Handin:
    """Read a folder that holds one folder or one zip file per student.

    A submission that cannot be read carries its `Submission.problem`; the others are unaffected.

    Raises
    ------
    IntakeError
        ``folder`` is not a folder of submissions, or two students' names cannot be told apart.
    """
    names, others = _students(folder)
    if not names:
        found = "holds no folder or zip file of a student"
        mend = f"expected {folder}/STUDENT/{_expected(assignment)}, or {folder}/STUDENT{ARCHIVE}"
        raise IntakeError(str(folder), found, mend)
    students = _student_names(folder, names)
    submissions = [_read(folder / name, students[name], assignment) for name in names]
    if all(submission.problem == _missing(assignment) for submission in submissions):
        found = f"nothing in it holds {_expected(assignment)}"
        raise IntakeError(str(folder), found, "check the assignment's name and the folder")
    notes = tuple(f"{line(name)} is neither a folder nor a zip file and was left out." for name in others)
    return Handin(tuple(sorted(submissions, key=lambda submission: submission.student)), notes)


def read_one(target: Path, assignment: Assignment) -> Submission:
    """Read one submission: a folder, a zip file, or the assignment's only file.

    Raises
    ------
    IntakeError
        ``target`` does not exist, or is a file that the assignment does not know.
    """
    path = target.absolute()
    if path.is_dir():
        return _read(path.resolve(), file_name(path.name) or "submission", assignment)
    if not os.path.lexists(path):
        raise IntakeError(str(target), "there is no such file or folder", "check the path")
    if _is_archive(path.name):
        return _read(path.parent.resolve() / path.name, file_name(path.stem) or "submission", assignment)
    student = file_name(path.parent.name) or "submission"
    if assignment.modules != (path.stem,) or path.suffix != ".py":
        mend = f"expected {_expected(assignment)}, or the folder or zip file that holds it"
        raise IntakeError(str(target), f"is not a submission to {assignment.name!r}", mend)
    try:
        with snapshot.opened(path.parent.resolve()) as folder:
            return Submission(student, path, {path.name: snapshot.read_text(path.name, folder)})
    except Unreadable as error:
        return Submission(student, path, problem=str(error))


def changed(handin: Handin, folder: Path, assignment: Assignment) -> list[str]:
    """Return the students whose files differ now from what was read before, or are gone or new."""
    try:
        now = {one.student: (one.hashes, one.problem) for one in read_class(folder, assignment).submissions}
    except IntakeError:
        now = {}
    then = {one.student: (one.hashes, one.problem) for one in handin.submissions}
    return sorted(student for student in then.keys() | now.keys() if then.get(student) != now.get(student))


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
    matching = [item for item in assignments if present.intersection(_file_names(item))]
    if len(matching) == 1:
        return matching[0]
    if matching:
        found = f"could belong to {' or '.join(item.name for item in matching)}"
        raise IntakeError(str(target), found, "say which with --assignment")
    known = ", ".join(name for item in assignments for name in _file_names(item)) or "none yet"
    raise IntakeError(str(target), "holds no file of any assignment", f"expected one of: {known}")


def _visible_files(target: Path) -> set[str]:
    """Return the names of the files that a target consists of."""
    if target.is_dir():
        entries = islice(target.glob("*"), snapshot.MAX_ENTRIES)
        return {path.name for path in entries if not path.is_dir()}
    if not _is_archive(target.name):
        return {target.name}
    try:
        with snapshot.opened(target.absolute().parent.resolve()) as folder:
            return archive.names(target.name, folder)
    except Unreadable as error:
        raise IntakeError(
            str(target), str(error).rstrip("."), "say which assignment with --assignment"
        ) from None


def _file_names(assignment: Assignment) -> list[str]:
    return [f"{module}.py" for module in assignment.modules]


def _expected(assignment: Assignment) -> str:
    return " and ".join(_file_names(assignment))


def _missing(assignment: Assignment) -> str:
    """Return the problem of a submission that holds none of the files."""
    return _are_missing(_file_names(assignment))


def _are_missing(names: Sequence[str]) -> str:
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} missing."


def _students(folder: Path) -> tuple[list[str], list[str]]:
    """List the student folders and zip files of a class, links among them, and the other entries."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        raise IntakeError(str(folder), "there is no such folder", "check the path") from None
    except NotADirectoryError:
        mend = "expected a folder with one folder or zip file per student"
        raise IntakeError(str(folder), "is not a folder", mend) from None
    except OSError as error:
        raise IntakeError(
            str(folder), f"cannot be read ({error.strerror})", "check its permissions"
        ) from None
    shown = [entry for entry in entries if not snapshot.is_clutter(entry.name)]
    names = [entry.name for entry in shown if entry.is_dir() or _is_archive(entry.name)]
    return names, [entry.name for entry in shown if entry.name not in names]


def _student_names(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """Map names of folders and zip files to file names that differ on every system."""
    students = {name: file_name(Path(name).stem if _is_archive(name) else name) for name in names}
    taken: dict[str, list[str]] = defaultdict(list)
    for name, student in students.items():
        if not student:
            raise IntakeError(str(folder), f"{name!r} is no usable name", "rename it")
        taken[student.casefold()].append(name)
    for same in taken.values():
        if len(same) > 1:
            listed = " and ".join(repr(name) for name in same)
            raise IntakeError(str(folder), f"{listed} give the same file name", "rename all but one")
    return students


def _read(path: Path, student: str, assignment: Assignment) -> Submission:
    """Read a student's folder or zip file."""
    wanted = _file_names(assignment)
    try:
        taken = _from_folder(path, wanted) if path.is_dir() else _from_archive(path, wanted)
    except Unreadable as error:
        return Submission(student, path, problem=str(error))
    missing = [name for name in wanted if name not in taken.files]
    known = {f"{assignment.name}.ipynb", MANIFEST}
    others = [name for name in taken.others if name not in known and not snapshot.is_clutter(name)]
    notes = [*taken.notes, *_remarks(others, wanted)]
    return Submission(student, path, taken.files, _are_missing(missing) if missing else None, tuple(notes))


@dataclass(frozen=True)
class _Taken:
    """The wanted files, the names of the others beside them, and where that was."""

    files: dict[str, bytes]
    others: Sequence[str]
    notes: tuple[str, ...]


def _from_folder(path: Path, wanted: Sequence[str]) -> _Taken:
    """Read the wanted files of a folder, or of a zip file that takes their place."""
    with snapshot.opened(path) as folder:
        inside = _locate(folder, wanted)
        with snapshot.opened(inside, folder) as source:
            present = snapshot.entries(source)
            packed = [name for name in present if _is_archive(name) and not snapshot.is_clutter(name)]
            if len(packed) == 1 and present.keys().isdisjoint(wanted):
                taken = _unpacked(archive.read(packed[0], source, wanted))
                return replace(taken, notes=(f"Taken from {line(packed[0])}.", *taken.notes))
            files = {name: snapshot.read_text(name, source) for name in wanted if name in present}
    return _Taken(files, [name for name in present if name not in files], _place(inside))


def _from_archive(path: Path, wanted: Sequence[str]) -> _Taken:
    """Read the wanted files of a zip file."""
    with snapshot.opened(path.parent) as folder:
        return _unpacked(archive.read(path.name, folder, wanted))


def _unpacked(packed: archive.Packed) -> _Taken:
    return _Taken(packed.files, packed.others, _place(packed.inside))


def _place(inside: str) -> tuple[str, ...]:
    return () if inside == "." else (f"Taken from the folder {line(inside)}.",)


def _locate(folder: int, wanted: Sequence[str]) -> str:
    """Return the folder with the wanted files: ``"."``, or the name of one below.

    Raises
    ------
    Unreadable
        More than one folder below holds them.
    """
    present = snapshot.entries(folder)
    if not present.keys().isdisjoint(wanted):
        return "."
    holding = []
    for name in (name for name, is_folder in present.items() if is_folder and not snapshot.is_clutter(name)):
        with snapshot.opened(name, folder) as below:
            if not snapshot.entries(below).keys().isdisjoint(wanted):
                holding.append(name)
    if len(holding) > 1:
        listed = ", ".join(line(name) for name in holding[:NAMED_AT_MOST])
        raise Unreadable(f"More than one folder holds {' and '.join(wanted)} ({listed}); hand in one.")
    return holding[0] if holding else "."


def _remarks(others: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Say which other files lie beside the wanted ones, and which differ from them only in case."""
    lower = {name.casefold(): name for name in wanted}
    notes = [
        f"{line(name)} is not {lower[name.casefold()]}: upper and lower case differ."
        for name in others
        if name.casefold() in lower
    ]
    ignored = [line(name) for name in others if name.casefold() not in lower]
    if ignored:
        more = f" and {len(ignored) - NAMED_AT_MOST} more" if len(ignored) > NAMED_AT_MOST else ""
        notes.append(f"Ignored: {', '.join(ignored[:NAMED_AT_MOST])}{more}.")
    return notes


def _is_archive(name: str) -> bool:
    return name.casefold().endswith(ARCHIVE)
