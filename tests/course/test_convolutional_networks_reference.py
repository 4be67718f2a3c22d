"""Tests of the suite of convolutional networks: its reference solution, the stub, and typical mistakes."""

from __future__ import annotations

import ast
import math
import re
from pathlib import Path

import pytest

from autograder.course import thresholds
from autograder.graded.results import SubmissionResult
from autograder.intake import Submission
from tests.support import classes, work

NAME = "convolutional_networks"
REFERENCE = {path.name: path.read_text() for path in sorted((classes.ROOT / "solutions" / NAME).glob("*.py"))}
STUB = {name: (classes.ROOT / "assignments" / NAME / name).read_text() for name in REFERENCE}
MISTAKES = classes.read_mistakes(NAME)
SOME = ("chen-wei", "julia-schmidt", "ravi-patel", "ibrahim-khan")
SECONDS = 25


def handed_in(student: str, sources: dict[str, str]) -> Submission:
    """Return a submission of these files."""
    return Submission(student, Path(), {name: text.encode() for name, text in sources.items()})


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SubmissionResult]:
    """Return results of the reference and the stub."""
    submissions = [handed_in("reference", REFERENCE), handed_in("stub", STUB)]
    return classes.graded(tmp_path_factory.mktemp("course"), NAME, submissions)


@pytest.fixture(scope="module")
def of_mistakes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SubmissionResult]:
    """Return results of some mistakes, under another secret; each trains the networks of its suite anew."""
    some = [one for one in classes.make_mistaken(NAME) if one.student in SOME]
    return classes.graded(tmp_path_factory.mktemp("mistakes"), NAME, some)


def test_the_reference_earns_everything(results: dict[str, SubmissionResult]) -> None:
    assert [test.id for test in results["reference"].tests if test.status != "passed"] == []
    assert results["reference"].score == 100
    assert results["reference"].max_score == 100
    assert sum(test.cpu_seconds for test in results["reference"].tests) < SECONDS * work.slowness()


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


def test_students_read_what_share_of_hidden_pictures_is_asked_for() -> None:
    known = thresholds.read(classes.ROOT / "autograder" / "suites" / NAME / "thresholds.toml")
    stated = re.search(r"recognize (\d+) percent of new pictures", STUB["convolutional_networks.py"])
    assert stated is not None
    assert int(stated[1]) == math.ceil(float(known["accuracy"].threshold))


@pytest.mark.full
@pytest.mark.parametrize("student", SOME)
def test_one_mistake_loses_one_task(of_mistakes: dict[str, SubmissionResult], student: str) -> None:
    wanted = MISTAKES[student]
    assert classes.lost(of_mistakes[student], wanted.task) == [wanted.task]
    assert of_mistakes[student].score == wanted.score
    assert classes.is_right(classes.shown(of_mistakes[student]), wanted)


@pytest.mark.full
@pytest.mark.parametrize("run", range(5))
def test_the_reference_earns_everything_under_every_secret(tmp_path: Path, run: int) -> None:
    found = classes.graded(tmp_path, NAME, [handed_in("reference", REFERENCE)])
    assert found["reference"].score == 100
