"""Find students' answers in submitted notebooks, even damaged ones."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from autograder.course.assignment import Assignment, Question
from autograder.graded.answers import ANSWER, Answer, AnswerSheet, Prompt, Questionnaire
from autograder.intake.notebooks import saved_cells
from autograder.intake.notebooks.album import Album
from autograder.intake.notebooks.saved_cells import SavedCell, SavedNotebook
from autograder.intake.submission import Submission

MAX_TEXT = 100_000
MAX_OUTPUT = 5_000
MAX_ADDED = 50
LOST = "The notebook was damaged, and the question's cell is lost."
_ALIKE = 0.8
"""Part of the words of a question that a cell must hold to be taken for it."""
_FEW_WORDS = 5
_WORD = re.compile(r"\w{3,}")
_OWN_ID = re.compile(r"[0-9a-f]{16}")
"""What ids of released cells look like, and no program's own: cells of earlier releases have such, too."""


def answer_sheet(assignment: Assignment, submission: Submission, asked: Questionnaire) -> AnswerSheet:
    """Return what a student answered to the questions of an assignment.

    Of several submissions it is the latest one with a notebook. A question is found by the ``grade_id`` of
    its cell, else by the cell's id, else by its words; where its cell is gone, by the cells around it. Cells
    that were added below it belong to the answer.

    Parameters
    ----------
    asked : Questionnaire
        What the released notebook asks.
    """
    attempts = (submission, *reversed(submission.earlier))
    notebook = next((one.notebook for one in attempts if one.notebook is not None), None)
    document = saved_cells.read(notebook) if notebook is not None else None
    return AnswerSheet(
        assignment=assignment.name,
        student=submission.student,
        notebook=None if notebook is None else hashlib.sha256(notebook).hexdigest(),
        answers=[_answer(question, document, asked) for question in assignment.questions],
    )


@dataclass(frozen=True)
class _Place:
    """Where an answer may stand.

    Attributes
    ----------
    own : tuple of SavedCell
        The question's cells; more than one where it was copied.
    added : tuple of SavedCell
        Cells of the student's own below.
    note : str
        How they were found, if not by the question's id.
    """

    own: tuple[SavedCell, ...]
    added: tuple[SavedCell, ...]
    note: str = ""


def _answer(question: Question, document: SavedNotebook | None, asked: Questionnaire) -> Answer:
    missing = Answer(
        question=question.id,
        title=question.title,
        max_points=float(round(question.points, 4)),
        extra=question.extra,
        status="not_found",
        note="No notebook was handed in.",
    )
    if document is None:
        return missing
    prompt = asked.prompt(question.id) or Prompt(question.id, "", "", "")
    place = _place(document.cells, prompt, asked)
    if place is None:
        lost = any(cell.is_lost for cell in document.cells)
        note = LOST if lost else "The question's cell is not in the notebook."
        return missing.model_copy(update={"note": document.problem or note})
    album = Album()
    text, note = _written_text(place, prompt, album)
    more = f"Only the first {MAX_TEXT:,} characters were kept." if len(text) > MAX_TEXT else ""
    return Answer(
        **missing.model_dump(include={"question", "title", "max_points", "extra"}),
        status="answered" if text else "unanswered",
        text=text[:MAX_TEXT],
        images=album.pictures,
        note=_sentences(note, more, *album.notes, document.problem),
    )


