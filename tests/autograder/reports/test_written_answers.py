"""What a student reads about a written answer, and the sums with it."""

from __future__ import annotations

from autograder.graded.answers import Answer, Mark
from autograder.graded.records import Record, WrittenAnswer
from autograder.graded.results import SubmissionResult
from autograder.reports import written_answers
from tests.support import written_class as made


def record(result: SubmissionResult, *pairs: tuple[Answer, Mark | None]) -> Record:
    return Record(result, written=tuple(WrittenAnswer(answer, mark) for answer, mark in pairs))


def test_before_people_scored_the_code_stands_alone(result: SubmissionResult) -> None:
    one = record(result, (made.answer("*Because*."), None))
    assert written_answers.sums(one) == (
        "Code: 5 of 12.5 points.",
        "Written answers, worth 4 points: not scored yet.",
    )
    (shown,) = written_answers.sections(one)
    assert (shown.points, shown.scored, shown.absent, shown.by) == ("not scored yet", False, "", "")
    assert shown.answer == "<p><em>Because</em>.</p>\n"


def test_afterwards_both_are_added_up(result: SubmissionResult) -> None:
    answer = made.answer()
    one = record(result, (answer, made.mark(2.5, answer, comment="Half of it.")))
    assert written_answers.sums(one) == (
        "Code: 5 of 12.5 points.",
        "Written answers: 2.5 of 4 points.",
        "Together: 7.5 of 16.5 points.",
    )
    (shown,) = written_answers.sections(one)
    assert (shown.points, shown.by, shown.comment, shown.changed) == ("2.5", "Grace", "Half of it.", False)


def test_without_questions_there_is_nothing_to_say(result: SubmissionResult) -> None:
    assert written_answers.sums(Record(result)) == ()
    assert written_answers.sections(Record(result)) == ()


def test_an_answer_that_is_not_there_says_why(result: SubmissionResult) -> None:
    empty = made.answer("")
    gone = made.answer("", status="not_found", note="No notebook was handed in.")
    first, second = written_answers.sections(record(result, (empty, None), (gone, made.mark(0, gone))))
    assert (first.absent, first.note) == ("Not answered.", "")
    assert (second.absent, second.points) == ("No answer found. No notebook was handed in.", "0")


def test_a_changed_answer_is_marked(result: SubmissionResult) -> None:
    old, new = made.answer("Old."), made.answer("New.")
    (shown,) = written_answers.sections(record(result, (new, made.mark(3, old))))
    assert (shown.changed, shown.points) == (True, "3")
