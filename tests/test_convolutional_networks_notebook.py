"""The notebook of convolutional networks runs as it says, with a solution and with the stub."""

from __future__ import annotations

import re
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
NAME = "convolutional_networks"


def student_tree(folder: Path) -> Path:
    """Write a student tree and return the assignment's folder in it."""
    shutil.copytree(ROOT / "helpers", folder / "helpers")
    return Path(shutil.copytree(ROOT / "assignments" / NAME, folder / "assignments" / NAME))


def execute(folder: Path) -> Executed:
    return kernels.execute(nbformat.read(folder / f"{NAME}.ipynb", as_version=4), folder, timeout=1200)


@dataclass(frozen=True)
class Solved:
    """The notebook after it ran with the solution, where, and how many CPU seconds it took."""

    folder: Path
    done: Executed
    seconds: float


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Solved:
    """Return the notebook after it ran with the solution."""
    folder = student_tree(tmp_path_factory.mktemp("course"))
    for file in (ROOT / "solutions" / NAME).glob("*.py"):
        shutil.copy(file, folder)
    before = cpu_seconds()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")  # threads that wait for one another use CPU time, too
        done = execute(folder)
    return Solved(folder, done, cpu_seconds() - before)


def cpu_seconds() -> float:
    """Return the CPU time of kernels that have ended; the clock would measure other work as well."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.full
def test_it_runs_with_the_solution(solved: Solved) -> None:
    done = solved.done
    assert done.stopped is None, done.text(done.stopped or 0)
    assert solved.seconds < 360
    assert done.figures() == 11
    checks = [n for n, cell in enumerate(done.cells) if re.match(r"\s*check\(", cell.source)]
    assert len(checks) == 14
    for index in checks:
        headline = done.text(index).partition("\n")[0]
        passed, _, count, *_ = headline.partition(": ")[2].split()
        assert passed == count, done.text(index)


@pytest.mark.full
def test_the_deep_network_is_good(solved: Solved) -> None:
    done = solved.done
    validation = done.text(done.find("solver = cn.create_convolutional_solver_instance"))
    assert float(re.search(r"s; validation (\d+\.\d)%", validation)[1]) > 85  # type: ignore[index]
    test = done.text(done.find("y_test)"))
    assert float(re.search(r"test (\d+\.\d)%", test)[1]) > 83  # type: ignore[index]


@pytest.mark.full
def test_the_hand_worked_example_is_right(solved: Solved) -> None:
    done = solved.done
    lines = done.text(done.find("patch = image")).splitlines()
    assert [float(line.rpartition("= ")[2]) for line in lines] == [10, 11, 15, 14, 10, 15]
    matrix = done.text(done.find("image[None, None]"))
    assert [float(number) for number in re.findall(r"\d+\.", matrix)] == [10, 11, 15, 14, 10, 15]
    errors = done.text(done.find("relative error"))
    assert all(float(line.rpartition(" ")[2]) < 1e-7 for line in errors.splitlines())


@pytest.mark.full
def test_what_it_builds_is_graded(solved: Solved) -> None:
    course = Course.load(ROOT)
    assignment = load(course, NAME)
    submission = intake.read_one(solved.folder / f"{NAME}-submission.zip", assignment)
    assert submission.problem is None
    assert submission.notes == ()
    assert grading.grade_one(course, assignment, submission, sandbox="full").score == 100


def test_it_runs_with_the_stub_up_to_the_first_task(tmp_path: Path) -> None:
    done = execute(student_tree(tmp_path / "course"))
    first = done.find('task="conv_forward"')
    assert done.stopped == first + 1
    assert "NotImplementedError" in done.text(first + 1)
    assert "not implemented" in done.text(first)


def test_the_numbers_of_lenet_are_right() -> None:
    text = (ROOT / "solutions" / NAME / f"{NAME}.md").read_text()
    layers = [20 * (25 + 1), 50 * (20 * 25 + 1), 2450 * 500 + 500, 500 * 10 + 10]
    assert sum(layers) == 1_256_080
    assert f"{sum(layers):_}" in text
    assert f"{layers[2]:,}" in text
