"""The notebook is read from where it is newest, and changes that were not saved are noticed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.notebook import document as notebook
from helpers.notebook import frontend
from helpers.notebook.document import Document
from helpers.submission import handout
from helpers.submission.handout import Handout
from tests.support import fake_colab, handouts
from tests.support.fake_colab import FakeShell


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeShell]:
    """Return a notebook's shell that is observed."""
    shell = FakeShell()
    monkeypatch.setattr(frontend, "shell", lambda: shell)
    notebook.observe()
    yield shell
    notebook._ended.clear()


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Handout:
    """Return the assignment, whose notebook was saved a minute ago."""
    monkeypatch.chdir(tmp_path)
    handouts.write_toy(tmp_path)
    write(tmp_path / "toy.ipynb", "{}")
    return handout.find("toy")


@pytest.fixture
def file(found: Handout) -> Path:
    return found.folder / "toy.ipynb"


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    os.utime(file, (time.time() - 60,) * 2)


def released(answer: str = "") -> str:
    return json.dumps(handouts.notebook(c_why=answer))


def is_unsaved(found: Handout) -> bool:
    document = notebook.read(found)
    assert document is not None
    return notebook.has_unsaved_changes(document)


def test_a_file_is_read(found: Handout, file: Path) -> None:
    assert notebook.read(found) == Document(b"{}", file.stat().st_mtime, file)
    file.unlink()
    assert notebook.read(found) is None


def test_colab_is_asked_first(
    found: Handout, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runtime = fake_colab.install(monkeypatch, tmp_path)
    runtime.notebook = {"cells": ["ä"]}
    document = notebook.read(found)
    assert document is not None
    assert json.loads(document.content) == {"cells": ["ä"]}
    assert document.saved is None
    assert not notebook.has_unsaved_changes(document)


def test_a_browser_that_does_not_answer(
    found: Handout, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runtime = fake_colab.install(monkeypatch, tmp_path)
    runtime.notebook = None
    assert notebook.read(found) == Document(b"{}", file.stat().st_mtime, file, unanswered=True)
    copies = tmp_path / "MyDrive" / "Colab Notebooks"
    monkeypatch.setattr(notebook, "_DRIVE", copies)
    write(copies / "Copy of toy.ipynb", released("an answer"))
    write(copies / "other.ipynb", "{}")
    document = notebook.read(found)
    assert document is not None
    assert document.file == copies / "Copy of toy.ipynb"
    assert document.unanswered


def test_the_running_notebook_is_read_under_any_name(
    found: Handout, file: Path, shell: FakeShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, other = file.with_name("toy-Copy1.ipynb"), file.with_name("scratch.ipynb")
    write(copy, released("an answer"))
    write(other, json.dumps({"cells": []}))
    monkeypatch.setenv("JPY_SESSION_NAME", str(copy))
    document = notebook.read(found)
    assert document is not None
    assert document.file == copy
    monkeypatch.setenv("JPY_SESSION_NAME", str(other))
    assert notebook.read(found) == Document(b"{}", file.stat().st_mtime, file)
    monkeypatch.setenv("JPY_SESSION_NAME", "a7c1e0")
    assert notebook.read(found) == Document(b"{}", file.stat().st_mtime, file, guessed=True)
    shell.user_ns["__vsc_ipynb_file__"] = str(copy)
    document = notebook.read(found)
    assert document is not None
    assert document.file == copy


def test_cells_that_ran_since_it_was_saved(found: Handout, file: Path, shell: FakeShell) -> None:
    assert not is_unsaved(found)
    for cell in ("first", "last"):
        shell.start(cell)
        shell.end()
    shell.start("last")
    assert is_unsaved(found)
    os.utime(file)
    assert not is_unsaved(found)


def test_the_running_cell_may_have_run_before(found: Handout, shell: FakeShell) -> None:
    shell.start("last")
    shell.end()
    shell.start("last")
    assert not is_unsaved(found)


def test_front_ends_that_do_not_name_their_cells(found: Handout, shell: FakeShell) -> None:
    shell.start()
    shell.end()
    assert not is_unsaved(found)


def test_without_a_notebook(found: Handout) -> None:
    notebook.observe()
    assert not is_unsaved(found)
