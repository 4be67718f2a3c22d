"""Points for code in a database that nbgrader made, beside those that people give; or one clear line."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.errors import ConfigError
from autograder.exporters import gradebook_db
from autograder.exporters.gradebook_db import Export
from autograder.graded.records import Record
from autograder.graded.results import SubmissionResult
from autograder.graded.standing import Standing
from tests.conftest import Run, graded_example

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nbgrader imports modules that are on their way out
    from nbgrader.api import Gradebook

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Any]:
    with Gradebook(f"sqlite:///{path}", "cs101") as book:
        yield book
        book.db.commit()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database of nbgrader's own making: a released assignment with two tasks and a question."""
    path = tmp_path_factory.mktemp("nbgrader") / "gradebook.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        with opened(path) as book, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nbgrader adds a submission before its student
            book.add_assignment("toy", course_id="cs101")
            book.add_notebook("toy", "toy")
            book.add_grade_cell("why", "toy", "toy", max_score=4, cell_type="markdown")
            book.add_solution_cell("why", "toy", "toy")
            for cell, points in (("code-first", 10), ("code-second", 2.5)):
                book.add_task_cell(cell, "toy", "toy", max_score=points, cell_type="markdown")
            for student in ("ada", "bob", "eve"):
                book.add_student(student)
            for student in ("ada", "bob"):
                book.add_submission("toy", student)
    return path


@pytest.fixture
def database(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(made, tmp_path / "gradebook.db"))


Write = Callable[..., Export]


@pytest.fixture
def write(database: Path, course: Course, toy: Assignment) -> Write:
    """Return a function that writes the points of some records."""

    def write(*records: Record) -> Export:
        return gradebook_db.write(database, course, toy, records)

    return write


def record(student: str, first: float = 5, second: float = 0, **about: Any) -> Record:
    result = graded_example(student)
    points = (first, second)
    tasks = [
        one.model_copy(update={"points": value}) for one, value in zip(result.tasks, points, strict=True)
    ]
    changes = {"tasks": tasks, "score": sum(points)}
    changes |= {key: about.pop(key) for key in list(about) if key in SubmissionResult.model_fields}
    return Record(result.model_copy(update=changes), **about)


def scores(database: Path, student: str) -> dict[str, tuple[float | None, float | None, bool]]:
    """Return of each cell the automatic points, those that a person gave, and whether one has to look."""
    with opened(database) as book:
        notebook = book.find_submission_notebook("toy", "toy", student)
        return {
            one.name: (one.auto_score, one.manual_score, one.needs_manual_grade) for one in notebook.grades
        }


def test_points_of_code_and_of_people_add_up(database: Path, write: Write) -> None:
    with opened(database) as book:
        grade = book.find_grade("why", "toy", "toy", "ada")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 3, 0.5, False
    done = write(record("ada", 5, 2.5), record("bob", 0, 1))
    assert done == Export(points=2, changed=2, left=(), overruled=(), ungraded=())
    assert scores(database, "ada") == {
        "why": (None, 3, False),
        "code-first": (5, None, False),
        "code-second": (2.5, None, False),
    }
    with opened(database) as book:
        ada, bob = (book.find_submission("toy", student) for student in ("ada", "bob"))
        assert (ada.score, ada.max_score, ada.task_score, ada.written_score) == (11, 16.5, 7.5, 3.5)
        assert (bob.score, bob.needs_manual_grade) == (1, True), "nobody has scored bob's answer"
        assert not ada.needs_manual_grade
        comment = book.find_comment("code-first", "toy", "toy", "ada")
        assert comment.comment.startswith("- **Adds vectors** (0 / 5): The values are wrong.")
        assert comment.manual_comment is None


def test_writing_again_changes_no_byte(database: Path, write: Write) -> None:
    records = [record(student) for student in ("ada", "bob", "eve")]
    assert write(*records).changed == 3
    before = database.read_bytes()
    assert write(*records).changed == 0
    assert database.read_bytes() == before
    assert write(record("ada", 6), *records[1:]).changed == 1
    assert scores(database, "ada")["code-first"] == (6, None, False)


