"""The conditions under which a regrade gives the same result: versions, limits, machine, suite hash."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path

import autograder
from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.graded.results import Provenance


def collect(course: Course, assignment: Assignment, versions: Mapping[str, str]) -> Provenance:
    """Describe how ``assignment`` is graded here and now.

    Parameters
    ----------
    versions : mapping of str to str
        Versions of ``python``, ``torch`` and ``numpy`` in the process that runs the tests.
    """
    return Provenance(
        kit=autograder.__version__,
        suite=course.bundle.suite if course.bundle is not None else suite_hash(assignment),
        python=versions["python"],
        torch=versions["torch"],
        numpy=versions["numpy"],
        machine=machine(),
        secret=course.secret_id(),
        limits=dataclasses.asdict(assignment.limits),
        packages=sorted(course.importable),
        imports=dict(course.imports),
    )


def suite_hash(assignment: Assignment) -> str:
    """Return the SHA-256 over names and contents of the suite, the reference and the assignment file."""
    digest = hashlib.sha256()
    for name, path in sorted(_sources(assignment)):
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def machine(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the type of the processor, as exactly as the system tells."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "model name" and value.strip():
            return value.strip()
    return platform.processor() or platform.machine()


def _sources(assignment: Assignment) -> Iterator[tuple[str, Path]]:
    yield "assignment", assignment.file
    for module in assignment.modules:
        yield f"solutions/{module}.py", assignment.folder / f"{module}.py"
    for name in assignment.weights:
        yield f"solutions/{name}", assignment.folder / name
    for path in (*assignment.suite.rglob("*.py"), *assignment.suite.rglob("*.toml")):
        yield f"suite/{path.relative_to(assignment.suite).as_posix()}", path
