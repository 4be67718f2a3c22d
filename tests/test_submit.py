"""A submission holds what was checked, the same bytes every time, and nothing that was forgotten."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import fake_colab
import pytest
from fake_colab import FakeShell
from handouts import SOLUTION, STUB, write_toy

from helpers import frontend, handout, live, notebook, runner, submit
from helpers.submit import SubmissionRefused


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the student's file, solved and checked, with its notebook beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    file = write_toy(tmp_path)
    file.write_text(SOLUTION)
    (tmp_path / "toy.ipynb").write_text('{"cells": []}')
    runner.run("toy")
    yield file
    sys.modules.pop("toy", None)
    live._finder.files.clear()
    runner._last.clear()
    runner._checked.clear()
    notebook._ended.clear()


def refusal() -> str:
    with pytest.raises(SubmissionRefused) as caught:
        submit.build("toy")
    return str(caught.value)


def test_saved_weights_go_with_it(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (toy.parent / "toy_weights.pt").write_bytes(b"weights")
    submit.build("toy")
    with zipfile.ZipFile(toy.parent / "toy-submission.zip") as archive:
        assert archive.read("toy_weights.pt") == b"weights"
    assert "toy_weights.pt" in capsys.readouterr().out


def test_what_is_in_it(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    submit.build("toy")
    target = toy.parent / "toy-submission.zip"
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        members = {info.filename: archive.read(info) for info in archive.infolist()}
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
    assert list(members) == ["manifest.json", "toy.ipynb", "toy.py"]
    assert members["toy.py"] == SOLUTION.encode()
    manifest = json.loads(members["manifest.json"])
    assert manifest["assignment"] == "toy"
    assert manifest["files"]["toy.py"] == {
        "bytes": len(SOLUTION),
        "sha256": hashlib.sha256(SOLUTION.encode()).hexdigest(),
    }
    assert manifest["versions"].keys() == {"python", "torch", "numpy"}
    said = capsys.readouterr().out
    assert said.startswith(f"Hand in this file: {target}\n")
    assert "toy.py " in said
    assert "toy.ipynb " in said


def test_the_same_files_give_the_same_bytes(toy: Path) -> None:
    target = toy.parent / "toy-submission.zip"
    submit.build("toy")
    first = target.read_bytes()
    os.utime(toy, (0, 0))
    target.unlink()
    submit.build("toy")
    assert target.read_bytes() == first
    assert [path.name for path in toy.parent.glob(".*")] == []


def test_a_missing_file(toy: Path) -> None:
    toy.unlink()
    assert refusal() == f"toy.py is missing from {toy.parent}; put it there."


@pytest.mark.parametrize("text", [STUB, STUB.replace("\n", "\r\n")])
def test_a_file_as_it_was_received(toy: Path, text: str) -> None:
    toy.write_bytes(text.encode())
    runner.run("toy")
    assert refusal() == f"toy.py in {toy.parent} is as you received it; save your work in it first."


def test_a_file_that_was_saved_after_the_last_check(toy: Path) -> None:
    toy.write_text(SOLUTION + "\n")
    assert 'not checked since; run check("toy"), then build again.' in refusal()
    runner.run("toy", "total")
    submit.build("toy")


def test_a_file_that_cannot_be_imported(toy: Path) -> None:
    toy.write_text(SOLUTION + "(\n")
    runner.run("toy")
    assert "not checked since" in refusal()


def test_nothing_was_checked_in_this_session(toy: Path) -> None:
    runner._checked.clear()
    assert refusal() == 'toy.py was not checked in this session; run check("toy"), then build again.'


def test_a_failed_check_is_no_reason_to_refuse(toy: Path) -> None:
    toy.write_text(SOLUTION.replace("2 * x", "3 * x"))
    assert runner.run("toy").passed < 4
    submit.build("toy")


def test_a_notebook_that_was_not_saved(
    toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = FakeShell()
    monkeypatch.setattr(frontend, "shell", lambda: shell)
    notebook.observe()
    document = toy.parent / "toy.ipynb"
    os.utime(document, (time.time() - 60,) * 2)
    shell.start("experiment")
    shell.end()
    shell.start("submission")
    assert "toy.ipynb has changed since it was saved at " in refusal()
    assert "save it (Ctrl+S), then run this cell again." in refusal()
    os.utime(document)
    submit.build("toy")
    saved = live.clock(document.stat().st_mtime)
    assert f"If you wrote an answer after {saved}, save (Ctrl+S) and run" in capsys.readouterr().out


def test_without_a_notebook(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (toy.parent / "toy.ipynb").unlink()
    submit.build("toy")
    assert "answers in the notebook are not in it" in capsys.readouterr().out


def test_on_colab(toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    runtime = fake_colab.install(monkeypatch, toy.parent)
    runtime.notebook = {"cells": ["as in the browser"]}
    submit.build("toy")
    target = toy.parent / "toy-submission.zip"
    assert runtime.downloads == [str(target)]
    with zipfile.ZipFile(target) as archive:
        assert b"as in the browser" in archive.read("toy.ipynb")
    said = capsys.readouterr().out
    assert "as it is in your browser now" in said
    assert "If you wrote" not in said


def test_a_refusal_is_one_line_in_a_notebook(toy: Path) -> None:
    toy.unlink()
    with pytest.raises(handout.HandoutError) as caught:
        submit.build("toy")
    (line,) = caught.value._render_traceback_()
    assert "\n" not in line
