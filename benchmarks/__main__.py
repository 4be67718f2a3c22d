"""Print every figure that the kit states about its speed, as medians and ratios of one run."""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.engine.link import Link
from autograder.engine.pool import Pool
from autograder.engine.proxy import ProxyModule, ProxyReferences, Session
from autograder.engine.slot import Slot
from autograder.intake import Submission
from autograder.sandbox import choose_plan
from benchmarks import cold, scale
from benchmarks.processes import census
from benchmarks.small import MODULE, small_course

ROOT = Path(__file__).parents[1]
FEW, MANY = 1, 41


class FigureTable:
    """A table of figures, printed at the end."""

    def __init__(self) -> None:
        self._table = Table("figure", "measured", "aim", title="CourseGrad benchmarks")

    def add(self, figure: str, measured: str, aim: str = "") -> None:
        """Add one figure."""
        self._table.add_row(figure, measured, aim)
        print(f"{figure}: {measured}", file=sys.stderr)

    def print(self) -> None:
        """Print the table."""
        Console(width=110).print(self._table)


def copies(files: dict[str, bytes], count: int) -> list[Submission]:
    """Return the same submission of `count` students."""
    return [Submission(f"s{number}", Path(f"s{number}"), files) for number in range(count)]


def grade_all(pool: Pool, submissions: list[Submission]) -> float:
    """Grade submissions, check that all passed, and return wall seconds."""
    start = time.perf_counter()
    for graded in pool.grade(submissions):
        if any(outcome.status != "passed" for outcome in graded.outcomes):
            raise RuntimeError(f"{graded.submission.student} did not pass: {graded}")
    return time.perf_counter() - start


def fixed_cost(report: FigureTable, rounds: int) -> None:
    """Cost beyond the tests' own time, from suites of few and of many tests that do nothing."""
    files = {"measured.py": MODULE.encode()}
    ours: dict[int, list[float]] = {FEW: [], MANY: []}
    colds: dict[int, list[float]] = {FEW: [], MANY: []}
    with contextlib.ExitStack() as stack:
        folders = {n: Path(stack.enter_context(TemporaryDirectory())) for n in (FEW, MANY)}
        courses = {n: small_course(folder, n) for n, folder in folders.items()}
        pools = {n: stack.enter_context(Pool(a, c, jobs=1, sandbox="full")) for n, (c, a) in courses.items()}
        for _ in range(rounds):
            for n, pool in pools.items():
                ours[n].append(grade_all(pool, copies(files, 5)) / 5)
                suite = [courses[n][1].suite / "test_public.py"]
                colds[n].append(cold.run(suite, files, folders[n]))
    per_test = (statistics.median(ours[MANY]) - statistics.median(ours[FEW])) / (MANY - FEW)
    per_submission = statistics.median(ours[FEW]) - FEW * per_test
    ratio = statistics.median(c / o for c, o in zip(colds[MANY], ours[MANY], strict=True))
    one = statistics.median(c / o for c, o in zip(colds[FEW], ours[FEW], strict=True))
    report.add("fixed cost per test", f"{1e3 * per_test:.1f} ms", "<= 15 ms, aiming at 5 ms")
    report.add("fixed cost per submission", f"{1e3 * per_submission:.1f} ms", "<= 150 ms, aiming at 30 ms")
    report.add(f"cold pytest / ours, {FEW} empty test", f"{one:.1f} x", ">= 6 x")
    report.add(f"cold pytest / ours, {MANY} empty tests", f"{ratio:.1f} x")


@contextlib.contextmanager
def connect() -> Iterator[tuple[Any, Link]]:
    """Yield a proxy of a module in a confined worker, and the link to it."""
    slot = Slot(choose_plan(weak=False))
    slot.ready()
    session = Session()
    worker = slot.spawn(
        ProxyReferences(session), cpu_seconds=60, memory_mb=512, output_bytes=1024, wall_seconds=60
    )
    files = {"measured.py": MODULE.encode()}
    names = {"modules": ["measured"], "packages": ["torch"], "imports": {}}
    worker.link.tell({"seed": 0, "sources": files, **names})
    while "ready" not in worker.link.hear():
        pass
    session.link = worker.link
    yield ProxyModule("measured", session), worker.link
    slot.end_all()
    slot.close()