def test_what_people_gave_for_code_counts_and_is_looked_at_again(database: Path, write: Write) -> None:
    write(record("ada"), record("bob"))
    with opened(database) as book:
        book.find_grade("code-first", "toy", "toy", "ada").manual_score = 8
        book.find_comment("code-first", "toy", "toy", "ada").manual_comment = "Half of it was our mistake."
    assert write(record("ada"), record("bob")).overruled == ("ada",)
    assert scores(database, "ada")["code-first"] == (5, 8, False), "nothing new to look at"
    done = write(record("ada", 7), record("bob"))
    assert (done.changed, done.overruled) == (1, ("ada",))
    assert scores(database, "ada")["code-first"] == (7, 8, True)
    assert write(record("ada", 7), record("bob")).changed == 0
    assert scores(database, "ada")["code-first"] == (7, 8, True), "until somebody has looked"
    with opened(database) as book:
        assert book.find_submission("toy", "ada").score == 8
        comment = book.find_comment("code-first", "toy", "toy", "ada")
        assert comment.comment == "Half of it was our mistake."


def test_who_handed_in_no_notebook_gets_points(database: Path, write: Write) -> None:
    write(record("eve", 5, 1))
    assert scores(database, "eve") == {
        "why": (None, None, True),
        "code-first": (5, None, False),
        "code-second": (1, None, False),
    }
    with opened(database) as book:
        assert book.find_submission("toy", "eve").score == 6
        assert book.find_comment("why", "toy", "toy", "eve").comment is None


def test_a_submission_made_here_is_as_nbgraders_own(database: Path, write: Write) -> None:
    def shape(student: str) -> list[set[str]]:
        with opened(database) as book:
            (notebook,) = book.find_submission("toy", student).notebooks
            return [{one.name for one in notebook.grades}, {one.name for one in notebook.comments}]

    write(record("eve"))
    assert shape("eve") == shape("ada")


def test_who_has_no_final_points_is_left_alone(database: Path, write: Write) -> None:
    write(record("ada"), record("bob"))
    before = database.read_bytes()
    done = write(record("ada", excused=True), record("bob", handed_in="undecided"))
    assert done == Export(0, 0, (Standing.excused, Standing.undecided), (), ())
    assert database.read_bytes() == before


def test_who_handed_in_there_and_has_no_result_is_named(write: Write) -> None:
    assert write(record("ada")).ungraded == ("bob",)


def test_extra_credit_comes_on_top(database: Path, course: Course, toy: Assignment) -> None:
    path = toy.file
    path.write_text(path.read_text().replace("points = 2.5", "points = 2.5\nextra = true"))
    from autograder.course.assignment import load

    with opened(database) as book:
        book.find_task_cell("code-second", "toy", "toy").max_score = 0
    gradebook_db.write(database, course, load(course, "toy"), [record("ada", 10, 2)])
    with opened(database) as book:
        ada = book.find_submission("toy", "ada")
        assert (ada.score, ada.max_score) == (12, 14)


# What is refused, on the command line


@pytest.fixture
def export(run: Run, class_folder: Path, tmp_path: Path) -> Callable[[Path], Any]:
    """Return a function that exports a graded class: ada has everything, bob and eve have nothing."""
    assert run("grade", "toy", class_folder, "-o", tmp_path / "graded").exit_code == 0
    return lambda database: run("export", tmp_path / "graded", database)


