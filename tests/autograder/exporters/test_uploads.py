"""An assignment finds its column in the exports of Canvas, and who is excused in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.errors import ConfigError
from autograder.exporters import uploads
from autograder.graded.records import Record
from autograder.graded.standing import Standing
from autograder.intake import roster
from autograder.intake.roster import Roster
from autograder.platforms.interface import GradebookFile
from tests.conftest import graded_example

FILES = Path(__file__).parents[1] / "intake" / "rosters"


def read(folder: Path, text: str) -> Roster:
    (folder / "roster.csv").write_text(text)
    return roster.read(folder / "roster.csv")


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("canvas.csv", "Nearest neighbors, and more"),
        ("canvas-first-and-last-names.csv", "knn"),
        ("canvas-semicolons.csv", "übung 1, teil A"),
        ("canvas-one-row-per-section.csv", "12345"),
        ("canvas-saved-by-excel.csv", "Distances and votes"),
    ],
)
def test_who_is_excused_in_every_export(course: Course, toy: Assignment, name: str, title: str) -> None:
    known = replace(course, gradebook_names={"toy": title})
    export = roster.read(FILES / name)
    assert uploads.find_excused(known, toy, export) == {"zmueller"}
    assert uploads.column_note(known, toy, export) == ""
    assert uploads.find_excused(course, toy, export) == frozenset()


def test_a_table_of_ones_own_can_excuse_as_well(course: Course, toy: Assignment, tmp_path: Path) -> None:
    known = read(tmp_path, "login,toy,other\nada,ex,\nbob,,EX\ncem, Excused ,\n")
    assert uploads.find_excused(course, toy, known) == {"ada", "cem"}


def test_a_column_that_is_not_there_is_said_with_those_that_are(course: Course, toy: Assignment) -> None:
    note = uploads.column_note(course, toy, roster.read(FILES / "canvas.csv"))
    assert note == (
        "canvas.csv has no column `A toy (number)` or `toy (number)` (it has Nearest neighbors, and more "
        '(12345); The "final" one (12346)), so importing canvas.csv adds an assignment, and nobody is '
        "known to be excused; if Canvas has it under another name, write its number into "
        f"{course.root / 'course.toml'}: [gradebook] toy = 12345"
    )


def test_settings_that_help_nothing_are_refused(course: Course, toy: Assignment, tmp_path: Path) -> None:
    export = read(tmp_path, "Student,ID,Section,toy (1),Toy (2)\nAda,1,A,,\n")
    with pytest.raises(
        ConfigError, match=r"has several columns of 'A toy': toy \(1\); Toy \(2\); .* toy = 1$"
    ):
        uploads.column_note(course, toy, export)
    with pytest.raises(ConfigError, match=r"`gradebook\.tyo` is not an assignment; write one of: toy"):
        uploads.column_note(replace(course, gradebook_names={"tyo": "2"}), toy, export)
    assert uploads.column_note(replace(course, gradebook_names={"toy": "2"}), toy, export) == ""


def test_the_summary_counts_everybody(course: Course, toy: Assignment, tmp_path: Path) -> None:
    export = read(tmp_path, "Student,ID,Section,toy (1)\nAda,1,A,\nBob,2,A,EX\n")
    file = uploads.export(course, toy, [Record(graded_example("1"))], export)
    assert uploads.summary(file) == "points for 1; 1 left as they are: 1 without a submission"
    assert uploads.summary(GradebookFile("", 3, (), ())) == "points for 3"
    left = (Standing.excused, Standing.undecided)
    assert uploads.summary(GradebookFile("", 0, left, ())) == (
        "points for 0; 2 left as they are: 1 excused, 1 waiting for your decision"
    )
