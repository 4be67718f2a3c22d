"""Tables of scores are read as spreadsheets write them; a mistake is one line with the row."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.errors import ConfigError
from autograder.marking import score_table
from autograder.marking.score_table import MAX_BYTES, ScoreRow

HEADER = "student,question,points,comment,grader,answer\n"


def read(folder: Path, content: str | bytes) -> list[ScoreRow]:
    path = folder / "scores.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return score_table.read(path)


def test_all_columns(tmp_path: Path) -> None:
    (row,) = read(tmp_path, f'{HEADER}ada,why,2.5,"Good, but ""short"".\nTwo lines.",Grace,0123\n')
    where = f"{tmp_path / 'scores.csv'}, row 2"
    assert row == ScoreRow(where, "ada", "why", 2.5, 'Good, but "short".\nTwo lines.', "Grace", "0123")


@pytest.mark.parametrize(
    "content",
    [
        "student,question,points\nada,why,2\n",
        "points,student,question\r\n2,ada,why\r\n",
        "\ufeffStudent; Question ;POINTS\nada;why;2\n",
        "sep=;\nstudent;question;points\nada;why;2\n",
        "sep=,\r\nstudent,question,points\r\nada,why,2\r\n",
        "student\tquestion\tpoints\nada\twhy\t2",
        "student,question,points\n ada , why , 2 \n,,\n\n",
        "student,question,points,name,comment\nada,why,2,Ada Park,\nbob,why,,Bob,\n",
        "student,question,points,comment\nada,why,2\n",
    ],
)
def test_how_spreadsheets_write_it(content: str, tmp_path: Path) -> None:
    (row,) = read(tmp_path, content)
    assert (row.student, row.question, row.points, row.comment) == ("ada", "why", 2, "")


def test_decimal_commas_and_guarded_formulas(tmp_path: Path) -> None:
    (row,) = read(tmp_path, "student;question;points;comment\n'=ada;why;2,5;'+1 for style\n")
    assert (row.student, row.points, row.comment) == ("=ada", 2.5, "+1 for style")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r":1: has no column 'student'"),
        ("a,b\n1,2\n", r":1: has no column 'student'; expected the columns student, question, points"),
        ("student,question,points,coment\n", "the column 'coment' is unknown"),
        ("student,question,points,points\n", "the column 'points' appears twice"),
        ("student,question,points\nada,why,two\n", "row 2: the points are 'two'; expected a number"),
        ("student,question,points\n,,\nada,why,-1\n", "row 3: the points are '-1'"),
        ("student,question,points\nada,why,nan\n", "the points are 'nan'"),
        ("student,question,points\nada,why,1e3\n", "the points are '1e3'"),
        ("student,question,points\nada,why,٣\n", "the points are '٣'"),
        ("student,question,points\nada,why,2.00001\n", "the points are '2.00001'"),
        ("student,question,points,comment\nada,why,,Good\n", "has a comment, but no points"),
        ("student,question,points\nada,why,2,5\n", "has more cells than the header"),
        ('student,question,points\n"ada', "is not CSV"),
        (b"student,question,points\nada,why,\xfc\n", "is not UTF-8 text; save it as CSV in UTF-8"),
        (b"\0" * 10, "has no column 'student'"),
        (b"x" * (MAX_BYTES + 1), "is larger than 20 MB"),
    ],
)
def test_mistakes_are_one_line(content: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in caught.value.where


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        score_table.read(tmp_path / "none.csv")
    with pytest.raises(ConfigError, match="cannot be read"):
        score_table.read(tmp_path)
