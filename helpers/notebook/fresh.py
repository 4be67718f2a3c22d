"""A fresh process that judges files like the grader: whether they import, and which checks they pass.

The notebook's own process has imported more than the grader's, keeps what earlier versions of a file left
behind, and may read and write files. So a process that knows none of that is asked: on Linux a fork of one
that has PyTorch in memory already, which takes a moment, elsewhere a new one, which takes seconds.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from helpers.notebook.outcomes import (
    Failure,
    Interruption,
    PublicOutcome,
    Report,
    give_credit,
    read_ending,
)
from helpers.statuses import Status
from helpers.submission import problems, python_files
from helpers.submission.handout import TEST_FILE, Handout, HandoutError
from helpers.submission.problems import Problem

_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from helpers.notebook import fresh_process; fresh_process.main({kept})"
)
_UNASKED = "No fresh process could be started ({reason}), so only this notebook has imported your files."
_STOPPED = "It did not finish; look for a loop that never ends."


@dataclass(frozen=True)
class ImportReport:
    """Whether files can be imported as the grader imports them.

    Attributes
    ----------
    problems : dict of str to Problem
        Module file that cannot be imported, such as ``"knn.py"``, to why. What another module lacks because
        of that counts to the first: where it is known, the stub stands in its place.
    notes : tuple of str
        Sentences on what is not as in a notebook.
    """

    problems: dict[str, Problem]
    notes: tuple[str, ...] = ()


def warm_up() -> None:
    """Start the process early, without waiting for it, so that the first answer comes soon."""
    if _can_fork():
        with contextlib.suppress(OSError):
            _server.start()


def check_imports(handout: Handout, files: Mapping[str, bytes]) -> ImportReport:
    """Tell whether files can be imported as the grader imports them; the same files are asked about once.

    Parameters
    ----------
    handout : Handout
        The assignment; it knows the packages that can be imported when work is graded.
    files : mapping of str to bytes
        Path below the folder of the modules to content: the modules, and Python files beside them. A module
        that is missing is a problem.
    """
    key = _key(handout, files)
    if key not in _answers:
        try:
            _answers[key] = _imports(handout, files)
        except OSError as error:
            return ImportReport({}, (_UNASKED.format(reason=error),))
    return _answers[key]


def run_public(handout: Handout, files: Mapping[str, bytes]) -> Report:
    """Run the public checks on these bytes, imported as the grader imports them.

    Parameters
    ----------
    files : mapping of str to bytes
        As for `check_imports`, with saved weights, if there are any.

    Returns
    -------
    Report
        As of `helpers.notebook.runner.run`. Where a module cannot be imported, the checks that need it say
        so; `Report.problem` is set where nothing ran.

    Raises
    ------
    HandoutError
        If the file of the public checks is damaged.
    OSError
        If no fresh process can be started.
    """
    found = check_imports(handout, files)
    problems = list(found.problems.values())
    if problems and (len(handout.modules) == 1 or len(problems) == len(handout.modules)):
        outcomes = tuple(PublicOutcome(test, Status.not_run) for test in handout.tests)
        return Report(handout, outcomes, "", found.notes, failure_of(problems[0]))
    request = _request(handout, files, found.problems, run=[test.id for test in handout.tests])
    ended = _outcomes(handout, request)
    listed = [ended.get(test.id) or PublicOutcome(test, Status.not_run) for test in handout.tests]
    notes = (*found.notes, *(problem.sentence for problem in problems))
    return Report(handout, give_credit(handout, listed), "", notes)


def failure_of(problem: Problem) -> Failure:
    """Return a problem in the words of a report."""
    place = f"{problem.place or problem.file}, line {problem.line}" if problem.line else None
    text = f"{problem.file} cannot be imported: {problem.error}"
    return Failure(text, likely_cause=problem.cause, place=place, code=problem.code or None)


def files_of(handout: Handout) -> dict[str, bytes]:
    """Return what belongs to a hand-in of what is on disk now, by path below the modules' folder.

    These are the modules that are there, and the Python files beside them that they import.
    """
    found: dict[str, bytes] = {}
    for module in handout.modules:
        file = handout.file(module)
        if file.is_file():
            found |= python_files.with_siblings(file)
    return found


_answers: dict[str, ImportReport] = {}


def _imports(handout: Handout, files: Mapping[str, bytes]) -> ImportReport:
    """Ask, and ask again with the stub in the place of each module that turned out to be broken."""
    missing = [f"{module}.py" for module in handout.modules if f"{module}.py" not in files]
    problems = {name: Problem(name, "the file is missing") for name in missing}
    notes: tuple[str, ...] = ()
    for _ in range(len(handout.modules) + 1):
        if problems and any(name not in handout.released for name in problems):
            break
        frames = _server.ask(_request(handout, files, problems))
        notes = notes or tuple(note for frame in frames for note in frame.get("notes", ()))
        new = _problems(handout, files, frames)
        problems |= {problem.file: problem for problem in new if problem.file not in problems}
        if not new or len(handout.modules) == 1:
            break
    return ImportReport(problems, notes)


def _problems(
    handout: Handout, files: Mapping[str, bytes], frames: Sequence[dict[str, Any]]
) -> list[Problem]:
    """Return what a process said of modules that it could not import, or how it ended over one."""
    found = [Problem(**frame["problem"]) for frame in frames if "problem" in frame]
    end = next((frame["ended"] for frame in frames if "ended" in frame), None)
    if found or end is None or any("done" in frame for frame in frames):
        return found
    at_work: list[str] = []
    for frame in frames:
        if "importing" in frame:
            at_work.append(frame["importing"])
        elif "imported" in frame and frame["imported"] in at_work:
            at_work.remove(frame["imported"])
    module = at_work[-1] if at_work else handout.modules[0]
    file = f"{module}.py"
    line = next((frame["loops"].get(file, 0) for frame in frames if "loops" in frame), 0)
    texts = {name: content.decode("utf-8", "replace") for name, content in files.items() if name == file}
    return [problems.locate_problem(file, end, file if line else "", line, texts)]


def _outcomes(handout: Handout, request: dict[str, Any]) -> dict[str, PublicOutcome]:
    """Run checks; if one does not come to an end, go on with those after it."""
    tests = {test.id: test for test in handout.tests}
    ended: dict[str, PublicOutcome] = {}
    while request["run"]:
        frames = _server.ask(request)
        for frame in frames:
            if "unusable" in frame:
                raise HandoutError(frame["unusable"])
            if "test" in frame:
                failed = Failure(**frame["failure"]) if frame["failure"] else None
                ended[frame["test"]] = PublicOutcome(
                    tests[frame["test"]], read_ending(frame["status"]), failed
                )
        waiting = [id for id in request["run"] if id not in ended]
        if any("done" in frame for frame in frames) or not waiting:
            break
        ended[waiting[0]] = PublicOutcome(tests[waiting[0]], Interruption.stopped, Failure(_STOPPED))
        request = request | {"run": waiting[1:]}
    return ended


def _request(
    handout: Handout, files: Mapping[str, bytes], problems: Mapping[str, Problem], run: Sequence[str] = ()
) -> dict[str, Any]:
    stubs = {name: handout.released[name].encode() for name in problems if name in handout.released}
    return {
        "modules": list(handout.modules),
        "packages": list(handout.packages),
        "imports": dict(handout.imports),
        "conventions": dict(handout.conventions),
        "cpu_seconds": handout.cpu_seconds,
        "memory_mb": handout.memory_mb,
        "files": {name: _text(content) for name, content in {**files, **stubs}.items()},
        "released": dict(handout.released),
        "replaced": {name: problem.sentence for name, problem in problems.items()},
        "tests": str(handout.folder / TEST_FILE),
        "run": list(run),
    }


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _key(handout: Handout, files: Mapping[str, bytes]) -> str:
    """Return a key that identifies a question."""
    parts = [(name, hashlib.sha256(content).hexdigest()) for name, content in sorted(files.items())]
    return repr((handout.name, handout.modules, handout.packages, handout.imports, parts))


def _can_fork() -> bool:
    """Tell whether forks of a process that has loaded PyTorch are safe: on macOS they are not."""
    return sys.platform.startswith("linux") and hasattr(os, "fork")


class _Server:
    """The process that is asked, and forks one for each question; where that is not safe, a new one each."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, if it does not run."""
        if self._process is None or self._process.poll() is not None:
            kept = _can_fork()
            environment = os.environ | {
                "CUDA_VISIBLE_DEVICES": "",
                "MPLBACKEND": "Agg",
                "PYTHONDONTWRITEBYTECODE": "1",
            }
            home = str(Path(__file__).parents[2])
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOT.format(kept=kept), home],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                cwd=os.path.abspath(os.sep),  # noqa: PTH100
            )
        return self._process

    def ask(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what a fresh process said.

        Raises
        ------
        OSError
            If there is none.
        """
        for last in (False, True):
            process = self.start()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                write_frame(process.stdin, request)
                return list(_until_end(process.stdout))
            except (EOFError, BrokenPipeError):
                self.stop()
                if last:
                    raise OSError("it ended") from None
            except BaseException:  # interrupted: what it says later answers no later question
                self.stop()
                raise
            finally:
                if not _can_fork():
                    self.stop()
        raise AssertionError

    def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()


_server = _Server()
stop = _server.stop
atexit.register(stop)


def _until_end(stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    while True:
        frame = read_frame(stream)
        yield frame
        if "ended" in frame or "done" in frame:
            return


def write_frame(stream: IO[bytes], message: dict[str, Any]) -> None:
    """Write a message, led by its length."""
    data = json.dumps(message).encode()
    stream.write(len(data).to_bytes(4, "little") + data)
    stream.flush()


def read_frame(stream: IO[bytes]) -> dict[str, Any]:
    """Read what `write_frame` wrote; raises EOFError where there is nothing more."""
    head = stream.read(4)
    data = stream.read(int.from_bytes(head, "little")) if len(head) == 4 else b""
    if len(head) < 4 or len(data) < int.from_bytes(head, "little"):
        raise EOFError
    message: dict[str, Any] = json.loads(data)
    return message
