"""Records without names, to share with a colleague, in a meeting or in a study."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace

from autograder.graded.records import Override, Record, WrittenAnswer
from autograder.graded.results import Feedback, TestResult
from helpers.statuses import Status

_WITHHELD = "withheld"
_NOT_RUN = Feedback(summary="The submission could not be run.")


def pseudonym(key: bytes, student: str) -> str:
    """Return what a student is called: the same in all assignments of a course, and nothing to anybody else.

    It is the first 40 bits of an HMAC-SHA256 under the course's secret.
    """
    digest = hmac.digest(key, b"anonymous:" + student.encode(), hashlib.sha256)
    return f"student-{digest[:5].hex()}"


def anonymize(records: Sequence[Record], key: bytes) -> list[Record]:
    """Return the records under pseudonyms, in order of these, without anything that students or people wrote.

    Of the feedback the likely causes stay, which are the suite's words. What remains identifies a student
    only to somebody who knows their points.
    """
    return sorted((_anonymize_record(record, key) for record in records), key=lambda record: record.student)


def _anonymize_record(record: Record, key: bytes) -> Record:
    result = record.result
    fresh = result.model_copy(
        update={
            "student": pseudonym(key, record.student),
            "name": "",
            "notes": [],
            "tests": [_test(test) for test in result.tests],
            "files": {},
            "attempts": [],
        }
    )
    overrides = tuple(_override(override) for override in record.overrides)
    written = tuple(_anonymize_answer(one) for one in record.written)
    return replace(record, result=fresh, overrides=overrides, name="", written=written)


def _test(test: TestResult) -> TestResult:
    kept = None
    if test.status is Status.not_run:
        kept = _NOT_RUN
    elif test.is_cut_off:
        kept = test.feedback
    elif test.feedback is not None:
        kept = Feedback(summary="", likely_cause=test.feedback.likely_cause)
    return test.model_copy(update={"feedback": kept, "detail": "", "output": ""})


def _anonymize_answer(one: WrittenAnswer) -> WrittenAnswer:
    """Return an answer without its text, which stays changed if it changed since it was scored."""
    answer = one.answer.model_copy(update={"text": "", "images": {}, "note": ""})
    if one.mark is None:
        return WrittenAnswer(answer)
    scored = "" if one.has_changed else answer.digest
    mark = one.mark.model_copy(update={"comment": "", "by": _WITHHELD, "answer": scored})
    return WrittenAnswer(answer, mark)


def _override(override: Override) -> Override:
    return override.model_copy(update={"reason": _WITHHELD, "by": _WITHHELD})
