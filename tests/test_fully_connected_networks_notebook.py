"""The notebook on fully connected networks runs as it says, with a solution and with the stub."""

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
NAME = "fully_connected_networks"


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
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")  # several threads wait for one another on a busy machine
        start = time.monotonic()
        done = execute(folder)
        return Solved(folder, done, time.monotonic() - start)


@pytest.mark.full
def test_it_runs_with_the_solution(solved: Solved) -> None:
    done = solved.done
    assert done.stopped is None, done.text(done.stopped or 0)
    assert solved.seconds < 360
    assert done.figures() == 10
    checks = [n for n, cell in enumerate(done.cells) if cell.source.startswith("check(")]
    assert len(checks) == 17
    for index in checks:
        headline = done.text(index).partition("\n")[0]
        passed, _, count, *_ = headline.partition(": ")[2].split()
        assert passed == count, done.text(index)
    assert "17 of 17 public checks passed" in done.text(checks[-1])


@pytest.mark.full
def test_what_it_builds_is_graded(solved: Solved) -> None:
    course = Course.load(ROOT)
    assignment = load(course, NAME)
    submission = intake.read_one(solved.folder / f"{NAME}-submission.zip", assignment)
    assert submission.problem is None
    assert submission.notes == ()
    assert grading.grade_one(course, assignment, submission, sandbox="full").score == 100


@pytest.mark.full
def test_the_numbers_in_its_text_are_right(solved: Solved) -> None:
    done = solved.done
    assert done.text(done.find("hand_dx,")).strip() == "db[0] is 0, dw[0, 2] is 2, dx[0, 0] is 5"
    text = done.text(done.find("the gradient of b1"))
    assert text.strip() == "the loss is 0.31, and the gradient of b1 is -0.54, 0.00"
    assert done.text(done.find("with half")).strip() == "L2 7.0 with half 3.5"
    assert done.text(done.find('"max-norm"')).strip() == "L1 3.0 max-norm [0.5, -1.0, 0.0, 1.5]"
    printed = "\n".join(done.text(n) for n in range(len(done.cells)))
    errors = [float(number) for number in re.findall(r"relative error (?:of \w+: )?(\d\S+)", printed)]
    assert len(errors) > 20
    assert max(errors) < 1e-6


@pytest.mark.full
def test_training_goes_as_its_text_says(solved: Solved) -> None:
    done = solved.done
    trained = done.text(done.find("solver = fcn.create_solver_instance"))
    percent = re.findall(r"([\d.]+) % of the validation pictures", trained)
    assert float(percent[0]) > 34
    assert "your settings: 100%" in done.text(done.find("tiny weights: "))
    assert "five layers: 100%" in done.text(done.find("five layers: "))
    rows = [line.rsplit(maxsplit=4) for line in done.text(done.find("weights below 0.01")).splitlines()[1:]]
    table = {(name, strength): numbers for name, strength, *numbers in rows}
    assert table["weight decay", "0.01"] == table["L2 with 1/2", "0.01"]
    assert table["L1", "0.1"][2] == "100.0%"


def test_it_runs_with_the_stub_up_to_the_first_task(tmp_path: Path) -> None:
    done = execute(student_tree(tmp_path / "course"))
    first = done.find('task="linear_forward"')
    assert done.stopped == first + 1
    assert "NotImplementedError" in done.text(first + 1)
    assert "0 of 1 public check passed" in done.text(first)
    assert "not implemented" in done.text(first)
