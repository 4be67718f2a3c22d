"""People who are not students are left out of the roster, and named."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.intake import roster
from autograder.intake.roster import Roster


def read(folder: Path, text: str) -> Roster:
    (folder / "roster.csv").write_text(text)
    return roster.read(folder / "roster.csv")


@pytest.mark.parametrize(
    ("role", "is_student"),
    [
        ("Student", True),
        ("", True),
        ("Pirate", True),
        ("Student, Teacher", True),
        ("Teilnehmer/in", True),
        ("Instructor", False),
        ("TA", False),
        ("ta", False),
        ("Reader", False),
        ("Non-editing teacher, Manager", False),
        ("Trainer/in", False),
        ("Enseignant", False),
        ("Profesor", False),
    ],
)
def test_only_people_who_have_no_other_role_than_those_of_staff_are_left_out(
    tmp_path: Path, role: str, is_student: bool
) -> None:
    known = read(tmp_path, f'Name,Email,Role\nAda,a@x.edu,Student\nKim,k@x.edu,"{role}"\n')
    assert (known.find("Kim") is not None) == is_student
    assert bool(known.notes) != is_student
    assert is_student or f"Kim ({role})" in known.notes[0]


def test_rows_of_canvas_that_stand_for_nobody(tmp_path: Path) -> None:
    known = read(
        tmp_path,
        "Student,ID,SIS Login ID,Section,knn (1),two (2)\n"
        ",,,,Muted,\n"
        ",,,,,Manual Posting (scores hidden from instructors)\n"
        "    Points Possible,,,,100,5\n"
        '"Park, Ada",1,ada,A,,\n'
        ",,,,,\n"
        "Average,,,,50,\n"
        '"Student, Test",2,x,A,,\n',
    )
    assert [one.student for one in known.people] == ["ada"]
    assert known.notes == (
        "roster.csv: left out 1 empty row, 1 test student of Canvas, 1 row without an identifier.",
    )


def test_a_test_student_is_one_in_canvas_only(tmp_path: Path) -> None:
    assert len(read(tmp_path, 'Name,Email\n"Student, Test",t@x.edu\n').people) == 1
