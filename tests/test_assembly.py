"""What `submit.build` checks of a hand-in is what grading takes of it, wherever the code was written."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from hand_ins import COURSE, OTHER, ROOT, STUB, WORK, Files, notebook, put

from autograder import intake
from autograder.assignment import load
from helpers import bundle, handout, outline
from helpers.assembly import Assembly, assemble
from helpers.handout import Handout

PREDICT = "def predict_labels" + WORK.partition("def predict_labels")[2].partition("\n\n\n")[0]
GONE = WORK.replace(PREDICT, "")
CASES: dict[str, Files] = {
    "the module alone": {"knn.py": WORK},
    "the stub alone": {"knn.py": STUB},
    "all in the notebook": {"knn.py": STUB, "knn.ipynb": notebook(WORK)},
    "no module": {"knn.ipynb": notebook(WORK)},
    "a cell for each function": {
        "knn.py": STUB,
        "knn.ipynb": notebook(*(one.text for one in outline.blocks(WORK))),
    },
    "one function": {"knn.py": STUB, "knn.ipynb": notebook("import torch\n" + PREDICT)},
    "the missing function": {"knn.py": GONE, "knn.ipynb": notebook(PREDICT)},
    "another version": {"knn.py": WORK, "knn.ipynb": notebook(OTHER)},
    "a cell that writes the file": {"knn.py": STUB, "knn.ipynb": notebook(f"%%writefile knn.py\n{WORK}")},
    "a cell that writes the stub": {"knn.py": STUB, "knn.ipynb": notebook(f"%%writefile knn.py\n{STUB}")},
    "the released notebook": {"knn.py": STUB, "knn.ipynb": notebook()},
    "a damaged notebook": {"knn.py": STUB, "knn.ipynb": notebook(WORK)[:-300]},
    "a notebook as the module": {"knn.py": notebook(WORK)},
    "a module without functions": {"knn.py": "import torch\n", "knn.ipynb": notebook(WORK)},
    "a syntax error": {"knn.py": WORK + "x = (\n", "knn.ipynb": notebook(OTHER)},
    "a PDF": {"knn.py": b"%PDF-1.7\n", "knn.ipynb": notebook(WORK)},
    "no text": {"knn.py": b"\x89PNG\r\n\x1a\n\xff", "knn.ipynb": notebook(WORK)},
}


def released(name: str) -> Handout:
    found = handout.read(ROOT / "assignments" / name)
    assert found is not None
    return found


def assembled(files: Files, name: str = "knn") -> Assembly:
    plain = {file: text.encode() if isinstance(text, str) else text for file, text in files.items()}
    return assemble(released(name), plain)


@pytest.mark.parametrize("case", [name for name in CASES if name != "a damaged notebook"])
def test_grading_takes_the_same(case: str, tmp_path: Path) -> None:
    mine = assembled(CASES[case])
    packed = {name: c.encode() if isinstance(c, str) else c for name, c in CASES[case].items()}
    put(tmp_path, {"ada/knn-submission.zip": bundle.pack("knn", packed)})
    theirs = intake.read_one(tmp_path / "ada", load(COURSE, "knn"))
    assert theirs.files["knn.py"] == mine.files["knn.py"]
    assert bool(mine.notes) == (mine.files["knn.py"] != packed.get("knn.py"))


def test_a_damaged_notebook_gives_nothing() -> None:
    assert assembled(CASES["a damaged notebook"]) == Assembly(
        assembled(CASES["a damaged notebook"]).files, {}
    )


@pytest.mark.parametrize(
    "name",
    ["knn", "linear_classifier", "two_layer_net", "fully_connected_networks", "convolutional_networks"],
)
@pytest.mark.parametrize("with_stub", [True, False])
def test_solutions_in_cells_run_in_the_released_modules(
    name: str, with_stub: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = released(name)
    solutions = [(ROOT / "solutions" / name / file).read_text(encoding="utf-8") for file in found.released]
    cells = [one.text for text in solutions for one in outline.blocks(text)]
    stubs = found.released if with_stub else {}
    taken = assembled({**stubs, f"{name}.ipynb": notebook(*cells, released=False)}, name)
    put(tmp_path, {file: taken.files[file] for file in found.released})
    monkeypatch.syspath_prepend(tmp_path)
    try:
        for file in found.released:
            assert f'NotImplementedError("{Path(file).stem}' not in taken.files[file].decode()
            module = importlib.import_module(Path(file).stem)
            assert module.__file__ == str(tmp_path / file)
    finally:
        for file in found.released:
            sys.modules.pop(Path(file).stem, None)
