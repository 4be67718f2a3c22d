"""A release asks what the settings state: the same questions, for the same points, in the same order."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.errors import ReleaseError
from autograder.release import handout, questions
from tests.support import planted

ROOT = Path(__file__).parents[3]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return planted.write_course(tmp_path / "course")


def edit(course: Course, file: str, old: str, new: str) -> None:
    path = course.root / "solutions" / "shapes" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def build(course: Course) -> None:
    assignment = assignments.load(course, "shapes")
    handout.build(course, assignment, planted.plan(assignment))


def test_what_a_notebook_asks(course: Course) -> None:
    book = handout.read_notebook(course, assignments.load(course, "shapes"))
    asked = questions.questionnaire(book)
    (prompt,) = asked.prompts
    assert (prompt.question, prompt.text) == ("why", "**Why?**")
    assert prompt.reference.startswith("The area grows with both of its sides,\nso that")
    assert prompt.cell in asked.cells
    assert len(asked.cells) == len(book.release.cells)
    assert asked.prompt("why") == prompt
    assert asked.prompt("how") is None


def test_all_five_notebooks_agree_with_their_settings() -> None:
    course = Course.load(ROOT)
    for name in course.assignments():
        assignment = assignments.load(course, name)
        asked = questions.questionnaire(handout.read_notebook(course, assignment))
        assert [one.question for one in asked.prompts] == [one.id for one in assignment.questions], name
        assert all(one.rubric for one in assignment.questions)


def test_a_question_that_the_settings_do_not_state_is_refused(course: Course) -> None:
    edit(course, "assignment.toml", planted.ASSIGNMENT[planted.ASSIGNMENT.index("[[questions]]") :], "")
    with pytest.raises(ReleaseError, match=r"'why' of 5 points is not in assignment\.toml; add") as caught:
        build(course)
    assert caught.value.where == "solutions/shapes/shapes.md:21"


def test_other_points_are_refused(course: Course) -> None:
    edit(course, "assignment.toml", "points = 5", "points = 4")
    with pytest.raises(ReleaseError, match=r"worth 5 points; assignment\.toml says 4; make them the same"):
        build(course)


def test_points_that_differ_by_little_are_told_apart(course: Course) -> None:
    edit(course, "assignment.toml", "points = 5", "points = 5.001")
    with pytest.raises(
        ReleaseError, match=r"worth 5 points; assignment\.toml says 5\.001; make them the same"
    ):
        build(course)


def test_a_question_that_the_notebook_does_not_ask_is_refused(course: Course) -> None:
    edit(course, "shapes.md", '+++ {"nbgrader"', '+++ {"other"')
    edit(course, "shapes.md", "<!-- BEGIN SOLUTION -->\n", "")
    edit(course, "shapes.md", "<!-- END SOLUTION -->\n", "")
    with pytest.raises(ReleaseError, match=r"question 'why' is not in solutions/shapes/shapes\.md"):
        build(course)


def test_another_order_is_refused(course: Course) -> None:
    edit(
        course,
        "assignment.toml",
        "[[questions]]",
        '[[questions]]\nid = "b"\ntitle = "B"\npoints = 1\n\n[[questions]]',
    )
    path = course.root / "solutions" / "shapes" / "shapes.md"
    more = '\n+++ {"nbgrader": {"grade": true, "solution": true, "grade_id": "b", "points": 1}}\n\nB?\n'
    path.write_text(path.read_text() + more)
    with pytest.raises(ReleaseError, match="asks why, b, in this order"):
        build(course)
