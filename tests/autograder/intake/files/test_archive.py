"""Zip files from students are read within bounds, or refused in a sentence; nothing is written anywhere."""

from __future__ import annotations

import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.intake import Submission, reading
from autograder.intake.files import archive
from autograder.intake.files.inventory import Inventory
from autograder.intake.files.snapshot import Unreadable
from autograder.intake.search.wanted import Wanted
from helpers.submission import sizes
from helpers.submission.modules import Module

Build = Callable[[zipfile.ZipFile], object]


def _packed(build: Build, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of a name that comes twice
        build(made)
    return buffer.getvalue()


WANTED = Wanted("knn", (Module("knn.py", "", frozenset()),), (), Path("/nonexistent"))


def _read(folder: Path, content: bytes, name: str = "a.zip") -> Submission:
    (folder / name).write_bytes(content)
    try:
        inventory = Inventory.of_path(folder / name)
    except Unreadable as error:
        return Submission("ada", folder, problem=str(error))
    return reading.read(inventory, "ada", folder, WANTED)


def _files(folder: Path, content: bytes, name: str = "a.zip") -> dict[str, bytes]:
    found = _read(folder, content, name)
    assert found.problem is None
    return dict(found.files)


def _refusal(folder: Path, content: bytes, name: str = "a.zip") -> str:
    found = _read(folder, content, name)
    assert not found.files
    assert found.problem is not None
    assert found.problem.isprintable()
    return found.problem


def _member(name: str = "knn.py", mode: int = 0o100644, text: str = "x = 1\n") -> Build:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return lambda made: made.writestr(info, text, made.compression)


def _all(*builds: Build) -> Build:
    return lambda made: [build(made) for build in builds]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("mode", [0, 0o644, 0o100600])
def test_files_at_the_top(tmp_path: Path, method: int, mode: int) -> None:
    content = _packed(_all(_member(mode=mode), _member("notes.txt"), _member("hw/knn.py")), method)
    found = _read(tmp_path, content)
    assert (found.files, found.notes) == ({"knn.py": b"x = 1\n"}, ("Ignored: notes.txt, hw/.",))


@pytest.mark.parametrize("name", ["hw/knn.py", "hw\\knn.py"])
def test_files_one_folder_deeper(tmp_path: Path, name: str) -> None:
    builds = (_member(name), _member("hw/"), _member("hw/b.txt"), _member("__MACOSX/knn.py"))
    content = _packed(_all(*builds))
    found = _read(tmp_path, content)
    assert found.files == {"knn.py": b"x = 1\n"}
    assert found.notes == ("Taken from the folder hw.", "Ignored: hw/b.txt.")


def test_two_folders_hold_it(tmp_path: Path) -> None:
    found = _refusal(tmp_path, _packed(_all(_member("a/knn.py"), _member("b/knn.py", text="y = 2\n"))))
    assert found == "Waits for a decision: knn.py could be a/knn.py or b/knn.py."


def test_members_that_are_strange_and_unrelated_do_not_matter(tmp_path: Path) -> None:
    strange = [
        _member("Screenshot 10:30:11.png"),
        _member("a" * 60_000 + ".txt"),
        _member("x", mode=0o120777),
    ]
    venv = [_member("venv/pyvenv.cfg"), *(_member(f"venv/lib/{n}.py") for n in range(2_300))]
    twice = [_member("notes.txt"), _member("notes.txt")]
    found = _read(tmp_path, _packed(_all(*strange, *venv, *twice, _member())))
    assert found.files == {"knn.py": b"x = 1\n"}
    assert all(len(note) < 300 for note in found.notes)


@pytest.mark.parametrize(
    "name",
    ["../knn.py", "/knn.py", "a/../../knn.py", "..\\knn.py", "C:\\knn.py", "C:knn.py", "//host/knn.py"],
)
def test_paths_that_lead_out(tmp_path: Path, name: str) -> None:
    found = _refusal(tmp_path, _packed(_all(_member(), _member(name))))
    assert found == "The zip file holds a path that leads out of it; pack the files again."
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
def test_only_regular_files(tmp_path: Path, kind: int) -> None:
    found = _refusal(tmp_path, _packed(_member(mode=kind | 0o777, text="/etc/passwd")))
    what = "a link" if kind == stat.S_IFLNK else "a folder, a device or a pipe"
    assert found.startswith(f"knn.py is {what}, not a file; hand in ")


@pytest.mark.parametrize("twin", ["knn.py", "./knn.py", ".//knn.py"])
def test_a_name_that_comes_twice(tmp_path: Path, twin: str) -> None:
    assert "holds knn.py twice" in _refusal(tmp_path, _packed(_all(_member(), _member(twin))))


def test_encrypted(tmp_path: Path) -> None:
    content = bytearray(_packed(_member()))
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + place] |= 1
    assert _refusal(tmp_path, bytes(content)) == "knn.py is encrypted; pack the files without a password."


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_compression(tmp_path: Path, method: int) -> None:
    assert "in an unusual way" in _refusal(tmp_path, _packed(_member(), method))


