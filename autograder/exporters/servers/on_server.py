"""Grade one submission on a submission server, with nothing but a bundle."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

import autograder
from autograder import intake, scoring
from autograder.course import Course, bundle_key, provenance
from autograder.course import assignment as assignments
from autograder.course.assignment import Assignment
from autograder.engine.interface import Sandbox
from autograder.engine.jobs import NO_REMARKS, Remarks
from autograder.engine.pool import Pool
from autograder.errors import ConfigError, EngineError, IntakeError, SandboxError
from autograder.exporters.servers import find_server
from autograder.exporters.servers.contents import COURSE, MANIFEST
from autograder.exporters.servers.interface import Delivery, Manifest, Server, Verdict
from autograder.graded.records import Record
from autograder.graded.results import SubmissionResult
from autograder.intake import Submission
from autograder.scoring import Outcome
from autograder.untrusted import line

_RESERVE: Final = 0.05
_LEAST_RESERVE: Final = 15.0
"""Of a server's time, for what comes before and after the checks: part of it, and seconds at least."""
_DAMAGED: Final = "is damaged, or of another version of the kit"
_AGAIN: Final = "make the bundle again: autograder bundle"

Write = Callable[[Mapping[str, bytes]], None]


class Bundle:
    """A bundle where it was unpacked.

    Parameters
    ----------
    folder : Path
        The folder with ``manifest.json``.

    Raises
    ------
    ConfigError
        The folder holds no bundle, or one that is damaged or that another version of the kit made.
    """

    def __init__(self, folder: Path) -> None:
        self.manifest = _read_manifest(folder / MANIFEST)
        self.server: Server = find_server(self.manifest.server)
        try:
            self.settings: Any = self.server.settings.model_validate(self.manifest.settings)
        except ValidationError:
            raise ConfigError(str(folder / MANIFEST), _DAMAGED, _AGAIN) from None
        _require_whole(folder, self.manifest)
        self.course = Course.load(folder / COURSE)
        self.assignment = assignments.load(self.course, self.manifest.assignment)

    @property
    def sandbox(self) -> Sandbox:
        """How much confinement the course asks for."""
        return "weak" if self.settings.weak_sandbox else "full"

    def open(
        self, *, sandbox: Sandbox, until: float | None = None, tasks: Collection[str] | None = None
    ) -> Pool:
        """Return what grades, up to a moment of `time.monotonic`: all tasks, or those of these ids."""
        names = [f"{module}.py" for module in self.assignment.modules]
        stubs = {name: (self.assignment.folder / name).read_bytes() for name in names}
        return Pool(
            self.assignment,
            self.course,
            jobs=1,
            sandbox=sandbox,
            tasks=tasks,
            stubs=stubs,
            until=until,
            is_only=True,
        )


def prepare(bundle: Bundle) -> str:
    """Do once what would cost every submission time, such as drawing pictures; return how that went.

    Student code is not confined yet as it will be: a server builds its image elsewhere than it grades.
    """
    with bundle.open(sandbox="weak") as engine:
        level = engine.sandbox.level
        return f"{len(engine.plan)} checks are ready; while the image was built, the sandbox was {level}"


def grade(
    bundle: Bundle,
    root: Path,
    variables: Mapping[str, str],
    *,
    started: float,
    write: Write,
    tasks: Collection[str] | None = None,
) -> Verdict:
    """Grade the submission that a server has handed over, and write what the server reads.

    An answer without any outcome is there before student code runs: it stays if the server ends everything,
    because memory or time is used up.

    Parameters
    ----------
    root : Path
        Root of the file system in which the server has put things.
    variables : mapping of str to str
        The environment.
    started : float
        When the server's time began, as `time.monotonic` tells the time.
    write : callable
        Takes what the server reads, as `Server.answer` returns it.
    tasks : collection of str, optional
        Grade these tasks alone, where a server gives a command less time than the suite takes. Points of a
        task depend on no other.

    Raises
    ------
    ConfigError
        The assignment has no such task.
    EngineError, SandboxError
        Nothing could be graded; then no answer is there.
    """
    assignment = _restrict(bundle.assignment, tasks)
    delivery = bundle.server.receive(root, variables)
    submission = _read(delivery, assignment)
    seconds = bundle.settings.seconds or bundle.server.limits.seconds
    until = started + usable_seconds(seconds)
    with _name_the_setting(bundle), bundle.open(sandbox=bundle.sandbox, until=until, tasks=tasks) as engine:
        source = provenance.collect(bundle.course, bundle.assignment, engine.versions)

        def judge(
            outcomes: Iterable[Outcome], remarks: Remarks = NO_REMARKS, *, complete: bool = True
        ) -> Verdict:
            result = scoring.score(
                assignment,
                engine.plan,
                submission,
                outcomes,
                sandbox=engine.sandbox,
                provenance=source,
                seconds=round(time.monotonic() - started, 3),
                notes=[submission.problem] if submission.problem is not None else [],
                remarks=remarks.notes,
                needs_python=remarks.needs_python,
            )
            return _verdict(bundle, assignment, delivery, result, started, complete=complete)

        if submission.problem is not None:
            verdict = judge(scoring.mark_not_run(engine.plan, submission.problem))
        else:
            early = bundle.server.answer(judge((), complete=False))
            write({path: content for path, content in early.items() if path})  # output cannot be taken back
            (graded,) = engine.grade([submission])
            verdict = judge(graded.outcomes, graded.remarks, complete=graded.note is None)
    write(bundle.server.answer(verdict))
    return verdict


