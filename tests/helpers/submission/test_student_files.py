"""What can be imported, and why not: the same answer in the notebook, in the sandbox and in one process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.engine.interface import Graded
from autograder.engine.pool import Pool
from autograder.intake import Submission
from helpers.notebook import fresh
from helpers.statuses import Status
from helpers.submission import handout, packages
from helpers.submission.handout import Handout
from tests.support import handouts, tiny
from tests.support.student_files import BARE, FAILING, PASSING, Case

ASSIGNMENT = """
name = "toy"
title = "A toy"
modules = ["toy"]

[limits]
cpu_seconds = 1
wall_seconds = 20

[tiers]
"test_public.py" = "public"

[[tasks]]
id = "double"
title = "Doubling"
points = 6

[[tasks]]
id = "total"
title = "Adding up"
points = 4
"""
CASES = {**PASSING, **FAILING, **BARE}
each_case = pytest.mark.parametrize("name", CASES)


def files_of(name: str) -> dict[str, bytes]:
    return {"toy.py": CASES[name].source} if name in BARE else CASES[name].files


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Handout]:
    """Return the handout, with the packages of the default, and a second for an import."""
    folder = tmp_path_factory.mktemp("toy")
    handouts.write_toy(
        folder, packages=list(packages.allowed_names(None)), limits={"cpu_seconds": 1, "memory_mb": 512}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield handout.find("toy")
    fresh.stop()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = tmp_path_factory.mktemp("course")
    for path, text in {
        "course.toml": tiny.COURSE,
        "solutions/toy/assignment.toml": ASSIGNMENT,
        "solutions/toy/toy.py": handouts.SOLUTION,
        "autograder/suites/toy/test_public.py": handouts.TESTS,
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Course.load(root)


@pytest.fixture(scope="module")
def pool(course: Course) -> Iterator[Pool]:
    with Pool(assignments.load(course, "toy"), course, jobs=1, sandbox="full") as pool:
        yield pool


def graded(pool: Pool, files: dict[str, bytes]) -> Graded:
    (found,) = pool.grade([Submission("ada", Path("ada"), files)])
    return found


def told(case: Case, error: str, cause: str | None, where: str) -> None:
    assert case.error is not None
    assert case.error in error
    assert case.cause in (cause or "")
    assert f"line {case.line}" in where or not case.line


@each_case
def test_the_notebook_says_it(toy: Handout, name: str) -> None:
    case, found = CASES[name], fresh.check_imports(toy, files_of(name))
    assert case.note in " ".join(found.notes)
    assert ("toy.py" in found.problems) == (case.error is not None), found.problems
    if case.error is not None:
        problem = found.problems["toy.py"]
        told(case, problem.error, problem.cause, problem.where)


@each_case
def test_grading_says_the_same(pool: Pool, toy: Handout, name: str) -> None:
    case, found = CASES[name], graded(pool, files_of(name))
    statuses = {outcome.status for outcome in found.outcomes}
    assert case.note in " ".join(found.remarks.notes)
    assert statuses == ({Status.passed} if case.error is None else {Status.not_run}), found.outcomes[0]
    if case.error is not None:
        feedback = found.outcomes[0].feedback
        assert feedback is not None
        told(case, feedback.summary, feedback.likely_cause, feedback.summary)
        problem = fresh.check_imports(toy, files_of(name)).problems["toy.py"]
        assert feedback.likely_cause == problem.cause


@pytest.mark.parametrize(
    "name",
    [
        *("a sibling", "magics", "helpers of their own", "a syntax error", "a circle"),
        *("helpers of another course", "a name that the other kit does not have here"),
    ],
)
def test_one_process_says_the_same(course: Course, name: str) -> None:
    case = CASES[name]
    with Pool(assignments.load(course, "toy"), course, jobs=1, sandbox="none") as pool:
        found = graded(pool, files_of(name))
    statuses = {outcome.status for outcome in found.outcomes}
    assert statuses == ({Status.passed} if case.error is None else {Status.not_run}), found.outcomes[0]
    assert case.note in " ".join(found.remarks.notes)


@pytest.mark.parametrize("name", PASSING)
def test_public_checks_pass_in_a_fresh_process(toy: Handout, name: str) -> None:
    done = fresh.run_public(toy, files_of(name))
    assert (done.problem, done.passed) == (None, 4), done.outcomes


def test_a_course_says_what_stands_for_modules_of_other_kits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {"cpu_seconds": 1, "memory_mb": 512}
    handouts.write_toy(tmp_path, packages=["torch"], limits=limits, imports={"mine": "a3_helper"})
    monkeypatch.chdir(tmp_path)
    source = b"from mine import softmax_loss\n" + CASES["as it should be"].files["toy.py"]
    assert fresh.check_imports(handout.find("toy"), {"toy.py": source}).problems == {}
