"""The summary of a graded class: its table, its files, and what its platform will get."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from autograder import platforms
from autograder.commands import terminal
from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.exporters import uploads
from autograder.graded import standing
from autograder.graded.folder import GradedFolder
from autograder.graded.records import Record
from autograder.intake.roster import Roster
from autograder.reports import table


def show(
    course: Course,
    assignment: Assignment,
    folder: GradedFolder,
    records: Sequence[Record],
    people: Roster | None,
) -> None:
    """Print the table of a graded class and where its files are, and say what its platform will get."""
    files = {
        "Report": folder.class_report,
        "Gradebook": folder.gradebook,
        "Feedback": folder.feedback_file("STUDENT"),
        "Results": folder.result_file("STUDENT"),
    }
    lines = [f"{what:11}{path}" for what, path in files.items()]
    strangers: Sequence[str] = ()
    book = uploads.gradebook_of(people)
    if people is not None and book is not None:
        file = uploads.export(course, assignment, records, people)
        lines += [f"{people.platform:11}{folder.root / book.FILE}", f"{'':11}{uploads.summary(file)}"]
        strangers = file.strangers
    if any(map(standing.waits_for_scores, records)):
        lines.append(f"{'Answers':11}autograder answers {folder.root}")
    terminal.show(table.ClassTable(records))
    terminal.show(Text("\n" + "\n".join(lines)))
    if people is not None and book is not None and strangers:
        whose = platforms.find_platform(people.platform).possessive
        terminal.warn(f"not in {whose} export, so not in {book.FILE}: {'; '.join(strangers)}")
    warn_about_uploads(folder, people)


def warn_about_uploads(folder: GradedFolder, people: Roster | None) -> None:
    """Warn if the file for a platform was not written again, for want of the platform's export."""
    for name, book in platforms.gradebooks().items():
        file = folder.root / book.FILE
        if file.exists() and (people is None or people.platform != name):
            export = f"{platforms.find_platform(name).possessive} export"
            terminal.warn(f"{file} is older than these points; write it again with --roster and {export}")
