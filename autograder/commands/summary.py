"""What the command line says about a graded class: the table, where its files are, what Canvas will get."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from autograder.commands import terminal
from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.exporters import canvas
from autograder.graded.folder import GradedFolder
from autograder.graded.records import Record
from autograder.intake.roster import Roster
from autograder.reports import standing, table


def show(
    course: Course,
    assignment: Assignment,
    folder: GradedFolder,
    records: Sequence[Record],
    people: Roster | None,
) -> None:
    """Print the table of a graded class and where its files are, and say what Canvas will get."""
    files = {
        "Report": folder.class_report,
        "Gradebook": folder.gradebook,
        "Feedback": folder.feedback_file("STUDENT"),
        "Results": folder.result_file("STUDENT"),
    }
    lines = [f"{what:11}{path}" for what, path in files.items()]
    strangers: Sequence[str] = ()
    if people is not None and people.is_canvas:
        file = canvas.export(course, assignment, records, people)
        lines += [f"{'Canvas':11}{folder.canvas}", f"{'':11}{canvas.summary(file)}"]
        strangers = file.strangers
    if any(map(standing.waits_for_scores, records)):
        lines.append(f"{'Answers':11}autograder answers {folder.root}")
    terminal.show(table.ClassTable(records))
    terminal.show(Text("\n" + "\n".join(lines)))
    if strangers:
        terminal.warn(f"not in Canvas' export, so not in canvas.csv: {'; '.join(strangers)}")
    warn_about_canvas(folder, people)


def column_note(course: Course, assignment: Assignment, people: Roster | None) -> str:
    """Say if Canvas does not know the assignment by its name; raises ConfigError if it knows several."""
    if people is None or not people.is_canvas:
        return ""
    return canvas.column_note(course, assignment, people)


def warn_about_canvas(folder: GradedFolder, people: Roster | None) -> None:
    """Warn if the file for Canvas was not written again, for want of Canvas' export."""
    if folder.canvas.exists() and (people is None or not people.is_canvas):
        terminal.warn(
            f"{folder.canvas} is older than these points; write it again with --roster and Canvas' export"
        )
