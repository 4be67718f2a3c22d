"""Notebooks that were cut, merged badly or written by other programs still give what can be read."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.intake.notebooks import repair
from helpers.submission import cells
from tests.support.hand_ins import NOTEBOOK, WORK, handed_in, notebook

ANSWER = "Distances grow with every feature that says nothing."
RELEASED = NOTEBOOK.encode()


def answered() -> str:
    """Return the released notebook with an answer in the cell for it."""
    document = json.loads(NOTEBOOK)
    cell = next(cell for cell in document["cells"] if cell["metadata"].get("nbgrader"))
    cell["source"] = [ANSWER]
    return json.dumps(document, indent=1)


def sources(content: bytes) -> list[str]:
    """Return the sources of a notebook's cells."""
    found = cells.cells(content)
    assert found is not None
    return [cell.source for cell in found]


def test_a_sound_notebook_stays_as_it_is() -> None:
    assert repair.repair(answered().encode(), RELEASED) == (answered().encode(), "")


def test_a_notebook_that_was_cut_is_filled_in_from_the_release() -> None:
    whole = answered()
    cut = whole[: whole.index(ANSWER) + 200].encode()
    fixed, said = repair.repair(cut, RELEASED)
    assert ANSWER in "".join(sources(fixed))
    assert len(sources(fixed)) == len(json.loads(NOTEBOOK)["cells"])
    assert said.startswith("was damaged: ")
    assert said.endswith("were filled in from the release.")


def test_both_sides_of_a_merge_conflict_are_read() -> None:
    row = next(row for row in answered().splitlines() if ANSWER in row)
    ours = row.replace(ANSWER, "Short.")
    conflict = f"<<<<<<< HEAD\n{ours}\n=======\n{row}\n>>>>>>> feature\n"
    fixed, said = repair.repair(answered().replace(f"{row}\n", conflict).encode(), RELEASED)
    assert ANSWER in sources(fixed)
    assert said == f"was damaged: {len(json.loads(NOTEBOOK)['cells'])} of its cells could be read."


def test_cells_of_the_students_own_keep_their_place() -> None:
    document = json.loads(NOTEBOOK)
    own = {"cell_type": "code", "id": "own", "metadata": {}, "outputs": [], "source": ["mine = 1"]}
    document["cells"].insert(5, own)
    cut = json.dumps(document, indent=1)[:-20].encode()
    assert sources(repair.repair(cut, RELEASED)[0]).index("mine = 1") == 5


def test_what_holds_no_cell_stays_as_it_is() -> None:
    for content in (b"", b"PDF", b'{"cells": 3}', b"\xff" * 50):
        assert repair.repair(content, RELEASED) == (content, "")


def test_hostile_notebooks_cost_little() -> None:
    for evil in (b'{"source":' * 200_000, b"[" * 1_000_000, b"<<<<<<< a\n" * 100_000, b'{"id": "' * 200_000):
        repair.repair(evil, RELEASED)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(NOTEBOOK)), st.integers(0, 400), st.binary(max_size=20))
def test_any_damage_leaves_a_notebook_or_the_same_bytes(start: int, length: int, put: bytes) -> None:
    content = NOTEBOOK.encode()
    damaged = content[:start] + put + content[start + length :]
    fixed, said = repair.repair(damaged, RELEASED)
    assert cells.cells(fixed) is not None if said else fixed == damaged


def test_a_damaged_notebook_is_said_to_be_one(tmp_path: Path) -> None:
    found = handed_in(tmp_path / "a", {"knn.py": WORK, "knn.ipynb": answered()[:-300]})
    assert any(note.startswith("knn.ipynb was damaged: ") for note in found.notes)
    assert found.notebook is not None
    assert ANSWER.encode() in found.notebook
    found = handed_in(tmp_path / "b", {"knn.py": WORK, "knn.ipynb": ""})
    assert (found.notebook, found.notes) == (None, ("knn.ipynb is empty, or damaged beyond repair.",))


def test_code_is_taken_from_a_damaged_notebook(tmp_path: Path) -> None:
    found = handed_in(tmp_path, {"knn.ipynb": notebook(f"%%writefile knn.py\n{WORK}")[:-30]})
    assert found.files["knn.py"].decode().strip() == WORK.strip()
