"""Common wording of all reports."""

from __future__ import annotations

from collections import Counter

from autograder.graded.records import Override, Record
from autograder.graded.results import SubmissionResult
from helpers.statuses import WORDS, Status
from helpers.wording import number

NOT_SCORED = "not scored yet"
"""What stands for the points of a written answer that nobody has scored."""


def place_label(place: str | None) -> str:
    """Say what a feedback's ``first_wrong`` names: an entry of a value, or lines of the source.

    Examples
    --------
    >>> place_label("[3, 0]"), place_label("line 18 (for loop)")
    ('First wrong entry', 'In your source')
    """
    return "In your source" if place is not None and place.startswith("line ") else "First wrong entry"


def summarize(result: SubmissionResult) -> str:
    """Say in a few words what went wrong with a submission.

    Examples of what it says: ``"all 12 checks passed"``, ``"3 failed, 1 took too long"``,
    ``"knn.py is missing."``.
    """
    reason = result.stop_reason
    if reason is not None:
        return reason.partition(" The file could not be imported")[0]
    counts = Counter(test.status for test in result.tests)
    if counts[Status.passed] == len(result.tests):
        return f"all {len(result.tests)} checks passed"
    return ", ".join(
        f"{counts[status]} {word.counted}"
        for status, word in WORDS.items()
        if counts[status] and status not in (Status.passed, Status.not_judged)
    )


def shorten_list(text: str, rest: str, *, most: int = 8) -> str:
    """Shorten a list whose members are separated by semicolons, and say where the rest is.

    Examples
    --------
    >>> shorten_list("Nobody has: a; b; c; d.", "report.html", most=2)
    'Nobody has: a; b; and 2 more, named in report.html.'
    """
    parts = text.split("; ")
    if len(parts) <= most:
        return text
    return f"{'; '.join(parts[:most])}; and {len(parts) - most} more, named in {rest}."


def describe_override(override: Override) -> str:
    """Say in one sentence what an instructor decided, who and why."""
    what = override.task or "score"
    when = override.at.date().isoformat()
    return f"{what}: {number(override.points)} points, by {override.by} on {when} ({override.reason})."


def describe_changed_answers(record: Record) -> list[str]:
    """Say which written answers were others when they were scored, a sentence for each."""
    return [
        f"{one.answer.title}: the answer changed since it was scored."
        for one in record.written
        if one.has_changed
    ]
