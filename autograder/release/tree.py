"""The trees of a release: generated assignments, the student tree, archives, and sources for nbgrader."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course import COURSE_FILE, Course
from autograder.course import assignment as assignments
from autograder.course.assignment import Assignment
from autograder.errors import ReleaseError
from autograder.release import handout, nbgrader_course, student
from autograder.release.handout import BuiltHandout
from autograder.release.student import LEFTOVERS, README, Files
from autograder.scoring import PlannedTest

PlanOf = Callable[[Assignment], Sequence[PlannedTest]]
"""Collects the whole suite of an assignment."""


@dataclass(frozen=True)
class Tree:
    """Everything that a release writes, each as paths below its folder.

    Attributes
    ----------
    names : tuple of str
        The assignments that it is of; files of others stay as they are on disk.
    assignments : dict
        For ``assignments/``, which is kept in git; drafts, too.
    student : dict
        For ``dist/student/``, which is published: no drafts, but what was released before of others.
    archives : dict
        For ``dist/``: a zip per assignment.
    nbgrader : dict
        For ``dist/nbgrader/``, an nbgrader course folder with notebooks that hold the solutions. What else is
        in it, such as submissions and a gradebook, stays.
    """

    names: tuple[str, ...]
    assignments: Files
    student: Files
    archives: Files
    nbgrader: Files

    @property
    def public(self) -> Files:
        """All that students can get, by path below the course's folder."""
        return {
            **{f"assignments/{path}": content for path, content in self.assignments.items()},
            **{f"dist/student/{path}": content for path, content in self.student.items()},
            **{f"dist/{path}": content for path, content in self.archives.items()},
        }


def load_assignments(course: Course, names: Collection[str] = ()) -> list[Assignment]:
    """Load some assignments, or all, in the course's order.

    Raises
    ------
    ConfigError
        There is no assignment of a name, or its settings are malformed.
    ReleaseError
        There is none at all, or the course lists one that has no files.
    """
    there = course.assignments()
    if not there:
        raise ReleaseError(str(course.root), "no assignments", "make one: autograder new NAME")
    for one in course.listed or ():
        if one.name not in there:
            found = f"`assignments` names {one.name!r}, and there is no solutions/{one.name}/assignment.toml"
            raise ReleaseError(str(course.root / COURSE_FILE), found, "add it, or take the name off the list")
    loaded = {name: assignments.load(course, name) for name in names or there}
    return [loaded[name] for name in there if name in loaded]


def build(
    course: Course, plan_of: PlanOf, names: Collection[str] = (), *, tags: Mapping[str, str] | None = None
) -> Tree:
    """Build the release of some assignments, or of all, in memory.

    Parameters
    ----------
    tags : mapping of str to str, optional
        Names of assignments to tags that they are made with in place of the course's.

    Raises
    ------
    ReleaseError
        There is no assignment, one cannot be released, or an archive is too large.
    """
    found = load_assignments(course, names)
    handouts = [handout.build(course, one, plan_of(one), (tags or {}).get(one.name)) for one in found]
    seen = [one for one in handouts if course.status(one.name) != "draft"]
    return Tree(
        names=tuple(one.name for one in found),
        assignments=_assignments(handouts),
        student=_student(course, seen, names),
        archives={f"{one.name}.zip": student.pack(course, one) for one in seen},
        nbgrader=nbgrader_course.sources(handouts),
    )


def write(course: Course, tree: Tree) -> None:
    """Write a release.

    What lies in its folders and is not part of it goes, unless it belongs to an assignment that the release
    is not of. Of drafts nothing stays in ``dist/``.

    Raises
    ------
    ReleaseError
        A folder cannot be written to, is a link, or is itself a git repository.
    """
    others = set(course.assignments()).difference(tree.names)
    seen = set(student.released_names(course, others))
    _mirror(course.root / "assignments", tree.assignments, keep=_of(others))
    _mirror(course.root / "dist" / "student", tree.student)
    _write_nbgrader(course.root / "dist" / "nbgrader", tree)
    zips = {f"{name}.zip" for name in seen}
    _mirror(
        course.root / "dist",
        tree.archives,
        keep=lambda name: "/" in name or name in zips or not name.endswith(".zip"),
    )


