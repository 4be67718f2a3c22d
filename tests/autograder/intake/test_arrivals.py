"""The same work in every shape gets what its content deserves, and its student is told what was done."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from autograder.graded.folder import GradedFolder
from autograder.graded.results import SubmissionResult
from tests.autograder.intake import arrivals
from tests.support.classes import ROOT
from tests.support.command import run_command

OUTPUT = "graded"


TASKS = (
    *("two_loops_by_hand", "one_loop_by_hand", "no_loops_by_hand", "votes", "classifier_predicts"),
    *("cross_validation_by_hand", "best_k_by_hand"),
)
"""A check of each task: what the shapes need to get the points that they get of the whole suite."""


def write_short_course(folder: Path) -> Path:
    """Write a course whose suite for knn has only these checks of the course's own; return its folder."""
    for part in ("solutions/knn", "assignments/knn", "autograder/suites/knn"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    course = (ROOT / "course.toml").read_text(encoding="utf-8")
    (folder / "course.toml").write_text(course.partition("[[assignments]]")[0], encoding="utf-8")
    suite = folder / "autograder" / "suites" / "knn"
    (suite / "test_public.py").rename(suite / "checks_by_hand.py")
    names = "".join(f"    test_{name},\n" for name in TASKS)
    (suite / "test_public.py").write_text(f"from suite.checks_by_hand import (\n{names})\n", encoding="utf-8")
    for hidden in suite.glob("test_hidden_*.py"):
        hidden.unlink()
    settings = folder / "solutions" / "knn" / "assignment.toml"
    tiers = re.sub(r'"test_hidden_.*\n', "", settings.read_text(encoding="utf-8"))
    settings.write_text(tiers, encoding="utf-8")
    return folder


@pytest.fixture(scope="module", params=["short", pytest.param("whole", marks=pytest.mark.full)])
def run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Return where the class was graded by the command line, and what that printed.

    It is graded by a short suite, which takes a fifth of the time, and by the whole one.
    """
    place = tmp_path_factory.mktemp("shapes")
    folder = place / "class"
    folder.mkdir()
    roster = arrivals.write(folder)
    course = ROOT if request.param == "whole" else write_short_course(place / "course")
    command = ["grade", "knn", str(folder), "--output", str(place / OUTPUT), "--roster", str(roster)]
    return place / OUTPUT, run_command([*command, "--course", str(course)])


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
    run: tuple[Path, subprocess.CompletedProcess[str]], results: dict[str, SubmissionResult]
) -> None:
    _, done = run
    newer = [student for student, result in results.items() if result.needs_python]
    assert f"grade again with it: make grade PYTHON=python3.12, on: {'; '.join(newer)}\n" in done.stderr
    waiting = [one.student for one in arrivals.SHAPES if one.score is None and one.student not in newer]
    _, told, list_of_them = done.stderr.partition(f"{len(waiting)} wait for your decision:\n")
    assert told, done.stderr
    assert re.findall(r"^- ([\w-]+): ", list_of_them, re.MULTILINE) == sorted(waiting)
    commands = re.findall(r"^  choose with: autograder map knn \S+ ([\w-]+) ", list_of_them, re.MULTILINE)
    assert sorted(set(commands)) == sorted(waiting)
    assert "Traceback" not in done.stderr


def test_the_report_lists_what_was_guessed(
    run: tuple[Path, subprocess.CompletedProcess[str]], results: dict[str, SubmissionResult]
) -> None:
    page = (run[0] / "report.html").read_text(encoding="utf-8")
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split()).partition("Scores")[0]
    people = {one.student: one.person for one in arrivals.SHAPES}
    guessed = {student: result.notes for student, result in results.items() if result.notes}
    assert len(guessed) > 30
    notes = {note.removeprefix("Waits for a decision: ") for notes in guessed.values() for note in notes}
    assert [note for note in notes if " ".join(note.split()) not in text] == []
    assert [people[student] for student in guessed if people[student] not in text] == []
