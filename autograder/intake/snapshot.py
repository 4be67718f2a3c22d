"""Read files that others control: no links, no devices, no surprises in size, and each byte only once."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

MAX_FILE_BYTES = 1_000_000
MAX_ENTRIES = 2_000
CLUTTER = frozenset({"__pycache__", "__MACOSX", "Thumbs.db"})
"""What operating systems and editors leave behind; ignored without a note, as dot files are."""


class Unreadable(Exception):
    """A file or folder that is not taken; the message is a sentence for the student."""


@contextmanager
def opened(path: Path | str, within: int | None = None) -> Iterator[int]:
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
        raise Unreadable(f"The folder is a link or cannot be read ({error.strerror}).") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def entries(folder: int) -> dict[str, bool]:
    """Return the names in an open folder, in order, and whether each is itself a folder (a link is not)."""
    with os.scandir(folder) as found:
        listed = {entry.name: entry.is_dir(follow_symlinks=False) for entry in islice(found, MAX_ENTRIES)}
    return dict(sorted(listed.items()))


def read_text(name: str, within: int) -> bytes:
    """Return the bytes of a UTF-8 text file in an open folder.

    Raises
    ------
    Unreadable
        It is not a regular file, not readable, not UTF-8, or larger than a megabyte.
    """
    return checked_text(name, read_bytes(name, within, MAX_FILE_BYTES, name))


def read_bytes(name: str, within: int, limit: int, shown: str) -> bytes:
    """Return the bytes of a file in an open folder; messages call it `shown`.

    Raises
    ------
    Unreadable
        It is not a regular file, not readable, or larger than `limit` bytes.
    """
    try:
        # Asked first, because opening a device or a pipe can have effects of its own.
        regular = stat.S_ISREG(os.lstat(name, dir_fd=within).st_mode)
        content = _read_regular(name, within, limit) if regular else None
    except OSError as error:
        raise Unreadable(f"{shown} cannot be read ({error.strerror}).") from None
    if content is None:
        raise Unreadable(f"{shown} is not a regular file.")
    _require_size(shown, content, limit)
    return content


def checked_text(name: str, content: bytes) -> bytes:
    """Return a file's content if it is UTF-8 text of at most a megabyte; raises as `read_text` does."""
    _require_size(name, content, MAX_FILE_BYTES)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{name} is not UTF-8 text (byte {error.start + 1}); save it as UTF-8.") from None
    return content


def is_clutter(name: str) -> bool:
    """Tell whether operating systems and editors leave files or folders of this name behind."""
    return name.startswith(".") or name in CLUTTER


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
