"""Graded files are private, whole or absent, and are the truth that everything else is made from."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from autograder import storage
from autograder.errors import ConfigError
from autograder.results import SubmissionResult
from autograder.storage import GradedFolder


def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        storage.write_private(tmp_path / "a", "é")
        storage.private_folder(tmp_path / "x" / "y")
    finally:
        os.umask(old)
    assert (tmp_path / "a").read_bytes() == "é".encode()
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "x" / "y").stat().st_mode) == 0o700


def test_a_file_is_replaced_or_kept_and_no_draft_remains(tmp_path: Path) -> None:
    path = tmp_path / "a"
    storage.write_private(path, "old")
    storage.write_private(path, "newer", replace=False)
    assert path.read_text() == "old"
    storage.write_private(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("untouched")
    (tmp_path / "a").symlink_to(tmp_path / "target")
    storage.write_private(tmp_path / "a", "new")
    assert (tmp_path / "target").read_text() == "untouched"
    assert not (tmp_path / "a").is_symlink()


def test_a_failed_write_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "full").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        storage.write_private(tmp_path / "a", "new")
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
    with pytest.raises(ConfigError, match="cannot be written"):
        GradedFolder(tmp_path / "a" / "full").prepare()


def test_results_survive_the_round_trip_in_order(tmp_path: Path, result: SubmissionResult) -> None:
    folder = GradedFolder(tmp_path / "graded")
    folder.prepare()
    bob = result.model_copy(update={"student": "Bob"})
    folder.save(result)
    folder.save(bob)
    (folder.root / "results" / ".draft-1.json").write_text("half")
    assert folder.results() == [bob, result]


def test_no_results_yet(tmp_path: Path) -> None:
    assert GradedFolder(tmp_path / "nowhere").results() == []


def test_damaged_and_renamed_results_are_named(tmp_path: Path, result: SubmissionResult) -> None:
    folder = GradedFolder(tmp_path)
    folder.prepare()
    folder.save(result)
    path = folder.result_file(result.student)
    path.rename(folder.result_file("eve"))
    with pytest.raises(ConfigError, match="holds the result of 'ada'"):
        folder.results()
    folder.result_file("eve").write_text(path.name)
    with pytest.raises(ConfigError, match=r"eve\.json: is not a result"):
        folder.results()


def test_results_of_another_assignment_are_not_mixed_in(tmp_path: Path, result: SubmissionResult) -> None:
    folder = GradedFolder(tmp_path)
    folder.prepare()
    folder.save(result)
    folder.require_assignment(result.assignment)
    with pytest.raises(ConfigError, match="choose another folder with --output"):
        folder.require_assignment("other")
