"""Whatever is handed in as an archive is read or refused in a sentence, soon, in little memory, in its place.

Every case is made from its number alone, so a number that fails fails again.
"""

from __future__ import annotations

import contextlib
import random
import resource
import shutil
import stat
import struct
import tarfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

import py7zr
import pytest

from autograder import intake
from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.course.assignment import Assignment
from autograder.errors import IntakeError
from autograder.intake import reading
from autograder.intake.files import archive
from autograder.intake.files.inventory import Inventory
from autograder.intake.files.snapshot import Unreadable
from autograder.intake.search.wanted import Wanted
from helpers.submission import sizes

SECONDS_PER_CASE = 60
"""Of CPU time; a case takes thousandths of one, and one that can be made to take a minute, hours."""
MEMORY_BYTES = 1 << 30
TEXT = "def f(x):\n    return x\n" * 20
SIGNATURES = (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08")
NAMES = [
    *("../toy.py", "/toy.py", "C:/toy", "toy.py/", "a/../x", "TOY.PY", "toy.py\0", "\\\\h\\toy", "a/toy.py"),
    *("./toy.py", "con", "x" * 300, "a/" * 400, "-rf", "\ud7ff.py", "", "."),
]


class Unseekable(BytesIO):
    """A stream that makes zipfile write sizes behind the content."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise OSError("a stream")


def zipped(members: dict[str, str], method: int, *, stream: bool = False, large: bool = False) -> bytes:
    """Return a valid zip file."""
    target = Unseekable() if stream else BytesIO()
    with zipfile.ZipFile(target, "w", method) as made:
        made.comment = b"a comment" if large else b""
        for name, text in members.items():
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            info.compress_type, info.external_attr = method, 0o100644 << 16
            with made.open(info, "w", force_zip64=large) as member:
                member.write(text.encode())
    return target.getvalue()


def tarred(mode: str) -> bytes:
    """Return a valid tar file."""
    target = BytesIO()
    with tarfile.open(fileobj=target, mode=mode) as made:
        for name in ("toy.py", "hw/second.py"):
            info = tarfile.TarInfo(name)
            info.size = len(TEXT)
            made.addfile(info, BytesIO(TEXT.encode()))
    return target.getvalue()


def seven_zipped(filters: list[dict[str, int]] | None = None) -> bytes:
    """Return a valid 7z file."""
    target = BytesIO()
    with py7zr.SevenZipFile(target, "w", filters=filters) as made:
        for name in ("toy.py", "hw/second.py"):
            made.writestr(TEXT, name)
    return target.getvalue()


@cache
def valid() -> list[bytes]:
    """Return valid archives of many kinds."""
    layouts = (
        {"toy.py": TEXT},
        {"hw/toy.py": TEXT, "hw/second.py": "x = 1\n", "hw/": "", "__MACOSX/toy.py": "?"},
        {"toy.py": TEXT, "notes.txt": "\n" * 40_000, "data/ä ö/\u4f60.csv": "1,2"},
        {f"{number}.py": "" for number in range(30)},
        {"ada/toy.py": TEXT, "bob/toy.py": "y = 2\n", "parkada_4711_90001_toy.py": "z = 3\n"},
    )
    made = [
        zipped(members, method, stream=stream, large=large)
        for members in layouts
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        for stream, large in ((False, False), (True, False), (False, True))
    ]
    unusual = [zipped(layouts[0], method) for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)]
    packed = [*map(tarred, ("w", "w:gz", "w:bz2", "w:xz")), seven_zipped(), seven_zipped(PLAIN)]
    return [*made, *unusual, zipped({}, 0), *packed]


PLAIN = [{"id": py7zr.FILTER_COPY}]
"""Of 7z: without compression, so that damage reaches the files."""


def case(number: int) -> bytes:
    """Return the archive of this number: a valid one, changed in some ways."""
    source = random.Random(number)
    data = bytearray(source.choice(valid()))
    for _ in range(source.choice((1, 1, 2, 3, 8))):
        start = source.randrange(len(data) + 1)
        end = min(len(data), start + source.choice((1, 2, 4, 30, 400)))
        match source.randrange(10):
            case 0:
                data[start:end] = source.randbytes(end - start)
            case 1:
                del data[start:end]
            case 2:
                data[start:start] = data[start:end]
            case 3:
                data[start:end] = source.choice(valid())[start:end]
            case 4:
                data += source.choice(valid())
            case 5:
                rename(data, source)
            case _:
                claim(data, source)
    return bytes(data)


def claim(data: bytearray, source: random.Random) -> None:
    """Overwrite a field of one of the records that a zip consists of."""
    places = [at for signature in SIGNATURES for at in occurrences(data, signature)]
    if places:
        form, width = source.choice((("<H", 2), ("<I", 4), ("<Q", 8)))
        at = source.choice(places) + source.randrange(2, 48)
        edge = source.choice((0, 1, 8, 99, 2 ** (8 * width) - 1, 2 ** (8 * width - 1), len(data), 0xFFFF))
        if at + width <= len(data):
            struct.pack_into(form, data, at, edge % 2 ** (8 * width))


def rename(data: bytearray, source: random.Random) -> None:
    """Overwrite the name of a member, in the directory and mostly before its content too."""
    places = [(at, 28, 46) for at in occurrences(data, b"PK\x01\x02")]
    places += [(at, 26, 30) for at in occurrences(data, b"PK\x03\x04")]
    name = source.choice(NAMES).encode()
    for at, length, start in source.sample(places, min(len(places), 2)):
        if at + start <= len(data):
            old = int.from_bytes(data[at + length : at + length + 2], "little")
            data[at + start : at + start + min(old, len(name))] = name[:old]


def occurrences(data: bytearray, signature: bytes) -> Iterator[int]:
    """Yield where a signature stands."""
    at = data.find(signature)
    while at >= 0:
        yield at
        at = data.find(signature, at + 1)


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Let allocations fail that would take much more memory than there is in use now."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def read_as_a_student(place: Path, wanted: Wanted) -> str:
    """Read an archive as one student's."""
    found = reading.read(Inventory.of_path(place / "a.zip"), "ada", place, wanted)
    assert all(note.isprintable() and len(note) < 600 for note in (*found.notes, found.problem or ""))
    for content in found.files.values():
        assert len(content) <= sizes.MAX_FILE_BYTES
        content.decode()
    return "read" if found.files else "nothing in it"


def unpack_as_a_class(place: Path, assignment: Assignment) -> str:
    """Read an archive as that of a whole class, and see what came of it on disk."""
    target = place / "unpacked"
    target.mkdir()
    try:
        notes = archive.unpack(place / "a.zip", target)
        assert all(note.isprintable() for note in notes)
        for path in target.rglob("*"):
            assert stat.S_IFMT(path.lstat().st_mode) in (stat.S_IFREG, stat.S_IFDIR)
        intake.read_class(place / "a.zip", assignment)
    finally:
        shutil.rmtree(target)
    return "unpacked"


def ended(step: Callable[..., str], *arguments: object) -> str:
    """Return what a step returned, or that it was refused in a sentence."""
    try:
        return step(*arguments)
    except (Unreadable, IntakeError) as error:
        sentence = str(error)
    assert sentence.isprintable()
    return "refused"


@pytest.mark.parametrize("cases", [300, pytest.param(1_000, marks=pytest.mark.full)])
def test_whatever_is_handed_in_is_read_or_refused(cases: int, tmp_path: Path, course: Course) -> None:
    toy = assignments.load(course, "toy")
    place, ends, wanted = tmp_path / "place", Counter[str](), Wanted.by(toy)
    place.mkdir()
    before = {path.name for path in tmp_path.iterdir()}
    with bounded(), warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(cases):
            (place / "a.zip").write_bytes(case(number))
            started = time.process_time()
            try:
                ends[ended(read_as_a_student, place, wanted)] += 1
                ends[ended(unpack_as_a_class, place, toy)] += 1
                assert time.process_time() - started < SECONDS_PER_CASE
                assert [path.name for path in place.iterdir()] == ["a.zip"]
            except BaseException as error:
                error.add_note(f"case {number}")
                raise
    assert {path.name for path in tmp_path.iterdir()} == before
    assert all(ends[end] > cases / 20 for end in ("read", "unpacked", "refused")), ends


@pytest.mark.parametrize("number", range(len(valid())))
def test_what_the_cases_are_made_from_is_valid(number: int, tmp_path: Path) -> None:
    archive.members("a.zip", valid()[number])
