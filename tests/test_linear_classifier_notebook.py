"""The notebook of the linear classifiers runs as it says, with a solution and with the stub."""

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
NAME = "linear_classifier"


def student_tree(folder: Path) -> Path:
    """Write a student tree and return the assignment's folder in it."""
    shutil.copytree(ROOT / "helpers", folder / "helpers")
    return Path(shutil.copytree(ROOT / "assignments" / NAME, folder / "assignments" / NAME))


def execute(folder: Path) -> Executed:
    return kernels.execute(nbformat.read(folder / f"{NAME}.ipynb", as_version=4), folder)


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
    shutil.copy(ROOT / "solutions" / NAME / f"{NAME}.py", folder)
    start = time.monotonic()
    done = execute(folder)
    return Solved(folder, done, time.monotonic() - start)


def test_it_runs_with_the_solution(solved: Solved) -> None:
    done = solved.done
    assert done.stopped is None, done.text(done.stopped or 0)
    assert solved.seconds < 180
    assert done.figures() == 11
    checks = [n for n, cell in enumerate(done.cells) if cell.source.startswith("check(")]
    assert len(checks) == 9
    for index in checks:
        headline = done.text(index).partition("\n")[0]
        passed, _, count, *_ = headline.partition(": ")[2].split()
        assert passed == count, done.text(index)
    assert "18 of 18 public checks passed" in done.text(checks[-1])


def test_what_it_builds_is_graded(solved: Solved) -> None:
    course = Course.load(ROOT)
    assignment = load(course, NAME)
    submission = intake.read_one(solved.folder / f"{NAME}-submission.zip", assignment)
    assert submission.problem is None
    assert submission.notes == ()
    assert grading.grade_one(course, assignment, submission, sandbox="full").score == 100


def test_the_numbers_in_its_text_are_right(solved: Solved) -> None:
    done = solved.done
    assert "SVM loss 5.2667, by hand 5.2667" in done.text(done.find("by hand 5.2667"))
    softmax = done.text(done.find("by hand 2.7587"))
    assert "softmax loss 2.7587, by hand 2.7587" in softmax
    tiny = float(softmax.partition("with tiny weights ")[2].split(",")[0])
    assert tiny == pytest.approx(2.303, abs=0.01)
    assert float(done.text(done.find("about 9")).split()[1].rstrip(",")) == pytest.approx(9, abs=0.01)
    gradients = "".join(done.text(n) for n in range(len(done.cells)))
    assert gradients.count("(good)") == 6
    assert "(WRONG)" not in gradients
    large = done.text(done.find("10_000.0, 9_999.0, 9_998.0"))
    assert "inf" in large
    assert "nan" in large


def test_training_goes_as_its_text_says(solved: Solved) -> None:
    done = solved.done
    on_digits = done.text(done.find("of the validation images are right"))
    assert all(float(percent) > 90 for percent in re.findall(r"([\d.]+) %", on_digits))
    once = done.text(done.find("of the test images are right"))
    assert all(float(percent) > 90 for percent in re.findall(r"([\d.]+) %", once))
    things = done.text(done.find("guessing gives 10 %"))
    assert 15 < float(re.findall(r"validation ([\d.]+) %", things)[0]) < 40


def test_it_runs_with_the_stub_up_to_the_first_task(tmp_path: Path) -> None:
    done = execute(student_tree(tmp_path / "course"))
    first = done.find('task="svm_naive"')
    assert done.stopped == first + 1
    assert "NotImplementedError" in done.text(first + 1)
    assert "svm_loss_naive" in done.text(first + 1)
    assert "0 of 3 public checks passed" in done.text(first)
    assert "not implemented" in done.text(first)
