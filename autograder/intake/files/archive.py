"""Archives that others control: recognized by their first bytes, read into memory, never unpacked to disk."""

from __future__ import annotations

import os
import re
import stat
import zipfile
from pathlib import Path

from autograder.intake.files import packed, snapshot, zips
from autograder.intake.files.members import Member, normalize_path, shorten_path
from autograder.intake.files.snapshot import Unreadable

MAX_ARCHIVE_BYTES = 100_000_000
"""Limit of an archive that a student hands in; a virtual environment in it may take most of that."""
MAX_CLASS_BYTES, MAX_CLASS_ENTRIES = 8_000_000_000, 200_000
"""Limits of a whole class in one zip file."""
MAX_PACKED_CLASS_BYTES = 100_000_000
"""Limit of a whole class in an archive of another kind."""

_ENDING = re.compile(
    r"\.(zip|tar(\.(gz|bz2|xz|zst|z|lz|lzma))?|tgz|tbz2?|txz|7z|rar|gz|bz2|xz|zst|lz|lzma|z|zipx|cab|arj)",
    re.IGNORECASE,
)
_MAGIC = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"Rar!": "rar",
    b"\x28\xb5\x2f\xfd": "zst",
    b"MSCF": "cab",
}
_READ = frozenset({"7z", "gzip", "bzip2", "xz", "tar"})
FORMATS = "zip, tar, tar.gz, tar.bz2, tar.xz, 7z or gz"
"""What can be read, for messages."""


def find_ending(name: str) -> str:
    """Return the part of a name that makes it an archive's, or nothing.

    Examples
    --------
    >>> find_ending("work.TAR.gz"), find_ending("knn.py")
    ('.TAR.gz', '')
    """
    found = [match for match in _ENDING.finditer(name) if match.end() == len(name) and match.start()]
    return found[0][0] if found else ""


def is_archive(name: str) -> bool:
    """Tell whether a file of this name is taken for an archive."""
    return bool(find_ending(name))


def stem(name: str) -> str:
    """Return a name without the part that makes it an archive's."""
    return name[: len(name) - len(find_ending(name))]


def members(name: str, content: bytes) -> list[Member]:
    """Return the files in an archive, whatever its name says that it is.

    Raises
    ------
    Unreadable
        It is of a format that cannot be read, damaged, encrypted, too large, packed too tightly, or holds
        paths that lead out of it.
    """
    kind = _kind(content)
    if kind in _READ:
        return packed.members(content, kind, stem(name))
    if kind == "zip" or find_ending(name).casefold() == ".zip":
        return zips.members(content)
    known = kind or find_ending(name).rpartition(".")[2].casefold()
    found = f"a {known} file" if known in _KNOWN else f"not a {known} file"
    raise Unreadable(f"{shorten_path(name)} is {found} and cannot be read; use {FORMATS}.")


_KNOWN = frozenset({"rar", "zst", "cab", "lz", "lzma", "z", "zipx", "arj"})


def _kind(content: bytes) -> str:
    """Return what the first bytes say: a format's name, or nothing."""
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if content[257:262] == b"ustar":
        return "tar"
    return next((kind for magic, kind in _MAGIC.items() if content.startswith(magic)), "")


def content(member: Member, limit: int | None = None) -> bytes:
    """Return the bytes of a member that is an archive.

    Raises
    ------
    Unreadable
        It is not a regular file, or larger than `limit` or `MAX_ARCHIVE_BYTES`.
    """
    try:
        return member.read(MAX_ARCHIVE_BYTES if limit is None else min(limit, MAX_ARCHIVE_BYTES))
    except Unreadable as error:
        what = f"The {find_ending(member.name).strip('.').casefold()} file"
        raise Unreadable(str(error).replace(member.shown, what, 1)) from None


def read(member: Member) -> list[Member]:
    """Return the files in a member that is an archive; raises as `content` and `members` do."""
    return members(member.name, content(member))


def unpack(path: Path, target: Path) -> tuple[str, ...]:
    """Unpack the archive of a whole class, a platform's download, into an empty private folder.

    What is not a regular file, leads out of the folder, comes twice or is larger than any submission is left
    out; archives in it stay packed.

    Returns
    -------
    tuple of str
        Sentences about what was left out.

    Raises
    ------
    Unreadable
        The archive is damaged, or far larger than a class.
    """
    with path.open("rb") as file:
        kind = _kind(file.read(512))
    if kind in _READ:
        with snapshot.open_folder(path.parent.resolve()) as folder:
            content = snapshot.read_bytes(path.name, folder, MAX_PACKED_CLASS_BYTES, "The archive")
        found = packed.members(content, kind, stem(path.name))
        refused = [str(one.path) for one in found if not _write(one, target)]
    else:
        refused = _unpack_zip(path, target)
    return tuple(f"{shorten_path(name)} in the archive was left out." for name in refused)


def _unpack_zip(path: Path, target: Path) -> list[str]:
    """Unpack a zip file, which may be larger than memory; return the names of what was refused."""
    with zips.parse(path) as archive:
        listed = [info for info in archive.infolist() if not info.filename.endswith("/")]
        if len(listed) > MAX_CLASS_ENTRIES or sum(info.file_size for info in listed) > MAX_CLASS_BYTES:
            raise Unreadable("The zip file is larger than a class can be.")
        return [info.filename for info in listed if not _is_unpacked(archive, info, target)]


def _is_unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> bool:
    """Unpack one member of a zip file unless it is refused; tell whether it was unpacked."""

    def fetch(shown: str, limit: int) -> bytes:
        with archive.open(info) as member:
            return member.read(limit + 1)

    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return False
    try:
        path = normalize_path(info.filename, "zip file")
    except Unreadable:
        return False
    return _write(Member(path, fetch, zips.last_change(info)), target)


def _write(member: Member, target: Path) -> bool:
    """Write one file below a folder unless it is refused; tell whether it was written."""
    place = target / member.path
    try:
        content = member.read(MAX_ARCHIVE_BYTES)
        place.parent.mkdir(parents=True, exist_ok=True)
        if len(content) > MAX_ARCHIVE_BYTES:
            return False
        with place.open("xb") as file:
            file.write(content)
        os.utime(place, (member.modified, member.modified))
    except Exception:  # damaged, encrypted, twice, or a name that this file system does not know
        return False
    return True
