"""List the files of a folder that others control, without following links and within limits."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from autograder.intake.files import snapshot
from autograder.intake.files.members import Fetch, Member
from autograder.intake.files.snapshot import MAX_ENTRIES, Unreadable

MAX_DEPTH = 40
_HERE = PurePosixPath(".")


def members(root: Path) -> list[Member]:
    """Return the files in a folder and below it, those at the top first.

    What is not a regular file is listed and refuses to be read. Folders that nobody hands in on purpose, such
    as ``__pycache__``, are not entered, and neither is any folder more than `MAX_DEPTH` deep.

    Raises
    ------
    Unreadable
        The folder is a link or cannot be read.
    """
    found: list[Member] = []
    waiting = deque([_HERE])
    while waiting and len(found) < MAX_ENTRIES:
        place = waiting.popleft()
        try:
            listed = _list(root, place)
        except Unreadable:
            if place == _HERE:
                raise
            continue  # a folder below that nobody may enter
        for name, (is_folder, modified) in listed.items():
            path = place / name
            if not is_folder:
                found.append(Member(path, _reader(root, path), modified))
            elif len(path.parts) <= MAX_DEPTH and not snapshot.is_clutter(name):
                waiting.append(path)
    return found[:MAX_ENTRIES]


def file(path: Path, name: str) -> Member:
    """Return a file that lies anywhere, as a member of this name at the top of a hand-in."""
    try:
        modified = path.lstat().st_mtime
    except OSError:
        modified = 0.0
    return Member(PurePosixPath(name), _reader(path.parent.resolve(), PurePosixPath(path.name)), modified)


def _list(root: Path, place: PurePosixPath) -> dict[str, tuple[bool, float]]:
    """Return the entries of a folder: whether each is itself a folder (a link is not), and its time."""
    found = {}
    with _open(root, place) as folder, os.scandir(folder) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            found[entry.name] = (entry.is_dir(follow_symlinks=False), status.st_mtime)
            if len(found) >= MAX_ENTRIES:
                break
    return dict(sorted(found.items()))


def _reader(root: Path, path: PurePosixPath) -> Fetch:
    def fetch(shown: str, limit: int) -> bytes:
        with _open(root, path.parent) as folder:
            return snapshot.read_bytes(path.name, folder, limit, shown)

    return fetch


@contextmanager
def _open(root: Path, place: PurePosixPath) -> Iterator[int]:
    """Open a folder below another one, step by step, so that no step follows a link."""
    with snapshot.open_folder(root) as start:
        current = os.dup(start)
        try:
            for part in place.parts:
                with snapshot.open_folder(part, current) as following:
                    os.close(current)
                    current = os.dup(following)
            yield current
        finally:
            os.close(current)
