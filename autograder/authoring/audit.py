"""Audit a suite: grade the same submissions repeatedly under varying conditions, and compare."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder import scoring
from autograder.authoring.copies import with_new_secret
from autograder.course import Course, provenance
from autograder.course import assignment as assignments
from autograder.course.assignment import Assignment
from autograder.engine.interface import Engine, OpenEngine, Sandbox
from autograder.graded.results import SubmissionResult
from autograder.grading import specimens
from autograder.grading.specimens import REFERENCE, STUB
from autograder.intake import Submission
from autograder.scoring import PlannedTest
from helpers.wording import number

MARGIN = 10
"""How many times the reference's CPU seconds a limit must be."""
_JOBS = (2, 1, 4)
_SPIN = "while True: pass"


@dataclass(frozen=True)
class Unstable:
    """A test that ended differently on the same submission.

    Attributes
    ----------
    student, test : str
        On which submission which test did.
    outcomes : tuple of str
        How it ended, each way once.
    """

    student: str
    test: str
    outcomes: tuple[str, ...]


@dataclass(frozen=True)
class ByChance:
    """A test that ends differently on the same submission under different secrets of the course.

    Attributes
    ----------
    student, test : str
        On which submission which test does.
    counts : dict of str to int
        How it ended, and under how many secrets.
    """

    student: str
    test: str
    counts: Mapping[str, int]

    @property
    def ways(self) -> tuple[str, ...]:
        """Each way in words: ``"failed under 3 secrets"``."""
        return tuple(
            f"{status} under {count} {'secret' if count == 1 else 'secrets'}"
            for status, count in self.counts.items()
        )


@dataclass(frozen=True)
class Tight:
    """A test whose limit on CPU time is close to what the reference needs, in seconds."""

    test: str
    reference_seconds: float
    limit_seconds: float


