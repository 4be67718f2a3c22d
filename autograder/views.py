"""Write every view of a graded class: gradebooks, feedback, the report on the class."""

from __future__ import annotations

from autograder.assignment import Assignment
from autograder.course import Course
from autograder.files import write_private
from autograder.records import Record
from autograder.reports import feedback, gradebook
from autograder.storage import GradedFolder


def write_feedback(course: Course, assignment: Assignment, folder: GradedFolder, record: Record) -> None:
    """Write what one student may read, as a page and as Markdown."""
    names = {"title": assignment.title, "course": course.name}
    write_private(folder.feedback_file(record.student), feedback.render(record, **names))
    write_private(folder.feedback_file(record.student, "md"), feedback.render_markdown(record, **names))


def write_class(folder: GradedFolder, records: list[Record]) -> None:
    """Write the views of the class as a whole."""
    write_private(folder.gradebook, gradebook.render(records))


def write_all(course: Course, assignment: Assignment, folder: GradedFolder) -> list[Record]:
    """Write everything that can be made from results and overrides; return the records."""
    records = folder.records()
    for record in records:
        write_feedback(course, assignment, folder, record)
    write_class(folder, records)
    return records
