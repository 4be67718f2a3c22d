"""Tests of the suite of convolutional networks: its reference solution, the stub, and typical mistakes."""

from __future__ import annotations

import ast
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from autograder import assignment, course, scoring
from autograder.engine.pool import Pool
from autograder.intake import Submission
from autograder.results import Provenance, SubmissionResult

ROOT = Path(__file__).parent.parent
NAME = "convolutional_networks"
PROVENANCE = Provenance(kit="", suite="", python="", torch="", numpy="", machine="", secret="", limits={})
REFERENCE = {path.name: path.read_text() for path in sorted((ROOT / "solutions" / NAME).glob("*.py"))}
STUB = {name: (ROOT / "assignments" / NAME / name).read_text() for name in REFERENCE}
MISTAKES: dict[str, dict[str, Any]] = tomllib.loads(
    (ROOT / "examples" / "submissions" / f"{NAME}-mistakes.toml").read_text()
)
SOME = ("chen-wei", "julia-schmidt", "ravi-patel", "ibrahim-khan")
SECONDS = 25


def grade(folder: Path, sources: Mapping[str, Mapping[str, str]]) -> dict[str, SubmissionResult]:
    """Grade submissions in a copy of the course, which makes a secret of its own."""
    for part in ("course.toml", f"solutions/{NAME}", f"autograder/suites/{NAME}"):
        source, copy = ROOT / part, folder / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy)
    own = course.Course.load(folder)
    one = assignment.load(own, NAME)
    submissions = [
        Submission(student, folder, {name: text.encode() for name, text in files.items()})
        for student, files in sources.items()
    ]
    with Pool(one, own, jobs=2, sandbox="full") as pool:
        return {
            graded.submission.student: scoring.score(
                one,
                pool.plan,
                graded.submission,
                graded.outcomes,
                sandbox=pool.sandbox,
                provenance=PROVENANCE,
            )
            for graded in pool.grade(submissions)
        }


def mistaken(student: str) -> dict[str, str]:
    """Return the files of a student who makes one mistake."""
    mistake = MISTAKES[student]
    name = f"{mistake['file']}.py"
    assert REFERENCE[name].count(mistake["old"]) == 1, student
    return {**REFERENCE, name: REFERENCE[name].replace(mistake["old"], mistake["new"])}


def check_mistake(student: str, result: SubmissionResult) -> None:
    """Check that a student lost points in one task, as many as written down, and is told why."""
    mistake = MISTAKES[student]
    lost = [task.id for task in result.tasks if task.points < task.max_points]
    assert lost == [mistake["task"]], student
    assert result.score == mistake["score"], student
    causes = {test.feedback.likely_cause for test in result.tests if test.feedback} - {None}
    assert causes or not mistake["cause"], student
    assert all(mistake["cause"] in str(cause) for cause in causes), (student, causes)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SubmissionResult]:
    """Return results of the reference, the stub and some mistakes."""
    sources = {"reference": REFERENCE, "stub": STUB} | {name: mistaken(name) for name in SOME}
    return grade(tmp_path_factory.mktemp("course"), sources)


def test_the_reference_earns_everything(results: dict[str, SubmissionResult]) -> None:
    assert [test.id for test in results["reference"].tests if test.status != "passed"] == []
    assert results["reference"].score == 112
    assert results["reference"].max_score == 100
    assert sum(test.cpu_seconds for test in results["reference"].tests) < SECONDS


def test_the_stub_passes_no_test_at_all(results: dict[str, SubmissionResult]) -> None:
    assert results["stub"].score == 0
    assert {str(test.status.value) for test in results["stub"].tests} == {"not_implemented", "not_judged"}


def test_every_test_has_a_title_and_every_task_both_tiers(results: dict[str, SubmissionResult]) -> None:
    tests = results["reference"].tests
    titles = [test.title for test in tests]
    assert len(set(titles)) == len(titles)
    assert all(title.endswith(".") and len(title) < 110 for title in titles)
    for tier in ("public", "hidden"):
        assert {test.task for test in tests if test.tier == tier} == {t.id for t in results["stub"].tasks}


def test_stubs_keep_their_docstrings() -> None:
    for source in STUB.values():
        functions = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)]
        assert all(ast.get_docstring(node) for node in functions if node.name != "weights")


@pytest.mark.parametrize("student", SOME)
def test_one_mistake_loses_one_task(results: dict[str, SubmissionResult], student: str) -> None:
    check_mistake(student, results[student])


@pytest.mark.full
def test_every_mistake_loses_one_task(tmp_path: Path) -> None:
    assert len(MISTAKES) >= 50
    for student, result in grade(tmp_path, {name: mistaken(name) for name in MISTAKES}).items():
        check_mistake(student, result)


@pytest.mark.full
@pytest.mark.parametrize("run", range(5))
def test_the_reference_earns_everything_under_every_secret(tmp_path: Path, run: int) -> None:
    assert grade(tmp_path, {"reference": REFERENCE})["reference"].score == 112
