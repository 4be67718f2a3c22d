"""The roster knows everybody by every number and address, as spreadsheets and Canvas write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.errors import ConfigError
from autograder.intake import roster
from autograder.intake.roster import Roster

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,knn (12345),Final Score
,,,,,Manual Posting,(read only)
"    Points Possible",,,,,100,(read only)
"Park, Ada",4711,0815,apark,"Deep Learning, 1",,
"Silva, Bruno",4712,0816,bsilva,"Deep Learning, 2",,
"Student, Test",4713,,,"Deep Learning, 1",,
"""


def read(folder: Path, text: str, encoding: str = "utf-8") -> Roster:
    path = folder / "roster.csv"
    path.write_bytes(text.encode(encoding))
    return roster.read(path)


@pytest.mark.parametrize("identifier", ["4711", "0815", "apark", "APARK ", "Park, Ada", "ada  park"])
def test_canvas_export_as_it_is(tmp_path: Path, identifier: str) -> None:
    known = read(tmp_path, CANVAS)
    assert known.is_canvas
    assert [person.student for person in known.people] == ["apark", "bsilva"]
    assert known.points_possible["knn (12345)"] == "100"
    ada = known.find("nobody", identifier)
    assert ada is not None
    assert (ada.student, ada.name, ada.row["Section"]) == ("apark", "Park, Ada", "Deep Learning, 1")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("student,name,email\nada,Ada Park,a@x.edu\n", "utf-8"),
        ("student;name;email\r\nada;Ada Park;a@x.edu\r\n\r\n", "utf-8-sig"),
        ("Name\tEmail\tStudent\nAda Park\ta@x.edu\tada\n", "utf-8"),
    ],
)
def test_a_table_of_ones_own(tmp_path: Path, text: str, encoding: str) -> None:
    known = read(tmp_path, text, encoding)
    (ada,) = known.people
    assert (ada.student, ada.name, known.is_canvas) == ("ada", "Ada Park", False)
    assert known.find("A@X.EDU") is known.find("ada park") is ada
    assert known.find("bob", "") is None


def test_the_first_identifier_that_has_a_value_names_the_results(tmp_path: Path) -> None:
    known = read(tmp_path, "login,email,id\n,a@x.edu,1\nbob,,2\n,,3/4\n")
    assert [person.student for person in known.people] == ["a@x.edu", "bob", "3_4"]


def test_a_name_that_two_have_identifies_nobody(tmp_path: Path) -> None:
    known = read(tmp_path, "id,name\n1,Ada Park\n2,Ada Park\n")
    assert known.find("Ada Park") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no column that identifies a student"),
        ("first,last\nAda,Park\n", "has no column that identifies a student"),
        ("id,name\n1,Ada\n,Bob\n", r"roster\.csv:3: identifies nobody; fill in id"),
        ("id,name\n1,Ada\n1,Bob\n", "'1' identifies both '1' and '1'"),
    ],
)
def test_tables_that_identify_nobody(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read(tmp_path, text)


def test_files_that_are_no_table(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        roster.read(tmp_path / "nowhere.csv")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        read(tmp_path, "id,name\n1,Zoë\n", "latin-1")
