"""Points: known before any student code runs, exact, and never more than the task is worth."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from autograder.course.assignment import Assignment
from autograder.errors import EngineError, SuiteError
from autograder.graded.results import (
    CUT_OFF,
    Feedback,
    Provenance,
    SandboxReport,
    SubmissionResult,
    TaskResult,
    TestResult,
)
from autograder.intake import Submission
from helpers.credit import WAITS, Credit, Judged, assign_credit
from helpers.statuses import Status

DECIMALS = 4
NOT_JUDGED = Feedback(summary=f"Not judged: {WAITS}.")


@dataclass(frozen=True)
class PlannedTest:
    """One test of a suite, as collected, before any student code runs.

    Attributes
    ----------
    id : str
        ``"test_hidden.py::test_ties"``.
    title : str
        First line of the test's docstring.
    task : str
        Id of the task that it belongs to.
    tier, kind : str
        Who may see it, and whether it checks values or a constraint.
    weight : Fraction
        Its share of the task, relative to the task's other tests.
    cpu_seconds, memory_mb : int
        Limits of this test.
    """

    id: str
    title: str
    task: str
    tier: Literal["public", "hidden"]
    kind: Literal["value", "constraint"]
    weight: Fraction
    cpu_seconds: int
    memory_mb: int


@dataclass(frozen=True)
class Fault:
    """An error of the suite itself.

    Attributes
    ----------
    place : str
        File and line in the suite: ``"test_hidden.py:57"``.
    error : str
        What was raised there, on one line.
    remedy : str
        What the author of the suite should do, if the error says so.
    """

    place: str
    error: str
    remedy: str = ""

    def __str__(self) -> str:
        """Say where and what, on one line."""
        return f"{self.place}: {self.error}"


@dataclass(frozen=True)
class Outcome:
    """How one planned test ended on one submission."""

    id: str
    status: Status
    feedback: Feedback | None = None
    detail: str = ""
    output: str = ""
    cpu_seconds: float = 0.0
    fault: Fault | None = None
    """What is wrong with the suite, where `status` says that something is."""
    reached: Mapping[str, float] = field(default_factory=dict)
    """Numbers that have a threshold, such as accuracies in percent, by the threshold's name."""


Emit = Callable[[Outcome], None]
"""Takes the outcomes of a submission one by one, as the tests end."""


def share(plan: Sequence[PlannedTest], assignment: Assignment) -> dict[str, Fraction]:
    """Return the points of every test: its weight's part of its task's points.

    Raises
    ------
    SuiteError
        Two tests share an id, a weight is not positive, a test names an unknown task, or a task has
        no test that checks a value (its constraints alone would give a stub points).
    """
    tests = _by_task(plan, assignment)
    points: dict[str, Fraction] = {}
    for task in assignment.tasks:
        total = sum((test.weight for test in tests[task.id]), Fraction())
        for test in tests[task.id]:
            points[test.id] = task.points * test.weight / total
    return points


def mark_not_run(plan: Iterable[PlannedTest], reason: str | Feedback) -> tuple[Outcome, ...]:
    """Return an outcome per planned test that says why none of them ran."""
    feedback = Feedback(summary=reason) if isinstance(reason, str) else reason
    return tuple(Outcome(test.id, Status.not_run, feedback) for test in plan)


def score(
    assignment: Assignment,
    plan: Sequence[PlannedTest],
    submission: Submission,
    outcomes: Iterable[Outcome],
    *,
    sandbox: SandboxReport,
    provenance: Provenance,
    seconds: float = 0.0,
    notes: Iterable[str] = (),
    remarks: Iterable[str] = (),
    needs_python: str = "",
) -> SubmissionResult:
    """Turn the outcomes of one submission into its result.

    A planned test without an outcome counts as crashed. The maximum is that of the assignment,
    whatever the outcomes are. Points are summed exactly and rounded to four decimals at the end.

    Parameters
    ----------
    notes : iterable of str
        Sentences to add to those of the submission.
    remarks, needs_python
        What grading found out about its files; see `SubmissionResult`.
    seconds : float
        Wall seconds that grading took.

    Raises
    ------
    SuiteError
        The plan does not fit the assignment.
    EngineError
        An outcome belongs to no planned test, or a test has two.
    """
    points = share(plan, assignment)
    found = _fill_in(plan, _by_id(points, outcomes))
    credits = assign_credit(_judge(test, found[test.id], points[test.id]) for test in plan)
    ended = {id: _settle(outcome, credits[id]) for id, outcome in found.items()}
    earned = {id: credit.points for id, credit in credits.items()}
    per_task: dict[str, Fraction] = defaultdict(Fraction)
    for test in plan:
        per_task[test.task] += earned[test.id]
    any_ran = any(outcome.status is not Status.not_run for outcome in ended.values())
    return SubmissionResult(
        assignment=assignment.name,
        student=submission.student,
        name=submission.name,
        handed_in=classify_submission(submission, waits=bool(needs_python) and not any_ran),
        score=_round(sum(earned.values(), Fraction())),
        max_score=_round(assignment.max_points),
        notes=[*submission.notes, *notes],
        remarks=list(remarks),
        needs_python=needs_python,
        tasks=[
            TaskResult(
                id=task.id,
                title=task.title,
                points=_round(per_task[task.id]),
                max_points=_round(task.points),
                extra=task.extra,
            )
            for task in assignment.tasks
        ],
        tests=[_test_result(test, ended[test.id], earned[test.id], points[test.id]) for test in plan],
        sandbox=sandbox,
        provenance=provenance,
        files=submission.hashes,
        attempts=submission.attempts,
        entries=list(submission.entries),
        seconds=seconds,
    )


