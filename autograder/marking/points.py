"""Store the points that people give for written answers: all of a table, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from autograder.errors import ConfigError
from autograder.graded.answers import Answer, Mark
from autograder.graded.folder import GradedFolder
from autograder.marking.score_table import ScoreRow
from autograder.reports.anonymous import pseudonym
from autograder.reports.answer_page import NO_ANSWER, label
from autograder.untrusted import line
from helpers.wording import number

MAX_COMMENT = 10_000


@dataclass(frozen=True)
class Marking:
    """What a table of scores comes to.

    Attributes
    ----------
    marks : dict of str to tuple of Mark
        All marks of each student who gets a new one, the old ones first.
    fresh, replaced, same : int
        How many answers had no score before, another one, or this one already.
    outdated : tuple of str
        Students whose answer is no longer the one that was read.
    """

    marks: Mapping[str, tuple[Mark, ...]]
    fresh: int
    replaced: int
    same: int
    outdated: tuple[str, ...]


def check(rows: Sequence[ScoreRow], folder: GradedFolder, *, key: bytes, by: str, at: datetime) -> Marking:
    """Turn a table of scores into marks, if every row of it fits; nothing is written.

    Parameters
    ----------
    key : bytes
        The course's secret, by which pseudonyms are known.
    by : str
        Who scored where a row does not say.
    at : datetime
        When.

    Raises
    ------
    ConfigError
        A student or question is unknown, points are above the maximum, an answer is scored twice, nobody is
        said to have scored, or a file of the folder is damaged.
    """
    students = folder.results().keys()
    known = {pseudonym(key, student): student for student in students} | {name: name for name in students}
    marks: dict[str, tuple[Mark, ...]] = {}
    seen: dict[tuple[str, str], str] = {}
    counts = {"fresh": 0, "replaced": 0, "same": 0}
    outdated = []
    for row in rows:
        student = known.get(row.student)
        if student is None:
            remedy = "write the name as in grades.csv, or the pseudonym of the page"
            raise ConfigError(row.where, f"there is no student {line(row.student)[:60]!r}", remedy)
        answer = _answer(row, student, folder)
        if (before := seen.setdefault((student, answer.question), row.where)) != row.where:
            found = f"{student} has a score for {answer.question!r} already, in {before.rpartition(', ')[2]}"
            raise ConfigError(row.where, found, "leave one of them")
        old = marks.get(student, folder.marks(student))
        mark = _mark(row, answer, by, at)
        last = next((one for one in reversed(old) if one.question == answer.question), None)
        if last is not None and last.model_copy(update={"at": at}) == mark:
            counts["same"] += 1
            continue
        counts["fresh" if last is None else "replaced"] += 1
        marks[student] = (*old, mark)
        if mark.answer != answer.digest:
            outdated.append(student)
    return Marking(marks, **counts, outdated=tuple(outdated))


def _answer(row: ScoreRow, student: str, folder: GradedFolder) -> Answer:
    """Return the answer that a row scores."""
    sheet = folder.answer_sheet(student)
    answers = {answer.question: answer for answer in sheet.answers} if sheet is not None else {}
    if row.question not in answers:
        asked = (
            f"choose one of: {', '.join(answers)}"
            if answers
            else "grade the class again, to find its answers"
        )
        raise ConfigError(row.where, f"there is no question {line(row.question)[:60]!r}", asked)
    answer = answers[row.question]
    if row.points > answer.max_points:
        most = number(answer.max_points)
        found = f"{number(row.points)} points for {student}"
        raise ConfigError(row.where, found, f"{answer.question!r} is worth at most {most}")
    return answer


def _mark(row: ScoreRow, answer: Answer, by: str, at: datetime) -> Mark:
    grader = line(row.grader or by)
    if not grader:
        raise ConfigError(row.where, "does not say who scored", "fill the column grader, or give --by")
    if len(row.comment) > MAX_COMMENT:
        raise ConfigError(row.where, f"the comment is longer than {MAX_COMMENT:,} characters", "shorten it")
    read = {"": answer.digest, label(answer.digest): answer.digest, NO_ANSWER: ""}
    return Mark(
        question=answer.question,
        points=row.points,
        comment=row.comment,
        by=grader,
        at=at,
        answer=read.get(row.answer, row.answer),
    )


def keep(marking: Marking, folder: GradedFolder) -> Iterable[str]:
    """Write the marks; return the students who have new ones. Call it while writing is reserved."""
    for student, marks in marking.marks.items():
        folder.keep_marks(student, marks)
    return marking.marks.keys()
