"""The code is in the notebook, or the notebook in the module."""

from __future__ import annotations

import json
from pathlib import Path

from tests.autograder.intake.arrivals.shape import RIGHT, STUB, Shapes, put
from tests.support.classes import ROOT

shapes = Shapes(4301)
RELEASED = json.loads((ROOT / "assignments" / "knn" / "knn.ipynb").read_text(encoding="utf-8"))


def notebook(*sources: str) -> bytes:
    """Return a notebook with these cells of code, as Colab saves it."""
    cells = [
        {
            "cell_type": "code",
            "metadata": {"id": f"a{n}"},
            "execution_count": None,
            "outputs": [],
            "source": s,
        }
        for n, s in enumerate(sources)
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "colab": {"provenance": []}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 0, "metadata": metadata, "cells": cells}).encode()


def in_cells() -> bytes:
    """Return the released notebook with the student's code in cells of it."""
    book = json.loads(json.dumps(RELEASED))
    cell = {
        "cell_type": "code",
        "metadata": {},
        "execution_count": 3,
        "outputs": [],
        "source": RIGHT.decode(),
    }
    if "id" in book["cells"][0]:
        cell["id"] = "0123456789abcdef"
    book["cells"].insert(3, cell)
    return json.dumps(book).encode()


@shapes(says=r"\.ipynb")
def only_a_notebook(folder: Path, student: str) -> None:
    put(folder / student / "knn.ipynb", notebook("import torch", RIGHT.decode(), "print('done')"))


@shapes(says=r"\.ipynb")
def released_notebook_with_code(folder: Path, student: str) -> None:
    put(folder / student / "knn.ipynb", in_cells())


@shapes(says=r"\.ipynb")
def written_by_a_cell(folder: Path, student: str) -> None:
    cell = "%%writefile knn.py\n" + RIGHT.decode()
    put(folder / student / "my homework.ipynb", notebook("!ls", cell, "import knn"))


@shapes(says=r"\.ipynb")
def stub_and_notebook(folder: Path, student: str) -> None:
    put(folder / student / "knn.py", STUB)
    put(folder / student / "knn.ipynb", in_cells())


@shapes(says=r"notebook")
def notebook_called_module(folder: Path, student: str) -> None:
    put(folder / student / "knn.py", notebook(RIGHT.decode()))


@shapes()
def damaged_notebook(folder: Path, student: str) -> None:
    put(folder / student / "knn.py")
    put(folder / student / "knn.ipynb", json.dumps(RELEASED).encode()[:4000])


@shapes()
def empty_notebook(folder: Path, student: str) -> None:
    put(folder / student / "knn.py")
    put(folder / student / "knn.ipynb", b"")


@shapes()
def notebook_with_magics(folder: Path, student: str) -> None:
    put(folder / student / "knn.py", b"%load_ext autoreload\n%autoreload 2\n!pip install einops\n" + RIGHT)


@shapes(says=r"\.ipynb")
def notebook_cut_off(folder: Path, student: str) -> None:
    """Hand in only a notebook that lost its end after the cell with the code."""
    put(folder / student / "knn.ipynb", notebook("%%writefile knn.py\n" + RIGHT.decode(), "import knn")[:-60])


@shapes(0, says=r"\.ipynb")
def notebook_without_code(folder: Path, student: str) -> None:
    """Hand in the released notebook alone."""
    put(folder / student / "knn.ipynb", json.dumps(RELEASED).encode())
