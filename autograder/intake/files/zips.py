"""List the files of a zip file that others control; they are read in memory, never unpacked to disk."""

from __future__ import annotations

import stat
import zipfile
from collections import Counter
from datetime import datetime
from io import BytesIO
from pathlib import Path

from autograder.intake.files.members import Fetch, Member, normalize_path
from autograder.intake.files.snapshot import Unreadable, irregular_error
from helpers.submission.sizes import WEIGHTS

MAX_ARCHIVE_ENTRIES = 50_000
"""Entries of an archive; a virtual environment with PyTorch has about 20,000."""
MAX_RATIO = 100
"""How many times larger than its packed form a file may be; source code reaches about 10."""
RATIO_FROM = 50_000
"""Bytes below which a file may be packed as tightly as it likes."""

_CENTRAL = b"PK\x01\x02"
"""What every entry of a zip's directory begins with."""
_ENCRYPTED = 0x1


def members(content: bytes) -> list[Member]:
    """Return the files in a zip file.

    A file that is encrypted, not regular, there twice or packed in an unusual way refuses to be read; the
    others are unaffected.

    Raises
    ------
    Unreadable
        The zip file is damaged, holds more entries than anyone hands in, or a path that leads out of it.
    """
    # Before the directory is parsed: a million empty entries fit into a few megabytes.
    if content.count(_CENTRAL) > MAX_ARCHIVE_ENTRIES:
        raise Unreadable(f"The zip file holds more than {MAX_ARCHIVE_ENTRIES} files.")
    archive = parse(BytesIO(content))
    listed = [
        (normalize_path(info.filename, "zip file"), info)
        for info in archive.infolist()
        if not info.filename.endswith(("/", "\\"))
    ]
    times = Counter(path for path, _ in listed)
    return [
        Member(path, _reader(archive, info, times[path] > 1), last_change(info))
        for path, info in dict(listed).items()
    ]


def parse(source: Path | BytesIO) -> zipfile.ZipFile:
    """Return a zip file whose directory was read; raises Unreadable if it is damaged."""
    try:
        return zipfile.ZipFile(source)
    except Exception:  # a malformed zip makes the parser raise what it likes
        raise Unreadable("The file is damaged, or is not a zip file.") from None


def last_change(info: zipfile.ZipInfo) -> float:
    """Return when a member was changed, in seconds since 1970; 0 where its date is none."""
    try:
        return datetime(*info.date_time).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


def _reader(archive: zipfile.ZipFile, info: zipfile.ZipInfo, is_twice: bool) -> Fetch:
    def fetch(shown: str, limit: int) -> bytes:
        if is_twice:
            raise Unreadable(f"The zip file holds {shown} twice; pack the files again.")
        return _content(archive, info, shown, limit)

    return fetch


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, shown: str, limit: int) -> bytes:
    """Return the content of one member, whatever its header claims."""
    if info.flag_bits & _ENCRYPTED:
        raise Unreadable(f"{shown} is encrypted; pack the files without a password.")
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise irregular_error(shown, is_link=stat.S_ISLNK(mode))
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable(f"{shown} is packed in an unusual way; pack the files as a plain zip.")
    try:
        with archive.open(info) as member:
            content = member.read(limit + 1)
    except Exception:  # a wrong checksum, a lying header, a broken stream
        raise Unreadable(f"{shown} is damaged; pack the files again.") from None
    if len(content) > max(RATIO_FROM, MAX_RATIO * info.compress_size):
        kind = "weights" if shown.endswith(WEIGHTS) else "source code"
        raise Unreadable(f"{shown} is packed too tightly to be {kind}.")
    if len(content) > limit:
        raise Unreadable(f"{shown} is larger than {limit // 1_000_000} MB.")
    return content
