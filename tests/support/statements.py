"""What the source of a notebook says in prose, for tests that compute each number in it."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

ROOT = Path(__file__).parents[2]
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
"""Numbers as prose writes them."""
ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth")
MINUS, TIMES = "\u2212", "\u00d7"
"""What prose writes, and looks too much like other characters to be written in code."""
CELL = re.compile(r"```\{code-cell\} ipython3\n(.*?)```", re.DOTALL)
NUMBER = re.compile(r"[0-9½]|\\tfrac")
NO_NUMBERS = re.compile(
    r"^## Task \d+"  # headings
    r"|^\d\. "  # items of a list
    r"|\(\d points, graded by a person\)"
    r"|\{\{\w+\}\}"  # what a release fills in
    r"|float(32|64)|[Ll][12]|[A-Za-z]_\d|\\beta_\d|\\lambda_\d"  # names
    r"|\\sum_i|\^2|\(N, 3, 32, 32\)|\(N, 1, 8, 8\)",  # formulas and shapes, without a value of their own
    re.MULTILINE,
)
"""What has digits and states no number."""


@dataclass(frozen=True)
class Statements:
    """The source of a notebook.

    Attributes
    ----------
    name : str
        The assignment's.
    """

    name: str

    @cached_property
    def source(self) -> str:
        """The notebook as it is written, without what stands above its title."""
        path = ROOT / "solutions" / self.name / f"{self.name}.md"
        return path.read_text(encoding="utf-8").split("\n---\n", 1)[1]

    @cached_property
    def text(self) -> str:
        """The prose alone, tables and formulas included, with single spaces between its words."""
        prose = re.sub(r"^\+\+\+.*$", "", CELL.sub("", self.source), flags=re.MULTILINE)
        return " ".join(NO_NUMBERS.sub(" ", prose).split())

    def cell(self, text: str) -> str:
        """Return the only code cell that contains a text."""
        (cell,) = (cell for cell in CELL.findall(self.source) if text in cell)
        return str(cell)

    def run(self, *texts: str, until: str = "", **names: Any) -> dict[str, Any]:
        """Run the code cells that contain these texts, and return all names.

        Parameters
        ----------
        until : str
            Where to leave off in each cell, such as ``"plots."``.
        """
        found: dict[str, Any] = {"torch": torch, **names}
        for text in texts:
            cell = self.cell(text)
            exec(cell.partition(until)[0] if until else cell, found)
        return found

    def require(self, sentences: Iterable[str]) -> None:
        """Require that the prose says each of these, and has no number besides."""
        wanted = [" ".join(NO_NUMBERS.sub(" ", one).split()) for one in sentences]
        missing = [one for one in wanted if one not in self.text]
        assert not missing, "\n".join(["not in the text:", *missing])
        said = {
            place
            for one in wanted
            for found in re.finditer(re.escape(one), self.text)
            for place in range(found.start(), found.end())
        }
        left = [found.start() for found in NUMBER.finditer(self.text) if found.start() not in said]
        where = [self.text[max(0, place - 60) : place + 40] for place in left]
        assert not where, "\n".join(["numbers that no test computes:", *where])


def load_reference(name: str) -> ModuleType:
    """Import the reference solution of an assignment, as a module of its own."""
    path = ROOT / "solutions" / name / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"reference {name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def half(number: float | Tensor) -> str:
    r"""Write a multiple of 1/2 as formulas do.

    Examples
    --------
    >>> [half(number) for number in (2.0, -0.5, 3.5)]
    ['2', '-\\tfrac12', '3\\tfrac12']
    """
    exact = Fraction(float(number))
    sign, whole = "-" if exact < 0 else "", abs(exact) // 1
    assert exact % Fraction(1, 2) == 0, number
    return f"{sign}{whole or ''}\\tfrac12" if exact % 1 else f"{sign}{whole}"


def matrix(rows: Tensor) -> str:
    r"""Write a matrix as formulas do.

    Examples
    --------
    >>> matrix(torch.tensor([[1.0, -0.5], [0.0, 2.0]]))
    '\\begin{pmatrix} 1 & -\\tfrac12 \\\\ 0 & 2 \\end{pmatrix}'
    """
    lines = " \\\\ ".join(" & ".join(half(number) for number in row) for row in rows.tolist())
    return f"\\begin{{pmatrix}} {lines} \\end{{pmatrix}}"


def product(left: Tensor, right: Tensor, *added: Tensor) -> str:
    r"""Write a sum of products as formulas do.

    Examples
    --------
    >>> product(torch.tensor([1.0, 2.0]), torch.tensor([3.0, -1.0]), torch.tensor(0.5))
    '1 \\cdot 3 + 2 \\cdot (-1) + \\tfrac12'
    """
    terms = [f"{_in_brackets(a)} \\cdot {_in_brackets(b)}" for a, b in zip(left, right, strict=True)]
    return " + ".join([*terms, *map(half, added)])


def _in_brackets(number: Tensor) -> str:
    return f"({half(number)})" if number < 0 else half(number)
