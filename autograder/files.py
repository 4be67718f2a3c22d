"""Private files that are either complete or absent, and a lock on their folder."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from autograder.errors import ConfigError

with contextlib.suppress(ImportError):  # Windows has no flock; there, nothing keeps two runs apart
    import fcntl

_DRAFT = ".draft-"
_LOCK = ".lock"


def write_private(path: Path, content: str | bytes, *, replace: bool = True) -> None:
    """Write a file that only its owner can read, in one step.

    The content goes to a draft in the same folder, is flushed to disk and then renamed, so that
    whoever reads ``path`` finds the old content or the new one, also after a crash. The package
    `atomicwrites` did the same, and is no longer maintained.

    Parameters
    ----------
    replace : bool
        Whether an existing file is replaced; otherwise it stays and nothing is written.

    Raises
    ------
    ConfigError
        The folder cannot be written to, or what lies at ``path`` is no file: renaming a draft to
        ``/dev/null`` would replace the device, where the user may write there.
    """
    refuse_special(path)
    data = content.encode("utf-8") if isinstance(content, str) else content
    draft = path.with_name(f"{_DRAFT}{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                draft.replace(path)
            else:
                with contextlib.suppress(FileExistsError):
                    os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from None


def refuse_special(path: Path) -> None:
    """Raise ConfigError if a device, a pipe or a socket lies at ``path``, which a file must not replace."""
    with contextlib.suppress(OSError):
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise ConfigError(str(path), "is not a file but a device, a pipe or a socket", "name a file")


def check_place(path: Path) -> None:
    """Raise ConfigError if nothing can be written at ``path``, before work is done that would be lost."""
    refuse_special(path)
    if not path.name:
        raise ConfigError(str(path), "is a folder that is there already", "name what is to be written in it")
    folder = next(place for place in path.absolute().parents if place.exists())
    if not folder.is_dir():
        raise _cannot_write(path, NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _cannot_write(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def private_folder(path: Path) -> Path:
    """Make ``path`` if it is missing, open to its owner only; raises ConfigError if that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _cannot_write(path, error) from None
    return path


@contextlib.contextmanager
def hold_lock(folder: Path) -> Iterator[None]:
    """Keep other runs from writing to ``folder`` meanwhile.

    The kernel gives the lock back when the process ends, however that happens.

    Raises
    ------
    ConfigError
        Another process holds the lock, or the folder cannot be written to.
    """
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _cannot_write(folder, error) from None
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def remove_drafts(folder: Path) -> None:
    """Remove what writers that were killed left behind; call it under the lock only."""
    for draft in folder.glob(f"{_DRAFT}*"):
        draft.unlink(missing_ok=True)


def _lock(descriptor: int, folder: Path) -> None:
    if "fcntl" not in globals():
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        remedy = "wait until it is done, or choose another folder"
        raise ConfigError(str(folder), "another command is writing to it", remedy) from None
    except OSError:  # some network file systems know no locks
        pass


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cannot_write(path: Path, error: OSError) -> ConfigError:
    reason = error.strerror or type(error).__name__
    return ConfigError(
        str(path),
        f"cannot be written ({reason})",
        "free some space or fix the permissions, or choose another folder",
    )
