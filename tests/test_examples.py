"""The example classes get the scores that are written down beside them."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

from autograder import assignment, course, intake, scoring
from autograder.engine.pool import Pool
from autograder.results import Provenance

ROOT = Path(__file__).parent.parent
CLASSES = ROOT / "examples" / "submissions"
EXPECTED = {
    path.name.removesuffix("-scores.toml"): tomllib.loads(path.read_text())
    for path in sorted(CLASSES.glob("*-scores.toml"))
}
PROVENANCE = Provenance(kit="", suite="", python="", torch="", numpy="", machine="", secret="", limits={})


def test_classes_have_scores() -> None:
    assert {"knn", "linear_classifier"} <= EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_every_student_has_a_score_and_a_reason(name: str) -> None:
    assert {folder.name for folder in (CLASSES / name).iterdir()} == EXPECTED[name].keys()
    assert all(0 <= entry["score"] <= 100 and entry["reason"] for entry in EXPECTED[name].values())


@pytest.mark.parametrize("name", EXPECTED)
def test_the_class_gets_these_scores_under_a_new_secret(tmp_path: Path, name: str) -> None:
    assert scores_under_a_new_secret(tmp_path, name) == expected(name)


@pytest.mark.full
@pytest.mark.parametrize("run", range(3))
@pytest.mark.parametrize("name", EXPECTED)
def test_the_scores_are_the_same_under_every_secret(tmp_path: Path, name: str, run: int) -> None:
    assert scores_under_a_new_secret(tmp_path, name) == expected(name)


def expected(name: str) -> dict[str, float]:
    """Return the score that each student of a class must get."""
    return {student: entry["score"] for student, entry in EXPECTED[name].items()}


def scores_under_a_new_secret(tmp_path: Path, name: str) -> dict[str, float]:
    """Grade the class in a copy of the course, which makes a secret of its own."""
    for part in ("course.toml", f"solutions/{name}", f"autograder/suites/{name}"):
        source, copy = ROOT / part, tmp_path / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy)
    own = course.Course.load(tmp_path)
    graded_for = assignment.load(own, name)
    submissions = intake.read_class(CLASSES / name, graded_for).submissions
    with Pool(graded_for, own, jobs=2, sandbox="full") as pool:
        return {
            graded.submission.student: scoring.score(
                graded_for,
                pool.plan,
                graded.submission,
                graded.outcomes,
                sandbox=pool.sandbox,
                provenance=PROVENANCE,
            ).score
            for graded in pool.grade(submissions)
        }


@pytest.mark.parametrize("name", EXPECTED)
def test_one_student_hands_in_the_stub_as_released(name: str) -> None:
    (student,) = (key for key, entry in EXPECTED[name].items() if entry["reason"] == "the untouched stub")
    for released in (ROOT / "assignments" / name).glob("*.py"):
        if released.name != "test_public.py":
            assert (CLASSES / name / student / released.name).read_bytes() == released.read_bytes()
