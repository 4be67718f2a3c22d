"""Grade the reference before a class, so that a broken suite never reaches students."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.engine.interface import Engine
from autograder.errors import AutograderError, ConfigError, EngineError, SuiteError
from autograder.files import private_folder, write_private
from autograder.graded.results import Provenance, ResultModel
from autograder.grading import specimens
from autograder.scoring import Outcome
from helpers.statuses import Status

TRIES = 2
"""How often the reference is graded where it fails as it might on a machine that is busy."""
_BY_CHANCE = {Status.timeout, Status.crashed, Status.memory}


class _Pass(ResultModel):
    """What the reference has passed, and how student code was confined then."""

    provenance: Provenance
    level: str


def require_sound(
    course: Course,
    assignment: Assignment,
    engine: Engine,
    source: Provenance,
    *,
    stage: Callable[[str], None] = lambda doing: None,
) -> None:
    """Check that the reference passes every test, unless it is on record that it did.

    The record, ``.coursegrad/preflight/NAME.json``, holds for the same suite, kit, versions, machine, secret,
    limits and level of the sandbox.

    Parameters
    ----------
    engine : Engine
        The engine that the class will be graded with.
    source : Provenance
        What a regrade must share.
    stage : callable
        Hears of it if the reference has to be graded.

    Raises
    ------
    SuiteError
        The reference fails a test, or a test fails by itself.
    EngineError
        The reference could not be graded to its end.
    """
    file = _record(course, assignment)
    passed = _Pass(provenance=source, level=engine.sandbox.level)
    if _read(file) == passed:
        return
    stage("Grading the reference first")
    for tried in range(TRIES):
        problem = _problem(assignment, engine)
        if problem is None:
            with contextlib.suppress(ConfigError):  # a course that cannot be written to is checked each time
                private_folder(file.parent.parent)
                private_folder(file.parent)
                write_private(file, passed.model_dump_json(indent=2) + "\n")
            return
        error, by_chance = problem
        if not by_chance or tried + 1 == TRIES:
            raise error


def _problem(assignment: Assignment, engine: Engine) -> tuple[AutograderError, bool] | None:
    """Grade the reference; return what is wrong, and whether that may have been chance."""
    (graded,) = engine.grade([specimens.reference(assignment)])
    ended = {outcome.id: outcome for outcome in graded.outcomes}
    failed = [outcome for outcome in graded.outcomes if outcome.status is not Status.passed]
    if failed and all(outcome.status in _BY_CHANCE for outcome in failed):
        return _overload(assignment, failed), True
    if failed:
        return failure(assignment, failed), False
    if len(ended) < len(engine.plan):
        found = f"only {len(ended)} of {len(engine.plan)} checks of the reference ended"
        return EngineError(assignment.name, found, "run the same command again"), True
    return None


def failure(assignment: Assignment, failed: Sequence[Outcome]) -> SuiteError:
    """Return the error that says where the suite is wrong, from the tests that the reference fails."""
    worst = min(failed, key=lambda outcome: outcome.status is not Status.suite_error)
    others = f" ({len(failed) - 1} more tests fail on the reference)" if len(failed) > 1 else ""
    show = f"`autograder check {assignment.folder / assignment.modules[0]}.py --details` shows everything"
    if worst.fault is not None:
        remedy = worst.fault.remedy or f"correct it; {show}"
        return SuiteError(f"{assignment.suite}/{worst.fault.place}", worst.fault.error + others, remedy)
    said = worst.feedback.summary.rstrip(".") if worst.feedback else worst.status.value
    found = f"the reference fails this test: {said}{others}"
    return SuiteError(f"{assignment.suite}/{worst.id}", found, f"correct the test or the reference; {show}")


def _overload(assignment: Assignment, failed: Sequence[Outcome]) -> SuiteError:
    """Return the error for a reference that is right, as far as this machine lets it run."""
    first = failed[0]
    said = first.feedback.summary.partition(";")[0].rstrip(".") if first.feedback else first.status.value
    found = f"the reference does not get through this test, in {TRIES} tries ({said})"
    remedy = f"grade when the machine is less busy, or raise the limits in {assignment.file}"
    return SuiteError(f"{assignment.suite}/{first.id}", found, remedy)


def _record(course: Course, assignment: Assignment) -> Path:
    return course.secret_file.parent / "preflight" / f"{assignment.name}.json"


def _read(file: Path) -> _Pass | None:
    try:
        return _Pass.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None
