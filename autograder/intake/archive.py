"""Read zip files that others control: into memory, known names only, nothing is ever unpacked to disk."""

from __future__ import annotations

import stat
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

from autograder.intake import snapshot
from autograder.intake.snapshot import MAX_ENTRIES, Unreadable
from autograder.reports.untrusted import line

MAX_ARCHIVE_BYTES = 20_000_000
MAX_CLASS_BYTES, MAX_CLASS_ENTRIES = 8_000_000_000, 200_000
"""Limits of a whole class in one zip file."""
MAX_RATIO = 100
"""How many times larger than its packed form a file may be; source code reaches about 10."""
RATIO_FROM = 50_000
"""Bytes below which a file may be packed as tightly as it likes."""

_CENTRAL = b"PK\x01\x02"
"""What every entry of a zip's directory begins with."""
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class Packed:
    """What was read from a zip.

    Attributes
    ----------
    files : dict of str to bytes
        Wanted names that were there, to their content.
    inside : str
        Folder in the zip that they come from; ``"."`` for the top.
    others : tuple of str
        What else is in that folder.
    notes : tuple of str
        Sentences about weights that could not be read.
    """

    files: dict[str, bytes]
    inside: str
    others: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read(name: str, within: int, wanted: Sequence[str]) -> Packed:
    """Read files of known names from a zip, from its top or from the one folder in it that holds them.

    Parameters
    ----------
    name : str
        The zip's name in an open folder.
    within : int
        Descriptor of that folder.
    wanted : sequence of str
        Names of modules and weights to read.

    Raises
    ------
    Unreadable
        The zip is too large, damaged, encrypted, ambiguous, or has paths that lead out of it, or a file in it
        is not regular, too large, packed too tightly or not UTF-8.
    """
    with _opened(name, within) as archive:
        members = _members(archive)
        inside = _locate(members, wanted)
        here = {path.name: info for path, info in members.items() if str(path.parent) == inside}
        present = [member for member in wanted if member in here]
        files, notes = snapshot.taken(present, lambda member: _content(archive, here[member], member))
    others = tuple(sorted(here.keys() - set(present)))
    return Packed(files, inside, others, notes)


def unpack(path: Path, target: Path) -> tuple[str, ...]:
    """Unpack the zip file of a whole class, a platform's download, into an empty private folder.

    What is not a regular file, leads out of the folder, comes twice or is larger than any submission is left
    out; zip files in it stay packed.

    Returns
    -------
    tuple of str
        Sentences about what was left out.

    Raises
    ------
    Unreadable
        The zip file is damaged, or far larger than a class.
    """
    with _parsed(path) as archive:
        members = [info for info in archive.infolist() if not info.filename.endswith("/")]
        if len(members) > MAX_CLASS_ENTRIES or sum(i.file_size for i in members) > MAX_CLASS_BYTES:
            raise Unreadable("The zip file is larger than a class can be.")
        refused = [info.filename for info in members if not _unpack_one(archive, info, target)]
    return tuple(f"{line(name)} in the zip file was left out." for name in refused)


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


def names(name: str, within: int) -> set[str]:
    """Return the names of the files at the top of a zip and one folder below; raises as `read` does."""
    with _opened(name, within) as archive:
        return {path.name for path in _members(archive) if len(path.parts) <= 2}


def _opened(name: str, within: int) -> zipfile.ZipFile:
    content = snapshot.read_bytes(name, within, MAX_ARCHIVE_BYTES, "The zip file")
    # Before the directory is parsed: a million empty entries fit into a few megabytes.
    if content.count(_CENTRAL) > MAX_ENTRIES:
        raise Unreadable(f"The zip file holds more than {MAX_ENTRIES} files.")
    return _parsed(BytesIO(content))


def _parsed(source: Path | BytesIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except Exception:  # a malformed zip makes the parser raise what it likes
        raise Unreadable("The zip file is damaged, or is none.") from None


def _members(archive: zipfile.ZipFile) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """Return the files of a zip by path, none of them twice."""
    found: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        # Some programs of Windows separate folders by backslashes.
        text = info.filename.replace("\\", "/")
        path = PurePosixPath(text)
        if path.is_absolute() or ".." in path.parts or ":" in text or not path.parts:
            raise Unreadable("The zip file holds a path that leads out of it; pack the files anew.")
        if info.is_dir() or text.endswith("/"):
            continue
        if path in found:
            raise Unreadable(f"The zip file holds {path.name} twice; pack the files anew.")
        found[path] = info
    return found


def _locate(members: dict[PurePosixPath, zipfile.ZipInfo], wanted: Sequence[str]) -> str:
    """Return the folder that holds the wanted files: the top, or the only one below that does."""
    holding = Counter(
        str(path.parent)
        for path in members
        if path.name in wanted and len(path.parts) <= 2 and not snapshot.is_clutter(path.parts[0])
    )
    if "." in holding or not holding:
        return "."
    if len(holding) > 1:
        raise Unreadable(f"More than one folder in the zip file holds {' and '.join(wanted)}; hand in one.")
    return next(iter(holding))


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> bytes:
    """Return the content of one member, whatever its header claims."""
    if info.flag_bits & _ENCRYPTED:
        raise Unreadable(f"{name} is encrypted; pack the files without a password.")
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise Unreadable(f"{name} is not a regular file.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable(f"{name} is packed in an unusual way; pack the files as a plain zip.")
    try:
        with archive.open(info) as member:
            content = member.read(snapshot.limit(name) + 1)
    except Exception:  # a wrong checksum, a lying header, a broken stream
        raise Unreadable(f"{name} is damaged; pack the files anew.") from None
    if len(content) > max(RATIO_FROM, MAX_RATIO * info.compress_size):
        kind = "weights" if name.endswith(snapshot.WEIGHTS) else "source code"
        raise Unreadable(f"{name} is packed too tightly to be {kind}.")
    return snapshot.checked(name, content)
