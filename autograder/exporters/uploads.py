"""An assignment in the gradebook of a platform: its column, who is excused, what is to be imported."""

from __future__ import annotations

from collections.abc import Sequence

from autograder import platforms
from autograder.course import COURSE_FILE, Course
from autograder.course.assignment import Assignment
from autograder.errors import ConfigError
from autograder.graded import standing
from autograder.graded.records import Record
from autograder.intake.roster import Roster
from autograder.platforms.interface import Gradebook, GradebookFile
from autograder.untrusted import line


def gradebook_of(roster: Roster | None) -> Gradebook | None:
    """Return what the platform that wrote a roster imports; None if it is nothing, or nobody's."""
    return platforms.find_platform(roster.platform).gradebook if roster is not None else None


def names(course: Course, assignment: Assignment) -> tuple[str, ...]:
    """Return what a platform may call an assignment, or its number there, the surest first."""
    own = course.gradebook_names.get(assignment.name, "")
    return tuple(name for name in (own, assignment.title, assignment.name) if name)


def find_excused(course: Course, assignment: Assignment, roster: Roster | None) -> frozenset[str]:
    """Return the students whose cell in the assignment's column says that they need not hand in.

    In a table that no platform wrote, they are excused as in Canvas.
    """
    if roster is None:
        return frozenset()
    own = gradebook_of(roster)
    book = own or platforms.USUAL_GRADEBOOK
    known = names(course, assignment)
    column = next(iter(book.find_columns(roster.columns, known, numbered=own is not None)), None)
    if column is None:
        return frozenset()
    return frozenset(one.student for one in roster.people if book.is_excused(one.row[column]))


def export(
    course: Course, assignment: Assignment, records: Sequence[Record], roster: Roster
) -> GradebookFile:
    """Return what the roster's platform is to import, for the rows of its export.

    Raises
    ------
    ValueError
        It imports nothing.
    """
    book = gradebook_of(roster)
    if book is None:
        raise ValueError(f"{roster.platform} has no gradebook")
    return book.render(
        records,
        columns=roster.columns,
        rows={person.student: person.row for person in roster.people},
        points_possible=roster.points_possible,
        names=names(course, assignment),
        separator=roster.separator,
    )


def column_note(course: Course, assignment: Assignment, roster: Roster | None) -> str:
    """Say if the platform does not know the assignment: its export has none of this name; else nothing.

    Raises
    ------
    ConfigError
        The export has several columns of the name.
    """
    book = gradebook_of(roster)
    if roster is None or book is None:
        return ""
    place = course.root / COURSE_FILE
    unknown = sorted(course.gradebook_names.keys() - set(course.assignments()))
    if unknown:
        remedy = f"write one of: {', '.join(course.assignments())}"
        raise ConfigError(str(place), f"`gradebook.{unknown[0]}` is not an assignment", remedy)
    known = names(course, assignment)
    found = book.find_columns(roster.columns, known)
    if len(found) > 1:
        listed = "; ".join(map(line, found))
        remedy = f"write the number of the right one into {place}: {book.setting(assignment.name, found)}"
        raise ConfigError(str(roster.path), f"has several columns of {known[0]!r}: {listed}", remedy)
    if found:
        return ""
    setting = book.setting(assignment.name, roster.columns)
    return f"{book.missing(roster.path.name, roster.columns, known)} into {place}: {setting}"


def summary(file: GradebookFile) -> str:
    """Say who gets points and who is left as they are.

    An example of what it says: ``"points for 23; 3 left as they are: 1 excused, 2 without a submission"``.
    """
    left = f"; {len(file.left)} left as they are: {standing.count_standings(file.left)}" if file.left else ""
    code = ", of the code alone until all written answers are scored" if file.is_code_only else ""
    return f"points for {file.points}{code}{left}"
