"""A class whose students hand in the same work in every shape that was met: a folder made by a script."""

from __future__ import annotations

from pathlib import Path

from tests.autograder.intake.arrivals import archives, contents, names, notebooks, platforms, refusals
from tests.autograder.intake.arrivals.shape import Shape

SHAPES: tuple[Shape, ...] = tuple(
    one
    for module in (names, archives, notebooks, contents, platforms, refusals)
    for one in module.shapes.found
)
"""All shapes, each of a student of its own."""


def write(folder: Path) -> Path:
    """Write the class into an empty folder, and its roster beside it; return the roster's path."""
    for one in SHAPES:
        one.write(folder, one.student)
    roster = folder.with_name("roster.csv")
    rows = [f'{one.student},"{one.person}",{one.number}' for one in SHAPES]
    roster.write_text("\n".join(["student,name,id", *rows, ""]), encoding="utf-8")
    return roster
