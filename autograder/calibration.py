"""Measure on the reference, under many secrets, what hidden tests ask a solution to reach."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from autograder import assignment as assignments
from autograder import specimens, thresholds
from autograder.assignment import Assignment
from autograder.course import COURSE_FILE, Course
from autograder.errors import SuiteError
from autograder.files import private_folder
from autograder.grading import OpenPool, Sandbox
from autograder.results import Status
from autograder.thresholds import Evidence


def calibrate(
    course: Course,
    assignment: Assignment,
    *,
    seeds: int,
    sandbox: Sandbox,
    open_pool: OpenPool,
    progress: Callable[[], None] = lambda: None,
) -> dict[str, Evidence]:
    """Grade the reference under as many new secrets as `seeds`; return the evidence for each threshold.

    Raises
    ------
    SuiteError
        The reference fails a test, a threshold is not asked for under every secret, or the values of one
        are not normally distributed.
    SandboxError, EngineError
        As `autograder.grading.grade_class` does.
    """
    found: dict[str, list[float]] = {}
    for _ in range(seeds):
        with _under_a_new_secret(course) as other:
            chosen = assignments.load(other, assignment.name)
            with open_pool(chosen, other, jobs=1, sandbox=sandbox) as pool:
                (graded,) = pool.grade([specimens.reference(chosen)])
            for outcome in graded.outcomes:
                if outcome.status is not Status.passed:
                    problem = f"{outcome.id} fails on the reference: {outcome.detail}"
                    raise SuiteError(str(assignment.suite), problem, "mend the reference or the test")
            for name, value in thresholds.noted(other.root).items():
                found.setdefault(name, []).append(value)
        progress()
    return {name: checked(assignment, name, values, seeds) for name, values in found.items()}


def checked(assignment: Assignment, name: str, values: list[float], seeds: int) -> Evidence:
    """Return the evidence for a threshold; raises SuiteError as `calibrate` does."""
    where = str(assignment.suite)
    if len(values) != seeds:
        problem = f"{name!r} was asked for {len(values)} times in {seeds} runs"
        raise SuiteError(where, problem, "ask for it once, under every secret")
    evidence = thresholds.evidence(values)
    if evidence.normal_p < thresholds.LEAST_P:
        problem = f"the values of {name!r} are not normally distributed (p = {evidence.normal_p}): {values}"
        mend = "test more data, train longer, or choose another number, such as a mean over several nets"
        raise SuiteError(where, problem, mend)
    return evidence


@contextlib.contextmanager
def _under_a_new_secret(course: Course) -> Iterator[Course]:
    """Yield a course that is the same but for its secret, and that notes numbers down."""
    with TemporaryDirectory(prefix="coursegrad-") as place:
        root = Path(place)
        shutil.copy(course.root / COURSE_FILE, root)
        for name in ("solutions", "autograder"):
            (root / name).symlink_to(course.root / name)
        private_folder(thresholds.notebook(root).parent)
        thresholds.notebook(root).touch(mode=0o600)
        yield Course.load(root)
