"""Compare a notebook with the released one: answered questions, missing cells, damage."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from helpers.submission.findings import Finding
from helpers.submission.handout import Handout, ReleasedCell, ReleasedQuestion
from helpers.wording import enumerate_words, number

PLACEHOLDER = "YOUR ANSWER HERE"
"""What stands in a released notebook where an answer belongs."""

_SET_UP = re.compile(r"""colab\.setup\(\s*["'](\w+)["']""")
_COMMAND = re.compile(r"^(\s*)[%!?].*$", re.MULTILINE)
_WRITTEN_FILE = re.compile(r"\s*%%(?:writefile|file)\b")


@dataclass(frozen=True)
class _NotebookCell:
    """A cell of a student's notebook; ids are those that the release gave it, as far as they are left."""

    kind: str
    source: str
    ids: frozenset[str]
    question: str | None = None
    solution: bool = False

    @property
    def digest(self) -> str:
        return _digest(self.source)

    @property
    def answer(self) -> str:
        """Digest of what stands there beside the placeholder."""
        return _digest(self.source.replace(PLACEHOLDER, ""))


@dataclass(frozen=True)
class Reading:
    """What a notebook says.

    Attributes
    ----------
    findings : tuple of Finding
        What the student should know about it.
    damaged : bool
        Whether it could not be read, so that nobody knows what is in it.
    answered : bool
        Whether it holds text of the student's: an answer, or a cell that was added.
    code : bool
        Whether a cell writes a file.
    names : frozenset of str
        What its code cells define at their top level, or import.
    """

    findings: tuple[Finding, ...] = ()
    damaged: bool = False
    answered: bool = False
    code: bool = False
    names: frozenset[str] = field(default_factory=frozenset)


def resembles(found: Handout, content: bytes) -> bool:
    """Tell whether a notebook has half of the released cells of an assignment or more."""
    try:
        cells = _cells(content)
    except ValueError:
        return False
    there = [cell for cell in found.cells if _find(cell, cells) is not None]
    return bool(found.cells) and 2 * len(there) >= len(found.cells)


def read(found: Handout, content: bytes, file: str) -> Reading:
    """Read a student's notebook.

    Parameters
    ----------
    content : bytes
        As it is packed.
    file : str
        Its name, for sentences.
    """
    try:
        cells = _cells(content)
    except ValueError as error:
        return Reading((Finding("problem", f"{file} {error}"),), damaged=True)
    other = _of_another(found, cells, file)
    questions = () if other else tuple(_questions(found, cells, file))
    return Reading(
        findings=(*other, *questions, *(() if other else _missing_cells(found, cells, file))),
        answered=any(_is_text_of_the_student(found, cell) for cell in cells),
        code=any(_WRITTEN_FILE.match(cell.source) for cell in cells if cell.kind == "code"),
        names=frozenset(
            name for cell in cells if cell.kind == "code" for name in _defined_names(cell.source)
        ),
    )


def _cells(content: bytes) -> list[_NotebookCell]:
    """Return the cells of a notebook; the message of a ValueError goes on after the file's name."""
    if not content.strip():
        raise ValueError(
            f"is empty ({len(content)} bytes). If it is still open in the browser, save it (Ctrl+S) and run "
            "this cell again."
        )
    try:
        plain = json.loads(content)
    except (ValueError, RecursionError) as error:
        line = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ValueError(
            f"is damaged: it is cut off, or is not a notebook ({_reason(error)}{line}). If it is still open "
            "in the browser, save it (Ctrl+S) and run this cell again."
        ) from None
    cells = plain.get("cells") if isinstance(plain, dict) else None
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise ValueError("is not a notebook: there are no cells in it.")
    return [_cell(cell) for cell in cells]


def _reason(error: Exception) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__


def _cell(plain: dict[str, Any]) -> _NotebookCell:
    source = plain.get("source", "")
    given = plain.get("metadata")
    metadata = given if isinstance(given, dict) else {}
    known = metadata.get("nbgrader")
    nbgrader = known if isinstance(known, dict) else {}
    # Colab keeps the id of a cell among its metadata.
    ids = {id for id in (plain.get("id"), metadata.get("id")) if isinstance(id, str)}
    question = nbgrader.get("grade_id")
    return _NotebookCell(
        kind=str(plain.get("cell_type")),
        source=source
        if isinstance(source, str)
        else "".join(map(str, source))
        if isinstance(source, list)
        else "",
        ids=frozenset(ids),
        question=question if isinstance(question, str) else None,
        solution=nbgrader.get("solution") is True,
    )


def _find(cell: ReleasedCell, cells: Sequence[_NotebookCell]) -> _NotebookCell | None:
    """Return what became of a released cell: the same question, the same id, or the same words."""
    for own in cells:
        if cell.question is not None and own.question == cell.question.id:
            return own
        if cell.id in own.ids or cell.digest == own.digest:
            return own
    return None


def _of_another(found: Handout, cells: Sequence[_NotebookCell], file: str) -> tuple[Finding, ...]:
    """Tell that a notebook is another assignment's."""
    if not found.cells or any(_find(cell, cells) is not None for cell in found.cells if cell.question):
        return ()
    names = {name for cell in cells for name in _SET_UP.findall(cell.source)} - {found.name}
    there = sum(_find(cell, cells) is not None for cell in found.cells)
    if 4 * there >= len(found.cells):
        return ()
    whose = (
        f"is the notebook of {enumerate_words(sorted(names))}"
        if names
        else "has almost none of the released cells"
    )
    return (
        Finding(
            "problem", f"{file} {whose}, so answers to the questions of {found.name} are not in the zip."
        ),
    )


def _questions(found: Handout, cells: Sequence[_NotebookCell], file: str) -> Iterator[Finding]:
    """Yield the questions that have no answer."""
    for question, own in _match_questions(found, cells):
        what = _title(question) if question is not None else "A question"
        if own is None:
            yield Finding("problem", f"{what} is not in {file} any more; its cell was deleted.")
        elif not own.source.strip() or (question is not None and own.answer == question.digest):
            reason = (
                f"“{PLACEHOLDER}” is still there" if PLACEHOLDER in own.source else "nothing is written there"
            )
            yield Finding("open", f"{what} is not answered: {reason}.")
        elif question is None and PLACEHOLDER in own.source:
            yield Finding("open", f"{what} is not answered: “{PLACEHOLDER}” is still there.")


def _match_questions(
    found: Handout, cells: Sequence[_NotebookCell]
) -> list[tuple[ReleasedQuestion | None, _NotebookCell | None]]:
    """Return the questions with the cells where they are answered, as released or else as marked."""
    if found.cells:
        return [(cell.question, _find(cell, cells)) for cell in found.cells if cell.question is not None]
    return [(None, cell) for cell in cells if cell.kind == "markdown" and cell.solution]


def _title(question: ReleasedQuestion) -> str:
    points = f"{number(question.points)} point{'' if question.points == 1 else 's'}"
    return f"The question under “{question.title}” ({points})" if question.title else f"A question ({points})"


def _missing_cells(found: Handout, cells: Sequence[_NotebookCell], file: str) -> tuple[Finding, ...]:
    """Tell how many cells of the release are gone, questions aside."""
    released = [cell for cell in found.cells if cell.question is None]
    lacking = sum(_find(cell, cells) is None for cell in released)
    keeps_ids = any(cell.id in own.ids for cell in released for own in cells)
    # Without ids, a cell that was edited cannot be told from one that is gone.
    if lacking == 0 or (not keeps_ids and 2 * lacking < len(released)):
        return ()
    text = f"{file} lacks {lacking} of the {len(found.cells)} released cells."
    return (Finding("note", f"{text} If you did not delete them, part of the notebook is lost."),)


def _is_text_of_the_student(found: Handout, cell: _NotebookCell) -> bool:
    if cell.kind != "markdown" or not cell.source.strip():
        return False
    if not found.cells:
        return PLACEHOLDER not in cell.source
    released = {known.digest for known in found.cells}
    questions = {known.question.digest for known in found.cells if known.question is not None}
    return cell.digest not in released and cell.answer not in questions


def _digest(source: str) -> str:
    return hashlib.sha256(" ".join(source.split()).encode()).hexdigest()


def _defined_names(source: str) -> Iterator[str]:
    """Yield the names that a code cell defines or imports at its top level."""
    try:
        tree = ast.parse(_COMMAND.sub(r"\1pass", source))
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (
                inner.id for target in targets for inner in ast.walk(target) if isinstance(inner, ast.Name)
            )