def usable_seconds(seconds: float) -> float:
    """Return how much of the time that a server gives a submission the checks may take."""
    return seconds - max(_LEAST_RESERVE, _RESERVE * seconds)


@contextlib.contextmanager
def _name_the_setting(bundle: Bundle) -> Iterator[None]:
    """Say how a course accepts a weak sandbox on a server, where no option can be given."""
    try:
        yield
    except SandboxError as error:
        name = bundle.server.name
        remedy = (
            f"use an image in which that is possible, or put weak_sandbox = true into [servers.{name}] of "
            "course.toml and make the bundle again: student code may then reach more than its own task"
        )
        raise SandboxError(error.where, error.found, remedy) from None


def write_below(root: Path) -> Write:
    """Return what writes answers below a folder, each in one step, and those without a path to the output."""

    def write(answer: Mapping[str, bytes]) -> None:
        for path, content in answer.items():
            if path:
                _replace(root / path, content)
            else:
                sys.stdout.buffer.write(content)
                sys.stdout.buffer.flush()

    return write


def _replace(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as draft:
            draft.write(content)
        Path(draft.name).chmod(0o644)
        os.replace(draft.name, path)  # noqa: PTH105, as it says elsewhere what can go wrong
    except OSError as error:
        remedy = "look at the folder and at the space on its disk, and grade again"
        raise EngineError(str(path), f"cannot be written ({error.strerror})", remedy) from None


def _restrict(assignment: Assignment, tasks: Collection[str] | None) -> Assignment:
    """Return the assignment with some of its tasks alone; raises ConfigError if it has no such task."""
    if tasks is None:
        return assignment
    known = [task.id for task in assignment.tasks]
    for task in tasks:
        if task not in known:
            raise ConfigError(task, f"{assignment.name} has no such task", f"choose of: {', '.join(known)}")
    return replace(assignment, tasks=tuple(task for task in assignment.tasks if task.id in tasks))


def _verdict(
    bundle: Bundle,
    assignment: Assignment,
    delivery: Delivery,
    result: SubmissionResult,
    started: float,
    *,
    complete: bool,
) -> Verdict:
    return Verdict(
        record=Record(result, name=delivery.name),
        delivery=delivery,
        course=bundle.course,
        assignment=assignment,
        settings=bundle.settings,
        seconds=time.monotonic() - started,
        complete=complete,
    )


def _read(delivery: Delivery, assignment: Assignment) -> Submission:
    """Read what was handed in; an empty folder is a problem of the submission, and no error."""
    try:
        found = intake.read_one(delivery.folder, assignment)
    except IntakeError as error:
        found = Submission("submission", delivery.folder, problem=f"{error.found}.")
    if found.open:  # nobody is there to decide, but a student can hand in again
        asked = [
            f"{file} could be {' or '.join(map(line, paths))}. Hand in again with one of them, called {file}."
            for file, paths in found.open.items()
        ]
        found = replace(found, problem=" ".join(asked), open={}, undecided=())
    return replace(found, student=delivery.student or found.student, name=delivery.name)


def _read_manifest(path: Path) -> Manifest:
    remedy = _AGAIN
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ConfigError(str(path), "there is no such file", "name the folder of a bundle") from None
    except NotADirectoryError:
        raise ConfigError(str(path.parent), "is no folder", "name that of an unpacked bundle") from None
    except (OSError, ValidationError):
        raise ConfigError(str(path), _DAMAGED, remedy) from None
    if manifest.kit != autograder.__version__:
        found = f"was made by version {manifest.kit} of the kit, and this is {autograder.__version__}"
        raise ConfigError(str(path), found, remedy)
    return manifest


def _require_whole(folder: Path, manifest: Manifest) -> None:
    """Check that every file of the course is as it was packed.

    Without the key, the kit would make another secret, and with it other grades; a test file that has lost
    its end passes everybody. Raises ConfigError.
    """
    for path, digest in manifest.files.items():
        try:
            content = (folder / path).read_bytes()
        except OSError as error:
            found = f"cannot be read ({error.strerror})"
            raise ConfigError(str(folder / path), found, _AGAIN) from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise ConfigError(str(folder / path), "is not what the bundle was made with", _AGAIN)
    if f"{COURSE}/.coursegrad/{bundle_key.FILE}" not in manifest.files:
        raise ConfigError(str(folder / MANIFEST), _DAMAGED, _AGAIN)
