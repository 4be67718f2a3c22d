"""An assignment and Canvas' gradebook: which column is whose, who is excused, what is to be imported."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.course import COURSE_FILE, Course
from autograder.course.assignment import Assignment
from autograder.errors import ConfigError
from autograder.exporters import canvas_table
from autograder.exporters.canvas_table import CanvasFile
from autograder.graded.records import Record
from autograder.intake.roster import Roster
from autograder.reports import standing
from autograder.reports.untrusted import line

_SHOWN = 10


def names(course: Course, assignment: Assignment) -> tuple[str, ...]:
    """Return what Canvas may call an assignment, or its number there, the surest first."""
    own = course.canvas.get(assignment.name, "")
    return tuple(name for name in (own, assignment.title, assignment.name) if name)


def excused(course: Course, assignment: Assignment, roster: Roster | None) -> frozenset[str]:
    """Return the students whose cell in the assignment's column says that they need not hand in."""
    if roster is None:
        return frozenset()
    column = canvas_table.find_column(roster.columns, names(course, assignment), numbered=roster.is_canvas)
    if column is None:
        return frozenset()
    return frozenset(one.student for one in roster.people if canvas_table.is_excused(one.row[column]))


def export(course: Course, assignment: Assignment, records: Sequence[Record], roster: Roster) -> CanvasFile:
    """Return what Canvas is to import, for the rows of its export."""
    return canvas_table.render(
        records,
        columns=roster.columns,
        rows={person.student: person.row for person in roster.people},
        points_possible=roster.points_possible,
        names=names(course, assignment),
        separator=roster.separator,
    )


def column_note(course: Course, assignment: Assignment, roster: Roster) -> str:
    """Say if Canvas would add an assignment, because its export has none of this name; else nothing.

    Raises
    ------
    ConfigError
        The export has several columns of the name.
    """
    unknown = sorted(course.canvas.keys() - set(course.assignments()))
    if unknown:
        remedy = f"write one of: {', '.join(course.assignments())}"
        raise ConfigError(
            str(course.root / COURSE_FILE), f"`canvas.{unknown[0]}` is not an assignment", remedy
        )
    known = names(course, assignment)
    place = course.root / COURSE_FILE
    found = canvas_table.find_columns(roster.columns, known)
    if len(found) > 1:
        listed = "; ".join(map(line, found))
        remedy = f"write the number of the right one into {place}: {_entry(assignment, found)}"
        raise ConfigError(str(roster.path), f"has several columns of {known[0]!r}: {listed}", remedy)
    if found:
        return ""
    wanted = " or ".join(f"`{name} (number)`" for name in known)
    others = [line(column) for column in roster.columns if canvas_table.number(column)]
    more = f"; and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    listed = f" (it has {'; '.join(others[:_SHOWN])}{more})" if others else ""
    return (
        f"{roster.path.name} has no column {wanted}{listed}, so importing canvas.csv adds an assignment, and "
        f"nobody is known to be excused; if Canvas has it under another name, write its number into {place}: "
        f"{_entry(assignment, others)}"
    )


def _entry(assignment: Assignment, columns: Sequence[str]) -> str:
    """Return what to write, with the number of the first column as an example."""
    number = canvas_table.number(columns[0]) if columns else "12345"
    return f"[canvas] {assignment.name} = {number}"


def summary(file: CanvasFile) -> str:
    """Say who gets points and who is left as they are.

    An example of what it says: ``"points for 23; 3 left as they are: 1 excused, 2 without a submission"``.
    """
    left = f"; {len(file.left)} left as they are: {standing.counts(file.left)}" if file.left else ""
    code = ", of the code alone until all written answers are scored" if file.is_code_only else ""
    return f"points for {file.points}{code}{left}"
