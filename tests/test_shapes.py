"""A class that hands in work in all shapes gets what its content deserves, in one run, and nobody is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import shapes
from hand_ins import ROOT, knn

from autograder import intake
from autograder.intake import overview
from autograder.intake.overview import Outcome
from autograder.storage import GradedFolder

EXPECTED = {shape.student: shape.score for shape in shapes.SHAPES}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the class."""
    return shapes.write(tmp_path_factory.mktemp("shapes") / "class")


def test_there_are_sixty() -> None:
    assert len(EXPECTED) == len(shapes.SHAPES) == 60


def test_everybody_is_found(folder: Path) -> None:
    handin = intake.read_class(folder, knn())
    found = {row.student: row.outcome for row in overview.rows(handin)}
    assert found.keys() == EXPECTED.keys()
    waiting = {student for student, outcome in found.items() if outcome is Outcome.waiting}
    assert waiting == {student for student, score in EXPECTED.items() if score is shapes.WAITS}
    unreadable = {student for student, outcome in found.items() if outcome is Outcome.unreadable}
    assert unreadable == {s for s, score in EXPECTED.items() if score == shapes.NOTHING} - {"stub"}
    for one in handin.submissions:
        assert all(note.isprintable() and len(note) < 400 for note in (*one.notes, one.problem or ""))


@pytest.mark.full
def test_everybody_gets_what_the_content_deserves(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "autograder", "grade", "knn", folder, "-o", tmp_path, "--course", ROOT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = GradedFolder(tmp_path).results()
    assert {student: result.score for student, result in results.items()} == {
        student: score or 0.0 for student, score in EXPECTED.items()
    }
    undecided = {student for student, result in results.items() if result.handed_in == "undecided"}
    assert undecided == {student for student, score in EXPECTED.items() if score is shapes.WAITS}
    assert f"{len(undecided)} wait for your decision:" in done.stderr