def test_unusual_compression_of_other_files_does_not_matter(tmp_path: Path) -> None:
    def build(made: zipfile.ZipFile) -> None:
        made.writestr("data.bin", b"x", zipfile.ZIP_LZMA)
        made.writestr("knn.py", b"x = 1\n")

    assert _files(tmp_path, _packed(build)) == {"knn.py": b"x = 1\n"}


def test_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = "".join(chr(33 + n * n % 89) for n in range(sizes.MAX_FILE_BYTES + 1))
    assert (
        _refusal(tmp_path, _packed(_member(text=large), zipfile.ZIP_STORED)) == "knn.py is larger than 1 MB."
    )
    fitting = large[:-1]
    assert len(_files(tmp_path, _packed(_member(text=fitting), zipfile.ZIP_STORED))["knn.py"]) == 1_000_000
    monkeypatch.setattr(archive, "MAX_ARCHIVE_BYTES", 1_000_000)
    assert _refusal(tmp_path, b"0" * 1_000_001) == "The zip file is larger than 1 MB."


def test_a_large_virtual_environment_does_not_matter(tmp_path: Path) -> None:
    library = _member("env/lib/large.so", text="0123456789" * 3_000_000)
    content = _packed(_all(_member("env/pyvenv.cfg"), library, _member()), zipfile.ZIP_STORED)
    assert _files(tmp_path, content) == {"knn.py": b"x = 1\n"}


def test_bombs(tmp_path: Path) -> None:
    bomb = _packed(_member(text="#" * 900_000))
    assert len(bomb) < 5_000
    assert _refusal(tmp_path, bomb) == "knn.py is packed too tightly to be source code."
    giant = _packed(_all(_member("other.bin", text="0" * 50_000_000), _member()))
    place = giant.index(b"other.bin") + 100  # what is packed begins before
    damaged = giant[:place] + b"\xff" * 1000 + giant[place + 1000 :]
    assert _files(tmp_path, damaged) == {"knn.py": b"x = 1\n"}, "other.bin was unpacked"
    fitting = "x\n" * 20_000
    assert _files(tmp_path, _packed(_member(text=fitting)))["knn.py"] == fitting.encode()


def test_a_header_that_lies_about_the_size(tmp_path: Path) -> None:
    content = bytearray(_packed(_member(text="#" * 5_000_000)))
    place = content.index(b"PK\x01\x02") + 24
    content[place : place + 4] = struct.pack("<I", 10)
    assert _refusal(tmp_path, bytes(content)).startswith("knn.py is ")


def test_more_files_than_anyone_hands_in(tmp_path: Path) -> None:
    content = _packed(_all(*(_member(f"{n}.txt", text="") for n in range(50_001))), zipfile.ZIP_STORED)
    assert _refusal(tmp_path, content) == "The zip file holds more than 50000 files."


def test_names_that_end_early(tmp_path: Path) -> None:
    content = _packed(_member("knn.pyXevil.txt")).replace(b"knn.pyXevil.txt", b"knn.py\0evil.txt")
    assert _files(tmp_path, content) == {"knn.py": b"x = 1\n"}


def test_not_text(tmp_path: Path) -> None:
    content = _packed(lambda made: made.writestr("knn.py", b"\xff"))
    assert "not UTF-8 text" in _refusal(tmp_path, content)


def test_damage(tmp_path: Path) -> None:
    whole = _packed(_member(text="x = 1\n" * 50), zipfile.ZIP_STORED)
    assert _refusal(tmp_path, b"") == "The file is damaged, or is not a zip file."
    assert _refusal(tmp_path, whole[: len(whole) // 2]) == "The file is damaged, or is not a zip file."
    assert _refusal(tmp_path, whole.replace(b"x = 1", b"x = 2")) == "knn.py is damaged; pack the files again."


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_any_damage_is_told_or_harmless(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(_packed(_all(_member(), _member("hw/other.py"))))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert _read(tmp_path, bytes(content)).files.keys() <= {"knn.py", "other.py", "hw/other.py"}