def median_seconds(call: Callable[[], object], count: int) -> float:
    """Return the median wall time of a call."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def wire(report: FigureTable) -> None:
    """Cost of a call and of a large tensor, into a confined worker."""
    with connect() as (module, _):
        f, length = module.f, module.length
        small = median_seconds(lambda: f(1), 3000)
        tensor = torch.rand(10 * 1000 * 1000 // 4)
        one_way = median_seconds(lambda: setattr(module, "slot", tensor), 50) - small
        argument = median_seconds(lambda: length(tensor), 50) - small
    report.add("small remote call", f"{1e6 * small:.0f} us", "<= 100 us")
    report.add("10 MB tensor one way", f"{1e3 * one_way:.1f} ms", "<= 5 ms")
    report.add("10 MB argument, compared after the call", f"{1e3 * argument:.1f} ms")
    report.add("10 MB through a bare socketpair", f"{1e3 * bare_socket():.1f} ms")


def bare_socket() -> float:
    """Seconds that 10 MB take through a socketpair between two threads, for comparison."""
    near, far = socket.socketpair()
    data, target = bytes(10 * 1000 * 1000), bytearray(10 * 1000 * 1000)

    def once() -> None:
        sender = threading.Thread(target=near.sendall, args=(data,))
        sender.start()
        view = memoryview(target)
        while view:
            view = view[far.recv_into(view) :]
        sender.join()

    with near, far:
        return median_seconds(once, 20)


def endurance(report: FigureTable, count: int) -> None:
    """Whether anything grows over many submissions in a row."""
    files = {"measured.py": MODULE.encode()}
    with TemporaryDirectory() as folder:
        course, assignment = small_course(Path(folder), 3)
        with Pool(assignment, course, jobs=2, sandbox="full") as pool:
            grade_all(pool, copies(files, 20))
            before = census(os.getpid())
            seconds = grade_all(pool, copies(files, count))
            after = census(os.getpid())
    growth = after.private_mb - before.private_mb
    report.add(
        f"{count} submissions of 3 tests in a row",
        f"{seconds:.1f} s; zombies {after.zombies}, descriptors {after.descriptors - before.descriptors:+d}, "
        f"memory {growth:+.1f} MB, processes {after.processes - before.processes:+d}",
        "no zombie, no growth",
    )


def throughput(report: FigureTable, count: int, rounds: int) -> None:
    """Whole class of kNN references, ours and cold pytest, two at a time, in turn."""
    course = Course.load(ROOT)
    assignment = assignments.load(course, "knn")
    files = {"knn.py": (assignment.folder / "knn.py").read_bytes()}
    suite = [assignment.suite / name for name in assignment.tiers]
    jobs = min(2, os.cpu_count() or 1)
    ratios, ours = [], []
    with Pool(assignment, course, jobs=jobs, sandbox="full") as pool:
        grade_all(pool, copies(files, jobs))
        for _ in range(rounds):
            seconds = grade_all(pool, copies(files, count)) / count
            cold_seconds = cold.run_class(suite, [files] * 2 * jobs, ROOT, jobs=jobs) / (2 * jobs)
            ours.append(seconds)
            ratios.append(cold_seconds / seconds)
        tests = len(pool.plan)
    report.add(
        f"kNN, {tests} tests, {jobs} at a time", f"{1e3 * statistics.median(ours):.0f} ms per submission"
    )
    report.add("cold pytest / ours, kNN, whole run", f"{statistics.median(ratios):.1f} x")


def classes(report: FigureTable, counts: Sequence[int]) -> None:
    """Run the whole command on classes of growing size: neither cost per submission nor memory may grow."""
    runs = [scale.grade(count) for count in counts]
    least = min(run.seconds_each for run in runs)
    for run in runs:
        memory = ", ".join(f"{role} {mb:.0f}" for role, mb in run.peak_mb.items())
        report.add(
            f"autograder grade, {run.count} submissions of 5 tests, 2 at a time",
            f"{1e3 * run.seconds_each:.1f} ms each ({run.seconds_each / least:.2f} x the least), "
            f"start {run.start:.1f} s, reports {run.end:.1f} s; MB: {memory}",
            "flat within 10 %, memory flat",
        )


def main() -> None:
    """Run all benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: shows that it runs")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    report = FigureTable()
    fixed_cost(report, 2 if quick else 7)
    wire(report)
    throughput(report, 4 if quick else 20, 1 if quick else 3)
    endurance(report, 40 if quick else 500)
    classes(report, (30, 60) if quick else (30, 300, 3000))
    report.print()


if __name__ == "__main__":
    main()
