"""Unpack a tar file, a 7z file or a packed file from standard input to standard output, in little memory.

A program of its own, which `autograder.intake.files.packed` starts: parsers of these formats have failed on
hostile files before, so they run in a process that has limits and holds nothing. It imports nothing of the
kit.

For each file it writes a line of JSON with ``path``, ``time``, ``kind`` and ``size``, and then as many bytes.
``kind`` is ``file``, ``link``, ``other`` (a device, a pipe), ``left`` (a file that nobody will ask for) or
``large``. The last line has ``end``: an empty text, or why the archive is refused.
"""

from __future__ import annotations

import bz2
import io
import json
import lzma
import resource
import sys
import tarfile
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any, Protocol

MEMORY_BYTES, CPU_SECONDS = 1_000_000_000, 20
MAX_UNPACKED_BYTES = 200_000_000
"""What an archive may unpack to, all of it."""
MAX_TAKEN_BYTES = 60_000_000
"""What is passed on of it."""
MAX_MEMBER_BYTES = 20_000_000
MAX_ENTRIES = 50_000
MAX_RATIO, RATIO_FROM = 100, 50_000
TAKEN = (".py", ".pt", ".ipynb", ".txt", ".md", ".html", ".zip", ".gz", ".tgz", ".bz2", ".xz", ".tar", ".7z")
"""How names end of files that are passed on."""
METHODS = frozenset(
    {
        *(b"\x00", b"\x21", b"\x03\x01\x01"),  # copy, LZMA2, LZMA
        *(b"\x03", b"\x03\x03\x01\x03"),  # delta, BCJ
        *(b"\x04\x01\x08", b"\x04\x02\x02"),  # deflate, bzip2
    }
)
"""Methods of compression of 7z files that are common and well tested."""
_STEP = 1 << 16


class RefusedError(Exception):
    """The archive is not read further; the message goes on with "The archive"."""


class Output:
    """What was unpacked, written to standard output."""

    def __init__(self, target: io.BufferedIOBase | Any) -> None:
        self._target = target
        self._left = MAX_TAKEN_BYTES
        self._entries = 0

    def put(self, path: str, kind: str, time: float, content: bytes = b"") -> None:
        """Write one file."""
        self._left -= len(content)
        self._entries += 1
        if self._entries > MAX_ENTRIES:
            raise RefusedError(f"holds more than {MAX_ENTRIES} files.")
        if self._left < 0:
            raise RefusedError(f"unpacks to more than {MAX_TAKEN_BYTES // 1_000_000} MB.")
        self.line({"path": path, "kind": kind, "time": time, "size": len(content)})
        self._target.write(content)

    def line(self, header: dict[str, object]) -> None:
        """Write a header."""
        self._target.write(json.dumps(header).encode() + b"\n")


def is_taken(name: str) -> bool:
    """Tell whether the content of a file of this name is passed on."""
    plain = name.casefold()
    return plain.endswith(TAKEN) or ".py" in plain


class Decompressor(Protocol):
    """What `bz2` and `lzma` offer."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""

    @property
    def unused_data(self) -> bytes:
        """What follows the stream."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return the next piece."""


class Gunzip:
    """A decompressor of gzip, in the manner of those of bz2 and lzma."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """What follows the stream."""
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return the next piece."""
        return self._inner.decompress(self._inner.unconsumed_tail + data, max(max_length, 0))


