"""Notebooks of assignments, executed as students would: with the stub that they get, or with the solution."""

from __future__ import annotations

import re
import resource
import shutil
from dataclasses import dataclass
from pathlib import Path

import kernels
import nbformat
import pytest
import work
from kernels import Executed
from waiting import PATIENCE

from autograder import grading, intake
from autograder.assignment import load
from autograder.course import Course

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Solved:
    """A notebook after it ran with the solution.

    Attributes
    ----------
    name : str
        The assignment's.
    folder : Path
        Where it ran.
    done : Executed
        Its cells.
    seconds : float
        The CPU time that it would have taken on an idle machine; the clock would measure other work as well.
    """

    name: str
    folder: Path
    done: Executed
    seconds: float

    def check_passed(self, count: int) -> None:
        """Require that no cell raised, and that there are `count` cells of checks, which all passed."""
        done = self.done
        assert done.stopped is None, done.text(done.stopped or 0)
        checks = [n for n, cell in enumerate(done.cells) if re.match(r"\s*check\(", cell.source)]
        assert len(checks) == count
        for index in checks:
            headline = done.text(index).partition("\n")[0]
            passed, _, of_all, *_ = headline.partition(": ")[2].split()
            assert passed == of_all, done.text(index)

    def score(self) -> float:
        """Return what the submission that its last cell built is graded with, in the sandbox."""
        course = Course.load(ROOT)
        assignment = load(course, self.name)
        submission = intake.read_one(self.folder / f"{self.name}-submission.zip", assignment)
        assert submission.problem is None
        assert submission.notes == ()
        return grading.grade_one(course, assignment, submission, sandbox="full").score


def solved(name: str, folder: Path) -> Solved:
    """Run the notebook of an assignment with the solution, in a student tree that is written to `folder`."""
    tree = _student_tree(name, folder)
    for file in (ROOT / "solutions" / name).glob("*.py"):
        shutil.copy(file, tree)
    before = _cpu_seconds()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")  # threads that wait for one another use CPU time, too
        done = _execute(name, tree)
    return Solved(name, tree, done, (_cpu_seconds() - before) / work.slowness())


def check_stub(name: str, folder: Path, task: str, *says: str) -> None:
    """Require that the notebook stops at its first task, where it tells in one line what to write."""
    done = _execute(name, _student_tree(name, folder))
    first = done.find(f'task="{task}"')
    assert "0 of" in done.text(first)
    assert "not implemented" in done.text(first)
    assert done.stopped == first + 1
    line = done.text(first + 1)
    assert re.fullmatch(r"\S+ in \w+\.py is not written yet \(task 1\)\.", line), line
    for text in says:
        assert text in line


def _student_tree(name: str, folder: Path) -> Path:
    """Write a student tree and return the assignment's folder in it."""
    shutil.copytree(ROOT / "helpers", folder / "helpers")
    return Path(shutil.copytree(ROOT / "assignments" / name, folder / "assignments" / name))


def _execute(name: str, tree: Path) -> Executed:
    return kernels.execute(nbformat.read(tree / f"{name}.ipynb", as_version=4), tree, timeout=2 * PATIENCE)


def _cpu_seconds() -> float:
    """Return the CPU time of kernels that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
