"""Zip archives that depend only on their content."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Container, Mapping

EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first moment that the format can express."""


def pack(files: Mapping[str, bytes], *, compressed: bool = True, executable: Container[str] = ()) -> bytes:
    """Return a zip archive of ``files``: in order of their paths, without times, readable by everyone.

    Parameters
    ----------
    compressed : bool
        Whether to compress them. Compressors differ, so only without are the bytes the same everywhere.
    executable : container of str
        Paths of the files that can be run.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, EARLIEST)
            entry.create_system = 3  # Unix, so that the mode is read
            entry.external_attr = (stat.S_IFREG | (0o755 if path in executable else 0o644)) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
            archive.writestr(entry, files[path], compresslevel=9 if compressed else None)
    return buffer.getvalue()
