"""The set-up works on Colab, with Drive or without it, and changes nothing where Colab is not."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.notebook import colab, document, frontend, reload
from helpers.submission.handout import HandoutError
from tests.support import fake_colab
from tests.support.fake_colab import FakeColab, FakeShell
from tests.support.handouts import SOLUTION, STUB, write_toy


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a student tree with the toy assignment, and work above it as a fresh Colab runtime does."""
    tree = tmp_path / "content" / "course"
    write_toy(tree / "assignments" / "toy")
    (tree / "assignments" / "toy" / "toy.ipynb").write_text("{}")
    monkeypatch.chdir(tree)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tree
    sys.modules.pop("toy", None)
    reload._finder.files.clear()
    document._ended.clear()


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeColab:
    """Return a Colab runtime to work in."""
    monkeypatch.setattr(colab, "MOUNT", tmp_path / "content" / "drive")
    return fake_colab.install(monkeypatch, tmp_path / "content" / "drive")


def test_without_colab(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    colab.setup("toy", drive=True)
    folder = tree / "assignments" / "toy"
    assert Path.cwd() == folder
    assert importlib.import_module("toy").__file__ == str(folder / "toy.py")
    said = capsys.readouterr().out
    assert said.startswith(f"A toy: edit toy.py in {folder}, save, and the next cell runs what you saved.\n")
    assert "Drive" not in said
    assert "runtime" not in said
    assert not colab.download(folder / "toy.py")


def test_a_module_beside_the_notebook_keeps_the_folder(tree: Path) -> None:
    (tree / "toy.py").write_text(STUB)
    colab.setup("toy")
    assert Path.cwd() == tree


def test_a_deleted_module_comes_back(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = tree / "assignments" / "toy" / "toy.py"
    module.unlink()
    colab.setup("toy")
    assert module.read_text() == STUB
    said = capsys.readouterr().out
    assert f"toy.py was missing from {module.parent}; it is there again, as you first received it." in said
    module.write_text(SOLUTION)
    colab.setup("toy")
    assert module.read_text() == SOLUTION
    assert "missing" not in capsys.readouterr().out


def test_it_may_be_called_again(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = FakeShell()
    monkeypatch.setattr(frontend, "shell", lambda: shell)
    for _ in range(3):
        colab.setup("toy")
    assert {event: len(callbacks) for event, callbacks in shell.callbacks.items()} == {
        "pre_run_cell": 1,
        "post_run_cell": 1,
    }
    assert sys.path.count(str(Path.cwd())) == 1


def test_the_next_cell_runs_what_was_saved(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = FakeShell()
    monkeypatch.setattr(frontend, "shell", lambda: shell)
    colab.setup("toy")
    toy = importlib.import_module("toy")
    (tree / "assignments" / "toy" / "toy.py").write_text(SOLUTION)
    shell.start()
    assert toy.double(3) == 6


def test_on_colab_without_drive(tree: Path, runtime: FakeColab, capsys: pytest.CaptureFixture[str]) -> None:
    colab.setup("toy", drive=False)
    assert runtime.mounted == []
    assert "Everything here is lost when this runtime ends" in capsys.readouterr().out


def test_on_colab_with_drive(tree: Path, runtime: FakeColab, capsys: pytest.CaptureFixture[str]) -> None:
    colab.setup("toy", drive=True)
    home = runtime.mount / "MyDrive" / "course" / "toy"
    assert runtime.mounted == [str(runtime.mount)]
    assert Path.cwd() == home
    assert sorted(path.name for path in home.iterdir()) == [
        "checks.json",
        "test_public.py",
        "toy.ipynb",
        "toy.py",
    ]
    assert importlib.import_module("toy").__file__ == str(home / "toy.py")
    assert "on your Google Drive" in capsys.readouterr().out


def test_the_students_files_on_drive_are_kept_and_the_checks_renewed(tree: Path, runtime: FakeColab) -> None:
    home = runtime.mount / "MyDrive" / "course" / "toy"
    home.mkdir(parents=True)
    (home / "toy.py").write_text(SOLUTION)
    (home / "toy.ipynb").write_text("mine")
    (home / "test_public.py").write_text("old")
    colab.setup("toy", drive=True)
    colab.setup("toy", drive=True)
    assert (home / "toy.py").read_text() == SOLUTION
    assert (home / "toy.ipynb").read_text() == "mine"
    assert (home / "test_public.py").read_text().startswith("import pytest")
    assert importlib.import_module("toy").double(3) == 6


@pytest.mark.parametrize("error", [NotImplementedError(), ValueError("mount failed"), OSError("full")])
def test_drive_is_not_to_be_had(
    tree: Path, runtime: FakeColab, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    runtime.drive_error = error
    colab.setup("toy", drive=True)
    assert Path.cwd() == tree / "assignments" / "toy"
    said = capsys.readouterr().out
    assert f"Google Drive is not used ({str(error) or type(error).__name__})" in said
    assert "download what you want to keep" in said


def test_no_such_assignment(tree: Path) -> None:
    with pytest.raises(HandoutError, match="no assignment 'nothing'"):
        colab.setup("nothing")


def test_downloads(tree: Path, runtime: FakeColab, capsys: pytest.CaptureFixture[str]) -> None:
    assert colab.download(tree / "x.zip")
    assert runtime.downloads == [str(tree / "x.zip")]
    runtime.download_error = NotImplementedError("not here")
    assert not colab.download(tree / "x.zip")
    assert "did not start (not here)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("python", "ipython", "given"),
    [((3, 13), "7.34.0", True), ((3, 13), "9.1.0", False), ((3, 11), "7.34.0", False), ((3, 13), "", False)],
)
def test_the_module_that_autoreload_lacks(
    monkeypatch: pytest.MonkeyPatch, python: tuple[int, int], ipython: str, given: bool
) -> None:
    monkeypatch.delitem(sys.modules, "imp", raising=False)
    monkeypatch.setattr(colab, "sys", SimpleNamespace(modules=sys.modules, version_info=python))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(__version__=ipython))
    colab._provide_imp()
    assert ("imp" in sys.modules) is given
    if given:
        assert sys.modules["imp"].reload is importlib.reload
        monkeypatch.delitem(sys.modules, "imp")
