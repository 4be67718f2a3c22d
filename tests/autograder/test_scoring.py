"""Points are exact, known beforehand, and never depend on how a test ended badly."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course.assignment import Assignment, Task, TestLimits
from autograder.errors import EngineError, SuiteError
from autograder.graded.results import Feedback, Location, Provenance, SandboxReport, SubmissionResult
from autograder.intake import Submission
from autograder.scoring import Outcome, PlannedTest, is_unfinished, mark_not_run, score, share
from helpers.statuses import Status

SANDBOX = SandboxReport(level="none", layers={})
PROVENANCE = Provenance(
    kit="0", suite="0", python="3", torch="2", numpy="2", machine="cpu", secret="0", limits={}
)
SUBMISSION = Submission("ada", Path("ada"), {"toy.py": b"x = 1\n"}, notes=("A note.",))


def _assignment(*points: int | Fraction) -> Assignment:
    tasks = tuple(Task(f"t{i}", f"Task {i}", Fraction(value)) for i, value in enumerate(points))
    return Assignment("toy", "Toy", Path("s"), Path("suite"), ("toy",), tasks, {}, TestLimits())


def _test(
    id: str, task: str = "t0", weight: int | Fraction = 1, kind: Literal["value", "constraint"] = "value"
) -> PlannedTest:
    return PlannedTest(id, f"About {id}", task, "public", kind, Fraction(weight), 10, 512)


def _score(assignment: Assignment, plan: list[PlannedTest], *outcomes: Outcome) -> SubmissionResult:
    return score(assignment, plan, SUBMISSION, outcomes, sandbox=SANDBOX, provenance=PROVENANCE)


def test_shares_follow_weights() -> None:
    plan = [_test("a", weight=2), _test("b"), _test("c", "t1")]
    assert share(plan, _assignment(10, 5)) == {"a": Fraction(20, 3), "b": Fraction(10, 3), "c": Fraction(5)}


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ([], "no test that checks a value"),
        ([_test("a", "t9")], "unknown task 't9'"),
        ([_test("a"), _test("a")], "2 tests are called a"),
        ([_test("a", weight=0)], "weight is 0"),
        ([_test("a", weight=-1)], "weight is -1"),
        ([_test("a", kind="constraint")], "no test that checks a value"),
    ],
)
def test_plans_that_cannot_be_scored(plan: list[PlannedTest], message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        share(plan, _assignment(10))


def test_nothing_is_lost_to_rounding() -> None:
    plan = [_test(str(i)) for i in range(7)]
    outcomes = [Outcome(test.id, Status.passed) for test in plan]
    result = _score(_assignment(10), plan, *outcomes)
    assert result.score == result.max_score == 10
    assert result.tests[0].points == 1.4286
    assert result.tasks[0].points == 10


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.passed])
def test_everything_but_passed_earns_nothing_of_the_maximum(status: Status) -> None:
    result = _score(_assignment(10), [_test("a")], Outcome("a", status, Feedback(summary="No.")))
    assert (result.score, result.max_score, result.tests[0].max_points) == (0, 10, 10)


def test_missing_outcome_counts_as_crashed() -> None:
    result = _score(_assignment(10), [_test("a"), _test("b")], Outcome("a", Status.passed))
    assert [test.status for test in result.tests] == [Status.passed, Status.crashed]
    assert (result.score, result.max_score) == (5, 10)
    assert result.tests[1].feedback is not None
    assert is_unfinished(result)
    assert not is_unfinished(_score(_assignment(10), [_test("a")], Outcome("a", Status.passed)))


def test_outcomes_that_were_not_planned_are_a_fault() -> None:
    passed = Outcome("a", Status.passed)
    with pytest.raises(EngineError, match="two outcomes"):
        _score(_assignment(10), [_test("a")], passed, passed)
    with pytest.raises(EngineError, match="not planned"):
        _score(_assignment(10), [_test("a")], Outcome("b", Status.passed))


def test_constraint_counts_only_where_its_task_is_solved() -> None:
    plan = [_test("value"), _test("loops", kind="constraint"), _test("other", "t1")]
    stub = _score(
        _assignment(10, 10),
        plan,
        Outcome("value", Status.failed, Feedback(summary="No.")),
        Outcome("loops", Status.passed, detail="for the instructor"),
        Outcome("other", Status.passed),
    )
    assert stub.score == 10
    assert stub.tests[1].status is Status.not_judged
    assert stub.tests[1].points == 0
    assert stub.tests[1].feedback is not None
    assert stub.tests[1].detail == "for the instructor"
    solved = _score(_assignment(10, 10), plan, *(Outcome(test.id, Status.passed) for test in plan))
    assert solved.score == 20


def test_one_line_that_raises_costs_a_quarter_where_others_are_right() -> None:
    plan = [_test(name) for name in "abcd"]
    line = Location(file="toy.py", line=7, function="add")
    raised = Feedback(summary="Your code raised ValueError.", location=line)
    passed = [Outcome(name, Status.passed) for name in "ab"]
    unfinished = raised.model_copy(update={"unfinished": True})
    nowhere = raised.model_copy(update={"location": None})
    for feedback, points in ((raised, 15), (nowhere, 10), (unfinished, 10)):
        ended = [Outcome(name, Status.raised, feedback) for name in "cd"]
        assert _score(_assignment(20), plan, *passed, *ended).score == points
    other = raised.model_copy(update={"location": Location(file="toy.py", line=8, function="add")})
    ended = [Outcome("c", Status.raised, raised), Outcome("d", Status.raised, other)]
    assert _score(_assignment(20), plan, *passed, *ended).score == 10


def test_nothing_ran() -> None:
    plan = [_test("value"), _test("loops", kind="constraint")]
    result = _score(_assignment(10), plan, *mark_not_run(plan, "toy.py is missing."))
    assert {test.status for test in result.tests} == {Status.not_run}
    assert all(test.feedback and test.feedback.summary == "toy.py is missing." for test in result.tests)
    assert result.score == 0


def test_feedback_of_a_passed_test_is_dropped() -> None:
    result = _score(_assignment(10), [_test("a")], Outcome("a", Status.passed, Feedback(summary="Odd.")))
    assert result.tests[0].feedback is None


def test_notes_and_file_hashes_are_kept() -> None:
    plan = [_test("a")]
    result = score(
        _assignment(10), plan, SUBMISSION, [], sandbox=SANDBOX, provenance=PROVENANCE, notes=["B."], seconds=2
    )
    assert result.notes == ["A note.", "B."]
    assert result.seconds == 2
    assert len(result.files["toy.py"]) == 64


positive = st.fractions(min_value=Fraction(1, 100), max_value=100, max_denominator=100)


@given(points=st.lists(positive, min_size=1, max_size=5), weights=st.lists(positive, min_size=5, max_size=12))
def test_shares_add_up_exactly(points: list[Fraction], weights: list[Fraction]) -> None:
    assignment = _assignment(*points)
    plan = [_test(str(i), f"t{i % len(points)}", weight) for i, weight in enumerate(weights)]
    shares = share(plan, assignment)
    assert sum(shares.values()) == assignment.max_points
    result = _score(assignment, plan, *(Outcome(test.id, Status.passed) for test in plan))
    assert result.score == result.max_score


def test_planned_tests_and_outcomes_cannot_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        _test("a").weight = Fraction(2)  # type: ignore[misc]


def test_extra_credit_comes_on_top() -> None:
    plain = _assignment(10, 5)
    assignment = dataclasses.replace(
        plain, tasks=(plain.tasks[0], dataclasses.replace(plain.tasks[1], extra=True))
    )
    assert (assignment.max_points, assignment.all_points) == (10, 15)
    plan = [_test("a"), _test("b", "t1")]
    regular = _score(assignment, plan, Outcome("a", Status.passed), Outcome("b", Status.failed))
    everything = _score(assignment, plan, Outcome("a", Status.passed), Outcome("b", Status.passed))
    assert (regular.score, everything.score) == (10, 15)
    assert regular.max_score == everything.max_score == 10
    assert [task.extra for task in regular.tasks] == [False, True]
