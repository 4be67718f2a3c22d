"""Canvas gets back its own rows and columns, to the letter, and points."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from conftest import graded_example

from autograder.intake import roster
from autograder.records import Record
from autograder.reports import canvas

EXPORT = """\
Student,ID,SIS User ID,SIS Login ID,Section,A toy (12345),toy (12399),Other (1),Final Score
,,,,,Manual Posting,,,(read only)
    Points Possible,,,,,20,5,1,(read only)
"Park, ""Ada"" Q.",4711,0815,ada,"Deep, 1",,,1,
"Silva, Bruno",4712,0816,bruno,=2,,,1,
"""


def exported(folder: Path, text: str = EXPORT) -> roster.Roster:
    (folder / "export.csv").write_text(text)
    return roster.read(folder / "export.csv")


def imported(people: roster.Roster, *records: Record, names: tuple[str, ...] = ("A toy", "toy")) -> str:
    return canvas.render(
        records,
        columns=people.columns,
        rows={person.student: person.row for person in people.people},
        points_possible=people.points_possible,
        names=names,
    )


def test_points_go_to_the_column_that_canvas_numbered(tmp_path: Path) -> None:
    records = [Record(graded_example(student)) for student in ("ada", "bruno", "eve")]
    text = imported(exported(tmp_path), *records)
    assert list(csv.reader(io.StringIO(text))) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "A toy (12345)"],
        ["    Points Possible", "", "", "", "", "20"],
        ['Park, "Ada" Q.', "4711", "0815", "ada", "Deep, 1", "5"],
        ["Silva, Bruno", "4712", "0816", "bruno", "=2", "5"],
    ]
    assert '"Park, ""Ada"" Q."' in text
    assert text.endswith("\r\n")


def test_canvas_reads_what_it_gets_as_it_reads_its_own(tmp_path: Path) -> None:
    people = exported(tmp_path)
    again = exported(tmp_path, imported(people, *[Record(graded_example(one)) for one in ("ada", "bruno")]))
    assert [person.student for person in again.people] == ["ada", "bruno"]
    assert again.points_possible["A toy (12345)"] == "20"


def test_an_assignment_that_canvas_does_not_know_is_added(tmp_path: Path) -> None:
    header, possible, _ = imported(
        exported(tmp_path), Record(graded_example("ada")), names=("New one", "new")
    ).splitlines()
    assert header.endswith(",New one")
    assert possible.endswith(",12.5")


@pytest.mark.parametrize("column", ["toy", "toy 12345", "toy (abc)", "my toy (1)", "toys (1)"])
def test_other_columns_are_no_match(column: str) -> None:
    assert canvas.find_column(["Student", column], ["toy"]) is None
