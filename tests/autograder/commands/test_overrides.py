"""`autograder override`: what it refuses, what it says, and what the student reads afterwards."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from autograder.commands import overrides
from autograder.commands.main import app
from autograder.course import Course
from autograder.errors import ConfigError
from autograder.graded.folder import GradedFolder


@pytest.fixture
def graded(course: Course, class_folder: Path, tmp_path: Path, open_engine: Any) -> GradedFolder:
    """Return the folder of a class: ada has all 12.5 points, bob none, eve handed in nothing."""
    words = ["grade", "toy", str(class_folder), "-o", str(tmp_path / "graded"), "--course", str(course.root)]
    assert CliRunner().invoke(app, words, obj=open_engine).exit_code == 0
    return GradedFolder(tmp_path / "graded")


@pytest.fixture
def override(graded: GradedFolder, course: Course, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the command where no environment variable names the user."""
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, ["override", str(graded.root), *words, "--course", str(course.root)])

    return run


WHY = ("--reason", "agreed", "--by", "Grace")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--points and --reason are missing; add --points and --reason, or --remove"),
        (("--points", "3"), "--reason is missing; add --reason, or --remove"),
        (("--points", "3", "--reason", " ", "--by", "Grace"), "--reason is missing; add --reason"),
    ],
)
def test_what_is_missing_is_named(override: Any, words: tuple[str, ...], told: str) -> None:
    done = override("bob", *words)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"error: override: {told}")
    assert done.stderr.count("\n") == 1


def test_an_override_is_signed_by_the_name_that_the_system_knows(override: Any, graded: GradedFolder) -> None:
    name = pwd.getpwuid(os.getuid()).pw_name
    assert override("bob", "--points", "3", "--reason", "agreed").exit_code == 0
    assert [one.by for one in graded.overrides("bob")] == [name]


def test_where_the_system_knows_no_name_it_is_asked_for() -> None:
    with pytest.raises(ConfigError, match="--by is missing; add --by, or --remove"):
        overrides._require_complete(3.0, "agreed", "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("--points", "12.6"),
            "12.6 points are more than the assignment is worth, extra credit included; give at most 12.5",
        ),
        (("--points", "1000000"), "1000000 points are more than the assignment is worth"),
        (("--points", "inf"), "inf points are more than the assignment is worth"),
        (
            ("--points", "3", "--task", "second"),
            "3 points are more than the task second is worth; give at most 2.5",
        ),
    ],
)
def test_more_points_than_there_are_is_refused(
    override: Any, graded: GradedFolder, words: tuple[str, ...], told: str
) -> None:
    done = override("bob", *words, *WHY)
    assert done.exit_code == 2
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert graded.overrides("bob") == ()


def test_extra_credit_is_part_of_the_most(override: Any, course: Course) -> None:
    file = course.root / "solutions/toy/assignment.toml"
    file.write_text(file.read_text() + "extra = true\n")
    done = override("bob", "--points", "12.5", *WHY)
    assert done.exit_code == 0, done.output


def test_the_page_begins_with_what_was_decided(override: Any, graded: GradedFolder) -> None:
    done = override("eve", "--points", "9", *WHY)
    assert done.stdout == "eve: 9 of 12.5 points\n"
    for form in ("html", "md"):
        page = graded.feedback_file("eve", form).read_text()
        assert "Nothing could be checked" not in page
        assert (
            page.index("9 of 12.5 points, decided by Grace")
            < page.index("agreed")
            < page.index("No check ran")
        )
    report = graded.class_report.read_text()
    assert "Nothing could be checked" not in report


def test_an_override_of_a_task_leads_where_no_check_ran(override: Any, graded: GradedFolder) -> None:
    assert override("eve", "--points", "2", "--task", "second", *WHY).exit_code == 0
    page = graded.feedback_file("eve", "md").read_text()
    assert "The second task: 2 of 2.5 points, decided by Grace" in page
    assert override("bob", "--points", "2", "--task", "second", *WHY).exit_code == 0
    assert "No check ran" not in graded.feedback_file("bob", "md").read_text()


def test_what_intake_said_stays_in_the_report(
    override: Any, course: Course, class_folder: Path, tmp_path: Path, open_engine: Any
) -> None:
    (class_folder / "leftover.txt").write_text("")
    words = ["grade", "toy", str(class_folder), "-o", str(tmp_path / "graded"), "--course", str(course.root)]
    assert CliRunner().invoke(app, words, obj=open_engine).exit_code == 0
    folder = GradedFolder(tmp_path / "graded")
    assert folder.notes()
    override("bob", "--points", "2", *WHY)
    assert "leftover.txt" in folder.class_report.read_text()


def test_removing_what_is_not_there_is_told(override: Any, graded: GradedFolder) -> None:
    assert "there is no override of the whole score to remove" in override("bob", "--remove").stderr
    override("bob", "--points", "2", *WHY)
    assert override("bob", "--remove").exit_code == 0
    assert graded.overrides("bob") == ()
