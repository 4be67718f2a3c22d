"""Exports of every platform are read as they are; ``rosters`` holds files as those write them.

All of them list the same class: Ada Park, Zoë Müller and Seán O'Brien.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.errors import ConfigError
from autograder.intake import roster
from autograder.intake.roster import Roster, fold_name

FILES = Path(__file__).parents[1] / "rosters"
BY_LOGIN, BY_EMAIL = (
    ("apark", "sobrien", "zmueller"),
    (
        "ada.park@uni.example",
        "sean.obrien@uni.example",
        "zoe.mueller@uni.example",
    ),
)
STAFF_OF_GRADESCOPE = "3 people who are not students (Kim Lee (Instructor); Max Ray (TA); Ida Roe (Reader))"
EXPORTS = {
    # file: platform, what results are called, more that identifies Zoë Müller, what is said
    "canvas.csv": ("Canvas", BY_LOGIN, ("4712", "0816"), "1 test student of Canvas"),
    "canvas-first-and-last-names.csv": ("Canvas", BY_LOGIN, ("4712",), "1 test student of Canvas"),
    "canvas-semicolons.csv": ("Canvas", BY_LOGIN, ("4712", "0816"), ""),
    "canvas-all-identifiers.csv": ("Canvas", BY_LOGIN, ("4712", "0816", "a1b2-0816"), ""),
    "canvas-one-row-per-section.csv": (
        "Canvas",
        BY_LOGIN,
        ("4712",),
        "listed more than once, counted as one student each: Müller, Zoë; Park, Ada.",
    ),
    "canvas-saved-by-excel.csv": ("Canvas", BY_LOGIN, ("4712",), "left out 2 empty rows"),
    "moodle-worksheet-en.csv": ("Moodle", BY_EMAIL, ("4712",), ""),
    "moodle-worksheet-de.csv": ("Moodle", BY_EMAIL, ("4712",), ""),
    "moodle-worksheet-fr.csv": ("Moodle", BY_EMAIL, ("4712",), ""),
    "moodle-worksheet-es.csv": ("Moodle", BY_EMAIL, ("4712",), ""),
    "moodle-worksheet-it.csv": ("Moodle", BY_EMAIL, ("4712",), ""),
    "moodle-worksheet-nl.csv": ("Moodle", BY_EMAIL, ("4712",), ""),
    "moodle-worksheet-pt.csv": ("Moodle", BY_EMAIL, ("4712",), ""),
    "moodle-participants.csv": (
        "Moodle",
        BY_EMAIL,
        ("0816",),
        "2 people who are not students (Kim Lee (Teacher); Max Ray (Non-editing teacher, Manager))",
    ),
    "moodle-participants-de.csv": (
        "Moodle",
        BY_EMAIL,
        ("0816",),
        "1 person who is not a student (Kim Lee (Trainer/in))",
    ),
    "moodle-participants-without-addresses.csv": (
        "Moodle",
        ("Ada Park", "Seán O'Brien", "Zoë Müller"),
        ("Müller, Zoë",),
        "students are identified only by their names",
    ),
    "moodle-grades.csv": ("Moodle", BY_EMAIL, ("0816",), ""),
    "gradescope.csv": ("Gradescope", BY_EMAIL, ("0816",), STAFF_OF_GRADESCOPE),
    "gradescope-full-names.csv": ("Gradescope", BY_EMAIL, ("0816",), "Kim Lee (Instructor)"),
    "gradescope-grades.csv": ("Gradescope", BY_EMAIL, ("0816",), ""),
    "nbgrader.csv": ("nbgrader", BY_LOGIN, ("4712", "zoe.mueller@uni.example"), ""),
    "excel-with-a-sep-line.csv": ("CSV", BY_LOGIN, ("0816",), "was read as Windows-1252"),
    "excel-unicode-text.txt": ("CSV", BY_LOGIN, ("0816",), ""),
    "excel-utf8.csv": ("CSV", BY_LOGIN, ("0816",), ""),
    "plain.csv": ("CSV", BY_LOGIN, ("0816", "zoe.mueller@uni.example"), ""),
    "plain-with-spaces.csv": ("CSV", BY_LOGIN, ("0816",), ""),
}
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


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_read_as_it_is(name: str) -> None:
    platform, students, identifiers, says = EXPORTS[name]
    known = roster.read(FILES / name)
    assert known.platform == platform
    assert tuple(sorted(person.student for person in known.people)) == students
    for identifier in (
        students[2],
        students[2].upper(),
        "Zoë Müller",
        "ZOE\u0308 MU\u0308LLER",
        *identifiers,
    ):
        zoe = known.find("nobody", identifier)
        assert zoe is not None, identifier
        assert zoe.student == students[2]
    assert says in " ".join(known.notes)
    assert bool(known.notes) == bool(says)


def test_every_file_is_read_by_a_test() -> None:
    assert {path.name for path in FILES.iterdir()} == {
        *EXPORTS,
        "moodle-worksheet-blind.csv",
        "workbook.xlsx",
    }


def test_a_worksheet_of_moodle_without_names_has_the_numbers_that_its_downloads_have() -> None:
    known = roster.read(FILES / "moodle-worksheet-blind.csv")
    assert [(one.student, one.name) for one in known.people] == [("4711", ""), ("4712", ""), ("4713", "")]
    assert known.find("4712") is known.people[1]


def test_a_workbook_is_refused_with_what_to_do() -> None:
    with pytest.raises(ConfigError, match=r"is a spreadsheet workbook; .* save it as CSV"):
        roster.read(FILES / "workbook.xlsx")


@pytest.mark.parametrize("identifier", ["4711", "0815", "apark", "APARK ", "Park, Ada", "ada  park"])
def test_canvas_export_as_it_is(tmp_path: Path, identifier: str) -> None:
    known = read(tmp_path, CANVAS)
    assert known.platform == "Canvas"
    assert [person.student for person in known.people] == ["apark", "bsilva"]
    assert known.points_possible["knn (12345)"] == "100"
    ada = known.find("nobody", identifier)
    assert ada is not None
    assert (ada.student, ada.name, ada.row["Section"]) == ("apark", "Park, Ada", "Deep Learning, 1")
    assert known.notes == ("roster.csv: left out 1 test student of Canvas.",)


def test_titles_and_points_of_canvas_are_kept_to_the_letter() -> None:
    known = roster.read(FILES / "canvas.csv")
    assert "Nearest neighbors, and more (12345)" in known.columns
    assert 'The "final" one (12346)' in known.columns
    assert known.points_possible['The "final" one (12346)'] == "50.00"
    zoe = known.find("zmueller")
    assert zoe is not None
    assert zoe.row["Nearest neighbors, and more (12345)"] == "EX"
    assert "Distances\nand votes (12345)" in roster.read(FILES / "canvas-saved-by-excel.csv").columns


def test_what_one_row_of_a_student_leaves_open_the_other_one_says() -> None:
    zoe = roster.read(FILES / "canvas-one-row-per-section.csv").find("zmueller")
    assert zoe is not None
    assert (zoe.row["Section"], zoe.row["knn (12345)"]) == ("Lab A", "EX")


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
    assert (ada.student, ada.name, known.platform) == ("ada", "Ada Park", "CSV")
    assert known.find("A@X.EDU") is known.find("ada park") is ada
    assert known.find("bob", "") is None


def test_a_table_with_columns_like_canvas_is_not_taken_for_its_export(tmp_path: Path) -> None:
    known = read(tmp_path, "student,id,section\nada,4711,Lab A\n")
    assert (known.platform, known.people[0].student) == ("CSV", "ada")


def test_the_first_identifier_that_has_a_value_names_the_results(tmp_path: Path) -> None:
    known = read(tmp_path, 'login,email,id\n,a@x.edu,1\nbob,n/a,2\n,-,3/4\n,,"=""0815"""\n')
    assert [person.student for person in known.people] == ["a@x.edu", "bob", "3_4", "0815"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"roster\.csv: is empty; export it again"),
        (
            "first,last\nAda,Park\n",
            "has no column that identifies a student; its header is `first`, `last`; ",
        ),
        (
            "a,b\n",
            "expected `student`, `login`, `email`, `sid`, `id` or `name`, "
            "or an export of Canvas, Gradescope, Moodle or nbgrader as it is",
        ),
        (",".join(f"c{n}" for n in range(40)) + "\n", "`c14` and 25 more; "),
        ("id,name\n1,Ada\n,Bob\n", r"roster\.csv:3: identifies nobody; fill in id"),
        ("student,name\n", r"roster\.csv: lists no student; export it again"),
        ("Name,Email,Role\nKim,k@x.edu,TA\n", r"lists no student; left out 1 person .*Kim \(TA\)"),
        (
            "id,name\n1,Ada\n2,Cem\n1,Bob\n",
            r"\.csv:4: Ada \(line 2\) and Bob \(line 4\) have the same id, '1'; ",
        ),
        ("id,email\n1,a@x.edu\n1,b@x.edu\n", r"1 \(line 3\)|b@x.edu \(line 3\) have the same id, '1'"),
        ("name\nAda\nAda\n", r"Ada \(line 2\) and Ada \(line 3\) have the same name"),
        (
            "sid,name\n3/4,Ada\n3_4,Bob\n",
            r"the results of Ada \(line 2\) and Bob \(line 3\) would both be called",
        ),
        ("login,id\na,\n,1\na,1\n", r"have the same id, '1'"),
        ("id,name\n1,Park, Ada\n", r"\.csv:2: has 3 cells, and the header 2; put quotation marks around"),
        ('id,name\n1,Ada\n2,"Bob\n', r"is not a table \(line 3: unexpected end of data\)"),
        ("sep=;\nid;name\n;Ada\n", r"roster\.csv:3: identifies nobody"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


# The same people come back, whoever they are and whatever program wrote them down

LETTERS = st.characters(categories=("Lu", "Ll", "Lo", "Mn"), include_characters=" ,;'\"-.|\t")
NAMES = (
    st.text(LETTERS, min_size=1, max_size=12)
    .map(lambda name: " ".join(name.split()))
    .filter(lambda name: len(fold_name(name).strip(" ,")) > 1 and not name.startswith(","))
)
PEOPLE = st.lists(
    st.tuples(NAMES, NAMES, st.integers(1000, 9_999_999)),
    min_size=1,
    max_size=6,
    unique_by=lambda one: one[2],
)
People = list[tuple[str, str, int]]


def quoted(cell: str, separator: str) -> str:
    special = any(one in cell for one in (separator, '"', "\n", "\r", " ", "\t")) or cell != cell.strip()
    return '"{}"'.format(cell.replace('"', '""')) if special else cell


def written(rows: list[list[str]], separator: str = ",", end: str = "\n") -> str:
    return "".join(separator.join(quoted(cell, separator) for cell in row) + end for row in rows)


def as_canvas(people: People, separator: str) -> str:
    rows = [
        [
            "Student",
            "ID",
            "SIS User ID",
            "SIS Login ID",
            "Section",
            'A "title", with ; all (77)',
            "Final Score",
        ],
        ["", "", "", "", "", "Manual Posting", ""],
        ["    Points Possible", "", "", "", "", "100", "(read only)"],
        *([f"{last}, {first}", f"{n}", f"u{n}", f"s{n}", "A and B", "EX", ""] for first, last, n in people),
        ["Student, Test", "9", "", "0a1b2c", "A", "", ""],
    ]
    return written(rows, separator)


def as_canvas_with_two_names(people: People, separator: str) -> str:
    header = ["LastName", "FirstName", "ID", "SIS User ID", "SIS Login ID", "Section"]
    rows = [[last, first, f"{n}", f"u{n}", f"s{n}", "A"] for first, last, n in people]
    return written([header, ["    Points Possible", "", "", "", "", ""], *rows], separator)


def as_moodle(people: People, separator: str) -> str:
    header = ["Identifier", "Full name", "Username", "ID number", "Email address", "Status", "Grade"]
    rows = [[f"Participant {n}", f"{a} {b}", f"s{n}", f"u{n}", f"{n}@x.edu", "-", ""] for a, b, n in people]
    return written([header, *rows], separator)


def as_gradescope(people: People, separator: str) -> str:
    header = ["First Name", "Last Name", "SID", "Email", "Role", "Section"]
    rows = [[first, last, f"u{n}", f"s{n}", "Student", ""] for first, last, n in people]
    return written([header, ["Kim", "Lee", "", "k@x.edu", "Instructor", ""], *rows], separator)


def as_nbgrader(people: People, separator: str) -> str:
    rows = [[f"s{n}", first, last, f"{n}@x.edu"] for first, last, n in people]
    return written([["id", "first_name", "last_name", "email"], *rows], separator)


def as_a_plain_table(people: People, separator: str) -> str:
    rows = [[f"s{n}", f"{first} {last}", f"u{n}"] for first, last, n in people]
    return written([["student", "name", "sid"], *rows, ["", "", ""]], separator, "\r\n")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=PEOPLE,
    write=st.sampled_from(
        [as_canvas, as_canvas_with_two_names, as_moodle, as_gradescope, as_nbgrader, as_a_plain_table]
    ),
    separator=st.sampled_from([",", ";", "\t"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_the_same_people_come_back(
    tmp_path: Path, people: People, write: object, separator: str, encoding: str
) -> None:
    assert callable(write)
    known = read(tmp_path, write(people, separator), encoding)
    assert {person.student for person in known.people} == {f"s{n}" for *_, n in people}
    for first, last, number in people:
        person = known.find(f"s{number}")
        assert person is not None
        whole = {fold_name(f"{first} {last}"), fold_name(f"{last}, {first}")}
        assert fold_name(person.name) in whole
        if write is not as_nbgrader:
            assert known.find(f"u{number}") is person
        else:
            assert known.find(f"{number}@X.EDU") is person


PIECES = st.sampled_from(
    [
        *(
            "Student",
            "ID",
            "Section",
            "LastName",
            "FirstName",
            "SIS Login ID",
            "Name",
            "Email",
            "Role",
            "SID",
        ),
        *(
            "Vorname",
            "id",
            "first_name",
            "last_name",
            "Participant 7",
            "7",
            "a@x.edu",
            "Ada Park",
            "EX",
            "TA",
        ),
        *(
            ",",
            ",",
            ";",
            "\t",
            "|",
            "\n",
            "\n",
            "\r\n",
            '"',
            "sep=;\n",
            "\ufeff",
            "\0",
            " ",
            "=",
            "    Points Possible",
        ),
        *("Student, Test", "Manual Posting", "Zoë", "\x1b[2J", "\u202e", "..", "/"),
    ]
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.lists(PIECES, max_size=40).map(lambda pieces: "".join(pieces).encode()),
        st.lists(PIECES, max_size=40).map(lambda pieces: "".join(pieces).encode("utf-16")),
    )
)
def test_any_file_is_a_roster_or_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(content)
    message = ""
    try:
        known = roster.read(path)
    except ConfigError as error:
        message = str(error)
    if message:
        assert "\n" not in message
        return
    assert known.people
    students = [fold_name(person.student) for person in known.people]
    assert len(set(students)) == len(students)
    for person in known.people:
        assert known.find(person.student) is not None
        assert not set("/\\\n\0") & set(person.student)
        assert set(person.row) == set(known.columns)
