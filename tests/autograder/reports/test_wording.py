"""Every report says the same thing in the same words."""

from __future__ import annotations

from autograder.graded.results import Feedback, SubmissionResult
from autograder.reports import wording
from helpers.statuses import Status


def _with(result: SubmissionResult, *statuses: Status) -> SubmissionResult:
    feedback = Feedback(summary="Why.")
    tests = [
        test.model_copy(update={"status": status, "feedback": feedback})
        for test, status in zip(result.tests, statuses, strict=True)
    ]
    return result.model_copy(update={"tests": tests})


def test_gist(result: SubmissionResult) -> None:
    passed, failed, late = Status.passed, Status.failed, Status.timeout
    assert wording.summarize(_with(result, *[passed] * 4)) == "all 4 checks passed"
    assert wording.summarize(_with(result, failed, late, failed, passed)) == "2 failed, 1 took too long"
    assert wording.summarize(_with(result, failed, passed, Status.not_judged, passed)) == "1 failed"
    assert wording.summarize(_with(result, *[Status.not_run] * 4)) == "Why."
