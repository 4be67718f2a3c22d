"""nbgrader's ``gradebook.db``: points for code, beside those that people give in its formgrader.

They stand where nbgrader's own autograder would write them. So people can overrule them in the formgrader,
and what people gave or wrote there stays.
"""

from __future__ import annotations

import contextlib
import sqlite3
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from autograder.course import Course
from autograder.course.assignment import CELL_PREFIX, Assignment, Task
from autograder.errors import ConfigError
from autograder.exporters import task_points
from autograder.exporters.task_points import TaskPoints
from autograder.graded import standing
from autograder.graded.records import Record
from autograder.graded.results import write_exact
from autograder.graded.standing import Standing

_COUNTED: Final = (Standing.graded, Standing.not_run)
_SHOWN: Final = 5
"""How many names a message lists."""
_NOISE: Final = 5e-5
"""Less than the last decimal of points."""


@dataclass(frozen=True)
class Export:
    """What was written.

    Attributes
    ----------
    points, changed : int
        How many students have points there, and for how many of them something is new.
    left : tuple of Standing
        Of every student without final points, who is left as they are.
    overruled : tuple of str
        Students to whom somebody gave other points for code in the formgrader; those count there.
    ungraded : tuple of str
        Students who handed in there, and of whom there is no result.
    """

    points: int
    changed: int
    left: tuple[Standing, ...]
    overruled: tuple[str, ...]
    ungraded: tuple[str, ...]


def write(path: Path, course: Course, assignment: Assignment, records: Sequence[Record]) -> Export:
    """Write the points of each task, and what students may read about it: all of it, or nothing.

    Whoever handed in no notebook has no submission there, and gets one, so that the code counts.

    Parameters
    ----------
    path : Path
        The database, in which ``nbgrader generate_assignment`` has put a release of the assignment.

    Raises
    ------
    ConfigError
        nbgrader is not installed; the file is not its database, is in use, or is of another version, course
        or release; a student is not in it, or was graded with other tasks.
    """
    counted = [one for one in records if standing.standing_of(one) in _COUNTED]
    points = {one.student: task_points.read(one, course, assignment) for one in counted}
    changed, overruled = [], []
    with _open(path, assignment) as book:
        cells = _find_cells(book, path, assignment)
        _require_students(book, path, points)
        submitted = _find_submitted(book, assignment)
        for student, tasks in points.items():
            notebook = submitted.get(student) or _add_submission(book, assignment, student)
            is_new = [_put(notebook, cells[one.task], one) for one in tasks]
            if any(is_new):
                changed.append(student)
            if any(one.cell_id in cells.values() and one.manual_score is not None for one in notebook.grades):
                overruled.append(student)
        book.db.commit()
    return Export(
        points=len(points),
        changed=len(changed),
        left=tuple(standing.standing_of(one) for one in records if one.student not in points),
        overruled=tuple(overruled),
        ungraded=tuple(sorted(submitted.keys() - {one.student for one in records})),
    )


@contextlib.contextmanager
def _open(path: Path, assignment: Assignment) -> Iterator[Any]:
    """Open the database as nbgrader's own object; what is not committed in the end is undone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nbgrader imports modules that are on their way out
        try:
            from nbgrader.api import Gradebook
            from sqlalchemy import URL
            from sqlalchemy.exc import DBAPIError
        except ImportError:
            remedy = "run: pip install 'coursegrad[instructor]'"
            raise ConfigError("nbgrader", "is not installed for this Python", remedy) from None
    course_id = _find_course(path, assignment)  # nbgrader would make tables in any file, and add any course
    try:
        with Gradebook(URL.create("sqlite", database=str(path.absolute())), course_id) as book:
            yield book
    except DBAPIError as error:
        raise _refusal(path, error.orig) from None


def _find_course(path: Path, assignment: Assignment) -> str:
    """Return nbgrader's name of the course that the assignment is in, after checking the file."""
    if not path.is_file():
        remedy = f"run in nbgrader's course folder: nbgrader generate_assignment {assignment.name}"
        raise ConfigError(str(path), "there is no such file", remedy)
    try:
        address = f"{path.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as database:
            versions = [one for (one,) in database.execute("SELECT version_num FROM alembic_version")]
            is_known = versions == [_own_version()]
            query = "SELECT name, course_id FROM assignment"
            courses = dict(database.execute(query).fetchall()) if is_known else {}
    except sqlite3.Error as error:
        raise _refusal(path, error) from None
    if not is_known:
        remedy = "make a copy of it, then run: nbgrader db upgrade"
        raise ConfigError(str(path), "is of another version of nbgrader than the one here", remedy)
    if assignment.name not in courses:
        known = f"only {_listed(sorted(courses))}" if courses else "and no other one"
        found = f"holds no assignment {assignment.name!r}, {known}"
        remedy = f"name another database, or run: nbgrader generate_assignment {assignment.name}"
        raise ConfigError(str(path), found, remedy)
    return str(courses[assignment.name])


