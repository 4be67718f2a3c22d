"""From notebooks to points that count, on the command line."""

from __future__ import annotations

import csv
import stat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from autograder.commands.main import app
from autograder.course import Course
from autograder.reports.anonymous import pseudonym
from tests.support import written_class as made


@pytest.fixture
def run(course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_engine: Any) -> Any:
    """Return a function that runs a command in the course."""
    monkeypatch.setenv("USER", "grace")
    monkeypatch.chdir(tmp_path)

    def command(*words: object) -> Any:
        arguments = [*map(str, words), "--course", str(course.root)]
        return CliRunner().invoke(app, arguments, obj=open_engine)

    return command


@pytest.fixture
def graded(run: Any, course: Course, tmp_path: Path) -> Path:
    """Return a graded class of three: ada answered, bob did not, eve handed in no notebook."""
    made.add_question(course)
    answers = {"ada": made.answered("Mine."), "bob": made.answered(""), "eve": None}
    folder = made.class_folder(tmp_path / "class", answers)
    done = run("grade", "toy", folder, "-o", tmp_path / "graded")
    assert done.exit_code == 0, done.output
    assert "Written answers: 0 of 3 scored, 2 left empty." in done.output
    assert f"autograder answers {tmp_path / 'graded'}" in done.output.replace("\n", "")
    return tmp_path / "graded"


def table(folder: Path, text: str) -> Path:
    path = folder / "scores.csv"
    path.write_text(text)
    return path


def rows(graded: Path) -> dict[str, dict[str, str]]:
    with (graded / "grades.csv").open(newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def test_before_anybody_scored(run: Any, graded: Path) -> None:
    ada = rows(graded)["ada"]
    assert (ada["score"], ada["max_score"]) == ("12.5", "12.5")
    assert (ada["why-sums"], ada["written"], ada["total"]) == ("not scored yet",) * 3
    assert (ada["max_written"], ada["max_total"]) == ("4", "16.5")
    page = (graded / "feedback" / "ada.html").read_text()
    assert "Written answers, worth 4 points: not scored yet." in page
    assert "Score: 12.5 of 12.5 points" in page
    assert "Written answers not scored yet" in (graded / "report.html").read_text()


def test_pages_are_private_and_without_names_unless_told_otherwise(
    run: Any, graded: Path, course: Course
) -> None:
    done = run("answers", graded)
    page = graded / "questions" / "why-sums.html"
    assert done.stdout.split() == [str(page)]
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert pseudonym(course.secret(), "ada") in page.read_text()
    assert "ada" not in page.read_text().replace(str(graded), "")
    run("answers", graded, "--names")
    assert 'data-student="ada"' in page.read_text()


def test_scores_count_in_gradebook_and_feedback(
    run: Any, graded: Path, course: Course, tmp_path: Path
) -> None:
    hidden = pseudonym(course.secret(), "ada")
    text = f"student,question,points,comment\n{hidden},why-sums,3.5,Nearly.\nbob,why-sums,0,\n"
    done = run("answers", graded, "--import", table(tmp_path, text))
    assert done.exit_code == 0, done.output
    assert "scores: 2 new, 0 replaced, 0 as before" in done.stdout
    assert "Written answers: 2 of 3 scored, 1 left empty." in done.stderr
    found = rows(graded)
    assert [found["ada"][name] for name in ("score", "why-sums", "written", "total")] == [
        "12.5",
        "3.5",
        "3.5",
        "16",
    ]
    assert [found["bob"][name] for name in ("why-sums", "total")] == ["0", "12.5"]
    assert found["eve"]["total"] == "not scored yet"
    page = (graded / "feedback" / "ada.html").read_text()
    assert "Together: 16 of 16.5 points." in page
    assert "Scored by grace" in page
    assert "Nearly." in page
    assert stat.S_IMODE((graded / "scores" / "ada.json").stat().st_mode) == 0o600


def test_scores_survive_a_regrade_and_a_changed_answer_is_marked(
    run: Any, graded: Path, course: Course, tmp_path: Path
) -> None:
    run("answers", graded, "--import", table(tmp_path, "student,question,points\nada,why-sums,3\n"))
    (tmp_path / "class" / "ada" / "toy.ipynb").write_bytes(made.answered("Another."))
    for options in ((), ("--force", "--accept")):
        assert run("grade", "toy", tmp_path / "class", "-o", graded, *options).exit_code == 0
        ada = rows(graded)["ada"]
        assert (ada["total"], ada["notes"]) == ("15.5", "Why sums: the answer changed since it was scored.")
        assert "Your answer changed since it was scored." in (graded / "feedback" / "ada.html").read_text()
        assert "Answers changed since they were scored" in (graded / "report.html").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("student,question,points\nbob,why-sums,1\nzoe,why-sums,1\n", "row 3: there is no student 'zoe'"),
        ("student,question,points\nbob,why-sums,1\nada,why-sums,9\n", "'why-sums' is worth at most 4"),
        ("student,question,points\nbob,why-sums,1\nada,why,1\n", "there is no question 'why'"),
        ("student,points\nbob,1\n", "has no column 'question'"),
    ],
)
def test_a_wrong_table_changes_nothing(
    text: str, message: str, run: Any, graded: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in graded.rglob("*") if path.is_file()}
    done = run("answers", graded, "--import", table(tmp_path, text))
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert {path: path.read_bytes() for path in graded.rglob("*") if path.is_file()} == before


def test_reports_without_names_count_them_too(run: Any, graded: Path, course: Course, tmp_path: Path) -> None:
    run(
        "answers",
        graded,
        "--import",
        table(tmp_path, "student,question,points,comment\nada,why-sums,3,Ada!\n"),
    )
    assert run("report", graded, "--anonymous").exit_code == 0
    hidden = rows(graded / "anonymous")[pseudonym(course.secret(), "ada")]
    assert (hidden["why-sums"], hidden["total"], hidden["notes"]) == ("3", "15.5", "")
    for path in (graded / "anonymous").rglob("*.*"):
        assert "Ada!" not in path.read_text()
        assert "Mine." not in path.read_text()


def test_an_assignment_without_questions(run: Any, class_folder: Path, tmp_path: Path) -> None:
    run("grade", "toy", class_folder, "-o", tmp_path / "graded")
    done = run("answers", tmp_path / "graded")
    assert done.exit_code == 2
    assert "toy: has no questions that people score; state them in" in done.stderr


def test_a_class_graded_before_it_had_questions(
    run: Any, course: Course, class_folder: Path, tmp_path: Path
) -> None:
    run("grade", "toy", class_folder, "-o", tmp_path / "graded")
    made.add_question(course)
    done = run("answers", tmp_path / "graded")
    assert (done.exit_code, done.stderr) == (0, "no answers: grade the class again to find them\n")


def test_points_of_a_question_are_no_override(run: Any, graded: Path) -> None:
    done = run("override", graded, "ada", "--task", "why-sums", "--points", 1, "--reason", "so")
    assert done.exit_code == 2
    assert "autograder answers" in done.stderr
