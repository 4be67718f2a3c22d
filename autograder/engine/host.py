"""The grader host: one process that collects the suite once and forks a grading child per submission.

`python -P -m autograder.engine.host` is the fork server of hosts. Each host has a stream socket to the
command line, which sends the assignment and then submissions, and receives the plan and then outcomes.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import math
import os
import resource
import selectors
import signal
import sys
import time
import traceback
import warnings
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Final

import msgpack
import numpy
import torch

import autograder
import helpers
from autograder import course as courses
from autograder import sandbox
from autograder.course import assignment as assignments
from autograder.course import hidden_generators
from autograder.engine import forkserver, local
from autograder.engine.grader import Grader
from autograder.engine.jobs import JOB_BUDGET, Remarks, dump_outcome, dump_test
from autograder.engine.launcher import ZYGOTES
from autograder.engine.loading import ImportRules
from autograder.engine.proxy import ProxyFinder, Session
from autograder.engine.slot import Slot, ready
from autograder.engine.suite import SuiteRun
from autograder.engine.wire.frames import Budget, Channel, ChannelClosed
from autograder.errors import AutograderError, EngineError
from autograder.graded.results import SandboxReport
from autograder.sandbox import kernel
from autograder.sandbox.limits import MEBIBYTE, mapped_bytes
from autograder.scoring import Emit
from helpers import other_kits

_DONE: Final = "done"
_MAX_TRIES: Final = 2
"""A child may die by chance, where memory is short. If it dies again, the submission is to blame."""
_SLACK_SECONDS: Final = 60
"""Of a grading child, beyond the limits of all tests: to read and import files, and to compare."""
_STEP_SECONDS: Final = 1.0
"""How often children are looked at that say nothing, for one may have used up its time."""
_READ_BYTES: Final = 1 << 20
"""Of outcomes at a time: any number would do, and a pipe holds less."""
_GRADER_BYTES: Final = 4 << 30
"""Memory of a grading child: room to compare results that fill a whole message, in float64."""


@dataclass(frozen=True)
class Job:
    """A submission to be graded, and how often that has been tried."""

    number: int
    files: dict[str, bytes]
    broken: dict[str, str]
    tries: int = 1


@dataclass
class Child:
    """A grading child at work on one submission."""

    pid: int
    job: Job
    place: int
    started: float
    data: bytearray = field(default_factory=bytearray)


Grade = Callable[[int, Job, Emit], Remarks]
"""`grade(place, job, emit)` grades one submission with the zygote of that place."""


class Host:
    """Take jobs from the command line and spread them over grading children."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._session = Session()
        self._slots: list[Slot] = []
        self._children: dict[int, Child] = {}
        self._waiting: deque[Job] = deque()
        self._selector = selectors.DefaultSelector()
        self._known = len(sys.modules)

    def run(self) -> None:
        """Set up what the first frame asks for, then serve until the command line hangs up."""
        request, _ = self._channel.receive()
        try:
            _require_same_kit(request["kit"])
            course = courses.Course.load(Path(request["course"]))
            courses.set_current(course)
            self._key = request["key"]
            hidden_generators.use_key(self._key)
            assignment = assignments.load(course, request["assignment"])
            self._request = request
            self._rules = ImportRules(
                assignment.modules, tuple(request["packages"]), request["stubs"], request["imports"]
            )
            other_kits.use(self._rules.imports)
            self._confine(assignment)
            sys.meta_path.insert(0, ProxyFinder(assignment.modules, self._session))
            with sandbox.scratch() as self._folder:
                SuiteRun(assignment, self._serve, request["tasks"]).run()
        except AutograderError as error:
            kind = type(error).__name__
            self._channel.send({"error": [kind, error.where, error.found, error.remedy]})
        finally:
            for slot in self._slots:
                slot.close()

    def _confine(self, assignment: assignments.Assignment) -> None:
        """Start the zygotes, so that they import while the suite is collected, and prove the sandbox."""
        mode = self._request["sandbox"]
        if mode == "none":
            layers = {"process": "tests and student code share one process"}
            self._report = SandboxReport(level="none", layers=layers)
            return
        hidden = [assignment.suite, assignment.folder, courses.current().secret_file]
        self._confinement = _add_helpers(sandbox.choose_plan(weak=mode == "weak"))
        self._confinement.check_hidden(hidden)
        self._spare_memory(assignment.limits.memory_mb)
        is_only = self._request["is_only"]
        self._slots = [
            Slot(self._confinement, self._rules.packages, is_only=is_only)
            for _ in range(self._request["jobs"])
        ]
        if is_only:
            for slot in self._slots:
                _ = slot.pid  # it is forked
            ZYGOTES.leave()
        self._report = sandbox.report(self._confinement, sandbox.prove(self._confinement, hidden=hidden))
        sandbox.require(self._report, weak_allowed=mode == "weak")

    def _spare_memory(self, memory_mb: int) -> None:
        """Have fewer slots than asked for where their workers and answers could use up the memory of all."""
        wanted = self._request["jobs"]
        answer_mb = Budget().memory // MEBIBYTE
        fitting = self._request["jobs"] = sandbox.slots_that_fit(wanted, memory_mb + answer_mb)
        if fitting < wanted:
            print(
                f"Grading {fitting} at a time, not {wanted}: there is not enough free memory for more.",
                file=sys.stderr,
            )

    def _serve(self, suite: SuiteRun) -> None:
        self._slots = [ready(slot) for slot in self._slots]
        self._limit = sum(suite.assignment.limits.wall_seconds for _ in suite.plan) + _SLACK_SECONDS
        self._until = math.inf if self._request["until"] is None else self._request["until"]
        grade = self._grade_in_process(suite) if not self._slots else self._grade_in_workers(suite)
        gc.collect()
        gc.freeze()
        versions = {
            "python": sys.version.split()[0],
            "torch": torch.__version__,
            "numpy": numpy.__version__,
        }
        plan = [dump_test(test) for test in suite.plan]
        report = self._report.model_dump()
        self._channel.send({"plan": plan, "sandbox": report, "versions": versions, "imported": self._news()})
        self._selector.register(self._channel.fd, selectors.EVENT_READ)
        with contextlib.suppress(ChannelClosed):
            while True:
                self._step(grade)
        for child in self._children.values():
            os.kill(child.pid, signal.SIGKILL)

    def _grade_in_workers(self, suite: SuiteRun) -> Grade:
        def grade(place: int, job: Job, emit: Emit) -> Remarks:
            grader = Grader(suite, self._session, self._slots[place], self._key, self._rules)
            return grader.grade(job.files, job.broken, emit)

        return grade

    def _grade_in_process(self, suite: SuiteRun) -> Grade:
        def grade(place: int, job: Job, emit: Emit) -> Remarks:
            return local.grade(suite.assignment, suite.plan, self._rules, job.files, job.broken, emit)

        return grade

    # The loop

    def _step(self, grade: Grade) -> None:
        for key, _ in self._selector.select(timeout=_STEP_SECONDS):
            if key.fd == self._channel.fd:
                self._take_jobs()
            else:
                self._read(key.fd)
        for fd, child in list(self._children.items()):
            if time.monotonic() > min(child.started + self._limit, self._until):
                os.kill(child.pid, signal.SIGKILL)
                self._read(fd)
        busy = {child.place for child in self._children.values()}
        for place in range(self._request["jobs"]):
            if self._waiting and place not in busy:
                self._start(place, self._waiting.popleft(), grade)

    def _take_jobs(self) -> None:
        """Take every job that has arrived; what the channel has read ahead wakes no selector."""
        more = True
        while more:
            request, _ = self._channel.receive()
            self._waiting.append(Job(request["job"], request["files"], request["broken"]))
            more = self._channel.has_unread()

    def _start(self, place: int, job: Job, grade: Grade) -> None:
        read_end, write_end = os.pipe()
        host = os.getpid()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.close(read_end)
                _die_with(host)
                _limit_memory()
                before = len(sys.modules)
                remarks = grade(place, job, lambda o: write_all(write_end, msgpack.packb(dump_outcome(o))))
                write_all(write_end, msgpack.packb([_DONE, vars(remarks), _modules_since(before)]))
                status = 0
            except BaseException:
                traceback.print_exc()
            os._exit(status)
        os.close(write_end)
        self._children[read_end] = Child(pid, job, place, time.monotonic())
        self._selector.register(read_end, selectors.EVENT_READ)

    def _read(self, fd: int) -> None:
        child = self._children[fd]
        data = os.read(fd, _READ_BYTES)
        child.data += data
        if not data:
            self._selector.unregister(fd)
            os.close(fd)
            del self._children[fd]
            os.waitpid(child.pid, 0)
            self._finish(child)

    def _finish(self, child: Child) -> None:
        """Report a child's outcomes; one that did not get to its end gets a second chance."""
        unpacker = msgpack.Unpacker(max_buffer_size=0)
        unpacker.feed(child.data)
        outcomes = list(unpacker)
        finished = bool(outcomes) and type(outcomes[-1]) is list and outcomes[-1][0] == _DONE
        _, remarks, imported = outcomes.pop() if finished else (_DONE, vars(Remarks()), [])
        if not finished and self._slots and time.monotonic() < self._until:
            self._renew(child.place)
            if child.job.tries < _MAX_TRIES:
                self._waiting.appendleft(replace(child.job, tries=child.job.tries + 1))
                return
        # What a test imported late, the following ones find: when a gradient is first asked for, PyTorch
        # imports SymPy, which takes a second.
        forkserver.import_quietly(imported)
        self._channel.send(
            {
                "job": child.job.number,
                "outcomes": outcomes,
                "finished": finished,
                "remarks": remarks,
                "seconds": time.monotonic() - child.started,
                "imported": self._news(),
            }
        )

    def _news(self) -> list[str]:
        """Return the installed modules that were imported since this was last asked."""
        new = _modules_since(self._known)
        self._known += len(new)
        return [name for name in new if _is_installed(sys.modules[name], name)]

    def _renew(self, place: int) -> None:
        """Start a slot afresh: its last child may have died between a request and the reply."""
        self._slots[place].close()
        self._slots[place] = ready(self._slots[place].again())


