"""A folder that lasts as long as a run; if the run is killed, the next one removes it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

with contextlib.suppress(ImportError):  # Windows: the package must still import there
    import fcntl

PREFIX: Final = "coursegrad-"
MARK: Final = ".coursegrad-scratch"
"""A file in each such folder, locked by the owner and its children; a folder without it is none of ours."""


@contextlib.contextmanager
def scratch(mode: int = 0o700) -> Iterator[Path]:
    """Make a folder among the temporary ones, and remove it with all that is in it at the end of the block.

    Parameters
    ----------
    mode : int
        The folder's mode. Whatever others write into it is removed too.
    """
    sweep()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = _mark(folder)
    try:
        folder.chmod(mode)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep() -> None:
    """Remove the folders of runs that were killed, this user's only."""
    folders = []
    with contextlib.suppress(PermissionError), os.scandir(tempfile.gettempdir()) as entries:
        folders = [Path(entry) for entry in entries if entry.name.startswith(PREFIX) and _is_ours(entry)]
    for folder in folders:
        with contextlib.suppress(OSError):  # no mark, or its owner is at work
            _remove_stale(folder)


def _mark(folder: Path) -> int:
    """Return the descriptor of the mark; it appears under its name only when it is locked already."""
    lock = os.open(folder / "new", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)  # flock(2): held until the last process with this descriptor ends
    (folder / "new").rename(folder / MARK)
    return lock


def _is_ours(entry: os.DirEntry[str]) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return entry.is_dir(follow_symlinks=False) and (
            entry.stat(follow_symlinks=False).st_uid == os.geteuid()
        )
    return False


def _remove_stale(folder: Path) -> None:
    # A link is not followed, and a pipe that somebody else put there under this name keeps nobody waiting.
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    mark = os.open(folder / MARK, flags)
    try:
        if os.fstat(mark).st_uid == os.geteuid():  # others may write into some of these folders
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails at once where somebody holds it
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(mark)