def _sentences(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _place(found: Sequence[SavedCell], prompt: Prompt, asked: Questionnaire) -> _Place | None:
    """Return where the answer to a question may stand, or None if there is no such place."""
    found = [cell for cell in found if not cell.is_lost]
    by_id = [n for n, cell in enumerate(found) if cell.grade_id == prompt.question]
    by_id = by_id or [n for n, cell in enumerate(found) if prompt.cell in cell.ids]
    by_text = [] if by_id else _similar_cells(found, prompt)
    numbers = by_id or by_text
    if not numbers:
        return _gap(found, prompt, asked)
    known = _Released(asked)
    added = _added_cells(found[numbers[-1] + 1 :], known)
    note = "Found by the words of the question, whose cell has lost its id." if by_text else ""
    return _Place(tuple(found[n] for n in numbers), added, note)


def _gap(found: Sequence[SavedCell], prompt: Prompt, asked: Questionnaire) -> _Place | None:
    """Return the cells that stand where the question's cell was."""
    order = list(asked.cells)
    if prompt.cell not in order:
        return None
    known = _Released(asked)
    before = set(order[: order.index(prompt.cell)])
    numbers = [n for n, cell in enumerate(found) if known.id(cell) in before]
    added = _added_cells(found[numbers[-1] + 1 :], known) if numbers else ()
    if not added:
        return None
    return _Place((), added, "The question's cell is gone; this stands in its place.")


class _Released:
    """Tells released cells from those that students added, by id or else by content."""

    def __init__(self, asked: Questionnaire) -> None:
        self._ids = asked.cells
        self._texts = {_squeeze(text): id for id, text in asked.cells.items()}

    def id(self, cell: SavedCell) -> str | None:
        """Return the id of a released cell, or None if it is none."""
        own = next((id for id in cell.ids if id in self._ids), None)
        earlier = next((id for id in cell.ids if _OWN_ID.fullmatch(id)), None)
        return own or self._texts.get(_squeeze(cell.source)) or earlier


def _added_cells(following: Sequence[SavedCell], known: _Released) -> tuple[SavedCell, ...]:
    """Return the cells up to the next released one that hold something."""
    own = takewhile(lambda cell: known.id(cell) is None and not cell.grade_id, following[:MAX_ADDED])
    return tuple(cell for cell in own if cell.source.strip())


def _similar_cells(found: Sequence[SavedCell], prompt: Prompt) -> list[int]:
    """Return the cell that holds most words of a question, if one holds enough of them."""
    words = set(_WORD.findall(prompt.text.casefold()))
    if len(words) < _FEW_WORDS:
        return []
    shares = [
        len(words & set(_WORD.findall(cell.source[:MAX_TEXT].casefold()))) / len(words) for cell in found
    ]
    best = max(range(len(shares)), key=shares.__getitem__, default=None)
    return [best] if best is not None and shares[best] >= _ALIKE else []


def _written_text(place: _Place, prompt: Prompt, album: Album) -> tuple[str, str]:
    """Return what a student wrote, as Markdown, and a note about it."""
    own = [_own_text(cell, prompt, album) for cell in place.own]
    added = [_foreign(cell, album) for cell in place.added]
    parts = [part for part in (*dict.fromkeys(own), *added) if part.strip()]
    below = f"Cells added below the question: {len(added)}." if place.own and added else ""
    return "\n\n".join(parts).strip(), _sentences(place.note, below)


def _own_text(cell: SavedCell, prompt: Prompt, album: Album) -> str:
    """Return what was written into the question's cell; nothing if it is as released."""
    if cell.is_untouched:
        return ""
    asked = [line.rstrip() for line in prompt.text.split("\n")]
    if cell.kind == "code":
        same = _squeeze(cell.source) == _squeeze(prompt.text)
        return "" if same else _foreign(cell, album)
    text = album.markdown(cell).replace(ANSWER, "")
    lines = [line.rstrip() for line in text.split("\n")]
    questions = set(filter(None, asked))
    if all(line in questions for line in lines if line):
        return ""
    start = _common(lines, asked)
    end = len(lines) - _common(reversed(lines[start:]), reversed(asked[start:]))
    own = lines[start:end]
    # Between the items of a question an answer reads best with these around it.
    return "\n".join(lines if questions.intersection(own) else own).strip("\n")


def _common(lines: Iterable[str], others: Iterable[str]) -> int:
    """Return how many lines two texts share at their beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(lines, others, strict=False)))


def _foreign(cell: SavedCell, album: Album) -> str:
    """Return a whole cell as Markdown: its text, or its code and what that showed."""
    if cell.kind != "code":
        return album.markdown(cell).replace(ANSWER, "").strip("\n")
    parts = [_fence(cell.source, "python")]
    for output in cell.outputs:
        encoded = next((data for kind, data in output.items() if kind.startswith("image/")), "")
        text = output.get("text/plain", "").strip()
        if encoded:
            parts.append(album.picture_markdown(encoded))
        elif text:
            parts.append(_fence(text[:MAX_OUTPUT], "text"))
    return "\n\n".join(parts)


def _fence(text: str, language: str) -> str:
    """Return text in a fence that it cannot end."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _squeeze(text: str) -> str:
    return " ".join(text.replace(ANSWER, " ").split())
