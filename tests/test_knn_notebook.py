"""The k-nearest-neighbour notebook that students get runs as it says, with a solution and with the stub."""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import kernels
import nbformat
import pytest
from kernels import Executed

from autograder import grading, intake
from autograder.assignment import load
from autograder.course import Course

ROOT = Path(__file__).parent.parent


def student_tree(folder: Path) -> Path:
    """Write a student tree and return the assignment's folder in it."""
    shutil.copytree(ROOT / "helpers", folder / "helpers")
    return Path(shutil.copytree(ROOT / "assignments" / "knn", folder / "assignments" / "knn"))


def execute(folder: Path) -> Executed:
    return kernels.execute(nbformat.read(folder / "knn.ipynb", as_version=4), folder)


@dataclass(frozen=True)
class Solved:
    """The notebook after it ran with the solution, where, and how long it took."""

    folder: Path
    done: Executed
    seconds: float


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Solved:
    """Return the notebook after it ran with the solution."""
    folder = student_tree(tmp_path_factory.mktemp("course"))
    shutil.copy(ROOT / "solutions" / "knn" / "knn.py", folder)
    start = time.monotonic()
    done = execute(folder)
    return Solved(folder, done, time.monotonic() - start)


def test_it_runs_with_the_solution(solved: Solved) -> None:
    done = solved.done
    assert done.stopped is None, done.text(done.stopped or 0)
    assert solved.seconds < 60
    assert done.figures() == 7
    checks = [n for n, cell in enumerate(done.cells) if cell.source.startswith("check(")]
    assert len(checks) == 8
    for index in checks:
        headline = done.text(index).partition("\n")[0]
        passed, _, count, *_ = headline.partition(": ")[2].split()
        assert passed == count, done.text(index)
    assert "9 of 9 public checks passed" in done.text(checks[-1])


def test_what_it_builds_is_graded(solved: Solved) -> None:
    course = Course.load(ROOT)
    knn = load(course, "knn")
    submission = intake.read_one(solved.folder / "knn-submission.zip", knn)
    assert submission.problem is None
    assert submission.notes == ()
    assert grading.grade_one(course, knn, submission, sandbox="full").score == 100


def test_the_hand_worked_example_is_right(solved: Solved) -> None:
    done = solved.done
    matrix = done.text(done.find("knn.compute_distances_two_loops(hand_train"))
    assert [float(number) for number in re.findall(r"\d+\.", matrix)] == [1, 10, 20, 9, 9, 2]
    text = (ROOT / "solutions" / "knn" / "knn.md").read_text()
    assert "| **A** | 1 | 10 |\n| **B** | 20 | 9 |\n| **C** | 9 | 2 |" in text
    assert done.text(done.find("hand_dists =")).splitlines() == [
        "k = 1: P and Q are [0, 1]",
        "k = 2: P and Q are [0, 1]",
        "k = 3: P and Q are [1, 1]",
    ]


def test_it_runs_with_the_stub_up_to_the_first_task(tmp_path: Path) -> None:
    done = execute(student_tree(tmp_path / "course"))
    first = done.find('task="distances_two_loops"')
    assert done.stopped == first + 1
    assert "NotImplementedError" in done.text(first + 1)
    assert "distances_two_loops" in done.text(first + 1)
    assert "0 of 1 public check passed" in done.text(first)
    assert "not implemented" in done.text(first)
