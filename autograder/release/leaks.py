"""The leak check: nothing that students get holds solutions, hidden tests, outputs or the secret."""

from __future__ import annotations

import base64
import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.errors import ReleaseError
from autograder.release import fingerprints, markers, parts
from autograder.release.parts import UnreadableError

FOLDERS = {
    "__pycache__": "compiled Python, which may hold solutions",
    ".ipynb_checkpoints": "copies of notebooks, outputs included",
    ".git": "a git repository with its own history",
    ".coursegrad": "the folder of the course secret",
    ".pytest_cache": "results of tests",
    "solutions": "a folder for instructors only",
    "suites": "a folder for instructors only",
    "graded": "a folder for instructors only",
}
COMPILED = (".pyc", ".pyo", ".pyd", ".so")


@dataclass(frozen=True)
class Leak:
    """Something that students must not get.

    Attributes
    ----------
    place : str
        File and, where there is one, line. ``!`` leads into an archive.
    says : str
        What was found there.
    """

    place: str
    says: str


class LeakError(ReleaseError):
    """A release, or what was published before, holds what students must not get."""

    def __init__(self, findings: tuple[Leak, ...]) -> None:
        first, more = findings[0], len(findings) - 1
        remedy = "fix the source that it comes from, or allow the lines with a reason under [[release.allow]]"
        others = f" (and {more} more)" if more else ""
        super().__init__(first.place, f"{first.says}{others}", remedy)
        self.findings = findings


class LeakCheck:
    """Looks for what must not leave a course.

    Parameters
    ----------
    course : Course
        Whose solutions, hidden tests and secret to look for.

    Raises
    ------
    ReleaseError
        A solution is malformed, or an allowance allows nothing.
    """

    def __init__(self, course: Course) -> None:
        self._fingerprints = fingerprints.Index(fingerprints.course_fingerprints(course))
        loaded = [assignments.load(course, name) for name in course.assignments()]
        self._hidden = {name for one in loaded for name, tier in one.tiers.items() if tier == "hidden"}
        self._folders = FOLDERS | {PurePosixPath(course.suites).name: FOLDERS["suites"]}
        self._shared = {f"{name}.py" for one in loaded for name in one.shared}
        self._secret = course.secret() if course.secret_file.exists() else b""
        self._seen: dict[bytes, tuple[Leak, ...]] = {}
        self._matched: dict[bytes, tuple[tuple[int, str], ...]] = {}

    def require_clean(self, files: Mapping[str, bytes] | Iterable[tuple[str, bytes]]) -> None:
        """Raise LeakError if anything in some files, given by path and content, must not be there."""
        pairs = files.items() if isinstance(files, Mapping) else files
        findings = tuple(finding for path, content in pairs for finding in self.file(path, content))
        if findings:
            raise LeakError(findings)

    def folder(self, folder: Path) -> tuple[Leak, ...]:
        """Return the findings in a folder on disk."""
        found: list[Leak] = []
        for path in sorted(folder.rglob("*")):
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                found.append(Leak(name, "a link or device, not a file"))
            elif path.is_file():
                found += self.file(name, path.read_bytes())
        return tuple(found)

    def file(self, path: str, content: bytes) -> tuple[Leak, ...]:
        """Return the findings in a file, by its path and content."""
        found = [Leak(path, says) for says in self._by_name(path)]
        if content not in self._seen:
            self._seen[content] = tuple(self._by_content(content))
        return (*found, *(Leak(path + one.place, one.says) for one in self._seen[content]))

    def _by_name(self, path: str) -> Iterator[str]:
        *folders, name = path.replace("!", "/").split("/")
        for folder in folders:
            if folder in self._folders:
                yield self._folders[folder]
        if name in self._hidden:
            yield "a file of hidden tests"
        if name in self._shared:
            yield "a file with the name of a module that hidden tests share"
        if name == assignments.ASSIGNMENT_FILE:
            yield "the settings of an assignment"
        if name.endswith(COMPILED):
            yield "a compiled file, which cannot be inspected"

    def _by_content(self, content: bytes) -> Iterator[Leak]:
        try:
            for place, blob in parts.walk("", content):
                if place:
                    yield from (Leak(place, says) for says in self._by_name(place))
                yield from _outputs(place, blob)
                yield from self._secrets(place, blob)
                if blob not in self._matched:  # the same file is in several archives
                    self._matched[blob] = tuple(self._matches(blob))
                yield from _group(place, self._matched[blob])
        except UnreadableError as error:
            yield Leak("", f"cannot be inspected: {error}")

    def _matches(self, blob: bytes) -> Iterator[tuple[int, str]]:
        """Yield lines of a file and what was found there."""
        known: set[str] = set()
        for text in parts.texts(blob):
            lines = [fingerprints.normalize_words(line)[1:] for line in text.split("\n")]
            joined = " " + "".join(line if line.strip() else "" for line in lines)
            ends = list(accumulate(len(line) if line.strip() else 0 for line in lines))
            for number, line in enumerate(text.split("\n"), 1):
                if markers.is_marker(line.strip()) and "marker" not in known:
                    known.add("marker")
                    yield number, "a solution marker"
            for fingerprint, position in self._fingerprints.find_in(joined):
                if fingerprint.words not in known:
                    known.add(fingerprint.words)
                    yield bisect_right(ends, position) + 1, f"{fingerprint.kind}, of {fingerprint.place}"

    def _secrets(self, place: str, blob: bytes) -> Iterator[Leak]:
        if not self._secret:
            return
        forms = [
            self._secret,
            base64.b64encode(self._secret)[:-2],
            base64.urlsafe_b64encode(self._secret)[:-2],
        ]
        if any(form in blob for form in forms) or self._secret.hex().encode() in blob.lower():
            yield Leak(place, "the course secret")


def _outputs(place: str, blob: bytes) -> Iterator[Leak]:
    """Yield what a run has left in a notebook."""
    if b'"cells"' not in blob:
        return
    try:
        plain: Any = json.loads(blob)
        cells = plain["cells"]
        for number, cell in enumerate(cells, 1):
            if cell.get("outputs") or cell.get("execution_count") is not None:
                yield Leak(f"{place}:{_line_of(blob, cell)}", f"cell {number} holds outputs")
        if "widgets" in plain.get("metadata", {}):
            yield Leak(place, "the notebook holds widget states")
    except (ValueError, KeyError, TypeError, AttributeError):
        return


def _line_of(blob: bytes, cell: Any) -> int:
    position = blob.find(json.dumps(cell.get("id")).encode())
    return blob.count(b"\n", 0, max(position, 0)) + 1


def _group(place: str, matches: Iterable[tuple[int, str]]) -> Iterator[Leak]:
    """Yield one finding for all matches of the same kind and source in a file, at the first line of them."""
    groups: dict[str, list[tuple[int, str]]] = {}
    for number, says in matches:
        groups.setdefault(says.rpartition(":")[0] or says, []).append((number, says))
    for group in groups.values():
        number, says = min(group)
        more = f", and {len(group) - 1} more runs of words from there" if len(group) > 1 else ""
        yield Leak(f"{place}:{number}", f"{says}{more}")
