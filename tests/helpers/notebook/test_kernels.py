"""Set-up, reload and checks in real kernels: today's, and the IPython 7 that Google Colab keeps."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support import kernels
from tests.support.handouts import SOLUTION, write_toy

COLAB = ("ipython==7.34.0", "ipykernel==6.17.1")
EDIT = "Path('toy.py').write_text({!r})"
WRONG = SOLUTION.replace("2 * x", "3 * x")
CELLS = {
    "set-up": (
        "import json, sys\nfrom pathlib import Path\nsys.path.insert(0, str(Path.cwd().parents[1]))\n"
        "from helpers import check, colab, submit\n"
        "import IPython\nprint(IPython.__version__)\n"
        "colab.setup('toy')"
    ),
    "import": "import toy\nfrom toy import *\nfrom toy import double as twice",
    "wrong": EDIT.format(WRONG),
    "after wrong": "print(json.dumps([double(3), twice(3), toy.double(3)]))",
    "check wrong": "check('toy')",
    "broken": EDIT.format(SOLUTION + "def f(:\n"),
    "check broken": "check('toy', task='double')",
    "after broken": "print(json.dumps([double(3), twice(3), toy.double(3)]))",
    "right": EDIT.format(SOLUTION),
    "check right": "check('toy')",
    "after right": "print(json.dumps([double(3), twice(3), toy.double(3)]))",
    "autoreload": "%load_ext autoreload\n%autoreload 2",
    "submit": "submit.build('toy')",
    "broken again": EDIT.format("def f(:\n"),
    "submit broken": "submit.build('toy')",
    "preview": "submit.preview('toy')",
    "refuse": ("for name in ('toy.py', 'toy-submission.zip'):\n    Path(name).unlink()\nsubmit.build('toy')"),
}


def run(folder: Path, python: str) -> Mapping[str, str]:
    """Run the cells in a student tree and return what each printed or showed."""
    write_toy(folder / "assignments" / "toy")
    shutil.copytree(kernels.ROOT / "helpers", folder / "helpers")
    notebook = kernels.of_cells(list(CELLS.values()))
    done = kernels.execute(notebook, folder / "assignments" / "toy", python=python)
    assert done.stopped == len(CELLS) - 1, done.text(done.stopped or 0)
    outputs = [output for cell in done.cells for output in cell.outputs]
    assert any("text/html" in output.get("data", {}) for output in outputs)
    return {name: done.text(index) for index, name in enumerate(CELLS)}


def require_as_described(said: Mapping[str, str]) -> None:
    """Require that each edit took effect at once, wherever the functions had been imported."""
    results = {name: json.loads(said[name].splitlines()[-1]) for name in said if name.startswith("after")}
    assert results == {"after wrong": [9, 9, 9], "after broken": [9, 9, 9], "after right": [6, 6, 6]}
    assert said["after wrong"].startswith("toy.py: loaded the version saved at ")
    assert "twice three: wrong" in said["check wrong"]
    assert "this is the square" in said["check wrong"]
    assert "toy.py cannot be imported: SyntaxError" in said["check broken"]
    assert "is newer than what runs" in " ".join(said["check broken"].split())
    assert "4 of 4 public checks passed" in said["check right"]
    assert said["autoreload"] == ""
    assert "toy-submission.zip" in said["submit"]
    assert "4 of 4 public checks passed" in said["submit"]
    assert "toy.py cannot be imported: line 1: SyntaxError" in said["submit broken"]
    assert "toy-submission.zip" in said["submit broken"]
    assert "no check ran" in said["preview"]
    *loading, line = said["refuse"].splitlines()
    assert line.startswith("toy.py is missing from ")
    assert len(loading) == 2, "the note on what runs until it is fixed, and no traceback"


def test_the_kernel_of_today(tmp_path: Path) -> None:
    require_as_described(run(tmp_path / "course", sys.executable))


@pytest.mark.parametrize("broken", ["toy.py", "utils.py"])
def test_an_import_of_what_is_not_python_is_one_line(tmp_path: Path, broken: str) -> None:
    folder = tmp_path / "course" / "assignments" / "toy"
    write_toy(folder)
    shutil.copytree(kernels.ROOT / "helpers", tmp_path / "course" / "helpers")
    (folder / "utils.py").write_text("def twice(x):\n    return 2 * x\n")
    (folder / "toy.py").write_text("from utils import twice\n" + SOLUTION)
    right = (folder / broken).read_text()
    (folder / broken).write_text(f"{right}def f(:\n")
    line = right.count("\n") + 1
    repair = f"Path({broken!r}).write_text({right!r})"
    cells = [
        CELLS["set-up"],
        "import toy",
        repair,
        "import toy\nprint(toy.double(3))",
        "import ast\nast.parse('(')",
    ]
    book = kernels.of_cells(cells)
    book.cells[1].metadata["tags"] = book.cells[4].metadata["tags"] = ["raises-exception"]
    done = kernels.execute(book, folder)
    assert done.text(1) == (
        f"{broken}, line {line}: SyntaxError: invalid syntax. Fix that, save the file, and run this cell "
        "again: the cells below need what it imports."
    )
    assert done.text(3) == "6\n"
    assert "SyntaxError" in done.text(4)
    assert "Fix that" not in done.text(4)


UTILS = "Path('utils.py').write_text('def twice(x):\\n    return {} * x\\n')"


def test_a_file_beside_the_module_is_loaded_again_too(tmp_path: Path) -> None:
    folder = tmp_path / "course" / "assignments" / "toy"
    write_toy(folder)
    shutil.copytree(kernels.ROOT / "helpers", tmp_path / "course" / "helpers")
    uses = "import utils\nfrom utils import twice\n" + SOLUTION.replace(
        "2 * x", "(utils.twice(x) + twice(x)) // 2"
    )
    cells = {
        "set-up": CELLS["set-up"],
        "write": f"{UTILS.format(3)}\n{EDIT.format(uses)}",
        "import": "import toy\nfrom toy import double\nprint(json.dumps([toy.double(3), double(3)]))",
        "edit": UTILS.format(2),
        "use": "print(json.dumps([toy.double(3), double(3)]))",
        "break": "Path('utils.py').write_text('def twice(x:\\n')",
        "use broken": "print(json.dumps([toy.double(3), double(3)]))",
        "mistake": UTILS.format(3),
        "check mistake": "check('toy', task='double')",
        "repair": UTILS.format(2),
        "check": "check('toy', task='double')",
        "build": "submit.build('toy')",
    }
    done = kernels.execute(kernels.of_cells(list(cells.values())), folder)
    assert done.stopped is None, done.text(done.stopped or 0)
    said = {name: done.text(index) for index, name in enumerate(cells)}
    assert said["import"] == "[9, 9]\n"
    *loaded, result = said["use"].splitlines()
    assert len(loaded) == 1, "one line says that the module was loaded again"
    assert loaded[0].startswith("toy.py: loaded the version saved at ")
    assert result == "[6, 6]"
    assert said["use broken"].splitlines()[-1] == "[6, 6]", "the version before stays whole"
    assert "SyntaxError" in said["use broken"]
    assert "Until you fix that, the version loaded at " in said["use broken"]
    assert "twice three: wrong" in said["check mistake"]
    assert "2 of 2 public checks passed" in said["check"]
    assert "utils.py" in said["build"]
    assert "4 of 4 public checks passed" in said["build"]


def test_checks_that_hang_keep_nobody_from_handing_in(tmp_path: Path) -> None:
    folder = tmp_path / "course" / "assignments" / "toy"
    file = write_toy(folder)
    shutil.copytree(kernels.ROOT / "helpers", tmp_path / "course" / "helpers")
    file.write_text(SOLUTION.replace("return 2 * x", "__import__('time').sleep(600)"))
    # An interruption reaches the kernel's whole group of processes, as from Jupyter's button.
    interrupt = (
        "import os, signal, threading, time\n"
        "def later():\n"
        "    while not Path('toy-submission.zip').exists():\n        time.sleep(0.1)\n"
        "    os.killpg(0, signal.SIGINT)\n"
        "threading.Thread(target=later, daemon=True).start()\n"
    )
    cells = [CELLS["set-up"], f"{interrupt}submit.build('toy')", "print('not reached')"]
    done = kernels.execute(kernels.of_cells(cells), folder)
    assert done.stopped == 1
    said = done.text(1)
    assert "You stopped the public checks" in said
    assert said.endswith(f"Hand in this file: {folder / 'toy-submission.zip'}Stopped.")
    assert (folder / "toy-submission.zip").is_file()


@pytest.mark.full
def test_the_kernel_of_colab(tmp_path: Path) -> None:
    """Needs a package index; without one it fails and says so."""
    python = old_environment(tmp_path / "venv")
    said = run(tmp_path / "course", python)
    assert said["set-up"].startswith("7.34.0\n")
    require_as_described(said)


def old_environment(folder: Path) -> str:
    """Make an environment with Colab's IPython in front of the packages of this one; return its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", *COLAB]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"pip cannot install {' and '.join(COLAB)}:\n{done.stderr}"
    asked = [str(python), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"]
    inside = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    (Path(inside) / "these.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return str(python)
