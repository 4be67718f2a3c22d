"""Tar, 7z and packed files, hostile, damaged or strange, are read within bounds or refused in a sentence."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zlib
from pathlib import Path

import py7zr
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.intake import Submission, reading
from autograder.intake.files import packed, unpacker
from autograder.intake.files.inventory import Inventory
from autograder.intake.files.snapshot import Unreadable
from autograder.intake.search.wanted import Wanted
from helpers.submission.modules import Module

WANTED = Wanted("knn", (Module("knn.py", "", frozenset()),), (), Path("/nonexistent"))
PACKERS = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def tarred(*members: tuple[str, bytes, bytes]) -> bytes:
    """Return a tar file of names, kinds and contents."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as made:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            info.size = len(content) if kind == tarfile.REGTYPE else 0
            made.addfile(info, io.BytesIO(content))
    return target.getvalue()


def regular(name: str = "knn.py", content: bytes = b"x = 1\n") -> tuple[str, bytes, bytes]:
    """Return a regular file."""
    return name, tarfile.REGTYPE, content


def seven_zipped(files: dict[str, bytes], **options: object) -> bytes:
    """Return a 7z file whose header is not compressed, so that tests can change it."""
    target = io.BytesIO()
    with py7zr.SevenZipFile(target, "w", **options) as made:
        made.set_encoded_header_mode(False)
        for name, content in files.items():
            made.writestr(content, name)
    return target.getvalue()


def renamed(content: bytes, old: str, new: str) -> bytes:
    """Return a 7z file with a name in its header replaced by one as long."""
    assert len(old) == len(new)
    changed = bytearray(content.replace(old.encode("utf-16-le"), new.encode("utf-16-le")))
    offset, size = struct.unpack_from("<QQ", changed, 12)
    header = changed[32 + offset : 32 + offset + size]
    struct.pack_into("<I", changed, 28, zlib.crc32(header))
    struct.pack_into("<I", changed, 8, zlib.crc32(changed[12:32]))
    return bytes(changed)


def read(folder: Path, name: str, content: bytes) -> Submission:
    """Return what is read of a student who handed in this archive."""
    (folder / name).write_bytes(content)
    try:
        inventory = Inventory.of_path(folder / name)
    except Unreadable as error:
        return Submission("ada", folder, problem=str(error))
    return reading.read(inventory, "ada", folder, WANTED)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE]
)
def test_only_regular_files_of_a_tar(tmp_path: Path, kind: bytes) -> None:
    found = read(tmp_path, "a.tar", tarred(("knn.py", kind, b"")))
    what = "a link" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else "a folder, a device or a pipe"
    assert not found.files
    assert str(found.problem).startswith(f"knn.py is {what}, not a file; hand in ")
    assert read(tmp_path, "a.tar", tarred(("data", kind, b""), regular())).files == {"knn.py": b"x = 1\n"}


@pytest.mark.parametrize("name", ["../knn.py", "/knn.py", "a/../../knn.py", "..\\knn.py", "C:\\knn.py"])
@pytest.mark.parametrize("suffix", PACKERS)
def test_paths_that_lead_out_of_a_tar(tmp_path: Path, name: str, suffix: str) -> None:
    found = read(tmp_path, f"a.tar{suffix}", PACKERS[suffix](tarred(regular(), regular(name))))
    assert found.files == {}
    assert "holds a path that leads out of it; pack the files again." in str(found.problem)
    assert [path.name for path in tmp_path.iterdir()] == [f"a.tar{suffix}"]


@pytest.mark.parametrize("name", ["../knn.py", "/etc/kn.py", "C:\\kn.py1"])
def test_paths_that_lead_out_of_a_7z(tmp_path: Path, name: str) -> None:
    content = renamed(
        seven_zipped({"a" * len(name): b"x = 1\n", "knn.py": b"x = 1\n"}), "a" * len(name), name
    )
    found = read(tmp_path, "a.7z", content)
    assert found.files == {}
    assert "leads out of it" in str(found.problem)


