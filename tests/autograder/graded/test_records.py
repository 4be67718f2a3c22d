"""What counts for a student: the result, and what people decided about it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from autograder.graded.records import Override, Record, WrittenAnswer
from autograder.graded.results import Provenance, SandboxReport, SubmissionResult, TaskResult
from tests.support import written_class as made

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def result() -> SubmissionResult:
    return SubmissionResult(
        assignment="toy",
        student="ada",
        score=3.3333,
        max_score=10,
        tasks=[
            TaskResult(id="sums", title="Sums", points=3.3333, max_points=5),
            TaskResult(id="rows", title="Rows", points=0, max_points=5),
        ],
        tests=[],
        sandbox=SandboxReport(level="full", layers={}),
        provenance=Provenance(
            kit="", suite="", python="", torch="", numpy="", machine="", secret="", limits={}
        ),
        files={},
    )


def override(points: float, task: str | None = None) -> Override:
    return Override(task=task, points=points, reason="a typing error", by="Grace", at=AT)


def test_without_overrides_the_result_counts() -> None:
    record = Record(result())
    assert (record.student, record.score) == ("ada", 3.3333)
    assert record.tasks == tuple(result().tasks)


def test_an_override_of_a_task_moves_the_score_by_its_difference() -> None:
    record = Record(result(), (override(1, "sums"), override(4, "rows"), override(2, "rows")))
    assert [task.points for task in record.tasks] == [1, 2]
    assert record.score == 3
    assert Record(result(), (override(2, "rows"),)).score == 5.3333


def test_an_override_of_the_total_is_the_score() -> None:
    record = Record(result(), (override(7), override(4, "rows")))
    assert record.score == 7
    assert record.tasks[1].points == 4


def test_an_override_gives_its_reason() -> None:
    for wrong in ({"reason": ""}, {"points": -1}, {"by": ""}, {"at": datetime(2026, 3, 1)}):
        with pytest.raises(ValidationError):
            Override(**({"points": 1, "reason": "because", "by": "Grace", "at": AT} | wrong))


def test_without_questions_the_score_is_the_total() -> None:
    record = Record(result())
    assert (record.written_score, record.max_written) == (None, 0)
    assert (record.total, record.max_total) == (3.3333, 10)


def test_the_written_part_has_points_once_every_answer_is_scored() -> None:
    first, second = made.answer("A."), made.answer("B.", question="more", max_points=1.5)
    scored = WrittenAnswer(first, made.mark(2.5, first))
    half = Record(result(), written=(scored, WrittenAnswer(second)))
    assert (half.written_score, half.total, half.max_written, half.max_total) == (None, None, 5.5, 15.5)
    assert [one.answer.question for one in half.waiting] == ["more"]
    whole = Record(result(), written=(scored, WrittenAnswer(second, made.mark(0, second))))
    assert (whole.written_score, whole.total, whole.score) == (2.5, 5.8333, 3.3333)
    assert whole.waiting == ()


def test_an_extra_question_that_nobody_answered_holds_nothing_up() -> None:
    plain, bonus = made.answer("A."), made.answer("", question="bonus", extra=True)
    record = Record(result(), written=(WrittenAnswer(plain, made.mark(4, plain)), WrittenAnswer(bonus)))
    assert (record.written_score, record.max_written) == (4, 4)
    tried = WrittenAnswer(bonus.model_copy(update={"status": "answered", "text": "B."}))
    assert Record(result(), written=(tried,)).written_score is None


def test_an_override_of_the_score_leaves_the_answers_alone() -> None:
    answer = made.answer()
    record = Record(result(), (override(7),), written=(WrittenAnswer(answer, made.mark(3, answer)),))
    assert (record.score, record.total) == (7, 10)