def classify_submission(
    submission: Submission, *, waits: bool = False
) -> Literal["work", "nothing", "undecided"]:
    """Say what there is to grade; `waits` tells that this takes another Python than the one that graded."""
    if submission.absent:
        return "nothing"
    return "undecided" if submission.undecided or waits else "work"


def is_unfinished(result: SubmissionResult) -> bool:
    """Tell whether a check of ``result`` ended without an outcome, so that someone should look at it."""
    return any(test.is_cut_off for test in result.tests)


def _by_task(plan: Sequence[PlannedTest], assignment: Assignment) -> dict[str, list[PlannedTest]]:
    """Group the plan by task, refusing one that cannot be scored."""
    suite = str(assignment.suite)
    tests: dict[str, list[PlannedTest]] = {task.id: [] for task in assignment.tasks}
    for test_id, count in Counter(test.id for test in plan).items():
        if count > 1:
            raise SuiteError(suite, f"{count} tests are called {test_id}", "give each its own name")
    for test in plan:
        if test.task not in tests:
            known = ", ".join(tests)
            raise SuiteError(f"{suite}/{test.id}", f"unknown task {test.task!r}", f"choose one of: {known}")
        if test.weight <= 0:
            raise SuiteError(f"{suite}/{test.id}", f"weight is {test.weight}", "expected a number above 0")
        tests[test.task].append(test)
    for task_id, members in tests.items():
        if not any(test.kind == "value" for test in members):
            found = f"task {task_id!r} has no test that checks a value"
            raise SuiteError(suite, found, f"add one, or remove the task from {assignment.file}")
    return tests


def _by_id(points: Mapping[str, Fraction], outcomes: Iterable[Outcome]) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    for outcome in outcomes:
        if outcome.id not in points or outcome.id in found:
            word = "two outcomes" if outcome.id in found else "an outcome, but was not planned"
            raise EngineError(outcome.id, f"has {word}", "this is a bug in the kit; please report it")
        found[outcome.id] = outcome
    return found


def _fill_in(plan: Sequence[PlannedTest], outcomes: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """Return an outcome for every planned test: one that has none was cut off."""
    return {
        test.id: outcomes.get(test.id, Outcome(test.id, Status.crashed, Feedback(summary=CUT_OFF)))
        for test in plan
    }


def _judge(test: PlannedTest, outcome: Outcome, points: Fraction) -> Judged:
    feedback, passed = outcome.feedback, outcome.status is Status.passed
    slip = feedback.likely_cause or "" if feedback is not None and feedback.slip else None
    raised = None
    if outcome.status is Status.raised and feedback is not None and not feedback.unfinished:
        place = feedback.location
        raised = f"{place.file}, line {place.line}" if place is not None else None
    hidden = test.tier == "hidden"
    return Judged(test.id, test.task, test.kind, points, passed, slip, raised, hidden)


def _settle(outcome: Outcome, credit: Credit) -> Outcome:
    """Set a constraint aside whose task has earned too little."""
    if credit.counts or outcome.status is Status.not_run:
        return outcome
    return replace(outcome, status=Status.not_judged, feedback=NOT_JUDGED, fault=None)


def _test_result(test: PlannedTest, outcome: Outcome, earned: Fraction, points: Fraction) -> TestResult:
    return TestResult(
        id=test.id,
        title=test.title,
        task=test.task,
        tier=test.tier,
        kind=test.kind,
        status=outcome.status,
        points=_round(earned),
        max_points=_round(points),
        feedback=None if outcome.status is Status.passed else outcome.feedback,
        detail=outcome.detail,
        output=outcome.output,
        cpu_seconds=outcome.cpu_seconds,
        reached=dict(outcome.reached),
    )


def _round(points: Fraction) -> float:
    return float(round(points, DECIMALS))
