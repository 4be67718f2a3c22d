"""Grade one submission: in a process forked after the suite was collected, with a fresh worker per test."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import FrameType
from typing import Any, Final

from autograder.engine import verdict
from autograder.engine.jobs import Remarks, round_seconds
from autograder.engine.link import End, Link, StudentError, WorkerEnded
from autograder.engine.loading import ImportRules, Loaded, Loader
from autograder.engine.proxy import ProxyReferences, Session
from autograder.engine.slot import Slot, WorkerHandle
from autograder.engine.suite import SuiteRun
from autograder.engine.verdict import ImportFailed
from autograder.graded.results import Feedback, Location
from autograder.scoring import Emit, Outcome, PlannedTest, mark_not_run
from helpers import seeds
from helpers.statuses import Status

_MAX_DETAIL: Final = 20_000
"""Characters of a traceback: the tests and the suite make some thousands at most, student code any number."""
_GRACE_SECONDS: Final = 1.0
"""From the deadline of a worker's answer to the alarm: the deadline says more clearly what took so long."""
_NAMELESS: Final = frozenset({"<module>", "<lambda>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})


class KilledFromOutside(Exception):
    """A worker was killed, and not by a limit: by the machine, perhaps. That deserves a second try."""


class Grader:
    """Run every test of a suite on one submission.

    Parameters
    ----------
    suite : SuiteRun
        The collected suite.
    session : Session
        What the suite's proxies talk to.
    slot : Slot
        Where workers come from.
    key : bytes
        What the workers' own random seeds derive from; the same for every student.
    rules : ImportRules
        What the modules of the assignment are imported by.
    """

    def __init__(self, suite: SuiteRun, session: Session, slot: Slot, key: bytes, rules: ImportRules) -> None:
        self._suite = suite
        self._session = session
        self._slot = slot
        self._key = key
        self._rules = rules
        self._references = ProxyReferences(session)
        self._limits = suite.assignment.limits
        self._loaded = Loaded()

    def grade(self, files: Mapping[str, bytes], broken: Mapping[str, str], emit: Emit) -> Remarks:
        """Emit the outcome of every planned test, in order, as each ends; return what else there is to say.

        Parameters
        ----------
        files : mapping of str to bytes
            Path, such as ``knn.py``, to its source; saved weights, which end in ``.pt``, to their bytes.
        broken : mapping of str to str
            File of each module that is missing or cannot be read, to a sentence that says so.
        emit : callable
            Takes one outcome.
        """
        plan = self._suite.plan
        sources = {name: content for name, content in files.items() if name.endswith(".py")}
        self._session.weights = {name: files[name] for name in files.keys() - sources.keys()}
        first = plan[0]
        loader = Loader(
            self._rules,
            self._slot,
            lambda: self._spawn(first),
            seed=self._seed(first),
            cpu_seconds=first.cpu_seconds,
        )
        self._loaded = loader.loaded
        try:
            worker = loader.load(sources, broken)
            self._session.facts = self._loaded.facts
            for index, test in enumerate(plan):
                following = self._next_worker(plan[index + 1]) if index + 1 < len(plan) else worker
                try:
                    emit(self._run(index, test, worker, loaded=index == 0))
                except KilledFromOutside:
                    emit(self._run(index, test, self._next_worker(test), loaded=False, final=True))
                worker = following
        except ImportFailed as error:
            for outcome in mark_not_run(plan, verdict.explain_import(error.problem, self._loaded.needs)):
                emit(outcome)
            return self._loaded.remarks_without(error.problem)
        finally:
            self._slot.end_all()
        return self._loaded.remarks

    def _next_worker(self, test: PlannedTest) -> WorkerHandle:
        worker = self._spawn(test)
        modules, packages = list(self._rules.modules), list(self._rules.packages)
        names = {"modules": modules, "packages": packages, "imports": self._rules.imports}
        worker.link.tell({"seed": self._seed(test), "code": self._loaded.code, **names})
        return worker

    def _spawn(self, test: PlannedTest) -> WorkerHandle:
        return self._slot.spawn(
            self._references,
            cpu_seconds=test.cpu_seconds,
            memory_mb=test.memory_mb,
            output_bytes=self._limits.output_kb << 10,
            wall_seconds=self._limits.wall_seconds,
        )

    def _hear_ready(self, worker: WorkerHandle) -> None:
        header: dict[str, Any] = worker.link.hear()
        if "ready" not in header:
            raise StudentError(header.get("error"))

    def _run(
        self, index: int, test: PlannedTest, worker: WorkerHandle, *, loaded: bool, final: bool = False
    ) -> Outcome:
        self._suite.reached = {}
        link = worker.link
        link.deadline = time.monotonic() + self._limits.wall_seconds
        self._session.link = link
        error: BaseException | None
        try:
            if not loaded:
                self._hear_ready(worker)
            with _alarm(link, self._limits.wall_seconds + _GRACE_SECONDS):
                error, detail = self._suite.run_item(index)
        except (StudentError, WorkerEnded) as failure:
            error, detail = failure, f"the submission could not be imported again: {failure}"
        finally:
            self._session.link = None
        outcome = self._outcome(test, worker, error, detail, final=final)
        return replace(outcome, reached=self._suite.reached)

    def _outcome(
        self,
        test: PlannedTest,
        worker: WorkerHandle,
        error: BaseException | None,
        detail: str,
        *,
        final: bool,
    ) -> Outcome:
        # A test that caught the end of its worker has not been passed.
        ended = worker.link.ended or (error if isinstance(error, WorkerEnded) else None)
        self._slot.identify(worker)
        seconds = round_seconds(worker.cpu_seconds())
        output, exit = self._slot.end(worker, look=ended is not None and ended.end is End.crashed)
        if ended is not None:
            if not final and verdict.was_killed(exit, test.cpu_seconds):
                raise KilledFromOutside
            if exit is not None:
                seconds = round_seconds(exit.cpu_seconds)
            status = verdict.judge_end(ended, exit, test.cpu_seconds)
            feedback = Feedback(summary=verdict.explain_end(ended, exit, test.cpu_seconds))
            return Outcome(test.id, status, feedback, _cap(detail or str(ended)), output, seconds)
        if error is None:
            return Outcome(test.id, Status.passed, None, "", output, seconds)
        status, feedback = verdict.judge(error, test.tier, self._loaded.known)
        stub = self._loaded.stub_at(status, feedback)
        if stub is not None:
            return Outcome(test.id, Status.not_run, verdict.explain_stub(stub), _cap(detail), output, seconds)
        outcome = Outcome(test.id, status, self._drop_foreign_place(feedback), _cap(detail), output, seconds)
        return self._suite.blame(outcome, error)

    def _drop_foreign_place(self, feedback: Feedback) -> Feedback:
        """Leave out a place that the submission does not have: a worker could spell hidden inputs in it."""
        place = feedback.location
        if place is None or self._has_place(place):
            return feedback
        return feedback.model_copy(update={"location": None})

    def _has_place(self, place: Location) -> bool:
        names = self._loaded.units.get(place.file)
        if names is None or not 1 <= place.line <= self._loaded.lines.get(place.file, 0):
            return False
        return place.function in _NAMELESS or any(name.rpartition(".")[2] == place.function for name in names)

    def _seed(self, test: PlannedTest) -> int:
        return seeds.truncate(hmac.digest(self._key, f"worker:{test.id}".encode(), hashlib.sha256))


@contextlib.contextmanager
def _alarm(link: Link, seconds: float) -> Iterator[None]:
    """Stop a test that takes too long on this side of the wire: what a worker sent may be slow to use."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise link.give_up()

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _cap(text: str) -> str:
    dropped = len(text) - _MAX_DETAIL
    return text if dropped <= 0 else f"{text[:_MAX_DETAIL]}\n[{dropped} more characters were dropped]"
