"""Written answers on the feedback page: the answers, the points that people gave, and the sums."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from autograder.graded.answers import Answer
from autograder.graded.records import Record, WrittenAnswer
from autograder.reports import wording
from autograder.reports.markup import render_markdown
from helpers.wording import number


@dataclass(frozen=True)
class Written:
    """One answer as its student reads it.

    Attributes
    ----------
    title, max_points : str
        Of the question.
    points : str
        What a person gave, or that nobody did yet.
    extra, scored, changed : bool
        Whether the points come on top; whether there are any; whether the answer was another one then.
    by, comment : str
        Who scored it, and what that person said.
    absent : str
        Why there is no answer; empty if there is one.
    note : str
        Where the answer was found.
    answer : Markup
        What was answered, without pictures.
    """

    title: str
    points: str
    max_points: str
    extra: bool
    scored: bool
    changed: bool
    by: str
    comment: str
    absent: str
    note: str
    answer: Markup


def sections(record: Record) -> tuple[Written, ...]:
    """Return the written answers of a student, in the order of the notebook."""
    return tuple(_section(one) for one in record.written)


def sums(record: Record) -> tuple[str, ...]:
    """Say in sentences what code, written answers and both together earned; nothing without questions."""
    if not record.written:
        return ()
    points = number
    code = f"Code: {points(record.score)} of {points(record.result.max_score)} points."
    if record.written_score is None or record.total is None:
        return code, f"Written answers, worth {points(record.max_written)} points: {wording.NOT_SCORED}."
    written = f"Written answers: {points(record.written_score)} of {points(record.max_written)} points."
    return code, written, f"Together: {points(record.total)} of {points(record.max_total)} points."


def absence(answer: Answer) -> str:
    """Say why there is no answer; empty if there is one."""
    if answer.status == "answered":
        return ""
    found = "Not answered." if answer.status == "unanswered" else "No answer found."
    return f"{found} {answer.note}".strip()


def _section(one: WrittenAnswer) -> Written:
    answer, mark = one.answer, one.mark
    absent = absence(answer)
    return Written(
        title=answer.title,
        points=wording.NOT_SCORED if mark is None else number(mark.points),
        max_points=number(answer.max_points),
        extra=answer.extra,
        scored=mark is not None,
        changed=one.has_changed,
        by="" if mark is None else mark.by,
        comment="" if mark is None else mark.comment,
        absent=absent,
        note="" if absent else answer.note,
        answer=render_markdown(answer.text),
    )
