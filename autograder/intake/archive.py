"""Archives that others control: recognised by their first bytes, read into memory, never unpacked to disk."""

from __future__ import annotations

import re
import stat
import zipfile
from pathlib import Path, PurePosixPath

from autograder.intake import packed, zips
from autograder.intake.members import Member, shown
from autograder.intake.snapshot import Unreadable

MAX_ARCHIVE_BYTES = 20_000_000
MAX_CLASS_BYTES, MAX_CLASS_ENTRIES = 8_000_000_000, 200_000
"""Limits of a whole class in one zip file."""

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


def ending(name: str) -> str:
    """Return the part of a name that makes it an archive's, or nothing.

    Examples
    --------
    >>> ending("work.TAR.gz"), ending("knn.py")
    ('.TAR.gz', '')
    """
    found = [match for match in _ENDING.finditer(name) if match.end() == len(name) and match.start()]
    return found[0][0] if found else ""


def is_archive(name: str) -> bool:
    """Tell whether a file of this name is taken for an archive."""
    return bool(ending(name))


def stem(name: str) -> str:
    """Return a name without the part that makes it an archive's."""
    return name[: len(name) - len(ending(name))]


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
    if kind == "zip" or ending(name).casefold() == ".zip":
        return zips.members(content)
    known = kind or ending(name).rpartition(".")[2].casefold()
    found = f"a {known} file" if known in _KNOWN else f"no {known} file"
    raise Unreadable(f"{shown(name)} is {found} and cannot be read; use {FORMATS}.")


_KNOWN = frozenset({"rar", "zst", "cab", "lz", "lzma", "z", "zipx", "arj"})


def _kind(content: bytes) -> str:
    """Return what the first bytes say: a format's name, or nothing."""
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if content[257:262] == b"ustar":
        return "tar"
    return next((kind for magic, kind in _MAGIC.items() if content.startswith(magic)), "")


def read(member: Member) -> list[Member]:
    """Return the files in a member that is an archive; raises as `members` does."""
    try:
        content = member.read(MAX_ARCHIVE_BYTES)
    except Unreadable as error:
        what = f"The {ending(member.name).strip('.').casefold()} file"
        raise Unreadable(str(error).replace(member.shown, what, 1)) from None
    return members(member.name, content)


def unpack(path: Path, target: Path) -> tuple[str, ...]:
    """Unpack the zip file of a whole class, a platform's download, into an empty private folder.

    What is not a regular file, leads out of the folder, comes twice or is larger than any submission is left
    out; archives in it stay packed.

    Returns
    -------
    tuple of str
        Sentences about what was left out.

    Raises
    ------
    Unreadable
        The zip file is damaged, or far larger than a class.
    """
    with zips.parsed(path) as archive:
        members = [info for info in archive.infolist() if not info.filename.endswith("/")]
        if len(members) > MAX_CLASS_ENTRIES or sum(i.file_size for i in members) > MAX_CLASS_BYTES:
            raise Unreadable("The zip file is larger than a class can be.")
        refused = [info.filename for info in members if not _unpack_one(archive, info, target)]
    return tuple(f"{shown(name)} in the zip file was left out." for name in refused)


def _unpack_one(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> bool:
    """Unpack one member unless it is refused; tell whether it was unpacked."""
    inside = PurePosixPath(info.filename.replace("\\", "/"))
    mode = info.external_attr >> 16
    if inside.is_absolute() or ".." in inside.parts or stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return False
    try:
        with archive.open(info) as member:
            content = member.read(MAX_ARCHIVE_BYTES + 1)
        place = target / inside
        place.parent.mkdir(parents=True, exist_ok=True)
        if len(content) <= MAX_ARCHIVE_BYTES:
            with place.open("xb") as file:
                file.write(content)
            return True
    except Exception:  # damaged, encrypted, twice, or a name that this file system does not know
        pass
    return False
