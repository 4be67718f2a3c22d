"""A function that is not written yet is one line in a notebook; every other error is told as before."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.notebook import stubs
from helpers.submission import handout
from tests.helpers.notebook.test_kernels import old_environment
from tests.support import kernels
from tests.support.handouts import SOLUTION, STUB, write_toy

SET_UP = (
    "import sys\nfrom pathlib import Path\nsys.path.insert(0, str(Path.cwd().parents[1]))\n"
    "from helpers import check, colab\ncolab.setup('toy')\nimport toy"
)


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the student's file, still the stub, of an assignment that is observed."""
    monkeypatch.chdir(tmp_path)
    file = write_toy(tmp_path)
    stubs.observe(handout.find("toy"))
    yield file
    stubs._files.clear()


def raised(file: Path, source: str) -> BaseException:
    """Return what calling ``double`` raises in a file of this content."""
    file.write_text(source)
    names: dict[str, object] = {}
    exec(compile(source, str(file), "exec"), names)
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        names["double"](3)  # type: ignore[operator]
    return caught.value


def test_a_stub_is_a_sentence(toy: Path) -> None:
    assert stubs.sentence(raised(toy, STUB)) == "double in toy.py is not written yet (task 1)."


@pytest.mark.parametrize(
    "body",
    [
        "raise NotImplementedError",
        "raise NotImplementedError('only for even numbers')",
        "raise NotImplementedError('other: double')",
        "return x.__index__(1, 2)",
        "raise KeyError('toy: double')",
    ],
)
def test_other_errors_are_not(toy: Path, body: str) -> None:
    error = raised(toy, STUB.replace('raise NotImplementedError("toy: double")', body))
    if not isinstance(error, KeyError):
        assert stubs.sentence(error) is None


def test_a_stub_elsewhere_is_not(toy: Path, tmp_path: Path) -> None:
    assert stubs.sentence(raised(tmp_path / "mine.py", STUB)) is None


def test_stubs_that_are_left() -> None:
    assert stubs.is_stub(STUB, "toy", "double")
    assert not stubs.is_stub(SOLUTION, "toy", "double")


COLABS = """\
shell = get_ipython()
def of_colab(shell, type, error, trace, tb_offset=None):
    print('Colab helps')
    shell.showtraceback((type, error, trace), tb_offset=tb_offset)
shell.set_custom_exc((ImportError,), of_colab)"""
CELLS = {
    "colab": COLABS,
    "set-up": SET_UP,
    "again": "colab.setup('toy')\ncheck('toy', task='double')",
    "stub": "def deeper(function):\n    return [function(x) for x in (1, 2)]\ndeeper(toy.double)",
    "own": "raise NotImplementedError('mine')",
    "import": "import no_such_module",
    "other": "1 / 0",
}


def require_one_line(python: str, folder: Path) -> None:
    """Run cells that fail, each as if it were the last, and require one line of the one that met a stub."""
    write_toy(folder / "assignments" / "toy")
    shutil.copytree(kernels.ROOT / "helpers", folder / "helpers")
    book = kernels.of_cells(list(CELLS.values()))
    for cell in book.cells[3:]:
        cell.metadata["tags"] = ["raises-exception"]
    done = kernels.execute(book, folder / "assignments" / "toy", python=python)
    said = {name: done.text(index) for index, name in enumerate(CELLS)}
    assert said["stub"] == "double in toy.py is not written yet (task 1)."
    assert done.cells[3].outputs[0].ename == "NotImplementedError"
    assert "mine" in said["own"]
    assert "Traceback" in said["own"]
    assert said["import"].startswith("Colab helps")
    assert "ZeroDivisionError" in said["other"]
    assert "Traceback" in said["other"]


def test_in_a_kernel(tmp_path: Path) -> None:
    require_one_line(sys.executable, tmp_path / "course")


def test_run_all_stops_there(tmp_path: Path) -> None:
    folder = tmp_path / "course" / "assignments" / "toy"
    write_toy(folder)
    shutil.copytree(kernels.ROOT / "helpers", tmp_path / "course" / "helpers")
    cells = [SET_UP, "check('toy', task='total')", "toy.total([1])", "print('not reached')"]
    done = kernels.execute(kernels.of_cells(cells), folder)
    assert done.stopped == 2
    assert done.text(1).startswith("A toy: 0 of 2 public checks passed\n")
    assert done.text(2) == "total in toy.py is not written yet (task 2)."
    assert done.cells[3].outputs == []


@pytest.mark.full
def test_in_the_kernel_of_colab(tmp_path: Path) -> None:
    """Needs a package index; without one it fails and says so."""
    require_one_line(old_environment(tmp_path / "venv"), tmp_path / "course")
