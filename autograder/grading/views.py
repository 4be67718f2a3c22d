"""Write every view of a graded class: gradebooks, feedback, the report on the class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.exporters import grades, uploads
from autograder.files import private_folder, write_private
from autograder.graded import standing
from autograder.graded.answers import Questionnaire
from autograder.graded.folder import GradedFolder
from autograder.graded.records import Move, Record
from autograder.grading import regrade
from autograder.intake.roster import Roster
from autograder.reports import anonymous, answer_page, class_report, feedback
from autograder.reports.answer_page import AnswerEntry, Asked


def write_feedback(course: Course, assignment: Assignment, folder: GradedFolder, record: Record) -> None:
    """Write what one student may read, as a page and as Markdown, unless it is there already."""
    names = {"title": assignment.title, "course": course.name}
    for form, render in (("html", feedback.render), ("md", feedback.render_markdown)):
        path, text = folder.feedback_file(record.student, form), render(record, **names)
        if not path.is_file() or path.read_bytes() != text.encode():
            write_private(path, text)


def write_class(
    course: Course,
    assignment: Assignment,
    folder: GradedFolder,
    *,
    roster: Roster | None = None,
    missing_as_zero: bool = False,
    notes: Sequence[str] | None = None,
) -> list[Record]:
    """Write the views of the class, and what of the feedback is not up to date; return the records.

    Parameters
    ----------
    roster : Roster, optional
        Who is in the class and who is excused; if a platform imports what it exports, there is a file for it.
    missing_as_zero : bool
        Whether students who handed in nothing have 0 points, rather than none.
    notes : sequence of str, optional
        What intake said about the class; by default what it said when the class was graded.
    """
    if notes is not None:
        folder.keep_notes(notes)
    moves = regrade.pending_moves(folder)
    records = class_records(course, assignment, folder, roster, missing_as_zero=missing_as_zero)
    _write_class(course, assignment, folder, records, folder.notes(), moves)
    for record in records:
        write_feedback(course, assignment, folder, record)
    book = uploads.gradebook_of(roster)
    if roster is not None and book is not None:
        text = uploads.export(course, assignment, records, roster).text
        write_private(folder.root / book.FILE, text)
    return records


def class_records(
    course: Course,
    assignment: Assignment,
    folder: GradedFolder,
    roster: Roster | None,
    *,
    missing_as_zero: bool = False,
) -> list[Record]:
    """Read the records of a class, with what the roster says about this assignment."""
    excused = uploads.find_excused(course, assignment, roster)
    return [
        replace(record, excused=record.student in excused, missing_as_zero=missing_as_zero)
        for record in folder.records()
    ]


def write_questions(
    course: Course,
    assignment: Assignment,
    folder: GradedFolder,
    records: Sequence[Record],
    asked: Questionnaire,
    *,
    named: bool,
) -> list[Path]:
    """Write a page per question, on which its answers are read and scored; return their paths.

    Parameters
    ----------
    records : sequence of Record
        Of the class; students without points, who handed in nothing, are not on the pages.
    asked : Questionnaire
        What the assignment's notebook asks.
    named : bool
        Whether students have their names there; otherwise they have pseudonyms, and stand in order of these.
    """
    key = course.secret()
    private_folder(folder.root / "questions")
    pages = []
    for question in assignment.questions:
        prompt = asked.prompt(question.id)
        page = answer_page.render(
            Asked(
                id=question.id,
                title=question.title,
                points=float(question.points),
                text=prompt.text if prompt is not None else "",
                reference=prompt.reference if prompt is not None else "",
                rubric=question.rubric,
            ),
            _entries(records, question.id, key, named=named),
            title=assignment.title,
            course=course.name,
            folder=str(folder.root),
        )
        pages.append(folder.question_page(question.id))
        write_private(pages[-1], page)
    return pages


def _entries(records: Sequence[Record], question: str, key: bytes, *, named: bool) -> list[AnswerEntry]:
    entries = []
    for record in filter(standing.has_points, records):
        hidden = anonymous.pseudonym(key, record.student)
        shown = record.student if named else hidden
        entries += [
            AnswerEntry(shown, hidden, one) for one in record.written if one.answer.question == question
        ]
    return sorted(entries, key=lambda entry: entry.student)


def write_anonymous(
    course: Course,
    assignment: Assignment,
    folder: GradedFolder,
    roster: Roster | None = None,
    *,
    missing_as_zero: bool = False,
) -> GradedFolder:
    """Write report and gradebook of the class under pseudonyms into a folder of their own; return it."""
    hidden = GradedFolder(private_folder(folder.root / "anonymous"))
    records = class_records(course, assignment, folder, roster, missing_as_zero=missing_as_zero)
    _write_class(course, assignment, hidden, anonymous.anonymize(records, course.secret()))
    return hidden


def _write_class(
    course: Course,
    assignment: Assignment,
    folder: GradedFolder,
    records: list[Record],
    notes: Sequence[str] = (),
    moves: Sequence[Move] = (),
) -> None:
    names = {"title": assignment.title, "course": course.name}
    write_private(folder.gradebook, grades.render(records))
    if records:
        write_private(folder.class_report, class_report.render(records, notes=notes, moves=moves, **names))
