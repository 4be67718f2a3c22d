"""Files that students control are read as bytes, or refused without side effects."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograder.intake.files import snapshot
from autograder.intake.files.snapshot import Unreadable
from helpers.submission import sizes


def _read(folder: Path, name: str = "knn.py") -> bytes:
    with snapshot.open_folder(folder) as descriptor:
        return snapshot.read_file(name, descriptor)


def test_bytes_arrive_unchanged(tmp_path: Path) -> None:
    content = "x = 'é'\r\n".encode()
    (tmp_path / "knn.py").write_bytes(content)
    assert _read(tmp_path) == content


def test_size_limit_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "knn.py"
    path.write_bytes(b"#" * sizes.MAX_FILE_BYTES)
    assert len(_read(tmp_path)) == sizes.MAX_FILE_BYTES
    path.write_bytes(b"#" * (sizes.MAX_FILE_BYTES + 1))
    with pytest.raises(Unreadable, match="larger than 1 MB"):
        _read(tmp_path)


def test_sparse_giant_is_refused_quickly(tmp_path: Path) -> None:
    with (tmp_path / "knn.py").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(Unreadable, match="larger than 1 MB"):
        _read(tmp_path)


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "knn.py").write_bytes(b"x = '\xe9'")
    with pytest.raises(Unreadable, match=r"not UTF-8 text \(byte 6\)"):
        _read(tmp_path)


def test_links_pipes_folders_and_missing_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "knn.py"
    with pytest.raises(Unreadable, match="No such file"):
        _read(tmp_path)
    path.symlink_to("/etc/passwd")
    with pytest.raises(Unreadable, match=r"knn\.py is a link, not a file; hand in the file that it"):
        _read(tmp_path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(Unreadable, match=r"knn\.py is a folder, a device or a pipe, not a file"):
        _read(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(Unreadable, match=r"knn\.py is a folder, a device or a pipe, not a file"):
        _read(tmp_path)


def test_folder_behind_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(Unreadable, match="a link"), snapshot.open_folder(tmp_path / "link"):
        pass


def test_entries_tell_folders_from_links(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a").symlink_to(tmp_path)
    with snapshot.open_folder(tmp_path) as descriptor:
        assert snapshot.entries(descriptor) == {"a": False, "b": True}


def test_descriptors_are_closed(tmp_path: Path) -> None:
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208
    (tmp_path / "knn.py").write_text("x")
    for _ in range(5):
        _read(tmp_path)
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208
