"""Grade in one process, for authors of suites: no wire, no confinement, the student's own exceptions.

Student code can do anything here, to the grade and to the machine. The process is a fork that grades one
submission and ends.
"""

from __future__ import annotations

import contextlib
import linecache
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType

from autograder.course.assignment import Assignment
from autograder.engine import verdict
from autograder.engine.jobs import Remarks, round_seconds
from autograder.engine.link import End, StudentError, WorkerEnded
from autograder.engine.loading import ImportRules, Loaded
from autograder.engine.proxy import ProxyFinder
from autograder.engine.suite import SuiteRun
from autograder.engine.tracebacks import describe
from autograder.engine.verdict import ImportFailed
from autograder.graded.results import Feedback
from autograder.scoring import Emit, Outcome, PlannedTest, mark_not_run
from helpers.statuses import Status
from helpers.submission import allowances, problems, python_files
from helpers.submission.importer import Importer
from helpers.submission.problems import Problem
from helpers.testing.failures import CheckFailure


def grade(
    assignment: Assignment,
    plan: tuple[PlannedTest, ...],
    rules: ImportRules,
    files: Mapping[str, bytes],
    broken: Mapping[str, str],
    emit: Emit,
) -> Remarks:
    """Emit the outcome of every planned test on one submission, as each ends; return what there is to say.

    The parameters are those of `autograder.engine.grader.Grader`.
    """
    _forget_proxies(assignment)
    allowances.let_pass()
    loaded = Loaded()
    try:
        importer = _import_submission(rules, files, broken, loaded)
    except ImportFailed as error:
        for outcome in mark_not_run(plan, verdict.explain_import(error.problem, loaded.needs)):
            emit(outcome)
        return loaded.remarks_without(error.problem)

    def serve(suite: SuiteRun) -> None:
        for index in range(len(suite.plan)):
            emit(replace(_run(suite, index, importer.paths, loaded), reached=suite.reached))

    SuiteRun(assignment, serve, {test.task for test in plan}).run()
    return loaded.remarks


def _import_submission(
    rules: ImportRules, files: Mapping[str, bytes], broken: Mapping[str, str], loaded: Loaded
) -> Importer:
    """Import a submission, with stubs in the place of what is broken; raises ImportFailed."""
    current = dict(files)
    found = [Problem(file, sentence.rstrip(".")) for file, sentence in broken.items()]
    while True:
        loaded.replace(found, rules, current)
        read = python_files.read(current, rules.modules, rules.packages)
        loaded.notes = read.notes
        texts = read.texts(current)
        found = [problems.problem_of(f"{name}.py", error, texts) for name, error in read.problems.items()]
        loaded.note_newer(found, current)
        if found:
            continue
        importer = Importer(read.code, rules.modules, rules.packages, read.errors, current)
        importer.facts_of = lambda name, read=read: read.facts(name, rules.given)
        importer.install()
        try:
            for module in rules.modules:
                importer.load(module)
        except BaseException as error:
            found = [problems.problem_of(f"{importer.culprit(module)}.py", error, texts)]
            importer.remove()
            continue
        for path, text in texts.items():
            linecache.cache[path] = (0, None, text.splitlines(keepends=True), path)
        return importer


def _forget_proxies(assignment: Assignment) -> None:
    """Make `import knn` find the student's file, and the suite be imported anew."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, ProxyFinder)]
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name in assignment.modules or (file and assignment.suite in Path(file).parents):
            del sys.modules[name]


def _run(suite: SuiteRun, index: int, paths: frozenset[str], loaded: Loaded) -> Outcome:
    test = suite.plan[index]
    start = time.process_time()
    with tempfile.TemporaryFile() as printed:
        with _redirect_output(printed.fileno()):
            error, detail = _run_in_time(suite, index, test.cpu_seconds)
        printed.seek(0)
        output = printed.read(suite.assignment.limits.output_kb << 10).decode(errors="replace")
    seconds = round_seconds(time.process_time() - start)
    if error is None:
        return Outcome(test.id, Status.passed, None, "", output, seconds)
    if isinstance(error, WorkerEnded):
        summary = verdict.explain_end(error, None, test.cpu_seconds)
        return Outcome(test.id, Status.timeout, Feedback(summary=summary), detail, output, seconds)
    report = describe(error, paths)
    if isinstance(error, CheckFailure) and error.__cause__ is not None:
        error.__cause__ = StudentError(describe(error.__cause__, paths))
    status, feedback = verdict.judge(
        StudentError(report) if report["where"] else error, test.tier, loaded.known
    )
    stub = loaded.stub_at(status, feedback)
    if stub is not None:
        return Outcome(test.id, Status.not_run, verdict.explain_stub(stub), detail, output, seconds)
    return suite.blame(Outcome(test.id, status, feedback, detail, output, seconds), error)


@contextlib.contextmanager
def _redirect_output(descriptor: int) -> Iterator[None]:
    """Send what is printed here, by C code too, to another descriptor for a while."""
    kept = {stream: os.dup(stream) for stream in (1, 2)}
    for stream in kept:
        os.dup2(descriptor, stream)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for stream, copy in kept.items():
            os.dup2(copy, stream)
            os.close(copy)


def _run_in_time(suite: SuiteRun, index: int, cpu_seconds: int) -> tuple[BaseException | None, str]:
    """Run a test, and interrupt it when it has used up its CPU time."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise WorkerEnded(End.timeout, "the test used up its CPU time")

    signal.signal(signal.SIGPROF, interrupt)
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    try:
        return suite.run_item(index)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
