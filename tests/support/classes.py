"""The example classes, graded in a course of their own."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from autograder import course, scoring
from autograder.course import assignment
from autograder.engine.pool import Pool
from autograder.graded.results import Provenance, SubmissionResult
from autograder.intake import Submission
from autograder.scoring import Outcome, PlannedTest
from benchmarks.example_classes import (
    CLASSES,
    NAMES,
    ROOT,
    Expected,
    is_right,
    make_mistaken,
    read_expected,
    read_mistakes,
    students,
)
from helpers.statuses import Status

__all__ = [
    "CLASSES",
    "NAMES",
    "ROOT",
    "TRAINING",
    "Expected",
    "graded",
    "is_right",
    "lost",
    "make_mistaken",
    "read_expected",
    "read_mistakes",
    "shown",
    "students",
]

TRAINING = {
    name: frozenset(("overfit", "solver")) for name in ("fully_connected_networks", "convolutional_networks")
}
"""Tasks whose tests train networks, which takes most of the time of a suite."""
PROVENANCE = Provenance(kit="", suite="", python="", torch="", numpy="", machine="", secret="", limits={})


def graded(
    folder: Path, name: str, submissions: Iterable[Submission], *, untouched: Collection[str] = ()
) -> dict[str, SubmissionResult]:
    """Grade submissions in a copy of the course in `folder`, which makes a secret of its own.

    Tasks that are untouched, where all submissions hand in the reference, count as passed.
    """
    for part in ("course.toml", f"solutions/{name}", f"autograder/suites/{name}"):
        source, copy = ROOT / part, folder / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy)
    own = course.Course.load(folder)
    one = assignment.load(own, name)
    plan: Sequence[PlannedTest] = ()
    if untouched:
        with Pool(one, own, jobs=1, sandbox="full") as pool:
            plan = pool.plan
    tasks = {task.id for task in one.tasks} - set(untouched)
    passed = [Outcome(test.id, Status.passed) for test in plan if test.task in untouched]
    with Pool(one, own, jobs=1, sandbox="full", tasks=tasks) as pool:
        plan = plan or pool.plan
        return {
            done.submission.student: scoring.score(
                one,
                plan,
                done.submission,
                [*done.outcomes, *passed],
                sandbox=pool.sandbox,
                provenance=PROVENANCE,
            )
            for done in pool.grade(submissions)
        }


def lost(result: SubmissionResult, own: str | None) -> list[str]:
    """Return the tasks in which points are missing; extra credit that was left out counts if it is `own`."""
    return [
        task.id
        for task in result.tasks
        if task.points < task.max_points and (not task.extra or task.points > 0 or task.id == own)
    ]


def shown(result: SubmissionResult) -> set[str]:
    """Return the likely causes that the student reads."""
    said = (test.feedback.likely_cause for test in result.tests if test.feedback is not None)
    return {cause for cause in said if cause is not None}
