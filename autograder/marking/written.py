"""The written answers of a graded class: found in its notebooks, and kept beside its results."""

from __future__ import annotations

from collections.abc import Iterable

from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.graded.answers import Answer, AnswerSheet, Questionnaire
from autograder.graded.folder import GradedFolder
from autograder.intake import Submission
from autograder.intake.notebooks.answer_sheets import answer_sheet

EARLIER = "From an earlier hand-in, since the latest one has no notebook."


def questionnaire(course: Course, assignment: Assignment) -> Questionnaire:
    """Return what the assignment's notebook asks; raises ReleaseError if it cannot be released."""
    from autograder.release import handout, questions  # which take a while to import

    return questions.questionnaire(handout.read_notebook(course, assignment))


def collect(
    course: Course, assignment: Assignment, submissions: Iterable[Submission], folder: GradedFolder
) -> tuple[str, ...]:
    """Keep what students answered; return those whose answers are new or others than before.

    The feedback of these is removed, so that whoever grades writes it again.
    Answers that a student handed in before are kept where the submission has no notebook.

    Raises
    ------
    ConfigError
        The folder cannot be written to, or a file in it is damaged.
    ReleaseError
        The assignment's notebook cannot be released, so that nobody knows what it asks.
    """
    if not assignment.questions:
        return ()
    asked = questionnaire(course, assignment)
    changed = []
    for submission in submissions:
        sheet = answer_sheet(assignment, submission, asked)
        before = folder.answer_sheet(submission.student)
        if before is not None and sheet.notebook is None and before.notebook is not None:
            sheet = _read_earlier(before, sheet)
        if sheet != before:
            folder.remove_feedback(sheet.student)  # it shows the answers of before
            folder.keep_answers(sheet)
            changed.append(sheet.student)
    return tuple(changed)


def _read_earlier(before: AnswerSheet, sheet: AnswerSheet) -> AnswerSheet:
    """Return the answers of an earlier hand-in, as answers to the questions that are asked now."""
    known = {answer.question: answer for answer in before.answers}
    answers = [_keep_mark(known.get(answer.question), answer) for answer in sheet.answers]
    return sheet.model_copy(update={"notebook": before.notebook, "answers": answers})


def _keep_mark(before: Answer | None, now: Answer) -> Answer:
    if before is None:
        return now
    note = before.note if EARLIER in before.note else f"{before.note} {EARLIER}".strip()
    asked = {"title": now.title, "max_points": now.max_points, "extra": now.extra, "note": note}
    return before.model_copy(update=asked)
