"""Answers are kept beside results, brought up to date with them, and never lost."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.course.assignment import Assignment
from autograder.errors import ReleaseError
from autograder.graded.folder import GradedFolder
from autograder.intake import Submission
from autograder.marking import written
from tests.conftest import graded_example
from tests.support import written_class as made


@pytest.fixture
def toy(course: Course) -> Assignment:
    made.add_question(course)
    return assignments.load(course, "toy")


@pytest.fixture
def folder(tmp_path: Path) -> GradedFolder:
    return GradedFolder(tmp_path / "graded")


@pytest.fixture
def collect(course: Course, toy: Assignment, folder: GradedFolder) -> Any:
    def run(**notebooks: bytes | None) -> tuple[str, ...]:
        submissions = [Submission(student, Path(), notebook=one) for student, one in notebooks.items()]
        with folder.lock():
            return written.collect(course, assignments.load(course, "toy"), submissions, folder)

    return run


def text(folder: GradedFolder, student: str) -> str:
    sheet = folder.answer_sheet(student)
    assert sheet is not None
    return sheet.answers[0].text


def test_answers_are_private_files(collect: Any, folder: GradedFolder) -> None:
    assert collect(ada=made.answered("One."), bob=None) == ("ada", "bob")
    assert text(folder, "ada") == "One."
    path = folder.answer_file("ada")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_only_what_changed_is_written_again(collect: Any, folder: GradedFolder) -> None:
    collect(ada=made.answered("One."), bob=None)
    for student in ("ada", "bob"):
        for form in ("html", "md"):
            folder.feedback_file(student, form).write_text("old")
    assert collect(ada=made.answered("Two."), bob=None) == ("ada",)
    assert text(folder, "ada") == "Two."
    assert not folder.has_feedback("ada")
    assert folder.has_feedback("bob")


def test_a_hand_in_without_a_notebook_keeps_the_answers_of_before(collect: Any, folder: GradedFolder) -> None:
    collect(ada=made.answered("One."))
    assert collect(ada=None) == ("ada",)
    assert collect(ada=None) == ()
    sheet = folder.answer_sheet("ada")
    assert sheet is not None
    assert (sheet.answers[0].text, sheet.answers[0].note) == ("One.", written.EARLIER)
    collect(ada=made.answered("Two."))
    assert text(folder, "ada") == "Two."


def test_questions_are_those_of_the_settings(collect: Any, course: Course, folder: GradedFolder) -> None:
    collect(ada=made.answered("One."))
    settings = course.root / "solutions" / "toy" / "assignment.toml"
    settings.write_text(settings.read_text().replace('title = "Why sums"', 'title = "Sums"'))
    assert collect(ada=None) == ("ada",)
    sheet = folder.answer_sheet("ada")
    assert sheet is not None
    assert (sheet.answers[0].title, sheet.answers[0].text) == ("Sums", "One.")


def test_records_join_answers_and_scores(collect: Any, folder: GradedFolder) -> None:
    collect(ada=made.answered("One."))
    folder.save(graded_example("ada"))
    (record,) = folder.records()
    assert (record.written_score, record.total) == (None, None)
    answer = record.written[0].answer
    folder.keep_marks("ada", (made.mark(1, answer), made.mark(3, answer)))
    (record,) = folder.records()
    assert (record.written_score, record.total, record.max_total) == (3, 8, 16.5)
    assert not record.written[0].has_changed
    collect(ada=made.answered("Two."))
    (record,) = folder.records()
    assert (record.total, record.written[0].has_changed) == (8, True)


def test_without_questions_nothing_is_read(course: Course, folder: GradedFolder) -> None:
    toy = assignments.load(course, "toy")
    with folder.lock():
        assert written.collect(course, toy, [Submission("ada", Path(), notebook=b"x")], folder) == ()
    assert not (folder.root / "answers").exists()


def test_a_notebook_that_is_not_there(course: Course, toy: Assignment, collect: Any) -> None:
    (course.root / "solutions" / "toy" / "toy.md").unlink()
    with pytest.raises(ReleaseError, match="there is no such file"):
        collect(ada=None)
