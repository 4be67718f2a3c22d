"""Two rows of one student are one person; two students are never taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.errors import ConfigError
from autograder.intake import roster
from autograder.intake.roster import Roster


def read(folder: Path, text: str) -> Roster:
    (folder / "roster.csv").write_text(text)
    return roster.read(folder / "roster.csv")


def test_rows_of_one_student_are_one_person(tmp_path: Path) -> None:
    known = read(
        tmp_path,
        'login,email,name,section\nada,,Ada Park,A\nbo,b@x.edu,Bo,A\nADA,ada@x.edu,"Park, Ada",B\nada,,,C\n',
    )
    assert [(one.student, one.row["email"], one.row["section"]) for one in known.people] == [
        ("ada", "ada@x.edu", "A"),
        ("bo", "b@x.edu", "A"),
    ]
    assert known.find("ada@x.edu") is known.people[0]
    assert known.notes == ("roster.csv: listed more than once, counted as one student each: Ada Park.",)


@pytest.mark.parametrize(
    "rows",
    [
        "ada,a@x.edu,Ada\nada,b@x.edu,Ada\n",
        "ada,a@x.edu,Ada\nada,a@x.edu,Bob\n",
        "ada,,Ada\n,a@x.edu,Ada\nada,a@x.edu,Ada\n",
    ],
)
def test_rows_that_contradict_each_other_are_refused(tmp_path: Path, rows: str) -> None:
    with pytest.raises(
        ConfigError, match=r"roster\.csv:\d: .* \(line 2|3\) and .* \(line \d\) have the same"
    ):
        read(tmp_path, "login,email,name\n" + rows)


def test_a_number_that_means_two_students_counts_for_the_one_whom_the_platform_calls_so(
    tmp_path: Path,
) -> None:
    known = read(
        tmp_path,
        'Student,ID,SIS User ID,Section\n"Park, Ada",815,816,A\n"Silva, Bruno",816,817,A\n',
    )
    bruno = known.find("816")
    assert bruno is not None
    assert bruno.name == "Silva, Bruno"
    assert known.notes == (
        "roster.csv: 816 is the ID of Silva, Bruno (line 3) and the SIS User ID of Park, Ada (line 2), "
        "and is taken for that of Silva, Bruno.",
    )


def test_a_name_that_two_have_identifies_nobody(tmp_path: Path) -> None:
    known = read(tmp_path, 'id,name\n1,Ada Park\n2,"Park, Ada"\n3,Bo\n')
    assert known.find("Ada Park") is None
    assert known.find("Bo, ") is known.find("BO")
    assert known.find("Ada Park", "bo") is known.people[2]


def test_names_are_found_either_way_round_and_in_any_unicode_form(tmp_path: Path) -> None:
    known = read(tmp_path, "First name,Last name,Email\nZoë,Müller Straße,z@x.edu\n")
    for name in (
        "Zoe\u0308 Mu\u0308ller Strasse",
        "MÜLLER STRASSE, zoë",
        "Müller Straße Zoë",
        "\u200eZoë Müller Straße",
    ):
        assert known.find(name) is known.people[0], name


def test_a_thousand_rows_take_a_thousand_steps(tmp_path: Path) -> None:
    rows = "".join(f"s{n},{n}@x.edu,Student {n}\n" for n in range(5000))
    known = read(tmp_path, "student,email,name\n" + rows + rows)
    assert len(known.people) == 5000
