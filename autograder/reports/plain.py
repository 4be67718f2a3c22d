"""Feedback as plain text, for programs that show no pages of ours."""

from __future__ import annotations

from autograder.graded.results import Feedback
from autograder.reports.feedback import Check, Page
from autograder.reports.wording import place_label
from autograder.untrusted import line


def check_text(check: Check) -> str:
    """Return what a student may read about one check, a line for each part; empty if it passed."""
    lines = [] if check.feedback is None else _feedback_lines(check.feedback)
    if check.once:
        lines.append(check.once)
    return "\n".join(map(line, lines))


def page_text(page: Page, counted: str) -> str:
    """Return what a student may read about a submission as a whole, a line for each part.

    Parameters
    ----------
    counted : str
        How many checks passed, in words.
    """
    lines = []
    if page.notice is not None:
        lines.append(f"{page.notice.head}. {page.notice.text}")
    elif page.stopped is not None:
        lines.append(f"Nothing could be checked. {page.stopped}")
    else:
        lines.append(counted)
    lines += page.notes
    lines.append(page.graded_by)
    return "\n".join(map(line, lines))


def _feedback_lines(feedback: Feedback) -> list[str]:
    lines = [feedback.summary]
    if feedback.expected:
        lines.append(f"Expected: {feedback.expected}")
    if feedback.actual:
        lines.append(f"Yours: {feedback.actual}")
    if feedback.first_wrong:
        lines.append(f"{place_label(feedback.first_wrong)}: {feedback.first_wrong}")
    if feedback.location:
        place = feedback.location
        lines.append(f"Where: {place.file}, line {place.line}, in {place.function}")
    if feedback.likely_cause:
        lines.append(f"Likely cause: {feedback.likely_cause}")
    return lines
