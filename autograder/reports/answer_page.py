"""The page for reading and scoring the answers to one question: one HTML file, used by keyboard."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from markupsafe import Markup

from autograder.graded.records import WrittenAnswer
from autograder.reports.feedback import environment
from autograder.reports.markup import render_markdown
from autograder.reports.written_answers import absence
from helpers.wording import number

NO_ANSWER = "-"
"""What the table of scores says where there was no answer to score."""
DIGITS = 16
"""Of the SHA-256 of an answer, in the table of scores: enough to see whether it is the one that was read."""


@dataclass(frozen=True)
class Asked:
    """The question of a page.

    Attributes
    ----------
    id, title : str
        Of the question.
    points : float
        What a full answer is worth.
    text, reference : str
        What students read, and the answer in the course's own notebook; Markdown.
    rubric : tuple of str
        What graders look for; Markdown.
    """

    id: str
    title: str
    points: float
    text: str
    reference: str
    rubric: tuple[str, ...]


@dataclass(frozen=True)
class AnswerEntry:
    """One answer on a page.

    Attributes
    ----------
    student : str
        What the table of scores calls the student: by name, or by a pseudonym.
    key : str
        The pseudonym, under which the browser keeps what is not downloaded yet.
    written : WrittenAnswer
        The answer, and the points that it has already.
    """

    student: str
    key: str
    written: WrittenAnswer


@dataclass(frozen=True)
class Card:
    """An entry as the page shows it."""

    entry: AnswerEntry
    answer: Markup
    absent: str
    digest: str
    points: str
    comment: str
    scored: str


def render(asked: Asked, entries: Sequence[AnswerEntry], *, title: str, course: str, folder: str) -> str:
    """Return the page of a question.

    Parameters
    ----------
    entries : sequence of AnswerEntry
        In the order in which they are read; those without an answer come last.
    title, course : str
        Names of the assignment and of the course.
    folder : str
        Of the graded class, for the command that imports the scores.
    """
    cards = [_card(entry) for entry in entries]
    key = hashlib.sha256(f"{course}\0{title}\0{asked.id}\0{folder}".encode()).hexdigest()[:DIGITS]
    script = _script()
    return (
        environment()
        .get_template("answer_page.html.j2")
        .render(
            asked=asked,
            text=render_markdown(asked.text),
            reference=render_markdown(asked.reference),
            rubric=[render_markdown(item) for item in asked.rubric],
            points=number(asked.points),
            answered=[card for card in cards if not card.absent],
            absent=[card for card in cards if card.absent],
            count=len(cards),
            title=title,
            course=course,
            folder=shlex.quote(folder),
            key=key,
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )


def label(digest: str) -> str:
    """Return what the table of scores says of the answer that was read."""
    return digest[:DIGITS] if digest else NO_ANSWER


def _card(entry: AnswerEntry) -> Card:
    answer, mark = entry.written.answer, entry.written.mark
    counts = mark is not None and not entry.written.has_changed
    return Card(
        entry=entry,
        answer=render_markdown(answer.text, answer.images),
        absent=absence(answer),
        digest=label(answer.digest),
        points=number(mark.points) if mark is not None and counts else "",
        comment=mark.comment if mark is not None else "",
        scored=_describe_mark(entry.written),
    )


def _describe_mark(written: WrittenAnswer) -> str:
    """Say who scored an answer, and when; nothing if nobody did."""
    mark = written.mark
    if mark is None:
        return ""
    given = f"{number(mark.points)} points by {mark.by} on {mark.at.date().isoformat()}"
    return f"The answer changed since it was scored: {given}." if written.has_changed else f"{given}."


@cache
def _script() -> str:
    path = resources.files("autograder.reports") / "templates" / "answer_page.js"
    return path.read_text(encoding="utf-8")
