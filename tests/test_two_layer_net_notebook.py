"""The two-layer network's notebook that students get runs as it says, with a solution and with the stub."""

from __future__ import annotations

import resource
import shutil
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
NAME = "two_layer_net"


def student_tree(folder: Path) -> Path:
    """Write a student tree and return the assignment's folder in it."""
    shutil.copytree(ROOT / "helpers", folder / "helpers")
    return Path(shutil.copytree(ROOT / "assignments" / NAME, folder / "assignments" / NAME))


def execute(folder: Path) -> Executed:
    return kernels.execute(nbformat.read(folder / f"{NAME}.ipynb", as_version=4), folder, timeout=600)


@dataclass(frozen=True)
class Solved:
    """The notebook after it ran with the solution, where, and the CPU time that it took."""

    folder: Path
    done: Executed
    seconds: float


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Solved:
    """Return the notebook after it ran with the solution."""
    folder = student_tree(tmp_path_factory.mktemp("course"))
    shutil.copy(ROOT / "solutions" / NAME / f"{NAME}.py", folder)
    start = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = execute(folder)
    return Solved(folder, done, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - start)


def percentage(text: str) -> float:
    """Return the number before the last percent sign."""
    return float(text.rpartition(" %")[0].split()[-1])


@pytest.mark.full
def test_it_runs_with_the_solution(solved: Solved) -> None:
    done = solved.done
    assert done.stopped is None, done.text(done.stopped or 0)
    assert solved.seconds < 180
    assert done.figures() == 12
    checks = [n for n, cell in enumerate(done.cells) if cell.source.startswith("check(")]
    assert len(checks) == 8
    for index in checks:
        headline = done.text(index).partition("\n")[0]
        passed, _, count, *_ = headline.partition(": ")[2].split()
        assert passed == count, done.text(index)
    assert "12 of 12 public checks passed" in done.text(checks[-1])


@pytest.mark.full
def test_what_it_builds_is_graded(solved: Solved) -> None:
    course = Course.load(ROOT)
    assignment = load(course, NAME)
    submission = intake.read_one(solved.folder / f"{NAME}-submission.zip", assignment)
    assert submission.problem is None
    assert submission.notes == ()
    assert grading.grade_one(course, assignment, submission, sandbox="full").score == 100


@pytest.mark.full
def test_what_it_says_about_the_examples_is_true(solved: Solved) -> None:
    done = solved.done
    assert done.text(done.find("hand_scores, hand_hidden =")).splitlines() == [
        "hidden [[1.0, 4.0, 0.0], [0.0, 1.0, 1.0]]",
        "scores [[4.0, 4.0, 4.0], [1.0, 1.0, 1.0]]",
    ]
    assert "the loss is 1.0986\nreg = 0.1: the loss is 5.5986" in done.text(done.find("hand_loss, _ ="))
    assert "the loss is 2.302" in done.text(done.find("untrained ="))
    errors = [float(line.split()[-1]) for line in done.text(done.find("by_differences =")).splitlines()]
    assert len(errors) == 4
    assert max(errors) < 1e-6
    assert percentage(done.text(done.find("linear_labels ="))) < 70
    assert 38 < percentage(done.text(done.find("test_labels ="))) < 60


def test_it_runs_with_the_stub_up_to_the_first_task(tmp_path: Path) -> None:
    done = execute(student_tree(tmp_path / "course"))
    first = done.find('task="forward"')
    assert done.stopped == first + 1
    assert "NotImplementedError" in done.text(first + 1)
    assert "nn_forward_pass" in done.text(first + 1)
    assert "not implemented" in done.text(first)
