"""A class is graded result by result; what is on disk is always whole."""

from __future__ import annotations

import csv
import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograder import grading, intake
from autograder.assignment import Assignment, load
from autograder.course import Course
from autograder.errors import ConfigError, EngineError, SuiteError
from autograder.grading import GradedClass
from autograder.results import Status, SubmissionResult


@pytest.fixture
def toy(course: Course) -> Assignment:
    return load(course, "toy")


@pytest.fixture
def grade(course: Course, toy: Assignment, class_folder: Path, tmp_path: Path, open_pool: Any) -> Any:
    """Return a function that grades the class folder as it is now."""

    def run(**options: Any) -> GradedClass:
        submissions = intake.read_class(class_folder, toy).submissions
        settings: dict[str, Any] = {"jobs": 2, "sandbox": "full", "open_pool": open_pool}
        return grading.grade_class(course, toy, submissions, tmp_path / "graded", **settings | options)

    return run


def test_everyone_gets_a_result_a_page_and_a_row(grade: Any) -> None:
    graded = grade()
    assert {result.student: result.score for result in graded.results} == {"ada": 12.5, "bob": 0, "eve": 0}
    for student in ("ada", "bob", "eve"):
        assert graded.folder.feedback_file(student).read_text().startswith("<!doctype html>")
        written = json.loads(graded.folder.result_file(student).read_text())
        assert SubmissionResult.model_validate(written).student == student
    rows = list(csv.DictReader(graded.folder.gradebook.read_text(encoding="utf-8").splitlines()))
    assert [(row["student"], row["score"], row["status"]) for row in rows] == [
        ("ada", "12.5", "graded"),
        ("bob", "0", "graded"),
        ("eve", "0", "not run"),
    ]


def test_a_problem_is_a_result_too(grade: Any) -> None:
    eve = grade().results[2]
    assert {test.status for test in eve.tests} == {Status.not_run}
    assert eve.notes == ["toy.py is missing."]
    assert eve.max_score == 12.5


def test_files_are_private(grade: Any) -> None:
    graded = grade()
    for path in [graded.folder.root, *graded.folder.root.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_provenance_and_time_are_recorded(grade: Any, course: Course) -> None:
    ada = grade().results[0]
    assert ada.provenance.torch == "2.13.0"
    assert ada.provenance.secret == course.secret_id()
    assert ada.seconds == 0.123
    assert ada.sandbox.level == "full"


def test_a_result_is_on_disk_before_it_is_reported(grade: Any, tmp_path: Path) -> None:
    seen = []

    def progress(result: SubmissionResult) -> None:
        assert (tmp_path / "graded" / "results" / f"{result.student}.json").is_file()
        seen.append(result.student)

    grade(progress=progress)
    assert seen == ["eve", "bob", "ada"]


def test_regrading_changes_nothing(grade: Any) -> None:
    before = {path: path.read_bytes() for path in grade().folder.root.rglob("*.*")}
    after = {path: path.read_bytes() for path in grade().folder.root.rglob("*.*")}
    assert before == after
    assert len(after) == 7


def test_stopping_keeps_what_is_done(grade: Any, class_folder: Path, tmp_path: Path) -> None:
    (class_folder / "ada" / "toy.py").write_text("stop")
    with pytest.raises(KeyboardInterrupt):
        grade()
    assert sorted(path.name for path in (tmp_path / "graded" / "results").iterdir()) == [
        "bob.json",
        "eve.json",
    ]


def test_earlier_results_stay_and_are_named(grade: Any, class_folder: Path) -> None:
    grade()
    (class_folder / "bob").rename(class_folder / "rob")
    graded = grade()
    assert [result.student for result in graded.results] == ["ada", "bob", "eve", "rob"]
    assert graded.older == ("bob",)


def test_another_assignment_in_the_folder_is_refused(grade: Any, toy: Assignment, tmp_path: Path) -> None:
    folder = grade().folder
    folder.save(folder.results()[0].model_copy(update={"assignment": "other"}))
    with pytest.raises(ConfigError, match="holds results of the assignment 'other'"):
        grade()


def test_an_engine_that_loses_a_submission_is_noticed(grade: Any, class_folder: Path) -> None:
    (class_folder / "ada" / "toy.py").write_text("lose")
    with pytest.raises(EngineError, match="returned nothing for 1 of 3"):
        grade()


def test_a_suite_that_cannot_be_scored_stops_before_grading(
    grade: Any, open_pool: Any, tmp_path: Path
) -> None:
    class Bad(open_pool):  # type: ignore[misc]
        plan = (replace(open_pool.plan[0], task="unknown"),)

    with pytest.raises(SuiteError, match="unknown task 'unknown'"):
        grade(open_pool=Bad)
    assert not list((tmp_path / "graded" / "results").iterdir())


def test_one_submission_leaves_nothing_behind(
    course: Course, toy: Assignment, class_folder: Path, tmp_path: Path, open_pool: Any
) -> None:
    submission = intake.read_one(class_folder / "ada", toy)
    result = grading.grade_one(course, toy, submission, sandbox="none", open_pool=open_pool)
    assert result.score == 12.5
    assert not (tmp_path / "graded").exists()


def test_reports_are_made_from_results_alone(grade: Any, course: Course, toy: Assignment) -> None:
    folder = grade().folder
    folder.save(folder.results()[1].model_copy(update={"score": 3.0}))
    folder.feedback_file("ada").unlink()
    folder.gradebook.unlink()
    results = grading.rewrite_reports(course, toy, folder)
    assert [result.score for result in results] == [12.5, 3, 0]
    assert folder.feedback_file("ada").is_file()
    assert "bob,3,12.5" in folder.gradebook.read_text()
