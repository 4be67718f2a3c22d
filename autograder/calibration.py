"""Measure, under many secrets, what the reference and weak solutions reach on hidden tests."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from autograder import assignment as assignments
from autograder import preflight, specimens, thresholds, weak_solutions
from autograder.assignment import Assignment
from autograder.course import COURSE_FILE, Course
from autograder.engine.pool import Pool
from autograder.errors import SuiteError
from autograder.files import private_folder
from autograder.grading import OpenPool, Sandbox
from autograder.results import Status
from autograder.thresholds import Evidence
from autograder.weak_solutions import Weak

Values = dict[str, list[float]]


@dataclass
class _Measured:
    """What was reached so far, under one secret after the other."""

    right: Values = field(default_factory=dict)
    """Of the reference, by threshold."""
    weak: dict[str, Values] = field(default_factory=dict)
    """Of weak solutions, by threshold and name."""


def calibrate(
    course: Course,
    assignment: Assignment,
    *,
    seeds: int,
    sandbox: Sandbox,
    open_pool: OpenPool,
    progress: Callable[[], None] = lambda: None,
) -> dict[str, Evidence]:
    """Grade the reference and the weak solutions under as many new secrets as `seeds`.

    Parameters
    ----------
    progress : callable
        Called after each graded solution: ``seeds`` times for the reference and for each weak solution.

    Returns
    -------
    dict of str to Evidence
        Each threshold of the suite with its evidence; empty if the suite asks for none.

    Raises
    ------
    SuiteError
        The reference fails a test, a threshold is not asked for under every secret, its values are not
        normally distributed, no weak solution is named for it, or a weak solution comes too close to it.
    SandboxError, EngineError
        As `autograder.grading.grade_class` does.
    """
    measured = _Measured()
    for _ in range(seeds):
        with _under_a_new_secret(course) as other:
            chosen = assignments.load(other, assignment.name)
            with open_pool(chosen, other, jobs=1, sandbox=sandbox) as pool:
                _measure_reference(chosen, other, pool, measured)
                progress()
                weak = weak_solutions.read(chosen)
                _require_named(assignment, measured.right, weak)
                for one in weak:
                    _measure_weak(assignment, other, pool, one, measured)
                    progress()
        if not measured.right:
            return {}
    return {
        name: checked(assignment, name, values, seeds, measured.weak[name])
        for name, values in measured.right.items()
    }


def checked(
    assignment: Assignment,
    name: str,
    values: list[float],
    seeds: int,
    weak: Mapping[str, Sequence[float]],
) -> Evidence:
    """Return the evidence for a threshold; raises SuiteError as `calibrate` does."""
    where = str(assignment.suite)
    if len(values) != seeds:
        problem = f"{name!r} was asked for {len(values)} times in {seeds} runs"
        raise SuiteError(where, problem, "a suite asks for each threshold exactly once")
    evidence = thresholds.evidence(values, weak)
    if evidence.normal_p < thresholds.LEAST_P:
        problem = f"the values of {name!r} are not normally distributed (p = {evidence.normal_p}): {values}"
        remedy = "test more data, train longer, or choose another number, such as a mean over several nets"
        raise SuiteError(where, problem, remedy)
    for one in evidence.weak:
        if one.most > evidence.threshold:
            problem = (
                f"no threshold of {name!r} tells right from weak: a right solution may reach as little as "
                f"{evidence.threshold}, and {one.name!r} as much as {one.most}"
            )
            remedy = (
                "test more data, so that both vary less, or ask for something that the weak one cannot do"
            )
            raise SuiteError(where, problem, remedy)
    return evidence


def _measure_reference(assignment: Assignment, course: Course, pool: Pool, measured: _Measured) -> None:
    (graded,) = pool.grade([specimens.reference(assignment)])
    failed = [outcome for outcome in graded.outcomes if outcome.status is not Status.passed]
    if failed:
        raise preflight.failure(assignment, failed)
    for name, value in thresholds.take_notes(course.root).items():
        measured.right.setdefault(name, []).append(value)


def _measure_weak(
    assignment: Assignment, course: Course, pool: Pool, weak: Weak, measured: _Measured
) -> None:
    (graded,) = pool.grade([weak.submission])
    notes = thresholds.take_notes(course.root)
    if weak.threshold not in notes:
        failed = [outcome for outcome in graded.outcomes if outcome.status is not Status.passed]
        said = "; ".join(f"{one.id}: {one.feedback.summary}" for one in failed if one.feedback)
        found = f"the weak solution {weak.name!r} fails before {weak.threshold!r} is asked for ({said})"
        remedy = "choose one that passes every other check of that test"
        raise SuiteError(str(assignment.suite / weak_solutions.FILE), found, remedy)
    of_threshold = measured.weak.setdefault(weak.threshold, {})
    of_threshold.setdefault(weak.name, []).append(notes[weak.threshold])


def _require_named(assignment: Assignment, right: Values, weak: Sequence[Weak]) -> None:
    """Check, before minutes go by, that there is a weak solution for each threshold, and none for others."""
    path = str(assignment.suite / weak_solutions.FILE)
    named = {one.threshold for one in weak}
    for name in right.keys() - named:
        found = f"names no weak solution for the threshold {name!r}"
        raise SuiteError(
            path,
            found,
            "add one, as docs/suites.md shows: without one, nobody knows what the threshold is worth",
        )
    for name in named - right.keys():
        raise SuiteError(
            path, f"names the threshold {name!r}", "the suite asks for no threshold of that name"
        )


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
