"""Nobody has 0 points whose 0 nobody decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from autograder.graded import standing
from autograder.graded.records import Override, Record, WrittenAnswer
from autograder.graded.results import CUT_OFF, Feedback, SubmissionResult
from autograder.graded.standing import Standing
from helpers.statuses import Status
from tests.support import written_class as made

DECIDED = Override(points=3, reason="oral", by="Grace", at=datetime(2026, 3, 1, tzinfo=UTC))


def test_answers_count_as_waiting_where_there_are_points(result: SubmissionResult) -> None:
    scored, waiting, empty = made.answer("A."), made.answer("B."), made.answer("")
    pairs = ((scored, made.mark(1, scored)), (waiting, None), (empty, None))
    ada = Record(result, written=tuple(WrittenAnswer(answer, mark) for answer, mark in pairs))
    gone = replace(ada, result=result.model_copy(update={"handed_in": "nothing"}))
    assert standing.waits_for_scores(ada)
    assert not standing.waits_for_scores(gone)
    assert standing.written_progress([ada, gone]) == ("Written answers: 1 of 3 scored, 1 left empty.")
    assert standing.written_progress([gone, Record(result)]) == ""
    zero = replace(gone, missing_as_zero=True)
    assert (zero.written_score, zero.waiting) == (1, ())


@pytest.mark.parametrize(
    ("handed_in", "plain", "about_a_task", "as_zero"),
    [
        ("work", Standing.graded, Standing.graded, Standing.graded),
        ("nothing", Standing.absent, Standing.graded, Standing.graded),
        ("undecided", Standing.undecided, Standing.undecided, Standing.undecided),
    ],
)
def test_where_a_student_stands(
    result: SubmissionResult, handed_in: str, plain: Standing, about_a_task: Standing, as_zero: Standing
) -> None:
    record = Record(result.model_copy(update={"handed_in": handed_in}))
    assert standing.standing_of(record) is plain
    assert standing.standing_of(replace(record, overrides=(DECIDED,))) is Standing.graded
    one_task = DECIDED.model_copy(update={"task": "first"})
    assert standing.standing_of(replace(record, overrides=(one_task,))) is about_a_task
    assert standing.standing_of(replace(record, missing_as_zero=True)) is as_zero
    assert standing.standing_of(replace(record, overrides=(DECIDED,), excused=True)) is Standing.excused
    assert standing.has_points(record) == (handed_in == "work")


def test_a_result_that_is_cut_off_has_points_that_are_not_final(result: SubmissionResult) -> None:
    feedback = Feedback(summary=CUT_OFF)
    cut = result.tests[0].model_copy(update={"status": Status.crashed, "feedback": feedback})
    record = Record(result.model_copy(update={"tests": [cut, *result.tests[1:]]}))
    one_task = DECIDED.model_copy(update={"task": "first"})
    assert (
        standing.standing_of(record)
        is standing.standing_of(replace(record, overrides=(one_task,)))
        is Standing.unfinished
    )
    assert standing.standing_of(replace(record, overrides=(one_task, DECIDED))) is Standing.graded
    assert standing.has_points(record)


def test_a_submission_of_which_nothing_ran_has_points(result: SubmissionResult) -> None:
    tests = [one.model_copy(update={"status": Status.not_run}) for one in result.tests]
    record = Record(result.model_copy(update={"tests": tests}))
    assert standing.standing_of(record) is Standing.not_run
    assert standing.has_points(record)


def test_everybody_without_final_points_is_counted() -> None:
    everybody = [*Standing, Standing.absent]
    assert standing.count_standings(everybody) == (
        "1 excused, 2 without a submission, 1 waiting for your decision, 1 not graded to the end"
    )
    assert standing.count_standings([Standing.graded]) == ""
