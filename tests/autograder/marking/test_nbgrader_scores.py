"""What people score in nbgrader's formgrader counts, and its database stays as it is."""

from __future__ import annotations

import os
import sqlite3
import sys
import warnings
from pathlib import Path

import pytest

from autograder.errors import ConfigError
from autograder.marking import nbgrader_scores

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nbgrader imports modules that are on their way out
    from nbgrader.api import Gradebook

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Object of type"),  # nbgrader adds a submission before its student
]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a database of nbgrader's own making: ada is scored, bob is not, eve has extra credit."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    path = tmp_path / "gradebook.db"
    with Gradebook(f"sqlite:///{path}") as book:
        book.add_assignment("toy")
        book.add_notebook("toy", "toy")
        for cell in ("why-sums", "not-ours"):
            book.add_grade_cell(cell, "toy", "toy", max_score=4, cell_type="markdown")
            book.add_solution_cell(cell, "toy", "toy")
        for student in ("ada", "bob", "eve"):
            book.add_student(student)
            book.add_submission("toy", student)
        for student, points, extra in (("ada", 2.5, None), ("eve", 1, 0.5)):
            grade = book.find_grade("why-sums", "toy", "toy", student)
            grade.manual_score, grade.extra_credit = points, extra
        book.find_grade("not-ours", "toy", "toy", "ada").manual_score = 1
        book.find_comment("why-sums", "toy", "toy", "ada").manual_comment = "Nearly.\n"
        book.db.commit()
    return path


def test_points_and_comments_of_people(database: Path) -> None:
    before = database.read_bytes()
    assert nbgrader_scores.is_database(database)
    rows = nbgrader_scores.read(database, "toy", ["why-sums"])
    assert [(row.student, row.question, row.points, row.comment) for row in rows] == [
        ("ada", "why-sums", 2.5, "Nearly."),
        ("eve", "why-sums", 1.5, ""),
    ]
    assert rows[0].where == f"{database}, ada"
    assert database.read_bytes() == before


def test_nothing_scored(database: Path) -> None:
    with pytest.raises(ConfigError, match="holds no points that people gave for answers to 'other'"):
        nbgrader_scores.read(database, "other", ["why-sums"])


def test_another_database(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE x (y)")
    database.close()
    assert nbgrader_scores.is_database(path)
    with pytest.raises(ConfigError, match="is not an nbgrader database"):
        nbgrader_scores.read(path, "toy", ["why-sums"])


def test_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("student,question,points\n")
    assert not nbgrader_scores.is_database(tmp_path / "scores.csv")
    assert not nbgrader_scores.is_database(tmp_path / "none.db")
    assert not nbgrader_scores.is_database(tmp_path)
