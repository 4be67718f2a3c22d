"""The pool: the command line's handle on the grader host. It imports neither torch nor pytest."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Final, Self

import autograder
from autograder import errors
from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.engine.interface import Graded, Sandbox
from autograder.engine.jobs import JOB_BUDGET, Remarks, load_outcome, load_test
from autograder.engine.launcher import HOSTS, ZYGOTES
from autograder.engine.wire.frames import Channel, ChannelClosed
from autograder.graded.results import SandboxReport
from autograder.intake import Submission
from autograder.scoring import PlannedTest

_SENT_PER_JOB: Final = 2
"""Submissions at the host: one is graded, and the next is there before the slot asks for it."""
_CLOSE_SECONDS: Final = 60
"""The host ends at once, after each of its zygotes; on a busy machine that can last."""


class Pool:
    """A grader host with its zygotes, for one assignment.

    Parameters
    ----------
    assignment : Assignment
        What to grade.
    course : Course
        Where its suite is, and whose secret its key derives from.
    jobs : int
        Submissions graded side by side.
    sandbox : {"full", "weak", "none"}
        ``full`` refuses a machine that cannot confine; ``none`` runs student code beside the tests.
    tasks : iterable of str, optional
        Run the tests of these tasks alone, for measurements; such a run cannot be scored.
    stubs : mapping of str to bytes, optional
        File of each module to what students received of it, to take the place of one that is broken.
    until : float, optional
        When grading has to stop, as `time.monotonic` tells the time; outcomes up to then are kept.
    is_only : bool
        Whether this process opens no other pool. Then fork servers end as soon as they have forked, and what
        makes forks faster is left out: a submission server may have little memory, and has one submission.

    Attributes
    ----------
    plan : tuple of PlannedTest
        The tests, once the pool is entered.
    sandbox : SandboxReport
        What was proved about the confinement.
    versions : dict
        Versions of python, torch and numpy that grade.
    """

    def __init__(
        self,
        assignment: Assignment,
        course: Course,
        *,
        jobs: int,
        sandbox: Sandbox,
        tasks: Iterable[str] | None = None,
        stubs: Mapping[str, bytes] | None = None,
        until: float | None = None,
        is_only: bool = False,
    ) -> None:
        self.plan: tuple[PlannedTest, ...] = ()
        self.versions: dict[str, str] = {}
        self._request = {
            "key": course.key(assignment.name),
            "kit": autograder.__path__[0],
            "course": str(course.root),
            "assignment": assignment.name,
            "jobs": jobs,
            "sandbox": sandbox,
            "tasks": None if tasks is None else sorted(tasks),
            "packages": list(course.importable),
            "imports": dict(course.imports),
            "stubs": dict(stubs or {}),
            "until": until,
            "is_only": is_only,
        }
        self._jobs = jobs

    def __enter__(self) -> Self:
        """Start the host, and wait until the suite is collected and the sandbox proved.

        Raises
        ------
        SuiteError, SandboxError, EngineError
            If one of them cannot be had.
        """
        ours, theirs = socket.socketpair()
        confined = self._request["sandbox"] != "none"
        with theirs:
            zygotes = [ZYGOTES.control()] if confined else []
            self._process = HOSTS.fork(theirs.fileno(), *zygotes)
        if self._request["is_only"]:
            _ = self._process.pid  # it is forked
            for fork_server in (HOSTS, ZYGOTES):
                fork_server.leave()
        self._socket = ours
        self._channel = Channel(ours.fileno(), JOB_BUDGET)
        try:
            self._send(self._request)
            reply = self._receive()
        except BaseException:
            self.close()
            raise
        HOSTS.remember(reply["imported"])
        self.plan = tuple(load_test(plain) for plain in reply["plan"])
        self.sandbox = SandboxReport.model_validate(reply["sandbox"])
        self.versions = reply["versions"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def grade(self, submissions: Iterable[Submission]) -> Iterator[Graded]:
        """Yield every submission as it is graded; at most two per job are under way at a time.

        Raises
        ------
        EngineError
            If the host is gone, or cannot go on.
        """
        waiting = enumerate(submissions)
        at_work: dict[int, Submission] = {}
        exhausted = False
        while at_work or not exhausted:
            while not exhausted and len(at_work) < _SENT_PER_JOB * self._jobs:
                job, submission = next(waiting, (-1, None))
                if submission is None:
                    exhausted = True
                    break
                at_work[job] = submission
                self._send({"job": job, "files": dict(submission.files), "broken": dict(submission.broken)})
            if at_work:
                reply = self._receive()
                HOSTS.remember(reply["imported"])
                yield _parse_reply(at_work.pop(reply["job"]), reply)

    @property
    def pid(self) -> int:
        """Process id of the grader host, which leads a session of its own."""
        return self._process.pid

    def close(self) -> None:
        """End the host and everything below it."""
        self._socket.close()
        if self._process.wait(timeout=_CLOSE_SECONDS) is None:
            self._process.kill()

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._channel.send(message)
        except ChannelClosed:
            raise self._end_error() from None

    def _receive(self) -> dict[str, Any]:
        """Return the next reply; raises the error that the host reports, or says that it is gone."""
        try:
            reply: dict[str, Any] = self._channel.receive()[0]
        except ChannelClosed:
            raise self._end_error() from None
        if "error" in reply:
            kind, where, found, remedy = reply["error"]
            raise getattr(errors, kind, errors.EngineError)(where, found, remedy)
        return reply

    def _end_error(self) -> errors.EngineError:
        self._process.wait()
        return errors.EngineError(
            "grader host", self._process.describe_end(), "grade again; finished results are kept"
        )


def _parse_reply(submission: Submission, reply: dict[str, Any]) -> Graded:
    outcomes = tuple(load_outcome(plain) for plain in reply["outcomes"])
    remarks = Remarks(tuple(reply["remarks"]["notes"]), reply["remarks"]["needs_python"])
    stopped = "Grading stopped before all checks had run; look at this submission."
    return Graded(submission, outcomes, None if reply["finished"] else stopped, reply["seconds"], remarks)
