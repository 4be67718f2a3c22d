"""The course folder for nbgrader: sources with the cells that hold the points for code, and settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from fractions import Fraction
from importlib import resources

import nbformat
from nbformat import NotebookNode

from autograder.course.assignment import Assignment, Task
from autograder.errors import ReleaseError
from autograder.release import gradecells, handout, index, notebook, student
from autograder.release.handout import CHECKS_FILE, BuiltHandout
from autograder.release.student import Files
from helpers.wording import number

SETTINGS = "nbgrader_config.py"
_INTRODUCTION = """\
## Points for your code

Your code is graded from the files that you hand in with this notebook. There is nothing to write below."""


def sources(handouts: Sequence[BuiltHandout]) -> Files:
    """Return the source folder of each assignment, below ``source/``.

    nbgrader hands every file of a source folder but notebooks to students as it is, so the modules lie
    there as stubs. Its notebooks end with a cell for each task, in which nbgrader keeps the points for code:
    a manually graded task, which it never runs and no student can write to.

    Raises
    ------
    ReleaseError
        A cell of a notebook has the ``grade_id`` of such a cell.
    """
    files: Files = {}
    shared = {f"helpers/{path}": content for path, content in student.helpers().items()}
    for one in handouts:
        inside = one.files | shared | _with_points_cells(one)
        files |= {f"source/{one.name}/{path}": content for path, content in inside.items()}
    return files


def settings() -> bytes:
    """Return the settings of nbgrader for a course whose assignments are all of this kind."""
    template = resources.files("autograder.release") / "templates" / f"{SETTINGS}.txt"
    return template.read_bytes()


def _with_points_cells(one: BuiltHandout) -> Files:
    """Return the notebook with the cells for the points, and the list of checks that knows them."""
    source, release = deepcopy(one.notebook.source), deepcopy(one.notebook.release)
    _require_free(one)
    added = list(_points_cells(one.assignment))
    for cell in added:
        gradecells.complete(cell, one.name)
    source.cells += deepcopy(added)
    for cell in added:
        gradecells.seal(cell)
    release.cells += added
    for cell, twin, id in zip(
        source.cells, release.cells, notebook.cell_ids(release.cells, one.name), strict=True
    ):
        cell["id"] = twin["id"] = id
    checks = json.loads(one.files[CHECKS_FILE])
    checks["cells"] += [index.describe(cell) for cell in added]
    return {f"{one.name}.ipynb": notebook.dumps(source), CHECKS_FILE: handout.dumps(checks)}


def _points_cells(assignment: Assignment) -> Iterator[NotebookNode]:
    """Yield the cells for the points, one for each task; the first one says what they are for."""
    for place, task in enumerate(assignment.tasks):
        text = f"**{task.title}** ({_worth(task)})"
        meta = {
            "grade_id": task.cell,
            "task": True,
            "locked": True,
            "points": _plain(task.cell_points),
        }
        source = f"{_INTRODUCTION}\n\n{text}" if place == 0 else text
        yield nbformat.v4.new_markdown_cell(source, metadata={"nbgrader": meta})


def _worth(task: Task) -> str:
    points = "1 point" if task.points == 1 else f"{number(float(task.points))} points"
    return f"{points} of extra credit" if task.extra else points


def _plain(points: Fraction) -> int | float:
    return int(points) if points.denominator == 1 else round(float(points), 4)


def _require_free(one: BuiltHandout) -> None:
    own = {task.cell for task in one.assignment.tasks}
    for cell, line in zip(one.notebook.source.cells, one.notebook.lines, strict=True):
        id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if id in own:
            remedy = "rename it, since the cell for the points of a task has this name in nbgrader"
            raise ReleaseError(f"{one.assignment.folder.name}.md:{line}", f"grade_id {id!r} is taken", remedy)
