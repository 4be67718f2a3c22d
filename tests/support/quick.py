"""The tests of what changed, as many as a minute has room for, and what they leave out.

``make quick`` runs this. Changes are those since the merge base with ``main``, committed or not. Test files
that reach them by imports come in order of distance, those named after a changed module first, then those
that take less time. Where nothing changed, the fastest tests run.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from autograder.commands.options import cores
from tests.support import timing
from tests.support.imports import ImportGraph

BASES = ("main", "origin/main")
SECONDS = 30
"""What tests may take, beside linter, types, and the start of pytest."""
PLAIN, STARTING = 2.0, 12.0
"""Seconds of a test file that has never run here, and of one that starts processes."""
STARTERS = {"subprocess", "multiprocessing", "nbclient", "autograder.engine.pool", "autograder.engine.slot"}
"""What a test file imports that starts processes, by itself or through what tests share."""
FEW = 8.0
"""Seconds of tests for which it is not worth starting several processes."""
SHOWN = 12


@dataclass(frozen=True)
class QuickChoice:
    """Test files that run, and those that would as well if there were time.

    Attributes
    ----------
    taken, left : list of str
        Paths, in the order of their worth.
    seconds : float
        What the first are expected to take, one after another.
    """

    taken: list[str]
    left: list[str]
    seconds: float


def changed(root: Path) -> tuple[str, list[Path]] | None:
    """Return what changes are counted from, and the files that differ; None where git cannot tell.

    Parameters
    ----------
    root : Path
        The root of a repository.
    """
    start = next(filter(None, (_git(root, "merge-base", "HEAD", base) for base in BASES)), None)
    start = start or _git(root, "rev-parse", "HEAD")
    if not start:
        return None
    lines = _git(root, "diff", "--name-only", "--no-renames", start[0]) or []
    lines += _git(root, "ls-files", "--others", "--exclude-standard") or []
    return start[0], sorted({Path(line) for line in lines})


def _git(root: Path, *words: str) -> list[str] | None:
    command = ["git", "-C", str(root), "-c", "core.quotePath=false", *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.splitlines() if done.returncode == 0 else None


def ranked(graph: ImportGraph, files: Sequence[Path], seconds: Mapping[str, float]) -> list[str]:
    """Return the test files that reach changed files, those first that tell most in least time."""
    distances = graph.distances(files)
    stems = {file.stem for file in files} | {file.parent.name for file in files if file.stem == "__init__"}

    def worth(path: Path, distance: int) -> tuple[int, bool, float, str]:
        of_another = path.stem.removeprefix("test_") not in stems
        return distance, of_another, seconds[path.as_posix()], path.as_posix()

    tests = [(graph.paths[name], steps) for name, steps in distances.items() if name in graph.paths]
    return [path.as_posix() for path, _ in sorted(_tests(tests), key=lambda one: worth(*one))]


def _tests(found: Sequence[tuple[Path, int]]) -> list[tuple[Path, int]]:
    return [one for one in found if one[0].parts[0] == "tests" and one[0].name.startswith("test_")]


def estimates(graph: ImportGraph) -> dict[str, float]:
    """Guess the seconds of each test file, for want of a measurement."""
    guessed = {}
    for name, path in graph.paths.items():
        if _tests([(path, 0)]):
            shared = graph.uses[name].modules
            support = [one for one in shared if one.startswith("tests.") and one in graph.uses]
            used = shared.union(*(graph.uses[one].modules for one in support))
            guessed[path.as_posix()] = PLAIN if used.isdisjoint(STARTERS) else STARTING
    return guessed


def fastest(graph: ImportGraph, seconds: Mapping[str, float]) -> list[str]:
    """Return all test files, those first that take least time."""
    paths = [path.as_posix() for path, _ in _tests([(path, 0) for path in graph.paths.values()])]
    return sorted(paths, key=lambda path: (seconds[path], path))


def choose(paths: Sequence[str], seconds: Mapping[str, float], processes: int) -> QuickChoice:
    """Take test files in their order, and pass over those for which there is no time."""
    taken: list[str] = []
    left: list[str] = []
    total = 0.0
    for path in paths:
        cost = seconds[path]
        fits = cost <= SECONDS and total + cost <= SECONDS * processes
        (taken if fits else left).append(path)
        total += cost if fits else 0
    return QuickChoice(taken, left, total)


@dataclass
class Tally:
    """What a run of pytest did: which tests ended, of how many, and how many failed."""

    ended: set[str] = field(default_factory=set)
    collected: int = 0
    failed: int = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test, unless it had to be interrupted."""
        interrupted = report.skipped and timing.OVER in str(report.longrepr)
        if (report.when == "call" or not report.passed) and not interrupted:
            self.ended.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Keep what pytest itself counted."""
        self.collected, self.failed = session.testscollected, session.testsfailed


def run(choice: QuickChoice) -> tuple[int, Tally]:
    """Run the tests that were taken, and return pytest's exit status with the tally."""
    spread = "auto" if choice.seconds > FEW else "0"
    tally = Tally()
    arguments = ["-q", "-m", "not full", f"--seconds={SECONDS}", "-n", spread, *choice.taken]
    return int(pytest.main(arguments, plugins=[tally])), tally


def summary(choice: QuickChoice, tally: Tally) -> list[str]:
    """Say what was left out."""
    lines = []
    if tally.collected > len(tally.ended):
        unrun = tally.collected - len(tally.ended)
        lines.append(f"Stopped after {SECONDS} s: {unrun} of {tally.collected} tests did not run.")
    if choice.left:
        named = ", ".join(choice.left[:SHOWN])
        more = f", and {len(choice.left) - SHOWN} more" if len(choice.left) > SHOWN else ""
        lines.append(f"Left out for want of time, {len(choice.left)} files: {named}{more}.")
    lines.append("Left out always: tests marked `full`, and what no import shows. `make test` runs the rest.")
    return lines


def main(root: Path) -> int:
    """Choose and run the tests of a repository, and say what was left out; 0 if all that ran passed."""
    began = time.monotonic()
    graph, seconds = ImportGraph.read(root), timing.seconds_of_files(root)
    seconds = estimates(graph) | seconds
    found = changed(root)
    if found and found[1]:
        start, files = found
        paths = ranked(graph, files, seconds)
        print(f"Files changed since {start[:10]}: {len(files)}. Test files that reach them: {len(paths)}.")
    else:
        paths = fastest(graph, seconds)
        print("Nothing is known to have changed, so the fastest tests run.")
    choice = choose(paths, seconds, cores())
    status, tally = run(choice) if choice.taken else (0, Tally())
    print(*summary(choice, tally), sep="\n")
    spent = time.monotonic() - began
    print(f"Tests that ran: {len(tally.ended)}, of {len(choice.taken)} files, in {spent:.0f} s.")
    stopped = status == pytest.ExitCode.INTERRUPTED and tally.collected > len(tally.ended)
    fine = stopped or status in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    return 0 if fine and not tally.failed else status or 1


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
