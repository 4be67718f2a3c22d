"""The fresh process for notebooks: it imports files and runs public checks as the grader does.

It runs code of the student who asks, on that student's machine, so what it refuses is no protection. It
refuses what the grader refuses, so that both say the same of the same files.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import linecache
import os
import select
import signal
import time
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from helpers import other_kits
from helpers.notebook import fresh
from helpers.source import links
from helpers.source.imports import possible_modules
from helpers.statuses import Status
from helpers.submission import allowances, prefetch, problems, python_files
from helpers.submission.importer import Importer

_PRELOADED = (
    "torch",
    "numpy",
    "matplotlib.pyplot",
    "helpers.testing.checks",
    "helpers.testing.constraints",
    "helpers.testing.evidence",
)
_SECONDS = 60.0
"""Wall time for one module or one check; a sleeping one ends too."""

_LOOP = "look for a loop that never ends"

Tell = Callable[[dict[str, Any]], None]


def main(kept: bool) -> None:
    """Answer questions on the standard input: each in a fork, if the process is kept, or else one only."""
    questions, answers = _own(0, "rb"), _own(1, "wb")
    if not kept:
        try:
            request = fresh.read_frame(questions)
            _prefetch(request)
            _answer(request, lambda frame: fresh.write_frame(answers, frame))
        finally:
            os._exit(0)
    for name in (*_PRELOADED, "pytest", "helpers.notebook.session", "helpers.notebook.outcomes"):
        importlib.import_module(name)
    while True:
        try:
            request = fresh.read_frame(questions)
        except EOFError:
            os._exit(0)
        _prefetch(request)
        _fork(request, answers)


def _prefetch(request: dict[str, Any]) -> None:
    """Import slow modules once, so that they do not count toward the time of each import."""
    read = python_files.read(_files(request), request["modules"], request["packages"])
    names = {name for part in read.parts.values() for one in part.imports for name in possible_modules(one)}
    for name in prefetch.select_modules(names, request["packages"]):
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def _files(request: dict[str, Any]) -> dict[str, bytes]:
    return {name: base64.b64decode(content) for name, content in request["files"].items()}


def _own(descriptor: int, mode: str) -> IO[bytes]:
    """Return a standard stream for this module alone; student code reads and writes nothing there."""
    stream = os.fdopen(os.dup(descriptor), mode)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, descriptor)
    os.close(null)
    return stream


def _fork(request: dict[str, Any], answers: IO[bytes]) -> None:
    """Have a fork answer, and pass on what it says until it ends."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(read_end)
            with os.fdopen(write_end, "wb") as stream:
                _answer(request, lambda frame: fresh.write_frame(stream, frame))
        finally:
            os._exit(0)
    os.close(write_end)
    done, deadline = False, time.monotonic() + _SECONDS
    with os.fdopen(read_end, "rb", buffering=0) as stream:
        buffered = bytearray()
        while not done and select.select([stream], [], [], max(0.0, deadline - time.monotonic()))[0]:
            data = stream.read(1 << 16)
            if not data:
                break
            deadline = time.monotonic() + _SECONDS
            buffered += data
            for frame in _whole_frames(buffered):
                done = done or "done" in frame
                fresh.write_frame(answers, frame)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if not done:
        fresh.write_frame(answers, {"ended": _how(os.waitstatus_to_exitcode(status), request, deadline)})


def _whole_frames(buffered: bytearray) -> list[dict[str, Any]]:
    """Take the frames that have arrived whole."""
    frames = []
    while len(buffered) >= 4:
        size = 4 + int.from_bytes(buffered[:4], "little")
        if len(buffered) < size:
            break
        frames.append(fresh.read_frame(BytesIO(bytes(buffered[:size]))))
        del buffered[:size]
    return frames


def _how(code: int, request: Mapping[str, Any], deadline: float) -> str:
    """Say how a process ended that did not finish."""
    if code == -signal.SIGXCPU or (code == -signal.SIGKILL and time.monotonic() < deadline):
        return f"Your code used up its {request['cpu_seconds']} seconds of CPU time; {_LOOP}"
    if code == -signal.SIGKILL:
        return f"Your code did not finish within the time limit; {_LOOP}"
    if code < 0:
        return f"Your code ended the Python process with signal {-code}"
    return f"Your code ended the Python process (exit status {code}) instead of returning"


def _answer(request: dict[str, Any], tell: Tell) -> None:
    """Import what was handed in; run checks, if that is asked for."""
    files = _files(request)
    other_kits.use(request["imports"])
    modules = request["modules"]
    read = python_files.read(files, modules, request["packages"])
    texts = read.texts(files)
    tell({"notes": list(read.notes), "loops": {part.path: part.loop for part in read.parts.values()}})
    for module, error in read.problems.items():
        tell({"problem": problems.problem_of(f"{module}.py", error, texts).to_plain()})
    if read.problems:
        tell({"done": True})
        return
    importer = Importer(read.code, modules, request["packages"], read.errors, files)
    for part in read.parts.values():
        if part.source is not None:
            linecache.cache[part.path] = (0, None, part.source.text.splitlines(keepends=True), part.path)
    released = {name.removesuffix(".py"): text for name, text in request["released"].items()}
    given = links.released_names(modules, released)
    importer.facts_of = lambda name: read.facts(name, given)
    allowances.behave_as_graded(request, (item for _, item in read.code.values()))
    importer.install()
    importer.watch = lambda name, begins: tell({"importing" if begins else "imported": name})
    for module in modules:
        try:
            importer.load(module)
        except BaseException as error:
            culprit = f"{importer.culprit(module)}.py"
            tell({"problem": problems.problem_of(culprit, error, texts).to_plain()})
            tell({"done": True})
            return
    if request["run"]:
        _run(request, read, tell)
    tell({"done": True})


def _run(request: dict[str, Any], read: python_files.Handin, tell: Tell) -> None:
    """Run public checks and tell each as it ends."""
    from helpers.notebook import outcomes, session
    from helpers.submission.handout import HandoutError, PublicTest

    files = [Path(part.path) for part in read.parts.values()]

    def ended(id: str, error: BaseException | None) -> None:
        outcome = outcomes.judge(PublicTest(id, "", "", 0, "value"), error, files)
        status, failure = outcome.status, outcome.failure
        if failure is not None and status is Status.not_implemented:
            replaced = request["replaced"].get((failure.place or "").partition(",")[0])
            if replaced is not None:
                status, failure = Status.not_run, outcomes.Failure(replaced)
        tell({"test": id, "status": status, "failure": None if failure is None else vars(failure)})

    try:
        session.run_tests(Path(request["tests"]), request["run"], ended, request["conventions"])
    except HandoutError as error:
        tell({"unusable": str(error)})
