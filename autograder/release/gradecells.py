"""nbgrader's metadata of notebook cells: filled in, checked, and with the checksums of a release."""

from __future__ import annotations

import re
from typing import Any

from nbformat import NotebookNode

from autograder.errors import ReleaseError
from autograder.graded import answers

SCHEMA = 3
KEYS = {"schema_version", "grade", "solution", "locked", "task", "grade_id", "points"}
FLAGS = ("grade", "solution", "locked", "task")

_GRADE_ID = re.compile(r"[a-zA-Z0-9_\-]+")


def complete(cell: NotebookNode, where: str) -> None:
    """Fill in what nbgrader needs to know of a cell that has ``nbgrader`` metadata, and check it.

    Raises
    ------
    ReleaseError
        nbgrader would refuse the cell, or could not grade it.
    """
    given = cell.metadata.get("nbgrader")
    if given is None:
        return
    if not isinstance(given, dict) or not given.keys() <= KEYS:
        raise ReleaseError(
            where, "unknown nbgrader metadata", f"expected keys among {', '.join(sorted(KEYS))}"
        )
    meta = NotebookNode({"schema_version": SCHEMA} | dict.fromkeys(FLAGS, False) | given)
    problem = _problem(meta, cell.cell_type)
    if problem:
        raise ReleaseError(where, *problem)
    cell.metadata["nbgrader"] = meta
    _lock(cell)


def is_solution(cell: NotebookNode) -> bool:
    """Tell whether students write this cell, so that its content is a solution."""
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def is_question(cell: NotebookNode) -> bool:
    """Tell whether people score what students write here: an answer, a task, or code without tests."""
    meta = cell.metadata.get("nbgrader", {})
    by_hand = (meta.get("grade") and meta.get("solution")) or meta.get("task")
    return bool(by_hand and meta.get("points"))


def seal(cell: NotebookNode) -> None:
    """Note type and checksum of a released cell, by which nbgrader sees whether a student changed it."""
    meta = cell.metadata.get("nbgrader")
    if meta is not None and any(meta[flag] for flag in ("grade", "solution", "locked")):
        meta["checksum"] = checksum(cell)
        meta["cell_type"] = cell.cell_type


def checksum(cell: NotebookNode) -> str:
    """Return nbgrader's checksum of a cell, which its validator and its grader compute again."""
    return answers.checksum(cell.source, cell.cell_type, cell.metadata["nbgrader"])


def _problem(meta: NotebookNode, cell_type: str) -> tuple[str, str] | None:
    """Return what is wrong with a cell's metadata and how to fix it, or None."""
    if meta.schema_version != SCHEMA or not all(type(meta[flag]) is bool for flag in FLAGS):
        return "malformed nbgrader metadata", f"expected schema_version {SCHEMA} and true or false elsewhere"
    if not isinstance(meta.get("grade_id"), str) or not _GRADE_ID.fullmatch(meta.grade_id):
        return "nbgrader metadata without a grade_id", "add one, of letters, digits, - and _"
    if not _has_points(meta):
        return f"cell {meta.grade_id!r} is graded without points", "add `points`, a number of 0 or more"
    if cell_type == "markdown" and not meta.task and meta.grade != meta.solution:
        return (
            f"Markdown cell {meta.grade_id!r} is only one of grade and solution",
            "nbgrader needs both, since people grade it by hand",
        )
    if meta.task and cell_type != "markdown":
        return f"task cell {meta.grade_id!r} is not Markdown", "make it a Markdown cell"
    return None


def _has_points(meta: dict[str, Any]) -> bool:
    points = meta.get("points")
    if points is None:
        return not (meta["grade"] or meta["task"])
    return isinstance(points, int | float) and not isinstance(points, bool) and points >= 0


def _lock(cell: NotebookNode) -> None:
    """Have editors keep the cell, and where students write nothing its content too, as nbgrader does."""
    meta = cell.metadata["nbgrader"]
    if meta.solution or meta.grade or meta.locked:
        cell.metadata["deletable"] = False
    if not meta.solution and (meta.grade or meta.locked):
        cell.metadata["editable"] = False
