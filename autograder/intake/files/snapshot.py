"""Read files that others control: no links, no devices, no surprises in size, and each byte only once."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from helpers.submission.sizes import WEIGHTS, size_limit

MAX_ENTRIES = 20_000
"""Entries of a folder, and of a whole hand-in, that are looked at."""
CLUTTER = frozenset(
    {
        *("__pycache__", "__MACOSX", "Thumbs.db", "desktop.ini", "$RECYCLE.BIN"),
        *("venv", "site-packages", "node_modules"),
    }
)
"""What operating systems, editors and tools leave behind; ignored without a note, as dot files are."""


class Unreadable(Exception):
    """A file or folder that is not taken; the message is a sentence for the student."""


@contextmanager
def open_folder(path: Path | str, within: int | None = None) -> Iterator[int]:
    """Open a folder without following a link, and give its descriptor.

    Parameters
    ----------
    within : int, optional
        Descriptor of the folder that ``path`` is relative to.

    Raises
    ------
    Unreadable
        It is a link, not a folder, or not readable.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, dir_fd=within)
    except OSError as error:
        if _is_link(path, within):
            raise Unreadable("The folder is a link; hand in the folder that it points to.") from None
        raise Unreadable(f"The folder cannot be read ({error.strerror}).") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_link(path: Path | str, within: int | None) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(path, dir_fd=within).st_mode)
    except OSError:
        return False


def entries(folder: int) -> dict[str, bool]:
    """Return the names in an open folder, in order, and whether each is itself a folder (a link is not)."""
    with os.scandir(folder) as found:
        listed = {entry.name: entry.is_dir(follow_symlinks=False) for entry in islice(found, MAX_ENTRIES)}
    return dict(sorted(listed.items()))


def read_file(name: str, within: int, shown: str | None = None) -> bytes:
    """Return the bytes of a module or of weights in an open folder; messages call it `shown`.

    Raises
    ------
    Unreadable
        It is not a regular file, not readable, too large, or a module that is not UTF-8.
    """
    shown = shown or name
    return check_content(shown, read_bytes(name, within, size_limit(shown), shown))


def read_bytes(name: str, within: int, limit: int, shown: str) -> bytes:
    """Return the bytes of a file in an open folder; messages call it `shown`.

    Raises
    ------
    Unreadable
        It is not a regular file, not readable, or larger than `limit` bytes.
    """
    try:
        # Asked first, because opening a device or a pipe can have effects of its own.
        mode = os.lstat(name, dir_fd=within).st_mode
        content = _read_regular(name, within, limit) if stat.S_ISREG(mode) else None
    except OSError as error:
        raise Unreadable(f"{shown} cannot be read ({error.strerror}).") from None
    if content is None:
        raise irregular_error(shown, is_link=stat.S_ISLNK(mode))
    _require_size(shown, content, limit)
    return content


def irregular_error(shown: str, *, is_link: bool) -> Unreadable:
    """Return the refusal of a link, a device or the like, with what to hand in instead.

    Examples
    --------
    >>> str(irregular_error("knn.py", is_link=True))
    'knn.py is a link, not a file; hand in the file that it points to.'
    """
    if is_link:
        return Unreadable(f"{shown} is a link, not a file; hand in the file that it points to.")
    return Unreadable(f"{shown} is a folder, a device or a pipe, not a file; hand in an ordinary file.")


def check_content(name: str, content: bytes) -> bytes:
    """Return a file's content if it is not too large and, unless it is weights, UTF-8."""
    _require_size(name, content, size_limit(name))
    if name.endswith(WEIGHTS):
        return content
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{name} is not UTF-8 text (byte {error.start + 1}); save it as UTF-8.") from None
    return content


def is_clutter(name: str) -> bool:
    """Tell whether operating systems, editors and tools leave files or folders of this name behind."""
    return name.startswith((".", "~$")) or name in CLUTTER


def _require_size(shown: str, content: bytes, limit: int) -> None:
    if len(content) > limit:
        raise Unreadable(f"{shown} is larger than {limit // 1_000_000} MB.")


def _read_regular(name: str, within: int, limit: int) -> bytes | None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(name, flags, dir_fd=within)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read(limit + 1)
