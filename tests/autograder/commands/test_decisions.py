"""Decisions are about a hand-in, by whatever name people know it, and hold with a roster and without."""

from __future__ import annotations

import shlex
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.commands.main import app
from autograder.course import Course
from autograder.course.assignment import load
from autograder.intake import ClassHandin, read_class, roster
from tests.conftest import Run

ROSTER = "Student,ID,SIS User ID,SIS Login ID,Section,A toy (77)\n" + "".join(
    f'"{name}",{number},s{number},{login},A,\n'
    for name, number, login in (
        ("Park, Ada", 4711, "apark"),
        ("Novak, Petra", 4719, "pnovak"),
        ("Okafor, Chidi", 4713, "cokafor"),
        ("Diaz, Elena", 4723, "ediaz"),
    )
)
GUEST = "guestgerd_4799_90012_toy.py"


@pytest.fixture
def download(tmp_path: Path) -> Path:
    """Return a download from Canvas: a guest, a zip with two versions, and two attempts."""
    folder = tmp_path / "canvas" / "toy"
    folder.mkdir(parents=True)
    (tmp_path / "roster.csv").write_text(ROSTER)
    (folder / "parkada_4711_90001_toy.py").write_text("pass")
    (folder / GUEST).write_text("pass")
    for name, versions in {"novakpetra_LATE_4719_90009_hw.zip": ("v1", "v2")}.items():
        with zipfile.ZipFile(folder / name, "w") as archive:
            for version in versions:
                archive.writestr(f"{version}/toy.py", f"{version} = 1")
    with zipfile.ZipFile(folder / "okaforchidi_4713_90003_Homework 2 final (1).zip", "w") as archive:
        archive.writestr("toy.py", "first = 1")
    (folder / "okaforchidi_LATE_4713_90023_toy-1.py").write_text("second = 1")
    return folder


def both(download: Path, course: Course) -> tuple[ClassHandin, ClassHandin]:
    """Return the class as it is read with the roster, and without."""
    toy = load(course, "toy")
    people = roster.read(download.parent.parent / "roster.csv")
    return read_class(download, toy, people), read_class(download, toy)


def file_of(handin: ClassHandin, student: str) -> dict[str, bytes]:
    """Return the files that are taken for a student."""
    return dict(next(one for one in handin.submissions if one.student == student).files)


def options(download: Path, with_roster: bool) -> list[str]:
    """Return the option that names the roster, or none."""
    return ["--roster", str(download.parent.parent / "roster.csv")] if with_roster else []


@pytest.mark.parametrize("with_roster", [True, False])
@pytest.mark.parametrize("name", ["guestgerd_4799", GUEST, "4799", "guestgerd"])
def test_a_hand_in_goes_by_every_name(
    run: Run, download: Path, course: Course, name: str, with_roster: bool
) -> None:
    chosen = options(download, with_roster)
    done = run("map", "toy", download, name, "--student", "ediaz", *chosen)
    assert done.exit_code == 0, done.output
    for handin in both(download, course):
        students = [one.student for one in handin.submissions if not one.absent]
        assert "ediaz" in students
        assert "guestgerd_4799" not in students
        assert handin.stale == ()
    assert run("map", "toy", download, name, "--forget", *chosen).exit_code == 0
    assert run("map", "toy", download, name, "--ignore", *chosen).exit_code == 0
    for handin in both(download, course):
        assert not [one for one in handin.submissions if "guest" in one.student]
        assert handin.stale == ()
    assert run("map", "toy", download, name, "--forget", *chosen).exit_code == 0
    for handin in both(download, course):
        assert "guestgerd_4799" in [one.student for one in handin.submissions]


@pytest.mark.parametrize(
    ("student", "with_roster"),
    [
        ("pnovak", True),  # without a roster nothing tells who that is
        ("novakpetra_4719", True),
        ("novakpetra_4719", False),
        ("4719", True),
        ("4719", False),
    ],
)
def test_a_hand_in_is_given_to_somebody_who_has_another(
    run: Run, download: Path, course: Course, student: str, with_roster: bool
) -> None:
    done = run("map", "toy", download, GUEST, "--student", student, *options(download, with_roster))
    assert done.exit_code == 0, done.output
    for handin, called in zip(both(download, course), ("pnovak", "novakpetra_4719"), strict=True):
        petra = next(one for one in handin.submissions if one.student == called)
        assert len(petra.attempts) == 2
        assert "guestgerd_4799" not in [one.student for one in handin.submissions]


