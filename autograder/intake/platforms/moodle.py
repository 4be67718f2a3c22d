"""Moodle, *Download all submissions*: ``Ada Park_4711_assignsubmission_file/``, a folder or file per part.

Files and a text that was typed into the browser are parts of one hand-in; the text never replaces the files.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.intake.entries import Entry, modified

TITLE = "a Moodle download"
_PART = re.compile(
    r"(?P<name>.+)_(?P<user>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<original>.*))?", re.DOTALL
)


def is_one(name: str, is_folder: bool) -> bool:
    """Tell whether Moodle gave the name."""
    found = _PART.fullmatch(name)
    return found is not None and (is_folder or bool(found["original"]))


def entries(parts: Mapping[str, Path]) -> Iterator[Entry]:
    """Yield the hand-in of every student.

    Parameters
    ----------
    parts : mapping of str to Path
        The names that Moodle gave, to folders and files.
    """
    by_user: dict[tuple[str, str], dict[str, Path]] = defaultdict(dict)
    for name, path in parts.items():
        found = _PART.fullmatch(name)
        assert found is not None
        by_user[found["name"], found["user"]][name] = path
    for (name, user), listed in by_user.items():
        yield _entry(name, user, listed)


def _entry(name: str, user: str, listed: Mapping[str, Path]) -> Entry:
    folder: Path | None = None
    files: dict[str, Path] = {}
    others: dict[str, Path] = {}
    for full, path in listed.items():
        found = _PART.fullmatch(full)
        assert found is not None
        if found["kind"] != "file":
            others[found["kind"]] = path
        elif path.is_dir() and folder is None:
            folder = path
        else:
            files[found["original"] or path.name] = path
    if folder is None and not files:
        folder = next((path for path in others.values() if path.is_dir()), None)
        kind = next(iter(others))
        others = {key: path for key, path in others.items() if path != folder}
        if folder is None:
            files = {f"{kind}.html": others.pop(kind)}
    if folder is not None:
        others |= {f"file {number}": path for number, path in enumerate(files.values(), 1)}
        files = {}
    order = max(modified(path) for path in ([folder] if folder else list(files.values())))
    return Entry((user, name), folder, files, others, called=f"{name}_{user}", name=name, order=order)
