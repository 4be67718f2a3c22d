"""Write every view of a graded class: gradebooks, feedback, the report on the class."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.assignment import Assignment
from autograder.course import Course
from autograder.files import write_private
from autograder.records import Move, Record
from autograder.reports import class_report, feedback, gradebook
from autograder.storage import GradedFolder


def write_feedback(course: Course, assignment: Assignment, folder: GradedFolder, record: Record) -> None:
    """Write what one student may read, as a page and as Markdown."""
    names = {"title": assignment.title, "course": course.name}
    write_private(folder.feedback_file(record.student), feedback.render(record, **names))
    write_private(folder.feedback_file(record.student, "md"), feedback.render_markdown(record, **names))


def write_class(
    course: Course,
    assignment: Assignment,
    folder: GradedFolder,
    *,
    notes: Sequence[str] = (),
    moves: Sequence[Move] = (),
) -> list[Record]:
    """Write the views of the class as a whole, and return its records.

    Parameters
    ----------
    notes : sequence of str
        What intake said about the class.
    moves : sequence of Move
        What results that wait to be accepted would change.
    """
    records = folder.records()
    write_private(folder.gradebook, gradebook.render(records))
    if records:
        names = {"title": assignment.title, "course": course.name}
        write_private(folder.class_report, class_report.render(records, notes=notes, moves=moves, **names))
    return records


def write_all(course: Course, assignment: Assignment, folder: GradedFolder) -> list[Record]:
    """Write everything that can be made from results and overrides; return the records."""
    records = write_class(course, assignment, folder)
    for record in records:
        write_feedback(course, assignment, folder, record)
    return records
