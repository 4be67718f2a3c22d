"""Questions of a notebook: what students read, and whether they are those of the assignment's settings."""

from __future__ import annotations

from fractions import Fraction

from nbformat import NotebookNode

from autograder.course.assignment import Assignment
from autograder.errors import ReleaseError
from autograder.graded.answers import ANSWER, Prompt, Questionnaire
from autograder.graded.results import write_exact
from autograder.release import gradecells, notebook
from autograder.release.notebook import NotebookPair


def questionnaire(book: NotebookPair) -> Questionnaire:
    """Return what a notebook asks."""
    prompts = tuple(
        Prompt(
            question=released.metadata.nbgrader.grade_id,
            cell=released["id"],
            text=released.source.replace(ANSWER, "").strip(),
            reference=_reference(source),
        )
        for source, released in zip(book.source.cells, book.release.cells, strict=True)
        if gradecells.is_question(released)
    )
    return Questionnaire(prompts, {cell["id"]: cell.source for cell in book.release.cells})


def require_agreement(assignment: Assignment, book: NotebookPair, where: str) -> None:
    """Refuse a notebook that asks, or promises, something else than the assignment's settings.

    Parameters
    ----------
    where : str
        File of the notebook, for messages.

    Raises
    ------
    ReleaseError
        A question stands in one of them only, or is worth something else, or the order differs.
    """
    stated = {question.id: question for question in assignment.questions}
    asked: dict[str, str] = {}
    for cell, line in zip(book.release.cells, book.lines, strict=True):
        if not gradecells.is_question(cell):
            continue
        meta, place = cell.metadata.nbgrader, f"{where}:{line}"
        id, points = meta.grade_id, Fraction(str(meta.points))
        asked[id], worth = place, write_exact(float(points))
        if id not in stated:
            found = f"question {id!r} of {worth} points is not in {assignment.file.name}"
            remedy = f'add [[questions]] there, with id = "{id}", title = "...", points = {worth}'
            raise ReleaseError(place, found, remedy)
        if points != stated[id].points:
            found = f"question {id!r} is worth {worth} points"
            other = write_exact(float(stated[id].points))
            raise ReleaseError(place, found, f"{assignment.file.name} says {other}; make them the same")
    for id in stated:
        if id not in asked:
            remedy = (
                f'add a cell with {{"nbgrader": {{"grade": true, "solution": true, "grade_id": "{id}"}}}}'
            )
            raise ReleaseError(str(assignment.file), f"question {id!r} is not in {where}", remedy)
    if list(stated) != list(asked):
        found = f"asks {', '.join(asked)}, in this order"
        raise ReleaseError(where, found, f"write [[questions]] in {assignment.file.name} in the same order")


def _reference(cell: NotebookNode) -> str:
    """Return the answer that stands in the source."""
    regions = notebook.solution(cell, "", 1)
    return "\n\n".join("\n".join(region.lines).strip() for region in regions)
