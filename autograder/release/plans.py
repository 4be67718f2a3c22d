"""The plans of suites, kept beside the secret for as long as what they depend on stays the same."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autograder import files
from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.scoring import PlannedTest

_FORMAT = 1
_COLLECTED_BY = ("numpy", "pytest", "torch")
"""Packages whose version may change what is collected."""
APART = {"suites", "release", "reports", "intake", "platforms"}
"""Parts of the kit that have no say in a plan; of the suites, only the assignment's own has."""


class SuitePlans:
    """Plans that were collected before.

    Parameters
    ----------
    course : Course
        Whose ``.coursegrad/plans.json`` to read and write.
    """

    def __init__(self, course: Course) -> None:
        self._file = course.secret_file.with_name("plans.json")
        self._course = course
        self._kit = _kit_digest()
        self._kept = self._read()

    def get(self, assignment: Assignment) -> Sequence[PlannedTest] | None:
        """Return the plan of a suite, or None if it was not collected since something changed."""
        kept = self._kept.get(assignment.name)
        if kept is None or kept["inputs"] != self._inputs(assignment):
            return None
        return tuple(PlannedTest(**test | {"weight": Fraction(test["weight"])}) for test in kept["tests"])

    def put(self, collected: Mapping[str, Sequence[PlannedTest]], assignments: Iterable[Assignment]) -> None:
        """Keep plans that were just collected."""
        for one in assignments:
            tests = [vars(test) | {"weight": str(test.weight)} for test in collected[one.name]]
            self._kept[one.name] = {"inputs": self._inputs(one), "tests": tests}
        files.private_folder(self._file.parent)
        files.write_private(self._file, json.dumps({"format": _FORMAT, "plans": self._kept}, indent=1))

    def _read(self) -> dict[str, Any]:
        try:
            plain = json.loads(self._file.read_text(encoding="utf-8"))
            return dict(plain["plans"]) if plain["format"] == _FORMAT else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def _inputs(self, assignment: Assignment) -> str:
        """Return a digest of everything that a plan depends on."""
        secret = self._course.secret() if self._course.secret_file.exists() else b""
        digest = hashlib.sha256(self._kit + hashlib.sha256(secret).digest())
        for folder in (assignment.folder, assignment.suite):
            _add(digest, folder, "*")
        return digest.hexdigest()


def _kit_digest() -> bytes:
    """Return a digest of the code that collects suites, and of what it runs on."""
    digest = hashlib.sha256(sys.version.encode())
    for package in _COLLECTED_BY:
        digest.update(version(package).encode())
    for package in ("autograder", "helpers"):
        spec = find_spec(package)
        for place in spec.submodule_search_locations or () if spec is not None else ():
            _add(digest, Path(place), "*.py", skipped=APART)
    return digest.digest()


def _add(digest: Any, folder: Path, pattern: str, skipped: Collection[str] = ()) -> None:
    """Add names and contents of the files below a folder to a digest."""
    for path in sorted(folder.rglob(pattern)):
        inside = path.relative_to(folder)
        if path.is_file() and "__pycache__" not in inside.parts and inside.parts[0] not in skipped:
            content = path.read_bytes()
            digest.update(f"{inside.as_posix()}\0{len(content)}\0".encode() + content)
