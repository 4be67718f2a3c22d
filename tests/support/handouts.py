"""A small handout on disk, for tests of the student's side."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

STUB = '''\
"""Two functions to write."""


def double(x):
    """Return twice x."""
    raise NotImplementedError("toy: double")


def total(values):
    """Return the sum of a list."""
    raise NotImplementedError("toy: total")
'''
SOLUTION = STUB.replace('raise NotImplementedError("toy: double")', "return 2 * x").replace(
    'raise NotImplementedError("toy: total")', "return sum(values)"
)
TESTS = '''\
import pytest
import toy

from helpers.testing import Hint, checks


@pytest.mark.task("double", weight=2)
def test_double():
    """Twice three is six."""
    checks.equal(toy.double(3), 6, what="twice three", hints=[Hint(9, says="this is the square")])


@pytest.mark.task("double")
@pytest.mark.constraint
def test_short():
    """The function is short."""
    checks.holds(True, what="the function", problem="is long")


@pytest.mark.task("total")
@pytest.mark.parametrize("count", [2, 3])
def test_total(count):
    """Ones add up."""
    assert toy.total([1] * count) == count
'''
CHECKS = {
    "format": 2,
    "name": "toy",
    "title": "A toy",
    "modules": ["toy"],
    "weights": ["toy_weights.pt"],
    "tasks": [
        {"id": "double", "title": "Doubling", "points": 6},
        {"id": "total", "title": "Adding up", "points": 4},
    ],
    "tests": [
        {"id": f"test_public.py::{id}", "title": title, "task": task, "points": points, "kind": kind}
        for id, title, task, points, kind in (
            ("test_double", "Twice three is six.", "double", 2, "value"),
            ("test_short", "The function is short.", "double", 1, "constraint"),
            ("test_total[2]", "Ones add up.", "total", 1.25, "value"),
            ("test_total[3]", "Ones add up.", "total", 1.25, "value"),
        )
    ],
    "stubs": {"toy.py": hashlib.sha256(STUB.encode()).hexdigest()},
    "released": {"toy.py": STUB},
    "packages": ["torch", "numpy", "matplotlib", "tqdm", "sklearn"],
    "grader": {"python": "3.11", "torch": "2.13.0"},
    "limits": {"cpu_seconds": 10, "memory_mb": 512},
    "functions": [
        {"file": "toy.py", "name": "double", "task": "double"},
        {"file": "toy.py", "name": "total", "task": "total"},
    ],
}
QUESTION = "**Why** is twice a number even?\n\nYOUR ANSWER HERE"
CELLS = {
    "c-title": ("markdown", "# A toy"),
    "c-setup": ("code", "from helpers import check, colab, submit\n\ncolab.setup('toy')"),
    "c-head": ("markdown", "## Think about it"),
    "c-why": ("markdown", QUESTION),
    "c-build": ("code", "submit.build('toy')"),
}
"""The toy's notebook as released: id of each cell to its kind and source."""


def digest(source: str) -> str:
    """Return the digest of the words of a cell, as a release states it."""
    return hashlib.sha256(" ".join(source.split()).encode()).hexdigest()


def released_cells() -> list[dict[str, Any]]:
    """Return what the release says of the toy's notebook."""
    cells: list[dict[str, Any]] = [{"id": id, "digest": digest(source)} for id, (_, source) in CELLS.items()]
    cells[3]["question"] = {
        "id": "why",
        "title": "Think about it",
        "points": 2,
        "digest": digest(QUESTION.replace("YOUR ANSWER HERE", "")),
    }
    return cells


def notebook(**sources: str) -> dict[str, Any]:
    """Return the toy's notebook as Jupyter keeps it, with other sources in some cells: ``c_why=...``."""
    cells = []
    for id, (kind, source) in CELLS.items():
        cell: dict[str, Any] = {"id": id, "cell_type": kind, "metadata": {}}
        cell["source"] = sources.get(id.replace("-", "_"), source).splitlines(keepends=True)
        if id == "c-why":
            cell["metadata"] = {"nbgrader": {"grade_id": "why", "solution": True, "grade": True, "points": 2}}
        cells.append(cell | ({"outputs": [], "execution_count": None} if kind == "code" else {}))
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def write_toy(folder: Path, **changes: object) -> Path:
    """Write the toy assignment to a folder and return its module's file, still the stub."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "checks.json").write_text(json.dumps({**CHECKS, "cells": released_cells(), **changes}))
    (folder / "test_public.py").write_text(TESTS)
    (folder / "toy.py").write_text(STUB)
    return folder / "toy.py"