def test_a_link_in_a_7z(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with py7zr.SevenZipFile(tmp_path / "made.7z", "w") as made:
        made.write(tmp_path / "link", "knn.py")
    found = read(tmp_path, "a.7z", (tmp_path / "made.7z").read_bytes())
    said = "knn.py is a link, not a file; hand in the file that it points to."
    assert (found.files, found.problem) == ({}, said)


def test_a_name_that_comes_twice(tmp_path: Path) -> None:
    found = read(tmp_path, "a.tar", tarred(regular(), regular(content=b"x = 2\n")))
    assert (found.files, found.problem) == ({}, "The tar file holds knn.py twice; pack the files again.")
    twice = renamed(seven_zipped({"knn.py": b"x = 1\n", "knm.py": b"x = 2\n"}), "knm.py", "knn.py")
    assert "twice" in str(read(tmp_path, "a.7z", twice).problem)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
def test_bombs(tmp_path: Path, suffix: str) -> None:
    bomb = PACKERS[suffix](tarred(regular("zeros.bin", bytes(60_000_000)), regular()))
    assert len(bomb) < 100_000
    found = read(tmp_path, f"a.tar{suffix}", bomb)
    assert found.files == {}
    assert str(found.problem).endswith("is packed too tightly to be source code.")
    single = read(tmp_path, f"knn.py{suffix}", PACKERS[suffix](b"#" * 50_000_000))
    assert str(single.problem).endswith("is packed too tightly to be source code.")


def test_a_bomb_in_a_7z(tmp_path: Path) -> None:
    found = read(tmp_path, "a.7z", seven_zipped({"knn.py": b"#" * 60_000_000}))
    assert found.problem == "The 7z file is packed too tightly to be source code."


def test_a_7z_that_lies_about_its_header(tmp_path: Path) -> None:
    content = bytearray(seven_zipped({"knn.py": b"x = 1\n"}))
    struct.pack_into("<Q", content, 20, 1 << 40)
    struct.pack_into("<I", content, 8, zlib.crc32(content[12:32]))
    assert read(tmp_path, "a.7z", bytes(content)).problem == "The 7z file is damaged; pack the files again."


def test_what_is_encrypted_or_packed_in_an_unusual_way(tmp_path: Path) -> None:
    secret = seven_zipped({"knn.py": b"x = 1\n"}, password="secret")
    assert "encrypted" in str(read(tmp_path, "a.7z", secret).problem)
    unusual = seven_zipped({"knn.py": b"x = 1\n"}, filters=[{"id": py7zr.FILTER_PPMD, "order": 6, "mem": 24}])
    assert "packed in an unusual way" in str(read(tmp_path, "a.7z", unusual).problem)


def test_more_files_than_anyone_hands_in(tmp_path: Path) -> None:
    many = tarred(*(regular(f"{n}.txt", b"") for n in range(50_001)))
    found = read(tmp_path, "a.tar.xz", lzma.compress(many, preset=0))
    assert found.problem is not None
    assert found.files == {}


def test_files_that_are_too_large(tmp_path: Path) -> None:
    noise = b"".join(str(n * n).encode() + b"\n" for n in range(130_000))
    found = read(tmp_path, "a.tar.gz", gzip.compress(tarred(regular(content=noise))))
    assert found.problem == "knn.py is larger than 1 MB."


def test_an_unpacker_that_is_killed_costs_its_student_the_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "SECONDS", 0.0)
    found = read(tmp_path, "a.tar.gz", gzip.compress(tarred(regular())))
    assert found.problem == "The gzip file takes too long to unpack, or needs too much memory."


def test_the_unpacker_imports_nothing_of_the_kit() -> None:
    text = Path(unpacker.__file__).read_text(encoding="utf-8")
    assert "import autograder" not in text
    assert "from autograder" not in text


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data(), st.sampled_from(["7z", "gz", "bz2", "xz", "tar"]))
def test_any_damage_is_told_or_harmless(tmp_path: Path, data: st.DataObject, kind: str) -> None:
    plain = tarred(regular(), regular("hw/other.py"))
    valid = {
        "7z": seven_zipped({"knn.py": b"x = 1\n", "hw/other.py": b"x = 2\n"}),
        "tar": plain,
        **{suffix[1:]: pack(plain) for suffix, pack in PACKERS.items() if suffix},
    }[kind]
    content = bytearray(valid)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    found = read(tmp_path, "a.tar.gz", bytes(content))
    assert found.files.keys() <= {"knn.py", "other.py", "hw/other.py"}
    assert found.problem is None or found.problem.isprintable()
