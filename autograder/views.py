"""Write every view of a graded class: gradebooks, feedback, the report on the class."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.assignment import Assignment
from autograder.course import Course
from autograder.files import private_folder, write_private
from autograder.intake.roster import Roster
from autograder.records import Move, Record
from autograder.reports import anonymous, canvas, class_report, feedback, gradebook
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
    roster: Roster | None = None,
    notes: Sequence[str] = (),
    moves: Sequence[Move] = (),
) -> list[Record]:
    """Write the views of the class as a whole, and return its records.

    Parameters
    ----------
    roster : Roster, optional
        Who is in the class; if it is Canvas' export, there is a file for Canvas to import, too.
    notes : sequence of str
        What intake said about the class.
    moves : sequence of Move
        What results that wait to be accepted would change.
    """
    records = folder.records()
    _write_class(course, assignment, folder, records, notes, moves)
    if roster is not None and roster.is_canvas:
        text = canvas.render(
            records,
            columns=roster.columns,
            rows={person.student: person.row for person in roster.people},
            points_possible=roster.points_possible,
            names=(assignment.title, assignment.name),
        )
        write_private(folder.canvas, text)
    return records


def write_anonymous(course: Course, assignment: Assignment, folder: GradedFolder) -> GradedFolder:
    """Write report and gradebook of the class under pseudonyms into a folder of their own; return it."""
    hidden = GradedFolder(private_folder(folder.root / "anonymous"))
    _write_class(course, assignment, hidden, anonymous.anonymized(folder.records(), course.secret()))
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
    write_private(folder.gradebook, gradebook.render(records))
    if records:
        write_private(folder.class_report, class_report.render(records, notes=notes, moves=moves, **names))


def write_all(
    course: Course, assignment: Assignment, folder: GradedFolder, roster: Roster | None = None
) -> list[Record]:
    """Write everything that can be made from results and overrides; return the records."""
    records = write_class(course, assignment, folder, roster=roster)
    for record in records:
        write_feedback(course, assignment, folder, record)
    return records
