"""What there is to hand in is found: modules, what they import, weights, and the notebook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.notebook import work
from helpers.notebook.work import Work
from helpers.submission import handout
from tests.support import handouts
from tests.support.handouts import QUESTION, SOLUTION, STUB, write_toy


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the student's file, still the stub, with the notebook as released."""
    monkeypatch.chdir(tmp_path)
    file = write_toy(tmp_path)
    (tmp_path / "toy.ipynb").write_text(json.dumps(handouts.notebook()))
    return file  # type: ignore[return-value]


def gather() -> Work:
    return work.gather(handout.find("toy"))


def test_as_received(toy: Path) -> None:
    own = gather()
    assert not own.begun
    assert own.is_untouched("toy.py")
    assert list(own.files) == ["toy.py", "toy.ipynb"]
    toy.write_bytes(STUB.replace("\n", "\r\n").encode())
    assert not gather().begun


def test_everything_there_is(toy: Path) -> None:
    toy.write_text("import utils\n" + SOLUTION)
    (toy.parent / "utils.py").write_text("x = 1\n")
    (toy.parent / "unrelated.py").write_text("x = 1\n")
    (toy.parent / "toy_weights.pt").write_bytes(b"weights")
    own = gather()
    assert list(own.files) == ["toy.py", "utils.py", "toy_weights.pt", "toy.ipynb"]
    assert own.begun
    assert own.missing == []


def test_files_that_import_one_another(toy: Path) -> None:
    toy.write_text("import utils\nimport nets.blocks\nimport torch\n" + SOLUTION)
    for name, text in {
        "utils.py": "from deeper import f",
        "deeper.py": "import utils, toy",
        "unused.py": "",
        "nets/__init__.py": "",
        "nets/blocks.py": "from . import other",
        "nets/other.py": "",
        "nets/unused.py": "",
    }.items():
        (toy.parent / name).parent.mkdir(exist_ok=True)
        (toy.parent / name).write_text(text)
    expected = ["deeper.py", "nets/__init__.py", "nets/blocks.py", "nets/other.py", "utils.py"]
    assert list(gather().siblings) == expected
    toy.write_text("import utils\ndef f(:")
    assert list(gather().siblings) == ["deeper.py", "utils.py"]


def test_the_kits_own_package_is_no_file_of_the_students(toy: Path) -> None:
    toy.write_text("from helpers.data import digits\n" + SOLUTION)
    (toy.parent / "helpers").symlink_to(Path(work.__file__).parents[1])
    assert gather().siblings == {}


@pytest.mark.parametrize(
    "cells",
    [
        {"c_why": QUESTION.replace("YOUR ANSWER HERE", "Because.")},
        {"c_setup": "def double(x):\n    return 2 * x"},
        {"c_setup": "%%writefile toy.py\n"},
    ],
)
def test_work_in_the_notebook_is_work(toy: Path, cells: dict[str, str]) -> None:
    (toy.parent / "toy.ipynb").write_text(json.dumps(handouts.notebook(**cells)))
    assert gather().begun


def test_experiments_in_the_notebook_are_none(toy: Path) -> None:
    (toy.parent / "toy.ipynb").write_text(json.dumps(handouts.notebook(c_setup="x = 1\nprint(x)")))
    assert not gather().begun


def test_what_cannot_be_read_may_be_work(toy: Path) -> None:
    (toy.parent / "toy.ipynb").write_bytes(b"")
    assert gather().begun


def test_weights_are_work(toy: Path) -> None:
    (toy.parent / "toy_weights.pt").write_bytes(b"weights")
    assert gather().begun


def test_a_missing_module(toy: Path) -> None:
    toy.unlink()
    own = gather()
    assert own.missing == ["toy.py"]
    assert not own.begun
    assert own.files.keys() == {"toy.ipynb"}


def test_copies_that_somebody_worked_on(toy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "drive"
    write_toy(home)
    monkeypatch.chdir(home)
    monkeypatch.syspath_prepend(str(home))
    assert work.find_elsewhere(handout.find("toy")) == []
    beside = home / "work"
    beside.mkdir()
    monkeypatch.chdir(beside)
    (beside / "toy.py").write_text(STUB)
    assert work.find_elsewhere(handout.find("toy")) == []
    (home / "toy.py").write_text(SOLUTION)
    assert work.find_elsewhere(handout.find("toy")) == [home / "toy.py"]
    (beside / "toy.py").write_text(SOLUTION)
    assert work.find_elsewhere(handout.find("toy")) == []
