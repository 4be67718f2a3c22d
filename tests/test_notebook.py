"""The notebook is read from where it is newest, and changes that were not saved are noticed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import fake_colab
import pytest
from fake_colab import FakeShell

from helpers import frontend, notebook
from helpers.notebook import Document


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeShell]:
    """Return a notebook's shell that is observed."""
    shell = FakeShell()
    monkeypatch.setattr(frontend, "shell", lambda: shell)
    notebook.observe()
    yield shell
    notebook._ended.clear()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a notebook's file that was saved a minute ago."""
    file = tmp_path / "toy.ipynb"
    file.write_text("{}")
    os.utime(file, (time.time() - 60,) * 2)
    return file


def is_unsaved(file: Path) -> bool:
    document = notebook.read(file)
    assert document is not None
    return notebook.unsaved(document)


def test_a_file_is_read(file: Path, tmp_path: Path) -> None:
    assert notebook.read(file) == Document(b"{}", file.stat().st_mtime)
    assert notebook.read(tmp_path / "none.ipynb") is None


def test_colab_is_asked_first(file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    runtime = fake_colab.install(monkeypatch, tmp_path)
    runtime.notebook = {"cells": ["ä"]}
    document = notebook.read(file)
    assert document is not None
    assert json.loads(document.content) == {"cells": ["ä"]}
    assert document.saved is None
    assert not notebook.unsaved(document)
    runtime.notebook = None
    assert notebook.read(file) == Document(b"{}", file.stat().st_mtime)


def test_cells_that_ran_since_it_was_saved(file: Path, shell: FakeShell) -> None:
    assert not is_unsaved(file)
    for cell in ("first", "last"):
        shell.start(cell)
        shell.end()
    shell.start("last")
    assert is_unsaved(file)
    os.utime(file)
    assert not is_unsaved(file)


def test_the_running_cell_may_have_run_before(file: Path, shell: FakeShell) -> None:
    shell.start("last")
    shell.end()
    shell.start("last")
    assert not is_unsaved(file)


def test_front_ends_that_do_not_name_their_cells(file: Path, shell: FakeShell) -> None:
    shell.start()
    shell.end()
    assert not is_unsaved(file)


def test_without_a_notebook(file: Path) -> None:
    notebook.observe()
    assert not is_unsaved(file)
