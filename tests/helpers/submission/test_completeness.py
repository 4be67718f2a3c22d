"""A student's notebook beside the released one: what is answered, what is gone, and what is damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.submission import completeness, handout
from helpers.submission.completeness import Reading
from helpers.submission.handout import Handout
from tests.support.handouts import QUESTION, notebook, write_toy

ANSWER = QUESTION.replace("YOUR ANSWER HERE", "Because it is a sum of two equal numbers.")


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Handout:
    monkeypatch.chdir(tmp_path)
    write_toy(tmp_path)
    return handout.find("toy")


def read(found: Handout, book: dict[str, Any] | bytes) -> Reading:
    content = book if isinstance(book, bytes) else json.dumps(book).encode()
    return completeness.read(found, content, "toy.ipynb")


def said(found: Handout, book: dict[str, Any] | bytes) -> list[str]:
    return [finding.text for finding in read(found, book).findings]


def as_colab(book: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook as Colab saves it: ids among the metadata, sources as lists, version 4.0."""
    for cell in book["cells"]:
        cell["metadata"]["id"] = cell.pop("id")
    return book | {"nbformat_minor": 0}


@pytest.mark.parametrize("colab", [False, True])
def test_an_answer(found: Handout, colab: bool) -> None:
    book = notebook(c_why=ANSWER)
    reading = read(found, as_colab(book) if colab else book)
    assert reading == Reading((), answered=True, names=reading.names)
    assert reading.names == {"check", "colab", "submit"}


@pytest.mark.parametrize("colab", [False, True])
def test_as_released(found: Handout, colab: bool) -> None:
    book = notebook()
    reading = read(found, as_colab(book) if colab else book)
    (finding,) = reading.findings
    assert finding.text == (
        "The question under “Think about it” (2 points) is not answered: “YOUR ANSWER HERE” is still there."
    )
    assert finding.weight == "open"
    assert not reading.answered


@pytest.mark.parametrize("source", ["", "  \n", QUESTION.replace("YOUR ANSWER HERE", "")])
def test_nothing_is_written_there(found: Handout, source: str) -> None:
    (text,) = said(found, notebook(c_why=source))
    assert text.endswith("is not answered: nothing is written there.")
    assert not read(found, notebook(c_why=source)).answered


def test_an_answer_beside_the_placeholder_is_one(found: Handout) -> None:
    reading = read(found, notebook(c_why=f"{QUESTION}\n\nBecause it is."))
    assert reading.findings == ()
    assert reading.answered


def test_a_question_that_was_deleted(found: Handout) -> None:
    book = notebook(c_why=ANSWER)
    del book["cells"][3]
    assert said(found, book) == [
        "The question under “Think about it” (2 points) is not in toy.ipynb any more; its cell was deleted."
    ]


def test_a_cell_of_text_that_was_added(found: Handout) -> None:
    book = notebook()
    book["cells"].append({"cell_type": "markdown", "metadata": {}, "source": "It is even because …"})
    assert read(found, book).answered


def test_code_in_the_notebook(found: Handout) -> None:
    source = "%matplotlib inline\n!ls\ndef double(x):\n    return 2 * x\nimport numpy as np\na, b = 1, 2"
    book = notebook(c_build=source)
    assert {"double", "np", "a", "b"} <= read(found, book).names
    assert not read(found, book).code
    assert read(found, notebook(c_build="%%writefile toy.py\ndef double(x): ...")).code


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "toy.ipynb is empty (0 bytes). If it is still open in the browser, save it (Ctrl+S)"),
        (b" \n", "is empty (2 bytes)"),
        (json.dumps(notebook()).encode()[:300], "toy.ipynb is damaged: it is cut off, or is not a notebook"),
        (b"\xff\xfe\x00", "is damaged"),
        (b"[" * 100_000, "is damaged"),
        (b"{}", "is not a notebook: there are no cells in it."),
        (b"[1, 2]", "is not a notebook"),
        (b'{"cells": [1]}', "is not a notebook"),
    ],
)
def test_damage(found: Handout, content: bytes, words: str) -> None:
    reading = read(found, content)
    (finding,) = reading.findings
    assert words in finding.text
    assert finding.weight == "problem"
    assert reading.damaged
    assert not completeness.resembles(found, content)


def test_the_notebook_of_another_assignment(found: Handout) -> None:
    other = {"cells": [{"cell_type": "code", "metadata": {}, "source": ['colab.setup("knn", drive=True)']}]}
    assert said(found, other) == [
        "toy.ipynb is the notebook of knn, so answers to the questions of toy are not in the zip."
    ]
    assert "has almost none of the released cells" in said(found, {"cells": []})[0]
    assert not completeness.resembles(found, json.dumps(other).encode())


def test_a_copy_under_another_name_resembles_it(found: Handout) -> None:
    assert completeness.resembles(found, json.dumps(notebook(c_why=ANSWER)).encode())


def test_cells_that_are_gone(found: Handout) -> None:
    book = notebook(c_why=ANSWER)
    del book["cells"][1]
    (text,) = said(found, book)
    assert text.startswith("toy.ipynb lacks 1 of the 5 released cells.")


def test_edited_cells_are_not_gone(found: Handout) -> None:
    book = notebook(c_why=ANSWER, c_setup="colab.setup('toy', drive=True)")
    assert said(found, book) == []
    for cell in book["cells"]:
        del cell["id"]
    assert said(found, book) == []


def test_a_release_that_says_nothing_of_its_cells(found: Handout) -> None:
    bare = handout.Handout(**{**vars(found), "cells": ()})
    assert [finding.text for finding in read(bare, notebook()).findings] == [
        "A question is not answered: “YOUR ANSWER HERE” is still there."
    ]
    assert read(bare, notebook(c_why=ANSWER)).findings == ()


def test_cells_of_any_shape_do_no_harm(found: Handout) -> None:
    cells = [
        {},
        {"cell_type": "markdown", "source": None, "metadata": None},
        {"cell_type": "code", "source": ["def f(", 3], "metadata": {"nbgrader": []}, "id": 7},
    ]
    assert "has almost none" in said(found, {"cells": cells})[0]
