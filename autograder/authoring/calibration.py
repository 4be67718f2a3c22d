"""Measure, under many secrets, what right and weak solutions reach on hidden tests."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from autograder.authoring import variants
from autograder.authoring.copies import with_new_secret
from autograder.authoring.variants import Variant
from autograder.course import Course, thresholds
from autograder.course import assignment as assignments
from autograder.course.assignment import Assignment
from autograder.course.thresholds import Evidence, Note
from autograder.engine.interface import Engine, OpenEngine, Sandbox
from autograder.errors import SuiteError
from autograder.files import private_folder
from autograder.grading import preflight, specimens
from helpers.statuses import Status

Values = dict[str, list[float]]


Reached = dict[str, Values]
"""What solutions reached under one secret after the other, by threshold and name."""


@dataclass
class _Measured:
    """What was reached so far, under one secret after the other."""

    reference: Values = field(default_factory=dict)
    """By threshold."""
    variants: dict[str, Reached] = field(default_factory=lambda: {variants.RIGHT: {}, variants.WEAK: {}})
    """By the file that names them."""

    def add(self, one: Variant, value: float) -> None:
        """Add what a variant of the reference reached."""
        self.variants[one.file].setdefault(one.threshold, {}).setdefault(one.name, []).append(value)


def calibrate(
    course: Course,
    assignment: Assignment,
    *,
    seeds: int,
    sandbox: Sandbox,
    open_engine: OpenEngine,
    progress: Callable[[], None] = lambda: None,
) -> dict[str, Evidence]:
    """Grade the reference, other right solutions and weak ones under as many new secrets as `seeds`.

    The reference has to pass all tests first. From then on, only tasks that ask for thresholds are graded.

    Parameters
    ----------
    progress : callable
        Called after each graded solution: once at first, then ``seeds`` times for the reference and for each
        of its variants.

    Returns
    -------
    dict of str to Evidence
        Each threshold of the suite with its evidence; empty if the suite asks for none.

    Raises
    ------
    SuiteError
        The reference fails a test, a threshold is not asked for under every secret, what a right solution
        reaches is not normally distributed, no weak one is named, or one comes too close to the threshold.
    SandboxError, EngineError
        As `autograder.grading.loop.grade_class` does.
    """
    tasks = _tasks_with_thresholds(course, assignment, sandbox, open_engine)
    progress()
    if not tasks:
        return {}
    measured = _Measured()
    for _ in range(seeds):
        with _with_new_secret(course) as other:
            chosen = assignments.load(other, assignment.name)
            with open_engine(chosen, other, jobs=1, sandbox=sandbox, tasks=tasks) as engine:
                for name, note in _measure_reference(chosen, other, engine).items():
                    measured.reference.setdefault(name, []).append(note.value)
                progress()
                for one in _select_variants(chosen, assignment, measured.reference.keys()):
                    measured.add(one, _measure_variant(assignment, other, engine, one))
                    progress()
    right, weak = measured.variants[variants.RIGHT], measured.variants[variants.WEAK]
    return {
        name: gather_evidence(assignment, name, values, seeds, weak[name], right.get(name))
        for name, values in measured.reference.items()
    }


def gather_evidence(
    assignment: Assignment,
    name: str,
    values: list[float],
    seeds: int,
    weak: Mapping[str, Sequence[float]],
    right: Mapping[str, Sequence[float]] | None = None,
) -> Evidence:
    """Return the evidence for a threshold; raises SuiteError as `calibrate` does."""
    where = str(assignment.suite)
    if len(values) != seeds:
        problem = f"{name!r} was asked for {len(values)} times in {seeds} runs"
        raise SuiteError(where, problem, "a suite asks for each threshold exactly once")
    evidence = thresholds.evidence(values, weak, right)
    spread = [("", evidence.normal_p, values)]
    spread += [(f" of {one.name!r}", one.normal_p, [*map(float, one.values)]) for one in evidence.right]
    for whose, normal_p, reached in spread:
        if normal_p < thresholds.LEAST_P:
            problem = (
                f"the values of {name!r}{whose} are not normally distributed (p = {normal_p}): {reached}"
            )
            remedy = (
                "test more data, train longer, or choose another number, such as a mean over several nets"
            )
            raise SuiteError(where, problem, remedy)
    for weaker in evidence.weak:
        if weaker.most > evidence.threshold:
            problem = (
                f"no threshold of {name!r} tells right from weak: a right solution may reach as little as "
                f"{evidence.threshold}, and {weaker.name!r} as much as {weaker.most}"
            )
            remedy = (
                "test more data, so that both vary less, or ask for something that the weak one cannot do"
            )
            raise SuiteError(where, problem, remedy)
    return evidence


def _tasks_with_thresholds(
    course: Course, assignment: Assignment, sandbox: Sandbox, open_engine: OpenEngine
) -> frozenset[str]:
    """Grade the reference once in all tests; return the tasks of those that ask for a threshold."""
    with _with_new_secret(course) as other:
        chosen = assignments.load(other, assignment.name)
        with open_engine(chosen, other, jobs=1, sandbox=sandbox) as engine:
            asking = {note.test for note in _measure_reference(chosen, other, engine).values()}
            return frozenset(test.task for test in engine.plan if test.id in asking)


def _measure_reference(assignment: Assignment, course: Course, engine: Engine) -> dict[str, Note]:
    (graded,) = engine.grade([specimens.reference(assignment)])
    failed = [outcome for outcome in graded.outcomes if outcome.status is not Status.passed]
    if failed:
        raise preflight.failure(assignment, failed)
    return thresholds.take_notes(course.root)


def _measure_variant(assignment: Assignment, course: Course, engine: Engine, one: Variant) -> float:
    """Grade a variant of the reference, and return what it reached."""
    (graded,) = engine.grade([one.submission])
    notes = thresholds.take_notes(course.root)
    if one.threshold not in notes:
        failed = [outcome for outcome in graded.outcomes if outcome.status is not Status.passed]
        said = "; ".join(f"{one.id}: {one.feedback.summary}" for one in failed if one.feedback)
        kind = one.file.removesuffix(".toml")
        found = f"the {kind} solution {one.name!r} fails before {one.threshold!r} is asked for ({said})"
        remedy = "choose one that passes every other check of that test"
        raise SuiteError(str(assignment.suite / one.file), found, remedy)
    return notes[one.threshold].value


def _select_variants(chosen: Assignment, assignment: Assignment, asked: Set[str]) -> list[Variant]:
    """Return all variants of the reference; each threshold needs a weak one, and nothing else is named.

    That is checked before minutes go by.
    """
    weak, right = variants.read(chosen, variants.WEAK), variants.read(chosen, variants.RIGHT)
    for name in asked - {one.threshold for one in weak}:
        found = f"names no weak solution for the threshold {name!r}"
        remedy = "add one, as docs/suites.md shows: without one, nobody knows what the threshold is worth"
        raise SuiteError(str(assignment.suite / variants.WEAK), found, remedy)
    for one in (*right, *weak):
        if one.threshold not in asked:
            found = f"names the threshold {one.threshold!r}"
            remedy = "the suite asks for no threshold of that name"
            raise SuiteError(str(assignment.suite / one.file), found, remedy)
    return [*right, *weak]


@contextlib.contextmanager
def _with_new_secret(course: Course) -> Iterator[Course]:
    """Yield a course that is the same but for its secret, and that notes numbers down."""
    with with_new_secret(course) as other:
        private_folder(thresholds.notebook(other.root).parent)
        thresholds.notebook(other.root).touch(mode=0o600)
        yield other
