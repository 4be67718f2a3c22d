"""Canvas gets back its own rows and columns, to the letter, and points."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.graded import standing
from autograder.graded.records import Override, Record, WrittenAnswer
from autograder.graded.results import CUT_OFF, Feedback
from autograder.intake import roster
from autograder.platforms.canvas import gradebook as canvas_table
from autograder.platforms.interface import GradebookFile
from helpers.statuses import Status
from tests.conftest import graded_example
from tests.support import written_class as made
from tests.support.canvas_gradebook import CanvasGradebook

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


def file(people: roster.Roster, *records: Record, names: tuple[str, ...] = ("A toy", "toy")) -> GradebookFile:
    return canvas_table.render(
        records,
        columns=people.columns,
        rows={person.student: person.row for person in people.people},
        points_possible=people.points_possible,
        names=names,
        separator=people.separator,
    )


def imported(people: roster.Roster, *records: Record, names: tuple[str, ...] = ("A toy", "toy")) -> str:
    return file(people, *records, names=names).text


def cells(text: str, separator: str = ",") -> dict[str, str]:
    """Return the cell of the assignment of every student in the file."""
    return {row[0]: row[-1] for row in list(csv.reader(io.StringIO(text), delimiter=separator))[2:]}


def of(student: str, **changes: object) -> Record:
    return Record(graded_example(student).model_copy(update=changes))


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


# Who is left as they are

CLASS = """\
Student,ID,SIS Login ID,Section,toy (12345)
    Points Possible,,,,12.50