def _unxz() -> Decompressor:
    return lzma.LZMADecompressor(memlimit=MEMORY_BYTES // 4)


DECOMPRESSORS: dict[str, Callable[[], Decompressor]] = {
    "gzip": Gunzip,
    "bzip2": bz2.BZ2Decompressor,
    "xz": _unxz,
}


class Stream(io.RawIOBase):
    """The bytes that packed bytes unpack to, within limits."""

    def __init__(self, packed: bytes, kind: str) -> None:
        self._made = DECOMPRESSORS[kind]
        self._inner = self._made()
        self._waiting = packed
        self._most = min(MAX_UNPACKED_BYTES, max(RATIO_FROM, MAX_RATIO * len(packed)))
        self._count = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes."""
        piece = b""
        while not piece and not self._has_ended():
            data, self._waiting = self._waiting, b""
            piece = self._inner.decompress(data, len(buffer))
            if not piece and not data and not self._inner.eof:
                raise EOFError
        self._count += len(piece)
        if self._count > self._most:
            raise RefusedError("is packed too tightly to be source code.")
        buffer[: len(piece)] = piece
        return len(piece)

    def _has_ended(self) -> bool:
        """Tell whether nothing follows; several streams in a row are one."""
        if self._inner.eof:
            self._waiting = self._inner.unused_data.lstrip(b"\0")
            if not self._waiting:
                return True
            self._inner = self._made()
        return False


def unpack_tar(source: Any, output: Output) -> None:
    """Unpack a tar file from a stream."""
    with tarfile.open(fileobj=source, mode="r|") as archive:
        for member in archive:
            if member.isdir():
                continue
            file = archive.extractfile(member) if member.isreg() else None
            content = file.read(MAX_MEMBER_BYTES + 1) if file is not None and is_taken(member.name) else b""
            kind = _kind_in_tar(member)
            if len(content) > MAX_MEMBER_BYTES:
                kind, content = "large", b""
            output.put(member.name, kind, float(member.mtime or 0), content)


def _kind_in_tar(member: tarfile.TarInfo) -> str:
    if not member.isreg():
        return "link" if member.issym() or member.islnk() else "other"
    return "file" if is_taken(member.name) else "left"


def unpack_stream(packed: bytes, kind: str, name: str, output: Output) -> None:
    """Unpack what gzip, bzip2 or xz have packed: a tar file or a single file."""
    stream = io.BufferedReader(Stream(packed, kind), _STEP)
    if stream.peek(512)[257:262] == b"ustar":
        unpack_tar(stream, output)
        return
    content = stream.read(MAX_MEMBER_BYTES + 1)
    is_large = len(content) > MAX_MEMBER_BYTES
    output.put(name, "large" if is_large else "file", 0.0, b"" if is_large else content)


def unpack_7z(packed: bytes, output: Output) -> None:
    """Unpack a 7z file, of a few common methods of compression, by py7zr."""
    import py7zr

    with py7zr.SevenZipFile(io.BytesIO(packed)) as archive:
        if archive.needs_password():
            raise RefusedError("is encrypted; pack the files without a password.")
        if len(archive.files) > MAX_ENTRIES:
            raise RefusedError(f"holds more than {MAX_ENTRIES} files.")
        total = sum(one.uncompressed for one in archive.files)
        if total > min(MAX_UNPACKED_BYTES, max(RATIO_FROM, MAX_RATIO * len(packed))):
            raise RefusedError("is packed too tightly to be source code.")
        streams = archive.header.main_streams
        folders = streams.unpackinfo.folders if streams is not None else []
        if not {coder["method"] for folder in folders for coder in folder.coders} <= METHODS:
            raise RefusedError("is packed in an unusual way; pack the files as a plain zip.")
        listed = [one for one in archive.files if not one.is_directory]
        if any(_leads_out(_plain(one.filename)) for one in listed):
            raise RefusedError("holds a path that leads out of it; pack the files again.")
        taken = _extract(archive, [one for one in listed if _kind(one) == "file"], total)
    for one in listed:
        time = one.lastwritetime.totimestamp() if one.lastwritetime is not None else 0.0
        output.put(_plain(one.filename), _kind(one), time, taken.get(one.id, b""))


def _leads_out(name: str) -> bool:
    """Tell it before py7zr, which only says that something is wrong."""
    return name.startswith("/") or name[1:2] == ":" or ".." in PurePosixPath(name).parts


def _plain(name: str) -> str:
    return name.replace("\\", "/")


def _kind(one: Any) -> str:
    if one.is_symlink or one.is_junction:
        return "link"
    if one.is_socket or not one.is_file:
        return "other"
    if one.uncompressed > MAX_MEMBER_BYTES:
        return "large"
    return "file" if is_taken(one.filename) else "left"


def _extract(archive: Any, wanted: list[Any], total: int) -> dict[int, bytes]:
    """Return what files hold, by their ids."""
    from py7zr.io import Py7zBytesIO, WriterFactory

    products = []

    class Buffers(WriterFactory):  # type: ignore[misc, unused-ignore]
        def create(self, filename: str) -> Any:
            products.append(Py7zBytesIO(filename, total + 1))
            return products[-1]

    names = {one.filename for one in wanted}
    targets = [one.id for one in archive.files if one.filename in names and not one.is_directory]
    archive.extract(targets=names, factory=Buffers())
    if len(products) != len(targets):
        raise ValueError("files are missing")
    for product in products:
        product.seek(0)
    return {id: product.read() for id, product in zip(targets, products, strict=True)}


def main(kind: str, name: str) -> None:
    """Unpack standard input, which is of this kind, and was handed in under this name."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    packed = sys.stdin.buffer.read()
    output = Output(sys.stdout.buffer)
    try:
        if kind == "7z":
            unpack_7z(packed, output)
        elif kind == "tar":
            unpack_tar(io.BytesIO(packed), output)
        else:
            unpack_stream(packed, kind, name, output)
    except RefusedError as error:
        output.line({"end": str(error)})
    except MemoryError:
        output.line({"end": "needs too much memory to be unpacked."})
    except Exception:  # a malformed archive makes the parsers raise what they like
        output.line({"end": "is damaged; pack the files again."})
    else:
        output.line({"end": ""})
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
