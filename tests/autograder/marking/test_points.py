"""Scores are taken all or not at all, and say who gave them, when, and for which answer."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.errors import ConfigError
from autograder.graded.answers import AnswerSheet
from autograder.graded.folder import GradedFolder
from autograder.marking import points as marking
from autograder.marking.points import Marking
from autograder.marking.score_table import ScoreRow
from autograder.reports.anonymous import pseudonym
from autograder.reports.answer_page import label
from tests.conftest import graded_example
from tests.support import written_class as made

KEY = b"key"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> GradedFolder:
    folder = GradedFolder(tmp_path / "graded")
    with folder.lock():
        for student, text in {"ada": "One.", "bob": ""}.items():
            folder.save(graded_example(student))
            answers = [made.answer(text)]
            folder.keep_answers(AnswerSheet(assignment="toy", student=student, answers=answers))
    return folder


def row(student: str = "ada", points: float = 3, **fields: str) -> ScoreRow:
    return ScoreRow(
        **({"where": "t, row 2", "student": student, "question": "why-sums", "points": points} | fields)
    )  # type: ignore[arg-type]


def check(folder: GradedFolder, *rows: ScoreRow, by: str = "Grace", at: datetime = AT) -> Marking:
    return marking.check(rows, folder, key=KEY, by=by, at=at)


def test_marks_say_who_when_and_for_what(folder: GradedFolder) -> None:
    checked = check(folder, row(comment="Good."), row("bob", 0, where="t, row 3", grader="Alan"))
    assert (checked.fresh, checked.replaced, checked.same, checked.outdated) == (2, 0, 0, ())
    assert checked.marks["ada"] == (made.mark(3, made.answer("One."), comment="Good."),)
    (bob,) = checked.marks["bob"]
    assert (bob.by, bob.answer, bob.at) == ("Alan", "", AT)
    assert not (folder.root / "scores").exists()
    marking.keep(checked, folder)
    assert folder.marks("ada") == checked.marks["ada"]


def test_pseudonyms_are_known(folder: GradedFolder) -> None:
    assert list(check(folder, row(pseudonym(KEY, "bob"), 1)).marks) == ["bob"]


def test_the_same_again_changes_nothing_and_another_one_is_added(folder: GradedFolder) -> None:
    marking.keep(check(folder, row()), folder)
    later = datetime(2026, 3, 2, tzinfo=UTC)
    again = check(folder, row(), at=later)
    assert (again.same, again.marks) == (1, {})
    other = check(folder, row(points=2), at=later)
    assert other.replaced == 1
    assert [mark.points for mark in other.marks["ada"]] == [3, 2]


def test_an_answer_that_changed_since_it_was_read_is_marked(folder: GradedFolder) -> None:
    read = made.answer("Zero.")
    checked = check(folder, row(answer=label(read.digest)))
    assert checked.outdated == ("ada",)
    assert checked.marks["ada"][0].answer == label(read.digest)
    assert check(folder, row(answer=label(made.answer("One.").digest))).outdated == ()
    assert check(folder, row("bob", answer=label(""))).outdated == ()
    assert check(folder, row("ada", answer=label(""))).outdated == ("ada",)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"student": "eve"}, "there is no student 'eve'; write the name as in grades.csv"),
        ({"student": "student-0000000000"}, "there is no student"),
        ({"question": "why"}, "there is no question 'why'; choose one of: why-sums"),
        ({"points": 4.5}, "4.5 points for ada; 'why-sums' is worth at most 4"),
        ({"comment": "x" * 10_001}, "longer than 10,000 characters"),
    ],
)
def test_one_wrong_row_spoils_the_table(wrong: dict[str, str], message: str, folder: GradedFolder) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        check(folder, row("bob"), row(**{"where": "t, row 3"} | wrong))  # type: ignore[arg-type]
    assert caught.value.where == "t, row 3"
    assert "\n" not in str(caught.value)


def test_an_answer_is_scored_once_in_a_table(folder: GradedFolder) -> None:
    with pytest.raises(ConfigError, match="ada has a score for 'why-sums' already, in row 2"):
        check(folder, row(), row(pseudonym(KEY, "ada"), where="t, row 3"))


def test_somebody_has_to_have_scored(folder: GradedFolder) -> None:
    with pytest.raises(ConfigError, match="does not say who scored; fill the column grader, or give --by"):
        check(folder, row(), by=" ")


def test_a_class_whose_answers_were_never_sought(folder: GradedFolder) -> None:
    folder.answer_file("ada").unlink()
    with pytest.raises(ConfigError, match="grade the class again, to find its answers"):
        check(folder, row())
