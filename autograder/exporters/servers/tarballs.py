"""Tar archives that depend only on their content."""

from __future__ import annotations

import io
import tarfile
from pathlib import PurePosixPath

from autograder.exporters.servers.interface import Files


def pack(files: Files) -> bytes:
    """Return a tar archive of files, each folder before what is in it.

    Some readers take no file whose folder has not been announced, so every folder has an entry.
    """
    buffer = io.BytesIO()
    announced: set[PurePosixPath] = set()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, file in sorted(files.items()):
            for folder in reversed(PurePosixPath(path).parents[:-1]):
                if folder not in announced:
                    announced.add(folder)
                    tar.addfile(_entry(str(folder), 0o755, tarfile.DIRTYPE))
            entry = _entry(path, 0o755 if file.executable else 0o644, tarfile.REGTYPE)
            entry.size = len(file.content)
            tar.addfile(entry, io.BytesIO(file.content))
    return buffer.getvalue()


def _entry(path: str, mode: int, kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.mode, entry.type = mode, kind
    return entry
