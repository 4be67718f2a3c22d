"""Make a bundle: check the suite on the reference, gather what grading needs, and pack it for a server."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograder import settings
from autograder.course import COURSE_FILE, Course, provenance
from autograder.course.assignment import Assignment
from autograder.engine.interface import OpenEngine, Sandbox
from autograder.errors import ConfigError
from autograder.exporters.servers import NAMES, budget, contents, suggest, tarballs
from autograder.exporters.servers.interface import Contents, Files, Server
from autograder.files import check_place, write_private
from autograder.grading import preflight
from helpers.submission import archives


def settings_of(course: Course, server: Server) -> Any:
    """Return what a course says about a server; raises ConfigError where a key or a table is wrong."""
    for name in course.servers:
        if name not in NAMES:
            found = f"unknown table `servers.{name}`"
            raise ConfigError(str(course.root / COURSE_FILE), found, suggest(name))
    known = course.servers.get(server.name, {})
    return settings.check(course.root / COURSE_FILE, known, server.settings, within=("servers", server.name))


def gather(
    course: Course,
    assignment: Assignment,
    server: Server,
    *,
    sandbox: Sandbox,
    open_engine: OpenEngine,
    stage: Callable[[str], None] = lambda doing: None,
) -> tuple[Contents, str]:
    """Return what a bundle holds, and what grading with it takes, in words.

    The reference has to pass the suite here, and the slowest right solution with the bundle.

    Raises
    ------
    ConfigError
        Something that the bundle needs is missing here, what `course.toml` says of the server is wrong, or
        the server has too little memory or time.
    SuiteError, SandboxError, EngineError
        The reference does not pass, or could not be graded.
    """
    chosen = settings_of(course, server)
    with open_engine(assignment, course, jobs=1, sandbox=sandbox) as engine:
        source = provenance.collect(course, assignment, engine.versions)
        preflight.require_sound(course, assignment, engine, source, stage=stage)
        plan = engine.plan
        stage("Grading the right solutions")
        who, slowest = budget.find_slowest(assignment, engine)
    found = contents.collect(course, assignment, server, chosen, plan)
    stage(f"Measuring {who}")
    return found, budget.require_room(found, server, budget.measure(found, who, slowest))


def archive(files: Files, kind: str) -> bytes:
    """Return files as one archive, which depends on nothing but them.

    Parameters
    ----------
    kind : {".zip", ".tar"}
        What the archive is.
    """
    if kind == ".zip":
        runnable = {path for path, file in files.items() if file.executable}
        return archives.pack({path: file.content for path, file in files.items()}, executable=runnable)
    return tarballs.pack(files)


def require_place(output: Path, server: Server) -> None:
    """Raise ConfigError where a bundle cannot be written, or a folder is in the place of a file."""
    check_place(output)
    if server.archive and output.is_dir():
        raise ConfigError(str(output), "is a folder", f"name a file that ends with {server.archive}")
    if not server.archive and output.is_file():
        raise ConfigError(str(output), "is a file", "name a folder")


def write(files: Files, server: Server, output: Path) -> None:
    """Write a bundle, which only its owner can read: the hidden tests are in it.

    Raises
    ------
    ConfigError
        It cannot be written, or a folder of other files is in the way.
    """
    if server.archive:
        with contextlib.suppress(OSError):
            output.parent.mkdir(parents=True, exist_ok=True)
        write_private(output, archive(files, server.archive))
        return
    known = {Path(path) for path in files}
    for path in output.rglob("*"):
        if path.is_file() and path.relative_to(output) not in known:
            remedy = "remove it, or choose another folder with --output"
            raise ConfigError(str(path), "is in the way of the bundle", remedy)
    is_new = not output.exists()
    try:
        _write_folder(files, output)
    except ConfigError:
        if is_new:  # half a bundle looks like a whole one
            shutil.rmtree(output, ignore_errors=True)
        raise


def _write_folder(files: Files, output: Path) -> None:
    for name, file in files.items():
        target = output / name
        with contextlib.suppress(OSError):
            target.parent.mkdir(parents=True, exist_ok=True)
        write_private(target, file.content)
        if file.executable:
            os.chmod(target, 0o700)  # noqa: PTH101, as elsewhere
