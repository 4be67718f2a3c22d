"""The trees of a release: generated assignments, what students get, archives, and sources for nbgrader."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from autograder import assignment as assignments
from autograder.assignment import Assignment
from autograder.course import Course
from autograder.errors import ReleaseError
from autograder.release import archive, handout, notebook
from autograder.release.handout import Handout
from autograder.scoring import PlannedTest

MAX_ARCHIVE = 300_000
"""Bytes of a zip without data; more means that something strayed into it."""

LEFTOVERS = {"__pycache__", ".ipynb_checkpoints", ".pytest_cache"}
"""Folders that running the notebook or the tests leaves behind."""

Files = dict[str, bytes]
"""Path, with slashes, to content."""

PlanOf = Callable[[Assignment], Sequence[PlannedTest]]
"""Collects the whole suite of an assignment."""


@dataclass(frozen=True)
class Tree:
    """Everything that a release writes, each as paths below its folder.

    Attributes
    ----------
    assignments : dict
        For ``assignments/``, which is kept in git.
    student : dict
        For ``dist/student/``, which is published.
    archives : dict
        For ``dist/``: a zip per assignment.
    nbgrader : dict
        For ``dist/nbgrader/``, a course folder of nbgrader's with notebooks that hold the solutions.
    """

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


def build(course: Course, plan_of: PlanOf) -> Tree:
    """Build the release of all assignments in memory.

    Raises
    ------
    ReleaseError
        There is no assignment, one cannot be released, or an archive is too large.
    """
    chosen = [assignments.load(course, name) for name in course.assignments()]
    if not chosen:
        raise ReleaseError(str(course.root), "no assignments", "make one: autograder new NAME")
    handouts = [handout.build(course, assignment, plan_of(assignment)) for assignment in chosen]
    archives = {f"{one.name}.zip": _archive(course, one) for one in handouts}
    return Tree(_assignments(handouts), _student(course, handouts), archives, _nbgrader(course, handouts))


def write(course: Course, tree: Tree) -> None:
    """Write a release; what lies in its folders and is not part of it goes.

    Raises
    ------
    ReleaseError
        A folder cannot be written to, is a link, or is a git repository of its own.
    """
    _mirror(course.root / "assignments", tree.assignments)
    _mirror(course.root / "dist" / "student", tree.student)
    _mirror(course.root / "dist" / "nbgrader", tree.nbgrader)
    _mirror(course.root / "dist", tree.archives, keep=lambda name: "/" in name or not name.endswith(".zip"))


def stale(course: Course, tree: Tree) -> list[str]:
    """Return a sentence per file of ``assignments/`` that is not as a release would write it."""
    return differences(course.root / "assignments", tree.assignments)


def differences(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    """Return a sentence per file in which a folder differs from ``files``."""
    there = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    found = []
    for name in sorted(there.keys() | files.keys()):
        if name not in there:
            found.append(f"{folder.name}/{name} is missing")
        elif name not in files:
            if LEFTOVERS.isdisjoint(Path(name).parts):
                found.append(f"{folder.name}/{name} is not part of the release")
        elif there[name].is_symlink() or there[name].read_bytes() != files[name]:
            found.append(f"{folder.name}/{name} is not what the solutions make of it")
    return found


def _assignments(handouts: Sequence[Handout]) -> Files:
    return {f"{one.name}/{path}": content for one in handouts for path, content in one.files.items()}


def _student(course: Course, handouts: Sequence[Handout]) -> Files:
    """Return a tree that needs nothing of this repository."""
    files = {f"assignments/{path}": content for path, content in _assignments(handouts).items()}
    files |= {f"helpers/{path}": content for path, content in _helpers().items()}
    for name in ("requirements.txt", "environment.yml"):
        files[name] = (resources.files("autograder.release") / "templates" / name).read_bytes()
    files["README.md"] = _readme(course, handouts).encode()
    files[".gitignore"] = b"__pycache__/\n.ipynb_checkpoints/\n.venv/\n"
    if (course.root / "LICENSE").is_file():
        files["LICENSE"] = (course.root / "LICENSE").read_bytes()
    return files


def _archive(course: Course, one: Handout) -> bytes:
    packed = archive.pack({f"{one.name}/{path}": data for path, data in _student(course, [one]).items()})
    if len(packed) > MAX_ARCHIVE:
        found = f"{len(packed):,} bytes; a release without data has at most {MAX_ARCHIVE:,}"
        raise ReleaseError(
            f"dist/{one.name}.zip", found, "look for outputs or data in solutions/ or helpers/"
        )
    return packed


def _nbgrader(course: Course, handouts: Sequence[Handout]) -> Files:
    """Return a course folder of nbgrader's.

    nbgrader hands every file of a source folder but notebooks to students as it is, so the modules lie
    there as stubs.
    """
    files: Files = {}
    for one in handouts:
        inside = one.files | {f"{one.name}.ipynb": notebook.dumps(one.notebook.source)}
        inside |= {f"helpers/{path}": content for path, content in _helpers().items()}
        files |= {f"source/{one.name}/{path}": content for path, content in inside.items()}
    return files


def _helpers() -> Files:
    """Return the package that notebooks import, as it is installed here."""
    spec = importlib.util.find_spec("helpers")
    if spec is None or not spec.submodule_search_locations:
        raise ReleaseError("helpers", "the package is not installed", "run: make install")
    folder = Path(spec.submodule_search_locations[0])
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in _files(folder, LEFTOVERS)}


def _readme(course: Course, handouts: Sequence[Handout]) -> str:
    loader = PackageLoader("autograder.release")
    environment = Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True)
    return environment.get_template("README.md.j2").render(
        course=course.name,
        handouts=handouts,
        repository=course.release.repository,
        tag=course.release.tag,
        example=f"assignments/{handouts[0].name}/{handouts[0].modules[0]}.py",
    )


def _mirror(
    folder: Path, files: Mapping[str, bytes], *, keep: Callable[[str], bool] = lambda name: False
) -> None:
    """Make a folder hold exactly ``files``, and what ``keep`` accepts; fresh files stay untouched."""
    if folder.is_symlink() or (folder / ".git").exists():
        found = "is a link" if folder.is_symlink() else "is a git repository of its own"
        raise ReleaseError(str(folder), found, "move it away; a release makes this folder afresh")
    try:
        for path in _files(folder):
            if path.relative_to(folder).as_posix() not in files and not keep(
                path.relative_to(folder).as_posix()
            ):
                path.unlink()
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_symlink():
                path.unlink()
            if not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ReleaseError(
            str(error.filename or folder), f"cannot be written ({reason})", "free the place"
        ) from None


def _files(folder: Path, skipped: Collection[str] = ()) -> list[Path]:
    """Return everything below a folder that is no folder, links included, in a stable order."""
    return sorted(
        path
        for path in folder.rglob("*")
        if (path.is_symlink() or not path.is_dir()) and not set(skipped) & set(path.relative_to(folder).parts)
    )
