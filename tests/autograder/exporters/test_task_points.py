"""Points task by task: their sum is the score, and comments say what students may read, as harmless text."""

from __future__ import annotations

import re
import warnings
from typing import Any

import pytest

from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.errors import ConfigError
from autograder.exporters import task_points
from autograder.graded.records import Override, Record
from autograder.graded.results import Feedback, SubmissionResult
from helpers.statuses import Status


def override(points: float, task: str | None = None) -> Override:
    return Override(task=task, points=points, reason="a typo", by="Grace", at="2026-03-01T12:00:00Z")


def test_points_and_comments_of_each_task(result: SubmissionResult, course: Course, toy: Assignment) -> None:
    first, second = task_points.read(Record(result), course, toy)
    assert (first.task, first.points, second.task, second.points) == ("first", 5, "second", 0)
    assert first.comment.split("\n") == [
        "- **Adds vectors** (0 / 5): The values are wrong.",
        "  - Expected: (3, 4) float32",
        "  - Yours: (4, 3) float32",
        r"  - First wrong entry: \[3, 0\]; 7 of 12 are wrong",
        "  - Where: toy.py, line 12, in answer",
        "  - Likely cause: The sum runs over the wrong dimension.",
    ]
    assert second.comment.split("\n") == [
        "- **Adds many numbers** (0 / 1.25): ValueError was raised.",
        "- **Uses no loop** (0 / 1.25): Not judged.",
    ]


def test_comments_hold_nothing_for_the_instructor_alone(
    result: SubmissionResult, course: Course, toy: Assignment
) -> None:
    said = " ".join(one.comment for one in task_points.read(Record(result), course, toy))
    assert "Adds vectors" in said
    assert "CANARY" not in said


def test_all_checks_passed(result: SubmissionResult, course: Course, toy: Assignment) -> None:
    tests = [one.model_copy(update={"status": Status.passed, "feedback": None}) for one in result.tests[:3]]
    first, second = task_points.read(Record(result.model_copy(update={"tests": tests})), course, toy)
    assert (first.comment, second.comment) == ("All 2 checks passed.", "The check passed.")


def test_nothing_ran(result: SubmissionResult, course: Course, toy: Assignment) -> None:
    feedback = Feedback(summary="toy.py is missing.")
    tests = [
        one.model_copy(update={"status": Status.not_run, "feedback": feedback, "points": 0.0})
        for one in result.tests
    ]
    for one in task_points.read(Record(result.model_copy(update={"tests": tests})), course, toy):
        assert one.comment == "Nothing could be checked. toy.py is missing."


@pytest.mark.parametrize(
    ("score", "points"),
    [
        (5, {"first": 5, "second": 0}),
        (8, {"first": 8, "second": 0}),
        (11, {"first": 10, "second": 1}),
        (12.5, {"first": 10, "second": 2.5}),
        (14, {"first": 11.5, "second": 2.5}),
        (2, {"first": 2, "second": 0}),
        (0, {"first": 0, "second": 0}),
    ],
)
def test_a_decided_score_is_the_sum(
    result: SubmissionResult, course: Course, toy: Assignment, score: float, points: dict[str, float]
) -> None:
    read = task_points.read(Record(result, (override(score),)), course, toy)
    assert {one.task: one.points for one in read} == points
    assert "score: " in read[0].comment
    assert "a typo" in read[0].comment
    assert "score: " not in read[1].comment


def test_what_is_taken_away_comes_from_the_last_tasks(result: SubmissionResult) -> None:
    tasks = [one.model_copy(update={"points": one.max_points}) for one in result.tasks]
    whole = result.model_copy(update={"tasks": tasks, "score": 12.5})
    assert task_points.spread(Record(whole, (override(9),))) == {"first": 9, "second": 0}
    assert task_points.spread(Record(whole, (override(11),))) == {"first": 10, "second": 1}


def test_thirds_add_up(result: SubmissionResult) -> None:
    tasks = [
        one.model_copy(update={"points": 3.3333, "max_points": 3.3333})
        for one in (*result.tasks, result.tasks[0].model_copy(update={"id": "third"}))
    ]
    spread = task_points.spread(Record(result.model_copy(update={"tasks": tasks, "score": 10.0})))
    assert round(sum(spread.values()), 4) == 10


def test_a_decided_task(result: SubmissionResult, course: Course, toy: Assignment) -> None:
    first, second = task_points.read(Record(result, (override(2, "second"),)), course, toy)
    assert (first.points, second.points) == (5, 2)
    assert second.comment.startswith("second: 2 points, by Grace on 2026-03-01 (a typo).")


def test_other_tasks_than_today(result: SubmissionResult, course: Course, toy: Assignment) -> None:
    fewer = result.model_copy(update={"tasks": result.tasks[:1]})
    with pytest.raises(ConfigError, match="was graded with other tasks than toy has now; grade the class"):
        task_points.read(Record(fewer), course, toy)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_text_of_a_student_becomes_markup(
    result: SubmissionResult, course: Course, toy: Assignment
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nbconvert imports modules that are on their way out
        from nbconvert.filters import markdown2html
    hostile = [
        "<img src=x onerror=alert(1)>",
        "![a](http://example.org/x.png)",
        "[a](javascript:alert(1))",
        "$$<script>alert(1)</script>$$",
        r"\\[<script>alert(1)</script>\\]",
        r"\\(<script>alert(1)</script>\\)",
        r"\(<script>alert(1)</script>\)",
        r"\\\(<script>alert(1)</script>\\\)",
        r"[a\](http://example.org) ![b](c)",
        "```\n<b>",
        r"\begin{x}<i>\end{x}",
        "**bold** `code`",
        "one\n\n<u>two</u>",
    ]
    for text in hostile:
        feedback: Any = Feedback(summary=text, likely_cause=text)
        tests = [one.model_copy(update={"feedback": feedback}) for one in result.tests[1:2]]
        comment = task_points.read(Record(result.model_copy(update={"tests": tests})), course, toy)[0].comment
        html = str(markdown2html(comment))
        tags = set(re.findall(r"<\s*/?\s*(\w+)", html))
        addresses = re.findall(r'href="([^"]*)"', html)
        assert tags - {"a"} == {"ul", "li", "strong"}, html  # a bare address becomes a link
        assert all(address.startswith("http") for address in addresses), html
