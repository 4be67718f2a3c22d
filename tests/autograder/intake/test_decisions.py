"""What instructors decide about hand-ins in doubt is kept beside the class and obeyed by every run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from autograder.commands.main import app
from autograder.course import Course
from autograder.course.assignment import load
from autograder.errors import ConfigError
from autograder.intake import decisions, read_class, read_one
from autograder.intake.decisions import Decisions


@pytest.fixture
def run(course: Course, open_engine: Any) -> Any:
    """Return a function that runs the command line with an engine that runs nothing."""

    def run(*words: object) -> Any:
        arguments = [*map(str, words), "--course", str(course.root)]
        if words[0] in ("grade", "check"):
            arguments.append("--allow-weak-sandbox")
        return CliRunner().invoke(app, arguments, obj=open_engine)

    return run


@pytest.fixture
def doubtful(class_folder: Path) -> Path:
    """Return a class in which rob handed in two files, and another entry is sam's second."""
    for name, word in {"final": "pass", "old": "fail"}.items():
        (class_folder / "rob" / name).mkdir(parents=True)
        (class_folder / "rob" / name / "toy.py").write_text(word)
    (class_folder / "Sam (2)").mkdir()
    (class_folder / "Sam (2)" / "toy.py").write_text("pass")
    return class_folder


def scores(output: Path) -> dict[str, str]:
    """Return the gradebook's scores by student."""
    rows = (output / "grades.csv").read_text().splitlines()
    return {row.split(",")[0]: row.split(",")[2] for row in rows[1:]}


def test_a_decision_is_asked_for_made_and_kept(
    run: Any, doubtful: Path, tmp_path: Path, course: Course
) -> None:
    output = tmp_path / "graded"
    before = run("grade", "toy", doubtful, "-o", output)
    assert "1 waits for your decision:" in before.stderr
    assert "- rob: final/toy.py or old/toy.py" in before.stderr
    command = f"  choose with: autograder map toy {doubtful} rob final/toy.py --course {course.root}"
    assert command in before.stderr.splitlines()
    assert scores(output)["rob"] == ""
    decided = run("map", "toy", doubtful, "rob", "final/toy.py")
    assert decided.exit_code == 0, decided.output
    text = (doubtful.parent / "decisions.toml").read_text()
    assert '"rob/toy.py" = "final/toy.py"' in text
    assert text.startswith("# Decisions about hand-ins")
    after = run("grade", "toy", doubtful, "-o", output)
    assert "waits for your decision" not in after.stderr
    assert scores(output)["rob"] == "12.5"
    result = json.loads((output / "results" / "rob.json").read_text())
    assert "toy.py is final/toy.py, as an instructor decided." in result["notes"]


def test_whose_a_hand_in_is(run: Any, doubtful: Path, course: Course) -> None:
    assert run("map", "toy", doubtful, "Sam (2)", "--student", "sam").exit_code == 0
    assert run("map", "toy", doubtful, "rob", "--ignore").exit_code == 0
    handin = read_class(doubtful, load(course, "toy"))
    assert [one.student for one in handin.submissions] == ["ada", "bob", "eve", "sam"]
    assert handin.notes == ("Sam (2) is sam's, as decisions.toml says.",)
    assert run("map", "toy", doubtful, "rob", "--forget").exit_code == 0
    assert run("map", "toy", doubtful, "Sam (2)", "--forget").exit_code == 0
    students = [one.student for one in read_class(doubtful, load(course, "toy")).submissions]
    assert students == ["Sam (2)", "ada", "bob", "eve", "rob"]


def test_a_file_that_belongs_to_nobody_is_given_to_a_student(
    run: Any, doubtful: Path, course: Course
) -> None:
    (doubtful / "scan.pdf").write_bytes(b"%PDF")
    assert run("map", "toy", doubtful, "scan.pdf", "--student", "ulf").exit_code == 0
    found = {one.student: one for one in read_class(doubtful, load(course, "toy")).submissions}
    assert "scan.pdf" in str(found["ulf"].problem)