@dataclass(frozen=True)
class Verdict:
    """How a submission fared.

    Attributes
    ----------
    student : str
        Whose it is.
    score : float
        Its points.
    lost : tuple of (str, float)
        Tasks that lost points, and how many.
    causes : tuple of str
        The likely causes that the feedback names.
    """

    student: str
    score: float
    lost: tuple[tuple[str, float], ...]
    causes: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes
    ----------
    rounds, submissions, tests : int
        How often how many submissions were graded, and by how many tests.
    secrets : int
        Under how many other secrets they were graded too.
    verdicts : tuple of Verdict
        How each submission fared, the best first.
    unstable : tuple of Unstable
        Flaky tests: their outcome changed on the same submission.
    by_chance : tuple of ByChance
        Tests whose outcome depends on the secret of the course.
    tight : tuple of Tight
        Limits that a slow machine would hit.
    faults : tuple of str
        Sentences about the reference, the stub and the limits.
    reference_seconds : float
        CPU seconds of the whole suite on the reference.
    """

    rounds: int
    submissions: int
    tests: int
    secrets: int
    verdicts: tuple[Verdict, ...]
    unstable: tuple[Unstable, ...]
    by_chance: tuple[ByChance, ...]
    tight: tuple[Tight, ...]
    faults: tuple[str, ...]
    reference_seconds: float

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return not (self.unstable or self.by_chance or self.tight or self.faults)


def audit(
    course: Course,
    assignment: Assignment,
    submissions: Sequence[Submission],
    *,
    repeat: int,
    secrets: int = 0,
    sandbox: Sandbox,
    open_engine: OpenEngine,
    progress: Callable[[SubmissionResult], None] = lambda result: None,
) -> Audit:
    """Grade the reference, the stub and ``submissions`` several times.

    Rounds differ in how many are graded side by side, in the order, and in that every other one has to share
    the machine with busy processes. Everything but times must come out the same: status, points, feedback.

    Parameters
    ----------
    repeat : int
        Rounds, at least 2.
    secrets : int
        Under how many other secrets of the course everything is graded once more.

    Raises
    ------
    SuiteError, SandboxError, EngineError
        As `autograder.grading.loop.grade_class` does.
    """
    everybody = [
        specimens.reference(assignment),
        specimens.stub(assignment),
        *(one for one in submissions if one.problem is None),
    ]
    ends: dict[tuple[str, str], dict[str, None]] = {}
    seconds: dict[str, float] = {}
    verdicts: dict[str, Verdict] = {}
    plan: tuple[PlannedTest, ...] = ()
    for turn in range(repeat):
        order = random.Random(turn).sample(everybody, len(everybody))
        jobs = _JOBS[turn % len(_JOBS)]
        with _load(turn % 2 * jobs), open_engine(assignment, course, jobs=jobs, sandbox=sandbox) as engine:
            plan = engine.plan
            for result in _score_all(course, assignment, order, engine):
                verdicts[result.student] = _judge(result)
                for test in result.tests:
                    told = test.feedback.model_dump_json() if test.feedback else ""
                    ends.setdefault((result.student, test.id), {})[f"{test.status} {told}".strip()] = None
                    if result.student == REFERENCE:
                        seconds[test.id] = max(seconds.get(test.id, 0.0), test.cpu_seconds)
                progress(result)
    by_chance = _grade_under_secrets(course, assignment, everybody, secrets, sandbox, open_engine, progress)
    return Audit(
        rounds=repeat,
        submissions=len(everybody),
        tests=len(plan),
        secrets=secrets,
        verdicts=tuple(sorted(verdicts.values(), key=lambda one: (-one.score, one.student))),
        unstable=tuple(Unstable(*key, tuple(ways)) for key, ways in ends.items() if len(ways) > 1),
        by_chance=tuple(by_chance),
        tight=tuple(
            Tight(test.id, seconds[test.id], test.cpu_seconds)
            for test in plan
            if MARGIN * seconds.get(test.id, 0.0) > test.cpu_seconds
        ),
        faults=tuple(_find_faults(assignment, plan, {name: one.score for name, one in verdicts.items()})),
        reference_seconds=sum(seconds.values()),
    )


def _grade_under_secrets(
    course: Course,
    assignment: Assignment,
    submissions: Sequence[Submission],
    secrets: int,
    sandbox: Sandbox,
    open_engine: OpenEngine,
    progress: Callable[[SubmissionResult], None],
) -> list[ByChance]:
    """Grade everything once under each of some new secrets; return what does not end the same under all."""
    ends: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for _ in range(secrets):
        with with_new_secret(course) as other:
            chosen = assignments.load(other, assignment.name)
            with open_engine(chosen, other, jobs=_JOBS[0], sandbox=sandbox) as engine:
                for result in _score_all(other, chosen, submissions, engine):
                    for test in result.tests:
                        ends[result.student, test.id][str(test.status)] += 1
                    progress(result)
    return [ByChance(*key, dict(counts)) for key, counts in ends.items() if len(counts) > 1]


def _judge(result: SubmissionResult) -> Verdict:
    lost = tuple((task.id, task.max_points - task.points) for task in result.tasks)
    causes = [test.feedback.likely_cause for test in result.tests if test.feedback]
    return Verdict(
        result.student,
        result.score,
        tuple((task, points) for task, points in lost if points > 0),
        tuple(dict.fromkeys(cause for cause in causes if cause)),
    )


def _score_all(
    course: Course, assignment: Assignment, submissions: Sequence[Submission], engine: Engine
) -> Iterator[SubmissionResult]:
    source = provenance.collect(course, assignment, engine.versions)
    for graded in engine.grade(submissions):
        yield scoring.score(
            assignment,
            engine.plan,
            graded.submission,
            graded.outcomes,
            sandbox=engine.sandbox,
            provenance=source,
        )


def _find_faults(
    assignment: Assignment, plan: Sequence[PlannedTest], scores: dict[str, float]
) -> Iterator[str]:
    top = float(assignment.all_points)
    if scores[REFERENCE] != top:
        yield f"The reference gets {number(scores[REFERENCE])} of {number(top)} points."
    if scores[STUB] != 0:
        yield f"The stub gets {number(scores[STUB])} points."
    wall = assignment.limits.wall_seconds
    for test in plan:
        if wall <= test.cpu_seconds:
            limits = f"the wall-clock limit ({wall:g} s)", f"the CPU limit ({test.cpu_seconds} s)"
            yield f"{test.id}: {limits[0]} must be longer than {limits[1]}."


@contextlib.contextmanager
def _load(count: int) -> Iterator[None]:
    """Keep processor cores busy meanwhile."""
    busy = [subprocess.Popen([sys.executable, "-c", _SPIN], cwd=Path.cwd().root) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()
