"""A result says by itself whether anything ran."""

from __future__ import annotations

from autograder.graded.results import Feedback, SubmissionResult
from helpers.statuses import Status


def _with(result: SubmissionResult, *statuses: Status) -> SubmissionResult:
    feedback = Feedback(summary="Why.")
    tests = [
        test.model_copy(update={"status": status, "feedback": feedback})
        for test, status in zip(result.tests, statuses, strict=True)
    ]
    return result.model_copy(update={"tests": tests})


def test_stopped_only_if_nothing_ran(result: SubmissionResult) -> None:
    assert _with(result, *[Status.not_run] * 4).stop_reason == "Why."
    assert _with(result, *[Status.not_run] * 3, Status.failed).stop_reason is None
    assert result.model_copy(update={"tests": []}).stop_reason is None