def _own_version() -> str | None:
    """Return the version of databases that the installed nbgrader makes."""
    from alembic.script import ScriptDirectory
    from nbgrader.dbutil import ALEMBIC_DIR

    return ScriptDirectory(ALEMBIC_DIR).get_current_head()


def _refusal(path: Path, error: BaseException | None) -> ConfigError:
    said = str(error)
    if "locked" in said:
        return ConfigError(str(path), "is in use by another program", "try again when that has finished")
    if isinstance(error, sqlite3.IntegrityError):
        return ConfigError(str(path), "was changed by another program meanwhile", "run the command again")
    if "readonly" in said or "unable to open" in said:
        return ConfigError(str(path), "cannot be written", "correct the permissions of file and folder")
    remedy = "expected the gradebook.db of nbgrader's course folder"
    return ConfigError(str(path), f"is not an nbgrader database ({said})", remedy)


def _find_cells(book: Any, path: Path, assignment: Assignment) -> dict[str, str]:
    """Return the database's id of the cell of each task, after comparing them with the assignment."""
    from nbgrader.api import MissingEntry

    try:
        there = {one.name: one for one in book.find_notebook(assignment.name, assignment.name).task_cells}
    except MissingEntry:
        there = {}
    own = {task.cell: task for task in assignment.tasks}
    found = next(_differences(own, {name: one.max_score for name, one in there.items()}), None)
    if found is not None:
        remedy = (
            f"copy dist/nbgrader/source/{assignment.name} of a new release into nbgrader's course, and run: "
            f"nbgrader generate_assignment {assignment.name}"
        )
        raise ConfigError(str(path), found, remedy)
    return {task.id: there[task.cell].id for task in assignment.tasks}


def _differences(own: Mapping[str, Task], there: Mapping[str, float]) -> Iterator[str]:
    """Yield what cells with points there say otherwise than the assignment does."""
    for name, task in own.items():
        if name not in there:
            yield f"has no cell {name!r} for the points of a task"
        elif abs(there[name] - float(task.cell_points)) > _NOISE:
            points = write_exact(float(task.cell_points))
            yield f"the cell {name!r} is worth {write_exact(there[name])} points there, not {points}"
    for name in there:
        if name.startswith(CELL_PREFIX) and name not in own:
            yield f"has a cell {name!r}, and the assignment has no such task"


def _require_students(book: Any, path: Path, students: Iterable[str]) -> None:
    there = {one.id for one in book.students}
    unknown = sorted(set(students) - there)
    if unknown:
        remedy = (
            "if the names are right, add each: nbgrader db student add NAME; "
            "otherwise grade with a roster that has nbgrader's names"
        )
        raise ConfigError(str(path), f"does not know {_listed(unknown)}", remedy)


def _find_submitted(book: Any, assignment: Assignment) -> dict[str, Any]:
    """Return the submitted notebook of each student."""
    found = book.notebook_submissions(assignment.name, assignment.name)
    return {one.assignment.student_id: one for one in found}


def _add_submission(book: Any, assignment: Assignment, student: str) -> Any:
    """Add a submission as nbgrader would, but without writing it yet; return its notebook."""
    from nbgrader.api import Comment, Grade, SubmittedAssignment, SubmittedNotebook

    whole = book.find_assignment(assignment.name)
    submitted = {
        one.name: SubmittedNotebook(
            notebook_id=one.id,
            grades=[Grade(cell_id=cell.id) for cell in (*one.grade_cells, *one.task_cells)],
            comments=[Comment(cell_id=cell.id) for cell in (*one.solution_cells, *one.task_cells)],
        )
        for one in whole.notebooks
    }
    book.db.add(
        SubmittedAssignment(assignment_id=whole.id, student_id=student, notebooks=list(submitted.values()))
    )
    return submitted[assignment.name]


def _put(notebook: Any, cell: str, task: TaskPoints) -> bool:
    """Write what a task earned into a submitted notebook; return whether anything of it is new.

    Where somebody gave other points, these go on to count, and the formgrader asks to look at them again.
    """
    (grade,) = (one for one in notebook.grades if one.cell_id == cell)
    (comment,) = (one for one in notebook.comments if one.cell_id == cell)
    is_same = grade.auto_score is not None and abs(grade.auto_score - task.points) < _NOISE
    if not is_same:
        grade.auto_score = task.points
    waits = grade.manual_score is not None and (grade.needs_manual_grade or not is_same)
    is_new = not is_same or comment.auto_comment != task.comment or grade.needs_manual_grade != waits
    grade.needs_manual_grade, comment.auto_comment = waits, task.comment
    return is_new


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
