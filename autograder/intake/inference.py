"""Infer which assignment a submission belongs to."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from autograder.course import Course
from autograder.course.assignment import Assignment, load
from autograder.errors import IntakeError
from autograder.intake.files import archive
from autograder.intake.files.inventory import Inventory
from autograder.intake.files.snapshot import Unreadable
from autograder.intake.search import file_names
from autograder.intake.search.file_names import Likeness
from autograder.intake.search.wanted import Wanted


def infer_assignment(course: Course, target: Path) -> Assignment:
    """Find the assignment that ``target``, a submission's file, archive or folder, belongs to.

    Files of the exact names tell, wherever they lie; without any, files whose names are near.

    Raises
    ------
    IntakeError
        No assignment has a file of that name, or more than one has.
    """
    assignments = [load(course, name) for name in course.assignments()]
    if not target.exists():
        raise IntakeError(str(target), "there is no such file or folder", "check the path")
    paths = _paths(target)
    present = {path.name for path in paths}
    for least in (Likeness.exact, Likeness.older):
        matching = [item for item in assignments if _matches(item, present, least)]
        if len(matching) == 1:
            _require_one_student(target, matching[0], paths)
            return matching[0]
        if matching:
            found = f"could belong to {' or '.join(item.name for item in matching)}"
            raise IntakeError(str(target), found, "say which with --assignment")
    known = ", ".join(name for item in assignments for name in Wanted.by(item).files) or "none yet"
    raise IntakeError(str(target), "holds no file of any assignment", f"expected one of: {known}")


def _matches(assignment: Assignment, present: set[str], least: Likeness) -> bool:
    wanted = Wanted.by(assignment)
    likenesses = [
        file_names.measure_likeness(name, file)
        for name in present
        for file in [*wanted.files, wanted.notebook]
    ]
    return any(likeness is not None and likeness >= least for likeness in likenesses)


def _require_one_student(target: Path, assignment: Assignment, paths: set[PurePosixPath]) -> None:
    """Refuse a folder that holds the files of an assignment in several folders, and not at its top."""
    files = set(Wanted.by(assignment).files)
    holding = {path.parts[0] for path in paths if path.name in files}
    if len(holding) > 1 and files.isdisjoint(holding):
        found = f"several folders in it hold {' and '.join(sorted(files))}"
        remedy = "grade a class with `autograder grade`, or say which assignment with --assignment"
        raise IntakeError(str(target), found, remedy)


def _paths(target: Path) -> set[PurePosixPath]:
    """Return the paths of the files that a target consists of, those in archives too."""
    path = target.absolute()
    if not path.is_dir() and not archive.is_archive(path.name):
        return {PurePosixPath(path.name)}
    try:
        inventory = Inventory.of_path(path.parent.resolve() / path.name)
    except Unreadable as error:
        remedy = "say which assignment with --assignment"
        raise IntakeError(str(target), str(error).rstrip("."), remedy) from None
    if not any(member.name.endswith(".py") for member in inventory.members):
        inventory.expand()
    return {member.path for member in inventory.members}