"Excused, Eva",1,eva,A,EX
"Scored, Sam",2,sam,A,3.00
"Absent, Abe",3,abe,A,
"Undecided, Una",4,una,A,
"Cut, Cem",5,cem,A,
"Later, Lou",6,lou,A,7.00
"Decided, Dan",7,dan,A,
"""


def unfinished(student: str) -> Record:
    result = graded_example(student)
    feedback = Feedback(summary=CUT_OFF)
    cut = result.tests[0].model_copy(update={"status": Status.crashed, "feedback": feedback})
    return Record(result.model_copy(update={"tests": [cut, *result.tests[1:]]}))


def of_the_class() -> list[Record]:
    decided = Override(points=4, reason="an oral exam", by="Grace", at=datetime(2026, 3, 1, tzinfo=UTC))
    return [
        replace(of("eva"), excused=True),
        of("sam"),
        of("abe", handed_in="nothing", score=0.0),
        of("una", handed_in="undecided", score=0.0),
        unfinished("cem"),
        replace(of("dan", handed_in="nothing", score=0.0), overrides=(decided,)),
        of("stranger"),
    ]


def test_who_is_left_as_they_are_in_canvas(tmp_path: Path) -> None:
    found = file(exported(tmp_path, CLASS), *of_the_class())
    assert cells(found.text) == {"Excused, Eva": "EX", "Scored, Sam": "5", "Decided, Dan": "4"}
    assert found.points == 2
    assert standing.count_standings(found.left) == (
        "1 excused, 2 without a submission, 1 waiting for your decision, 1 not graded to the end"
    )
    assert found.strangers == ("stranger",)


def test_nothing_handed_in_is_0_only_if_that_is_asked_for(tmp_path: Path) -> None:
    records = [replace(record, missing_as_zero=True) for record in of_the_class()]
    found = file(exported(tmp_path, CLASS), *records)
    assert cells(found.text) == {
        "Excused, Eva": "EX",
        "Scored, Sam": "5",
        "Absent, Abe": "0",
        "Decided, Dan": "4",
    }


def test_canvas_with_semicolons_gets_semicolons(tmp_path: Path) -> None:
    people = roster.read(Path(__file__).parents[2] / "intake" / "rosters" / "canvas-semicolons.csv")
    found = file(people, of("apark"), replace(of("zmueller"), excused=True), names=("Übung 1, Teil a",))
    assert found.text.splitlines()[:2] == [
        "Student;ID;SIS User ID;SIS Login ID;Section;Übung 1, Teil a (12345)",
        "    Points Possible;;;;;100,00",
    ]
    assert cells(found.text, ";") == {"Müller, Zoë": "EX", "Park, Ada": "5"}


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("canvas-first-and-last-names.csv", "LastName,FirstName,ID,SIS Login ID,Section,knn (12345)"),
        (
            "canvas-all-identifiers.csv",
            "Student,ID,SIS User ID,SIS Login ID,Integration ID,Root Account,Section,knn (12345)",
        ),
    ],
)
def test_every_column_by_which_canvas_knows_a_student_goes_back(name: str, header: str) -> None:
    people = roster.read(Path(__file__).parents[2] / "intake" / "rosters" / name)
    found = file(people, of("apark"), names=("knn",)).text.splitlines()
    assert found[0] == header
    assert found[1].startswith("    Points Possible,")
    assert "4711" in found[-1]


def test_titles_with_commas_quotes_and_lines_are_found(tmp_path: Path) -> None:
    files = Path(__file__).parents[2] / "intake" / "rosters"
    columns = roster.read(files / "canvas.csv").columns
    assert canvas_table.find_column(columns, ["nearest  neighbors, AND more"]) == columns[6]
    assert canvas_table.find_column(columns, ['The "final" one']) == columns[7]
    columns = roster.read(files / "canvas-saved-by-excel.csv").columns
    assert canvas_table.find_column(columns, ["Distances and votes"]) == columns[5]


def test_the_number_of_an_assignment_is_a_name_of_it() -> None:
    columns = ["Student", "knn (1)", "knn (2)", "Other (3)"]
    assert canvas_table.find_columns(columns, ["A title", "knn"]) == ["knn (1)", "knn (2)"]
    assert canvas_table.find_columns(columns, ["2", "knn"]) == ["knn (2)"]


@pytest.mark.parametrize("column", ["toy", "toy 12345", "toy (abc)", "my toy (1)", "toys (1)"])
def test_other_columns_are_no_match(column: str) -> None:
    assert canvas_table.find_column(["Student", column], ["toy"]) is None


# Canvas' own rules

KINDS = st.sampled_from(["work", "nothing", "undecided", "cut", "decided", "gone"])
CELLS = st.sampled_from(["", "EX", "ex", "3.00", "87,5"])
STUDENTS = st.lists(st.tuples(KINDS, CELLS, CELLS), min_size=1, max_size=6)


def student_of(kind: str, name: str) -> Record | None:
    decided = Override(points=4, reason="oral", by="Grace", at=datetime(2026, 3, 1, tzinfo=UTC))
    if kind == "gone":
        return None
    if kind == "cut":
        return unfinished(name)
    record = of(name, handed_in="nothing" if kind == "decided" else kind)
    return replace(record, overrides=(decided,)) if kind == "decided" else record


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    students=STUDENTS,
    title=st.sampled_from(["A toy", "a  TOY", 'toy, or "game"', "Other"]),
    two_names=st.booleans(),
    separator=st.sampled_from([",", ";"]),
    as_zero=st.booleans(),
)
def test_canvas_has_new_points_for_final_work_and_everything_else_as_it_was(
    tmp_path: Path,
    students: list[tuple[str, str, str]],
    title: str,
    two_names: bool,
    separator: str,
    as_zero: bool,
) -> None:
    names = ["LastName", "FirstName"] if two_names else ["Student"]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(
        [*names, "ID", "SIS Login ID", "Section", "Essay, long (5)", f"{title} (7)", "Final Score"]
    )
    writer.writerow(["    Points Possible", *[""] * (len(names) + 2), "9", "12.5", "(read only)"])
    before = {}
    for number, (_, essay, cell) in enumerate(students, 100):
        name = ["Park", f"A{number}"] if two_names else [f"Park, A{number}"]
        writer.writerow([*name, number, f"s{number}", "Lab 1", essay, cell, ""])
        before[number] = {5: essay, 7: cell}
    gradebook = CanvasGradebook({5: "Essay, long", 7: title}, {key: dict(row) for key, row in before.items()})
    people = exported(tmp_path, text.getvalue())
    known = ("A toy", "toy", 'Toy, or "game"')
    found = [student_of(kind, f"s{number}") for number, (kind, _, _) in enumerate(students, 100)]
    records = [
        replace(
            one,
            missing_as_zero=as_zero,
            excused=canvas_table.is_excused(people.people[place].row[f"{title} (7)"]),
        )
        for place, one in enumerate(found)
        if one is not None
    ]
    gradebook.take(file(people, *records, names=known).text)
    assigned = 8 if title == "Other" else 7
    assert gradebook.created == (["A toy"] if title == "Other" else [])
    for number, (kind, essay, cell) in enumerate(students, 100):
        assert gradebook.cells[number][5] == essay
        now = gradebook.cells[number].get(assigned, "")
        was = cell if assigned == 7 else ""
        if cell.upper() == "EX":
            assert now == ("EX" if assigned == 7 else now)
        elif kind == "work" or kind == "decided":
            assert now == ("5" if kind == "work" else "4")
        elif kind == "nothing" and as_zero:
            assert now == "5", "the score of the example, where nothing is 0"
        else:
            assert now == was


def test_answers_count_once_all_of_them_are_scored(tmp_path: Path) -> None:
    answer = made.answer()
    scored = Record(graded_example("ada"), written=(WrittenAnswer(answer, made.mark(3, answer)),))
    waiting = Record(graded_example("bruno"), written=(WrittenAnswer(answer),))
    unknown = Record(graded_example("eve"), written=(WrittenAnswer(answer),))
    people = exported(tmp_path)

    def column(*records: Record) -> list[str]:
        table = csv.reader(io.StringIO(imported(people, *records, names=("New",))))
        return [row[-1] for row in table]

    assert column(scored, waiting) == ["New", "12.5", "5", "5"]
    assert column(scored, unknown) == ["New", "16.5", "8"]