def _modules_since(count: int) -> list[str]:
    """Return the modules that were imported since there were `count`.

    It looks at no other: whatever a forked process looks at, the kernel has to copy for it.
    """
    return list(itertools.islice(reversed(sys.modules), max(0, len(sys.modules) - count)))


def _is_installed(module: ModuleType, name: str) -> bool:
    """Tell whether any host might import a module: it is part of neither a course nor the kit."""
    package = name.partition(".")[0]
    folders = Path(getattr(module, "__file__", None) or "").parts
    installed = "site-packages" in folders and package not in {"autograder", "helpers"}
    return getattr(module, "__name__", "") == name and (installed or package in sys.stdlib_module_names)


def _require_same_kit(folder: str) -> None:
    """Check that the command line came from the same folder as this process.

    Raises
    ------
    EngineError
        If it did not: workers could not read its helpers, and results would be of two versions.
    """
    installed = Path(autograder.__path__[0])
    if not installed.samefile(folder):
        found = f"is not the installed kit, which is in {installed}"
        remedy = f"run the command `autograder`, or install this kit: pip install -e {Path(folder).parent}"
        raise EngineError(folder, found, remedy)


def _add_helpers(plan: sandbox.SandboxPlan) -> sandbox.SandboxPlan:
    """Let student code import the helpers that notebooks use: they hold no answers."""
    if plan.filesystem != "landlock":
        return plan
    return replace(plan, readable=(*plan.readable, str(Path(helpers.__file__).parent)))


def _die_with(host: int) -> None:
    """Have the kernel end this process when the host ends, lest it go on unseen."""
    if kernel.LINUX:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != host:
        os._exit(1)


def _limit_memory() -> None:
    """Let this process map only so much more: sizes that a worker chose must not use up the machine."""
    with contextlib.suppress(OSError, ValueError):  # no Linux, or a lower limit is in force
        most = mapped_bytes() + _GRADER_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data`."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def child(descriptors: list[int]) -> None:
    """Be a grader host at a socket to the command line, with another to the fork server of zygotes."""
    connection, *zygotes = descriptors
    for descriptor in zygotes:
        ZYGOTES.adopt(descriptor)
    with contextlib.suppress(ChannelClosed):
        Host(Channel(connection, JOB_BUDGET)).run()


def main() -> None:
    """Be the fork server of grader hosts."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # of what a submission returned; they would stand above the class table
    forkserver.serve(child)


if __name__ == "__main__":
    main()
