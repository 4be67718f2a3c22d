"""The same work in every shape gets what its content deserves, and its student is told what was done."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.graded.folder import GradedFolder
from autograder.graded.results import SubmissionResult
from tests.autograder.intake import arrivals
from tests.support.classes import ROOT

OUTPUT = "graded"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Return where the class was graded by the command line, and what that printed."""
    place = tmp_path_factory.mktemp("shapes")
    folder = place / "class"
    folder.mkdir()
    roster = arrivals.write(folder)
    command = ["grade", "knn", str(folder), "--output", str(place / OUTPUT), "--roster", str(roster)]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "autograder", *command, "--course", str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    return place / OUTPUT, done


@pytest.fixture(scope="module")
def results(run: tuple[Path, subprocess.CompletedProcess[str]]) -> dict[str, SubmissionResult]:
    """Return what everybody got."""
    return GradedFolder(run[0]).results()


def test_there_are_sixty_shapes() -> None:
    assert len(arrivals.SHAPES) >= 60
    assert len({one.student for one in arrivals.SHAPES}) == len(arrivals.SHAPES)


def test_everybody_has_exactly_one_row(results: dict[str, SubmissionResult]) -> None:
    assert sorted(results) == sorted(one.student for one in arrivals.SHAPES)


def test_everybody_gets_what_the_content_deserves(results: dict[str, SubmissionResult]) -> None:
    wanted = {one.student: one.score or 0 for one in arrivals.SHAPES}
    assert {student: result.score for student, result in results.items()} == wanted


def test_what_was_done_is_said(results: dict[str, SubmissionResult]) -> None:
    said = {one.student: said_of(results[one.student]) for one in arrivals.SHAPES}
    silent = [one for one in arrivals.SHAPES if not re.search(one.says, said[one.student], re.IGNORECASE)]
    assert {one.student: said[one.student] for one in silent} == {}
    assert [
        result.student for result in results.values() if any(len(note) > 500 for note in result.notes)
    ] == []


def said_of(result: SubmissionResult) -> str:
    """Return what the student's page says of the submission as a whole, and why checks did not run."""
    feedback = {test.feedback for test in result.tests if test.feedback is not None}
    return "\n".join(
        [*result.notes, *result.remarks, *(f"{one.summary} {one.likely_cause}" for one in feedback)]
    )


def test_what_waits_is_listed_with_the_command(
    run: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    _, done = run
    waiting = [one.student for one in arrivals.SHAPES if one.score is None]
    assert [student for student in waiting if student not in done.stderr + done.stdout] == []
    assert "Traceback" not in done.stderr
