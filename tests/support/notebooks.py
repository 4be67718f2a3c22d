"""Notebooks of assignments, executed as from a badge: alone in an empty folder, by stub or by solution."""

from __future__ import annotations

import json
import re
import resource
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from tests.support import kernels, published, work
from tests.support.kernels import Executed
from tests.support.published import Public
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class SolvedNotebook:
    """A notebook after it ran with the solution.

    Attributes
    ----------
    name : str
        The assignment's.
    folder : Path
        The folder that the set-up cell named to work in.
    public : Public
        The release that it is from.
    done : Executed
        Its cells.
    seconds : float
        The CPU time that it would have taken on an idle machine; the clock would measure other work as well.
    """

    name: str
    folder: Path
    public: Public
    done: Executed
    seconds: float

    def answers(self) -> dict[str, Any]:
        """Return what a last cell printed, which was asked in addition to those of the notebook."""
        found: dict[str, Any] = json.loads(self.done.text(len(self.done.cells) - 1))
        return found

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
        """Return what the command line, in the sandbox, gives for the zip that the last cell built."""
        hand_in = self.folder.parent / "class" / "ada-park"
        hand_in.mkdir(parents=True)
        shutil.copy(self.folder / f"{self.name}-submission.zip", hand_in)
        output = self.folder.parent / "graded"
        published.run("grade", self.name, hand_in.parent, "--output", output, "--course", self.public.course)
        result = json.loads((output / "results" / "ada-park.json").read_text())
        assert result["sandbox"]["level"] == "full"
        return float(result["score"])


def solved(name: str, folder: Path, public: Public, asks: str = "") -> SolvedNotebook:
    """Run a notebook alone in an empty folder: first its set-up cell, then all of it with the solution.

    Parameters
    ----------
    asks : str
        Source of one more cell behind the last, which prints as JSON what the notebook's variables hold.
    """
    notebook = _alone(name, folder, public)
    workplace = _set_up(notebook, public)
    for file in (ROOT / "solutions" / name).glob("*.py"):
        shutil.copy(file, workplace)
    before = _cpu_seconds()
    threads = {"OMP_NUM_THREADS": "1"}  # threads that wait for one another use CPU time, too
    done = _execute(notebook, public, threads, asks)
    return SolvedNotebook(name, workplace, public, done, (_cpu_seconds() - before) / work.slowness())


def check_stub(name: str, folder: Path, public: Public, task: str, *says: str) -> None:
    """Require that a notebook, alone in an empty folder, stops at its first task and says what to do."""
    done = _execute(_alone(name, folder, public), public)
    first = done.find(f'task="{task}"')
    assert "0 of" in done.text(first)
    assert "not implemented" in done.text(first)
    assert done.stopped == first + 1
    line = done.text(first + 1)
    assert re.fullmatch(r"\S+ in \w+\.py is not written yet \(task 1\)\.", line), line
    for text in says:
        assert text in line


def _alone(name: str, folder: Path, public: Public) -> Path:
    """Put a released notebook into an empty folder, byte for byte."""
    empty = folder / "empty"
    empty.mkdir()
    return Path(shutil.copy(public.notebook(name), empty))


def _set_up(notebook: Path, public: Public) -> Path:
    """Run the first cell in a kernel of its own and return the folder that it names."""
    document = nbformat.read(notebook, as_version=4)
    first = next(cell for cell in document.cells if cell.cell_type == "code")
    done = kernels.execute(kernels.of_cells([first.source]), notebook.parent, environment=public.online)
    assert done.stopped is None, done.text(0)
    named = re.search(r" in (/.+), save, and the next cell", done.text(0))
    assert named, done.text(0)
    return Path(named[1])


def _execute(
    notebook: Path, public: Public, variables: Mapping[str, str] | None = None, asks: str = ""
) -> Executed:
    document = nbformat.read(notebook, as_version=4)
    if asks:
        document.cells.append(nbformat.v4.new_code_cell(asks))
    environment = {**public.online, **(variables or {})}
    return kernels.execute(document, notebook.parent, timeout=2 * PATIENCE, environment=environment)


def _cpu_seconds() -> float:
    """Return the CPU time of kernels that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
