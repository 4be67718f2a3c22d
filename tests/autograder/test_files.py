"""Files are private, whole or absent, and a folder is written to by one command at a time."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import files
from autograder.errors import ConfigError


def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        files.write_private(tmp_path / "a", "é")
        files.private_folder(tmp_path / "x" / "y")
    finally:
        os.umask(old)
    assert (tmp_path / "a").read_bytes() == "é".encode()
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "x" / "y").stat().st_mode) == 0o700


def test_a_file_is_replaced_or_kept_and_no_draft_remains(tmp_path: Path) -> None:
    path = tmp_path / "a"
    files.write_private(path, "old")
    files.write_private(path, "newer", replace=False)
    assert path.read_text() == "old"
    files.write_private(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("untouched")
    (tmp_path / "a").symlink_to(tmp_path / "target")
    files.write_private(tmp_path / "a", "new")
    assert (tmp_path / "target").read_text() == "untouched"
    assert not (tmp_path / "a").is_symlink()


def test_a_failed_write_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "full").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        files.write_private(tmp_path / "a", "new")
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
    with pytest.raises(ConfigError, match="cannot be written"):
        files.private_folder(tmp_path / "a" / "full")


def test_a_device_or_a_pipe_is_never_replaced_by_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "link"):
        for write in (lambda path: files.write_private(path, "new"), files.check_place):
            with pytest.raises(ConfigError, match="is not a file but a device"):
                write(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe"]
    assert stat.S_ISFIFO((tmp_path / "link").stat().st_mode)


def test_a_place_is_checked_before_the_work(tmp_path: Path) -> None:
    files.check_place(tmp_path / "new" / "folder" / "a")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="Not a directory"):
        files.check_place(tmp_path / "file" / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_is_locked_for_others_and_only_meanwhile(tmp_path: Path) -> None:
    with files.hold_lock(tmp_path):
        message = "another command is writing to it; wait until it is done"
        with pytest.raises(ConfigError, match=message), files.hold_lock(tmp_path):
            pass
    with files.hold_lock(tmp_path):
        pass


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    program = (
        "import pathlib, signal, sys\n"
        "from autograder import files\n"
        "with files.hold_lock(pathlib.Path(sys.argv[1])):\n"
        "    print('locked', flush=True); signal.pause()\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(ConfigError), files.hold_lock(tmp_path):
            pass
        holder.kill()
        holder.wait()
    with files.hold_lock(tmp_path):
        pass


def test_drafts_of_killed_writers_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".draft-0123456789abcdef").write_text("half")
    (tmp_path / "whole").write_text("")
    files.remove_drafts(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_a_full_disk_is_one_line_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a"
    files.write_private(path, "old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(ConfigError, match=r"cannot be written \(File too large\)"):
            files.write_private(path, "x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
