"""The example class gets the scores that are written down beside it."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

from autograder import assignment, course, intake, scoring
from autograder.engine.pool import Pool
from autograder.results import Provenance

ROOT = Path(__file__).parent.parent
CLASS = ROOT / "examples" / "submissions" / "knn"
EXPECTED = tomllib.loads((CLASS.parent / "knn-scores.toml").read_text())
PROVENANCE = Provenance(kit="", suite="", python="", torch="", numpy="", machine="", secret="", limits={})


def test_every_student_has_a_score_and_a_reason() -> None:
    assert {folder.name for folder in CLASS.iterdir()} == EXPECTED.keys()
    assert all(0 <= entry["score"] <= 100 and entry["reason"] for entry in EXPECTED.values())


def test_the_class_gets_these_scores_under_a_new_secret(tmp_path: Path) -> None:
    assert scores_under_a_new_secret(tmp_path) == {name: entry["score"] for name, entry in EXPECTED.items()}


@pytest.mark.full
@pytest.mark.parametrize("run", range(3))
def test_the_scores_are_the_same_under_every_secret(tmp_path: Path, run: int) -> None:
    assert scores_under_a_new_secret(tmp_path) == {name: entry["score"] for name, entry in EXPECTED.items()}


def scores_under_a_new_secret(tmp_path: Path) -> dict[str, float]:
    """Grade the class in a copy of the course, which makes a secret of its own."""
    for part in ("course.toml", "solutions/knn", "autograder/suites/knn"):
        source, copy = ROOT / part, tmp_path / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy)
    own = course.Course.load(tmp_path)
    knn = assignment.load(own, "knn")
    submissions = intake.read_class(CLASS, knn).submissions
    with Pool(knn, own, jobs=2, sandbox="full") as pool:
        return {
            graded.submission.student: scoring.score(
                knn,
                pool.plan,
                graded.submission,
                graded.outcomes,
                sandbox=pool.sandbox,
                provenance=PROVENANCE,
            ).score
            for graded in pool.grade(submissions)
        }


def test_one_student_hands_in_the_stub_as_released() -> None:
    released = (ROOT / "assignments" / "knn" / "knn.py").read_bytes()
    assert (ROOT / "examples" / "submissions" / "knn" / "liam-murphy" / "knn.py").read_bytes() == released
