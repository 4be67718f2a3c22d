"""The gradebook is a table that spreadsheets read and never run."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from autograder.exporters import grades
from autograder.graded.records import Record, WrittenAnswer
from autograder.graded.results import Feedback, SubmissionResult, TaskResult
from helpers.statuses import Status
from tests.support import written_class as made


def _rows(*results: SubmissionResult) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(grades.render([Record(one) for one in results]))))


def test_a_row_per_student_and_a_column_per_task(result: SubmissionResult) -> None:
    (row,) = _rows(result)
    assert row == {
        "student": "ada",
        "name": "",
        "score": "5",
        "max_score": "12.5",
        "first": "5",
        "second": "0",
        "status": "graded",
        "summary": "1 failed, 1 raised an error",
        "overrides": "",
        "notes": "Ignored: notes.txt.",
    }


def test_points_keep_four_decimals(result: SubmissionResult) -> None:
    (row,) = _rows(result.model_copy(update={"score": 1.4286}))
    assert row["score"] == "1.4286"


def test_formulas_quotes_and_lines_are_harmless(result: SubmissionResult) -> None:
    name = '=HYPERLINK("http://x","a,b")'
    text = grades.render([Record(result.model_copy(update={"student": name, "notes": ['+1,"\n\r=2']}))])
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["student"] == f"'{name}"
    assert row["notes"] == "'+1,\" \\r=2"
    assert len(text.splitlines()) == 2


def test_submission_that_did_not_run(result: SubmissionResult) -> None:
    tests = [
        test.model_copy(
            update={"status": Status.not_run, "feedback": Feedback(summary="-toy.py is missing.")}
        )
        for test in result.tests
    ]
    (row,) = _rows(result.model_copy(update={"tests": tests, "notes": ["-toy.py is missing.", "More."]}))
    assert (row["status"], row["summary"], row["notes"]) == ("not run", "'-toy.py is missing.", "More.")


def test_results_with_other_tasks_leave_cells_empty(result: SubmissionResult) -> None:
    other = result.model_copy(update={"tasks": [TaskResult(id="third", title="T", points=1, max_points=1)]})
    first, second = _rows(result, other)
    assert (first["third"], second["first"], second["third"]) == ("", "", "1")


@pytest.mark.parametrize(
    ("changes", "about", "status", "points"),
    [
        ({"handed_in": "nothing", "score": 0.0}, {}, "nothing handed in", ""),
        ({"handed_in": "undecided", "score": 0.0}, {}, "needs a decision", ""),
        ({}, {"excused": True}, "excused", ""),
        ({"handed_in": "nothing"}, {"missing_as_zero": True}, "graded", "5"),
    ],
)
def test_whoever_has_no_points_has_empty_cells(
    result: SubmissionResult, changes: dict[str, object], about: dict[str, bool], status: str, points: str
) -> None:
    record = replace(Record(result.model_copy(update=changes)), **about)  # type: ignore[arg-type]
    (row,) = csv.DictReader(io.StringIO(grades.render([record])))
    assert (row["status"], row["score"], row["first"]) == (status, points, points)
    assert row["max_score"] == "12.5"


def test_names_in_any_script(result: SubmissionResult) -> None:
    (row,) = _rows(result.model_copy(update={"student": "Zoë 数"}))
    assert row["student"] == "Zoë 数"


def test_written_answers_have_columns_of_their_own(result: SubmissionResult) -> None:
    old, new = made.answer("Old."), made.answer("New.")
    records = [
        Record(result, written=(WrittenAnswer(new),)),
        Record(result, written=(WrittenAnswer(new, made.mark(2.5, old)),)),
    ]
    text = grades.render(records)
    waiting, scored = csv.DictReader(io.StringIO(text))
    assert text.splitlines()[0] == (
        "student,name,score,max_score,first,second,why-sums,written,max_written,total,max_total,"
        "status,summary,overrides,notes"
    )
    columns = ("score", "max_score", "why-sums", "written", "max_written", "total", "max_total")
    unscored = "not scored yet"
    assert [waiting[name] for name in columns] == ["5", "12.5", unscored, unscored, "4", unscored, "16.5"]
    assert [scored[name] for name in columns] == ["5", "12.5", "2.5", "2.5", "4", "7.5", "16.5"]
    assert scored["notes"] == "Ignored: notes.txt. Why sums: the answer changed since it was scored."
