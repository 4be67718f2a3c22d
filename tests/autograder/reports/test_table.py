"""Tables in the terminal say what matters and pass nothing on that steers the terminal."""

from __future__ import annotations

import io

from rich.console import Console, RenderableType

from autograder.graded.records import Move, MovedTest, Record, WrittenAnswer
from autograder.graded.results import Feedback, SubmissionResult
from autograder.reports import table
from helpers.statuses import Status
from tests.support import written_class as made


def _text(content: RenderableType, *, color: bool = False, width: int = 100) -> str:
    system = "standard" if color else None
    console = Console(file=io.StringIO(), width=width, force_terminal=color, color_system=system)
    console.print(content)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_class_at_a_glance(result: SubmissionResult) -> None:
    bob = result.model_copy(update={"student": "bob", "score": 12.5})
    text = _text(table.ClassTable([Record(result), Record(bob)]))
    for words in (
        "ada",
        "1 failed, 1 raised an error",
        "The second task",
        "2 students, mean 8.75, median 8.75",
    ):
        assert words in text


def test_a_narrow_terminal_shows_names_and_scores_rather_than_every_task(result: SubmissionResult) -> None:
    tasks = [result.tasks[0].model_copy(update={"id": f"t{number}"}) for number in range(16)]
    ada = result.model_copy(update={"student": "ada-of-a-long-name", "tasks": tasks})
    narrow, wide = (_text(table.ClassTable([Record(ada)]), width=width) for width in (80, 200))
    for text in (narrow, wide):
        assert "ada-of-a-long-name" in text
        assert "…" not in text
    assert "The points of the 16 tasks are in grades.csv; " in narrow
    assert " 16 " in wide.splitlines()[1]


def test_students_without_points_have_none_in_the_table_nor_in_the_mean(result: SubmissionResult) -> None:
    absent = result.model_copy(update={"student": "abe", "score": 0.0, "handed_in": "nothing"})
    eva = Record(result.model_copy(update={"student": "eva"}), excused=True)
    text = _text(table.ClassTable([Record(result), Record(absent), eva]))
    assert "3 students (1 excused, 1 without a submission), mean 5, median 5 of 12.5 points" in text
    rows = {words[0]: words[1] for row in text.splitlines() if len(words := row.split()) > 1}
    assert (rows["ada"], rows["abe"], rows["eva"]) == ("5", "–", "excused")  # noqa: RUF001
    assert "1 student (1 excused), nobody has points" in _text(table.ClassTable([eva]))


def test_written_answers_have_columns_once_somebody_scored(result: SubmissionResult) -> None:
    answer = made.answer()
    waiting = Record(result, written=(WrittenAnswer(answer),))
    text = _text(table.ClassTable([waiting]))
    assert "Written answers: 0 of 1 scored." in text
    assert "total" not in text
    text = _text(
        table.ClassTable([waiting, Record(result, written=(WrittenAnswer(answer, made.mark(3, answer)),))])
    )
    assert "Written answers: 1 of 2 scored." in text
    assert [line.split()[:6] for line in text.splitlines() if line.startswith(" ada")] == [
        ["ada", "5", "5", "0", "–", "–"],  # noqa: RUF001
        ["ada", "5", "5", "0", "3", "8"],
    ]


def test_no_results() -> None:
    assert "no results" in _text(table.ClassTable([]))


def test_one_submission_in_full(result: SubmissionResult) -> None:
    text = _text(table.submission_report(result, title="A toy"))
    for words in (
        "A toy  5 of 12.5 points",
        "Note: Ignored: notes.txt.",
        "The first task  5 / 10",
        "✓ Adds numbers",
        "✗ Adds vectors  failed",
        "expected           (3, 4) float32",
        "likely cause       The sum runs over the wrong dimension.",
        "toy.py:12, in answer",
        "✗ Adds many numbers  raised an error  (hidden)",
        "– Uses no loop  not judged",  # noqa: RUF001
    ):
        assert words in text
    assert "CANARY" not in text


def test_details_are_for_the_instructor(result: SubmissionResult) -> None:
    text = _text(table.submission_report(result, title="A toy", details=True))
    assert "CANARY-detail Adds vectors" in text
    assert "CANARY-output Adds vectors" in text


def test_the_reason_is_given_once(result: SubmissionResult) -> None:
    reason = Feedback(summary="toy.py is missing.")
    tests = [test.model_copy(update={"status": Status.not_run, "feedback": reason}) for test in result.tests]
    stopped = result.model_copy(update={"tests": tests, "notes": ["toy.py is missing."]})
    assert _text(table.submission_report(stopped, title="A toy")).count("toy.py is missing.") == 1


def test_hostile_text_is_shown_as_text(result: SubmissionResult) -> None:
    hostile = "\x1b]0;owned\x07[red]\u202e"
    feedback = Feedback(summary=hostile, expected=hostile, likely_cause=hostile)
    tests = [
        test.model_copy(update={"feedback": feedback, "title": hostile, "detail": hostile, "output": hostile})
        for test in result.tests
    ]
    bad = result.model_copy(update={"tests": tests, "student": hostile, "notes": [hostile]})
    for content in (
        table.ClassTable([Record(bad)]),
        table.submission_report(bad, title=hostile, details=True),
    ):
        text = _text(content, color=True)
        assert "\x1b]" not in text
        assert "\x07" not in text
        assert "\u202e" not in text
        assert "\\x1b]0;owned\\x07[red]\\u202e" in text


def test_what_is_shortened_says_where_the_rest_is(result: SubmissionResult) -> None:
    tests = [
        test.model_copy(update={"status": Status.not_run, "feedback": Feedback(summary="long " * 40)})
        for test in result.tests
    ]
    text = _text(table.ClassTable([Record(result.model_copy(update={"tests": tests}))]))
    assert "Texts that end in … are complete in report.html." in text
    assert "are whole in" not in _text(table.ClassTable([Record(result)]))
    moved = tuple(MovedTest(f"t{number}", f"Test {number}", 1.0, 0.0) for number in range(7))
    shown = " ".join(_text(table.moves_table([Move("ada", 7, 0, moved)]), width=300).split())
    assert "and 3 more, named in pending/changes.csv" in shown
