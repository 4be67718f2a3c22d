"""A small handout on disk, for tests of the student's side."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

STUB = '''\
"""Two functions to write."""


def double(x):
    """Return twice x."""
    raise NotImplementedError("double")


def total(values):
    """Return the sum of a list."""
    raise NotImplementedError("total")
'''
SOLUTION = STUB.replace('raise NotImplementedError("double")', "return 2 * x").replace(
    'raise NotImplementedError("total")', "return sum(values)"
)
TESTS = '''\
import pytest
import toy

from helpers import checks
from helpers.checks import Hint


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
}


def write_toy(folder: Path) -> Path:
    """Write the toy assignment to a folder and return its module's file, still the stub."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "checks.json").write_text(json.dumps(CHECKS))
    (folder / "test_public.py").write_text(TESTS)
    (folder / "toy.py").write_text(STUB)
    return folder / "toy.py"
