"""Read what one student handed in: a folder, a zip file, or single files; a problem is a result, no error."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.assignment import Assignment
from autograder.intake import archive, snapshot
from autograder.intake.snapshot import Unreadable
from autograder.intake.submission import Submission
from autograder.reports.untrusted import line

NAMED_AT_MOST = 5
ARCHIVE = ".zip"
MANIFEST = "manifest.json"
"""What the zip that `helpers.submit` builds says about itself."""


def file_names(assignment: Assignment) -> list[str]:
    """Return the names of the modules that an assignment asks for."""
    return [f"{module}.py" for module in assignment.modules]


def _wanted(assignment: Assignment) -> list[str]:
    """Return the names of all files that are read: the modules, and weights, which nobody has to hand in."""
    return [*file_names(assignment), *assignment.weights]


def is_archive(name: str) -> bool:
    """Tell whether a file of this name is taken for a zip file."""
    return name.casefold().endswith(ARCHIVE)


def are_missing(names: Sequence[str]) -> str:
    """Return the problem of a submission without these files."""
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} missing."


def read(path: Path, student: str, assignment: Assignment) -> Submission:
    """Read a student's folder or zip file."""
    wanted = _wanted(assignment)
    try:
        is_zip = is_archive(path.name) and not path.is_dir()
        taken = _from_archive(path, wanted) if is_zip else _from_folder(path, wanted, assignment.name)
    except Unreadable as error:
        return Submission(student, path, problem=str(error))
    return _submission(path, student, assignment, taken)


def read_files(files: Mapping[str, Path], student: str, assignment: Assignment) -> Submission:
    """Read files that lie under other names: a download may have put the student's name before them.

    Parameters
    ----------
    files : mapping of str to Path
        The name that the student gave, to where the file is now.
    """
    wanted = _wanted(assignment)
    place = next(iter(files.values()))
    packed = [name for name in files if is_archive(name)]
    try:
        if len(packed) == 1 and files.keys().isdisjoint(wanted):
            taken = _from_archive(files[packed[0]], wanted)
        else:
            known = [name for name in files if name in wanted]
            content, notes = snapshot.taken(known, lambda name: _read_as(name, files[name]))
            taken = _Taken(content, [name for name in files if name not in known], notes)
    except Unreadable as error:
        return Submission(student, place, problem=str(error))
    return _submission(place, student, assignment, taken)


@dataclass(frozen=True)
class _Taken:
    """The wanted files, the names of the others beside them, and where that was."""

    files: dict[str, bytes]
    others: Sequence[str]
    notes: tuple[str, ...]


def _submission(path: Path, student: str, assignment: Assignment, taken: _Taken) -> Submission:
    wanted = file_names(assignment)
    missing = [name for name in wanted if name not in taken.files]
    known = {f"{assignment.name}.ipynb", MANIFEST}
    others = [name for name in taken.others if name not in known and not snapshot.is_clutter(name)]
    notes = (*taken.notes, *_remarks(others, wanted))
    problem = are_missing(missing) if missing else None
    return Submission(student, path, taken.files, problem, notes=notes)


def _read_as(name: str, path: Path) -> bytes:
    """Return the content of a file; messages call it as the student did."""
    with snapshot.opened(path.parent.resolve()) as folder:
        return snapshot.read_file(path.name, folder, name)


def _from_folder(path: Path, wanted: Sequence[str], assignment: str) -> _Taken:
    """Read the wanted files of a folder, or of a zip file that takes their place."""
    with snapshot.opened(path) as folder:
        inside = _locate(folder, wanted, assignment)
        with snapshot.opened(inside, folder) as source:
            present = snapshot.entries(source)
            packed = [name for name in present if is_archive(name) and not snapshot.is_clutter(name)]
            if len(packed) == 1 and present.keys().isdisjoint(wanted):
                taken = _unpacked(archive.read(packed[0], source, wanted))
                return replace(taken, notes=(f"Taken from {line(packed[0])}.", *taken.notes))
            known = [name for name in wanted if name in present]
            files, notes = snapshot.taken(known, lambda name: snapshot.read_file(name, source))
    place = () if inside == assignment else _place(inside)
    return _Taken(files, [name for name in present if name not in known], (*place, *notes))


def _from_archive(path: Path, wanted: Sequence[str]) -> _Taken:
    """Read the wanted files of a zip file."""
    with snapshot.opened(path.parent) as folder:
        return _unpacked(archive.read(path.name, folder, wanted))


def _unpacked(packed: archive.Packed) -> _Taken:
    return _Taken(packed.files, packed.others, (*_place(packed.inside), *packed.notes))


def _place(inside: str) -> tuple[str, ...]:
    return () if inside == "." else (f"Taken from the folder {line(inside)}.",)


def _locate(folder: int, wanted: Sequence[str], assignment: str) -> str:
    """Return the folder with the wanted files: ``"."``, or the name of one below.

    Of several, the one that is called as the assignment is: nbgrader keeps all assignments of a student side
    by side.

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
    if assignment in holding:
        return assignment
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


def holds_any(path: Path, names: Sequence[str]) -> bool:
    """Tell whether one of the files lies directly in a folder."""
    return any(os.path.lexists(path / name) for name in names)
