"""What students get of an assignment: notebook, stub modules, public tests, and what checks are worth."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autograder.course import Course
from autograder.course.assignment import SHARED_PACKAGE, Assignment
from autograder.errors import ReleaseError
from autograder.release import index, notebook, questions
from autograder.release.notebook import NotebookPair
from autograder.release.stripper import stub_module
from autograder.scoring import DECIMALS, PlannedTest, share

PUBLIC_TESTS = "test_public.py"
CHECKS_FILE = "checks.json"
CHECKS_FORMAT = 2


@dataclass(frozen=True)
class BuiltHandout:
    """The released files of an assignment.

    Attributes
    ----------
    assignment : Assignment
        What it is of.
    files : dict
        Path below the assignment's folder to content.
    notebook : NotebookPair
        The notebook in both forms.
    """

    assignment: Assignment
    files: dict[str, bytes]
    notebook: NotebookPair

    @property
    def name(self) -> str:
        """The name of the assignment."""
        return self.assignment.name


def build(
    course: Course, assignment: Assignment, plan: Sequence[PlannedTest], tag: str | None = None
) -> BuiltHandout:
    """Make the files that students get.

    Parameters
    ----------
    plan : sequence of PlannedTest
        The whole suite as the grader collects it, so that points are those of the grader.
    tag : str, optional
        Of the release; that of the course unless it is given.

    Raises
    ------
    ReleaseError
        The notebook is missing or asks other questions than the settings state, a solution region is
        malformed, or the public tests need what students do not have.
    """
    book = read_notebook(course, assignment, tag)
    path = assignment.folder / f"{assignment.name}.md"
    questions.require_agreement(assignment, book, relative_path(course, path))
    stubs = {f"{module}.py": stub(assignment, module) for module in assignment.modules}
    public = _public_tests(assignment)
    checks = checklist(course, assignment, plan, stubs) | {
        "tag": tag or course.release.tag,
        "functions": index.functions(stubs, public.decode(), plan),
        "cells": index.cells(book.release),
    }
    files = {
        f"{assignment.name}.ipynb": notebook.dumps(book.release),
        PUBLIC_TESTS: public,
        CHECKS_FILE: dumps(checks),
    }
    return BuiltHandout(assignment, files | stubs, book)


def released_tag(folder: Path) -> str | None:
    """Return the tag under which a folder of released files was made; None if it does not tell."""
    try:
        tag = json.loads((folder / CHECKS_FILE).read_text(encoding="utf-8"))["tag"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return tag if isinstance(tag, str) else None


def read_notebook(course: Course, assignment: Assignment, tag: str | None = None) -> NotebookPair:
    """Build an assignment's notebook in both forms; raises ReleaseError as `notebook.build` does."""
    path = assignment.folder / f"{assignment.name}.md"
    values = {
        "repository": course.release.repository,
        "tag": tag or course.release.tag,
        "course": course.name,
        "assignment": assignment.name,
        **{name: _text(value) for name, value in assignment.conventions.items()},
    }
    return notebook.build(read_text(path), relative_path(course, path), assignment.name, values)


def dumps(checks: Mapping[str, Any]) -> bytes:
    """Return ``checks.json`` as it is written."""
    return (json.dumps(checks, indent=1, ensure_ascii=False) + "\n").encode()


def checklist(
    course: Course, assignment: Assignment, plan: Sequence[PlannedTest], stubs: Mapping[str, bytes]
) -> dict[str, Any]:
    """Return what notebooks need to know: tasks, public tests, stubs, and what grades."""
    points = share(plan, assignment)
    return {
        "format": CHECKS_FORMAT,
        "name": assignment.name,
        "title": assignment.title,
        "repository": course.release.repository,
        "modules": list(assignment.modules),
        "weights": list(assignment.weights),
        "tasks": [
            {
                "id": task.id,
                "title": f"{task.title} (extra credit)" if task.extra else task.title,
                "points": _number(task.points),
            }
            for task in assignment.tasks
        ],
        "tests": [
            {
                "id": test.id,
                "title": test.title,
                "task": test.task,
                "points": _number(points[test.id]),
                "kind": test.kind,
            }
            for test in plan
            if test.tier == "public"
        ],
        "stubs": {name: hashlib.sha256(content).hexdigest() for name, content in stubs.items()},
        "released": {name: content.decode() for name, content in stubs.items()},
        "packages": list(course.importable),
        **({"imports": dict(course.imports)} if course.imports else {}),
        **({"conventions": dict(assignment.conventions)} if assignment.conventions else {}),
        "grader": {"python": "{}.{}".format(*sys.version_info), "torch": version("torch").partition("+")[0]},
        "limits": {"cpu_seconds": assignment.limits.cpu_seconds, "memory_mb": assignment.limits.memory_mb},
    }


def read_text(path: Path) -> str:
    """Read a file of the course; raises ReleaseError if it is missing or not text."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ReleaseError(
            str(path), "there is no such file", "write it; students get it or a part"
        ) from None
    except (OSError, UnicodeDecodeError):
        raise ReleaseError(str(path), "cannot be read as UTF-8 text", "save it as UTF-8") from None


def relative_path(course: Course, path: Path) -> str:
    """Return a path as messages show it: below the course's folder."""
    return path.relative_to(course.root).as_posix() if path.is_relative_to(course.root) else str(path)


def stubs(assignment: Assignment) -> dict[str, bytes]:
    """Return what students get of each module, by file; without those of which no stub can be made."""
    found = {}
    for module in assignment.modules:
        with contextlib.suppress(ReleaseError):
            found[f"{module}.py"] = stub(assignment, module)
    return found


def stub(assignment: Assignment, module: str) -> bytes:
    """Return what students get of a module; raises ReleaseError if it cannot be made."""
    path = assignment.folder / f"{module}.py"
    return stub_module(read_text(path), f"solutions/{assignment.name}/{path.name}", module).encode()


def _public_tests(assignment: Assignment) -> bytes:
    """Return the public tests as they are."""
    where = f"{assignment.suite}/{PUBLIC_TESTS}"
    public = [name for name, tier in assignment.tiers.items() if tier == "public"]
    if public != [PUBLIC_TESTS]:
        remedy = f"expected the public tests in one file, {PUBLIC_TESTS}"
        raise ReleaseError(str(assignment.file), f"public tests in {', '.join(public) or 'no file'}", remedy)
    text = read_text(assignment.suite / PUBLIC_TESTS)
    for node in ast.walk(ast.parse(text)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for package in {name.partition(".")[0] for name in names} & {"autograder", SHARED_PACKAGE}:
            line = getattr(node, "lineno", 1)
            remedy = "import from `helpers` instead, or make it a hidden test"
            raise ReleaseError(f"{where}:{line}", f"imports {package}, which students do not have", remedy)
    return text.encode()


def _text(value: float | int | bool | str) -> str:
    """Return a convention as prose writes it: 1 for 1.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(points: Fraction) -> int | float:
    return int(points) if points.denominator == 1 else float(round(points, DECIMALS))