def find_stale(course: Course, tree: Tree) -> list[str]:
    """Return a sentence per file of ``assignments/`` that is not as a release would write it.

    ``checks.json`` states the Python, the PyTorch and the packages of the machine that made it; those may be
    of another machine.
    """
    others = set(course.assignments()).difference(tree.names)
    folder = course.root / "assignments"
    named = {"grader"} if course.packages is not None else {"grader", "packages"}
    files = {
        name: _as_made_there(folder / name, content, named) for name, content in tree.assignments.items()
    }
    return differences(folder, files, keep=_of(others))


def differences(
    folder: Path, files: Mapping[str, bytes], keep: Callable[[str], bool] = lambda name: False
) -> list[str]:
    """Return a sentence per file in which a folder differs from ``files``, but for those that are kept."""
    there = {path.relative_to(folder).as_posix(): path for path in student.paths(folder)}
    found = []
    for name in sorted(there.keys() | files.keys()):
        if name not in there:
            found.append(f"{folder.name}/{name} is missing")
        elif name not in files:
            if LEFTOVERS.isdisjoint(Path(name).parts) and not keep(name):
                found.append(f"{folder.name}/{name} is not part of the release")
        elif there[name].is_symlink() or there[name].read_bytes() != files[name]:
            found.append(f"{folder.name}/{name} differs from what the solutions produce")
    return found


def _as_made_there(path: Path, content: bytes, keys: Collection[str]) -> bytes:
    """Return what a file would be, had it been made on the machine that made the one on disk."""
    if path.name != handout.CHECKS_FILE:
        return content
    try:
        there = json.loads(path.read_bytes())
        return handout.dumps(json.loads(content) | {key: there[key] for key in keys if key in there})
    except (OSError, ValueError, TypeError):
        return content


def _of(folders: Collection[str]) -> Callable[[str], bool]:
    """Return a function that tells whether a path is in one of some folders."""
    return lambda name: any(name.startswith(f"{folder}/") for folder in folders)


def _assignments(handouts: Sequence[BuiltHandout]) -> Files:
    return {f"{one.name}/{path}": content for one in handouts for path, content in one.files.items()}


def _student(course: Course, handouts: Sequence[BuiltHandout], names: Collection[str]) -> Files:
    """Return a tree that needs nothing of this repository.

    Where a release is of some assignments only, those that were released before are in it as they are.
    """
    files = {f"assignments/{path}": content for path, content in _assignments(handouts).items()}
    before = course.root / "dist" / "student" / "assignments"
    earlier = set(course.assignments()).difference(names) if names else set()
    for name in student.released_names(course, {one for one in earlier if (before / one).is_dir()}):
        for path in student.paths(before / name, LEFTOVERS):
            if not path.is_symlink():
                files[f"assignments/{path.relative_to(before).as_posix()}"] = path.read_bytes()
    inside = {path.split("/")[1] for path in files}
    return files | student.shared_files(course) | {README: student.readme(course, inside)}


def _write_nbgrader(folder: Path, tree: Tree) -> None:
    """Write sources of assignments, and settings if there are none; everything else is the instructor's."""
    for name in tree.names:
        inside = f"source/{name}/"
        paths = [path for path in tree.nbgrader if path.startswith(inside)]
        _mirror(folder / inside, {path.removeprefix(inside): tree.nbgrader[path] for path in paths})
    settings = folder / nbgrader_course.SETTINGS
    with _refusal_of(settings):
        if not settings.exists():
            settings.write_bytes(nbgrader_course.settings())


def _mirror(
    folder: Path, files: Mapping[str, bytes], *, keep: Callable[[str], bool] = lambda name: False
) -> None:
    """Make a folder hold exactly ``files``, and what ``keep`` accepts; fresh files stay untouched."""
    if folder.is_symlink() or (folder / ".git").exists():
        found = "is a link" if folder.is_symlink() else "is itself a git repository"
        raise ReleaseError(str(folder), found, "move it away; a release rebuilds this folder")
    with _refusal_of(folder):
        for path in student.paths(folder):
            name = path.relative_to(folder).as_posix()
            if name not in files and not keep(name):
                path.unlink()
                _remove_empty(path.parent, folder)
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_symlink():
                path.unlink()
            if not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)


def _remove_empty(folder: Path, root: Path) -> None:
    """Remove a folder below `root` that holds nothing any more, and what only held that."""
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


@contextlib.contextmanager
def _refusal_of(place: Path) -> Iterator[None]:
    """Turn an error of the system into one that says where to look."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ReleaseError(
            str(error.filename or place),
            f"cannot be written ({reason})",
            "move away what is there, or fix the permissions",
        ) from None
