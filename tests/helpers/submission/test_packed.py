"""A zip holds what it says, the same bytes every time, and zips made by hand are read as well."""

from __future__ import annotations

import hashlib
import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from helpers.submission import handout, packed
from helpers.submission.handout import Handout, HandoutError
from tests.support.handouts import SOLUTION, write_toy

FILES = {"toy.py": SOLUTION.encode(), "parts/more.py": b"x = 1\n", "toy.ipynb": b"{}"}


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Handout:
    monkeypatch.chdir(tmp_path)
    write_toy(tmp_path)
    return handout.find("toy")


def test_what_is_in_it() -> None:
    with zipfile.ZipFile(BytesIO(packed.pack("toy", FILES))) as archive:
        assert archive.testzip() is None
        members = {info.filename: archive.read(info) for info in archive.infolist()}
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
    assert list(members) == ["manifest.json", "parts/more.py", "toy.ipynb", "toy.py"]
    manifest = json.loads(members["manifest.json"])
    assert manifest["assignment"] == "toy"
    assert manifest["files"]["toy.py"] == {
        "bytes": len(SOLUTION),
        "sha256": hashlib.sha256(SOLUTION.encode()).hexdigest(),
    }
    assert manifest["versions"].keys() == {"python", "torch", "numpy"}


def test_the_same_files_give_the_same_bytes() -> None:
    assert packed.pack("toy", FILES) == packed.pack("toy", dict(reversed(FILES.items())))


def test_it_is_read_again(found: Handout) -> None:
    file = Path("toy-submission.zip")
    file.write_bytes(packed.pack("toy", FILES))
    files = packed.unpack(found, file)
    assert {name: files[name] for name in FILES} == FILES


def test_a_zip_made_by_hand(found: Handout) -> None:
    with zipfile.ZipFile("mine.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("homework/old/toy.py", "old")
        archive.writestr("homework/toy.py", SOLUTION)
        archive.writestr("homework/parts/more.py", "x = 1\n")
        archive.writestr("__MACOSX/homework/._toy.py", "\0")
        archive.writestr("other/notes.txt", "")
    files = packed.unpack(found, Path("mine.zip"))
    assert files == {"old/toy.py": b"old", "toy.py": SOLUTION.encode(), "parts/more.py": b"x = 1\n"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, 'There is no toy-submission.zip in .*; run submit.build\\("toy"\\) first'),
        (b"PK\3\4 cut", "cannot be read as a zip file"),
        (packed.pack("toy", {"other.py": b""}), "is not a zip of toy: it holds no toy.py"),
        (packed.pack("toy", {"../toy.py": b""}), "is not a zip of toy"),
    ],
)
def test_what_cannot_be_used(found: Handout, content: bytes | None, words: str) -> None:
    file = Path.cwd() / "toy-submission.zip"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(HandoutError, match=words):
        packed.unpack(found, file)
