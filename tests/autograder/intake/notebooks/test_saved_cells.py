"""Cells are read from whatever is left of a notebook."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.intake.notebooks import saved_cells
from tests.support import written_class as made


def test_a_notebook_as_released() -> None:
    plain = made.released()
    found = saved_cells.read(made.packed(plain))
    assert found.problem == ""
    assert [cell.source for cell in found.cells] == [cell["source"] for cell in plain["cells"]]
    assert [cell.grade_id for cell in found.cells if cell.grade_id] == ["why-sums"]
    assert all(len(cell.ids) == 1 for cell in found.cells)


def test_encodings_line_ends_and_lists_of_lines() -> None:
    one = {"cell_type": "markdown", "metadata": {"id": "colab"}, "source": ["a\r\n", "ü"]}
    text = json.dumps({"cells": [one]}, ensure_ascii=False)
    for content in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16")):
        (cell,) = saved_cells.read(content).cells
        assert (cell.source, cell.ids) == ("a\nü", {"colab"})


def test_the_old_format_keeps_cells_in_worksheets() -> None:
    code = {"cell_type": "code", "input": "1 + 1", "outputs": []}
    (cell,) = saved_cells.read(json.dumps({"worksheets": [{"cells": [code]}]}).encode()).cells
    assert (cell.kind, cell.source) == ("code", "1 + 1")


def test_outputs_are_bundles() -> None:
    outputs = [
        {"output_type": "stream", "text": ["a", "b"]},
        {"output_type": "display_data", "data": {"image/png": "xx"}},
        {"output_type": "error", "ename": "ValueError", "evalue": "no"},
    ]
    text = json.dumps({"cells": [{"cell_type": "code", "source": "", "outputs": outputs}]})
    (cell,) = saved_cells.read(text.encode()).cells
    assert cell.outputs == ({"text/plain": "ab"}, {"image/png": "xx"}, {"text/plain": "ValueError: no"})


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9, 0.999])
def test_of_a_notebook_that_is_cut_the_cells_before_are_read(cut: float) -> None:
    whole = made.answered("x" * 1000)
    found = saved_cells.read(whole[: int(len(whole) * cut)])
    every = saved_cells.read(whole).cells
    assert found.cells == every[: len(found.cells)]
    assert found.problem.startswith("The notebook is damaged; ")


def test_a_damaged_cell_costs_itself_only() -> None:
    plain = made.released()
    text = made.packed(plain).decode().replace('"# A toy"', '"# A toy', 1)
    found = saved_cells.read(text.encode())
    assert len(found.cells) == len(plain["cells"]) - 1
    assert "6 cells of it could be read" in found.problem or "5 cells" in found.problem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"[]", "has no cells"),
        (b'{"cells": 1}', "has no cells"),
        (b'{"cells": [1, null, "x"]}', "has no cells"),
        (b'{"worksheets": [1, {"cells": 2}]}', "has no cells"),
        (b"\x00\xff" * 100, "damaged; 0 cells"),
        (b"[" * 200_000, "damaged; 0 cells"),
        (b'{"id":' * 50_000, "damaged; 0 cells"),
    ],
)
def test_what_is_no_notebook(content: bytes, problem: str) -> None:
    found = saved_cells.read(content)
    assert found.cells == ()
    assert problem in found.problem


def test_nothing_in_a_cell_is_believed() -> None:
    wild = {"cell_type": 1, "metadata": [], "source": {"a": 1}, "attachments": 3, "outputs": [7], "id": {}}
    (cell,) = saved_cells.read(json.dumps({"cells": [wild]}).encode()).cells
    assert cell == saved_cells.SavedCell("", frozenset(), "", "", {}, ({"text/plain": ""},))
    (cell,) = saved_cells.read(b'{"cells": [{"source": "\\ud800 x"}]}').cells
    assert cell.source == "\ufffd x"


def test_more_cells_than_a_notebook_has() -> None:
    many = [{"cell_type": "code", "source": ""}] * (saved_cells.MAX_CELLS + 1)
    found = saved_cells.read(json.dumps({"cells": many}).encode())
    assert len(found.cells) == saved_cells.MAX_CELLS
    assert str(saved_cells.MAX_CELLS) in found.problem


@given(st.binary(max_size=300), st.integers(0, 2000), st.integers(0, 50))
def test_no_bytes_stop_it(noise: bytes, start: int, length: int) -> None:
    whole = made.answered("Because.")
    saved_cells.read(whole[:start] + noise + whole[start + length :])