def test_comments_of_people_stay(run: Any, doubtful: Path) -> None:
    run("map", "toy", doubtful, "rob", "final/toy.py")
    path = doubtful.parent / "decisions.toml"
    path.write_text(path.read_text() + '# agreed in the office hour\n\n[other.files]\n"x/y.py" = "z.py"\n')
    run("map", "toy", doubtful, "Sam (2)", "--student", "sam")
    text = path.read_text()
    assert "# agreed in the office hour" in text
    assert '"x/y.py" = "z.py"' in text
    assert Decisions.of(doubtful).students == {"Sam (2)": "sam"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("rob", "new/toy.py"), "has no file new/toy.py; choose one of: final/toy.py; old/toy.py"),
        (("nobody", "final/toy.py"), "no hand-in is called nobody; choose one of: "),
        (("nobody", "--ignore"), "no hand-in is called nobody"),
        (("rob",), "give one of: FILE, --student, --ignore, --forget"),
        (("rob", "final/toy.py", "--ignore"), "give one of: FILE, --student, --ignore, --forget"),
    ],
)
def test_impossible_decisions_are_one_line(
    run: Any, doubtful: Path, words: tuple[str, ...], says: str
) -> None:
    failed = run("map", "toy", doubtful, *words)
    assert failed.exit_code == 2
    (row,) = failed.stderr.splitlines()
    assert says in row
    assert not (doubtful.parent / "decisions.toml").exists()


def test_a_decision_that_has_become_stale_is_said_and_does_no_harm(
    run: Any, doubtful: Path, course: Course
) -> None:
    run("map", "toy", doubtful, "rob", "final/toy.py")
    (doubtful / "rob" / "final" / "toy.py").rename(doubtful / "rob" / "toy.py")
    handin = read_class(doubtful, load(course, "toy"))
    assert handin.stale == (f"{doubtful.parent}/decisions.toml: rob has no file final/toy.py; correct it.",)
    rob = next(one for one in handin.submissions if one.student == "rob")
    assert rob.files == {"toy.py": b"pass"}


@pytest.mark.parametrize(
    "text", ["[class", "[class]\nfile = 1\n", "class = 1\n", "[class.files]\na = 1\n", "\xff"]
)
def test_a_damaged_file_is_one_line(doubtful: Path, course: Course, text: str) -> None:
    (doubtful.parent / "decisions.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"decisions\.toml"):
        read_class(doubtful, load(course, "toy"))


def test_checking_one_submission_obeys(run: Any, doubtful: Path, course: Course) -> None:
    run("map", "toy", doubtful, "rob", "final/toy.py")
    assert read_one(doubtful / "rob", load(course, "toy")).files == {"toy.py": b"pass"}
    assert "as an instructor decided" in run("check", doubtful / "rob", "--assignment", "toy").stdout


def test_names_of_any_kind_are_written_and_read(doubtful: Path) -> None:
    odd = {'a"b\\c/toy.py': "x\u2028y [1] #.py", "Jörg = Ö/toy.py": "ü.py"}
    decisions.write(doubtful, Decisions.of(doubtful).change(files=odd, ignore=["a.b", "'"]))
    assert dict(Decisions.of(doubtful).files) == odd
    assert Decisions.of(doubtful).ignore == ("a.b", "'")


def test_intake_shows_everybody(run: Any, doubtful: Path) -> None:
    (doubtful / "kim").mkdir()
    (doubtful / "kim" / "toy (1).py").write_text("pass")
    shown = run("intake", "toy", doubtful)
    assert shown.exit_code == 0
    assert shown.stdout.splitlines() == [
        f"{doubtful} is read as a folder or archive per student.",
        "Sam (2): as asked: toy.py",
        "ada: as asked: toy.py",
        "bob: as asked: toy.py",
        "eve: cannot be graded: toy.py is missing.",
        "kim: found: toy.py was taken from toy (1).py.",
        "rob: waits: Waits for a decision: toy.py could be final/toy.py or old/toy.py.",
        "6 students: 3 as asked, 1 found, 1 waits, 1 cannot be graded.",
    ]
    assert "choose with: autograder map toy" in shown.stderr
    document = json.loads(run("intake", "toy", doubtful, "--json").stdout)
    assert document["students"][5]["candidates"] == ["final/toy.py", "old/toy.py"]