def test_the_command_says_what_it_wrote(run: Run, class_folder: Path, tmp_path: Path, database: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("student\nada\nbob\neve\nzoe\n")
    graded = ("-o", tmp_path / "graded", "--roster", roster)
    assert run("grade", "toy", class_folder, *graded).exit_code == 0
    done = run("export", tmp_path / "graded", database, "--roster", roster)
    assert done.exit_code == 0, done.output
    assert done.output == (
        f"{database}: points for 3, 3 of them new or changed; 1 left as they are: 1 without a submission\n"
    )
    assert scores(database, "ada")["code-first"] == (10, None, False)
    assert scores(database, "bob")["code-first"] == (0, None, False)
    with opened(database) as book:
        assert book.find_submission("toy", "eve").score == 0


def test_the_command_names_who_is_overruled_and_who_is_not_graded(
    export: Callable[[Path], Any], database: Path
) -> None:
    with opened(database) as book, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nbgrader adds a submission before its student
        book.find_grade("code-second", "toy", "toy", "bob").manual_score = 1
        book.add_student("zoe")
        book.add_submission("toy", "zoe")
    said = " ".join(export(database).output.split())
    assert "points that people gave for code in the formgrader count there: bob" in said
    assert "zoe; grade the class again, and then export it" in said


def change(statement: str) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute(statement)
            database.commit()

    return apply


def replace_by(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def make_other(path: Path) -> None:
    path.unlink()
    change("CREATE TABLE x (y)")(path)


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "no file": (Path.unlink, "there is no such file; run in nbgrader's course folder: nbgrader generate"),
    "a folder": (
        lambda path: (path.unlink(), path.mkdir()),
        "there is no such file; run in nbgrader's course folder: nbgrader generate_assignment toy",
    ),
    "text": (replace_by(b"student,points\n" * 99), "is not an nbgrader database (file is not a database)"),
    "empty": (replace_by(b""), "is not an nbgrader database (no such table: alembic_version)"),
    "other database": (make_other, "is not an nbgrader database (no such table: alembic_version)"),
    "other version": (
        lambda path: (
            change("UPDATE alembic_version SET version_num = '724cde206c17'")(path),
            change("ALTER TABLE assignment RENAME COLUMN course_id TO none")(path),  # it came later
        ),
        "is of another version of nbgrader than the one here; make a copy of it, then run: nbgrader db up",
    ),
    "other course": (
        change("UPDATE assignment SET name = 'ps1'"),
        "holds no assignment 'toy', only ps1; name another database, or run: nbgrader generate_assignment",
    ),
    "no notebook": (
        change("UPDATE notebook SET name = 'problem1'"),
        "has no cell 'code-first' for the points of a task; copy dist/nbgrader/source/toy of a new release",
    ),
    "old release": (
        change("UPDATE base_cell SET name = 'other' WHERE name = 'code-second'"),
        "has no cell 'code-second' for the points of a task; copy dist/nbgrader/source/toy of a new release",
    ),
    "other points": (
        change("UPDATE task_cells SET max_score = 9 WHERE max_score = 10"),
        "the cell 'code-first' is worth 9 points there, not 10; copy dist/nbgrader/source/toy",
    ),
    "other task": (
        change(
            "INSERT INTO base_cell (id, name, notebook_id, type) SELECT 'x', 'code-third', notebook_id, type "
            "FROM base_cell WHERE name = 'code-first'"
        ),
        "has a cell 'code-third', and the assignment has no such task; copy dist/nbgrader/source/toy",
    ),
    "other students": (
        change("UPDATE student SET id = 'B-0815' WHERE id = 'bob'"),
        "does not know bob; if the names are right, add each: nbgrader db student add NAME; otherwise",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_one_line_and_nothing_changes(
    export: Callable[[Path], Any], database: Path, case: str
) -> None:
    spoil, found = REFUSED[case]
    spoil(database)
    if case == "other task":
        change("INSERT INTO task_cells (id, max_score, cell_type) VALUES ('x', 1, 'markdown')")(database)
    before = {path: path.read_bytes() for path in database.parent.iterdir() if path.is_file()}
    done = export(database)
    assert done.exit_code == 2
    assert done.output.startswith(f"error: {database}: {found}")
    assert done.output.count("\n") == 1
    after = {path: path.read_bytes() for path in database.parent.iterdir() if path.is_file()}
    assert after == before


@pytest.mark.parametrize("lock", ["EXCLUSIVE", "IMMEDIATE"])
def test_a_database_in_use_is_left_alone(export: Callable[[Path], Any], database: Path, lock: str) -> None:
    before = database.read_bytes()
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute(f"BEGIN {lock}")
        done = export(database)
    assert done.exit_code == 2
    assert done.output == (
        f"error: {database}: is in use by another program; try again when that has finished\n"
    )
    assert database.read_bytes() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_database_that_may_not_be_written(export: Callable[[Path], Any], database: Path) -> None:
    database.chmod(0o444)
    done = export(database)
    assert done.exit_code == 2
    assert "cannot be written; correct the permissions of file and folder" in done.output


def test_nbgrader_is_not_there(
    database: Path, course: Course, toy: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nbgrader.api", None)
    with pytest.raises(ConfigError, match=r"^nbgrader: is not installed for this Python; run: pip install"):
        gradebook_db.write(database, course, toy, [])


def test_many_unknown_students_are_not_all_listed(write: Write) -> None:
    students: Sequence[str] = [f"s{number}" for number in range(9)]
    with pytest.raises(ConfigError, match=r"does not know s0, s1, s2, s3, s4 and 4 more;"):
        write(*map(record, students))
