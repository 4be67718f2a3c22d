"""Everything in a file, including archives and encoded parts, as texts that can be searched for words."""

from __future__ import annotations

import binascii
import bz2
import html
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from urllib.parse import unquote

MAX_DEPTH = 6
"""Archives within archives."""

MAX_BYTES = 20_000_000
"""Of one file; nothing that a release contains is nearly so large."""

_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/_-]{20,}\s*)+(?:[A-Za-z0-9+/_-]{1,19})?={0,2}")
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_BREAK = "\u2028"
"""Stands for an escaped end of line, so that the lines of a reading are those of the file."""

_NUMBERED = re.compile(rf"""(^|{_BREAK}|")[ \t>|+,"'\[-]*\d+[:.|]?[ \t]+""", re.MULTILINE)
_COMMENT = re.compile(rf"#[^\n{_BREAK}]*")
_TAG = re.compile(r"<[^<>]*>")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))")
_PERCENT = re.compile("%[0-9A-Fa-f]{2}")
_ZLIB = re.compile(rb"x[\x01\x5e\x9c\xda]")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_CONTROLS = {chr(code) for code in range(32)} - set("\t\n\r\f\x1b")
_PACKED: dict[bytes, Callable[[bytes], bytes]] = {
    rb"\x1f\x8b\x08[\0-\x1f]": lambda blob: zlib.decompressobj(31).decompress(blob, MAX_BYTES + 1),
    rb"BZh[1-9]1AY&SY": lambda blob: bz2.BZ2Decompressor().decompress(blob, MAX_BYTES + 1),
    rb"\xfd7zXZ\0": lambda blob: lzma.LZMADecompressor().decompress(blob, MAX_BYTES + 1),
}


class UnreadableError(Exception):
    """Content that cannot be looked into; its text says why."""