@pytest.mark.parametrize(
    ("name", "with_roster"),
    [
        ("pnovak", True),
        ("novakpetra_4719", True),
        ("novakpetra_4719", False),
        ("novakpetra_LATE_4719_90009_hw.zip", True),
        ("novakpetra_LATE_4719_90009_hw.zip", False),
    ],
)
def test_a_choice_holds_with_the_roster_and_without(
    run: Run, download: Path, course: Course, name: str, with_roster: bool
) -> None:
    done = run("map", "toy", download, name, "v2/toy.py", *options(download, with_roster))
    assert done.exit_code == 0, done.output
    named, plain = both(download, course)
    assert file_of(named, "pnovak") == file_of(plain, "novakpetra_4719") == {"toy.py": b"v2 = 1"}
    assert named.stale == plain.stale == ()


@pytest.mark.parametrize("command", ["grade", "intake"])
@pytest.mark.parametrize("with_roster", [True, False])
def test_the_line_that_decides_can_be_pasted(
    run: Run, download: Path, course: Course, tmp_path: Path, command: str, with_roster: bool
) -> None:
    output = ["-o", tmp_path / "graded"] if command == "grade" else []
    shown = run(command, "toy", download, *output, *options(download, with_roster))
    (row,) = [one for one in shown.stderr.splitlines() if "choose with" in one]
    words = shlex.split(row.partition("choose with: ")[2])
    assert words[0] == "autograder"
    pasted = CliRunner().invoke(app, words[1:])
    assert pasted.exit_code == 0, pasted.output
    for handin, student in zip(both(download, course), ("pnovak", "novakpetra_4719"), strict=True):
        assert file_of(handin, student) == {"toy.py": b"v1 = 1"}
    assert "choose with" not in run(command, "toy", download, *output, *options(download, True)).stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            (GUEST, "--student", "xyz"),
            "roster.csv: no student on it is called xyz; choose one of: apark; pnovak",
        ),
        (("xyz", "--forget"), "no hand-in is called xyz; choose one of: apark; cokafor; "),
        (("ediaz", "--ignore"), "no hand-in is called ediaz; choose one of: apark; cokafor; "),
        (
            ("pnovak", "nope.py", "--as", "toy.py"),
            "pnovak has no file nope.py; choose one of: v1/toy.py; v2/toy.py",
        ),
        (("apark", "nope.py"), "apark has no file nope.py; choose one of: toy.py"),
    ],
)
def test_impossible_decisions_are_one_line(
    run: Run, download: Path, words: tuple[str, ...], says: str
) -> None:
    failed = run("map", "toy", download, *words, *options(download, True))
    assert failed.exit_code == 2
    (row,) = failed.stderr.splitlines()
    assert says in row
    assert not (download.parent / "decisions.toml").exists()


def test_a_decision_about_what_is_gone_is_forgotten(run: Run, download: Path) -> None:
    assert run("map", "toy", download, GUEST, "--ignore").exit_code == 0
    (download / GUEST).unlink()
    assert run("map", "toy", download, GUEST, "--forget").exit_code == 0
    assert GUEST not in (download.parent / "decisions.toml").read_text()
    again = run("map", "toy", download, "apark", "--forget", *options(download, True))
    assert "there was no decision about apark" in again.stdout


def test_one_name_everywhere(run: Run, download: Path, course: Course) -> None:
    named, plain = both(download, course)
    assert "Not on the roster, but graded: guestgerd_4799." in named.notes
    before = "before: okaforchidi_4713_90003_Homework 2 final (1).zip."
    counts = f"handed in 2 times; the latest counts: okaforchidi_LATE_4713_90023_toy-1.py; {before}"
    assert f"cokafor {counts}" in named.notes
    assert f"okaforchidi_4713 {counts}" in plain.notes


def test_who_is_excused_is_not_missed(run: Run, download: Path, tmp_path: Path) -> None:
    people = tmp_path / "roster.csv"
    people.write_text(ROSTER + '"Berg, Olaf",4724,s4724,oberg,A,EX\n')
    shown = run("intake", "toy", download, "--roster", people)
    assert "Nothing was handed in by Diaz, Elena." in shown.stderr
    assert "oberg: excused: " in shown.stdout
    graded = run("grade", "toy", download, "-o", tmp_path / "graded", "--roster", people)
    assert "Nothing was handed in by Diaz, Elena." in graded.stderr
    assert "Nothing was handed in by Diaz, Elena." in (tmp_path / "graded" / "notes.json").read_text()
