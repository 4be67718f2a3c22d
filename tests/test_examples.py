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


@pytest.mark.full
def test_the_class_gets_these_scores_under_a_new_secret(tmp_path: Path) -> None:
    for part in ("course.toml", "solutions/knn", "autograder/suites/knn"):
        source, copy = ROOT / part, tmp_path / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy)
    own = course.Course.load(tmp_path)
    knn = assignment.load(own, "knn")
    submissions = intake.read_class(CLASS, knn).submissions
    with Pool(knn, own, jobs=2, sandbox="full") as pool:
        scores = {
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
    assert scores == {student: entry["score"] for student, entry in EXPECTED.items()}
