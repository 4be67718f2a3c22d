"""A course in a folder of its own is whole: released and graded as it is made, and nothing is overwritten."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from autograder.authoring import course_folder
from autograder.commands.main import app
from autograder.course import ROOT_VARIABLE, Course
from autograder.course import assignment as assignments

STUDENT = "submissions/warm_up/{}/warm_up.py"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in an empty folder, with no course around it."""
    monkeypatch.delenv(ROOT_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)


def autograder(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def test_start_release_and_grade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference gets every point, and the stub that students receive none."""
    started = autograder("start", "deep-learning")
    assert started.exit_code == 0, started.output
    assert started.stdout.splitlines()[-1] == "Next: cd deep-learning && make check"
    root = tmp_path / "deep-learning"
    listed = {str(path.relative_to(tmp_path)) for path in root.rglob("*") if path.is_file()}
    assert set(started.stdout.splitlines()[:-1]) == listed
    monkeypatch.chdir(root)
    released = autograder("release")
    assert released.exit_code == 0, released.output
    assert (root / "dist" / "student" / "assignments" / "warm_up" / "warm_up.ipynb").is_file()
    for student, source in {"ada": "solutions/warm_up", "stub": "assignments/warm_up"}.items():
        place = root / STUDENT.format(student)
        place.parent.mkdir(parents=True)
        place.write_bytes((root / source / "warm_up.py").read_bytes())
    graded = autograder("grade", "warm_up", "submissions/warm_up", "--output", "graded/warm_up")
    assert graded.exit_code == 0, graded.output
    scores = {
        path.stem: json.loads(path.read_text())["score"] for path in Path("graded/warm_up/results").iterdir()
    }
    assert scores == {"ada": 10, "stub": 0}
    assert autograder("release", "--check").stdout == "assignments/ is up to date\n"
    assert autograder("calibrate", "warm_up").stdout == "warm_up: the suite uses no thresholds.\n"


def test_suites_lie_where_the_course_says(tmp_path: Path) -> None:
    course_folder.write(tmp_path / "course")
    course = Course.load(tmp_path / "course")
    assert course.suite("warm_up") == tmp_path / "course" / "suites" / "warm_up"
    assert assignments.load(course, "warm_up").suite == course.suite("warm_up")
    assert autograder("new", "softmax", "--course", "course").exit_code == 0
    assert (course.suite("softmax") / "test_hidden.py").is_file()
    assert not (course.root / "autograder").exists()


@pytest.mark.parametrize("place", ["/suites", "../suites", ".", "", "assignments", "dist/suites", "a\\\\b"])
def test_suites_never_lie_outside_or_where_releases_are_made(tmp_path: Path, place: str) -> None:
    (tmp_path / "course.toml").write_text(f'name = "New"\ntimezone = "UTC"\nsuites = "{place}"\n')
    refused = autograder("new", "softmax")
    assert refused.exit_code == 2
    assert "`suites`" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ['Netze "2027"', "Réseaux \\ de neurones", "深度学习", " Deep  learning "])
def test_any_name_of_a_course_is_kept(tmp_path: Path, name: str) -> None:
    assert autograder("start", "course", "--name", name).exit_code == 0
    assert Course.load(tmp_path / "course").name == name.strip()
    assert (tmp_path / "course" / "README.md").read_text().startswith(f"# {name.strip()}\n")


def test_a_course_is_called_as_its_folder_unless_it_has_a_name(tmp_path: Path) -> None:
    course_folder.write(tmp_path / "deep-learning_2027")
    assert Course.load(tmp_path / "deep-learning_2027").name == "Deep learning 2027"


def test_recipes_call_the_command_and_hold_no_logic(tmp_path: Path) -> None:
    course_folder.write(tmp_path / "course")
    lines = (tmp_path / "course" / "Makefile").read_text().splitlines()
    recipes = [line for line in lines if line.startswith("\t") and "MAKEFILE_LIST" not in line]
    assert recipes
    assert all(re.fullmatch(r"\t@\$\(AUTOGRADER\) [a-z]+[^;&|`]*", recipe) for recipe in recipes)
    known = autograder("--help").stdout
    assert all(f" {recipe.split()[1]} " in known for recipe in recipes)
    assert len((tmp_path / "course" / "README.md").read_text().splitlines()) <= 20


def test_git_never_sees_the_secret_nor_what_students_handed_in(tmp_path: Path) -> None:
    course_folder.write(tmp_path)
    Course.load(tmp_path).secret()
    for place in (STUDENT.format("ada"), "graded/warm_up/grades.csv", "dist/student/README.md"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_text("private")
    for token in (".agtoken", ".submitty_token"):
        (tmp_path / token).write_text("private")
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    command = ["git", "-C", str(tmp_path), "ls-files", "--others", "--exclude-standard"]
    seen = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert {path.partition("/")[0] for path in seen} == {
        *("course.toml", "Makefile", ".gitignore", "README.md", "solutions", "suites"),
    }


def test_a_repository_without_a_file_counts_as_empty(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "course")], check=True)
    assert autograder("start", "course").exit_code == 0


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    course_folder.write(tmp_path / "course")
    for folder, says in {
        "full": "full: is not empty: it holds notes.txt; choose a folder that is not there yet",
        "file": "file: is not a folder; choose a folder",
        "file/below": "file/below: is not a folder",
        "course": "course: is a course already; begin an assignment in it: autograder new NAME",
        "/proc/coursegrad": "cannot be written",
    }.items():
        before = sorted(tmp_path.rglob("*"))
        done = autograder("start", folder)
        assert (done.exit_code, done.stdout) == (2, "")
        assert says in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert sorted(tmp_path.rglob("*")) == before


def test_without_a_course_one_line_says_how_to_make_one() -> None:
    for command in ("new softmax", "release", "check knn.py", "grade knn . --output graded"):
        done = autograder(*command.split())
        assert done.exit_code == 2
        (line,) = done.stderr.splitlines()
        assert "no course.toml here or in a folder above" in line
        assert line.endswith("autograder start FOLDER")
