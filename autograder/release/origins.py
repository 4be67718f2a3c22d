"""Which released files a release changes, and why."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autograder import files
from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.release import notebook
from autograder.release.handout import CHECKS_FILE, PUBLIC_TESTS
from autograder.release.tree import Tree

_FORMAT = 1
_SETTINGS = ("the course's name", "the repository", "the tag", "the set-up cell")
Origins = dict[str, str]
"""Origin, in words, to a digest of it."""


def find_origins(course: Course, assignment: Assignment) -> Origins:
    """Return everything that released files of an assignment are made of, each with a digest."""
    text = _content(assignment.folder / f"{assignment.name}.md")
    name = course.name if b"{{course}}" in text else ""
    found = {
        "the course's name": name.encode(),
        "the repository": course.release.repository.encode(),
        "the tag": course.release.tag.encode(),
        "the set-up cell": notebook.set_up_cell().encode(),
        "the packages": json.dumps(course.importable).encode(),
    }
    for folder, prefix in ((assignment.folder, "solutions"), (assignment.suite, course.suites)):
        for path in sorted(folder.glob("*.*")):
            found[f"{prefix}/{assignment.name}/{path.name}"] = _content(path)
    return {origin: hashlib.sha256(content).hexdigest() for origin, content in found.items()}


class Ledger:
    """What the last release on this machine was made of, in ``.coursegrad/causes.json``."""

    def __init__(self, course: Course) -> None:
        self._file = course.secret_file.with_name("causes.json")
        self._kept = self._read()

    def of(self, name: str) -> Origins | None:
        """Return the origins of an assignment's files, or None if it was not released here."""
        return self._kept.get(name)

    def put(self, now: Mapping[str, Origins]) -> None:
        """Keep the origins of what was just released."""
        self._kept |= now
        files.private_folder(self._file.parent)
        files.write_private(self._file, json.dumps({"format": _FORMAT, "causes": self._kept}, indent=1))

    def _read(self) -> dict[str, Origins]:
        try:
            plain: Any = json.loads(self._file.read_text(encoding="utf-8"))
            return dict(plain["causes"]) if plain["format"] == _FORMAT else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}


def describe_changes(course: Course, tree: Tree, ledger: Ledger, now: Mapping[str, Origins]) -> list[str]:
    """Return a line per kind of file and origin, such as "5 notebooks changed: the course's name"."""
    groups: dict[tuple[str, str], list[str]] = {}
    for path, content in tree.assignments.items():
        name, _, file = path.partition("/")
        if _content(course.root / "assignments" / path) == content:
            continue
        before = ledger.of(name)
        differ = [] if before is None else [c for c in now[name] if now[name][c] != before.get(c)]
        why = ", ".join(_relevant(file, differ)) if before is not None else ""
        if not (course.root / "assignments" / path).is_file():
            why = "new"
        groups.setdefault((_kind(file), why), []).append(path)
    return [_line(kind, why, paths) for (kind, why), paths in groups.items()]


def _relevant(file: str, differ: Iterable[str]) -> list[str]:
    """Return those of some origins that a file is made of; a file that none explains is made by the kit."""
    stem = file.rpartition(".")[0]
    if file.endswith(".ipynb"):
        found = [origin for origin in differ if origin in _SETTINGS or origin.endswith(f"/{stem}.md")]
    elif file == CHECKS_FILE:
        found = [origin for origin in differ if origin not in ("the course's name", "the set-up cell")]
    elif file == PUBLIC_TESTS:
        found = [origin for origin in differ if origin.endswith(f"/{PUBLIC_TESTS}")]
    else:
        found = [
            origin for origin in differ if origin.startswith("solutions/") and origin.endswith(f"/{file}")
        ]
    return found or ["the kit, Python or a package"]


def _kind(file: str) -> str:
    if file.endswith(".ipynb"):
        return "notebook"
    if file in (CHECKS_FILE, PUBLIC_TESTS):
        return {CHECKS_FILE: "list of checks", PUBLIC_TESTS: "file of public tests"}[file]
    return "stub"


def _line(kind: str, why: str, paths: list[str]) -> str:
    plural = {"list of checks": "lists of checks", "file of public tests": "files of public tests"}
    many = len(paths) > 1
    what = f"{len(paths)} {plural.get(kind, kind + 's') if many else kind}"
    names = f" ({paths[0]})" if not many else ""
    if why == "new":
        return f"{what} new{names}"
    return f"{what} changed{names}{f': {why}' if why else ''}"


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
