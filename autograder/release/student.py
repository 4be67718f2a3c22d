"""The student tree: files that every release has besides its assignments, and a README that lists them."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.course.assignment import Assignment
from autograder.errors import ReleaseError
from autograder.release.handout import BuiltHandout
from helpers.submission import archives
from helpers.wording import number

Files = dict[str, bytes]
"""Path, with slashes, to content."""

LEFTOVERS = {"__pycache__", ".ipynb_checkpoints", ".pytest_cache"}
"""Folders that running the notebook or the tests leaves behind."""

MAX_ARCHIVE = 300_000
"""Bytes of a zip without data; more means that something strayed into it."""

README = "README.md"


@dataclass(frozen=True)
class ReadmeRow:
    """The README's description of an assignment, in words."""

    name: str
    title: str
    path: str
    closed: bool
    points: str
    needs: str
    time: str


def released_names(course: Course, names: Collection[str]) -> list[str]:
    """Return those of some assignments that students may see, in the course's order."""
    return [name for name in course.assignments() if name in names and course.status(name) != "draft"]


def shared_files(course: Course) -> Files:
    """Return the files that all assignments share, but for the README."""
    files = {f"helpers/{path}": content for path, content in helpers().items()}
    for name in ("requirements.txt", "environment.yml"):
        files[name] = (resources.files("autograder.release") / "templates" / name).read_bytes()
    files[".gitignore"] = b"__pycache__/\n.ipynb_checkpoints/\n.venv/\n"
    if (course.root / "LICENSE").is_file():
        files["LICENSE"] = (course.root / "LICENSE").read_bytes()
    return files


def helpers() -> Files:
    """Return the package that notebooks import, as it is installed here."""
    spec = importlib.util.find_spec("helpers")
    if spec is None or not spec.submodule_search_locations:
        raise ReleaseError("helpers", "the package is not installed", "run: make install")
    folder = Path(spec.submodule_search_locations[0])
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths(folder, LEFTOVERS)}


def readme(course: Course, names: Collection[str]) -> bytes:
    """Return the README of a tree that holds some assignments, which it lists in the course's order."""
    chosen = [assignments.load(course, name) for name in course.assignments() if name in names]
    loader = PackageLoader("autograder.release")
    environment = Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True)
    text = environment.get_template("README.md.j2").render(
        course=course.name,
        rows=[_row(course, one) for one in chosen],
        repository=course.release.repository,
        tag=course.release.tag,
        example=f"assignments/{chosen[0].name}/{chosen[0].modules[0]}.py" if chosen else "",
    )
    return text.encode()


def pack(course: Course, one: BuiltHandout) -> bytes:
    """Return the student tree with a single assignment as an archive.

    Raises
    ------
    ReleaseError
        It is too large.
    """
    files = {f"assignments/{one.name}/{path}": content for path, content in one.files.items()}
    files |= shared_files(course) | {README: readme(course, [one.name])}
    packed = archives.pack({f"{one.name}/{path}": content for path, content in files.items()})
    if len(packed) > MAX_ARCHIVE:
        found = f"{len(packed):,} bytes; a release without data has at most {MAX_ARCHIVE:,}"
        raise ReleaseError(
            f"dist/{one.name}.zip", found, "look for outputs or data in solutions/ or helpers/"
        )
    return packed


def paths(folder: Path, skipped: Collection[str] = ()) -> list[Path]:
    """Return everything below a folder that is no folder, links included, in a stable order."""
    return sorted(
        path
        for path in folder.rglob("*")
        if (path.is_symlink() or not path.is_dir()) and not set(skipped) & set(path.relative_to(folder).parts)
    )


def _row(course: Course, one: Assignment) -> ReadmeRow:
    overview = one.overview
    time = "" if overview.minutes is None else f"{overview.minutes} min"
    if overview.gpu:
        time += ", less with a GPU" if time else "less with a GPU"
    return ReadmeRow(
        name=one.name,
        title=one.title,
        path=f"assignments/{one.name}/{one.name}.ipynb",
        closed=course.status(one.name) == "closed",
        points=_points(one),
        needs=overview.needs,
        time=time,
    )


def _points(one: Assignment) -> str:
    """Return what is to be had: by code, by answers in words, and as extra credit."""
    parts = {
        "": one.max_points,
        " for answers": sum(
            (question.points for question in one.questions if not question.extra), Fraction()
        ),
        " extra": one.all_points - one.max_points,
    }
    return " + ".join(f"{number(float(points))}{kind}" for kind, points in parts.items() if points)