def walk(place: str, blob: bytes, depth: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield a file and every file and encoded part within it, each with its place.

    Raises
    ------
    UnreadableError
        A part is encrypted, damaged, too large, or too deep inside others.
    """
    if len(blob) > MAX_BYTES:
        raise UnreadableError(f"{place} is larger than {MAX_BYTES:,} bytes")
    yield place, blob
    for name, part in _parts(blob):
        if depth == MAX_DEPTH:
            raise UnreadableError(f"{place} holds archives {MAX_DEPTH} deep")
        yield from walk(f"{place}!{name}", part, depth + 1)


def texts(blob: bytes) -> Iterator[str]:
    """Yield readings of a file, line by line as in the file: as it is, unescaped, without markup.

    The members of a zip archive are read apart, so what is packed is no text here.
    """
    blob = _without_members(blob)
    plain = blob.decode("utf-8", errors="replace")
    readings = [plain]
    if "\0" in plain:
        readings.append(blob.replace(b"\0", b"").decode("utf-8", errors="replace"))  # UTF-16 and UTF-32
    for reading in list(readings):
        for _ in range(3):  # JSON in JSON in JSON
            if "\\" in reading:
                reading = _ESCAPE.sub(_unescape, reading)
                readings.append(reading)
    for reading in list(readings):
        if "<" in reading or "&" in reading:
            readings += [html.unescape(_TAG.sub(filler, reading)) for filler in ("", " ")]
        if _PERCENT.search(reading):
            readings.append(unquote(reading))
    for reading in dict.fromkeys(readings):
        cleaned = _NUMBERED.sub(r"\1", _ANSI.sub("", reading))
        yield from dict.fromkeys((reading, cleaned, _COMMENT.sub("", cleaned)))


def _unescape(match: re.Match[str]) -> str:
    """Return what an escape stands for."""
    code, letter = match[1] or match[2], match[3]
    if code:
        character = chr(int(code, 16))
        return character if character.isprintable() or character == "\x1b" else " "
    return {"n": _BREAK, "r": _BREAK}.get(letter, " " if letter in "tfv" else letter)


def _parts(blob: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what is packed or encoded in a file, with a name for each part."""
    if zipfile.is_zipfile(io.BytesIO(blob)):
        yield from _zip(blob)
    elif blob[257:262] == b"ustar":
        yield from _tar(blob)
    for magic, expand in _PACKED.items():
        for match in re.finditer(magic, blob):
            yield (
                f"unpacked@{match.start()}",
                _expand(expand, blob[match.start() :], whole=not match.start()),
            )
    if not _is_text(blob):
        yield from _streams(blob)
    yield from _decode_base64(blob)


def _zip(blob: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield comments, names and members of a zip archive, those that its directory leaves out as well."""
    try:
        with zipfile.ZipFile(io.BytesIO(blob)) as archive:
            yield "comment", archive.comment
            entries = archive.infolist()
            for entry in entries:
                if entry.file_size > MAX_BYTES:
                    raise UnreadableError(f"{entry.filename} is larger than {MAX_BYTES:,} bytes")
                yield f"{entry.filename}!comment", entry.comment
                yield f"{entry.filename}!extra", entry.extra
                yield entry.filename, archive.read(entry)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise UnreadableError(f"a zip archive cannot be read ({error})") from None
    listed = {entry.header_offset for entry in entries}
    for match in re.finditer(re.escape(b"PK\x03\x04"), blob):
        start = match.start()
        lengths = blob[start + 26 : start + 30]
        if start not in listed and len(lengths) == 4:
            data = start + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
            yield f"unlisted@{start}", _inflate(blob[data:], raw=True)


def _without_members(blob: bytes) -> bytes:
    """Drop the data of a zip archive's members, where all of it unpacks to the member and nothing else."""
    if not zipfile.is_zipfile(io.BytesIO(blob)):
        return blob
    try:
        with zipfile.ZipFile(io.BytesIO(blob)) as archive:
            entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    except zipfile.BadZipFile:
        return blob
    kept, position = [], 0
    for entry in entries:
        lengths = blob[entry.header_offset + 26 : entry.header_offset + 30]
        start = entry.header_offset + 30 + sum(int.from_bytes(lengths[n : n + 2], "little") for n in (0, 2))
        end = start + entry.compress_size
        if entry.compress_type == zipfile.ZIP_DEFLATED and start >= position and _is_stream(blob[start:end]):
            kept.append(blob[position:start])
            position = end
    return b"".join([*kept, blob[position:]])


def _is_stream(data: bytes) -> bool:
    """Tell whether data is one whole compressed stream, with nothing behind it."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        unpacker.decompress(data, MAX_BYTES + 1)
    except zlib.error:
        return False
    return unpacker.eof and not unpacker.unused_data


def _tar(blob: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(fileobj=io.BytesIO(blob)) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isreg() else None
                yield member.name, file.read(MAX_BYTES + 1) if file else member.linkname.encode()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UnreadableError(f"a tar archive cannot be read ({error})") from None


def _expand(expand: Callable[[bytes], bytes], blob: bytes, *, whole: bool) -> bytes:
    """Unpack what begins like a packed file, which may be chance unless it is a ``whole`` file."""
    try:
        return expand(blob)
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        if not whole:
            return b""
        raise UnreadableError(f"a packed file cannot be read ({error})") from None


def _streams(blob: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what is compressed within a binary file, such as the texts of an image."""
    for match in _ZLIB.finditer(blob):
        data = _inflate(blob[match.start() :])
        if data:
            yield f"stream@{match.start()}", data


def _inflate(blob: bytes, *, raw: bool = False) -> bytes:
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS if raw else zlib.MAX_WBITS).decompress(blob, MAX_BYTES + 1)
    except zlib.error:
        return b""


def _decode_base64(blob: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what may be written in Base64, wherever in a run of its digits it begins."""
    for match in _BASE64.finditer(blob.replace(b"\\n", b"\n")):
        digits = re.sub(rb"\s", b"", match[0]).rstrip(b"=").translate(_STANDARD)
        for offset in range(4):
            usable = digits[offset:]
            if len(usable) % 4 == 1:
                usable = usable[:-1]
            data = binascii.a2b_base64(usable + b"=" * (-len(usable) % 4))
            yield f"base64@{match.start()}", data


def _is_text(blob: bytes) -> bool:
    try:
        return not any(character in _CONTROLS for character in blob.decode("utf-8"))
    except UnicodeDecodeError:
        return False
