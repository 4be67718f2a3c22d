"""Hostile contents cost little and harm nobody: they are bounded, cleaned, or refused in a sentence."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from autograder import intake
from autograder.intake.files import folders
from autograder.intake.files.snapshot import Unreadable
from autograder.intake.search import file_contents
from autograder.intake.search.file_contents import Contents
from tests.support.hand_ins import WORK, Files, handed_in, knn, put, zipped


def notebook_of(source: object) -> str:
    """Return a notebook of one cell, whose source may be anything."""
    return json.dumps({"cells": [{"cell_type": "code", "source": source}], "nbformat": 4})


@pytest.mark.parametrize(
    "files",
    [
        {"knn.ipynb": notebook_of("def predict_labels():\n    return '\ud800'\n")},
        {"knn.ipynb": notebook_of("%%writefile knn.py\nx = '\ud800'\n")},
        {"knn.ipynb": notebook_of("\0def predict_labels():\n    return 1\n")},
        {"knn.ipynb": notebook_of([1, None, "x = 1", {"a": 2}])},
        {"knn.ipynb": '{"cells": [5, null, {"cell_type": 3, "source": {}}], "nbformat": 4}'},
        {f"n{n}.ipynb": '{"source":' * 50_000 for n in range(5)},
        {"knn.ipynb": "<<<<<<< a\n" * 50_000},
        {"text.html": "<" * 500_000},
        {"text.html": "&#" * 200_000},
        {"a.md": "```\n" * 100_000},
        {"knn.py": b"# coding: " + b"a" * 500_000},
        {f"f{n}.py": "'''" + "\\'''" * 50_000 for n in range(5)},
        {"knn.py": b"\0" * 1000},
        {f"d{n}/knn.py": f"def predict_labels():\n    return {n}\n" for n in range(500)},
        {f"{n}.zip": zipped({f"{m}.zip": zipped({"x": "y"}) for m in range(5)}) for n in range(30)},
        {"knn" + " (1)" * 40 + ".py": WORK},
    ],
    ids=lambda files: f"{len(files)} {min(files)[:12]}",
)
def test_whatever_is_in_files_is_read_or_said(tmp_path: Path, files: Files) -> None:
    found = handed_in(tmp_path, files)
    for content in found.files.values():
        content.decode()
    said = [*found.notes, *found.broken.values(), found.problem or ""]
    assert all(sentence.isprintable() and len(sentence) < 700 for sentence in said)
    assert not any("a bug in the kit" in sentence for sentence in said)
    assert len(said) < 20


def test_no_link_and_no_pipe_is_followed(tmp_path: Path) -> None:
    folder = put(tmp_path / "ada", {"a/knn.py": WORK})
    for name in ("knn.py", "utils.py", "a/utils.py", "knn.ipynb", "work.zip"):
        (folder / name).symlink_to("/etc/passwd")
    (folder / "b").symlink_to("/")
    os.mkfifo(folder / "a" / "more.py")
    found = intake.read_one(folder, knn())
    assert found.files == {"knn.py": WORK.encode()}
    assert "knn.py is a link, not a file; hand in the file that it points to." in found.notes


def test_no_more_is_read_than_anyone_writes(tmp_path: Path) -> None:
    files = put(tmp_path, {f"{n}.py": "#" * 999_000 for n in range(30)})
    read = Contents(b"")
    taken, refused = 0, 0
    for member in folders.members(files):
        try:
            taken += len(read.source(member, is_named=False).content)
        except Unreadable:
            refused += 1
    assert file_contents.MAX_BYTES["other"] - 1_000_000 < taken <= file_contents.MAX_BYTES["other"]
    assert refused == 20


def test_each_file_is_read_once(tmp_path: Path) -> None:
    (member,) = folders.members(put(tmp_path, {"knn.py": WORK}))
    read = Contents(b"")
    first = read.source(member, is_named=True)
    (tmp_path / "knn.py").write_text("x = 1\n")
    assert read.source(member, is_named=True) is first
