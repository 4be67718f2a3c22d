"""What grading takes on a server, measured before a bundle is written: memory of all processes, and time.

`python -P -m autograder.exporters.servers.budget BUNDLE SUBMISSION` grades a folder as a server would, and
watches what the processes take. It adopts every descendant, so that none is missed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from autograder.authoring import variants
from autograder.course.assignment import Assignment
from autograder.engine.interface import Engine
from autograder.errors import ConfigError, EngineError
from autograder.exporters.servers import on_server
from autograder.exporters.servers.interface import Contents, Delivery, Server
from autograder.grading import specimens
from autograder.intake import Submission
from helpers.wording import number

_SET_CHILD_SUBREAPER: Final = 36
"""Of prctl(2): descendants whose parent ends become children of this process."""
_PAUSE: Final = 0.05
"""Seconds between two looks at the memory: what is there for less is cheap for a server, too."""
_SPARE: Final = 1.15
"""What a server must have beyond the measured: two runs of the same differ, and the system takes a part."""
_ROUND_MB: Final = 256
"""Servers sell memory in steps."""


@dataclass(frozen=True)
class Cost:
    """What grading one submission takes.

    Attributes
    ----------
    who : str
        Whose submission: ``"the reference"``.
    memory_mb : float
        The most memory that all processes had at a time; what several share counts once.
    cpu_seconds, seconds : float
        Processor time of all processes, and time on the clock.
    """

    who: str
    memory_mb: float
    cpu_seconds: float
    seconds: float

    def seconds_with(self, cores: float) -> float:
        """Return how long it takes where there are so many cores, or a part of one."""
        return max(self.seconds, self.cpu_seconds / cores)


def find_slowest(assignment: Assignment, engine: Engine) -> tuple[str, Submission]:
    """Return the slowest of the right solutions: the reference, and those that ``right.toml`` names."""
    right = {"the reference": specimens.reference(assignment)}
    right |= {
        f"the solution {one.name!r}": one.submission for one in variants.read(assignment, variants.RIGHT)
    }
    if len(right) == 1:
        return next(iter(right.items()))
    names = {id(submission): name for name, submission in right.items()}
    spent = {
        names[id(graded.submission)]: sum(outcome.cpu_seconds for outcome in graded.outcomes)
        for graded in engine.grade(right.values())
    }
    name = max(spent, key=lambda one: spent[one])
    return name, right[name]


def measure(contents: Contents, who: str, submission: Submission) -> Cost:
    """Grade a submission with nothing but a bundle, and return what that takes.

    Raises
    ------
    EngineError
        It does not get all points with the bundle, so something in the bundle is missing.
    """
    with tempfile.TemporaryDirectory(prefix="coursegrad-") as place:
        bundle, handed_in = Path(place) / "bundle", Path(place) / "submission"
        for path, file in contents.files.items():
            _write(bundle / path, file.content)
        for path, content in submission.files.items():
            _write(handed_in / path, content)
        command = [sys.executable, "-P", "-m", __name__, str(bundle), str(handed_in)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        said = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        raise EngineError("bundle", f"grading with it failed ({said})", "this is a bug in the kit") from None
    if found["score"] != found["all_points"]:
        points = f"{who} gets {number(found['score'])} of {number(found['all_points'])} points with it"
        raise EngineError(
            "bundle", points, f"look at it first: autograder check {contents.assignment.folder}"
        )
    return Cost(who, found["memory_mb"], found["cpu_seconds"], found["seconds"])


def require_room(contents: Contents, server: Server, cost: Cost) -> str:
    """Check that a server gives a submission what it needs; return the comparison in words.

    Raises
    ------
    ConfigError
        It does not, as far as the course says; the error advises what to raise there.
    """
    limits, chosen = server.limits, contents.settings
    memory, seconds = chosen.memory_mb or limits.memory_mb, chosen.seconds or limits.seconds
    needed = cost.seconds_with(limits.cores)
    table = f"[servers.{server.name}] of course.toml"
    if _SPARE * cost.memory_mb > memory:
        wanted = math.ceil(_SPARE * cost.memory_mb / _ROUND_MB) * _ROUND_MB
        found = f"needs {cost.memory_mb:.0f} MB for {cost.who}, and {server.title} gives {memory} MB"
        remedy = f"give containers {wanted} MB there, and put memory_mb = {wanted} into {table}"
        raise ConfigError(contents.assignment.name, found, remedy)
    if _SPARE * needed > on_server.usable_seconds(seconds):
        wanted = max(60, math.ceil(2 * needed / 60) * 60)
        found = (
            f"needs {needed:.0f} s for {cost.who} on {number(limits.cores)} of a processor core, and "
            f"{server.title} gives {seconds} s"
        )
        if wanted > limits.most_seconds:
            remedy = f"{server.title} gives {limits.most_seconds} s at most: make the suite smaller"
        else:
            remedy = f"raise the time limit there to {wanted} s, and put seconds = {wanted} into {table}"
        raise ConfigError(contents.assignment.name, found, remedy)
    taken = f"{cost.memory_mb:.0f} of {memory} MB and {needed:.0f} of {seconds} s"
    return f"{contents.assignment.name}: {cost.who} takes {taken} on {server.title}"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


# In a process of its own


def main(arguments: Sequence[str]) -> None:
    """Grade, watch, and print what was seen as JSON."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    watch = _Watch()
    with watch:
        verdict = _grade(*map(Path, arguments))
    result = verdict.record.result
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(
        json.dumps(
            {
                "score": result.score,
                "all_points": float(verdict.assignment.all_points),
                "memory_mb": watch.peak / 2**20,
                "cpu_seconds": sum(one.ru_utime + one.ru_stime for one in used),
                "seconds": verdict.seconds,
            }
        )
    )


def _grade(folder: Path, handed_in: Path) -> Any:
    bundle = on_server.Bundle(folder)
    bundle.server = replace(
        bundle.server, receive=lambda root, variables: Delivery(handed_in), answer=lambda verdict: {}
    )
    bundle.settings = bundle.settings.model_copy(update={"seconds": 7200})
    verdict = on_server.grade(bundle, Path("/"), {}, started=time.monotonic(), write=lambda answer: None)
    with contextlib.suppress(ChildProcessError):
        while True:  # until all descendants have ended, so that their time is counted
            os.wait()
    return verdict


class _Watch:
    """Watches the memory of this process and all its descendants.

    Attributes
    ----------
    peak : int
        The most that was seen at a time, in bytes.
    """

    def __init__(self) -> None:
        self.peak = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(_PAUSE):
            self.peak = max(self.peak, sum(map(_memory_of, _descendants(os.getpid()))))


def _descendants(first: int) -> set[int]:
    """Return a process and everything below it."""
    found: set[int] = set()
    new = {first}
    while new:
        found |= new
        lists = [path for pid in new for path in Path(f"/proc/{pid}/task").glob("*/children")]
        new = {int(pid) for path in lists for pid in _read(path).split()} - found
    return found


def _memory_of(pid: int) -> int:
    """Return the memory of a process, in bytes: what several share is divided among them.

    The cache of files does not count, since the kernel gives it up when memory is wanted.
    """
    rows = (row.split() for row in _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines())
    return sum(int(row[1]) << 10 for row in rows if row[0] in ("Pss_Anon:", "Pss_Shmem:"))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended
        return ""


if __name__ == "__main__":
    main(sys.argv[1:])
